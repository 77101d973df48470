/* Payment's engine for its tests, with a test in accounting's place: what was begun is taken and
 * ended by hand. Invariant: the step runs only when the loop would run it, so a wake that is missing
 * shows. */
#ifndef ATES_TEST_PAYMENT_FIXTURE_H
#define ATES_TEST_PAYMENT_FIXTURE_H

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <ates/accounting.h>
#include <ates/payment.h>
#include <criterion/criterion.h>

#include "core/calendar.h"
#include "payment/payment.h"
#include "payment/payment_run.h"
#include "payment/payment_state.h"
#include "support/engine_fixture.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS INT64_C(3600000)
#define DAY_MS INT64_C(86400000)

static struct fixture fixture; /* each test has a process of its own */

/* Unix ms of "YYYY-MM-DDTHH:MM:SS" in UTC. */
static inline int64_t utc(const char *text)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

    cr_assert(end != NULL && *end == '\0', "%s", text);
    return timegm(&tm) * INT64_C(1000);
}

static inline ates_day day_of(const char *date)
{
    ates_day day = 0;

    cr_assert_eq(ates_day_parse(date, strlen(date), &day), 0, "%s", date);
    return day;
}

/* A new engine at this time; nothing has run yet. */
static inline void open_at(const char *zone, int64_t payday_ms, const char *now)
{
    fixture_open(&fixture, &payment_domain);
    cr_assert_eq(ates_calendar_open(zone), 0);
    fixture.config.payday_ms = payday_ms;
    fixture.now_ms = utc(now);
    fixture_reopen(&fixture);
}

static inline void close_fixture(void)
{
    fixture_check_rebuild(&fixture);
    fixture_close(&fixture);
}

/* Lets the domain do what it wants to now; the work that it began, NULL where there is none. */
static inline struct ates_begun *advance(void)
{
    for (int steps = 0; ates_engine_has_steps(fixture.engine); steps++) {
        fixture_step(&fixture);
        cr_assert_lt(steps, 100, "the steps do not end");
    }
    return fixture_take_begun(&fixture);
}

static inline struct ates_begun *advance_to(int64_t now_ms)
{
    fixture.now_ms = now_ms;
    return advance();
}

/* The work that closes this date is begun now. */
static inline struct ates_begun *expect_begun(const char *date)
{
    struct ates_begun *begun = advance();
    char other[ATES_DATE_SIZE];

    cr_assert_not_null(begun, "%s is not begun", date);
    ates_day_format((ates_day)begun->id, other);
    cr_assert_eq(begun->work, &payment_pay_work);
    cr_assert_str_eq(other, date);
    cr_assert_eq(((const struct payment_pay_input *)begun->input)->day, day_of(date));
    cr_assert_null(fixture_take_begun(&fixture), "one at a time");
    return begun;
}

static inline void end_with(struct ates_begun *begun, struct payment_pay_output output)
{
    output.day = (ates_day)begun->id;
    fixture_end_begun(&fixture, begun, &output);
}

static inline void end_paid(struct ates_begun *begun, uint64_t paid_count, int64_t total_cents)
{
    end_with(begun,
             (struct payment_pay_output){.paid_count = paid_count, .total_cents = total_cents});
}

static inline void end_refused(struct ates_begun *begun, enum ates_status status,
                               const char *reason, uint32_t retry_after_ms)
{
    struct payment_pay_output output = {.status = (int)status};

    ates_refusal_set(&output.refusal, status, reason, NULL, "so it is");
    output.refusal.retry_after_ms = retry_after_ms;
    end_with(begun, output);
}

static inline void end_silent(struct ates_begun *begun)
{
    end_with(begun, (struct payment_pay_output){.status = -ETIMEDOUT});
}

static inline struct ates_caller accountant(void)
{
    return fixture_caller(99, ATES_ACCOUNTANT);
}

static inline struct payment_show_schedule_result schedule(void)
{
    struct payment_show_schedule_result result;

    fixture_do(&fixture, accountant(), "show_schedule", NULL, &result);
    return result;
}

static inline void text_is(struct ates_text text, const char *expected)
{
    cr_assert(ates_text_equal(text, ates_text_from(expected)), "'%.*s' is not '%s'", (int)text.size,
              text.data, expected);
}

static inline void expect_next(const char *date)
{
    text_is(schedule().next_business_date, date);
}

/* The last event is this run. */
static inline struct payment_payment_run expect_run(const char *date, enum payment_status status)
{
    struct payment_payment_run run;

    fixture_event(&fixture, fixture_head(&fixture), &payment_payment_run_message, &run);
    text_is(run.business_date, date);
    cr_assert_str_eq(payment_status_names[run.status], payment_status_names[status]);
    return run;
}

/* Accounting's word that a date is closed. */
static inline void follow_closed(const char *date)
{
    const struct accounting_payout_closed closed = {
        .business_date = ates_text_from(date), .paid_count = 3, .total_cents = 4500};

    cr_assert_eq(fixture_follow(&fixture, "accounting", &accounting_payout_closed_message, 1,
                                fixture.now_ms, &closed),
                 0);
}

#endif
