/* The mails of payouts: what becomes of each attempt, over days and restarts. The attempts' ends are
 * the test's own; those of real ones are test_accounting_send's. */
#include "accounting/accounting_mail.h"
#include "support/mail_fixture.h"

TestSuite(accounting_mail, .init = open_payouts, .fini = close_payouts, .timeout = 300);

static void retry(uint64_t mail_id)
{
    const struct accounting_retry_mail command = {.mail_id = mail_id};

    fixture_do(&fixture, accountant(), "retry_mail", &command, NULL);
    run_steps();
}

Test(accounting_mail, a_mail_is_sent_once)
{
    struct accounting_mail_sent event;

    pay_users(1);
    mail_is(1, ACCOUNTING_MAIL_SENDING, 0, NULL);
    text_is(mail(1).to, "user1@uberpopug.example");
    cr_expect_eq(mail(1).created_at, FIXTURE_TIME);
    fixture.now_ms += 700;
    end_mail(1, &sent);
    mail_is(1, ACCOUNTING_MAIL_SENT, 1, NULL);
    cr_expect_eq(mail(1).sent_at, FIXTURE_TIME + 700);
    fixture_event(&fixture, fixture_head(&fixture), &accounting_mail_sent_message, &event);
    cr_expect(event.mail_id == 1 && event.attempts == 1);
    text_is(event.to, "user1@uberpopug.example");
    fixture.now_ms += 30 * DAY_MS;
    cr_expect(is_idle());
    fixture_check_rebuild(&fixture);
    cr_expect(is_idle());
    mail_is(1, ACCOUNTING_MAIL_SENT, 1, NULL);
}

/* As its policy says, not its code: doubled from a minute, at most six hours, five days in all. */
Test(accounting_mail, a_failed_mail_is_tried_for_five_days_ever_later)
{
    struct accounting_mail_dead event;
    int64_t delay = MINUTE_MS;
    uint64_t attempts = 1;
    const uint64_t head = (pay_users(1), fixture_head(&fixture));

    end_mail(1, &busy);
    while (fixture.now_ms - FIXTURE_TIME < 120 * HOUR_MS) {
        mail_is(1, ACCOUNTING_MAIL_QUEUED, attempts, busy.words);
        cr_expect_eq(mail(1).next_attempt_at, fixture.now_ms + delay);
        cr_assert_eq(ates_engine_wakes_in(fixture.engine), delay, "after %d", (int)attempts);
        fixture.now_ms += delay - 1;
        cr_assert(is_idle(), "before its time");
        if (attempts % 5 == 0) {
            fixture_check_rebuild(&fixture);
            cr_assert(is_idle(), "a restart keeps the times");
        }
        fixture.now_ms++;
        cr_assert_gt(run_steps(), 0);
        end_mail(1, &busy);
        attempts++;
        delay = 2 * delay < 6 * HOUR_MS ? 2 * delay : 6 * HOUR_MS;
    }
    cr_expect_gt(attempts, 20);
    mail_is(1, ACCOUNTING_MAIL_DEAD, attempts, busy.words);
    cr_assert_eq(fixture_head(&fixture), head + 1, "failures are nobody else's matter");
    fixture_event(&fixture, head + 1, &accounting_mail_dead_message, &event);
    cr_expect(event.mail_id == 1 && event.attempts == attempts);
    text_is(event.error, busy.words);
    cr_expect_eq(ates_engine_wakes_in(fixture.engine), INT64_MAX);
    fixture.now_ms += 30 * DAY_MS;
    cr_expect(is_idle());
    fixture_check_rebuild(&fixture);
}

Test(accounting_mail, the_delays_follow_the_configuration)
{
    fixture.config.mail_retry_ms = 2 * HOUR_MS;
    fixture.config.mail_give_up_ms = 24 * HOUR_MS;
    fixture_reopen(&fixture);
    pay_users(1);
    static const int64_t hours[] = {2, 4, 6, 6, 6};
    for (size_t i = 0; i < sizeof hours / sizeof hours[0]; i++) {
        end_mail(1, &busy);
        cr_expect_eq(ates_engine_wakes_in(fixture.engine), hours[i] * HOUR_MS);
        fixture.now_ms += hours[i] * HOUR_MS;
        run_steps();
    }
    end_mail(1, &busy);
    mail_is(1, ACCOUNTING_MAIL_DEAD, 6, busy.words);
}

