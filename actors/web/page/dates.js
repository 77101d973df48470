/* Business dates, "YYYY-MM-DD", and the instants at which they begin in the business time zone. */

const DAY_MS = 86400000;
const formats = new Map();

function civilFormat(zone) {
    if (!formats.has(zone)) {
        formats.set(
            zone,
            new Intl.DateTimeFormat('en-US', {
                timeZone: zone,
                hourCycle: 'h23',
                year: 'numeric',
                month: '2-digit',
                day: '2-digit',
                hour: '2-digit',
                minute: '2-digit',
                second: '2-digit',
            }),
        );
    }
    return formats.get(zone);
}

/* What clocks and calendars of the zone show at an instant, each as text with leading zeros. */
function civil(ms, zone) {
    return Object.fromEntries(
        civilFormat(zone)
            .formatToParts(ms)
            .map(({ type, value }) => [type, value]),
    );
}

const utc = (date) => Date.parse(`${date}T00:00:00Z`);
const text = (ms) => new Date(ms).toISOString().slice(0, 10);

export function isDate(date) {
    return /^\d{4}-\d{2}-\d{2}$/.test(date) && !Number.isNaN(utc(date)) && text(utc(date)) === date;
}

export const addDays = (date, days) => text(utc(date) + days * DAY_MS);

/* Monday of its week. */
export const weekStart = (date) => addDays(date, -((new Date(utc(date)).getUTCDay() + 6) % 7));

export const monthStart = (date) => `${date.slice(0, 7)}-01`;

export function addMonths(date, months) {
    const start = new Date(utc(monthStart(date)));
    start.setUTCMonth(start.getUTCMonth() + months);
    return text(start.getTime());
}

/* The date in the zone at an instant. */
export function dateAt(ms, zone) {
    const { year, month, day } = civil(ms, zone);
    return `${year}-${month}-${day}`;
}

/* The first instant of the date in the zone. Found by halving, as offsets jump where clocks are
 * changed, some of them at midnight. */
export function startOf(date, zone) {
    let before = utc(date) - 15 * 3600000;
    let within = utc(date) + 15 * 3600000;
    while (within - before > 1) {
        const middle = Math.floor((before + within) / 2);
        if (dateAt(middle, zone) < date) before = middle;
        else within = middle;
    }
    return within;
}

/* RFC 3339 with the zone's offset: what other programs read without asking where. */
export function stamp(ms, zone) {
    const { year, month, day, hour, minute, second } = civil(ms, zone);
    const local = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
    const offset = Math.round((Date.parse(`${local}Z`) - Math.floor(ms / 1000) * 1000) / 60000);
    const pad = (number) => String(number).padStart(2, '0');
    const size = Math.abs(offset);
    return `${local}${offset < 0 ? '-' : '+'}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
}
