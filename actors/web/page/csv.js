/* CSV after RFC 4180, safe to open in a spreadsheet. */

const NUMBER = /^[+-]?\d+(\.\d+)?$/;

/* A cell that a spreadsheet would take for a formula begins with an apostrophe, unless it is a
 * number: names of tasks come from people, and a formula can send a sheet's cells elsewhere. */
function cell(value) {
    let text = value === undefined || value === null ? '' : String(value);
    if (/^[=+\-@\t\r]/.test(text) && !NUMBER.test(text)) text = `'${text}`;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export const csvLine = (values) => `${values.map(cell).join(',')}\r\n`;

/* Cents as a plain decimal number, whatever the reader's language: "-0.05". */
export function csvMoney(cents) {
    const size = Math.abs(cents);
    const rest = size % 100;
    return `${cents < 0 ? '-' : ''}${(size - rest) / 100}.${String(rest).padStart(2, '0')}`;
}

/* Reads all pages of a list and gives the file's text in pieces. columns: [{label, value(item)}].
 * page(after) gives {items, next?}; progress hears how many rows there are so far. */
export async function exportCsv({ columns, page, progress = () => {} }) {
    const pieces = ['\ufeff', csvLine(columns.map(({ label }) => label))];
    let after;
    let count = 0;
    do {
        const { items, next } = await page(after);
        pieces.push(items.map((item) => csvLine(columns.map(({ value }) => value(item)))).join(''));
        count += items.length;
        after = next;
        progress(count);
    } while (after !== undefined);
    return { pieces, count };
}
