// The page's pure modules: money, dates, periods, CSV, addresses, keys.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { csvLine, csvMoney, exportCsv } from '../../actors/web/page/csv.js';
import { addDays, addMonths, dateAt, isDate, monthStart, stamp, startOf, weekStart } from '../../actors/web/page/dates.js';
import { formatCount, formatDate, formatMoment, formatMoney, formatTime, setZone } from '../../actors/web/page/format.js';
import { chooseLanguage, chooseLocale, setTexts, t, tx } from '../../actors/web/page/i18n.js';
import { createSequence, isWriting, letterOf, SHORTCUTS } from '../../actors/web/page/keys.js';
import { rangeOf } from '../../actors/web/page/period.js';
import { fieldProblem, formProblem, problemText } from '../../actors/web/page/problem.js';
import { matchRoute, safeReturn, sections } from '../../actors/web/page/routes.js';
import en from '../../actors/web/page/i18n/en.js';
import ru from '../../actors/web/page/i18n/ru.js';

beforeEach(() => {
    setTexts('en', en);
    setZone('Europe/Moscow');
});

const plain = (text) => text.replace(/[\u00a0\u202f]/g, ' ');

test('money is exact, with a minus that is one', () => {
    assert.equal(formatMoney(0), '0.00');
    assert.equal(formatMoney(-5), '−0.05');
    assert.equal(formatMoney(123456), '1,234.56');
    assert.equal(formatMoney(-100000, { sign: true }), '−1,000.00');
    assert.equal(formatMoney(1, { sign: true }), '+0.01');
    assert.equal(formatMoney(0, { sign: true }), '0.00');
    assert.equal(formatMoney(Number.MAX_SAFE_INTEGER), '90,071,992,547,409.91');
    setTexts('ru', ru);
    assert.equal(plain(formatMoney(-123456789)), '−1 234 567,89');
    assert.equal(plain(formatCount(10000)), '10 000');
});

test('times are shown by the business clock', () => {
    const moment = Date.parse('2025-03-01T22:30:00Z'); // half past one the next day in Moscow
    setTexts('ru', ru);
    assert.equal(formatTime(moment), '01:30');
    assert.equal(formatMoment(moment, moment + 60000), '01:30');
    assert.match(formatMoment(moment, moment + 86400000 * 2), /^2 мар\.?, 01:30$/);
    assert.match(formatMoment(moment, Date.parse('2026-03-01T00:00:00Z')), /2025/);
    assert.match(formatDate('2025-03-02'), /^2 мар\. 2025/);
});

test('business dates are days, whatever the month', () => {
    assert.equal(addDays('2024-02-28', 1), '2024-02-29');
    assert.equal(addDays('2025-01-01', -1), '2024-12-31');
    assert.equal(addMonths('2025-03-31', -1), '2025-02-01');
    assert.equal(addMonths('2024-12-05', 1), '2025-01-01');
    assert.equal(monthStart('2025-11-22'), '2025-11-01');
    assert.equal(weekStart('2025-11-23'), '2025-11-17'); // a Sunday belongs to the Monday before
    assert.equal(weekStart('2025-11-17'), '2025-11-17');
    assert.ok(isDate('2024-02-29'));
    for (const wrong of ['2025-02-29', '2025-2-9', '', 'today', '2025-13-01']) assert.ok(!isDate(wrong), wrong);
});

test('a date begins at its first instant, also where clocks change at midnight', () => {
    assert.equal(startOf('2025-11-22', 'Europe/Moscow'), Date.parse('2025-11-21T21:00:00Z'));
    assert.equal(startOf('2025-03-30', 'Europe/Berlin'), Date.parse('2025-03-29T23:00:00Z'));
    assert.equal(startOf('2025-03-31', 'Europe/Berlin'), Date.parse('2025-03-30T22:00:00Z'));
    // There was no midnight: the day began at one.
    assert.equal(startOf('2018-11-04', 'America/Sao_Paulo'), Date.parse('2018-11-04T03:00:00Z'));
    assert.equal(startOf('2025-01-01', 'Pacific/Kiritimati'), Date.parse('2024-12-31T10:00:00Z'));
    assert.equal(startOf('2025-01-01', 'Pacific/Pago_Pago'), Date.parse('2025-01-01T11:00:00Z'));
    for (const zone of ['Europe/Moscow', 'America/New_York', 'Asia/Kathmandu', 'UTC']) {
        for (let date = '2025-01-01'; date < '2026-01-01'; date = addDays(date, 13)) {
            const start = startOf(date, zone);
            assert.equal(dateAt(start, zone), date);
            assert.equal(dateAt(start - 1, zone), addDays(date, -1));
        }
    }
});

