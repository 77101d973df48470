/* Looks through one domain's data for damage: its log record by record, then its state. */
#ifndef ATES_CHECK_H
#define ATES_CHECK_H

#include "core/engine.h"

struct ates_check_report {
    uint64_t records, events; /* of the log, found whole */
};

/* Checks the domain's data below config->data_dir, which no daemon may be using (-EBUSY). The log:
 * every record whole, numbers and event seqs dense, one log id, every envelope chained to the one
 * before and readable; where it was compacted, its base's rows whole and in agreement. The state: brought up to the log's end, where it must arrive, then the
 * domain's own check of its rows. Returns 0; -EBADMSG with one line in error that names the place
 * of the first damage; or another fault with its line. progress may be NULL. */
int ates_check(const struct ates_domain *domain, const struct ates_config *config,
               const struct ates_progress *progress, struct ates_check_report *report, char *error,
               size_t error_size);

#endif
