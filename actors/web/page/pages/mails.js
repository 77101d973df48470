/* The mails of payouts: what was sent, what waits, what was given up. */
import { html, useState } from '../vendor/htm-preact.js';
import { t } from '../i18n.js';
import { formatCount } from '../format.js';
import { route, setQuery } from '../router.js';
import { api } from '../session.js';
import { Moment } from '../ui/bits.js';
import { Dialog } from '../ui/dialog.js';
import { Select } from '../ui/field.js';
import { useFresh } from '../ui/fresh.js';
import { useAction, useList, useStore, useView } from '../ui/hooks.js';
import { Empty, More, Shown } from '../ui/states.js';
import { Table } from '../ui/table.js';
import { toastDone, toastProblem } from '../ui/toast.js';

const STATES = ['queued', 'sending', 'sent', 'dead'];
const isMail = ({ producer, event_name: name }) =>
    producer === 'accounting' && (name.startsWith('mail_') || name === 'payout_closed');

const State = ({ state }) => html`<span class="chip ${state}">${t(`mail.${state}`)}</span>`;

function Retry({ mail, onDone }) {
    const { busy, run } = useAction((key) => api.post(`/mails/${mail.id}/retry`, undefined, { key }));
    const retry = async () => {
        const { problem } = await run();
        if (problem !== undefined) toastProblem(problem);
        else toastDone(t('mail.retried', { to: mail.to }));
        onDone();
    };
    return html`<button type="button" class="secondary small" aria-label=${t('mail.retry_named', { id: mail.id })}
        aria-busy=${busy ? 'true' : 'false'}
        onClick=${retry} data-testid="retry">${t('mail.retry')}</button>`;
}

function MailDialog({ id, onClose }) {
    const view = useView(`mail ${id}`, { load: (_, signal) => api.get(`/mails/${id}`, {}, signal), concerns: isMail });
    return html`<${Dialog} title=${t('mail.title', { id })} onClose=${onClose} testid="mail-dialog">
        <${Shown} view=${view} rows=${4}>${({ mail, text }) => html`
            <dl class="facts">
                <div><dt>${t('mail.to')}</dt><dd>${mail.to || t('mail.no_address')}</dd></div>
                <div><dt>${t('mail.subject')}</dt><dd>${mail.subject}</dd></div>
                <div><dt>${t('mail.state')}</dt><dd><${State} state=${mail.state} /></dd></div>
                <div><dt>${t('mail.attempts')}</dt><dd>${formatCount(mail.attempts)}</dd></div>
                ${mail.last_error && html`<div><dt>${t('mail.last_error')}</dt><dd>${mail.last_error}</dd></div>`}
            </dl>
            <pre class="mail-text" tabindex="0" data-testid="mail-text">${text}</pre>`}<//>
    <//>`;
}

export function Mails() {
    const { query } = useStore(route);
    const [open, setOpen] = useState();
    const state = STATES.includes(query.get('state')) ? query.get('state') : '';
    const key = `mails ${state}`;
    const view = useList(key, {
        page: (place, signal) => api.get('/mails', { state, newest_first: true, ...place }, signal),
        concerns: isMail,
    });
    const fresh = useFresh(key, view, view.data?.items);
    const columns = [
        {
            key: 'subject',
            label: t('mail.subject'),
            kind: 'main',
            cell: ({ id, subject }) =>
                html`<button type="button" class="link" onClick=${() => setOpen(id)}>${subject}</button>`,
        },
        { key: 'to', label: t('mail.to'), cell: ({ to }) => to || t('mail.no_address') },
        { key: 'state', label: t('mail.state'), cell: (mail) => html`<${State} state=${mail.state} />` },
        { key: 'created', label: t('mail.created_at'), cell: (mail) => html`<${Moment} ms=${mail.created_at} />` },
        {
            key: 'sent',
            label: t('mail.sent_at'),
            cell: (mail) => (mail.sent_at === undefined ? '' : html`<${Moment} ms=${mail.sent_at} />`),
        },
        {
            key: 'actions',
            label: t('list.actions'),
            kind: 'actions',
            cell: (mail) =>
                (mail.state === 'dead' || mail.state === 'queued') &&
                html`<${Retry} mail=${mail} onDone=${() => view.reload()} />`,
        },
    ];
    return html`<h2>${t('accounting.mails')}</h2>
        <div class="filters">
            <${Select} label=${t('mail.state')} value=${state} onValue=${(value) => setQuery({ state: value })}
                options=${[['', t('filter.any')], ...STATES.map((name) => [name, t(`mail.${name}`)])]}
                data-testid="mail-state" />
        </div>
        <${Shown} view=${view}>${({ items }) =>
            items.length === 0
                ? html`<${Empty} title=${t('mail.none')} />`
                : html`<${Table} caption=${t('accounting.mails')} columns=${columns} rows=${items}
                    fresh=${fresh} testid="mails" /><${More} view=${view} />`}<//>
        ${open !== undefined && html`<${MailDialog} id=${open} onClose=${() => setOpen(undefined)} />`}`;
}
