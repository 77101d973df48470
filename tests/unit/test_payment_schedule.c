/* Payment's schedule over simulated days: when a date is due, in which order dates are closed, and
 * what failures, restarts and the clock's own moves do to that. */
#include "support/payment_fixture.h"

TestSuite(payment_schedule, .fini = close_fixture, .timeout = 300);

/* A date is begun when it is due, and not a millisecond earlier. */
static void expect_due(const char *date, const char *at)
{
    const struct payment_show_schedule_result shown = schedule();

    text_is(shown.next_business_date, date);
    cr_assert_eq(shown.next_run_at, utc(at), "%s is due at %lld", date,
                 (long long)shown.next_run_at);
    cr_assert_null(advance_to(utc(at) - 1), "%s comes early", date);
    cr_assert_eq(ates_engine_wakes_in(fixture.engine), 1);
    fixture.now_ms = utc(at);
    end_paid(expect_begun(date), 2, 700);
    expect_run(date, PAYMENT_PAID);
    cr_assert_null(advance());
}

static void expect_dues(const char *zone, int64_t payday_ms, const char *start,
                        const char *const dues[][2])
{
    open_at(zone, payday_ms, start);
    cr_assert_null(advance());
    for (size_t i = 0; dues[i][0] != NULL; i++) {
        expect_due(dues[i][0], dues[i][1]);
    }
}

Test(payment_schedule, closes_at_midnight_whatever_the_clock_does_in_spring)
{
    static const char *const dues[][2] = {
        {"2024-03-29", "2024-03-29T23:00:00"},
        {"2024-03-30", "2024-03-30T23:00:00"},
        {"2024-03-31", "2024-03-31T22:00:00"},
        {"2024-04-01", "2024-04-01T22:00:00"},
        {NULL, NULL},
    };
    expect_dues("Europe/Berlin", 0, "2024-03-29T12:00:00", dues);
}

Test(payment_schedule, closes_at_midnight_whatever_the_clock_does_in_autumn)
{
    static const char *const dues[][2] = {
        {"2024-10-25", "2024-10-25T22:00:00"},
        {"2024-10-26", "2024-10-26T22:00:00"},
        {"2024-10-27", "2024-10-27T23:00:00"},
        {"2024-10-28", "2024-10-28T23:00:00"},
        {NULL, NULL},
    };
    expect_dues("Europe/Berlin", 0, "2024-10-25T12:00:00", dues);
}

Test(payment_schedule, a_payday_within_the_skipped_hour)
{
    static const char *const dues[][2] = {
        {"2024-03-29", "2024-03-30T01:30:00"},
        {"2024-03-30", "2024-03-31T01:00:00"}, /* 02:30 is skipped: 03:00 */
        {"2024-03-31", "2024-04-01T00:30:00"},
        {NULL, NULL},
    };
    expect_dues("Europe/Berlin", 2 * HOUR_MS + 30 * MINUTE_MS, "2024-03-29T12:00:00", dues);
}

Test(payment_schedule, a_payday_within_the_hour_that_comes_twice)
{
    static const char *const dues[][2] = {
        {"2024-10-25", "2024-10-26T00:30:00"},
        {"2024-10-26", "2024-10-27T00:30:00"}, /* the first 02:30 */
        {"2024-10-27", "2024-10-28T01:30:00"},
        {NULL, NULL},
    };
    expect_dues("Europe/Berlin", 2 * HOUR_MS + 30 * MINUTE_MS, "2024-10-25T12:00:00", dues);
}

Test(payment_schedule, a_payday_at_the_next_days_end)
{
    static const char *const dues[][2] = {
        {"2024-03-29", "2024-03-30T22:59:00"},
        {"2024-03-30", "2024-03-31T21:59:00"},
        {"2024-03-31", "2024-04-01T21:59:00"},
        {NULL, NULL},
    };
    expect_dues("Europe/Berlin", DAY_MS - MINUTE_MS, "2024-03-29T12:00:00", dues);
}

Test(payment_schedule, a_day_without_midnight_in_havana)
{
    static const char *const dues[][2] = {
        {"2024-03-08", "2024-03-09T05:00:00"},
        {"2024-03-09", "2024-03-10T05:00:00"},
        {"2024-03-10", "2024-03-11T04:00:00"},
        {NULL, NULL},
    };
    expect_dues("America/Havana", 0, "2024-03-08T12:00:00", dues);
}

