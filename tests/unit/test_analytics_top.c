/* The most expensive task of a period, one rule at a time. */
#include "support/analytics_fixture.h"

TestSuite(analytics_top, .init = open_fixture, .fini = close_fixture, .timeout = 120);

typedef struct analytics_show_the_most_expensive_task_result result_t;

static void expect_period(const result_t *result, const char *from, const char *to, size_t days)
{
    text_is(result->from_date, from);
    text_is(result->to_date, to);
    cr_expect_eq(result->days.count, days);
}

Test(analytics_top, is_the_completed_task_with_the_highest_reward)
{
    complete(at(TODAY, 3), 1, 2500);
    complete(at(TODAY, 4), 2, 3999);
    complete(at(TODAY, 5), 3, 2000);
    charge(TODAY, 6, 1999, -1999);
    pay(TODAY, 5, 9000, 0); /* neither is a completion */
    const result_t result = top_of(ANALYTICS_DAY, NULL);

    expect_period(&result, TODAY, TODAY, 1);
    cr_assert(result.has_task);
    cr_expect_eq(result.task.task_id, 2);
    cr_expect_eq(result.task.complete_price_cents, 3999);
    cr_expect_eq(result.task.completed_at, at(TODAY, 4));
    text_is(result.task.name, "Task 2");
    cr_expect_eq(best_on(&result, 0), 2);
    fixture_check_rebuild(&fixture);
}

Test(analytics_top, ties_go_to_the_earlier_completion_then_to_the_smaller_id)
{
    complete(at(TODAY, 5), 1, 3000);
    complete(at(TODAY, 4), 9, 3000); /* earlier, though it came later */
    result_t result = top_of(ANALYTICS_DAY, TODAY);
    cr_expect_eq(best_of(&result), 9);
    complete(at(TODAY, 4), 7, 3000);
    result = top_of(ANALYTICS_DAY, TODAY);
    cr_expect_eq(best_of(&result), 7);
    complete(at(TODAY, 4), 8, 3000);
    complete(at(TODAY, 6), 2, 3000);
    result = top_of(ANALYTICS_DAY, TODAY);
    cr_expect_eq(best_of(&result), 7);
    complete(at(TODAY, 9), 3, 3001);
    result = top_of(ANALYTICS_DAY, TODAY);
    cr_expect_eq(best_of(&result), 3);
    fixture_check_rebuild(&fixture);
}

Test(analytics_top, ties_across_days_go_to_the_earlier_one)
{
    complete(at("2023-11-15", 1), 1, 3000);
    complete(at("2023-11-13", 1), 2, 3000);
    complete(at("2023-11-14", 1), 3, 2999);
    const result_t result = top_of(ANALYTICS_WEEK, TODAY);

    cr_expect_eq(best_of(&result), 2);
    cr_expect_eq(best_on(&result, 0), 2);
    cr_expect_eq(best_on(&result, 1), 3);
    cr_expect_eq(best_on(&result, 2), 1);
}

Test(analytics_top, of_a_week_over_a_years_end)
{
    fixture.now_ms = at("2025-02-01", 12);
    complete(at("2024-12-30", 0) - 1, 1, 4000); /* Sunday's last moment */
    complete(at("2024-12-30", 0), 2, 2100);
    complete(at("2024-12-31", 23), 3, 2200);
    complete(at("2025-01-01", 0), 4, 2300);
    complete(at("2025-01-06", 0) - 1, 5, 2250);
    complete(at("2025-01-06", 0), 6, 4000); /* the next Monday */
    static const char *const dates[] = {"2024-12-30", "2024-12-31", "2025-01-03", "2025-01-05"};
    static const uint64_t best[] = {2, 3, 4, 0, 0, 0, 5};

    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        const result_t result = top_of(ANALYTICS_WEEK, dates[i]);

        expect_period(&result, "2024-12-30", "2025-01-05", 7);
        cr_expect_eq(best_of(&result), 4);
        for (size_t day = 0; day < 7; day++) {
            cr_expect_eq(best_on(&result, day), best[day], "day %zu", day);
        }
    }
}

