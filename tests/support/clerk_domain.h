/* A tiny domain to test work beside the loop with: orders, each done by a worker, and an alarm clock. */
#ifndef ATES_TEST_CLERK_DOMAIN_H
#define ATES_TEST_CLERK_DOMAIN_H

#include <semaphore.h>

#include "core/domain.h"

#define CLERK_AT_ONCE 3u /* orders that are under way */

/* order: count more orders. The work of one that waits ends only when the service stops. */
struct clerk_order {
    uint64_t count;
    bool waits;
};
/* alarm: wakes the step at this time, which then counts it. */
struct clerk_alarm {
    int64_t at;
};
/* note: an event that no applier takes, but that fills the log. */
struct clerk_note {
    struct ates_text text;
};
struct clerk_show_result {
    uint64_t open, done, stopped; /* orders */
    uint64_t alarms;              /* that rang */
    uint64_t steps;               /* that ran since the process began */
};

extern const struct ates_message clerk_order_message, clerk_alarm_message, clerk_note_message,
    clerk_show_result_message;
extern const struct ates_service clerk_service;
extern const struct ates_domain clerk_domain;
extern const struct ates_work clerk_work; /* its output is a struct clerk_output */

/* Posted whenever a worker begins one; clerk_domain's open makes it. */
extern sem_t clerk_began;

struct clerk_output {
    bool was_stopped;
};

#endif
