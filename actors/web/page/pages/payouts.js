/* Payouts: when the schedule pays next, how it went last, and paying by hand. */
import { html } from '../vendor/htm-preact.js';
import { t } from '../i18n.js';
import { formatCount, formatDate } from '../format.js';
import { may } from '../routes.js';
import { api } from '../session.js';
import { Day, Figure, Moment, Money } from '../ui/bits.js';
import { useView } from '../ui/hooks.js';
import { Shown } from '../ui/states.js';
import { PayNow, RunSchedule } from './pay.js';

function LastRun({ run }) {
    return html`<section aria-labelledby="last-run">
        <h3 id="last-run">${t('payout.last')}</h3>
        <dl class="facts" data-testid="last-run">
            <div><dt>${t('payout.result')}</dt><dd><span
                class="chip ${run.status}">${t(`payout.${run.status}`)}</span></dd></div>
            <div><dt>${t('payout.date')}</dt><dd><${Day} date=${run.business_date} /></dd></div>
            <div><dt>${t('payout.at')}</dt><dd><${Moment} ms=${run.at} /></dd></div>
            <div><dt>${t('payout.people')}</dt><dd>${formatCount(run.paid_count)}</dd></div>
            <div><dt>${t('payout.total')}</dt><dd><${Money} cents=${run.total_cents} /></dd></div>
            ${run.error && html`<div><dt>${t('payout.error')}</dt><dd>${run.error}</dd></div>`}
        </dl>
    </section>`;
}

export function Payouts({ user }) {
    const view = useView('schedule', {
        load: (_, signal) => api.get('/payment/schedule', {}, signal),
        concerns: ({ producer, event_name: name }) => producer === 'payment' || name === 'payout_closed',
        settleMs: 1000 /* payment hears of a payout after accounting */,
    });
    return html`<div class="section-head">
            <h2>${t('payout.title')}</h2>
            <div class="actions">
                ${
                    view.data !== undefined &&
                    html`<${RunSchedule} onDone=${() => view.reload()} />`
                }
                ${may.pay(user.role) && html`<${PayNow} onDone=${() => view.reload()} />`}
            </div>
        </div>
        <p class="hint">${t('payout.text')}</p>
        <${Shown} view=${view} rows=${3}>${(schedule) => html`
            <dl class="figures">
                <${Figure} label=${t('payout.next_run')} testid="next-run"><${Moment} ms=${schedule.next_run_at} /><//>
                <${Figure} label=${t('payout.next_date')}
                    testid="next-date">${formatDate(schedule.next_business_date)}<//>
            </dl>
            ${
                schedule.failures > 0 &&
                html`<p class="problem" role="status">${t('payout.failures', { count: schedule.failures })}
                ${
                    schedule.retry_at !== undefined &&
                    html` ${t('payout.retry_at')} <${Moment}
                    ms=${schedule.retry_at} />`
                }</p>`
            }
            ${
                schedule.last_run === undefined
                    ? html`<p>${t('payout.never')}</p>`
                    : html`<${LastRun}
                run=${schedule.last_run} />`
            }`}<//>`;
}
