/* The task with the highest reward among those completed in a day, week, month or any range. */
import { html } from '../vendor/htm-preact.js';
import { addDays, isDate } from '../dates.js';
import { formatRange } from '../format.js';
import { t } from '../i18n.js';
import { route, setQuery } from '../router.js';
import { api, settings } from '../session.js';
import { Day, Figure, Issue, Moment, Money } from '../ui/bits.js';
import { Field, Select } from '../ui/field.js';
import { useStore, useView } from '../ui/hooks.js';
import { Shown } from '../ui/states.js';
import { Table } from '../ui/table.js';

const PERIODS = ['day', 'week', 'month', 'range'];

/* What to ask for, as the address says. */
function useAsked() {
    const { query } = useStore(route);
    const { business_date: today } = useStore(settings);
    const period = PERIODS.includes(query.get('top')) ? query.get('top') : 'week';
    const dateOr = (name, usual) => (isDate(query.get(name)) ? query.get(name) : usual);
    if (period !== 'range') return { period, date: dateOr('top_date', today) };
    const [a, b] = [dateOr('top_from', addDays(today, -6)), dateOr('top_to', today)];
    return a <= b ? { period, from: a, to: b } : { period, from: b, to: a };
}

const Task = ({ task }) =>
    html`<${Issue} task=${task} /><a href="/tasks/${task.task_id}">#${task.task_id} ${task.name}</a>`;

export function TopTask({ concerns, settleMs }) {
    const asked = useAsked();
    const { period, date, from, to } = asked;
    const view = useView(`top ${JSON.stringify(asked)}`, {
        load: (_, signal) =>
            api.get(
                '/analytics/most-expensive-task',
                period === 'range' ? { from_date: from, to_date: to } : { period, date },
                signal,
            ),
        concerns,
        settleMs,
    });
    const columns = [
        {
            key: 'date',
            label: t('income.date'),
            kind: 'main',
            cell: (day) => html`<${Day} date=${day.date} weekday=${true} />`,
        },
        {
            key: 'task',
            label: t('top.task'),
            cell: ({ task }) =>
                task === undefined ? html`<span class="hint">${t('top.none')}</span>` : html`<${Task} task=${task} />`,
        },
        {
            key: 'price',
            label: t('top.price'),
            kind: 'number',
            cell: ({ task }) => task && html`<${Money} cents=${task.complete_price_cents} />`,
        },
    ];
    return html`<section aria-labelledby="top">
        <h2 id="top">${t('top.title')}</h2>
        <div class="filters">
            <${Select} label=${t('period.label')} value=${period}
                onValue=${(top) => setQuery({ top, top_date: '', top_from: '', top_to: '' })}
                options=${PERIODS.map((name) => [name, t(`top.${name}`)])} data-testid="top-period" />
            ${
                period === 'range'
                    ? html`<${Field} label=${t('period.from')} type="date" value=${from}
                        onValue=${(value) => value && setQuery({ top_from: value })} />
                    <${Field} label=${t('period.to')} type="date" value=${to}
                        onValue=${(value) => value && setQuery({ top_to: value })} />`
                    : html`<${Field} label=${t('top.date')} type="date" value=${date}
                        onValue=${(value) => value && setQuery({ top_date: value })} />`
            }
        </div>
        <${Shown} view=${view} rows=${3}>${(top) => html`
            <dl class="figures">
                <${Figure} label=${formatRange(top.from_date, top.to_date)} testid="top-task"
                    hint=${top.task && html`<${Task} task=${top.task} /> · <${Moment} ms=${top.task.completed_at} />`}>
                    ${
                        top.task === undefined
                            ? t('top.none')
                            : html`<${Money}
                        cents=${top.task.complete_price_cents} />`
                    }<//>
            </dl>
            ${
                top.days.length > 1 &&
                html`<div class="scroller" tabindex="0" role="region" aria-label=${t('top.by_day')}>
                <${Table} caption=${t('top.by_day')} columns=${columns} rows=${[...top.days].reverse()}
                    rowKey=${(day) => day.date} testid="top-days" /></div>`
            }`}<//>
    </section>`;
}