Test(accounting_mail, a_refused_mail_is_dead_at_once)
{
    pay_users(2);
    end_mail(1, &unknown);
    mail_is(1, ACCOUNTING_MAIL_DEAD, 1, unknown.words);
    mail_is(2, ACCOUNTING_MAIL_SENDING, 0, NULL);
    end_mail(2, &sent);
    cr_expect(is_idle());
    cr_expect_eq(balance_of(1).balance_cents, 0, "money does not come back");
    fixture_check_rebuild(&fixture);
}

Test(accounting_mail, an_attempt_that_was_not_run_does_not_count)
{
    pay_users(1);
    const uint64_t head = fixture_head(&fixture);

    end_mail(1, NULL);
    mail_is(1, ACCOUNTING_MAIL_SENDING, 0, NULL); /* again */
    end_mail(1, &stopped);
    mail_is(1, ACCOUNTING_MAIL_SENDING, 0, NULL);
    cr_expect_eq(fixture_head(&fixture), head);
    end_mail(1, &sent);
    mail_is(1, ACCOUNTING_MAIL_SENT, 1, NULL);
    fixture_check_rebuild(&fixture);
}

Test(accounting_mail, a_restart_begins_again_what_was_under_way)
{
    pay_users(6);
    cr_assert_not_null(fixture_take_begun(&fixture));
    fixture_reopen(&fixture);
    run_steps();
    for (uint64_t mail_id = 1; mail_id <= 6; mail_id++) {
        end_mail(mail_id, &sent);
        mail_is(mail_id, ACCOUNTING_MAIL_SENT, 1, NULL);
    }
    cr_expect(is_idle());
    fixture_check_rebuild(&fixture);
}

Test(accounting_mail, four_are_under_way_at_most)
{
    struct ates_begun *begun[ACCOUNTING_SENDERS];
    bool seen[12] = {false};

    pay_users(11);
    for (size_t i = 0; i < ACCOUNTING_SENDERS; i++) {
        begun[i] = fixture_take_begun(&fixture);
        cr_assert_not_null(begun[i]);
        seen[begun[i]->id] = true;
    }
    cr_assert_null(fixture_take_begun(&fixture));
    cr_expect(is_idle());
    for (unsigned ended = 0; ended < 11; ended++) {
        const size_t which = ended % ACCOUNTING_SENDERS;

        cr_assert_not_null(begun[which]);
        fixture_end_begun(&fixture, begun[which], &sent);
        run_steps();
        begun[which] = fixture_take_begun(&fixture);
        cr_expect_eq(begun[which] != NULL, ended + ACCOUNTING_SENDERS < 11);
        if (begun[which] != NULL) {
            cr_expect_not(seen[begun[which]->id], "mail %d is sent twice", (int)begun[which]->id);
            seen[begun[which]->id] = true;
        }
        cr_assert_null(fixture_take_begun(&fixture));
    }
    for (uint64_t mail_id = 1; mail_id <= 11; mail_id++) {
        mail_is(mail_id, ACCOUNTING_MAIL_SENT, 1, NULL);
    }
    fixture_check_rebuild(&fixture);
}

/* More than there are senders: none of these begins work whose end would wake the step. */
Test(accounting_mail, mails_without_an_address_wait_for_one)
{
    for (uint64_t user_id = 1; user_id <= 9; user_id++) {
        earn(FIXTURE_TIME, user_id);
    }
    cr_assert_eq(pay(TODAY).paid_count, 9);
    run_steps();
    cr_assert_null(fixture_take_begun(&fixture));
    for (uint64_t mail_id = 1; mail_id <= 9; mail_id++) {
        mail_is(mail_id, ACCOUNTING_MAIL_QUEUED, 1, "no address of this user is known");
        text_is(mail(mail_id).to, "");
    }
    cr_assert_eq(ates_engine_wakes_in(fixture.engine), MINUTE_MS);
    fixture_register_user(&fixture, 3, ATES_DEVELOPER);
    fixture.now_ms += MINUTE_MS;
    run_steps();
    end_mail(3, &sent);
    mail_is(3, ACCOUNTING_MAIL_SENT, 2, "no address of this user is known");
    text_is(mail(3).to, "user3@uberpopug.example");
    mail_is(2, ACCOUNTING_MAIL_QUEUED, 2, "no address of this user is known");
    cr_assert_eq(ates_engine_wakes_in(fixture.engine), 2 * MINUTE_MS);
    fixture_check_rebuild(&fixture);
}

