/* Signing in, throttling, tokens, sessions and their ends. */
#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "auth/auth.h"
#include "auth/auth_password.h"
#include "auth/auth_state.h"
#include "support/auth_fixture.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)

static struct fixture fixture;

static void open_fixture(void)
{
    fixture_open(&fixture, &auth_domain);
}

static void close_fixture(void)
{
    fixture_close(&fixture);
}

TestSuite(auth_session, .init = open_fixture, .fini = close_fixture);

static int sign_in(const char *login, const char *password, uint64_t origin)
{
    return auth_fixture_sign_in(&fixture, login, password, origin, NULL);
}

static struct auth_auth_user_result signed_in(const char *login)
{
    struct auth_auth_user_result result;

    cr_assert_eq(auth_fixture_sign_in(&fixture, login, AUTH_FIXTURE_PASSWORD, 1, &result), 0);
    return result;
}

static struct ates_caller caller_of(struct ates_text token, struct ates_claims *claims)
{
    struct ates_caller caller;

    cr_assert_eq(auth_fixture_authenticate(&fixture, token, claims, &caller), 0, "%s",
                 fixture.refusal.reason);
    return caller;
}

static void assert_refused(struct ates_text token, const char *reason)
{
    struct ates_claims claims;
    struct ates_caller caller;

    cr_assert_eq(auth_fixture_authenticate(&fixture, token, &claims, &caller),
                 ATES_UNAUTHENTICATED);
    cr_assert_str_eq(fixture.refusal.reason, reason);
}

static uint64_t rows(unsigned table)
{
    struct ates_scan scan;
    struct ates_bytes key, value;
    uint64_t count = 0;

    cr_assert_eq(ates_scan_open(&scan, ates_engine_txn(fixture.engine), table, NULL, NULL), 0);
    while (ates_scan_next(&scan, &key, &value) == 0) {
        count++;
    }
    ates_scan_close(&scan);
    return count;
}

Test(auth_session, auth_user_gives_a_token_of_the_session)
{
    const uint64_t ivan = auth_fixture_user(&fixture, "Ivan", ATES_ACCOUNTANT);
    const struct auth_auth_user_result result = signed_in("iVAN");
    struct ates_claims claims;

    cr_assert_eq(result.expires_at, FIXTURE_TIME + 15 * MINUTE_MS);
    cr_assert_eq(result.session_expires_at, FIXTURE_TIME + 12 * HOUR_MS);
    cr_assert(result.user.id == ivan && result.user.role == ATES_ACCOUNTANT);
    cr_assert(ates_text_equal(result.user.login, ates_text_from("Ivan")));
    cr_assert(ates_text_equal(result.user.email, ates_text_from("Ivan@uberpopug.example")));
    const struct ates_caller caller = caller_of(result.token, &claims);
    cr_assert(caller.id == ivan && caller.role == ATES_ACCOUNTANT);
    cr_assert_str_eq(claims.login, "Ivan");
    cr_assert(claims.issued_at == FIXTURE_TIME && claims.not_before == FIXTURE_TIME &&
              claims.expires_at == result.expires_at);
    cr_assert_eq(fixture_head(&fixture), 1, "who signs in is nobody else's business");
    fixture.now_ms += 15 * MINUTE_MS;
    assert_refused(result.token, "TOKEN_EXPIRED");
    fixture_check_rebuild(&fixture);
}

Test(auth_session, sessions_of_one_millisecond_are_told_apart)
{
    struct ates_claims first, second;

    auth_fixture_user(&fixture, "ivan", ATES_OTHER);
    const struct auth_auth_user_result a = signed_in("ivan"), b = signed_in("ivan");
    caller_of(a.token, &first);
    caller_of(b.token, &second);
    cr_assert_str_neq(first.sid, second.sid);
    cr_assert_str_neq(first.jti, second.jti);
    fixture_check_rebuild(&fixture);
}

