/* Pages of a list; see page.h. */
#include "core/page.h"

#include <inttypes.h>
#include <stdio.h>

#define DIGITS_MAX 16u /* of ATES_INTEGER_MAX */

int ates_page_after(struct ates_call *call, bool has_after, struct ates_text after, uint64_t *id)
{
    uint64_t value = 0;
    bool valid = !has_after || (after.size > 0 && after.size <= DIGITS_MAX);

    for (size_t i = 0; has_after && valid && i < after.size; i++) {
        valid = after.data[i] >= '0' && after.data[i] <= '9';
        value = value * 10 + (uint64_t)(after.data[i] - '0');
    }
    if (!valid) {
        return ates_refuse_field(call, ATES_INVALID_ARGUMENT, "FIELD_INVALID", "after",
                                 "not the next of a page of this list");
    }
    *id = value;
    return 0;
}

struct ates_text ates_page_next(struct ates_arena *arena, uint64_t id)
{
    char *text = ates_arena_alloc(arena, DIGITS_MAX + 8);
    const int size = snprintf(text, DIGITS_MAX + 8, "%" PRIu64, id);

    return (struct ates_text){text, (size_t)size};
}
