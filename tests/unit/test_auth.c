/* The auth domain: registering, roles, disabling, passwords that are reset, and who may do it. */
#include "auth/auth.h"

#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "auth/auth_password.h"
#include "auth/auth_state.h"
#include "core/access.h"
#include "support/auth_fixture.h"

static struct fixture fixture;

static void open_fixture(void)
{
    fixture_open(&fixture, &auth_domain);
}

static void close_fixture(void)
{
    fixture_close(&fixture);
}

TestSuite(auth, .init = open_fixture, .fini = close_fixture);

static struct ates_text text(const char *string)
{
    return ates_text_from(string);
}

static struct ates_user_changed known_user(uint64_t user_id)
{
    struct ates_user_changed user;

    cr_assert_eq(ates_users_get(ates_engine_txn(fixture.engine), user_id, &user), 0);
    return user;
}

static int64_t enabled_administrators(void)
{
    int64_t count;

    cr_assert_eq(auth_state_enabled_administrators(ates_engine_txn(fixture.engine), &count), 0);
    return count;
}

static struct auth_register_user registration(const char *login, enum ates_role role)
{
    return (struct auth_register_user){.login = text(login),
                                       .email = text("ivan@uberpopug.example"),
                                       .password = text("correct horse"),
                                       .role = (int)role};
}

Test(auth, register_user_publishes_no_secret_and_lets_sign_in)
{
    struct auth_register_user body = registration("Ivan.P", ATES_DEVELOPER);
    struct auth_register_user_result result;
    struct auth_auth_user_result signed_in;
    struct ates_user_registered event;
    struct auth_account account;

    fixture_do(&fixture, fixture_nobody, "register_user", &body, &result);
    cr_assert_eq(result.user_id, 1);
    cr_assert_eq(fixture_head(&fixture), 1);
    fixture_event(&fixture, 1, &ates_user_registered_message, &event);
    cr_assert(event.user_id == 1 && event.role == ATES_DEVELOPER);
    cr_assert(ates_text_equal(event.login, body.login) && ates_text_equal(event.email, body.email));

    struct ates_txn *txn = ates_engine_txn(fixture.engine);
    cr_assert_eq(auth_state_get_account(txn, 1, &account), 0);
    cr_assert_eq(account.created_at, FIXTURE_TIME);
    cr_assert_eq(strncmp(account.hash.data, "$argon2id$v=19$m=65536,t=3,p=1$", 31), 0);
    cr_assert_eq(auth_fixture_sign_in(&fixture, "ivan.p", "correct horse", 1, &signed_in), 0);
    cr_assert(ates_text_equal(signed_in.user.login, text("Ivan.P")), "a login keeps its case");
    fixture_check_rebuild(&fixture);
}

Test(auth, register_user_refuses_a_taken_login_in_any_case)
{
    struct auth_register_user body = registration("IVAN", ATES_OTHER);

    auth_fixture_user(&fixture, "ivan", ATES_OTHER);
    fixture_refused(&fixture, fixture_nobody, "register_user", &body, ATES_ALREADY_EXISTS,
                    "LOGIN_TAKEN");
    cr_assert_str_eq(fixture.refusal.field, "login");
    cr_assert_eq(fixture_head(&fixture), 1);
    cr_assert_eq(auth_fixture_user(&fixture, "ivan2", ATES_OTHER), 2);
    fixture_check_rebuild(&fixture);
}

/* Of two that ask for a login while their passwords are hashed, one gets it. */
Test(auth, register_user_checks_the_login_again_after_hashing)
{
    const struct auth_register_user body = registration("ivan", ATES_OTHER);
    const struct auth_password_output password = {.matches = true, .made = "$argon2id$"};

    struct ates_outcome outcome =
        fixture_execute(&fixture, fixture_nobody, "register_user", &body, NULL);
    cr_assert_eq(outcome.status, ATES_DEFERRED);
    auth_fixture_user(&fixture, "Ivan", ATES_OTHER);
    outcome = auth_fixture_resume(&fixture, fixture_nobody, "register_user", &body, &password);
    cr_assert_eq(outcome.status, ATES_ALREADY_EXISTS);
    cr_assert_str_eq(outcome.refusal.reason, "LOGIN_TAKEN");
    fixture_commit(&fixture);
    fixture_check_rebuild(&fixture);
}

