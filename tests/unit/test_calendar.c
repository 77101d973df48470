/* Business days against a slow and simple walk through the local dates, over many zones, and
 * against days that are known for their changes of the clock. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <criterion/criterion.h>

#include "core/calendar.h"
#include "support/seed.h"

#define DAY_S INT64_C(86400)
#define ZONES_MAX 512

static char zones[ZONES_MAX][64];
static size_t zone_count;

static uint64_t seed;

static uint64_t draw(uint64_t below)
{
    return seed_draw(&seed, below);
}

static void start_random(void)
{
    seed = seed_start();
}

static void read_zones(void)
{
    FILE *table = fopen("/usr/share/zoneinfo/zone1970.tab", "r");
    cr_assert_not_null(table);
    char line[1024];
    while (fgets(line, sizeof line, table) != NULL && zone_count < ZONES_MAX) {
        if (line[0] != '#' && sscanf(line, "%*s %*s %63s", zones[zone_count]) == 1) {
            zone_count++;
        }
    }
    fclose(table);
    cr_assert_gt(zone_count, 200);
}

static ates_day day_of(const char *date)
{
    ates_day day;
    cr_assert_eq(ates_day_parse(date, strlen(date), &day), 0, "%s", date);
    return day;
}

/* Unix ms of "YYYY-MM-DDTHH:MM:SS" in UTC. */
static int64_t utc(const char *text)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    cr_assert(end != NULL && *end == '\0', "%s", text);
    return timegm(&tm) * INT64_C(1000);
}

static int date_number(const struct tm *tm)
{
    return (tm->tm_year + 1900) * 10000 + (tm->tm_mon + 1) * 100 + tm->tm_mday;
}

static int local_date(time_t time)
{
    struct tm tm;
    return date_number(localtime_r(&time, &tm));
}

/* The first second whose local date has reached day: minute by minute, then second by second. */
static int64_t slow_start(int64_t day)
{
    const time_t midnight = day * DAY_S;
    struct tm tm;
    const int wanted = date_number(gmtime_r(&midnight, &tm));
    time_t time = midnight - 17 * 3600;
    while (local_date(time + 60) < wanted) {
        time += 60;
    }
    while (local_date(time) < wanted) {
        time++;
    }
    return time;
}

static void check_day_around(const char *zone, int64_t time_s)
{
    const int64_t time_ms = time_s * 1000 + (int64_t)draw(1000);
    const ates_day day = ates_day_at(time_ms);
    const int64_t start = slow_start(day), end = slow_start(day + 1);

    cr_assert_eq(ates_day_start(day), start * 1000,
                 "%s: day %d starts at %" PRId64 ", not %" PRId64, zone, day, start,
                 ates_day_start(day));
    cr_assert(start <= time_s && time_s < end, "%s: %" PRId64 " is not in day %d", zone, time_s,
              day);
    /* the edges, asked for after a day that fills the cache and after one that does not */
    cr_assert_eq(ates_day_at(start * 1000), day, "%s: %" PRId64, zone, start);
    cr_assert_eq(ates_day_at(end * 1000 - 1), day, "%s: %" PRId64, zone, end);
    cr_assert_gt(ates_day_at(end * 1000), day, "%s: %" PRId64, zone, end);
    cr_assert_lt(ates_day_at(start * 1000 - 1), day, "%s: %" PRId64, zone, start);
    cr_assert_eq(ates_day_at(start * 1000), day, "%s: %" PRId64, zone, start);
}

/* The first hour from time on, within two years, in which the offset changes; 0 where none does. */
static int64_t change_after(int64_t time_s)
{
    struct tm tm;
    time_t time = time_s;
    const long offset = localtime_r(&time, &tm)->tm_gmtoff;
    for (int hour = 0; hour < 2 * 366 * 24; hour++, time += 3600) {
        if (localtime_r(&time, &tm)->tm_gmtoff != offset) {
            return time;
        }
    }
    return 0;
}

Test(calendar, agrees_with_the_slow_walk)
{
    start_random();
    read_zones();
    const int64_t first = utc("1890-01-01T00:00:00") / 1000;
    const int64_t span = utc("2040-01-01T00:00:00") / 1000 - first;

    for (int round = 0; round < 100; round++) {
        const char *zone = zones[draw(zone_count)];
        cr_assert_eq(ates_calendar_open(zone), 0, "%s", zone);
        for (int i = 0; i < 10; i++) {
            const int64_t time = first + (int64_t)draw((uint64_t)span);
            check_day_around(zone, time);
            const int64_t change = i < 3 ? change_after(time) : 0;
            if (change != 0) {
                check_day_around(zone, change - 36 * 3600 + (int64_t)draw(72 * 3600));
                check_day_around(zone, change - 3600 + (int64_t)draw(7200));
            }
        }
    }
}