Test(analytics_top, of_the_month_of_29_february)
{
    fixture.now_ms = at("2024-04-01", 12);
    complete(at("2024-01-31", 23), 1, 4000);
    complete(at("2024-02-01", 0), 2, 2100);
    complete(at("2024-02-29", 23), 3, 2200);
    complete(at("2024-03-01", 0), 4, 4000);
    result_t result = top_of(ANALYTICS_MONTH, "2024-02-10");

    expect_period(&result, "2024-02-01", "2024-02-29", 29);
    cr_expect_eq(best_of(&result), 3);
    cr_expect_eq(best_on(&result, 28), 3);
    text_is(((const struct analytics_day *)result.days.items)[28].date, "2024-02-29");
    result = top_of(ANALYTICS_MONTH, "2023-02-10");
    expect_period(&result, "2023-02-01", "2023-02-28", 28);
    cr_expect_not(result.has_task);
}

/* Berlin's 31 March 2024 has 23 hours, its 27 October 25. */
Test(analytics_top, of_days_on_which_the_clock_changes)
{
    cr_assert_eq(ates_calendar_open("Europe/Berlin"), 0);
    fixture.now_ms = at("2024-12-01", 12);
    cr_assert_eq(at("2024-04-01", 0) - at("2024-03-31", 0), 23 * HOUR_MS);
    cr_assert_eq(at("2024-10-28", 0) - at("2024-10-27", 0), 25 * HOUR_MS);
    complete(at("2024-03-31", 23) - 1, 1, 2000);
    complete(at("2024-03-31", 23), 2, 2000);
    complete(at("2024-10-27", 25) - 1, 3, 2000);
    complete(at("2024-10-27", 25), 4, 2000);
    static const struct {
        const char *date;
        uint64_t task_id;
    } expected[] = {{"2024-03-30", 0}, {"2024-03-31", 1}, {"2024-04-01", 2},
                    {"2024-10-26", 0}, {"2024-10-27", 3}, {"2024-10-28", 4}};

    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const result_t result = top_of(ANALYTICS_DAY, expected[i].date);

        expect_period(&result, expected[i].date, expected[i].date, 1);
        cr_expect_eq(best_of(&result), expected[i].task_id, "on %s", expected[i].date);
    }
    fixture_check_rebuild(&fixture);
}

Test(analytics_top, has_every_day_but_those_to_come)
{
    complete(at("2023-11-13", 1), 1, 3000);
    result_t result = top_of(ANALYTICS_WEEK, NULL);
    expect_period(&result, "2023-11-13", "2023-11-19", 3);
    cr_expect_eq(best_on(&result, 0), 1);
    cr_expect_eq(best_on(&result, 1), 0);
    cr_expect_eq(best_on(&result, 2), 0);
    result = top_of(ANALYTICS_WEEK, "2023-11-20");
    expect_period(&result, "2023-11-20", "2023-11-26", 0);
    cr_expect_not(result.has_task);
    result = top_between("2023-11-14", "2024-11-14");
    expect_period(&result, "2023-11-14", "2024-11-14", 2);
    fixture.now_ms = at("2023-11-16", 0);
    result = top_of(ANALYTICS_WEEK, NULL);
    expect_period(&result, "2023-11-13", "2023-11-19", 4);
}

Test(analytics_top, is_of_any_dates_too)
{
    complete(at("2023-11-01", 1), 1, 3000);
    complete(at("2023-11-02", 1), 2, 2000);
    complete(at("2023-11-03", 1), 3, 4000);
    result_t result = top_between("2023-11-01", "2023-11-02");

    expect_period(&result, "2023-11-01", "2023-11-02", 2);
    cr_expect_eq(best_of(&result), 1);
    result = top_between("2023-11-02", "2023-11-02");
    cr_expect_eq(best_of(&result), 2);
    result = top_between("2021-02-19", TODAY); /* 1,000 days */
    cr_expect_eq(result.days.count, 1000);
    cr_expect_eq(best_of(&result), 3);
}