Test(payment_schedule, a_day_without_midnight_in_cairo)
{
    static const char *const dues[][2] = {
        {"2024-04-24", "2024-04-24T22:00:00"},
        {"2024-04-25", "2024-04-25T22:00:00"},
        {"2024-04-26", "2024-04-26T21:00:00"},
        {NULL, NULL},
    };
    expect_dues("Africa/Cairo", 0, "2024-04-24T12:00:00", dues);
}

Test(payment_schedule, a_day_without_midnight_in_sao_paulo)
{
    static const char *const dues[][2] = {
        {"2018-11-02", "2018-11-03T03:00:00"},
        {"2018-11-03", "2018-11-04T03:00:00"},
        {"2018-11-04", "2018-11-05T02:00:00"},
        {NULL, NULL},
    };
    expect_dues("America/Sao_Paulo", 0, "2018-11-02T12:00:00", dues);
}

Test(payment_schedule, a_date_that_the_zone_skipped_is_closed_with_the_others)
{
    static const char *const dues[][2] = {
        {"2011-12-28", "2011-12-29T10:00:00"},
        {"2011-12-29", "2011-12-30T10:00:00"},
        {"2011-12-30", "2011-12-30T10:00:00"},
        {"2011-12-31", "2011-12-31T10:00:00"},
        {NULL, NULL},
    };
    open_at("Pacific/Apia", 0, "2011-12-28T20:00:00");
    cr_assert_null(advance());
    expect_due(dues[0][0], dues[0][1]);
    cr_assert_null(advance_to(utc(dues[1][1]) - 1));
    fixture.now_ms = utc(dues[1][1]);
    end_paid(expect_begun(dues[1][0]), 1, 1);
    end_paid(expect_begun(dues[2][0]), 1, 1); /* at once */
    cr_assert_null(advance());
    expect_due(dues[3][0], dues[3][1]);
}

Test(payment_schedule, a_leap_day)
{
    static const char *const dues[][2] = {
        {"2024-02-27", "2024-02-27T21:00:00"},
        {"2024-02-28", "2024-02-28T21:00:00"},
        {"2024-02-29", "2024-02-29T21:00:00"},
        {"2024-03-01", "2024-03-01T21:00:00"},
        {NULL, NULL},
    };
    expect_dues("Europe/Moscow", 0, "2024-02-27T12:00:00", dues);
}

Test(payment_schedule, makes_up_five_missed_days_one_by_one)
{
    static const char *const missed[] = {"2023-12-29", "2023-12-30", "2023-12-31", "2024-01-01",
                                         "2024-01-02"};
    open_at("Europe/Moscow", 0, "2023-12-29T12:00:00");
    cr_assert_null(advance());
    expect_next("2023-12-29");
    fixture.now_ms = utc("2024-01-03T09:00:00");
    fixture_reopen(&fixture);
    cr_assert_eq(schedule().next_run_at, utc("2023-12-29T21:00:00"), "it shows as overdue");
    for (size_t i = 0; i < 5; i++) {
        struct ates_begun *begun = expect_begun(missed[i]);

        cr_assert_null(advance(), "one after the other");
        end_paid(begun, i, (int64_t)i * 100);
        cr_assert_eq(expect_run(missed[i], PAYMENT_PAID).paid_count, i);
    }
    cr_assert_null(advance());
    expect_next("2024-01-03");
    cr_assert_eq(fixture_head(&fixture), 5);
}

Test(payment_schedule, the_days_before_the_first_transfer_are_passed_over)
{
    open_at("Europe/Moscow", 0, "2024-01-01T12:00:00");
    cr_assert_null(advance());
    fixture.now_ms = utc("2024-01-03T09:00:00");
    end_refused(expect_begun("2024-01-01"), ATES_FAILED_PRECONDITION, "NO_TRANSFERS", 0);
    expect_run("2024-01-01", PAYMENT_NOTHING);
    cr_assert_eq(schedule().failures, 0);
    cr_assert_not(schedule().last_run.has_error);
    end_paid(expect_begun("2024-01-02"), 1, 100);
    expect_next("2024-01-03");
}

