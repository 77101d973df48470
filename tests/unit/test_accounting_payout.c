/* Closing business dates: who is paid what, once, whatever happens in between. */
#include "accounting/accounting_payout.h"
#include "support/payout_fixture.h"

TestSuite(accounting_payout, .init = open_payouts, .fini = close_payouts, .timeout = 300);

#define TOMORROW "2023-11-16"
#define YESTERDAY "2023-11-14"

Test(accounting_payout, a_payout_is_a_transfer_an_event_and_a_mail_each)
{
    fixture_register_user(&fixture, 5, ATES_DEVELOPER);
    const int64_t cents = earn(FIXTURE_TIME, 5);
    const uint64_t head = fixture_head(&fixture);
    struct accounting_transfer_recorded recorded;
    struct accounting_payout_closed closed;

    fixture.now_ms += DAY_MS;
    payout_is(pay(TODAY), TODAY, 1, cents);
    cr_assert_eq(fixture_head(&fixture), head + 2);
    fixture_event(&fixture, head + 1, &accounting_transfer_recorded_message, &recorded);
    cr_expect_eq(recorded.transfer.user_id, 5);
    cr_expect_eq(recorded.transfer.kind, ACCOUNTING_PAYOUT);
    cr_expect_eq(recorded.transfer.delta_cents, -cents);
    cr_expect_eq(recorded.transfer.balance_cents, 0);
    cr_expect_eq(recorded.transfer.timestamp, fixture.now_ms);
    cr_expect_not(recorded.transfer.has_task_id);
    text_is(recorded.transfer.business_date, TODAY);
    text_is(recorded.transfer.description, "Payout for " TODAY);
    fixture_event(&fixture, head + 2, &accounting_payout_closed_message, &closed);
    text_is(closed.business_date, TODAY);
    cr_expect(closed.paid_count == 1 && closed.total_cents == cents);
    const struct ates_envelope envelope = fixture_envelope(&fixture, head + 2);
    text_is(envelope.cause.command, "accounting.pay_to_workers");
    cr_expect_eq(envelope.cause.user_id, 99);
    cr_expect_eq(balance_of(5).balance_cents, 0);
    cr_assert_eq(count_mails(), 1);
    const struct accounting_mail_row mail = mail_row(1);
    cr_expect(mail.user_id == 5 && mail.paid_cents == cents);
    cr_expect_eq(mail.state, ACCOUNTING_MAIL_QUEUED);
    text_is(mail.to, "user5@uberpopug.example");
    text_is(mail.business_date, TODAY);
    fixture_check_rebuild(&fixture);
}

Test(accounting_payout, a_date_is_closed_once)
{
    const int64_t cents = earn(FIXTURE_TIME, 5);

    struct ates_outcome outcome = ask_to_pay(TODAY, "payout-1");
    cr_assert_eq(outcome.status, ATES_OK);
    const uint64_t job = outcome.job;
    cr_assert_neq(job, 0);
    run_steps();
    const uint64_t head = fixture_head(&fixture);
    payout_is(pay(TODAY), TODAY, 1, cents);
    payout_is(pay(NULL), TODAY, 1, cents);
    payout_is(would_pay(TODAY), TODAY, 1, cents);
    cr_expect(pay(TODAY).already_closed && would_pay(TODAY).already_closed);
    outcome = ask_to_pay(TODAY, "payout-1");
    cr_expect(outcome.status == ATES_OK && outcome.replayed && outcome.job == 0);
    struct accounting_pay_to_workers_result result;
    cr_assert_eq(ates_message_decode(&accounting_pay_to_workers_result_message, outcome.reply.data,
                                     outcome.reply.size, ATES_UNKNOWN_REFUSED, fixture.arena,
                                     &result, NULL),
                 0);
    payout_is(result, TODAY, 1, cents);
    cr_expect_not(result.has_already_closed, "this request closed it");
    outcome = ask_to_pay(TODAY, "payout-2");
    cr_expect(outcome.status == ATES_OK && !outcome.replayed && outcome.job == 0);
    cr_expect_eq(fixture_head(&fixture), head);
    fixture_check_rebuild(&fixture);
    outcome = ask_to_pay(TODAY, "payout-1");
    cr_expect(outcome.status == ATES_OK && outcome.replayed, "known after a rebuild");
    payout_is(pay(TODAY), TODAY, 1, cents);
    cr_expect_eq(count_mails(), 1);
}