Test(accounting_mail, an_address_that_no_mail_can_carry_is_dead_and_the_next_ones_go_on)
{
    for (uint64_t user_id = 1; user_id <= 6; user_id++) {
        const struct ates_user_registered odd = {.user_id = user_id,
                                                 .login = ates_text_from("odd"),
                                                 .email =
                                                     ates_text_from("a,popug@uberpopug.example"),
                                                 .role = ATES_DEVELOPER};

        cr_assert_eq(fixture_follow(&fixture, "auth", &ates_user_registered_message, 1,
                                    fixture.now_ms, &odd),
                     0);
        earn(FIXTURE_TIME, user_id);
    }
    fixture_register_user(&fixture, 7, ATES_DEVELOPER);
    earn(FIXTURE_TIME, 7);
    cr_assert_eq(pay(TODAY).paid_count, 7);
    run_steps();
    for (uint64_t mail_id = 1; mail_id <= 6; mail_id++) {
        mail_is(mail_id, ACCOUNTING_MAIL_DEAD, 1, "no mail can carry this address");
    }
    end_mail(7, &sent);
    mail_is(7, ACCOUNTING_MAIL_SENT, 1, NULL);
    fixture_check_rebuild(&fixture);
}

Test(accounting_mail, retry_mail_sends_what_is_dead_or_waits)
{
    const struct accounting_retry_mail first = {.mail_id = 1}, none = {.mail_id = 4};
    const struct accounting_show_mail show_none = {.mail_id = 4};

    pay_users(3);
    end_mail(1, &unknown);
    end_mail(2, &busy);
    retry(1);
    mail_is(1, ACCOUNTING_MAIL_SENDING, 1, unknown.words);
    fixture.now_ms += 1000;
    retry(2); /* before its time */
    mail_is(2, ACCOUNTING_MAIL_SENDING, 1, busy.words);
    retry(3); /* under way */
    mail_is(3, ACCOUNTING_MAIL_SENDING, 0, NULL);
    end_mail(1, &sent);
    end_mail(2, &sent);
    end_mail(3, &sent);
    cr_expect(is_idle());
    for (uint64_t mail_id = 1; mail_id <= 3; mail_id++) {
        cr_expect_eq(mail(mail_id).state, ACCOUNTING_MAIL_SENT);
    }
    fixture_refused(&fixture, accountant(), "retry_mail", &first, ATES_FAILED_PRECONDITION,
                    "MAIL_SENT");
    fixture_refused(&fixture, accountant(), "retry_mail", &none, ATES_NOT_FOUND, "MAIL_UNKNOWN");
    fixture_refused(&fixture, accountant(), "show_mail", &show_none, ATES_NOT_FOUND,
                    "MAIL_UNKNOWN");
    fixture_check_rebuild(&fixture);
}

Test(accounting_mail, a_retried_mail_has_its_whole_time_again)
{
    pay_users(1);
    for (int i = 0; i < 8; i++) {
        end_mail(1, &busy);
        fixture.now_ms += ates_engine_wakes_in(fixture.engine);
        run_steps();
    }
    fixture.now_ms = FIXTURE_TIME + 121 * HOUR_MS;
    end_mail(1, &busy);
    mail_is(1, ACCOUNTING_MAIL_DEAD, 9, busy.words);
    fixture.now_ms += 20 * DAY_MS;
    retry(1);
    end_mail(1, &busy);
    mail_is(1, ACCOUNTING_MAIL_QUEUED, 10, busy.words);
    cr_expect_eq(ates_engine_wakes_in(fixture.engine), MINUTE_MS);
    cr_expect_eq(mail(1).created_at, FIXTURE_TIME);
    fixture_check_rebuild(&fixture);
}

