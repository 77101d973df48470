/* Newest first, from lists that the API gives oldest first: walks back in time by windows
 * [from, to), each read whole and turned around. A window that holds too much for one page is made
 * narrower, an almost empty one is followed by a wider one, so that a page costs a few requests
 * however dense or sparse the list is. */

const HOUR_MS = 3600000;
const FACTOR = 8;
const EMPTY_MAX = 3; /* almost empty windows in a row, after which all that is left is asked for */

/* Where a walk begins: at `end`, or, where that is undefined, at the very newest: the first window
 * is open then, as the reader's clock may differ from the service's. */
export const walkFrom = (end, now = Date.now()) => ({
    end: end ?? now,
    width: HOUR_MS,
    empty: 0,
    isOpen: end === undefined,
});

async function restOf(read, window, page) {
    const items = [...page.items];
    while (page.next !== undefined) {
        page = await read({ ...window, after: page.next });
        items.push(...page.items);
    }
    return items;
}

/* Goes back from where `walk` stands until `want` items are there or `start` is reached.
 * read({from, to?, after?}) gives {items, next?} in ascending order. Returns {items: newest first,
 * walk: where to go on, undefined at the end}. */
export async function walkBack({ walk, start = 0, want, read }) {
    const found = [];
    let { end, width, empty, isOpen } = walk;
    let crowded; /* from there to the end is known to be too much for a page */
    while (isOpen || end > start) {
        const from = empty >= EMPTY_MAX && crowded === undefined ? start : Math.max(start, end - width);
        const window = { from, to: isOpen ? undefined : end };
        const page = await read(window);
        if (page.next !== undefined && end - from > 1) {
            crowded = from;
            width = Math.max(1, Math.floor((end - from) / FACTOR));
            continue;
        }
        const items = await restOf(read, window, page);
        found.push(...items.reverse());
        end = from;
        isOpen = false;
        empty = items.length < want / 4 ? empty + 1 : 0;
        if (crowded !== undefined && crowded >= end - 1) crowded = undefined;
        if (crowded !== undefined && empty > 0) width = Math.max(1, Math.floor((end - crowded) / 2));
        else if (empty > 0) width *= FACTOR;
        if (found.length >= want) break;
    }
    return { items: found, walk: end > start ? { end, width, empty, isOpen } : undefined };
}