Test(accounting_payout, dates_that_cannot_be_closed)
{
    const struct accounting_pay_to_workers tomorrow = command_to_pay(TOMORROW, false),
                                           later = command_to_pay("9999-12-31", true),
                                           today = command_to_pay(NULL, false),
                                           before = command_to_pay(YESTERDAY, false),
                                           dry = command_to_pay("1970-01-01", true),
                                           none = command_to_pay("2023-02-29", false);
    const char *const refused = "NO_TRANSFERS";

    fixture_refused(&fixture, accountant(), "pay_to_workers", &today, ATES_FAILED_PRECONDITION,
                    refused);
    cr_expect_str_eq(fixture.refusal.field, "business_date");
    fixture_refused(&fixture, accountant(), "pay_to_workers", &before, ATES_FAILED_PRECONDITION,
                    refused);
    earn(FIXTURE_TIME, 5);
    const uint64_t head = fixture_head(&fixture);
    fixture_refused(&fixture, accountant(), "pay_to_workers", &before, ATES_FAILED_PRECONDITION,
                    refused);
    fixture_refused(&fixture, accountant(), "pay_to_workers", &dry, ATES_FAILED_PRECONDITION,
                    refused);
    fixture_refused(&fixture, accountant(), "pay_to_workers", &tomorrow, ATES_INVALID_ARGUMENT,
                    "DATE_IN_FUTURE");
    cr_expect_str_eq(fixture.refusal.field, "business_date");
    fixture_refused(&fixture, accountant(), "pay_to_workers", &later, ATES_INVALID_ARGUMENT,
                    "DATE_IN_FUTURE");
    fixture_refused(&fixture, accountant(), "pay_to_workers", &none, ATES_INVALID_ARGUMENT,
                    "FIELD_INVALID");
    /* Up to the last millisecond before the midnight of Moscow. */
    fixture.now_ms = ates_day_start(ates_day_at(FIXTURE_TIME) + 1) - 1;
    fixture_refused(&fixture, accountant(), "pay_to_workers", &tomorrow, ATES_INVALID_ARGUMENT,
                    "DATE_IN_FUTURE");
    cr_expect_eq(fixture_head(&fixture), head);
    fixture.now_ms++;
    text_is(pay(TOMORROW).business_date, TOMORROW);
    fixture_check_rebuild(&fixture);
}

/* Before tasks' first events are booked, nothing is known of any date. */
Test(accounting_payout, a_date_without_transfers_is_refused_only_once_tasks_is_heard)
{
    const struct accounting_pay_to_workers today = command_to_pay(TODAY, false);

    tasks_ahead = 2;
    set_tasks_head();
    fixture_refused(&fixture, accountant(), "pay_to_workers", &today, ATES_UNAVAILABLE,
                    "TASKS_BEHIND");
    cr_expect_gt(fixture.refusal.retry_after_ms, 0);
    tasks_ahead = 0;
    set_tasks_head();
    fixture_refused(&fixture, accountant(), "pay_to_workers", &today, ATES_FAILED_PRECONDITION,
                    "NO_TRANSFERS");
    const int64_t cents = earn(FIXTURE_TIME, 5);
    payout_is(pay(TODAY), TODAY, 1, cents);
}

Test(accounting_payout, a_later_date_closes_the_earlier_ones)
{
    const int64_t first = earn(FIXTURE_TIME, 5), second = earn(FIXTURE_TIME + 2 * DAY_MS, 5);

    fixture.now_ms += 4 * DAY_MS;
    payout_is(pay("2023-11-17"), "2023-11-17", 1, first + second);
    payout_is(pay(TODAY), TODAY, 0, 0);
    payout_is(pay(TOMORROW), TOMORROW, 0, 0); /* nothing was ever booked to it */
    payout_is(pay("2023-11-18"), "2023-11-18", 0, 0);
    cr_expect_eq(count_mails(), 1);
    fixture_check_rebuild(&fixture);
}