test('stamps tell their offset', () => {
    const moment = Date.parse('2025-07-01T12:00:00.789Z');
    assert.equal(stamp(moment, 'UTC'), '2025-07-01T12:00:00+00:00');
    assert.equal(stamp(moment, 'Asia/Kathmandu'), '2025-07-01T17:45:00+05:45');
    assert.equal(stamp(moment, 'America/New_York'), '2025-07-01T08:00:00-04:00');
    assert.equal(Date.parse(stamp(moment, 'Europe/Moscow')), Math.floor(moment / 1000) * 1000);
});

test('periods have names, and bounds in order', () => {
    const names = ['30d', 'today', 'week', 'last-month', 'all', 'custom'];
    const today = '2025-11-22';
    assert.deepEqual(rangeOf('30d', { today, names }), { name: '30d', from: '2025-10-24', to: today });
    assert.deepEqual(rangeOf(null, { today, names }), rangeOf('30d', { today, names }));
    assert.deepEqual(rangeOf('constructor', { today, names }).name, '30d');
    assert.deepEqual(rangeOf('week', { today, names }), { name: 'week', from: '2025-11-17', to: today });
    assert.deepEqual(rangeOf('last-month', { today, names }), { name: 'last-month', from: '2025-10-01', to: '2025-10-31' });
    assert.deepEqual(rangeOf('all', { today, names }), { name: 'all' });
    assert.deepEqual(rangeOf('custom', { today, from: '2025-11-09', to: '2025-11-02', names }),
                     { name: 'custom', from: '2025-11-02', to: '2025-11-09' });
    assert.equal(rangeOf('custom', { today, from: 'x', to: 'y', names }).to, today);
});

