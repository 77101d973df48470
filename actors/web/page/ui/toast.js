/* Short words on what was done, or was not. Errors stay until they are closed. */
import { html } from '../vendor/htm-preact.js';
import { problemText } from '../problem.js';
import { createStore } from '../store.js';
import { t } from '../i18n.js';
import { Icon } from './icons.js';
import { useStore } from './hooks.js';

const SHOWN_MS = 7000;
const SHOWN_MAX = 4;
const toasts = createStore([]);
let count = 0;

const drop = (id) => toasts.set(toasts.get().filter((toast) => toast.id !== id));

function add(kind, text) {
    const id = ++count;
    toasts.set([...toasts.get(), { id, kind, text }].slice(-SHOWN_MAX));
    if (kind === 'done') setTimeout(() => drop(id), SHOWN_MS);
}

export const toastDone = (text) => add('done', text);
export const toastProblem = (problem) => add('problem', problemText(problem));

export function Toasts() {
    const list = useStore(toasts);
    return html`<section class="toasts" aria-label=${t('toast.region')} aria-live="polite">
        ${list.map(
            ({
                id,
                kind,
                text,
            }) => html`<div key=${id} class="toast ${kind}" role=${kind === 'problem' ? 'alert' : undefined}
                data-testid="toast-${kind}">
                <span>${text}</span>
                <button type="button" class="plain icon-button" aria-label=${t('dialog.close')}
                    onClick=${() => drop(id)}><${Icon} name="close" /></button>
            </div>`,
        )}
    </section>`;
}

/* The same inside a modal dialog, for screen readers, as what lies outside of it is silent then. */
export function ToastsAloud() {
    return html`<div class="unseen" aria-live="polite" data-testid="toasts-aloud">
        ${useStore(toasts).map(({ id, text }) => html`<p key=${id}>${text}</p>`)}
    </div>`;
}