Test(auth_session, auth_user_answers_a_wrong_password_and_an_unknown_login_alike)
{
    struct ates_refusal wrong;

    auth_fixture_user(&fixture, "ivan", ATES_OTHER);
    cr_assert_eq(sign_in("ivan", "wrong password", 1), ATES_UNAUTHENTICATED);
    wrong = fixture.refusal;
    cr_assert_str_eq(wrong.reason, "BAD_CREDENTIALS");
    cr_assert_eq(sign_in("nobody", "wrong password", 1), ATES_UNAUTHENTICATED);
    cr_assert_eq(memcmp(&wrong, &fixture.refusal, sizeof wrong), 0);
}

Test(auth_session, a_check_that_failed_is_no_wrong_password)
{
    const struct auth_password_output failed = {.fault = -ENOMEM};

    auth_fixture_user(&fixture, "ivan", ATES_OTHER);
    for (int i = 0; i < 2; i++) {
        const struct auth_auth_user body = {.login = ates_text_from(i == 0 ? "ivan" : "nobody"),
                                            .password = ates_text_from(AUTH_FIXTURE_PASSWORD)};
        const struct ates_outcome outcome =
            auth_fixture_resume(&fixture, fixture_nobody, "auth_user", &body, &failed);

        cr_assert_eq(outcome.status, ATES_INTERNAL);
    }
    fixture_commit(&fixture);
}

/* Both are checked against a hash of the designed cost, so that time does not tell either. */
Test(auth_session, auth_user_hands_over_the_same_work_for_an_unknown_login)
{
    const struct auth_auth_user body = {.login = ates_text_from("nobody"),
                                        .password = ates_text_from("wrong password")};
    const struct ates_outcome outcome =
        fixture_execute(&fixture, fixture_nobody, "auth_user", &body, NULL);

    cr_assert_eq(outcome.status, ATES_DEFERRED);
    cr_assert_str_eq(outcome.work->name, "password");
    cr_assert_eq(strncmp(outcome.work_input, "$argon2id$v=19$m=65536,t=3,p=1$", 31), 0);
    fixture_commit(&fixture);
}

Test(auth_session, auth_user_throttles_a_login_whether_it_exists_or_not)
{
    auth_fixture_user(&fixture, "ivan", ATES_OTHER);
    for (uint64_t i = 0; i < 10; i++) {
        cr_assert_eq(sign_in(i % 2 ? "ivan" : "IVAN", "wrong password", 100 + i),
                     ATES_UNAUTHENTICATED);
    }
    cr_assert_eq(sign_in("ivan", AUTH_FIXTURE_PASSWORD, 200), ATES_RESOURCE_EXHAUSTED);
    cr_assert_str_eq(fixture.refusal.reason, "TOO_MANY_ATTEMPTS");
    cr_assert_eq(fixture.refusal.retry_after_ms, 30000);
    fixture.now_ms += 29999;
    cr_assert_eq(sign_in("ivan", AUTH_FIXTURE_PASSWORD, 200), ATES_RESOURCE_EXHAUSTED);
    cr_assert_eq(fixture.refusal.retry_after_ms, 1);
    fixture.now_ms++;
    cr_assert_eq(sign_in("ivan", AUTH_FIXTURE_PASSWORD, 200), ATES_OK);
    for (int i = 0; i < 10; i++) {
        cr_assert_eq(sign_in("ivan", "wrong password", 300), ATES_UNAUTHENTICATED,
                     "a success forgives: failure %d", i);
    }
    cr_assert_eq(sign_in("ivan", "wrong password", 300), ATES_RESOURCE_EXHAUSTED);
}

/* Attempts whose passwords are being hashed count already. */
Test(auth_session, auth_user_lets_no_more_guess_at_once_than_in_a_row)
{
    const struct auth_auth_user body = {.login = ates_text_from("nobody"),
                                        .password = ates_text_from("wrong password")};

    for (int i = 0; i < 10; i++) {
        cr_assert_eq(fixture_execute(&fixture, fixture_nobody, "auth_user", &body, NULL).status,
                     ATES_DEFERRED);
    }
    const struct ates_outcome outcome =
        fixture_execute(&fixture, fixture_nobody, "auth_user", &body, NULL);
    cr_assert_eq(outcome.status, ATES_RESOURCE_EXHAUSTED);
    cr_assert_str_eq(outcome.refusal.reason, "TOO_MANY_ATTEMPTS");
    fixture_commit(&fixture);
}

