/* A modal dialog: the browser's own <dialog>, which keeps the focus inside, closes at Esc, and from
 * which the focus returns to where it was. */
import { html, useLayoutEffect, useRef } from '../vendor/htm-preact.js';
import { t } from '../i18n.js';
import { Icon } from './icons.js';
import { ToastsAloud } from './toast.js';

let count = 0;

export function Dialog({ title, onClose, children, testid, busy = false }) {
    const element = useRef();
    const id = useRef();
    id.current ??= `dialog-${++count}`;
    useLayoutEffect(() => {
        const before = document.activeElement;
        const dialog = element.current;
        dialog.showModal();
        (dialog.querySelector('[autofocus]') ?? dialog.querySelector('h2')).focus();
        return () => {
            dialog.close(); /* while it is open, nothing else takes the focus */
            /* What opened it may be gone by now, as a row that was finished. */
            if (before?.isConnected) before.focus();
            else document.querySelector('h1')?.focus();
        };
    }, []);
    /* Before anybody can press a key: a dialog that was closed unheard would be gone, but open to this page. */
    useLayoutEffect(() => {
        const cancel = (event) => {
            event.preventDefault();
            if (!busy) onClose();
        };
        const dialog = element.current;
        dialog.addEventListener('cancel', cancel);
        dialog.addEventListener('close', onClose); /* a second Esc can't be held back */
        return () => {
            dialog.removeEventListener('cancel', cancel);
            dialog.removeEventListener('close', onClose);
        };
    });
    return html`<dialog ref=${element} aria-labelledby=${id.current} data-testid=${testid}>
        <article>
            <header>
                <h2 id=${id.current} tabindex="-1">${title}</h2>
                <button type="button" class="plain icon-button" aria-label=${t('dialog.close')} disabled=${busy}
                    onClick=${onClose}>
                    <${Icon} name="close" />
                </button>
            </header>
            <${ToastsAloud} />
            ${children}
        </article>
    </dialog>`;
}

/* A question with what will happen, and the button that does it. */
export function Confirm({
    title,
    children,
    action,
    danger = false,
    busy,
    disabled = false,
    problem,
    onConfirm,
    onClose,
    testid,
}) {
    return html`<${Dialog} title=${title} onClose=${onClose} testid=${testid} busy=${busy}>
        ${children}
        ${problem && html`<p class="problem" role="alert">${problem}</p>`}
        <footer class="actions">
            <button type="button" class="secondary" autofocus disabled=${busy}
                onClick=${onClose}>${t('dialog.cancel')}</button>
            <button type="button" class=${danger ? 'danger' : ''} aria-busy=${busy ? 'true' : 'false'}
                disabled=${busy || disabled} onClick=${onConfirm}
                data-testid="confirm">${action}</button>
        </footer>
    <//>`;
}
