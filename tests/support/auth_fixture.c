/* The auth domain's engine with users made for tests; see auth_fixture.h. */
#include "support/auth_fixture.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>
#include <sodium.h>

#include "auth/auth_password.h"
#include "core/access.h"

const struct ates_caller auth_fixture_service = {.signed_in = true, .role = ATES_INTERNALSERVICE};

static const struct ates_handler *find_handler(const struct fixture *fixture, const char *command)
{
    size_t i = 0;

    while (strcmp(fixture->domain->handlers[i].command, command) != 0) {
        i++;
    }
    return &fixture->domain->handlers[i];
}

struct ates_outcome auth_fixture_resume(struct fixture *fixture, struct ates_caller caller,
                                        const char *command, const void *body,
                                        const void *work_result)
{
    struct ates_outcome outcome;
    const struct ates_execution execution = {
        .handler = find_handler(fixture, command),
        .command = ates_service_command(&auth_service, command, strlen(command)),
        .body = body,
        .caller = caller,
        .work_result = work_result,
    };

    ates_engine_execute(fixture->engine, &execution, &outcome);
    return outcome;
}

uint64_t auth_fixture_user(struct fixture *fixture, const char *login, enum ates_role role)
{
    static char hash[crypto_pwhash_STRBYTES]; /* salted once for all users: tests need no more */
    struct auth_password_output password = {.matches = true};
    struct auth_register_user_result result;
    char email[300];

    if (hash[0] == '\0') {
        cr_assert_eq(crypto_pwhash_str(hash, AUTH_FIXTURE_PASSWORD, strlen(AUTH_FIXTURE_PASSWORD),
                                       crypto_pwhash_OPSLIMIT_MIN, crypto_pwhash_MEMLIMIT_MIN),
                     0);
    }
    strcpy(password.made, hash);
    snprintf(email, sizeof email, "%s@uberpopug.example", login);
    const struct auth_register_user body = {
        .login = ates_text_from(login),
        .email = ates_text_from(email),
        .password = ates_text_from(AUTH_FIXTURE_PASSWORD),
        .role = (int)role,
    };
    const struct ates_outcome outcome =
        auth_fixture_resume(fixture, auth_fixture_service, "register_user", &body, &password);
    cr_assert_eq(outcome.status, ATES_OK, "%s: %s", login, outcome.refusal.reason);
    cr_assert_eq(ates_message_decode(&auth_register_user_result_message, outcome.reply.data,
                                     outcome.reply.size, ATES_UNKNOWN_REFUSED, fixture->arena,
                                     &result, NULL),
                 0);
    fixture_commit(fixture);
    return result.user_id;
}

int auth_fixture_sign_in(struct fixture *fixture, const char *login, const char *password,
                         uint64_t origin, struct auth_auth_user_result *result)
{
    const struct ates_caller caller = {.origin = origin};
    const struct auth_auth_user body = {.login = ates_text_from(login),
                                        .password = ates_text_from(password)};

    return fixture_invoke(fixture, caller, "auth_user", &body, result);
}

int auth_fixture_authenticate(struct fixture *fixture, struct ates_text token,
                              struct ates_claims *claims, struct ates_caller *caller)
{
    const struct ates_request_meta meta = {.has_token = true, .token = token};
    char keys[sizeof fixture->folder + 8], error[256] = "";

    snprintf(keys, sizeof keys, "%s/keys", fixture->folder);
    struct ates_keyring *keyring = ates_keyring_load(keys, error, sizeof error);
    cr_assert_not_null(keyring, "%s", error);
    int r = ates_access_authenticate(keyring, ates_engine_txn(fixture->engine), &meta,
                                     ates_service_command(&auth_service, "show_user", 9),
                                     fixture->now_ms, claims, caller, &fixture->refusal);
    ates_keyring_free(&keyring);
    return r;
}