Test(payment_schedule, only_that_reason_means_that_there_is_nothing)
{
    open_at("Europe/Moscow", 0, "2024-01-01T12:00:00");
    cr_assert_null(advance());
    fixture.now_ms = utc("2024-01-03T09:00:00");
    end_refused(expect_begun("2024-01-01"), ATES_FAILED_PRECONDITION, "SOMETHING_ELSE", 0);
    expect_run("2024-01-01", PAYMENT_FAILED);
    fixture.now_ms += 1000;
    end_refused(expect_begun("2024-01-01"), ATES_NOT_FOUND, "NO_TRANSFERS", 0);
    expect_run("2024-01-01", PAYMENT_FAILED);
    expect_next("2024-01-01");
}

Test(payment_schedule, a_clock_that_is_set_back_repeats_nothing)
{
    open_at("Europe/Moscow", 0, "2024-01-01T12:00:00");
    cr_assert_null(advance());
    fixture.now_ms = utc("2024-01-01T21:00:00");
    end_paid(expect_begun("2024-01-01"), 1, 100);
    cr_assert_null(advance_to(utc("2024-01-01T20:59:00")));
    cr_assert_null(advance_to(utc("2024-01-01T21:00:00")));
    cr_assert_null(advance_to(utc("2023-12-01T00:00:00")));
    fixture_reopen(&fixture);
    cr_assert_null(advance());
    cr_assert_null(advance_to(utc("2024-01-02T20:59:59")));
    fixture.now_ms = utc("2024-01-02T21:00:00");
    end_paid(expect_begun("2024-01-02"), 1, 100);
    expect_next("2024-01-03");
}

Test(payment_schedule, a_clock_that_jumps_by_three_days_and_back_repeats_and_skips_nothing)
{
    open_at("Europe/Moscow", 0, "2024-01-01T12:00:00");
    cr_assert_null(advance());
    fixture.now_ms = utc("2024-01-04T12:00:00");
    end_paid(expect_begun("2024-01-01"), 1, 100);
    end_paid(expect_begun("2024-01-02"), 1, 100);
    struct ates_begun *third = expect_begun("2024-01-03");
    fixture.now_ms = utc("2024-01-01T12:00:10"); /* right again, with one under way */
    end_paid(third, 1, 100);
    for (int64_t now = fixture.now_ms; now < utc("2024-01-04T21:00:00"); now += HOUR_MS / 2) {
        cr_assert_null(advance_to(now));
    }
    fixture.now_ms = utc("2024-01-04T21:00:00");
    end_paid(expect_begun("2024-01-04"), 1, 100);
    cr_assert_null(advance());
    expect_next("2024-01-05");
    cr_assert_eq(fixture_head(&fixture), 4);
}

Test(payment_schedule, failures_are_retried_later_each_time)
{
    static const int64_t delays_s[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300};
    open_at("Europe/Moscow", 0, "2024-01-01T12:00:00");
    cr_assert_null(advance());
    fixture.now_ms = utc("2024-01-01T21:00:00");
    for (uint64_t i = 0; i < sizeof delays_s / sizeof delays_s[0]; i++) {
        end_silent(expect_begun("2024-01-01"));
        const int64_t retry_at = fixture.now_ms + delays_s[i] * 1000;
        const struct payment_show_schedule_result shown = schedule();

        cr_assert_eq(expect_run("2024-01-01", PAYMENT_FAILED).retry_at, retry_at);
        cr_assert_eq(shown.failures, i + 1);
        cr_assert(shown.has_retry_at && shown.retry_at == retry_at);
        cr_assert_eq(shown.next_run_at, utc("2024-01-01T21:00:00"));
        cr_assert_eq(shown.last_run.status, PAYMENT_FAILED);
        cr_assert_eq(shown.last_run.at, fixture.now_ms);
        text_is(shown.last_run.error, "NO_ANSWER: accounting is away, or waits for tasks");
        cr_assert_null(advance());
        cr_assert_eq(ates_engine_wakes_in(fixture.engine), delays_s[i] * 1000);
        cr_assert_null(advance_to(retry_at - 1));
        fixture.now_ms = retry_at;
    }
    end_paid(expect_begun("2024-01-01"), 5, 100);
    cr_assert(schedule().failures == 0 && !schedule().has_retry_at);
    fixture.now_ms = utc("2024-01-02T21:00:00");
    end_silent(expect_begun("2024-01-02"));
    cr_assert_eq(schedule().retry_at, fixture.now_ms + 1000, "it begins anew");
}

