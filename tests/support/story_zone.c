/* See story_zone.h. The changes are those of the zone database's 2024a: `zdump -v`. */
#include "support/story_zone.h"

#include <stdio.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS INT64_C(3600000)
#define DAY_MS INT64_C(86400000)

const struct story_zone story_zones[] = {
    /* A leap day; then clocks forward, and back, by night. */
    {"Europe/Berlin", {2024, 2, 12}, 60, {{2024, 3, 31}, 1, 0, 120}},
    {"Europe/Berlin", {2024, 3, 8}, 60, {{2024, 3, 31}, 1, 0, 120}},
    {"Europe/Berlin", {2023, 10, 10}, 120, {{2023, 10, 29}, 1, 0, 60}},
    /* A leap day, and a midnight that is skipped; one that comes twice on its day. */
    {"America/Havana", {2024, 2, 20}, -300, {{2024, 3, 10}, 5, 0, -240}},
    {"America/Havana", {2023, 10, 15}, -240, {{2023, 11, 5}, 5, 0, -300}},
    /* Midnight is skipped; it is put off, as the clock goes back just before. */
    {"Africa/Cairo", {2024, 4, 5}, 120, {{2024, 4, 25}, 22, 0, 180}},
    {"Africa/Cairo", {2023, 10, 5}, 180, {{2023, 10, 26}, 21, 0, 120}},
    {"Asia/Beirut", {2024, 3, 8}, 120, {{2024, 3, 30}, 22, 0, 180}},
    {"Asia/Beirut", {2023, 10, 10}, 180, {{2023, 10, 28}, 21, 0, 120}},
    /* Back by an hour a minute after midnight: the day before comes once more. */
    {"America/St_Johns", {2010, 10, 15}, -150, {{2010, 11, 7}, 2, 31, -210}},
    /* The date of 2011-12-30 never was. */
    {"Pacific/Apia", {2011, 12, 10}, -600, {{2011, 12, 30}, 10, 0, 840}},
};
const size_t story_zone_count = sizeof story_zones / sizeof story_zones[0];

/* Counted from March on, a leap day is a year's last:
 * https://howardhinnant.github.io/date_algorithms.html */
story_day story_day_of(struct story_date date)
{
    const int year = date.year - (date.month <= 2);
    const int era = year / 400;
    const int of_era = year - era * 400;
    const int of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* By trying, as the other way round is enough to be wrong in once. */
struct story_date story_date_of(story_day day)
{
    struct story_date date = {1970 + day / 366, 1, 1};

    while (story_day_of((struct story_date){date.year + 1, 1, 1}) <= day) {
        date.year++;
    }
    while (date.month < 12 &&
           story_day_of((struct story_date){date.year, date.month + 1, 1}) <= day) {
        date.month++;
    }
    date.day = day - story_day_of(date) + 1;
    return date;
}

void story_format(story_day day, char out[STORY_DATE_SIZE])
{
    const struct story_date date = story_date_of(day);
    char text[40];

    snprintf(text, sizeof text, "%04d-%02d-%02d", date.year, date.month, date.day);
    snprintf(out, STORY_DATE_SIZE, "%.10s", text);
}

int64_t story_change_at(const struct story_zone *zone)
{
    return story_day_of(zone->change.date) * DAY_MS + zone->change.hour * HOUR_MS +
           zone->change.minute * MINUTE_MS;
}

int64_t story_clock_at(const struct story_zone *zone, int64_t time_ms)
{
    const int64_t changed = story_change_at(zone);
    const int64_t before = changed - 1 + zone->offset * MINUTE_MS;
    const int64_t after = time_ms + zone->change.offset * MINUTE_MS;

    if (time_ms < changed) {
        return time_ms + zone->offset * MINUTE_MS;
    }
    return after > before ? after : before;
}

story_day story_day_at(const struct story_zone *zone, int64_t time_ms)
{
    return (story_day)(story_clock_at(zone, time_ms) / DAY_MS);
}

void story_week(story_day day, story_day *first, story_day *last)
{
    const story_day monday = story_day_of((struct story_date){2001, 1, 1}); /* as this one was */

    *first = day - ((day - monday) % 7 + 7) % 7;
    *last = *first + 6;
}

void story_month(story_day day, story_day *first, story_day *last)
{
    struct story_date date = story_date_of(day);

    date.day = 1;
    *first = story_day_of(date);
    date.year += date.month == 12;
    date.month = date.month == 12 ? 1 : date.month + 1;
    *last = story_day_of(date) - 1;
}
