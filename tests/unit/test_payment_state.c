/* That payment's check finds a row that contradicts itself. */
#include "support/payment_fixture.h"

static void open_fixture(void)
{
    open_at("Europe/Moscow", 0, "2024-01-01T12:00:00");
}

static void close_without_check(void)
{
    fixture_close(&fixture);
}

TestSuite(payment_state, .init = open_fixture, .fini = close_without_check, .timeout = 60);

/* error_part: what the check must say; NULL where it must find nothing. */
static void expect_check(const char *error_part)
{
    char error[256] = "";
    const int r = payment_domain.check(ates_engine_txn(fixture.engine), error, sizeof error);

    if (error_part == NULL) {
        cr_assert_eq(r, 0, "%s", error);
    } else {
        cr_assert(r == -EBADMSG && strstr(error, error_part) != NULL, "%d '%s' is not '%s'", r,
                  error, error_part);
    }
}

static void put(const struct payment_schedule *schedule)
{
    cr_assert_eq(payment_state_put_schedule(ates_engine_txn(fixture.engine), schedule), 0);
}

Test(payment_state, a_schedule_comes_back_as_it_was_put)
{
    const struct payment_schedule put_in = {
        .has_next_business_date = true,
        .next_business_date = ates_text_from("2024-02-29"),
        .failures = 3,
        .has_retry_at = true,
        .retry_at = 1709154000123,
        .has_last_run = true,
        .last_run = {.business_date = ates_text_from("2024-02-28"),
                     .at = 1709067600123,
                     .status = PAYMENT_FAILED,
                     .has_error = true,
                     .error = ates_text_from("WORKERS_BUSY: too much")},
    };
    struct payment_schedule got;

    cr_assert_eq(payment_state_get_schedule(ates_engine_txn(fixture.engine), &got), 0);
    cr_assert_not(got.has_next_business_date || got.has_retry_at || got.has_last_run);
    cr_assert_eq(got.failures, 0);
    put(&put_in);
    cr_assert_eq(payment_state_get_schedule(ates_engine_txn(fixture.engine), &got), 0);
    text_is(got.next_business_date, "2024-02-29");
    cr_assert(got.failures == 3 && got.retry_at == put_in.retry_at);
    text_is(got.last_run.business_date, "2024-02-28");
    text_is(got.last_run.error, "WORKERS_BUSY: too much");
    cr_assert_eq(got.last_run.at, put_in.last_run.at);
    expect_check(NULL);
}

Test(payment_state, check_finds_what_contradicts_itself)
{
    struct ates_txn *txn = ates_engine_txn(fixture.engine);
    const struct ates_key key = {.size = 8, .data = "schedule"}, other = ates_key_u64(1);
    struct payment_schedule schedule = {.has_next_business_date = true,
                                        .next_business_date = ates_text_from("2024-01-01")};

    expect_check(NULL); /* before the first step */
    put(&schedule);
    expect_check(NULL);
    schedule.failures = 1;
    put(&schedule);
    expect_check("the time of the next try do not go together");
    schedule.has_retry_at = true;
    put(&schedule);
    expect_check("failures, but no last run");
    schedule.has_last_run = true;
    schedule.last_run = (struct payment_last_run){.business_date = ates_text_from("2024-01-01"),
                                                  .status = PAYMENT_FAILED};
    put(&schedule);
    expect_check("its error do not go together");
    schedule.last_run.has_error = true;
    put(&schedule);
    expect_check(NULL);
    schedule.last_run.paid_count = 1;
    put(&schedule);
    expect_check("counts payouts");
    schedule.last_run.paid_count = 0;
    schedule.last_run.total_cents = -1;
    put(&schedule);
    expect_check("counts payouts");
    schedule.last_run.total_cents = 0;
    schedule.last_run.status = PAYMENT_PAID;
    put(&schedule);
    expect_check("its error do not go together");
    schedule.last_run.has_error = false;
    put(&schedule);
    expect_check(NULL);
    cr_assert_eq(ates_put(txn, ATES_TABLE_DOMAIN, &other, "x", 1), 0);
    expect_check("more than one row");
    cr_assert_eq(ates_delete(txn, ATES_TABLE_DOMAIN, &key), 0);
    expect_check("broken or missing");
    cr_assert_eq(ates_delete(txn, ATES_TABLE_DOMAIN, &other), 0);
    expect_check(NULL);
    cr_assert_eq(ates_put(txn, ATES_TABLE_DOMAIN, &key, "x", 1), 0);
    expect_check("broken or missing");
}
