/* Tables, which become a card a row on phones. The roles are said again, as browsers forget a
 * table's meaning when its display is changed. */
import { html } from '../vendor/htm-preact.js';

/* columns: [{key, label, cell(row), kind?: 'number' | 'main' | 'actions'}]; rows have a stable
 * rowKey(row); fresh is a set of keys to mark. A column of actions is there where a row has one. */
export function Table({
    caption,
    columns,
    rows,
    rowKey = (row) => row.id,
    fresh = new Set(),
    rowClass = () => '',
    foot,
    testid,
}) {
    const shown = columns.filter(({ kind, cell }) => kind !== 'actions' || rows.some(cell));
    return html`<div class="table-frame">
        <table role="table" class="cards" data-testid=${testid}>
            <caption class="unseen">${caption}</caption>
            <thead role="rowgroup">
                <tr role="row">${shown.map(
                    ({ key, label, kind }) => html`<th key=${key} role="columnheader"
                    scope="col" class=${kind ?? ''}>${label}</th>`,
                )}</tr>
            </thead>
            <tbody role="rowgroup">
                ${rows.map(
                    (row) => html`<tr key=${rowKey(row)} role="row" data-row=${rowKey(row)}
                        class="${fresh.has(rowKey(row)) ? 'fresh' : ''} ${rowClass(row)}">
                        ${shown.map(({ key, label, kind, cell }) =>
                            kind === 'main'
                                ? html`<th key=${key} role="rowheader" scope="row" class="main">${cell(row)}</th>`
                                : html`<td key=${key} role="cell" class=${kind ?? ''}
                                    data-label=${label}>${cell(row)}</td>`,
                        )}
                    </tr>`,
                )}
            </tbody>
            ${foot && html`<tfoot role="rowgroup"><tr role="row">${foot}</tr></tfoot>`}
        </table>
    </div>`;
}