Test(auth_session, auth_user_throttles_a_client_over_all_logins)
{
    char login[] = "user0";

    for (int i = 0; i < 6; i++) {
        login[4] = (char)('0' + i);
        auth_fixture_user(&fixture, login, ATES_OTHER);
    }
    for (int i = 0; i < 30; i++) {
        login[4] = (char)('0' + i % 5);
        cr_assert_eq(sign_in(login, "wrong password", 9), ATES_UNAUTHENTICATED);
    }
    cr_assert_eq(sign_in("user5", AUTH_FIXTURE_PASSWORD, 9), ATES_RESOURCE_EXHAUSTED);
    cr_assert_eq(fixture.refusal.retry_after_ms, 5000);
    cr_assert_eq(sign_in("user5", AUTH_FIXTURE_PASSWORD, 10), ATES_OK);
    fixture.now_ms += 5000;
    cr_assert_eq(sign_in("user5", AUTH_FIXTURE_PASSWORD, 9), ATES_OK);
    cr_assert_eq(sign_in("user5", "wrong password", 9), ATES_UNAUTHENTICATED);
    cr_assert_eq(sign_in("user5", AUTH_FIXTURE_PASSWORD, 9), ATES_RESOURCE_EXHAUSTED);
}

/* The password was changed while the old one was being checked. */
Test(auth_session, auth_user_takes_no_password_that_was_replaced_meanwhile)
{
    const uint64_t ivan = auth_fixture_user(&fixture, "ivan", ATES_OTHER);
    const struct auth_reset_password reset = {.user_id = ivan,
                                              .new_password = ates_text_from("battery staple")};
    const struct auth_auth_user body = {.login = ates_text_from("ivan"),
                                        .password = ates_text_from(AUTH_FIXTURE_PASSWORD)};
    struct ates_outcome outcome =
        fixture_execute(&fixture, fixture_nobody, "auth_user", &body, NULL);
    struct auth_password_output checked;

    cr_assert_eq(outcome.status, ATES_DEFERRED);
    outcome.work->run(outcome.work_input, &checked, NULL);
    cr_assert(checked.matches);
    fixture_commit(&fixture);
    fixture_do(&fixture, fixture_caller(9, ATES_ADMINISTRATOR), "reset_password", &reset, NULL);
    outcome = auth_fixture_resume(&fixture, fixture_nobody, "auth_user", &body, &checked);
    cr_assert_eq(outcome.status, ATES_UNAUTHENTICATED);
    cr_assert_str_eq(outcome.refusal.reason, "BAD_CREDENTIALS");
    fixture_commit(&fixture);
    fixture_check_rebuild(&fixture);
}

Test(auth_session, renew_token_never_outlives_the_session)
{
    const int64_t session_end = FIXTURE_TIME + 12 * HOUR_MS;
    struct auth_renew_token_result renewed;
    struct ates_claims claims, renewed_claims;

    auth_fixture_user(&fixture, "ivan", ATES_OTHER);
    const struct auth_auth_user_result session = signed_in("ivan");
    const struct ates_caller caller = caller_of(session.token, &claims);

    fixture.now_ms += 10 * MINUTE_MS;
    fixture_do(&fixture, caller, "renew_token", NULL, &renewed);
    cr_assert_eq(renewed.expires_at, FIXTURE_TIME + 25 * MINUTE_MS);
    caller_of(renewed.token, &renewed_claims);
    cr_assert_str_eq(renewed_claims.sid, claims.sid);
    cr_assert_eq(renewed_claims.issued_at, fixture.now_ms);
    fixture.now_ms = session_end - MINUTE_MS;
    fixture_do(&fixture, caller, "renew_token", NULL, &renewed);
    cr_assert_eq(renewed.expires_at, session_end);
    fixture.now_ms = session_end;
    fixture_refused(&fixture, caller, "renew_token", NULL, ATES_UNAUTHENTICATED, "SESSION_EXPIRED");
    cr_assert_eq(fixture_head(&fixture), 1);
    fixture_check_rebuild(&fixture);
}

