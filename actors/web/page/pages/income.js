/* Income by day: a chart, and a table beside it. */
import { html } from '../vendor/htm-preact.js';
import { csvMoney } from '../csv.js';
import { formatRange } from '../format.js';
import { t } from '../i18n.js';
import { IncomeChart } from '../ui/chart.js';
import { Day, Figure, Money } from '../ui/bits.js';
import { Export } from '../ui/export.js';
import { useView } from '../ui/hooks.js';
import { PeriodControl, usePeriod } from '../ui/period.js';
import { Shown } from '../ui/states.js';
import { Table } from '../ui/table.js';

const PERIODS = ['30d', '7d', '90d', 'month', 'last-month', 'custom'];

const csvColumns = [
    { label: 'date', value: ({ date }) => date },
    { label: 'income', value: ({ income_cents: cents }) => csvMoney(cents) },
];

/* read({from, to}, signal) gives {items: [{date, income_cents}]}; children are figures beside the sum. */
export function Income({ title, read, concerns, settleMs, children }) {
    const period = usePeriod(PERIODS);
    const view = useView(`${title} ${period.from} ${period.to}`, {
        load: (_, signal) => read(period, signal),
        concerns,
        settleMs,
    });
    const columns = [
        {
            key: 'date',
            label: t('income.date'),
            kind: 'main',
            cell: ({ date }) => html`<${Day} date=${date} weekday=${true} />`,
        },
        {
            key: 'income',
            label: t('income.income'),
            kind: 'number',
            cell: ({ income_cents: cents }) => html`<${Money} cents=${cents} />`,
        },
    ];
    const items = view.data?.items ?? [];
    const sum = items.reduce((total, { income_cents: cents }) => total + cents, 0);
    return html`<section aria-labelledby="income">
        <div class="section-head">
            <h2 id="income">${title}</h2>
            <${Export} name="income" columns=${csvColumns} page=${(_, signal) => read(period, signal)} />
        </div>
        <div class="controls">
            <div class="filters"><${PeriodControl} names=${PERIODS} period=${period} /></div>
            <dl class="figures">
                ${children}
                ${
                    items.length > 0 &&
                    html`<${Figure} label=${t('income.sum')} hint=${formatRange(items[0].date, items.at(-1).date)}
                        testid="income-sum"><${Money} cents=${sum} /><//>`
                }
            </dl>
        </div>
        <${Shown} view=${view}>${() => html`<div class="chart-and-table">
                <${IncomeChart} items=${items} />
                <div class="scroller" tabindex="0" role="region" aria-label=${t('income.by_day')}>
                    <${Table} caption=${t('income.by_day')} columns=${columns} rows=${[...items].reverse()}
                        rowKey=${({ date }) => date} testid="income-table" />
                </div>
            </div>`}<//>
    </section>`;
}
