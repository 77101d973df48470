/* Lists page by page, in whatever order the service gives them. */

const LIMIT_MAX = 1000; /* of one request */

/* Reads on behind `data` ({items, next?}) until `want` items are there or the list ends: a page may
 * be short, or empty, and yet have a next one. page({after, limit}, signal) gives {items, next?}.
 * Returns the same, with what else the last page tells, as a count of all. */
export async function readPages(page, data, want, signal) {
    const items = [...data.items];
    let given = data;
    do {
        given = await page({ after: given.next, limit: Math.min(LIMIT_MAX, want - items.length) }, signal);
        items.push(...given.items);
    } while (given.next !== undefined && items.length < want);
    return { ...given, items };
}
