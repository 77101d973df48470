/* A page of transfers, of one account or of all. */
#ifndef ACCOUNTING_LISTING_H
#define ACCOUNTING_LISTING_H

#include "accounting/accounting_state.h"

/* Which transfers, and which page of them. */
struct accounting_listing {
    const uint64_t *user_id; /* NULL: everybody's */
    const int *kind;         /* NULL: every kind */
    int64_t from, to;        /* timestamps in [from, to) */
    bool newest_first;
    const struct ates_text *after; /* the next of the page before; NULL: from the beginning */
    size_t limit;
};

struct accounting_page {
    struct ates_list items; /* struct accounting_transfer, by timestamp and id, up or down */
    bool has_next;
    struct ates_text next;
};

/* Fills page from the call's arena. A page ends early where a frame would not hold more, or where
 * too many transfers of other kinds were passed over: then it has fewer items, perhaps none, and a
 * next. Refuses: INVALID_ARGUMENT / FIELD_INVALID, field after. */
int accounting_list(struct ates_call *call, const struct accounting_listing *listing,
                    struct accounting_page *page);

#endif