Test(accounting_payout, a_dry_run_tells_what_is_then_paid)
{
    int64_t cents = 0;
    uint8_t before[ATES_HASH_SIZE], after[ATES_HASH_SIZE];

    for (uint64_t user_id = 5; user_id < 15; user_id++) {
        cents += earn(FIXTURE_TIME, user_id);
        owe(FIXTURE_TIME + DAY_MS, user_id);
        owe(FIXTURE_TIME, 20 + user_id);
    }
    fixture.now_ms += DAY_MS;
    const uint64_t head = fixture_head(&fixture);
    fixture_state_digest(&fixture, before);
    stop_tasks(); /* which it need not ask */
    payout_is(would_pay(TODAY), TODAY, 10, cents);
    payout_is(would_pay(TODAY), TODAY, 10, cents);
    fixture_state_digest(&fixture, after);
    cr_expect_arr_eq(before, after, sizeof before);
    cr_expect_eq(fixture_head(&fixture), head);
    fake_service_start(&tasks_server, tell_head);
    payout_is(pay(TODAY), TODAY, 10, cents);
    fixture_check_rebuild(&fixture);
}

Test(accounting_payout, today_is_closed_up_to_now_and_the_rest_is_tomorrows)
{
    const int64_t first = earn(FIXTURE_TIME, 5);

    payout_is(pay(NULL), TODAY, 1, first);
    fixture.now_ms += HOUR_MS;
    const int64_t second = earn(fixture.now_ms, 5);
    text_is(last_transfer().business_date, TOMORROW);
    cr_expect_eq(last_transfer().timestamp, fixture.now_ms);
    payout_is(pay(NULL), TODAY, 1, first);
    cr_expect_eq(balance_of(5).balance_cents, second);
    fixture.now_ms += DAY_MS;
    const int64_t third = earn(fixture.now_ms, 5);
    payout_is(pay(NULL), TOMORROW, 1, second + third);
    cr_expect_eq(balance_of(5).balance_cents, 0);
    fixture_check_rebuild(&fixture);
}

Test(accounting_payout, a_late_event_is_booked_to_the_first_open_date)
{
    const int64_t first = earn(FIXTURE_TIME, 5);

    fixture.now_ms += 2 * DAY_MS;
    payout_is(pay(TOMORROW), TOMORROW, 1, first);
    const int64_t late = earn(FIXTURE_TIME + 1000, 6);
    text_is(last_transfer().business_date, "2023-11-17");
    cr_expect_eq(last_transfer().timestamp, FIXTURE_TIME + 1000);
    payout_is(pay(TOMORROW), TOMORROW, 1, first);
    payout_is(pay(TODAY), TODAY, 0, 0);
    payout_is(pay(NULL), "2023-11-17", 1, late);
    fixture_check_rebuild(&fixture);
}

Test(accounting_payout, a_clock_set_back_pays_nothing_again)
{
    const int64_t first = earn(FIXTURE_TIME, 5);

    payout_is(pay(NULL), TODAY, 1, first);
    fixture.now_ms -= 3 * DAY_MS;
    payout_is(pay(NULL), TODAY, 1, first); /* time in the log never goes back */
    const int64_t second = earn(fixture.now_ms, 5);
    text_is(last_transfer().business_date, TOMORROW);
    fixture_reopen(&fixture);
    payout_is(pay(NULL), TODAY, 1, first);
    fixture.now_ms += 6 * DAY_MS;
    payout_is(pay(NULL), "2023-11-18", 1, second);
    fixture_check_rebuild(&fixture);
}

