/* Pages of a list; see page.h. */
#include "core/page.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define DIGITS_MAX 16u /* of ATES_INTEGER_MAX */

int ates_page_parse(struct ates_text digits, uint64_t *number)
{
    uint64_t value = 0;

    if (digits.size == 0 || digits.size > DIGITS_MAX) {
        return -EINVAL;
    }
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9') {
            return -EINVAL;
        }
        value = value * 10 + (uint64_t)(digits.data[i] - '0');
    }
    *number = value;
    return 0;
}

int ates_page_after(struct ates_call *call, bool has_after, struct ates_text after, uint64_t *id)
{
    uint64_t value = 0;

    if (has_after && ates_page_parse(after, &value) != 0) {
        return ates_refuse_field(call, ATES_INVALID_ARGUMENT, "FIELD_INVALID", "after",
                                 "not the next of a page of this list");
    }
    *id = value;
    return 0;
}

int ates_page_begin(struct ates_call *call, bool has_after, struct ates_text after,
                    bool newest_first, uint64_t *from_id)
{
    uint64_t id = 0;
    int r = ates_page_after(call, has_after, after, &id);

    if (r == 0) {
        *from_id = !newest_first ? id + 1 : has_after ? id : UINT64_MAX;
    }
    return r;
}

struct ates_text ates_page_next(struct ates_arena *arena, uint64_t id)
{
    char *text = ates_arena_alloc(arena, DIGITS_MAX + 8);
    const int size = snprintf(text, DIGITS_MAX + 8, "%" PRIu64, id);

    return (struct ates_text){text, (size_t)size};
}
