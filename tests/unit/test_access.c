/* Who may do what: every caller against every mask, and tokens against what is known of their
 * users. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/access.h"
#include "core/users.h"
#include "support/engine_fixture.h"
#include "support/toy_domain.h"

/* A body with an optional user_id, and one where it must be there. */
struct access_body {
    bool has_user_id;
    uint64_t user_id;
};
static const struct ates_field access_optional_fields[] = {
    {ATES_OPTIONAL(access_body, user_id), .type = ATES_UINT, .min = 1}};
static const struct ates_field access_required_fields[] = {
    {ATES_FIELD(access_body, user_id), .type = ATES_UINT, .min = 1}};
static const struct ates_message optional_message = {"optional", access_optional_fields, 1,
                                                     sizeof(struct access_body)};
static const struct ates_message required_message = {"required", access_required_fields, 1,
                                                     sizeof(struct access_body)};

#define MASKS (2u * ATES_NO_TOKEN)
#define SELF 5
#define OTHER 6

/* What the design says, in other words than the code's. */
static bool is_allowed(const struct ates_command *command, const struct ates_caller *caller,
                       bool names_other)
{
    if (!caller->signed_in) {
        return (command->callers & ATES_NO_TOKEN) != 0;
    }
    for (unsigned role = 0; role < ATES_ROLE_COUNT; role++) {
        if (caller->role == role) {
            return (command->callers >> role & 1) &&
                   (!names_other || (command->others >> role & 1));
        }
    }
    return false;
}

static void check(const struct ates_command *command, const struct ates_caller *caller,
                  const struct access_body *body, bool names_other)
{
    struct ates_refusal refusal = {.status = ATES_OK};
    const int r = ates_access_authorise(command, body, caller, &refusal);

    if (is_allowed(command, caller, names_other)) {
        cr_assert_eq(r, 0);
        return;
    }
    cr_assert_eq(r, (int)refusal.status);
    if (!caller->signed_in) {
        cr_assert_eq(r, ATES_UNAUTHENTICATED);
        cr_assert_str_eq(refusal.reason, "TOKEN_MISSING");
    } else {
        cr_assert_eq(r, ATES_PERMISSION_DENIED);
        cr_assert_str_eq(refusal.reason, "ROLE_NOT_ALLOWED");
        const bool role_may = command->callers & ATES_ROLE(caller->role);
        cr_assert_str_eq(refusal.field, role_may ? "user_id" : "");
    }
}

static struct ates_caller caller_of(unsigned role)
{
    return (struct ates_caller){.signed_in = role < ATES_ROLE_COUNT,
                                .id = role < ATES_ROLE_COUNT ? SELF : 0,
                                .role = role < ATES_ROLE_COUNT ? (enum ates_role)role
                                                               : ATES_ADMINISTRATOR};
}

Test(access, every_caller_against_every_set_of_callers)
{
    for (unsigned role = 0; role <= ATES_ROLE_COUNT; role++) {
        const struct ates_caller caller = caller_of(role);

        for (unsigned callers = 0; callers < MASKS; callers++) {
            const struct ates_command command = {
                .name = "x", .body = &ates_empty_message, .callers = callers};
            const struct access_body body = {.user_id = OTHER};

            check(&command, &caller, &body, false);
        }
    }
}

Test(access, every_caller_against_every_set_that_may_name_others)
{
    for (unsigned role = 0; role < ATES_ROLE_COUNT; role++) {
        const struct ates_caller caller = caller_of(role);

        for (unsigned others = 0; others < MASKS; others++) {
            for (int all = 0; all <= 1; all++) {
                const struct ates_command optional = {.name = "x",
                                                      .body = &optional_message,
                                                      .callers = all ? ATES_ANY_ROLE : others,
                                                      .others = others};
                struct ates_command required = optional;

                required.body = &required_message;
                check(&optional, &caller, &(struct access_body){false, OTHER}, false);
                check(&optional, &caller, &(struct access_body){true, SELF}, false);
                check(&optional, &caller, &(struct access_body){true, OTHER}, true);
                check(&required, &caller, &(struct access_body){false, SELF}, false);
                check(&required, &caller, &(struct access_body){false, OTHER}, true);
            }
        }
    }
}

/* Nobody is not somebody's user 0. */
Test(access, who_is_not_signed_in_names_nobody)
{
    const struct ates_command command = {
        .name = "x", .body = &required_message, .callers = ATES_NO_TOKEN | ATES_ANY_ROLE};
    const struct access_body body = {.user_id = OTHER};
    struct ates_refusal refusal = {.status = ATES_OK};

    cr_assert_eq(ates_access_authorise(&command, &body, &fixture_nobody, &refusal),
                 ATES_UNAUTHENTICATED);
    cr_assert_str_eq(refusal.reason, "TOKEN_MISSING");
}

/* Tokens. */

static struct fixture fixture;
static struct ates_keyring *keyring;
static struct ates_secret_key users_key, services_key;
static struct ates_claims claims;
static struct ates_caller caller;
static struct ates_refusal refusal;

