/* Stretches of business days by name, as addresses and controls hold them. */
import { addDays, addMonths, isDate, monthStart, weekStart } from './dates.js';

const ranges = {
    today: (today) => [today, today],
    yesterday: (today) => [addDays(today, -1), addDays(today, -1)],
    week: (today) => [weekStart(today), today],
    month: (today) => [monthStart(today), today],
    '7d': (today) => [addDays(today, -6), today],
    '30d': (today) => [addDays(today, -29), today],
    '90d': (today) => [addDays(today, -89), today],
    'last-month': (today) => [addMonths(today, -1), addDays(monthStart(today), -1)],
};

/* {from, to} (dates, both included) of a name; of 'custom' what is given, put in order; of 'all'
 * nothing. Anything unknown means the first of `names`. */
export function rangeOf(name, { today, from, to, names }) {
    const known = names.includes(name) ? name : names[0];
    if (known === 'all') return { name: known };
    if (known === 'custom') {
        const a = isDate(from) ? from : addDays(today, -6);
        const b = isDate(to) ? to : today;
        const [first, last] = a <= b ? [a, b] : [b, a];
        return { name: known, from: first, to: last };
    }
    const [first, last] = ranges[known](today);
    return { name: known, from: first, to: last };
}
