/* Payment's commands: what the schedule shows, and a date closed by hand, over a real call to a
 * service in accounting's place. */
#include "support/payment_fixture.h"

#include <stdlib.h>

#include "support/fake_service.h"

static struct fake_service accounting = {.name = "accounting"};

static void open_fixture(void)
{
    open_at("Europe/Moscow", 0, "2024-02-28T12:00:00");
    strcpy(accounting.run_dir, fixture.folder);
}

TestSuite(payment, .init = open_fixture, .fini = close_fixture, .timeout = 120);

static bool had_been_closed;
static struct {
    bool dry_run;
    bool has_request_id;
} heard;

/* Closes whatever date is asked for: as many cents as the day of the month. */
static void pay(struct fake_service *self, const struct fake_request *request)
{
    struct ates_arena *arena = ates_arena_new();
    struct accounting_pay_to_workers command;
    struct ates_buffer body = {0};

    cr_assert_eq(ates_message_decode(&accounting_pay_to_workers_message,
                                     request->data[request->first + 3],
                                     request->size[request->first + 3], ATES_UNKNOWN_REFUSED, arena,
                                     &command, NULL),
                 0);
    heard.dry_run = command.dry_run;
    const uint8_t *meta = request->data[request->first + 2];
    heard.has_request_id =
        memmem(meta, request->size[request->first + 2], "request_id", 10) != NULL;
    const struct accounting_pay_to_workers_result result = {
        .business_date = command.business_date,
        .paid_count = 1,
        .total_cents = atoi(command.business_date.data + 8),
        .has_already_closed = had_been_closed,
        .already_closed = had_been_closed};
    ates_message_encode(&accounting_pay_to_workers_result_message, &result, &body);
    fake_send_reply(self, request, "OK", body.data, body.size);
    ates_buffer_release(&body);
    ates_arena_free(&arena);
}

static void refuse(struct fake_service *self, const struct fake_request *request,
                   const char *status, const char *reason)
{
    struct ates_buffer body = {0};
    const struct ates_refusal_body refusal = {
        .reason = ates_text_from(reason),
        .message = ates_text_from("business_date: so it is"),
        .has_field = true,
        .field = ates_text_from("business_date"),
        .has_retry_after_ms = true,
        .retry_after_ms = 750,
    };

    ates_message_encode(&ates_refusal_body_message, &refusal, &body);
    fake_send_reply(self, request, status, body.data, body.size);
    ates_buffer_release(&body);
}

static void refuse_future(struct fake_service *self, const struct fake_request *request)
{
    refuse(self, request, "INVALID_ARGUMENT", "DATE_IN_FUTURE");
}

static void refuse_nothing(struct fake_service *self, const struct fake_request *request)
{
    refuse(self, request, "FAILED_PRECONDITION", "NO_TRANSFERS");
}

static void refuse_token(struct fake_service *self, const struct fake_request *request)
{
    refuse(self, request, "UNAUTHENTICATED", "TOKEN_INVALID");
}

static void refuse_role(struct fake_service *self, const struct fake_request *request)
{
    refuse(self, request, "PERMISSION_DENIED", "ROLE_NOT_ALLOWED");
}

static int run(const struct payment_run_payment *body, fake_behaviour *behave,
               struct payment_run_payment_result *result)
{
    fake_service_start(&accounting, behave);
    const int r = fixture_invoke(&fixture, accountant(), "run_payment", body, result);
    fake_service_stop(&accounting);
    return r;
}

/* By hand, for this date (NULL: none given). */
static int run_payment(const char *date, fake_behaviour *behave,
                       struct payment_run_payment_result *result)
{
    const struct payment_run_payment body = {
        .has_business_date = date != NULL,
        .business_date = ates_text_from(date != NULL ? date : ""),
    };

    return run(&body, behave, result);
}

static void expect_paid(const char *asked, const char *date, int64_t total_cents)
{
    struct payment_run_payment_result result;

    cr_assert_eq(run_payment(asked, pay, &result), ATES_OK, "%s", fixture.refusal.message);
    text_is(result.business_date, date);
    cr_assert(result.paid_count == 1 && result.total_cents == total_cents);
    cr_assert(!result.has_already_closed && !heard.dry_run && heard.has_request_id);
    cr_assert_eq(expect_run(date, PAYMENT_PAID).total_cents, total_cents);
    text_is(schedule().last_run.business_date, date);
}

