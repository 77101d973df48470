/* Business dates: days of the configured IANA time zone, daylight saving included. The zone is the
 * process's TZ, set once before any thread starts. */
#ifndef ATES_CALENDAR_H
#define ATES_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ATES_DATE_SIZE 11u /* "YYYY-MM-DD" and a NUL */

/* A day as a count of days since 1970-01-01 (proleptic Gregorian); orders and subtracts as
 * integers. */
typedef int32_t ates_day;

/* Whether the zone database has this zone: an IANA name such as "Europe/Moscow". */
bool ates_time_zone_exists(const char *name);

/* Makes this zone the process's. Returns 0, or -ENOENT where the zone database has no such zone. */
int ates_calendar_open(const char *time_zone);

/* The business day at a Unix time. Days partition time: ates_day_at(t) is the one day with
 * start(day) <= t < start(day + 1), and never decreases as t grows. time_ms is within
 * +-ATES_INTEGER_MAX. */
ates_day ates_day_at(int64_t time_ms);
/* Unix ms of its first moment: midnight, or the first moment after it where a change of the clock
 * skips midnight. */
int64_t ates_day_start(ates_day day);
void ates_day_format(ates_day day, char out[ATES_DATE_SIZE]); /* years 1000-9999 */
/* 0 or -EINVAL; years 1970-9999. */
int ates_day_parse(const char *text, size_t size, ates_day *day);

#endif
