/* Business dates: days of the configured IANA time zone, daylight saving included. The zone is the
 * process's TZ, set once before any thread starts. */
#ifndef ATES_CALENDAR_H
#define ATES_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ates/message.h>

#define ATES_DAY_MAX 2932896 /* 9999-12-31: the last one that a date can name */
#define ATES_DATE_SIZE 11u   /* "YYYY-MM-DD" and a NUL */

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
/* Unix ms of the first moment at which the local clock shows this time of the day, in ms after
 * midnight (less than a day's 86,400,000), or a later one where a change of the clock skips it. From
 * the calendar each time: what is due daily by it never drifts. */
int64_t ates_day_time(ates_day day, int64_t after_midnight_ms);
void ates_day_format(ates_day day, char out[ATES_DATE_SIZE]); /* years 1000-9999 */
/* 0 or -EINVAL; years 1970-9999. */
int ates_day_parse(const char *text, size_t size, ates_day *day);
/* Of a date that a message's table has checked; asserts that it is one. */
ates_day ates_day_of(struct ates_text date);
/* The date's text, in the arena. */
struct ates_text ates_day_text(struct ates_arena *arena, ates_day day);

#endif