Test(calendar, days_partition_time)
{
    start_random();
    read_zones();
    for (int round = 0; round < 100; round++) {
        const char *zone = zones[draw(zone_count)];
        cr_assert_eq(ates_calendar_open(zone), 0);
        ates_day day = (ates_day)draw(80 * 365) - 20 * 365;
        for (int i = 0; i < 400; i++, day++) {
            const int64_t start = ates_day_start(day), end = ates_day_start(day + 1);
            cr_assert_leq(start, end, "%s: day %d", zone, day);
            if (start < end) {
                cr_assert_eq(ates_day_at(start), day, "%s: day %d", zone, day);
                cr_assert_eq(ates_day_at(end - 1), day, "%s: day %d", zone, day);
            }
        }
    }
}

Test(calendar, known_days)
{
    static const struct {
        const char *zone, *date, *start, *end;
    } known[] = {
        {"UTC", "1970-01-01", "1970-01-01T00:00:00", "1970-01-02T00:00:00"},
        {"Europe/Moscow", "2024-02-29", "2024-02-28T21:00:00", "2024-02-29T21:00:00"},
        {"Europe/Moscow", "2011-03-27", "2011-03-26T21:00:00", "2011-03-27T20:00:00"},
        {"Europe/Moscow", "2014-10-26", "2014-10-25T20:00:00", "2014-10-26T21:00:00"},
        {"America/New_York", "2024-03-10", "2024-03-10T05:00:00", "2024-03-11T04:00:00"},
        {"America/New_York", "2024-11-03", "2024-11-03T04:00:00", "2024-11-04T05:00:00"},
        {"Australia/Lord_Howe", "2024-04-07", "2024-04-06T13:00:00", "2024-04-07T13:30:00"},
        {"Asia/Kathmandu", "2024-12-31", "2024-12-30T18:15:00", "2024-12-31T18:15:00"},
        /* midnight is skipped */
        {"America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00", "2018-11-05T02:00:00"},
        {"Asia/Beirut", "2022-03-27", "2022-03-26T22:00:00", "2022-03-27T21:00:00"},
        /* the clock falls back at midnight: the day before has 25 hours */
        {"America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00:00", "2018-02-18T03:00:00"},
        /* it falls back at 00:01 to 23:01: the day that began goes on */
        {"America/St_Johns", "2010-11-06", "2010-11-06T02:30:00", "2010-11-07T02:30:00"},
        {"America/St_Johns", "2010-11-07", "2010-11-07T02:30:00", "2010-11-08T03:30:00"},
        /* the date is skipped, here and there */
        {"Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00", "2011-12-30T10:00:00"},
        {"Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00", "2011-12-30T10:00:00"},
        {"Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00", "2011-12-31T10:00:00"},
        {"Pacific/Kwajalein", "1993-08-21", "1993-08-21T12:00:00", "1993-08-21T12:00:00"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        cr_assert_eq(ates_calendar_open(known[i].zone), 0, "%s", known[i].zone);
        const ates_day day = day_of(known[i].date);
        cr_expect_eq(ates_day_start(day), utc(known[i].start), "%s %s: %" PRId64, known[i].zone,
                     known[i].date, ates_day_start(day));
        cr_expect_eq(ates_day_start(day + 1), utc(known[i].end), "%s after %s: %" PRId64,
                     known[i].zone, known[i].date, ates_day_start(day + 1));
    }
}

/* The first second whose local time has reached that: minute by minute, then second by second. */
static int64_t slow_time(int64_t day, int64_t second)
{
    const int64_t wanted = day * DAY_S + second;
    struct tm tm;
    time_t time = wanted - 17 * 3600, next = time + 60;

    while (next + localtime_r(&next, &tm)->tm_gmtoff < wanted) {
        time = next;
        next += 60;
    }
    while (time + localtime_r(&time, &tm)->tm_gmtoff < wanted) {
        time++;
    }
    return time;
}

Test(calendar, times_of_the_day_agree_with_the_slow_walk)
{
    start_random();
    read_zones();
    const int64_t first = utc("1890-01-01T00:00:00") / 1000;
    const int64_t span = utc("2040-01-01T00:00:00") / 1000 - first;

    for (int round = 0; round < 200; round++) {
        const char *zone = zones[draw(zone_count)];
        cr_assert_eq(ates_calendar_open(zone), 0, "%s", zone);
        const int64_t time = first + (int64_t)draw((uint64_t)span);
        const int64_t change = change_after(time);
        for (int i = 0; i < 10; i++) {
            const int64_t around = change == 0 ? time : change - 12 * 3600;
            const ates_day day = ates_day_at((around + (int64_t)draw(24 * 3600)) * 1000);
            const int64_t second = (int64_t)draw((uint64_t)DAY_S);
            cr_assert_eq(ates_day_time(day, second * 1000), slow_time(day, second) * 1000,
                         "%s: day %d, second %" PRId64 " is not at %" PRId64, zone, day, second,
                         ates_day_time(day, second * 1000));
            cr_assert_eq(ates_day_time(day, 0), ates_day_start(day), "%s: day %d", zone, day);
        }
    }
}

Test(calendar, known_times_of_the_day)
{
    static const struct {
        const char *zone, *date;
        int hour, minute;
        const char *at;
    } known[] = {
        {"UTC", "1970-01-01", 0, 0, "1970-01-01T00:00:00"},
        {"Europe/Moscow", "2024-02-29", 23, 59, "2024-02-29T20:59:00"},
        {"Europe/Berlin", "2024-03-30", 2, 30, "2024-03-30T01:30:00"},
        {"Europe/Berlin", "2024-03-31", 1, 59, "2024-03-31T00:59:00"},
        {"Europe/Berlin", "2024-03-31", 2, 0, "2024-03-31T01:00:00"},
        {"Europe/Berlin", "2024-03-31", 2, 30, "2024-03-31T01:00:00"}, /* skipped */
        {"Europe/Berlin", "2024-03-31", 3, 0, "2024-03-31T01:00:00"},
        {"Europe/Berlin", "2024-04-01", 2, 30, "2024-04-01T00:30:00"},
        {"Europe/Berlin", "2024-10-27", 2, 30, "2024-10-27T00:30:00"}, /* comes twice */
        {"Europe/Berlin", "2024-10-27", 3, 0, "2024-10-27T02:00:00"},
        /* no midnight */
        {"America/Havana", "2024-03-10", 0, 0, "2024-03-10T05:00:00"},
        {"America/Havana", "2024-03-10", 0, 59, "2024-03-10T05:00:00"},
        {"America/Havana", "2024-03-10", 1, 1, "2024-03-10T05:01:00"},
        {"Africa/Cairo", "2024-04-26", 0, 0, "2024-04-25T22:00:00"},
        {"America/Sao_Paulo", "2018-11-04", 0, 30, "2018-11-04T03:00:00"},
        /* the hour before midnight comes twice, and with it the day's end */
        {"America/Sao_Paulo", "2018-02-17", 23, 30, "2018-02-18T01:30:00"},
        {"America/Sao_Paulo", "2018-02-18", 0, 0, "2018-02-18T03:00:00"},
        {"America/St_Johns", "2010-11-07", 0, 0, "2010-11-07T02:30:00"},
        /* the date is skipped, with all its times */
        {"Pacific/Apia", "2011-12-30", 14, 0, "2011-12-30T10:00:00"},
        {"Pacific/Apia", "2011-12-31", 0, 0, "2011-12-30T10:00:00"},
        {"Pacific/Apia", "2011-12-31", 14, 0, "2011-12-31T00:00:00"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        cr_assert_eq(ates_calendar_open(known[i].zone), 0, "%s", known[i].zone);
        const int64_t time = ates_day_time(day_of(known[i].date),
                                           (known[i].hour * 60 + known[i].minute) * INT64_C(60000));
        cr_expect_eq(time, utc(known[i].at), "%s %s %02d:%02d: %" PRId64, known[i].zone,
                     known[i].date, known[i].hour, known[i].minute, time);
    }
}

Test(calendar, fractions_of_a_second_of_the_day)
{
    cr_assert_eq(ates_calendar_open("Europe/Berlin"), 0);
    const ates_day day = day_of("2024-03-31");
    cr_expect_eq(ates_day_time(day, 1), utc("2024-03-30T23:00:00") + 1);
    cr_expect_eq(ates_day_time(day, 2 * 3600000 + 1), utc("2024-03-31T01:00:00"), "skipped too");
    cr_expect_eq(ates_day_time(day, DAY_S * 1000 - 1), utc("2024-03-31T22:00:00") - 1);
}

Test(calendar, a_day_that_began_is_not_left_again)
{
    cr_assert_eq(ates_calendar_open("America/St_Johns"), 0);
    const ates_day day = day_of("2010-11-07");
    cr_expect_eq(ates_day_at(utc("2010-11-07T02:29:59")), day - 1);
    cr_expect_eq(ates_day_at(utc("2010-11-07T02:30:59")), day);
    cr_expect_eq(ates_day_at(utc("2010-11-07T02:31:00")), day, "23:01 of the day before, again");
    cr_expect_eq(ates_day_at(utc("2010-11-07T03:30:00")), day, "00:00, again");
}

Test(calendar, milliseconds_before_the_epoch)
{
    cr_assert_eq(ates_calendar_open("UTC"), 0);
    cr_expect_eq(ates_day_at(-1), -1);
    cr_expect_eq(ates_day_at(0), 0);
    cr_expect_eq(ates_day_at(-DAY_S * 1000), -1);
    cr_expect_eq(ates_day_at(-DAY_S * 1000 - 1), -2);
    const int64_t furthest = (INT64_C(1) << 53) - 1;
    cr_expect_eq(ates_day_at(furthest), furthest / 1000 / DAY_S);
}

Test(calendar, another_zone_is_another_day)
{
    const int64_t time = utc("2024-06-01T20:00:00");
    cr_assert_eq(ates_calendar_open("UTC"), 0);
    cr_expect_eq(ates_day_at(time), day_of("2024-06-01"));
    cr_assert_eq(ates_calendar_open("Asia/Tokyo"), 0);
    cr_expect_eq(ates_day_at(time), day_of("2024-06-02"));
}

#define THREADS 4

/* Asks for two days in turn, so that the cache is filled all the time. */
static void *ask_days(void *argument)
{
    const ates_day day = *(ates_day *)argument;
    const int64_t starts[2] = {ates_day_start(day), ates_day_start(day + 1)};
    for (int i = 0; i < 100000; i++) {
        if (ates_day_at(starts[i % 2]) != day + i % 2) {
            return argument;
        }
    }
    return NULL;
}

Test(calendar, threads_do_not_disturb_each_other)
{
    cr_assert_eq(ates_calendar_open("Europe/Berlin"), 0);
    ates_day days[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        days[i] = 19000 + i; /* days that other threads ask for too */
        cr_assert_eq(pthread_create(&threads[i], NULL, ask_days, &days[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        cr_expect_null(wrong);
    }
}

Test(calendar, format_and_parse_are_inverse)
{
    char date[ATES_DATE_SIZE];
    const ates_day last = 2932896; /* 9999-12-31 */
    for (ates_day day = 0; day <= last; day += 1 + day % 7) {
        ates_day parsed;
        ates_day_format(day, date);
        cr_assert_eq(ates_day_parse(date, strlen(date), &parsed), 0, "%s", date);
        cr_assert_eq(parsed, day, "%s", date);
    }
    ates_day_format(last, date);
    cr_expect_str_eq(date, "9999-12-31");
    ates_day_format(day_of("2000-02-29") + 1, date);
    cr_expect_str_eq(date, "2000-03-01");
}

Test(calendar, parse_refuses_what_is_no_date)
{
    static const char *const wrong[] = {
        "",           "2024",        "2024-1-01",  "2023-02-29", "1900-02-29", "2100-02-29",
        "2024-02-30", "2024-04-31",  "2024-13-01", "2024-00-10", "2024-01-00", "2024-01-32",
        "1969-12-31", "2024/01/01",  "20240101--", "2024-01-1 ", " 024-01-01", "-024-01-01",
        "+024-01-01", "2024-01-011", "2024-0a-01", "0000-00-00",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ates_day day = 12345;
        cr_expect_eq(ates_day_parse(wrong[i], strlen(wrong[i]), &day), -EINVAL, "%s", wrong[i]);
        cr_expect_eq(day, 12345, "%s", wrong[i]);
    }
    ates_day day;
    cr_expect_eq(ates_day_parse("2024-01-01\0", 11, &day), -EINVAL);
    cr_expect_eq(ates_day_parse("2024-01-01T00:00", 10, &day), 0);
}

Test(calendar, only_zones_of_the_database)
{
    static const char *const wrong[] = {
        "",
        "/etc/passwd",
        "../../../etc/passwd",
        "Europe",
        "Europe/Nowhere",
        "zone.tab",
        "Europe/../UTC",
        ":UTC",
        "UTC\n",
        "MSK-3",
        "right/UTC",
        "leapseconds",
        "/usr/share/zoneinfo/UTC",
        "a/very/long/name/that/no/zone/of/the/whole/wide/world/would/ever/bear/a/very/long/one",
    };
    cr_assert_eq(ates_calendar_open("Asia/Tokyo"), 0);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        cr_expect(!ates_time_zone_exists(wrong[i]), "%s", wrong[i]);
        cr_expect_eq(ates_calendar_open(wrong[i]), -ENOENT, "%s", wrong[i]);
    }
    cr_expect_eq(ates_day_start(0), -9 * 3600 * 1000, "the zone of before stays");
    cr_expect(ates_time_zone_exists("America/Argentina/Buenos_Aires"));
    cr_expect(ates_time_zone_exists("Etc/GMT+12"));
}

Test(calendar, dates_of_messages_and_back)
{
    struct ates_arena *arena = ates_arena_new();

    for (ates_day day = 0; day <= ATES_DAY_MAX; day += day < 30000 ? 1 : 997) {
        cr_assert_eq(ates_day_of(ates_day_text(arena, day)), day);
    }
    cr_assert(ates_text_equal(ates_day_text(arena, ATES_DAY_MAX), ates_text_from("9999-12-31")));
    ates_arena_free(&arena);
}