test('CSV is quoted, and harmless for spreadsheets', () => {
    assert.equal(csvLine(['a', 'b"c', 'd,e', 'f\ng', undefined, 7]), 'a,"b""c","d,e","f\ng",,7\r\n');
    for (const evil of ['=1+1', '+cmd', '-cmd', '@SUM(A1)', '\tx', '\rx']) {
        assert.match(csvLine([evil]), /^"?'/, JSON.stringify(evil));
    }
    assert.equal(csvLine(['-12.34', '+5', '-', '--1']), "-12.34,+5,'-,'--1\r\n");
    assert.equal(csvMoney(-5), '-0.05');
    assert.equal(csvMoney(123456), '1234.56');
    assert.equal(csvMoney(-Number.MAX_SAFE_INTEGER), '-90071992547409.91');
});

test('an export pages through everything', async () => {
    const pages = { undefined: { items: [1, 2], next: 'b' }, b: { items: [], next: 'c' }, c: { items: [3] } };
    const seen = [];
    const { pieces, count } = await exportCsv({
        columns: [{ label: 'n', value: (n) => n }],
        page: async (after) => pages[after],
        progress: (rows) => seen.push(rows),
    });
    assert.equal(pieces.join(''), '\ufeffn\r\n1\r\n2\r\n3\r\n');
    assert.equal(count, 3);
    assert.deepEqual(seen, [2, 2, 3]);
});

test('addresses lead to pages, and never elsewhere', () => {
    assert.deepEqual(matchRoute('/'), { name: 'home', id: undefined });
    assert.deepEqual(matchRoute('/tasks/'), { name: 'tasks', id: undefined });
    assert.deepEqual(matchRoute('/tasks/17'), { name: 'task', id: 17 });
    for (const path of ['/tasks/0', '/tasks/x', '/tasks/1/2', '/nowhere', '/Tasks']) assert.equal(matchRoute(path).name, 'unknown');
    assert.equal(safeReturn('/people?role=boss'), '/people?role=boss');
    for (const to of ['//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)', '/sign-in', '/nowhere', null]) {
        assert.equal(safeReturn(to), '/', String(to));
    }
    assert.deepEqual(sections('administrator'), ['tasks', 'accounting', 'analytics', 'people']);
    assert.deepEqual(sections('manager'), ['tasks', 'accounting', 'people']);
    assert.deepEqual(sections('accountant'), ['tasks', 'accounting']);
});

test('keys: sequences, layouts, and never while somebody writes', () => {
    let now = 0;
    const next = createSequence({ shortcuts: SHORTCUTS, now: () => now });
    assert.equal(next('n'), 'n');
    assert.equal(next('g'), '');
    assert.equal(next('t'), 'g t');
    assert.equal(next('g'), '');
    assert.equal(next('n'), 'g n');
    next('g');
    now += 5000;
    assert.equal(next('n'), 'n'); // too late for a sequence
    assert.equal(next('x'), '');
    assert.equal(letterOf({ key: 'п', code: 'KeyG' }), 'g');
    assert.equal(letterOf({ key: 'G', code: 'KeyG' }), 'g');
    assert.equal(letterOf({ key: '.', code: 'Slash' }), '/');
    assert.equal(letterOf({ key: '?', code: 'Digit7' }), '?');
    assert.equal(letterOf({ key: 'Enter', code: 'Enter' }), '');
    assert.equal(letterOf({ key: '.', code: 'Period' }), '');
    for (const tagName of ['INPUT', 'TEXTAREA', 'SELECT']) assert.ok(isWriting({ tagName }));
    assert.ok(isWriting({ tagName: 'DIV', isContentEditable: true }));
    assert.ok(!isWriting({ tagName: 'BUTTON' }));
});

test('languages are chosen by what the reader has', () => {
    assert.equal(chooseLanguage(null, ['de-DE', 'ru-RU', 'en']), 'ru');
    assert.equal(chooseLanguage('en', ['ru']), 'en');
    assert.equal(chooseLanguage('xx', ['de']), 'en');
    assert.equal(chooseLocale('en', ['ru-RU', 'en-GB', 'en-US']), 'en-GB');
    assert.equal(chooseLocale('ru', ['en-GB']), 'ru');
});

test('texts take values, elements, and plural forms', () => {
    setTexts('ru', ru);
    assert.equal(t('live.new_rows', { count: 1 }), '1 новая строка');
    assert.equal(t('live.new_rows', { count: 3 }), '3 новые строки');
    assert.equal(t('live.new_rows', { count: 11 }), '11 новых строк');
    setTexts('en', en);
    assert.equal(t('live.new_rows', { count: 1 }), '1 new row');
    const element = { is: 'element' };
    assert.deepEqual(tx('log.complete', { actor: element }), [element, ' completed the task']);
    assert.equal(t('no.such.key'), 'no.such.key');
});

test('problems have words', () => {
    assert.equal(problemText({ reason: 'LOGIN_TAKEN' }), 'This login is taken.');
    assert.equal(problemText({ reason: 'TOO_MANY_ATTEMPTS', retryAfterMs: 20400 }), 'Too many attempts. Try again in 21 seconds.');
    assert.equal(problemText({ reason: 'FIELD_INVALID', field: 'items[3].name' }), 'A name has 1 to 200 characters, without [ and ]: an issue’s id has a field of its own.');
    assert.equal(problemText({ reason: 'FIELD_INVALID', field: 'unheard_of' }), 'A value is not accepted.');
    assert.equal(problemText({ reason: 'NEW_REASON', detail: 'as told' }), 'as told');
    assert.equal(problemText({ reason: 'NEW_REASON' }), 'Something went wrong.');
    const problem = { reason: 'LOGIN_TAKEN', field: 'login' };
    assert.equal(fieldProblem(problem, 'login'), 'This login is taken.');
    assert.equal(fieldProblem(problem, 'email'), undefined);
    assert.equal(formProblem(problem, ['login']), undefined);
    assert.equal(formProblem(problem, ['name']), 'This login is taken.');
    assert.equal(formProblem(undefined, []), undefined);
});
