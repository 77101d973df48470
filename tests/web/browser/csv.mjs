// The rows of a CSV file, as objects by its first line.
import assert from 'node:assert/strict';

export function readCsv(text) {
    assert.equal(text[0], '\ufeff', 'spreadsheets know UTF-8 by its mark');
    const rows = [];
    let row = [];
    const piece = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
    for (piece.lastIndex = 1; piece.lastIndex < text.length;) {
        const at = piece.lastIndex;
        const match = piece.exec(text);
        assert.ok(match, `no CSV from ${JSON.stringify(text.slice(at, at + 40))}`);
        row.push(match[1] === undefined ? match[2] : match[1].replaceAll('""', '"'));
        if (match[3] === ',') continue;
        rows.push(row);
        row = [];
    }
    const [names, ...values] = rows;
    return values.map((cells) => {
        assert.equal(cells.length, names.length, cells.join());
        return Object.fromEntries(cells.map((cell, i) => [names[i], cell]));
    });
}