Test(payment, the_schedule_shows_before_it_has_begun)
{
    const struct payment_show_schedule_result shown = schedule();

    text_is(shown.next_business_date, "2024-02-28");
    cr_assert_eq(shown.next_run_at, utc("2024-02-28T21:00:00"));
    cr_assert(!shown.has_retry_at && shown.failures == 0 && !shown.has_last_run);
    fixture.now_ms += 2 * DAY_MS;
    expect_next("2024-03-01"); /* it has not begun */
    cr_assert_null(advance());
    fixture.now_ms += 2 * DAY_MS;
    expect_next("2024-03-01");
}

Test(payment, the_schedule_shows_its_last_run)
{
    cr_assert_null(advance());
    fixture.now_ms = utc("2024-02-28T21:00:07");
    end_paid(expect_begun("2024-02-28"), 12, 345);
    fixture.now_ms += HOUR_MS;
    const struct payment_show_schedule_result shown = schedule();
    text_is(shown.next_business_date, "2024-02-29");
    cr_assert_eq(shown.next_run_at, utc("2024-02-29T21:00:00"));
    cr_assert(shown.has_last_run && shown.last_run.status == PAYMENT_PAID);
    text_is(shown.last_run.business_date, "2024-02-28");
    cr_assert_eq(shown.last_run.at, utc("2024-02-28T21:00:07"));
    cr_assert(shown.last_run.paid_count == 12 && shown.last_run.total_cents == 345);
    cr_assert_not(shown.last_run.has_error);
}

Test(payment, by_hand_before_the_schedule_closes_today)
{
    cr_assert_null(advance());
    expect_paid(NULL, "2024-02-28", 28);
    expect_next("2024-02-29");
    cr_assert_null(advance_to(utc("2024-02-28T21:00:00")));
    fixture.now_ms = utc("2024-02-29T21:00:00");
    expect_begun("2024-02-29");
}

Test(payment, by_hand_where_a_date_is_overdue_closes_that)
{
    cr_assert_null(advance());
    fixture.now_ms = utc("2024-02-29T12:00:00");
    end_silent(expect_begun("2024-02-28"));
    expect_paid(NULL, "2024-02-28", 28);
    cr_assert(schedule().failures == 0 && !schedule().has_retry_at);
    expect_next("2024-02-29");
    expect_paid(NULL, "2024-02-29", 29);
    expect_next("2024-03-01");
    expect_paid(NULL, "2024-02-29", 29); /* today again: accounting tells what it was */
    expect_next("2024-03-01");
}

Test(payment, by_hand_after_the_schedule_repeats_its_answer)
{
    cr_assert_null(advance());
    fixture.now_ms = utc("2024-02-28T21:00:00");
    end_paid(expect_begun("2024-02-28"), 1, 28);
    expect_paid("2024-02-28", "2024-02-28", 28);
    expect_next("2024-02-29");
    cr_assert_null(advance());
}

Test(payment, by_hand_a_date_that_had_been_closed_is_no_new_run)
{
    struct payment_run_payment_result result;

    expect_paid("2024-02-27", "2024-02-27", 27);
    const uint64_t head = fixture_head(&fixture);
    had_been_closed = true;
    cr_assert_eq(run_payment("2024-02-26", pay, &result), ATES_OK);
    text_is(result.business_date, "2024-02-26");
    cr_assert(result.paid_count == 1 && result.total_cents == 26 && result.already_closed);
    cr_assert_eq(fixture_head(&fixture), head);
    text_is(schedule().last_run.business_date, "2024-02-27");
}

Test(payment, by_hand_a_dry_run_tells_the_date_and_the_sum_alone)
{
    const struct payment_run_payment dry = {.has_dry_run = true, .dry_run = true};
    struct payment_run_payment_result result;

    cr_assert_null(advance());
    fixture.now_ms = utc("2024-03-01T12:00:00");
    end_silent(expect_begun("2024-02-28"));
    const uint64_t head = fixture_head(&fixture);
    cr_assert_eq(run(&dry, pay, &result), ATES_OK, "%s", fixture.refusal.message);
    text_is(result.business_date, "2024-02-28");
    cr_assert(result.paid_count == 1 && result.total_cents == 28 && !result.has_already_closed);
    cr_assert(heard.dry_run && !heard.has_request_id, "which belongs to the payout");
    cr_assert_eq(fixture_head(&fixture), head);
    cr_assert_not(schedule().last_run.status == PAYMENT_PAID);
    expect_paid(NULL, "2024-02-28", 28);
}