Test(payment_schedule, a_retry_comes_no_sooner_than_accounting_says)
{
    open_at("Europe/Moscow", 0, "2024-01-01T12:00:00");
    cr_assert_null(advance());
    fixture.now_ms = utc("2024-01-01T21:00:00");
    end_refused(expect_begun("2024-01-01"), ATES_UNAVAILABLE, "TASKS_UNREACHABLE", 30000);
    text_is(schedule().last_run.error, "TASKS_UNREACHABLE: so it is");
    cr_assert_null(advance_to(fixture.now_ms + 29999));
    fixture.now_ms += 1;
    end_refused(expect_begun("2024-01-01"), ATES_UNAVAILABLE, "TASKS_UNREACHABLE", 500);
    cr_assert_eq(schedule().retry_at, fixture.now_ms + 2000);
}

Test(payment_schedule, an_error_is_cut_between_characters)
{
    struct payment_pay_output output = {.status = ATES_INTERNAL};
    char whole[600] = "REASON: ";

    open_at("Europe/Moscow", 0, "2024-01-01T12:00:00");
    cr_assert_null(advance());
    fixture.now_ms = utc("2024-01-01T21:00:00");
    strcpy(output.refusal.reason, "REASON");
    memset(output.refusal.message, 'x', sizeof output.refusal.message - 1);
    end_with(expect_begun("2024-01-01"), output);
    memset(whole + 8, 'x', PAYMENT_ERROR_MAX - 8);
    text_is(schedule().last_run.error, whole);

    for (size_t i = 0; i + 1 < sizeof output.refusal.message; i++) {
        output.refusal.message[i] = "\xd0\xb9"[i % 2]; /* its last one is half */
    }
    fixture.now_ms += 1000;
    end_with(expect_begun("2024-01-01"), output);
    memset(whole + 8, 0, sizeof whole - 8);
    for (size_t i = 0; i < sizeof output.refusal.message / 2 - 1; i++) {
        strcat(whole, "\xd0\xb9");
    }
    text_is(schedule().last_run.error, whole);
}

Test(payment_schedule, a_restart_at_any_point_goes_on_from_there)
{
    open_at("Europe/Moscow", 0, "2024-01-01T12:00:00");
    fixture_reopen(&fixture); /* before the schedule began */
    cr_assert_null(advance());
    fixture_reopen(&fixture); /* waiting */
    fixture.now_ms += HOUR_MS;
    cr_assert_null(advance());
    expect_next("2024-01-01");
    fixture.now_ms = utc("2024-01-01T21:00:00");
    expect_begun("2024-01-01");
    fixture_reopen(&fixture); /* under way */
    end_silent(expect_begun("2024-01-01"));
    fixture_reopen(&fixture); /* after a failure */
    cr_assert_null(advance());
    cr_assert_eq(schedule().failures, 1);
    fixture.now_ms += 999;
    fixture_rebuild(&fixture);
    cr_assert_null(advance());
    fixture.now_ms += 1;
    end_silent(expect_begun("2024-01-01"));
    cr_assert_eq(schedule().retry_at, fixture.now_ms + 2000, "the failures are remembered");
    fixture.now_ms += 2000;
    fixture_reopen(&fixture);
    end_paid(expect_begun("2024-01-01"), 1, 100);
    fixture_rebuild(&fixture); /* done */
    cr_assert_null(advance());
    expect_next("2024-01-02");
    cr_assert_eq(fixture_head(&fixture), 3);
}

Test(payment_schedule, work_that_was_not_run_to_its_end_is_begun_again)
{
    open_at("Europe/Moscow", 0, "2024-01-01T12:00:00");
    cr_assert_null(advance());
    fixture.now_ms = utc("2024-01-01T21:00:00");
    fixture_end_begun(&fixture, expect_begun("2024-01-01"), NULL);
    cr_assert_eq(fixture_head(&fixture), 0);
    end_with(expect_begun("2024-01-01"), (struct payment_pay_output){.status = -ECANCELED});
    cr_assert_eq(fixture_head(&fixture), 0, "stopping is no failure");
    end_paid(expect_begun("2024-01-01"), 1, 100);
    expect_next("2024-01-02");
}

