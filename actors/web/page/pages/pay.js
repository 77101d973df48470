/* Paying by hand. What would be paid is asked for and shown first: a payout can't be taken back. */
import { html, useState } from '../vendor/htm-preact.js';
import { isDate } from '../dates.js';
import { formatCount, formatDate, formatMoney } from '../format.js';
import { t } from '../i18n.js';
import { fieldProblem, problemText } from '../problem.js';
import { api, loadSettings, today } from '../session.js';
import { Confirm, Dialog } from '../ui/dialog.js';
import { Field, Form, Submit } from '../ui/field.js';
import { useAction } from '../ui/hooks.js';
import { toastDone, toastProblem } from '../ui/toast.js';

const sums = ({ paid_count: count, total_cents: total, business_date: date }) => ({
    count,
    number: formatCount(count),
    total: formatMoney(total),
    date: formatDate(date),
});

function tellPaid(result) {
    if (result.already_closed) toastDone(t('pay.was_closed', sums(result)));
    else toastDone(result.paid_count === 0 ? t('pay.done_nobody', sums(result)) : t('pay.done', sums(result)));
}

/* Asks by what a dry run said: look is {business_date, paid_count, total_cents, already_closed?}. A
 * day that is closed can only be told of. */
function Question({ look, paying, onPay, onClose, testid }) {
    if (look.already_closed) {
        return html`<${Dialog} title=${t('pay.title')} onClose=${onClose} testid=${testid}>
            <p data-testid="pay-look">${t('pay.is_closed', sums(look))}</p>
            <footer class="actions">
                <button type="button" class="secondary" autofocus onClick=${onClose}>${t('dialog.close')}</button>
            </footer>
        <//>`;
    }
    const isNobody = look.paid_count === 0;
    return html`<${Confirm} title=${t('pay.confirm_title', sums(look))}
        action=${isNobody ? t('pay.close') : t('pay.action', sums(look))}
        busy=${paying.busy} problem=${paying.problem && problemText(paying.problem)}
        onConfirm=${onPay} onClose=${onClose} testid=${testid}>
        <p data-testid="pay-look">${isNobody ? t('pay.nobody') : t('pay.would', sums(look))}</p>
        ${look.business_date === today() && html`<p class="warning" data-testid="pay-early">${t('pay.early')}</p>`}
    <//>`;
}

/* Chooses a date, asks what it would cost, and pays. */
export function PayNow({ onDone }) {
    const [isOpen, setOpen] = useState(false);
    const [date, setDate] = useState('');
    const [look, setLook] = useState();
    const asking = useAction((key, body) => api.post('/payouts', body, { key }));
    const paying = useAction((key, body) => api.post('/payouts', body, { key }));
    const open = () => {
        setDate(today());
        setLook(undefined);
        asking.reset();
        paying.reset();
        setOpen(true);
    };
    const close = () => setOpen(false);
    const ask = async () => {
        await loadSettings().catch(() => {}); /* whether the date is today's may have changed */
        const { result } = await asking.run({ business_date: date, dry_run: true });
        if (result !== undefined) setLook(result);
    };
    const pay = async () => {
        const { result } = await paying.run({ business_date: date });
        if (result === undefined) return;
        close();
        tellPaid(result);
        onDone();
    };
    const wrong = asking.problem && fieldProblem(asking.problem, 'business_date');
    return html`<button type="button" onClick=${open} data-testid="pay">${t('pay.button')}</button>
        ${
            isOpen &&
            look === undefined &&
            html`<${Dialog} title=${t('pay.title')} onClose=${close} busy=${asking.busy} testid="pay-dialog">
            <${Form} onSubmit=${ask}>
                <${Field} label=${t('payout.date')} hint=${t('pay.date_hint')} type="date" autofocus
                    max=${today()} required value=${date} onValue=${setDate} error=${wrong} />
                ${asking.problem && !wrong && html`<p class="problem" role="alert">${problemText(asking.problem)}</p>`}
                <footer class="actions">
                    <button type="button" class="secondary" disabled=${asking.busy}
                        onClick=${close}>${t('dialog.cancel')}</button>
                    <${Submit} busy=${asking.busy} disabled=${!isDate(date)} testid="pay-ask">${t('pay.ask')}<//>
                </footer>
            <//>
        <//>`
        }
        ${
            isOpen &&
            look !== undefined &&
            html`<${Question} look=${look} paying=${paying} onPay=${pay} onClose=${close} testid="pay-confirm" />`
        }`;
}

/* Lets the schedule do now what it would do next: the next date that has ended, or today. */
export function RunSchedule({ onDone }) {
    const [look, setLook] = useState();
    const asking = useAction((key) => api.post('/payment/run', { dry_run: true }, { key }));
    const running = useAction((key, body) => api.post('/payment/run', body, { key }));
    const close = () => setLook(undefined);
    const ask = async () => {
        await loadSettings().catch(() => {}); /* as above */
        running.reset();
        const { result, problem } = await asking.run();
        if (problem !== undefined) toastProblem(problem);
        else setLook(result);
    };
    const run = async () => {
        const { result } = await running.run({ business_date: look.business_date });
        if (result === undefined) return;
        close();
        tellPaid(result);
        onDone();
    };
    return html`<button type="button" class="secondary" aria-busy=${asking.busy ? 'true' : 'false'} onClick=${ask}
        data-testid="run-schedule">${t('pay.run')}</button>
        ${
            look !== undefined &&
            html`<${Question} look=${look} paying=${running} onPay=${run} onClose=${close} testid="run-confirm" />`
        }`;
}