/* A hash that could not be made is a fault, and nothing of the user stays. */
Test(auth, register_user_fails_whole_without_memory_to_hash)
{
    const struct auth_register_user body = registration("ivan", ATES_OTHER);
    const struct auth_password_output password = {.matches = true, .fault = -ENOMEM};
    const struct ates_outcome outcome =
        auth_fixture_resume(&fixture, fixture_nobody, "register_user", &body, &password);

    cr_assert_eq(outcome.status, ATES_INTERNAL);
    fixture_commit(&fixture);
    cr_assert_eq(fixture_head(&fixture), 0);
    cr_assert_eq(auth_fixture_user(&fixture, "ivan", ATES_OTHER), 1);
    fixture_check_rebuild(&fixture);
}

/* What is refused is refused before any hashing, so this is quick. */
Test(auth, register_user_gives_roles_by_who_asks)
{
    for (int role = 0; role < ATES_ROLE_COUNT; role++) {
        const struct auth_register_user body = registration("ivan", (enum ates_role)role);
        const bool open = role == ATES_DEVELOPER || role == ATES_OTHER;

        for (int caller = -1; caller < ATES_ROLE_COUNT; caller++) {
            const bool may =
                caller < 0 ? open : caller == ATES_ADMINISTRATOR || caller == ATES_INTERNALSERVICE;
            const struct ates_outcome outcome = fixture_execute(
                &fixture, caller < 0 ? fixture_nobody : fixture_caller(7, (enum ates_role)caller),
                "register_user", &body, NULL);

            cr_assert_eq(outcome.status, may ? ATES_DEFERRED : ATES_PERMISSION_DENIED,
                         "caller %d, role %d", caller, role);
            if (!may) {
                cr_assert_str_eq(outcome.refusal.reason, "ROLE_NOT_ALLOWED");
                cr_assert_str_eq(outcome.refusal.field, "role");
            }
        }
    }
    fixture_commit(&fixture);
}

Test(auth, register_user_follows_the_configured_open_roles)
{
    const struct auth_register_user boss = registration("ivan", ATES_BOSS);
    const struct auth_register_user other = registration("ivan", ATES_OTHER);

    strcpy(fixture.config.open_roles, "manager,boss");
    fixture_reopen(&fixture);
    cr_assert_eq(fixture_execute(&fixture, fixture_nobody, "register_user", &boss, NULL).status,
                 ATES_DEFERRED);
    fixture_refused(&fixture, fixture_nobody, "register_user", &other, ATES_PERMISSION_DENIED,
                    "ROLE_NOT_ALLOWED");
    fixture.config.open_roles[0] = '\0';
    fixture_reopen(&fixture);
    fixture_refused(&fixture, fixture_nobody, "register_user", &boss, ATES_PERMISSION_DENIED,
                    "ROLE_NOT_ALLOWED");
}

Test(auth, passwords_that_are_guessed_first_are_refused_wherever_one_is_set)
{
    const uint64_t ivan = auth_fixture_user(&fixture, "ivan", ATES_DEVELOPER);
    struct auth_register_user registered = registration("petr", ATES_OTHER);
    const struct auth_reset_password reset = {.user_id = ivan, .new_password = text("ivan2026!")};
    const struct auth_change_password changed = {.old_password = text("correct horse"),
                                                 .new_password = text("IvanIvan")};

    registered.password = text("UberPopug1");
    fixture_refused(&fixture, fixture_nobody, "register_user", &registered, ATES_INVALID_ARGUMENT,
                    "PASSWORD_GUESSABLE");
    cr_expect_str_eq(fixture.refusal.field, "password");
    fixture_refused(&fixture, fixture_caller(1, ATES_ADMINISTRATOR), "reset_password", &reset,
                    ATES_INVALID_ARGUMENT, "PASSWORD_GUESSABLE");
    cr_expect_str_eq(fixture.refusal.field, "new_password");
    fixture_refused(&fixture, fixture_caller(ivan, ATES_DEVELOPER), "change_password", &changed,
                    ATES_INVALID_ARGUMENT, "PASSWORD_GUESSABLE");
    cr_expect_str_eq(fixture.refusal.field, "new_password");
}