Test(payment, by_hand_another_date_leaves_the_schedule_where_it_is)
{
    cr_assert_null(advance());
    fixture.now_ms = utc("2024-03-01T12:00:00");
    struct ates_begun *begun = expect_begun("2024-02-28");
    expect_paid("2024-02-29", "2024-02-29", 29);
    expect_next("2024-02-28");
    end_silent(begun);
    cr_assert_eq(schedule().failures, 1);
    expect_paid("2024-02-29", "2024-02-29", 29);
    cr_assert_eq(schedule().failures, 1, "the next date's failures stay");
    fixture.now_ms += 1000;
    end_paid(expect_begun("2024-02-28"), 1, 28);
    end_paid(expect_begun("2024-02-29"), 1, 29);
    expect_next("2024-03-01");
}

/* The last run is of a date that the schedule comes to only now. */
Test(payment, by_hand_ahead_of_a_date_that_was_closed_elsewhere)
{
    cr_assert_null(advance());
    fixture.now_ms = utc("2024-03-01T12:00:00");
    end_silent(expect_begun("2024-02-28"));
    expect_paid("2024-02-29", "2024-02-29", 29);
    follow_closed("2024-02-28");
    fixture_check_rebuild(&fixture);
    end_paid(expect_begun("2024-02-29"), 1, 29);
    expect_next("2024-03-01");
}

Test(payment, by_hand_while_the_schedules_own_run_is_under_way)
{
    cr_assert_null(advance());
    fixture.now_ms = utc("2024-02-28T21:00:00");
    struct ates_begun *begun = expect_begun("2024-02-28");
    expect_paid(NULL, "2024-02-28", 28);
    expect_next("2024-02-29");
    cr_assert_null(advance());
    end_paid(begun, 1, 28); /* the stored answer */
    expect_next("2024-02-29");
    cr_assert_null(advance());
    cr_assert_eq(fixture_head(&fixture), 2);
}

Test(payment, by_hand_before_the_first_step)
{
    expect_paid(NULL, "2024-02-28", 28);
    cr_assert_null(advance());
    fixture.now_ms = utc("2024-02-28T21:00:00");
    end_paid(expect_begun("2024-02-28"), 1, 28);
    expect_next("2024-02-29");
}

static void expect_refusal(const char *date, fake_behaviour *behave, enum ates_status status,
                           const char *reason)
{
    const uint64_t head = fixture_head(&fixture);

    cr_assert_eq(run_payment(date, behave, NULL), (int)status);
    cr_assert_eq(fixture.refusal.status, status);
    cr_assert_str_eq(fixture.refusal.reason, reason);
    cr_assert_str_eq(fixture.refusal.message, "business_date: so it is");
    cr_assert_str_eq(fixture.refusal.field, "business_date");
    cr_assert_eq(fixture.refusal.retry_after_ms, 750);
    cr_assert_eq(fixture_head(&fixture), head, "a refusal changes nothing");
    expect_next("2024-02-28");
}

Test(payment, by_hand_accountings_refusals_are_payments)
{
    cr_assert_null(advance());
    expect_refusal("2024-03-05", refuse_future, ATES_INVALID_ARGUMENT, "DATE_IN_FUTURE");
    expect_refusal(NULL, refuse_nothing, ATES_FAILED_PRECONDITION, "NO_TRANSFERS");
    /* of payment's token, not of the caller's */
    expect_refusal(NULL, refuse_token, ATES_UNAVAILABLE, "TOKEN_INVALID");
    expect_refusal(NULL, refuse_role, ATES_UNAVAILABLE, "ROLE_NOT_ALLOWED");
}

static void garble(struct fake_service *self, const struct fake_request *request)
{
    fake_send_reply(self, request, "OK", "\xc0", 1);
}

Test(payment, by_hand_without_an_answer_nothing_is_known)
{
    cr_assert_null(advance());
    cr_assert_eq(run_payment(NULL, garble, NULL), ATES_UNAVAILABLE);
    cr_assert_str_eq(fixture.refusal.reason, "ACCOUNTING_UNREACHABLE");
    cr_assert_eq(fixture_head(&fixture), 0);
    cr_assert_not(schedule().has_last_run);
    expect_paid(NULL, "2024-02-28", 28);
}

Test(payment, follows_the_users)
{
    fixture_change_user(&fixture, 5, ATES_ACCOUNTANT, true);
    struct ates_user_changed user;
    const struct ates_key key = ates_key_u64(5);

    cr_assert_eq(ates_get_message(ates_engine_txn(fixture.engine), ATES_TABLE_USERS, &key,
                                  &ates_user_changed_message, &user),
                 0);
    cr_assert(user.disabled);
}
