/* Places in a service's log, and reading it from there. */
#ifndef CTL_PLACE_H
#define CTL_PLACE_H

#include "core/record.h"
#include "ctl.h"

/* The place behind which the event seq (1 or more) comes: seq must be in the log, or the next to
 * come. Returns CTL_OK, or another code with the reason said. */
int ctl_place_before(struct ctl *ctl, const struct ates_service *service, uint64_t seq,
                     struct ates_position *place);

/* A page of the log; result lives in arena. Codes as above. */
int ctl_read_events(struct ctl *ctl, const struct ates_service *service, uint64_t after_seq,
                    uint64_t limit, struct ates_arena *arena,
                    struct ates_read_events_result *result);

/* Whether the signed-in user may read logs; asks the first service that is there. A refusal is not
 * said. */
bool ctl_may_read_logs(struct ctl *ctl);

#endif
