/* What stands where data is not there yet, is not there at all, or could not be had. */
import { html } from '../vendor/htm-preact.js';
import { problemText } from '../problem.js';
import { t } from '../i18n.js';
import { Icon } from './icons.js';
import { Logo } from './popug.js';

export function Skeleton({ rows = 5 }) {
    return html`<div class="skeleton" role="status" aria-label=${t('state.loading')} data-testid="loading">
        ${Array.from({ length: rows }, (_, index) => html`<div key=${index} class="bone"></div>`)}
    </div>`;
}

export function Empty({ title, children }) {
    return html`<div class="empty" data-testid="empty">
        <${Logo} />
        <p class="empty-title">${title}</p>
        ${children && html`<p>${children}</p>`}
    </div>`;
}

/* retry is undefined where trying again can't help. */
export function Failure({ problem, retry }) {
    return html`<div class="failure" role="alert" data-testid="failure">
        <p>${problemText(problem)}</p>
        ${
            retry &&
            html`<button type="button" class="secondary small" onClick=${retry}><${Icon}
                name="refresh" /> ${t('state.retry')}</button>`
        }
    </div>`;
}

/* The one way to show a view: skeleton, failure, data, or data with a word that it may be old. */
export function Shown({ view, rows, children }) {
    const { data, error } = view;
    if (data === undefined) {
        return error === undefined
            ? html`<${Skeleton} rows=${rows} />`
            : html`<${Failure} problem=${error}
                retry=${error.status === 403 || error.status === 404 ? undefined : () => view.reload()} />`;
    }
    return html`${
        error !== undefined &&
        html`<${Failure} problem=${error}
        retry=${() => view.reload()} />`
    } ${children(data)}`;
}

export function More({ view }) {
    if (view.data?.next === undefined) return null;
    return html`<p class="more">
        <button type="button" class="secondary" aria-busy=${view.busy === 'more' ? 'true' : 'false'}
            disabled=${view.busy === 'more'}
            onClick=${() => view.more()} data-testid="more">${t('list.more')}</button>
    </p>`;
}
