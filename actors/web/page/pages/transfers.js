/* All transfers of the company, for accountants. */
import { html } from '../vendor/htm-preact.js';
import { t } from '../i18n.js';
import { route, setQuery } from '../router.js';
import { api } from '../session.js';
import { Export } from '../ui/export.js';
import { Select } from '../ui/field.js';
import { useFresh } from '../ui/fresh.js';
import { useList, useStore } from '../ui/hooks.js';
import { PeriodControl, usePeriod } from '../ui/period.js';
import { PersonPicker } from '../ui/person-picker.js';
import { Empty, More, Shown } from '../ui/states.js';
import { Table } from '../ui/table.js';
import { KINDS, LEDGER_PERIODS, csvColumns, instants, ledgerColumns } from './ledger.js';

export function Transfers() {
    const { query } = useStore(route);
    const period = usePeriod(LEDGER_PERIODS);
    const { start, end } = instants(period);
    const kind = KINDS.includes(query.get('kind')) ? query.get('kind') : '';
    const userId = Number(query.get('user')) || undefined;
    const read = (place, signal) =>
        api.get('/transfers', { from: start, to: end, kind, user_id: userId, ...place }, signal);
    const key = `transfers ${start} ${end} ${kind} ${userId}`;
    const view = useList(key, {
        page: (place, signal) => read({ newest_first: true, ...place }, signal),
        concerns: ({ producer, event_name: name }) => producer === 'accounting' && name === 'transfer_recorded',
    });
    const fresh = useFresh(key, view, view.data?.items);
    return html`<div class="section-head">
            <h2>${t('accounting.transfers')}</h2>
            <${Export} name="transfers" columns=${csvColumns}
                page=${(after, signal) => read({ after, limit: 1000 }, signal)} />
        </div>
        <div class="filters">
            <${PeriodControl} names=${LEDGER_PERIODS} period=${period} />
            <${Select} label=${t('ledger.kind')} value=${kind} onValue=${(value) => setQuery({ kind: value })}
                options=${[['', t('filter.any')], ...KINDS.map((name) => [name, t(`kind.${name}`)])]} data-testid="kind" />
            <${PersonPicker} label=${t('ledger.person')} id=${userId}
                onId=${(id) => setQuery({ user: id === undefined ? '' : String(id) })} />
        </div>
        <${Shown} view=${view} rows=${8}>${({ items }) =>
            items.length === 0
                ? html`<${Empty} title=${t('list.nothing_found')} />`
                : html`<${Table} caption=${t('accounting.transfers')} columns=${ledgerColumns({ withPerson: true })}
                    rows=${items} fresh=${fresh} testid="transfers" />
                    <${More} view=${view} />`}<//>`;
}
