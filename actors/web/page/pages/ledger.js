/* Transfers as rows: when, why, how much, and what was left; and as CSV. */
import { html } from '../vendor/htm-preact.js';
import { csvMoney } from '../csv.js';
import { startOf, addDays, stamp } from '../dates.js';
import { getZone } from '../format.js';
import { t } from '../i18n.js';
import { Day, Moment, Money, Person, names } from '../ui/bits.js';

export const KINDS = ['assign_fee', 'completion_reward', 'payout'];
export const LEDGER_PERIODS = ['30d', 'today', 'yesterday', '7d', 'month', 'last-month', 'all', 'custom'];

/* {start?, end?} in ms of a period of business days, as clocks count them. */
export function instants({ from, to }) {
    return from === undefined ? {} : { start: startOf(from, getZone()), end: startOf(addDays(to, 1), getZone()) };
}

/* The service's descriptions are English: "Fee for task 12: NAME". What is told by kind and task is
 * told in the reader's language; the name is the task's own. */
function taskNameOf({ description }) {
    return /^[^:]* task \d+: (.*)$/s.exec(description)?.[1] ?? '';
}

function Reason({ transfer }) {
    const { kind, task_id: task, business_date: date } = transfer;
    return html`<span class="kind ${kind}">${t(`kind.${kind}`)}</span> ${
        task === undefined
            ? html`<${Day} date=${date} />`
            : html`<a href="/tasks/${task}">#${task}</a> <span class="reason-task">${taskNameOf(transfer)}</span>`
    }`;
}

export function ledgerColumns({ withPerson }) {
    return [
        {
            key: 'reason',
            label: t('ledger.reason'),
            kind: 'main',
            cell: (transfer) => html`<${Reason} transfer=${transfer} />`,
        },
        withPerson && {
            key: 'person',
            label: t('ledger.person'),
            cell: ({ user_id: id }) =>
                html`<a class="quiet" href="/accounting?view=account&user=${id}"><${Person} id=${id} /></a>`,
        },
        { key: 'when', label: t('ledger.when'), cell: ({ timestamp }) => html`<${Moment} ms=${timestamp} />` },
        {
            key: 'delta',
            label: t('ledger.delta'),
            kind: 'number',
            cell: ({ delta_cents: cents }) => html`<${Money} cents=${cents} sign=${true} />`,
        },
        {
            key: 'balance',
            label: t('ledger.balance'),
            kind: 'number',
            cell: ({ balance_cents: cents }) => html`<${Money} cents=${cents} />`,
        },
    ].filter(Boolean);
}

/* Labels are field names: a file is read by programs more than by people. */
export const csvColumns = [
    { label: 'id', value: ({ id }) => id },
    { label: 'timestamp', value: ({ timestamp }) => stamp(timestamp, getZone()) },
    { label: 'business_date', value: (transfer) => transfer.business_date },
    { label: 'user_id', value: (transfer) => transfer.user_id },
    { label: 'login', value: (transfer) => names.look(transfer.user_id)?.login },
    { label: 'kind', value: ({ kind }) => kind },
    { label: 'task_id', value: (transfer) => transfer.task_id },
    { label: 'delta', value: (transfer) => csvMoney(transfer.delta_cents) },
    { label: 'balance', value: (transfer) => csvMoney(transfer.balance_cents) },
    { label: 'description', value: ({ description }) => description },
];
