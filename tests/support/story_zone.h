/* The calendars of the story's model: the offsets of a few zones written down, and the arithmetic
 * of days. Invariant: shares nothing with core's calendar or libc's; what both agree on is the rule:
 * a day begins when the local date first reaches it. */
#ifndef ATES_TEST_STORY_ZONE_H
#define ATES_TEST_STORY_ZONE_H

#include <stddef.h>
#include <stdint.h>

#define STORY_DATE_SIZE 11u /* "YYYY-MM-DD" and a NUL */

typedef int32_t story_day; /* since 1970-01-01 */

struct story_date {
    int year, month, day;
};

/* A change of the clock, at a time of UTC; offsets are minutes east of it. */
struct story_change {
    struct story_date date;
    int hour, minute;
    int offset;
};

/* A zone, and a day on which a story of a month there begins. */
struct story_zone {
    const char *name;
    struct story_date begin;
    int offset; /* at the beginning */
    struct story_change change;
};
extern const struct story_zone story_zones[];
extern const size_t story_zone_count;

story_day story_day_of(struct story_date date);
struct story_date story_date_of(story_day day);
void story_format(story_day day, char out[STORY_DATE_SIZE]);

/* When the clock changes, in Unix ms. */
int64_t story_change_at(const struct story_zone *zone);
/* The furthest that the local clock has come at this time: ms since 1970 as it counts them. */
int64_t story_clock_at(const struct story_zone *zone, int64_t time_ms);
story_day story_day_at(const struct story_zone *zone, int64_t time_ms);

/* The calendar's week, from Monday, and month around a day. */
void story_week(story_day day, story_day *first, story_day *last);
void story_month(story_day day, story_day *first, story_day *last);

#endif
