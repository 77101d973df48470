/* An account: what is on it, and every transfer with its reason. */
import { html } from '../vendor/htm-preact.js';
import { t } from '../i18n.js';
import { route, setQuery } from '../router.js';
import { api } from '../session.js';
import { Figure, Money } from '../ui/bits.js';
import { Export } from '../ui/export.js';
import { useFresh } from '../ui/fresh.js';
import { useList, useStore, useView } from '../ui/hooks.js';
import { PeriodControl, usePeriod } from '../ui/period.js';
import { PersonPicker } from '../ui/person-picker.js';
import { Empty, More, Shown } from '../ui/states.js';
import { Table } from '../ui/table.js';
import { LEDGER_PERIODS, csvColumns, instants, ledgerColumns } from './ledger.js';

const moves =
    (userId) =>
    ({ producer, event_name: name, data }) =>
        producer === 'accounting' && name === 'transfer_recorded' && data.transfer.user_id === userId;

function Balance({ who, userId }) {
    const view = useView(`balance ${userId}`, {
        load: (_, signal) => api.get(`/accounts/${who}`, {}, signal),
        concerns: moves(userId),
    });
    return html`<${Shown} view=${view} rows=${1}>${(balance) => html`
        <dl class="figures">
            <${Figure} label=${t('account.balance')} testid="balance"><${Money} cents=${balance.balance_cents} /><//>
            <${Figure} label=${t('account.today')} testid="balance-today"><${Money} cents=${balance.today_cents}
                sign=${true} /><//>
        </dl>
        ${balance.balance_cents < 0 && html`<p class="hint">${t('account.negative')}</p>`}`}<//>`;
}

/* who: "me" or a user's id, as the address names the account. */
export function Account({ who, userId }) {
    const period = usePeriod(LEDGER_PERIODS);
    const { start, end } = instants(period);
    const key = `ledger ${userId} ${start} ${end}`;
    const read = (place, signal) =>
        api.get(`/accounts/${who}/transfers`, { from: start, to: end, ...place }, signal);
    const view = useList(key, {
        page: (place, signal) => read({ newest_first: true, ...place }, signal),
        concerns: moves(userId),
    });
    const fresh = useFresh(key, view, view.data?.items);
    return html`<${Balance} who=${who} userId=${userId} />
        <section aria-labelledby="ledger">
            <div class="section-head">
                <h2 id="ledger">${t('account.ledger')}</h2>
                <${Export} name="transfers-${userId}" columns=${csvColumns}
                    page=${(after, signal) => read({ after, limit: 1000 }, signal)} />
            </div>
            <div class="filters"><${PeriodControl} names=${LEDGER_PERIODS} period=${period} /></div>
            <${Shown} view=${view}>${({ items }) =>
                items.length === 0
                    ? html`<${Empty} title=${t('account.empty')} />`
                    : html`<${Table} caption=${t('account.ledger')} columns=${ledgerColumns({ withPerson: false })}
                        rows=${items} fresh=${fresh} testid="ledger" />
                        <${More} view=${view} />`}<//>
        </section>`;
}

/* The account of a person who is chosen. */
export function SomeAccount() {
    const { query } = useStore(route);
    const id = Number(query.get('user')) || undefined;
    return html`<div class="filters">
            <${PersonPicker} label=${t('account.whose')} id=${id}
                onId=${(user) => setQuery({ user: user === undefined ? '' : String(user) })} />
        </div>
        ${
            id === undefined
                ? html`<${Empty} title=${t('account.choose')} />`
                : html`<${Account} key=${id} who=${id}
            userId=${id} />`
        }`;
}