Test(auth_session, renew_token_needs_a_session_of_the_caller)
{
    struct ates_claims claims, ivans;

    auth_fixture_user(&fixture, "ivan", ATES_OTHER);
    auth_fixture_user(&fixture, "petr", ATES_OTHER);
    const struct ates_caller ivan = caller_of(signed_in("ivan").token, &ivans);
    struct ates_caller petr = caller_of(signed_in("petr").token, &claims);
    petr.claims = ivan.claims;
    fixture_refused(&fixture, petr, "renew_token", NULL, ATES_UNAUTHENTICATED, "SESSION_EXPIRED");
    fixture_refused(&fixture, auth_fixture_service, "renew_token", NULL, ATES_FAILED_PRECONDITION,
                    "NO_SESSION");
    fixture_check_rebuild(&fixture);
}

Test(auth_session, revoke_sessions_ends_all_of_one_user)
{
    const uint64_t ivan = auth_fixture_user(&fixture, "ivan", ATES_OTHER);
    auth_fixture_user(&fixture, "petr", ATES_OTHER);
    const struct auth_auth_user_result a = signed_in("ivan"), b = signed_in("ivan");
    const struct auth_auth_user_result petrs = signed_in("petr");
    struct auth_revoke_sessions body = {.has_user_id = false};
    struct ates_claims claims;
    struct ates_user_changed event;

    const struct ates_caller caller = caller_of(a.token, &claims);
    cr_assert_eq(rows(AUTH_TABLE_SESSIONS), 3);
    fixture_do(&fixture, caller, "revoke_sessions", &body, NULL);
    fixture_event(&fixture, 3, &ates_user_changed_message, &event);
    cr_assert(event.user_id == ivan && !event.disabled && event.role == ATES_OTHER);
    assert_refused(a.token, "TOKEN_REVOKED");
    assert_refused(b.token, "TOKEN_REVOKED");
    fixture_refused(&fixture, caller, "renew_token", NULL, ATES_UNAUTHENTICATED, "SESSION_EXPIRED");
    caller_of(petrs.token, &claims);
    cr_assert_eq(rows(AUTH_TABLE_SESSIONS), 1);
    cr_assert_eq(rows(AUTH_TABLE_USER_SESSIONS), 1);
    cr_assert_eq(rows(AUTH_TABLE_SESSION_AGES), 1);

    body = (struct auth_revoke_sessions){.has_user_id = true, .user_id = 2};
    fixture_do(&fixture, fixture_caller(9, ATES_ADMINISTRATOR), "revoke_sessions", &body, NULL);
    assert_refused(petrs.token, "TOKEN_REVOKED");
    body.user_id = 99;
    fixture_refused(&fixture, fixture_caller(9, ATES_ADMINISTRATOR), "revoke_sessions", &body,
                    ATES_NOT_FOUND, "USER_UNKNOWN");
    body.has_user_id = false;
    fixture_refused(&fixture, auth_fixture_service, "revoke_sessions", &body, ATES_NOT_FOUND,
                    "USER_UNKNOWN");
    fixture_check_rebuild(&fixture);
}

Test(auth_session, change_password_needs_the_old_one_and_ends_the_sessions)
{
    struct auth_change_password body = {.old_password = ates_text_from("wrong password"),
                                        .new_password = ates_text_from("battery staple")};
    struct ates_claims claims;

    auth_fixture_user(&fixture, "ivan", ATES_OTHER);
    const struct auth_auth_user_result session = signed_in("ivan");
    const struct ates_caller caller = caller_of(session.token, &claims);
    fixture_refused(&fixture, caller, "change_password", &body, ATES_UNAUTHENTICATED,
                    "BAD_CREDENTIALS");
    caller_of(session.token, &claims);
    body.old_password = ates_text_from(AUTH_FIXTURE_PASSWORD);
    fixture_do(&fixture, caller, "change_password", &body, NULL);
    assert_refused(session.token, "TOKEN_REVOKED");
    cr_assert_eq(rows(AUTH_TABLE_SESSIONS), 0);
    cr_assert_eq(sign_in("ivan", AUTH_FIXTURE_PASSWORD, 1), ATES_UNAUTHENTICATED);
    cr_assert_eq(sign_in("ivan", "battery staple", 1), ATES_OK);
    fixture_refused(&fixture, auth_fixture_service, "change_password", &body, ATES_NOT_FOUND,
                    "USER_UNKNOWN");
    fixture_check_rebuild(&fixture);
}