Test(accounting_payout, a_payout_waits_for_what_tasks_has_said)
{
    int64_t cents = earn(FIXTURE_TIME, 5);
    const struct accounting_pay_to_workers today = command_to_pay(TODAY, false);

    fixture.now_ms += DAY_MS;
    tasks_ahead = 4;
    struct ates_outcome outcome = ask_to_pay(TODAY, "waits");
    cr_assert(outcome.status == ATES_OK && outcome.job != 0);
    tasks_ahead = 0;
    run_steps();
    cr_expect_eq(payout_of(TODAY).phase, ACCOUNTING_PAYOUT_WAITING);
    fixture_refused(&fixture, accountant(), "pay_to_workers", &today, ATES_UNAVAILABLE,
                    "PAYOUT_RUNNING");
    cr_expect_gt(fixture.refusal.retry_after_ms, 0);
    cents += earn(FIXTURE_TIME + 1000, 5);
    text_is(last_transfer().business_date, TODAY);
    fixture_reopen(&fixture);
    run_steps();
    cr_expect_eq(payout_of(TODAY).phase, ACCOUNTING_PAYOUT_WAITING);
    fixture_check_rebuild(&fixture);
    run_steps();
    owe(FIXTURE_TIME + 1000, SINK);
    cr_expect(ates_engine_has_steps(fixture.engine), "whatever is followed wakes the step");
    run_steps();
    cr_expect_eq(payout_of(TODAY).phase, ACCOUNTING_PAYOUT_WAITING);
    cr_assert_eq(complete_task(FIXTURE_TIME + 2000, last_task_id, 5), 0);
    cents += last_transfer().delta_cents;
    run_steps();
    cr_expect_eq(payout_of(TODAY).phase, ACCOUNTING_PAYOUT_CLOSED);
    payout_is(pay(TODAY), TODAY, 1, cents);
    fixture_check_rebuild(&fixture);
}

/* An event that accounting has no interest in counts too. */
Test(accounting_payout, a_wait_ends_with_an_event_of_no_interest)
{
    struct ates_position position;

    earn(FIXTURE_TIME, 5);
    tasks_ahead = 1;
    ask_to_pay(TODAY, NULL);
    run_steps();
    cr_expect_eq(payout_of(TODAY).phase, ACCOUNTING_PAYOUT_WAITING);
    cr_assert_eq(ates_engine_position(fixture.engine, "tasks", &position), 0);
    position.seq++;
    cr_assert_eq(ates_engine_follow_position(fixture.engine, "tasks", &position), 0);
    fixture_commit(&fixture);
    run_steps();
    cr_expect_eq(payout_of(TODAY).phase, ACCOUNTING_PAYOUT_CLOSED);
}

Test(accounting_payout, without_tasks_nothing_is_closed)
{
    const struct accounting_pay_to_workers today = command_to_pay(TODAY, false);
    const int64_t cents = earn(FIXTURE_TIME, 5);
    const uint64_t head = fixture_head(&fixture);

    stop_tasks();
    fixture_refused(&fixture, accountant(), "pay_to_workers", &today, ATES_UNAVAILABLE,
                    "TASKS_UNREACHABLE");
    cr_expect_gt(fixture.refusal.retry_after_ms, 0);
    fake_service_start(&tasks_server, fake_refuse);
    fixture_refused(&fixture, accountant(), "pay_to_workers", &today, ATES_UNAVAILABLE,
                    "TASKS_UNREACHABLE");
    cr_expect_eq(run_steps() <= 1 ? fixture_head(&fixture) : 0, head);
    stop_tasks();
    fake_service_start(&tasks_server, tell_head);
    payout_is(pay(TODAY), TODAY, 1, cents);
    fixture_check_rebuild(&fixture);
}

Test(accounting_payout, users_who_are_unknown_or_disabled_are_paid_too)
{
    fixture_register_user(&fixture, 6, ATES_DEVELOPER);
    fixture_change_user(&fixture, 6, ATES_DEVELOPER, true);
    const int64_t five = earn(FIXTURE_TIME, 5), six = earn(FIXTURE_TIME, 6);

    payout_is(pay(TODAY), TODAY, 2, five + six);
    text_is(mail_row(1).to, "");
    text_is(mail_row(2).to, "user6@uberpopug.example");
    cr_expect(mail_row(1).user_id == 5 && mail_row(2).user_id == 6);
    fixture_check_rebuild(&fixture);
}

Test(accounting_payout, a_closed_date_is_told_while_another_is_being_paid)
{
    const int64_t cents = earn(FIXTURE_TIME, 5);

    payout_is(pay(TODAY), TODAY, 1, cents);
    fixture.now_ms += DAY_MS;
    earn(fixture.now_ms, 5);
    tasks_ahead = 4;
    ask_to_pay(TOMORROW, NULL);
    tasks_ahead = 0;
    run_steps();
    cr_assert_eq(payout_of(TOMORROW).phase, ACCOUNTING_PAYOUT_WAITING);
    payout_is(pay(TODAY), TODAY, 1, cents);
    payout_is(would_pay(TODAY), TODAY, 1, cents);
}