Test(payment_schedule, a_date_that_was_closed_by_hand_counts_as_done)
{
    open_at("Europe/Moscow", 0, "2024-01-01T12:00:00");
    cr_assert_null(advance());
    follow_closed("2023-12-31"); /* of no interest, as is one that is not the next */
    follow_closed("2024-01-02");
    expect_next("2024-01-01");
    follow_closed("2024-01-01");
    expect_next("2024-01-02");
    cr_assert_not(schedule().has_last_run);
    cr_assert_null(advance_to(utc("2024-01-01T21:00:00")));
    fixture.now_ms = utc("2024-01-02T21:00:00");
    end_silent(expect_begun("2024-01-02"));
    follow_closed("2024-01-02");
    expect_next("2024-01-03");
    cr_assert(schedule().failures == 0 && !schedule().has_retry_at);
    cr_assert_null(advance_to(utc("2024-01-03T20:59:59")));
}

Test(payment_schedule, a_date_that_is_closed_while_its_run_is_under_way)
{
    open_at("Europe/Moscow", 0, "2024-01-01T12:00:00");
    cr_assert_null(advance());
    fixture.now_ms = utc("2024-01-05T00:00:00");
    struct ates_begun *begun = expect_begun("2024-01-01");
    follow_closed("2024-01-01"); /* the run's own payout, heard of before its answer */
    expect_next("2024-01-02");
    cr_assert_null(advance(), "still under way");
    end_paid(begun, 3, 4500);
    expect_run("2024-01-01", PAYMENT_PAID);
    begun = expect_begun("2024-01-02");
    follow_closed("2024-01-02");
    end_silent(begun);
    cr_assert_eq(fixture_head(&fixture), 1, "it is done: no failure");
    cr_assert_eq(schedule().failures, 0);
    expect_begun("2024-01-03");
}

Test(payment_schedule, a_schedule_that_hears_of_payouts_before_it_begins)
{
    open_at("Europe/Moscow", 0, "2024-01-01T12:00:00");
    follow_closed("2023-12-31");
    expect_next("2024-01-01"); /* as it will begin */
    cr_assert_null(advance());
    expect_next("2024-01-01");
}

/* A random life: the clock runs, jumps and is set back, accounting answers, refuses and is silent,
 * the service is restarted and made anew. Every date that a payment_run says is done is the one after
 * the one before. */
Test(payment_schedule, a_random_life_closes_every_date_once_and_in_order)
{
    open_at("Europe/Berlin", 0, "2024-03-20T12:00:00");
    cr_assert_null(advance());
    const ates_day first = day_of("2024-03-20");
    ates_day done = first - 1;
    uint64_t failures = 0;
    int64_t latest = fixture.now_ms;
    struct ates_begun *begun = NULL;

    for (int i = 0; i < 3000; i++) {
        const uint64_t drawn = fixture_draw(&fixture, 100);

        if (drawn < 45) {
            fixture.now_ms += (int64_t)fixture_draw(&fixture, 6 * HOUR_MS);
        } else if (drawn < 47) {
            fixture.now_ms += (int64_t)fixture_draw(&fixture, 3 * DAY_MS);
        } else if (drawn < 50) {
            fixture.now_ms -= (int64_t)fixture_draw(&fixture, 3 * DAY_MS);
        } else if (drawn < 53) {
            fixture_reopen(&fixture);
            begun = NULL;
        } else if (drawn < 54) {
            fixture_rebuild(&fixture);
            begun = NULL;
        } else if (begun != NULL && drawn < 60) {
            end_silent(begun);
            failures++;
            begun = NULL;
        } else if (begun != NULL && drawn < 64) {
            end_refused(begun, ATES_UNAVAILABLE, "PAYOUT_RUNNING", 500);
            failures++;
            begun = NULL;
        } else if (begun != NULL) {
            end_paid(begun, 1, 1);
            done++;
            failures = 0;
            begun = NULL;
        }
        latest = fixture.now_ms > latest ? fixture.now_ms : latest;
        struct ates_begun *next = advance();
        cr_assert(begun == NULL || next == NULL);
        if (next != NULL) {
            begun = next;
            cr_assert_eq((ates_day)begun->id, done + 1, "step %d", i);
            cr_assert_leq(ates_day_start(done + 2), latest, "step %d: before its time", i);
        }
        const struct payment_show_schedule_result shown = schedule();
        char date[ATES_DATE_SIZE];
        ates_day_format(done + 1, date);
        text_is(shown.next_business_date, date);
        cr_assert_eq(shown.failures, failures);
        ates_arena_reset(fixture.arena);
    }
    cr_assert_gt(done - first, 30);
}
