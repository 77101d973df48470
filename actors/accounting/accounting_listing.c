/* A page of transfers; see accounting_listing.h. Invariant: its cost is O(log n + page), and never
 * more than ATES_PAGE_EXAMINED index rows. */
#include "accounting/accounting_listing.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/page.h"

#define NEXT_SIZE 48u

/* `after` is TIMESTAMP-ID of the last transfer that the page before examined. */
static int read_after(struct ates_call *call, struct ates_text after,
                      struct accounting_place *place)
{
    const char *dash = memchr(after.data, '-', after.size);
    const size_t left = dash != NULL ? (size_t)(dash - after.data) : after.size;
    const struct ates_text id = {dash != NULL ? dash + 1 : NULL,
                                 dash != NULL ? after.size - left - 1 : 0};
    uint64_t timestamp = 0;

    int r = ates_page_after(call, true, (struct ates_text){after.data, left}, &timestamp);
    if (r == 0) {
        r = ates_page_after(call, true, id, &place->id);
    }
    if (r == 0) {
        place->timestamp = (int64_t)timestamp;
    }
    return r;
}

static struct ates_text write_after(struct ates_arena *arena, const struct accounting_place *place)
{
    char *text = ates_arena_alloc(arena, NEXT_SIZE);
    const int size = snprintf(text, NEXT_SIZE, "%" PRId64 "-%" PRIu64, place->timestamp, place->id);

    return (struct ates_text){text, (size_t)size};
}

static bool is_before(const struct accounting_place *a, const struct accounting_place *b)
{
    return a->timestamp < b->timestamp || (a->timestamp == b->timestamp && a->id < b->id);
}

/* What is left to list: the places in [from, to). */
struct range {
    struct accounting_place from, to;
};

static int find_range(struct ates_call *call, const struct accounting_listing *listing,
                      struct range *range)
{
    struct accounting_place after = {.id = 0};

    range->from = (struct accounting_place){.timestamp = listing->from > 0 ? listing->from : 0};
    range->to = (struct accounting_place){.timestamp = listing->to > 0 ? listing->to : 0};
    if (listing->after == NULL) {
        return 0;
    }
    int r = read_after(call, *listing->after, &after);
    if (r != 0) {
        return r;
    }
    if (listing->newest_first && is_before(&after, &range->to)) {
        range->to = after;
    } else if (!listing->newest_first && !is_before(&after, &range->from)) {
        range->from = (struct accounting_place){.timestamp = after.timestamp, .id = after.id + 1};
    }
    return 0;
}

/* A page while it is filled. */
struct filling {
    const struct accounting_listing *listing;
    struct accounting_transfer *items;
    size_t count, bytes;
    bool is_full; /* what comes next belongs to the next page */
};

static int take(struct ates_txn *txn, const struct accounting_place *place, struct filling *filling)
{
    const struct accounting_listing *listing = filling->listing;
    size_t row_size;

    if (listing->kind != NULL && place->kind != *listing->kind) {
        return 0;
    }
    if (filling->count == listing->limit) {
        filling->is_full = true;
        return 0;
    }
    int r = accounting_state_get_transfer(txn, place, &filling->items[filling->count], &row_size);
    if (r != 0) {
        return r > 0 ? -EUCLEAN : r; /* an index row without its transfer */
    }
    if (filling->bytes + row_size > ATES_PAGE_BYTES) {
        filling->is_full = true;
        return 0;
    }
    filling->bytes += row_size;
    filling->count++;
    return 0;
}

int accounting_list(struct ates_call *call, const struct accounting_listing *listing,
                    struct accounting_page *page)
{
    struct filling filling = {.listing = listing};
    struct accounting_place place, last = {0};
    struct ates_scan scan;
    struct range range;

    int r = find_range(call, listing, &range);
    if (r == 0) {
        r = accounting_scan_open(&scan, call->txn, listing->user_id,
                                 listing->newest_first ? &range.to : &range.from,
                                 listing->newest_first);
    }
    if (r != 0) {
        return r;
    }
    filling.items = ates_arena_alloc(call->arena, listing->limit * sizeof *filling.items);
    for (unsigned examined = 0;; examined++, last = place) {
        r = accounting_scan_next(&scan, &place);
        if (r != 0 || is_before(&place, &range.from) || !is_before(&place, &range.to)) {
            break;
        }
        filling.is_full = examined == ATES_PAGE_EXAMINED;
        if (!filling.is_full) {
            r = take(call->txn, &place, &filling);
        }
        if (r != 0 || filling.is_full) {
            break;
        }
    }
    ates_scan_close(&scan);
    if (r < 0) {
        return r;
    }
    page->items = (struct ates_list){filling.items, filling.count};
    page->has_next = filling.is_full;
    if (page->has_next) {
        page->next = write_after(call->arena, &last);
    }
    return 0;
}
