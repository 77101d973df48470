/* What a compacted service tells of its state to followers that begin with it (PROTOCOL.md section 3):
 * its base's rows, part by part of the domain's table, as messages. */
#ifndef ATES_SNAPSHOT_H
#define ATES_SNAPSHOT_H

#include "core/domain.h"
#include "core/log.h"

/* The page of the log's base that body asks for. result lives in the arena, and as long as the log.
 * Returns 0 or a fault. Refuses: FAILED_PRECONDITION / NOT_COMPACTED, SNAPSHOT_OUTDATED (the base's
 * rows have an older form: compact again); INVALID_ARGUMENT / FIELD_INVALID. */
int ates_snapshot_page(const struct ates_domain *domain, const struct ates_config *config,
                       const struct ates_log *log, const struct ates_read_snapshot *body,
                       struct ates_arena *arena, struct ates_read_snapshot_result *result,
                       struct ates_refusal *refusal);

/* Whether the domain may begin with this producer's snapshot. */
bool ates_snapshot_is_followed(const struct ates_domain *domain, const char *producer);

#endif
