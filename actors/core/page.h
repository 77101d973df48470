/* Pages of a list that is ordered by one id: `after` and `next` are the last id given, in decimal.
 * Clients take them as opaque. */
#ifndef ATES_PAGE_H
#define ATES_PAGE_H

#include "core/domain.h"

/* Bytes of a page's items, about: a page ends where the next item would go beyond, but holds one at least. Far
 * below a frame's, as a peer that reads no replies keeps them all in memory. */
#define ATES_PAGE_BYTES (64u * 1024u)
#define ATES_PAGE_EXAMINED 5000u /* rows that a filtered page looks at */
#define ATES_PAGE_LIMIT 100u     /* items, unless the caller asks for another number */

/* The number that these digits are: 0, or -EINVAL where it is none that a page gave. */
int ates_page_parse(struct ates_text digits, uint64_t *number);

/* The id that the page begins after; 0 for the first page. Refuses INVALID_ARGUMENT /
 * FIELD_INVALID, field after. */
int ates_page_after(struct ates_call *call, bool has_after, struct ates_text after, uint64_t *id);

/* Where the page begins: at the first id >= *from_id, or, the newest first, at the last id <
 * *from_id. Refuses the same. */
int ates_page_begin(struct ates_call *call, bool has_after, struct ates_text after,
                    bool newest_first, uint64_t *from_id);

/* The text that makes the next page begin after id. */
struct ates_text ates_page_next(struct ates_arena *arena, uint64_t id);

#endif
