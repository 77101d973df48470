/* Money, counts and times as the reader's language writes them. */
import { locale } from './i18n.js';

const made = new Map();
let zone = 'UTC';

/* Times are shown as the business's clocks do, whatever the reader's own say. */
export function setZone(name) {
    zone = name;
    made.clear();
}
export const getZone = () => zone;

function format(Kind, name, options) {
    const key = `${locale()} ${name}`;
    if (!made.has(key)) made.set(key, new Kind(locale(), options));
    return made.get(key);
}

const whole = () => format(Intl.NumberFormat, 'whole', { maximumFractionDigits: 0 });
const decimalPoint = () =>
    format(Intl.NumberFormat, 'decimal', { minimumFractionDigits: 1 })
        .formatToParts(0.5)
        .find(({ type }) => type === 'decimal').value;

export const formatCount = (number) => whole().format(number);

/* Cents as text: "−1,234.50". Whole and rest are written apart, so that no sum is too large to be
 * exact. sign: '+' before what is more than zero too. */
export function formatMoney(cents, { sign = false } = {}) {
    const size = Math.abs(cents);
    const rest = size % 100;
    const before = cents < 0 ? '−' : sign && cents > 0 ? '+' : '';
    return `${before}${whole().format((size - rest) / 100)}${decimalPoint()}${String(rest).padStart(2, '0')}`;
}

const time = (name, options) => (ms) => format(Intl.DateTimeFormat, name, { timeZone: zone, ...options }).format(ms);

export const formatTime = time('time', { hour: '2-digit', minute: '2-digit' });
export const formatLong = time('long', { dateStyle: 'full', timeStyle: 'long' });
const dayMonth = time('dayMonth', { day: 'numeric', month: 'short' });
const dayMonthYear = time('dayMonthYear', { day: 'numeric', month: 'short', year: 'numeric' });
const yearOf = time('year', { year: 'numeric' });

/* As short as it can be told from others: the time today, the day this year. */
export function formatMoment(ms, now = Date.now()) {
    if (dayMonthYear(ms) === dayMonthYear(now)) return formatTime(ms);
    const day = yearOf(ms) === yearOf(now) ? dayMonth(ms) : dayMonthYear(ms);
    return `${day}, ${formatTime(ms)}`;
}

/* Business dates have no zone: they are days, not instants. */
const date = (name, options) => (text) =>
    format(Intl.DateTimeFormat, name, { timeZone: 'UTC', ...options }).format(Date.parse(`${text}T00:00:00Z`));

export const formatDate = date('date', { dateStyle: 'medium' });
export const formatDay = date('day', { weekday: 'short', day: 'numeric', month: 'short' });
export const formatDayShort = date('dayShort', { day: 'numeric', month: 'short' });
export const formatRange = (from, to) => (from === to ? formatDate(from) : `${formatDate(from)} – ${formatDate(to)}`);