Test(auth_session, change_password_counts_with_signing_in)
{
    const struct auth_change_password body = {.old_password = ates_text_from("wrong password"),
                                              .new_password = ates_text_from("battery staple")};
    const uint64_t ivan = auth_fixture_user(&fixture, "ivan", ATES_OTHER);

    for (int i = 0; i < 10; i++) {
        fixture_refused(&fixture, fixture_caller(ivan, ATES_OTHER), "change_password", &body,
                        ATES_UNAUTHENTICATED, "BAD_CREDENTIALS");
    }
    fixture_refused(&fixture, fixture_caller(ivan, ATES_OTHER), "change_password", &body,
                    ATES_RESOURCE_EXHAUSTED, "TOO_MANY_ATTEMPTS");
    cr_assert_eq(sign_in("ivan", AUTH_FIXTURE_PASSWORD, 1), ATES_RESOURCE_EXHAUSTED);
    fixture_check_rebuild(&fixture);
}

Test(auth_session, sessions_that_ended_are_forgotten_by_record_time)
{
    auth_fixture_user(&fixture, "ivan", ATES_OTHER);
    for (int i = 0; i < 5; i++) {
        signed_in("ivan");
    }
    fixture.now_ms += 12 * HOUR_MS - 1;
    signed_in("ivan");
    cr_assert_eq(rows(AUTH_TABLE_SESSIONS), 6);
    fixture.now_ms++;
    signed_in("ivan");
    cr_assert_eq(rows(AUTH_TABLE_SESSIONS), 5, "two ended ones went, one came");
    signed_in("ivan");
    signed_in("ivan");
    signed_in("ivan");
    cr_assert_eq(rows(AUTH_TABLE_SESSIONS), 5);
    cr_assert_eq(rows(AUTH_TABLE_SESSION_AGES), 5);
    fixture_check_rebuild(&fixture);
}

Test(auth_session, a_user_has_a_bounded_number_of_sessions)
{
    struct ates_claims first, second;

    auth_fixture_user(&fixture, "ivan", ATES_OTHER);
    const struct ates_caller oldest = caller_of(signed_in("ivan").token, &first);
    const struct ates_caller next = caller_of(signed_in("ivan").token, &second);
    for (unsigned i = 2; i < AUTH_SESSIONS_MAX + 1; i++) {
        fixture.now_ms++;
        signed_in("ivan");
    }
    cr_assert_eq(rows(AUTH_TABLE_SESSIONS), AUTH_SESSIONS_MAX);
    fixture_refused(&fixture, oldest, "renew_token", NULL, ATES_UNAUTHENTICATED, "SESSION_EXPIRED");
    fixture_do(&fixture, next, "renew_token", NULL, NULL);
    fixture_check_rebuild(&fixture);
}

/* The state comes back with a restart; throttles, which are memory, do not. */
Test(auth_session, sessions_survive_a_restart)
{
    struct ates_claims claims;

    auth_fixture_user(&fixture, "ivan", ATES_OTHER);
    const struct auth_auth_user_result session = signed_in("ivan");
    const struct ates_caller caller = caller_of(session.token, &claims);
    fixture_reopen(&fixture);
    fixture_do(&fixture, caller, "renew_token", NULL, NULL);
    fixture_rebuild(&fixture);
    fixture_do(&fixture, caller, "renew_token", NULL, NULL);
    cr_assert_eq(sign_in("ivan", AUTH_FIXTURE_PASSWORD, 1), ATES_OK);
    fixture_check_rebuild(&fixture);
}
