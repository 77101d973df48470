/* Stretches of days, against the C library's calendar. */
#include <string.h>
#include <time.h>

#include <criterion/criterion.h>

#include "analytics/analytics_period.h"

#define DAY_S INT64_C(86400)

static ates_day day_of(const char *date)
{
    return ates_day_of(ates_text_from(date));
}

static void expect_around(enum analytics_period period, const char *date, const char *first,
                          const char *last)
{
    const struct analytics_days days = analytics_period_around(period, day_of(date));
    char from[ATES_DATE_SIZE], to[ATES_DATE_SIZE];

    ates_day_format(days.first, from);
    ates_day_format(days.last, to);
    cr_expect(strcmp(from, first) == 0 && strcmp(to, last) == 0,
              "the %s of %s is %s to %s, not %s to %s", analytics_period_names[period], date, from,
              to, first, last);
}

Test(analytics_period, a_day_is_itself)
{
    expect_around(ANALYTICS_DAY, "2024-02-29", "2024-02-29", "2024-02-29");
    expect_around(ANALYTICS_DAY, "1970-01-01", "1970-01-01", "1970-01-01");
    expect_around(ANALYTICS_DAY, "9999-12-31", "9999-12-31", "9999-12-31");
}

Test(analytics_period, a_week_begins_on_monday)
{
    expect_around(ANALYTICS_WEEK, "2023-11-13", "2023-11-13", "2023-11-19");
    expect_around(ANALYTICS_WEEK, "2023-11-19", "2023-11-13", "2023-11-19");
    expect_around(ANALYTICS_WEEK, "2023-11-20", "2023-11-20", "2023-11-26");
    expect_around(ANALYTICS_WEEK, "2025-01-01", "2024-12-30", "2025-01-05");
    expect_around(ANALYTICS_WEEK, "2024-12-31", "2024-12-30", "2025-01-05");
    expect_around(ANALYTICS_WEEK, "2024-02-29", "2024-02-26", "2024-03-03");
}

Test(analytics_period, a_month_is_the_calendars)
{
    expect_around(ANALYTICS_MONTH, "2024-02-29", "2024-02-01", "2024-02-29");
    expect_around(ANALYTICS_MONTH, "2023-02-01", "2023-02-01", "2023-02-28");
    expect_around(ANALYTICS_MONTH, "2100-02-28", "2100-02-01", "2100-02-28");
    expect_around(ANALYTICS_MONTH, "2000-02-15", "2000-02-01", "2000-02-29");
    expect_around(ANALYTICS_MONTH, "2024-12-31", "2024-12-01", "2024-12-31");
    expect_around(ANALYTICS_MONTH, "2024-04-30", "2024-04-01", "2024-04-30");
}

Test(analytics_period, is_cut_where_dates_end)
{
    expect_around(ANALYTICS_WEEK, "1970-01-02", "1970-01-01", "1970-01-04");
    expect_around(ANALYTICS_WEEK, "9999-12-31", "9999-12-27", "9999-12-31");
    expect_around(ANALYTICS_MONTH, "9999-12-01", "9999-12-01", "9999-12-31");
    expect_around(ANALYTICS_MONTH, "9999-11-30", "9999-11-01", "9999-11-30");
    expect_around(ANALYTICS_MONTH, "1970-01-31", "1970-01-01", "1970-01-31");
    cr_expect_eq(day_of("9999-12-31"), ATES_DAY_MAX);
}

/* gmtime's tm_wday and tm_mon of every day of 200 years, and of the days beside. */
Test(analytics_period, agrees_with_the_library_on_every_day)
{
    for (ates_day day = 5; day < day_of("2170-01-01"); day++) {
        const struct analytics_days week = analytics_period_around(ANALYTICS_WEEK, day);
        const struct analytics_days month = analytics_period_around(ANALYTICS_MONTH, day);
        const time_t times[] = {day * DAY_S, week.first * DAY_S, month.first * DAY_S,
                                month.last * DAY_S, (month.last + 1) * DAY_S};
        struct tm tm[5];

        for (size_t i = 0; i < 5; i++) {
            gmtime_r(&times[i], &tm[i]);
        }
        cr_assert(week.first <= day && day <= week.last && week.last - week.first == 6);
        cr_assert_eq(tm[1].tm_wday, 1, "day %d", (int)day);
        cr_assert(month.first <= day && day <= month.last);
        cr_assert(tm[2].tm_mday == 1 && tm[2].tm_mon == tm[0].tm_mon, "day %d", (int)day);
        cr_assert(tm[3].tm_mon == tm[0].tm_mon && tm[4].tm_mday == 1, "day %d", (int)day);
    }
}

static int between(const char *from, const char *to, struct ates_call *call,
                   struct analytics_days *days)
{
    return analytics_period_between(call, ates_text_from(from), ates_text_from(to), days);
}

Test(analytics_period, between_takes_up_to_1000_days_in_order)
{
    struct ates_call call = {.time = 0};
    struct analytics_days days = {-1, -1};

    cr_expect_eq(between("2024-02-28", "2024-03-01", &call, &days), 0);
    cr_expect_eq(days.last - days.first, 2);
    cr_expect_eq(between("2024-02-28", "2024-02-28", &call, &days), 0);
    cr_expect_eq(days.first, days.last);
    cr_expect_eq(between("2020-01-01", "2022-09-26", &call, &days), 0);
    cr_expect_eq(days.last - days.first, 999);
    days = (struct analytics_days){-1, -1};
    cr_expect_eq(between("2020-01-01", "2022-09-27", &call, &days), ATES_INVALID_ARGUMENT);
    cr_expect_str_eq(call.refusal.reason, "FIELD_INVALID");
    cr_expect_str_eq(call.refusal.field, "from_date");
    cr_expect_eq(between("2024-03-01", "2024-02-29", &call, &days), ATES_INVALID_ARGUMENT);
    cr_expect_eq(between("1970-01-01", "9999-12-31", &call, &days), ATES_INVALID_ARGUMENT);
    cr_expect(days.first == -1 && days.last == -1, "untouched by refusals");
}

Test(analytics_period, dates_are_read_and_written)
{
    struct ates_arena *arena = ates_arena_new();

    for (ates_day day = 0; day < 200000; day += 17) {
        cr_assert_eq(ates_day_of(ates_day_text(arena, day)), day);
    }
    ates_arena_free(&arena);
}
