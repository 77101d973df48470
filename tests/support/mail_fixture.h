/* Mails of payouts for tests, whose attempts end as the test says. Invariant: of what is under way,
 * only end_mail takes. */
#ifndef ATES_TEST_MAIL_FIXTURE_H
#define ATES_TEST_MAIL_FIXTURE_H

#include "support/payout_fixture.h"

#define MINUTE_MS INT64_C(60000) /* mail.retry_seconds' default */

__attribute__((unused)) static const struct mail_result
    sent = {.outcome = MAIL_SENT, .response_code = 250},
    busy = {.outcome = MAIL_TEMPORARY, .response_code = 451, .words = "451 4.3.0 try later"},
    unknown = {.outcome = MAIL_PERMANENT, .response_code = 550, .words = "550 no such popug"},
    stopped = {.outcome = MAIL_STOPPED, .words = "stopped"};

/* Pays users 1 to count; their mails have the same ids. */
static inline void pay_users(uint64_t count)
{
    for (uint64_t user_id = 1; user_id <= count; user_id++) {
        fixture_register_user(&fixture, user_id, ATES_DEVELOPER);
        earn(FIXTURE_TIME, user_id);
        ates_arena_reset(fixture.arena);
    }
    cr_assert_eq(pay(TODAY).paid_count, count);
    run_steps();
}

static inline struct accounting_mail mail(uint64_t mail_id)
{
    const struct accounting_show_mail query = {.mail_id = mail_id};
    struct accounting_show_mail_result result;

    fixture_do(&fixture, accountant(), "show_mail", &query, &result);
    cr_expect_gt(result.text.size, 0);
    return result.mail;
}

static inline void mail_is(uint64_t mail_id, int state, uint64_t attempts, const char *error)
{
    const struct accounting_mail shown = mail(mail_id);

    cr_expect(shown.state == state && shown.attempts == attempts,
              "mail %d is %s after %d attempts, not %s after %d", (int)mail_id,
              accounting_mail_state_names[shown.state], (int)shown.attempts,
              accounting_mail_state_names[state], (int)attempts);
    cr_expect_eq(shown.has_last_error, error != NULL);
    if (error != NULL && shown.has_last_error) {
        text_is(shown.last_error, error);
    }
    cr_expect_eq(shown.has_sent_at, state == ACCOUNTING_MAIL_SENT);
    cr_expect_eq(shown.has_next_attempt_at,
                 state == ACCOUNTING_MAIL_QUEUED || state == ACCOUNTING_MAIL_SENDING);
}

static struct ates_begun *taken[ATES_BEGUN_MAX];

/* The attempt at this mail, which must be under way, ends so (NULL: it was not run). */
static inline void end_mail(uint64_t mail_id, const struct mail_result *result)
{
    struct ates_begun *begun;
    size_t found = ATES_BEGUN_MAX;

    while ((begun = fixture_take_begun(&fixture)) != NULL) {
        size_t i = 0;

        while (ates_engine_is_begun(fixture.engine, taken[i]) &&
               taken[i]->state == ATES_BEGUN_RUNNING) {
            cr_assert_lt(++i, ATES_BEGUN_MAX);
        }
        taken[i] = begun;
    }
    for (size_t i = 0; i < ATES_BEGUN_MAX; i++) {
        if (ates_engine_is_begun(fixture.engine, taken[i]) &&
            taken[i]->state == ATES_BEGUN_RUNNING && taken[i]->id == mail_id) {
            found = i;
        }
    }
    cr_assert_lt(found, ATES_BEGUN_MAX, "mail %d is not being sent", (int)mail_id);
    begun = taken[found];
    taken[found] = NULL;
    fixture_end_begun(&fixture, begun, result);
    run_steps();
}

static inline bool is_idle(void)
{
    return run_steps() <= 1 && fixture_take_begun(&fixture) == NULL;
}

#endif