Test(auth, register_user_throttles_clients_that_are_not_signed_in)
{
    const struct auth_register_user body = registration("ivan", ATES_OTHER);
    const struct ates_caller client = {.origin = 5}, other = {.origin = 6};

    auth_fixture_user(&fixture, "ivan", ATES_OTHER);
    for (int i = 0; i < 30; i++) {
        fixture_refused(&fixture, client, "register_user", &body, ATES_ALREADY_EXISTS,
                        "LOGIN_TAKEN");
    }
    fixture_refused(&fixture, client, "register_user", &body, ATES_RESOURCE_EXHAUSTED,
                    "TOO_MANY_ATTEMPTS");
    cr_assert_eq(fixture.refusal.retry_after_ms, 5000);
    fixture_refused(&fixture, other, "register_user", &body, ATES_ALREADY_EXISTS, "LOGIN_TAKEN");
    fixture_refused(&fixture, auth_fixture_service, "register_user", &body, ATES_ALREADY_EXISTS,
                    "LOGIN_TAKEN");
    fixture.now_ms += 5000;
    fixture_refused(&fixture, client, "register_user", &body, ATES_ALREADY_EXISTS, "LOGIN_TAKEN");
    fixture_refused(&fixture, client, "register_user", &body, ATES_RESOURCE_EXHAUSTED,
                    "TOO_MANY_ATTEMPTS");
}

Test(auth, register_user_takes_logins_and_addresses_of_full_length)
{
    char login[65], email[255];

    memset(login, 'L', 64);
    login[64] = '\0';
    memset(email, 'e', 254);
    email[1] = '@';
    email[254] = '\0';
    struct auth_register_user body = registration(login, ATES_OTHER);
    body.email = text(email);
    body.password = text("12345678");
    fixture_do(&fixture, fixture_nobody, "register_user", &body, NULL);
    body.password = text("1234567");
    fixture_refused(&fixture, fixture_nobody, "register_user", &body, ATES_INVALID_ARGUMENT,
                    "FIELD_INVALID");
    cr_assert_str_eq(fixture.refusal.field, "password");
    cr_assert_eq(auth_fixture_sign_in(&fixture, login, "12345678", 1, NULL), 0);
    fixture_check_rebuild(&fixture);
}

Test(auth, reset_password_replaces_it_and_ends_the_sessions)
{
    const uint64_t admin = auth_fixture_user(&fixture, "root", ATES_ADMINISTRATOR);
    const uint64_t ivan = auth_fixture_user(&fixture, "ivan", ATES_OTHER);
    struct auth_reset_password body = {.user_id = ivan, .new_password = text("battery staple")};
    const struct ates_caller caller = fixture_caller(admin, ATES_ADMINISTRATOR);
    struct auth_auth_user_result session;
    struct ates_user_changed event;
    struct ates_claims claims;
    struct ates_caller old;

    auth_fixture_sign_in(&fixture, "ivan", AUTH_FIXTURE_PASSWORD, 1, &session);
    fixture_do(&fixture, caller, "reset_password", &body, NULL);
    fixture_event(&fixture, 3, &ates_user_changed_message, &event);
    cr_assert(event.user_id == ivan && event.tokens_valid_after == FIXTURE_TIME + 1);
    cr_assert_eq(auth_fixture_authenticate(&fixture, session.token, &claims, &old),
                 ATES_UNAUTHENTICATED);
    cr_assert_str_eq(fixture.refusal.reason, "TOKEN_REVOKED");
    cr_assert_eq(auth_fixture_sign_in(&fixture, "ivan", AUTH_FIXTURE_PASSWORD, 1, NULL),
                 ATES_UNAUTHENTICATED);
    cr_assert_eq(auth_fixture_sign_in(&fixture, "ivan", "battery staple", 1, NULL), 0);
    body.user_id = 99;
    fixture_refused(&fixture, caller, "reset_password", &body, ATES_NOT_FOUND, "USER_UNKNOWN");
    fixture_check_rebuild(&fixture);
}