static void setup(void)
{
    char keys[128], error[256];

    fixture_open(&fixture, &toy_domain);
    snprintf(keys, sizeof keys, "%s/keys", fixture.folder);
    cr_assert_eq(ates_keys_load_secret(keys, ATES_KEY_USERS, &users_key, error, sizeof error), 0);
    cr_assert_eq(ates_keys_load_secret(keys, ATES_KEY_SERVICES, &services_key, error, sizeof error),
                 0);
    keyring = ates_keyring_load(keys, error, sizeof error);
    cr_assert_not_null(keyring);
}

static void teardown(void)
{
    ates_keyring_free(&keyring);
    fixture_close(&fixture);
}

TestSuite(access_token, .init = setup, .fini = teardown);

static struct ates_command command = {.name = "any"};

static int authenticate(const char *token)
{
    const struct ates_request_meta meta = {.has_token = token != NULL,
                                           .token = ates_text_from(token != NULL ? token : "")};

    memset(&caller, 0xa5, sizeof caller);
    refusal = (struct ates_refusal){.status = ATES_OK};
    return ates_access_authenticate(keyring, ates_engine_txn(fixture.engine), &meta, &command,
                                    fixture.now_ms, &claims, &caller, &refusal);
}

static void sign(uint64_t user_id, enum ates_role role, char token[ATES_TOKEN_MAX + 1])
{
    const struct ates_source source = ates_source_system();
    struct ates_claims made = {.user_id = user_id,
                               .role = role,
                               .login = "popug",
                               .issued_at = fixture.now_ms,
                               .not_before = fixture.now_ms,
                               .expires_at = fixture.now_ms + 900000};

    if (user_id != 0) {
        strcpy(made.sid, "0b4cf1a5-55b6-4d7e-8a44-1f8e1d0f3a77");
    }
    cr_assert_eq(ates_token_sign(user_id != 0 ? &users_key : &services_key, &source, &made, token),
                 0);
}

static void assert_refused(const char *token, const char *reason)
{
    cr_assert_eq(authenticate(token), ATES_UNAUTHENTICATED, "%s", reason);
    cr_assert_str_eq(refusal.reason, reason);
}

Test(access_token, none_is_nobody)
{
    cr_assert_eq(authenticate(NULL), 0);
    cr_assert(!caller.signed_in && caller.id == 0 && caller.claims == NULL);
}

Test(access_token, every_role_is_who_the_token_says)
{
    char token[ATES_TOKEN_MAX + 1];

    for (unsigned role = 0; role < ATES_ROLE_COUNT; role++) {
        sign(7, (enum ates_role)role, token);
        cr_assert_eq(authenticate(token), 0, "%s", ates_role_names[role]);
        cr_assert(caller.signed_in && caller.id == 7 && caller.role == role);
        cr_assert_eq(caller.claims, &claims);
    }
    sign(0, ATES_INTERNALSERVICE, token);
    cr_assert_eq(authenticate(token), 0);
    cr_assert(caller.signed_in && caller.id == 0 && caller.role == ATES_INTERNALSERVICE);
}

Test(access_token, an_expired_one_serves_the_commands_that_take_it)
{
    char token[ATES_TOKEN_MAX + 1];

    sign(7, ATES_DEVELOPER, token);
    fixture.now_ms += 900000;
    assert_refused(token, "TOKEN_EXPIRED");
    command.takes_expired = true;
    cr_assert_eq(authenticate(token), 0);
    token[100] = token[100] == 'A' ? 'B' : 'A';
    assert_refused(token, "TOKEN_INVALID");
}

Test(access_token, bad_and_expired_ones_are_refused)
{
    char token[ATES_TOKEN_MAX + 1];

    assert_refused("", "TOKEN_INVALID");
    assert_refused("v4.public.abc", "TOKEN_INVALID");
    sign(7, ATES_BOSS, token);
    token[40] = (char)(token[40] == 'A' ? 'B' : 'A');
    assert_refused(token, "TOKEN_INVALID");
    sign(7, ATES_BOSS, token);
    fixture.now_ms += 900000 + 10000;
    assert_refused(token, "TOKEN_EXPIRED");
}

Test(access_token, a_user_who_is_not_known_yet_is_believed)
{
    char token[ATES_TOKEN_MAX + 1];

    fixture_register_user(&fixture, 1, ATES_OTHER);
    sign(2, ATES_BOSS, token);
    cr_assert_eq(authenticate(token), 0);
}

Test(access_token, news_of_its_user_refuses_it_at_once)
{
    char old[ATES_TOKEN_MAX + 1], new[ATES_TOKEN_MAX + 1];

    fixture_register_user(&fixture, 7, ATES_BOSS);
    sign(7, ATES_BOSS, old);
    cr_assert_eq(authenticate(old), 0);
    fixture.now_ms += 1;
    fixture_change_user(&fixture, 7, ATES_DEVELOPER, false); /* tokens before now are void */
    assert_refused(old, "TOKEN_REVOKED");
    sign(7, ATES_DEVELOPER, new);
    cr_assert_eq(authenticate(new), 0);
    cr_assert_eq(caller.role, ATES_DEVELOPER);
    fixture_change_user(&fixture, 7, ATES_DEVELOPER, true);
    assert_refused(new, "USER_DISABLED");
    assert_refused(old, "USER_DISABLED");
    fixture_reopen(&fixture);
    assert_refused(new, "USER_DISABLED");
}
