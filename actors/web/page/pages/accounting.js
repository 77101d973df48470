/* The accounting section: one's own account for everybody, the company's for who keeps its books. */
import { html } from '../vendor/htm-preact.js';
import { t } from '../i18n.js';
import { route } from '../router.js';
import { may } from '../routes.js';
import { api, session } from '../session.js';
import { Tabs } from '../ui/bits.js';
import { useStore } from '../ui/hooks.js';
import { Income } from './income.js';
import { Account, SomeAccount } from './account.js';
import { Mails } from './mails.js';
import { Payouts } from './payouts.js';
import { Transfers } from './transfers.js';

const isMoney = ({ producer, event_name: name }) => producer === 'accounting' && name === 'transfer_recorded';

function Company() {
    return html`<${Income} title=${t('income.company')} concerns=${isMoney}
        read=${({ from, to }, signal) => api.get('/income', { from_date: from, to_date: to }, signal)} />`;
}

export default function Accounting() {
    const { query } = useStore(route);
    const { user } = useStore(session);
    const views = [
        ['mine', true],
        ['company', may.seeCompany(user.role)],
        ['transfers', may.seeTransfers(user.role)],
        ['account', may.seeAccounts(user.role)],
        ['payouts', may.seeCompany(user.role)],
        ['mails', may.seeCompany(user.role)],
    ].filter(([, open]) => open);
    /* Who is never given tasks cares for the company's account first. */
    const usual = may.seeCompany(user.role) ? 'company' : 'mine';
    const asked = query.get('view');
    const current = views.some(([name]) => name === asked) ? asked : usual;
    return html`<h1 tabindex="-1">${t('accounting.title')}</h1>
        ${
            views.length > 1 &&
            html`<${Tabs} label=${t('accounting.views')} current=${current}
                items=${views.map(([name]) => [name, t(`accounting.${name}`), `/accounting?view=${name}`])} />`
        }
        ${current === 'mine' && html`<${Account} who="me" userId=${user.id} />`}
        ${current === 'company' && html`<${Company} />`}
        ${current === 'transfers' && html`<${Transfers} />`}
        ${current === 'account' && html`<${SomeAccount} />`}
        ${current === 'payouts' && html`<${Payouts} user=${user} />`}
        ${current === 'mails' && html`<${Mails} />`}`;
}
