/* Analytics, for administrators: income, who is below zero, the most expensive task. */
import { html } from '../vendor/htm-preact.js';
import { formatCount, formatDate } from '../format.js';
import { t } from '../i18n.js';
import { api } from '../session.js';
import { Figure, Money, Person } from '../ui/bits.js';
import { PAGE, useList, useView } from '../ui/hooks.js';
import { More, Shown } from '../ui/states.js';
import { Table } from '../ui/table.js';
import { Income } from './income.js';
import { TopTask } from './top-task.js';

/* Analytics follows accounting: what just happened it may know a moment later than we do. */
const SETTLE_MS = 1000;
const isMoney = ({ producer, event_name: name }) => producer === 'accounting' && name === 'transfer_recorded';

function Today() {
    const { data } = useView('income-today', {
        load: (_, signal) => api.get('/analytics/income/today', {}, signal),
        concerns: isMoney,
        settleMs: SETTLE_MS,
    });
    return html`<${Figure} label=${t('analytics.today')} hint=${data && formatDate(data.date)} testid="income-today">
        ${data === undefined ? '…' : html`<${Money} cents=${data.income_cents} />`}<//>`;
}

function Negative() {
    const view = useList('negative', {
        page: ({ after, limit }, signal) => api.get('/analytics/negative-balances', { after, limit }, signal),
        atOnce: PAGE,
        concerns: isMoney,
        settleMs: SETTLE_MS,
    });
    const columns = [
        {
            key: 'person',
            label: t('ledger.person'),
            kind: 'main',
            cell: ({ user_id: id, login }) =>
                html`<a class="quiet" href="/accounting?view=account&user=${id}"><${Person} id=${id}
                    login=${login} /></a>`,
        },
        {
            key: 'balance',
            label: t('account.balance'),
            kind: 'number',
            cell: ({ balance_cents: cents }) => html`<${Money} cents=${cents} />`,
        },
    ];
    return html`<section aria-labelledby="negative">
        <h2 id="negative">${t('analytics.negative')}</h2>
        <${Shown} view=${view}>${({ items, count }) => html`
            <p data-testid="negative-count">${t('analytics.negative_count', { count, number: formatCount(count) })}</p>
            ${
                items.length > 0 &&
                html`<${Table} caption=${t('analytics.negative')} columns=${columns} rows=${items}
                rowKey=${({ user_id: id }) => id} testid="negative" />`
            }
            <${More} view=${view} />`}<//>
    </section>`;
}

export default function Analytics() {
    return html`<h1 tabindex="-1">${t('analytics.title')}</h1>
        <${Income} title=${t('income.title')} concerns=${isMoney} settleMs=${SETTLE_MS}
            read=${({ from, to }, signal) => api.get('/analytics/income', { from_date: from, to_date: to }, signal)}><${Today} /><//>
        <div class="columns"><${TopTask} settleMs=${SETTLE_MS} concerns=${isMoney} /><${Negative} /></div>`;
}
