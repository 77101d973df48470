/* Looks through one domain's data for damage: its log record by record, then its state. */
#ifndef ATES_CHECK_H
#define ATES_CHECK_H

#include "core/engine.h"

struct ates_check_report {
    uint64_t records, events; /* of the log, found whole */
};

/* Checks the domain's data below config->data_dir, which no daemon may be using (-EBUSY). The log:
 * its base, every record (walk.h), each found by its key. The state: brought up to the log's end, where
 * it must arrive; the domain's own check of its rows; then every row against those that the log makes,
 * folded once more beside it, so that no byte of a row passes. Bytes that nothing reads (pages that
 * LMDB keeps free, the unused rest of others) are not data, and not looked at.
 *
 * All of it in a child process (guarded.h), as damage to the files' own structure can end whoever reads
 * them; nothing of these data may be open here. Returns 0; -EBADMSG with one line in error that names
 * the place of the first damage; or another fault with its line, as -ENOSPC where the disk has no room
 * to make the state beside it. progress may be NULL. */
int ates_check(const struct ates_domain *domain, const struct ates_config *config,
               const struct ates_progress *progress, struct ates_check_report *report, char *error,
               size_t error_size);

#endif
