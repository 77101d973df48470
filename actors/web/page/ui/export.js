/* A list as a CSV file, read page by page, with its progress and a way to stop. */
import { html, useEffect, useRef, useState } from '../vendor/htm-preact.js';
import { exportCsv } from '../csv.js';
import { formatCount } from '../format.js';
import { t } from '../i18n.js';
import { today } from '../session.js';
import { Icon } from './icons.js';
import { names } from './bits.js';
import { toastDone, toastProblem } from './toast.js';

function save(pieces, name) {
    const url = URL.createObjectURL(new Blob(pieces, { type: 'text/csv;charset=utf-8' }));
    const link = document.createElement('a');
    link.href = url;
    link.download = name;
    document.body.append(link); /* Firefox wants it in the page */
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
}

/* page(after, signal) gives {items, next?}. */
export function Export({ name, columns, page }) {
    const [count, setCount] = useState();
    const abort = useRef();
    useEffect(() => () => abort.current?.abort(), []);
    const start = async () => {
        abort.current = new AbortController();
        setCount(0);
        try {
            const withNames = async (after) => {
                const given = await page(after, abort.current.signal);
                await names.ready(given.items.map(({ user_id: id }) => id).filter(Boolean));
                return given;
            };
            const done = await exportCsv({ columns, page: withNames, progress: setCount });
            save(done.pieces, `ates-${name}-${today()}.csv`);
            toastDone(t('export.done', { count: done.count, number: formatCount(done.count) }));
        } catch (problem) {
            if (!abort.current.signal.aborted) toastProblem(problem);
        }
        setCount(undefined);
    };
    if (count === undefined) {
        return html`<button type="button" class="secondary small" onClick=${start} data-testid="export"><${Icon}
            name="download" /> ${t('export.button')}</button>`;
    }
    return html`<span class="exporting" role="status">${t('export.progress', { count, number: formatCount(count) })}
        <button type="button" class="secondary small" onClick=${() => abort.current.abort()}
            data-testid="export-cancel">${t('dialog.cancel')}</button></span>`;
}