/* How a query is refused; NULL fields are left out. */
static void expect_refused(const char *period, const char *date, const char *from, const char *to,
                           const char *reason, const char *field)
{
    const struct analytics_show_the_most_expensive_task query = {
        .has_period = period != NULL,
        .period = ANALYTICS_WEEK,
        .has_date = date != NULL,
        .date = ates_text_from(date != NULL ? date : ""),
        .has_from_date = from != NULL,
        .from_date = ates_text_from(from != NULL ? from : ""),
        .has_to_date = to != NULL,
        .to_date = ates_text_from(to != NULL ? to : ""),
    };

    fixture_refused(&fixture, administrator(), "show_the_most_expensive_task", &query,
                    ATES_INVALID_ARGUMENT, reason);
    cr_expect_str_eq(fixture.refusal.field, field);
}

Test(analytics_top, refuses_what_names_no_period_or_two)
{
    expect_refused(NULL, NULL, NULL, NULL, "FIELD_MISSING", "period");
    expect_refused(NULL, TODAY, NULL, NULL, "FIELD_MISSING", "period");
    expect_refused("week", NULL, TODAY, TODAY, "FIELD_INVALID", "period");
    expect_refused("week", TODAY, TODAY, NULL, "FIELD_INVALID", "period");
    expect_refused("week", NULL, NULL, TODAY, "FIELD_INVALID", "period");
    expect_refused(NULL, TODAY, TODAY, TODAY, "FIELD_INVALID", "date");
    expect_refused(NULL, NULL, TODAY, NULL, "FIELD_MISSING", "to_date");
    expect_refused(NULL, NULL, NULL, TODAY, "FIELD_MISSING", "from_date");
    expect_refused(NULL, NULL, "2023-11-15", "2023-11-14", "FIELD_INVALID", "from_date");
    expect_refused(NULL, NULL, "2021-02-18", TODAY, "FIELD_INVALID", "from_date");
}

static void expect_pending(enum analytics_period period)
{
    const struct analytics_show_the_most_expensive_task query = {.has_period = true,
                                                                 .period = (int)period};

    fixture_refused(&fixture, administrator(), "show_the_most_expensive_task", &query,
                    ATES_UNAVAILABLE, "TASK_NAME_PENDING");
    cr_expect_gt(fixture.refusal.retry_after_ms, 0);
}

Test(analytics_top, waits_for_the_names_that_tasks_still_owes)
{
    complete(at("2023-11-14", 1), 1, 3000);
    reward(at(TODAY, 1), 2, 2000); /* accounting was faster than tasks */
    expect_pending(ANALYTICS_DAY);
    expect_pending(ANALYTICS_WEEK); /* whose best is known, but not each day's */
    cr_expect_eq(income_of(TODAY), -2000);
    cr_assert_eq(create_task(2, "It comes"), 0);
    const result_t result = top_of(ANALYTICS_WEEK, NULL);
    cr_expect_eq(best_of(&result), 1);
    cr_expect_eq(best_on(&result, 2), 2);
    fixture_check_rebuild(&fixture);
}

Test(analytics_top, takes_the_name_as_it_is)
{
    static const char name[] = "\xd0\x9f\xd0\xbe\xd1\x87\xd0\xb8\xd0\xbd\xd0\xb8\xd1\x82\xd1\x8c "
                               "\xd0\xb4\xd0\xb2\xd0\xb5\xd1\x80\xd1\x8c, \"now\"";

    cr_assert_eq(create_task(1, name), 0);
    reward(at(TODAY, 1), 1, 2000);
    const result_t result = top_of(ANALYTICS_DAY, NULL);
    cr_assert(result.has_task);
    text_is(result.task.name, name);
}