Test(auth, change_role_refuses_older_tokens_and_gives_the_role_to_new_ones)
{
    const uint64_t admin = auth_fixture_user(&fixture, "root", ATES_ADMINISTRATOR);
    const uint64_t ivan = auth_fixture_user(&fixture, "ivan", ATES_DEVELOPER);
    const struct ates_caller caller = fixture_caller(admin, ATES_ADMINISTRATOR);
    struct auth_change_role body = {.user_id = ivan, .role = ATES_MANAGER};
    struct auth_auth_user_result before, after;
    struct ates_claims claims;
    struct ates_caller made;

    auth_fixture_sign_in(&fixture, "ivan", AUTH_FIXTURE_PASSWORD, 1, &before);
    fixture_do(&fixture, caller, "change_role", &body, NULL);
    cr_assert_eq(auth_fixture_authenticate(&fixture, before.token, &claims, &made),
                 ATES_UNAUTHENTICATED);
    cr_assert_str_eq(fixture.refusal.reason, "TOKEN_REVOKED");
    /* In the same millisecond. */
    cr_assert_eq(auth_fixture_sign_in(&fixture, "ivan", AUTH_FIXTURE_PASSWORD, 1, &after), 0);
    cr_assert_eq(auth_fixture_authenticate(&fixture, after.token, &claims, &made), 0);
    cr_assert(made.id == ivan && made.role == ATES_MANAGER && after.user.role == ATES_MANAGER);

    fixture_do(&fixture, caller, "change_role", &body, NULL);
    cr_assert_eq(fixture_head(&fixture), 3, "the same role is no change");
    body.role = ATES_OTHER;
    fixture_do(&fixture, caller, "change_role", &body, NULL);
    cr_assert_eq(auth_fixture_authenticate(&fixture, after.token, &claims, &made),
                 ATES_UNAUTHENTICATED, "a token of the same millisecond is older too");
    body.user_id = 99;
    fixture_refused(&fixture, caller, "change_role", &body, ATES_NOT_FOUND, "USER_UNKNOWN");
    fixture_check_rebuild(&fixture);
}

Test(auth, disable_user_shuts_out_and_enable_user_lets_in)
{
    const uint64_t admin = auth_fixture_user(&fixture, "root", ATES_ADMINISTRATOR);
    const uint64_t ivan = auth_fixture_user(&fixture, "ivan", ATES_OTHER);
    const struct ates_caller caller = fixture_caller(admin, ATES_ADMINISTRATOR);
    struct auth_disable_user body = {.user_id = ivan};
    struct auth_auth_user_result session;
    struct ates_user_changed event;
    struct ates_claims claims;
    struct ates_caller made;

    auth_fixture_sign_in(&fixture, "ivan", AUTH_FIXTURE_PASSWORD, 1, &session);
    fixture_do(&fixture, caller, "disable_user", &body, NULL);
    fixture_event(&fixture, 3, &ates_user_changed_message, &event);
    cr_assert(event.disabled && event.tokens_valid_after == FIXTURE_TIME + 1);
    fixture_do(&fixture, caller, "disable_user", &body, NULL);
    cr_assert_eq(fixture_head(&fixture), 3, "who is disabled stays so");
    cr_assert_eq(auth_fixture_authenticate(&fixture, session.token, &claims, &made),
                 ATES_UNAUTHENTICATED);
    cr_assert_eq(auth_fixture_sign_in(&fixture, "ivan", "wrong password", 1, NULL),
                 ATES_UNAUTHENTICATED);
    cr_assert_str_eq(fixture.refusal.reason, "BAD_CREDENTIALS");
    cr_assert_eq(auth_fixture_sign_in(&fixture, "ivan", AUTH_FIXTURE_PASSWORD, 1, NULL),
                 ATES_PERMISSION_DENIED);
    cr_assert_str_eq(fixture.refusal.reason, "USER_DISABLED");

    fixture_do(&fixture, caller, "enable_user", &body, NULL);
    fixture_do(&fixture, caller, "enable_user", &body, NULL);
    cr_assert_eq(fixture_head(&fixture), 4, "who is enabled stays so");
    cr_assert_eq(auth_fixture_authenticate(&fixture, session.token, &claims, &made),
                 ATES_UNAUTHENTICATED, "older tokens stay refused");
    cr_assert_eq(auth_fixture_sign_in(&fixture, "ivan", AUTH_FIXTURE_PASSWORD, 1, NULL), 0);
    body.user_id = 99;
    fixture_refused(&fixture, caller, "disable_user", &body, ATES_NOT_FOUND, "USER_UNKNOWN");
    fixture_refused(&fixture, caller, "enable_user", &body, ATES_NOT_FOUND, "USER_UNKNOWN");
    fixture_check_rebuild(&fixture);
}

