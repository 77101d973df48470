/* Stretches of days; see analytics_period.h. Invariant: no more than ANALYTICS_DAYS_MAX days come
 * out of here, and all of them can be named by dates. */
#include "analytics/analytics_period.h"

#include <assert.h>
#include <string.h>

static ates_day first_of_month(ates_day day)
{
    char date[ATES_DATE_SIZE];

    ates_day_format(day, date);
    memcpy(date + strlen("YYYY-MM-"), "01", 2);
    return ates_day_of(ates_text_from(date));
}

static struct analytics_days month_around(ates_day day)
{
    const ates_day first = first_of_month(day);
    const ates_day in_next = first + 31; /* no month is longer, and none shorter than 28 */

    return (struct analytics_days){first, in_next > ATES_DAY_MAX ? ATES_DAY_MAX
                                                                 : first_of_month(in_next) - 1};
}

static struct analytics_days week_around(ates_day day)
{
    const ates_day monday = day - (day + 3) % 7; /* 1970-01-01 was a Thursday */

    return (struct analytics_days){monday < 0 ? 0 : monday,
                                   monday + 6 > ATES_DAY_MAX ? ATES_DAY_MAX : monday + 6};
}

struct analytics_days analytics_period_around(enum analytics_period period, ates_day day)
{
    switch (period) {
    case ANALYTICS_WEEK:
        return week_around(day);
    case ANALYTICS_MONTH:
        return month_around(day);
    case ANALYTICS_DAY:
        break;
    }
    return (struct analytics_days){day, day};
}

int analytics_period_between(struct ates_call *call, struct ates_text from_date,
                             struct ates_text to_date, struct analytics_days *days)
{
    const ates_day first = ates_day_of(from_date), last = ates_day_of(to_date);

    if (first > last || last - first >= ANALYTICS_DAYS_MAX) {
        return ates_refuse_field(call, ATES_INVALID_ARGUMENT, "FIELD_INVALID", "from_date",
                                 "from_date: at most %d days up to to_date are expected",
                                 ANALYTICS_DAYS_MAX);
    }
    *days = (struct analytics_days){first, last};
    return 0;
}
