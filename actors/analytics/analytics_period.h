/* The stretches of days that a question may be about. */
#ifndef ANALYTICS_PERIOD_H
#define ANALYTICS_PERIOD_H

#include <ates/analytics.h>

#include "core/calendar.h"
#include "core/domain.h"

struct analytics_days {
    ates_day first, last; /* both included */
};

/* The day itself, its week from Monday to Sunday, or its calendar month; cut where dates end, at
 * 1970-01-01 and 9999-12-31. */
struct analytics_days analytics_period_around(enum analytics_period period, ates_day day);

/* From one date to another, which tables have checked. Refuses INVALID_ARGUMENT / FIELD_INVALID,
 * field from_date, where they are in the wrong order or more than ANALYTICS_DAYS_MAX days. */
int analytics_period_between(struct ates_call *call, struct ates_text from_date,
                             struct ates_text to_date, struct analytics_days *days);

#endif