Test(auth, the_last_enabled_administrator_stays)
{
    const uint64_t first = auth_fixture_user(&fixture, "root", ATES_ADMINISTRATOR);
    const uint64_t second = auth_fixture_user(&fixture, "toor", ATES_ADMINISTRATOR);
    const struct ates_caller caller = fixture_caller(first, ATES_ADMINISTRATOR);
    const struct auth_disable_user disable_first = {.user_id = first},
                                   disable = {.user_id = second};
    const struct auth_change_role demote_first = {.user_id = first, .role = ATES_OTHER};
    const struct auth_change_role demote = {.user_id = second, .role = ATES_BOSS};
    const struct auth_change_role promote = {.user_id = second, .role = ATES_ADMINISTRATOR};

    cr_assert_eq(enabled_administrators(), 2);
    fixture_do(&fixture, caller, "disable_user", &disable, NULL);
    cr_assert_eq(enabled_administrators(), 1);
    fixture_refused(&fixture, caller, "disable_user", &disable_first, ATES_FAILED_PRECONDITION,
                    "LAST_ADMINISTRATOR");
    fixture_refused(&fixture, caller, "change_role", &demote_first, ATES_FAILED_PRECONDITION,
                    "LAST_ADMINISTRATOR");
    fixture_do(&fixture, caller, "change_role", &demote, NULL); /* disabled: counts for nothing */
    fixture_do(&fixture, caller, "enable_user", &disable, NULL);
    cr_assert_eq(enabled_administrators(), 1);
    fixture_do(&fixture, caller, "change_role", &promote, NULL);
    cr_assert_eq(enabled_administrators(), 2);
    fixture_do(&fixture, caller, "change_role", &demote_first, NULL);
    cr_assert_eq(enabled_administrators(), 1);
    fixture_refused(&fixture, caller, "disable_user", &disable, ATES_FAILED_PRECONDITION,
                    "LAST_ADMINISTRATOR");
    cr_assert(!known_user(second).disabled);
    fixture_check_rebuild(&fixture);
}

/* PROTOCOL.md section 7, each command by each caller: about themselves, and about another user. */
Test(auth, the_table_of_who_may_do_what)
{
    enum { NOBODY = 1u << ATES_ROLE_COUNT, ALL = NOBODY - 1, ADMIN = 1u << ATES_ADMINISTRATOR };
    static const struct {
        const char *command;
        unsigned self, others;
    } cells[] = {
        {"register_user", NOBODY | ADMIN | 1u << ATES_INTERNALSERVICE, 0},
        {"auth_user", NOBODY | ALL, 0},
        {"renew_token", ALL, 0},
        {"revoke_sessions", ALL, ADMIN},
        {"change_password", ALL, 0},
        {"reset_password", ADMIN, ADMIN},
        {"change_role", ADMIN, ADMIN},
        {"disable_user", ADMIN, ADMIN},
        {"enable_user", ADMIN, ADMIN},
        {"show_user", ALL, ADMIN | 1u << ATES_MANAGER},
        {"show_all_users", ADMIN | 1u << ATES_MANAGER, 0},
        {"show_logins", ALL, 0},
        {"find_logins", ADMIN | 1u << ATES_MANAGER | 1u << ATES_ACCOUNTANT, 0},
    };
    struct ates_refusal refusal;

    cr_assert_eq(sizeof cells / sizeof cells[0], auth_service.command_count);
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        const struct ates_command *command = &auth_service.commands[i];
        const struct ates_field *user_id = ates_message_field(command->body, "user_id", 7);
        uint8_t *body = ates_arena_alloc(fixture.arena, command->body->size);

        cr_assert_str_eq(command->name, cells[i].command);
        for (int role = 0; role <= ATES_ROLE_COUNT; role++) {
            struct ates_caller caller = fixture_nobody;

            if (role < ATES_ROLE_COUNT) {
                caller = fixture_caller(7, (enum ates_role)role);
            }
            for (int other = 0; other <= (user_id != NULL); other++) {
                const bool may = (other ? cells[i].others : cells[i].self) >> role & 1;

                if (user_id != NULL) {
                    const uint64_t named = other ? 8 : 7;

                    memcpy(body + user_id->offset, &named, sizeof named);
                    if (user_id->optional) {
                        body[user_id->present] = true;
                    }
                }
                const int r = ates_access_authorise(command, body, &caller, &refusal);
                cr_assert_eq(r,
                             may                       ? 0
                             : role == ATES_ROLE_COUNT ? ATES_UNAUTHENTICATED
                                                       : ATES_PERMISSION_DENIED,
                             "%s by %d, other %d", command->name, role, other);
            }
        }
    }
}