Test(accounting_mail, a_clock_that_goes_back_loses_no_mail)
{
    pay_users(2);
    end_mail(1, &busy);
    fixture.now_ms -= 3 * DAY_MS;
    end_mail(2, &busy); /* at the log's time, which does not go back */
    cr_expect_eq(mail(1).next_attempt_at, FIXTURE_TIME + MINUTE_MS);
    cr_expect_eq(mail(2).next_attempt_at, FIXTURE_TIME + MINUTE_MS);
    fixture_reopen(&fixture);
    cr_expect(is_idle());
    cr_expect_eq(ates_engine_wakes_in(fixture.engine), MINUTE_MS);
    retry(1); /* needs no clock */
    end_mail(1, &sent);
    mail_is(1, ACCOUNTING_MAIL_SENT, 2, busy.words);
    fixture.now_ms = FIXTURE_TIME + MINUTE_MS;
    run_steps();
    end_mail(2, &sent);
    mail_is(2, ACCOUNTING_MAIL_SENT, 2, busy.words);
    fixture_check_rebuild(&fixture);
}

/* A batch whose commit finds no room: what it began is not run, what it was told is told again. */
static void fill_batch(uint64_t mail_id)
{
    const struct accounting_retry_mail command = {.mail_id = mail_id};

    for (int i = 0; i < 40000; i++) {
        const struct ates_outcome outcome =
            fixture_execute(&fixture, accountant(), "retry_mail", &command, NULL);

        cr_assert_eq(outcome.status, ATES_OK, "%d: %s", i, outcome.refusal.reason);
    }
    cr_assert_eq(ates_engine_commit(fixture.engine), -ENOSPC);
}

Test(accounting_mail, without_room_for_its_end_a_mail_is_neither_lost_nor_sent_again)
{
    bool more;

    fixture_register_user(&fixture, 1, ATES_DEVELOPER);
    earn(FIXTURE_TIME, 1);
    earn(FIXTURE_TIME, 2);
    earn(FIXTURE_TIME, 3); /* LMDB gives no room back where a table's only row comes and goes */
    pay(TODAY);
    run_steps();
    fixture.config.map_size = 2 << 20;
    fixture_reopen(&fixture);
    run_steps();
    struct ates_begun *begun = fixture_take_begun(&fixture);
    cr_assert_not_null(begun);
    const uint64_t head = fixture_head(&fixture);
    ates_engine_end_begun(fixture.engine, begun, &sent);
    cr_assert_eq(ates_engine_step(fixture.engine, &more), 0);
    fill_batch(2);
    cr_expect_eq(fixture_head(&fixture), head);
    cr_expect(ates_engine_has_ended(fixture.engine), "it is told again");
    cr_expect_eq(mail_row(1).state, ACCOUNTING_MAIL_QUEUED);
    run_steps();
    cr_expect_eq(mail_row(1).state, ACCOUNTING_MAIL_SENT);
    cr_expect_eq(mail_row(1).attempts, 1);
    cr_expect_eq(fixture_head(&fixture), head + 1);
    cr_assert_null(fixture_take_begun(&fixture), "nobody sends it again");
    fixture.config.map_size = INT64_C(1) << 30;
    fixture_check_rebuild(&fixture);
}

Test(accounting_mail, without_room_for_its_batch_nothing_is_sent)
{
    bool more;

    pay_users(2);
    fixture.config.map_size = 2 << 20;
    fixture_reopen(&fixture);
    cr_assert_eq(ates_engine_step(fixture.engine, &more), 0);
    fill_batch(2);
    cr_assert_null(fixture_take_begun(&fixture));
    run_steps();
    end_mail(1, &sent);
    end_mail(2, &sent);
    mail_is(1, ACCOUNTING_MAIL_SENT, 1, NULL);
    mail_is(2, ACCOUNTING_MAIL_SENT, 1, NULL);
    cr_expect(is_idle());
    fixture.config.map_size = INT64_C(1) << 30;
    fixture_check_rebuild(&fixture);
}

Test(accounting_mail, a_service_that_was_away_for_days_still_tries)
{
    pay_users(1);
    end_mail(1, &busy);
    fixture.now_ms += 30 * DAY_MS;
    fixture_reopen(&fixture);
    run_steps();
    for (uint64_t attempts = 2; attempts < 5; attempts++) {
        end_mail(1, &busy);
        mail_is(1, ACCOUNTING_MAIL_QUEUED, attempts, busy.words);
        fixture.now_ms += HOUR_MS;
        run_steps();
    }
    end_mail(1, &busy);
    mail_is(1, ACCOUNTING_MAIL_DEAD, 5, busy.words);
}
