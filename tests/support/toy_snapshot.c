/* What the toy's snapshot tells; see toy_domain.h. */
#include <errno.h>
#include <string.h>

#include "support/toy_domain.h"

static int make_entry(struct ates_txn *txn, struct ates_bytes key, struct ates_bytes value,
                      void *memory, void *item)
{
    (void)memory;
    if (key.size >= 6 && memcmp(key.data, "hidden", 6) == 0) {
        return ATES_NOT_FOUND;
    }
    return ates_message_decode(&toy_entry_message, value.data, value.size, ATES_UNKNOWN_IGNORED,
                               txn->arena, item, NULL) == 0
               ? 0
               : -EBADMSG;
}

const struct ates_snapshot_part toy_snapshot[TOY_SNAPSHOT_PARTS] = {
    {&toy_entry_message, TOY_ENTRIES, make_entry},
    {&toy_entry_message, TOY_ENTRIES, make_entry},
};
