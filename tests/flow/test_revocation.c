/* What ends a user's sessions refuses their older tokens: in auth at once, elsewhere as soon as
 * auth's event has been followed. Nobody can take away the last administrator. */
#include <string.h>

#include <criterion/criterion.h>

#include <ates/accounting.h>
#include <ates/analytics.h>
#include <ates/auth.h>
#include <ates/payment.h>
#include <ates/tasks.h>

#include "support/flow.h"

#define USER FLOW_DEVELOPER
#define BYSTANDER (FLOW_DEVELOPER + 1u)
#define NEW_PASSWORD "another password"

static struct flow flow;

static void start(void)
{
    flow_open(&flow);
    flow_start_all(&flow);
    flow_catch_up(&flow);
}

static void stop(void)
{
    flow_close(&flow);
}

TestSuite(revocation, .init = start, .fini = stop, .timeout = 300);

/* In every service, what any user may ask about themselves; or, where there is nothing of the kind,
 * an administrator alone: others hear that their role may not, which only a good token is told. */
static const struct {
    const struct ates_service *service;
    const char *command;
    bool is_administrators;
} questions[] = {
    {&auth_service, "show_user", false},          {&tasks_service, "show_my_assigned_tasks", false},
    {&accounting_service, "show_balance", false}, {&analytics_service, "today_income", true},
    {&payment_service, "show_schedule", true},
};
#define QUESTIONS (sizeof questions / sizeof questions[0])

static const struct ates_empty nothing;

/* A body whose fields are all left out. */
static const union {
    struct auth_show_user user;
    struct tasks_show_my_assigned_tasks tasks;
    struct accounting_show_balance balance;
} no_fields;

static void expect_served(uint64_t user)
{
    for (size_t i = 0; i < QUESTIONS; i++) {
        if (questions[i].is_administrators && user != FLOW_ADMINISTRATOR) {
            flow_refused(&flow, user, questions[i].service, questions[i].command, &no_fields,
                         ATES_PERMISSION_DENIED, "ROLE_NOT_ALLOWED");
        } else {
            flow_do(&flow, user, questions[i].service, questions[i].command, &no_fields, NULL);
        }
    }
}

/* The user's token is refused, by auth before anybody else can know. */
static void expect_refused(uint64_t user, const char *reason)
{
    flow_refused(&flow, user, &auth_service, "show_user", &no_fields, ATES_UNAUTHENTICATED, reason);
    flow_refused(&flow, user, &auth_service, "renew_token", &nothing, ATES_UNAUTHENTICATED, reason);
    flow_catch_up(&flow);
    for (size_t i = 0; i < QUESTIONS; i++) {
        flow_refused(&flow, user, questions[i].service, questions[i].command, &no_fields,
                     ATES_UNAUTHENTICATED, reason);
    }
}

static void expect_sign_in_refused(uint64_t user, const char *password, enum ates_status status,
                                   const char *reason)
{
    const struct auth_auth_user body = {.login = ates_text_from(flow_login(user)),
                                        .password = ates_text_from(password)};

    flow_refused(&flow, FLOW_NOBODY, &auth_service, "auth_user", &body, status, reason);
}

static void sign_in_with(uint64_t user, const char *password)
{
    const struct auth_auth_user body = {.login = ates_text_from(flow_login(user)),
                                        .password = ates_text_from(password)};
    struct auth_auth_user_result result;

    flow_do(&flow, FLOW_NOBODY, &auth_service, "auth_user", &body, &result);
    cr_assert_leq(result.token.size, ATES_TOKEN_MAX);
    memcpy(flow.tokens[user], result.token.data, result.token.size);
    flow.tokens[user][result.token.size] = '\0';
}

static void by_administrator(const char *command, const void *body)
{
    flow_do(&flow, FLOW_ADMINISTRATOR, &auth_service, command, body, NULL);
}

Test(revocation, change_of_role_ends_older_tokens)
{
    const struct auth_change_role promote = {.user_id = USER, .role = ATES_MANAGER};
    const struct auth_change_role demote = {.user_id = USER, .role = ATES_DEVELOPER};
    const struct tasks_show_all_assigned_tasks all = {.has_limit = false};

    flow_sign_in(&flow, USER);
    expect_served(USER);
    flow_refused(&flow, USER, &tasks_service, "show_all_assigned_tasks", &all,
                 ATES_PERMISSION_DENIED, "ROLE_NOT_ALLOWED");
    by_administrator("change_role", &promote);
    expect_refused(USER, "TOKEN_REVOKED");
    flow_sign_in(&flow, USER);
    expect_served(USER);
    flow_do(&flow, USER, &tasks_service, "show_all_assigned_tasks", &all, NULL);

    by_administrator("change_role", &demote);
    expect_refused(USER, "TOKEN_REVOKED");
    flow_sign_in(&flow, USER);
    flow_refused(&flow, USER, &tasks_service, "show_all_assigned_tasks", &all,
                 ATES_PERMISSION_DENIED, "ROLE_NOT_ALLOWED");
    expect_served(BYSTANDER);
}

Test(revocation, disabled_user_is_out_until_enabled_and_signed_in_anew)
{
    const struct auth_disable_user disable = {.user_id = USER};
    const struct auth_enable_user enable = {.user_id = USER};

    flow_sign_in(&flow, USER);
    expect_served(USER);
    by_administrator("disable_user", &disable);
    expect_refused(USER, "USER_DISABLED");
    expect_sign_in_refused(USER, flow_password(USER), ATES_PERMISSION_DENIED, "USER_DISABLED");
    expect_sign_in_refused(USER, "a wrong password", ATES_UNAUTHENTICATED, "BAD_CREDENTIALS");

    by_administrator("enable_user", &enable);
    expect_refused(USER, "TOKEN_REVOKED");
    flow_sign_in(&flow, USER);
    expect_served(USER);
    expect_served(BYSTANDER);
}

Test(revocation, revoked_sessions_end_all_of_a_users_tokens)
{
    const struct auth_revoke_sessions own = {.has_user_id = false};
    const struct auth_revoke_sessions of_user = {.has_user_id = true, .user_id = USER};
    char first[ATES_TOKEN_MAX + 1], second[ATES_TOKEN_MAX + 1];

    flow_sign_in(&flow, USER);
    strcpy(first, flow.tokens[USER]);
    flow_sign_in(&flow, USER);
    strcpy(second, flow.tokens[USER]);
    cr_assert_str_neq(first, second);
    flow_do(&flow, USER, &auth_service, "revoke_sessions", &own, NULL);
    expect_refused(USER, "TOKEN_REVOKED");
    strcpy(flow.tokens[USER], first);
    expect_refused(USER, "TOKEN_REVOKED");
    flow_sign_in(&flow, USER);
    expect_served(USER);

    by_administrator("revoke_sessions", &of_user);
    expect_refused(USER, "TOKEN_REVOKED");
    strcpy(flow.tokens[USER], second);
    expect_refused(USER, "TOKEN_REVOKED");
    flow_sign_in(&flow, USER);
    expect_served(USER);
    expect_served(BYSTANDER);
}

Test(revocation, changed_password_ends_older_tokens_and_the_older_password)
{
    char old_password[64];
    struct auth_change_password change = {.old_password = ates_text_from("a wrong password"),
                                          .new_password = ates_text_from(NEW_PASSWORD)};

    strcpy(old_password, flow_password(USER));
    flow_sign_in(&flow, USER);
    flow_refused(&flow, USER, &auth_service, "change_password", &change, ATES_UNAUTHENTICATED,
                 "BAD_CREDENTIALS");
    expect_served(USER);
    change.old_password = ates_text_from(old_password);
    flow_do(&flow, USER, &auth_service, "change_password", &change, NULL);
    expect_refused(USER, "TOKEN_REVOKED");
    expect_sign_in_refused(USER, old_password, ATES_UNAUTHENTICATED, "BAD_CREDENTIALS");
    sign_in_with(USER, NEW_PASSWORD);
    expect_served(USER);

    const struct auth_reset_password reset = {.user_id = USER,
                                              .new_password = ates_text_from(old_password)};
    by_administrator("reset_password", &reset);
    expect_refused(USER, "TOKEN_REVOKED");
    expect_sign_in_refused(USER, NEW_PASSWORD, ATES_UNAUTHENTICATED, "BAD_CREDENTIALS");
    flow_sign_in(&flow, USER);
    expect_served(USER);
    expect_served(BYSTANDER);
}

Test(revocation, renewed_token_ends_with_its_session)
{
    const struct auth_revoke_sessions own = {.has_user_id = false};
    struct auth_renew_token_result renewed;
    char first[ATES_TOKEN_MAX + 1];

    flow_sign_in(&flow, USER);
    strcpy(first, flow.tokens[USER]);
    flow_do(&flow, USER, &auth_service, "renew_token", &nothing, &renewed);
    memcpy(flow.tokens[USER], renewed.token.data, renewed.token.size);
    flow.tokens[USER][renewed.token.size] = '\0';
    expect_served(USER);
    flow_do(&flow, USER, &auth_service, "revoke_sessions", &own, NULL);
    expect_refused(USER, "TOKEN_REVOKED");
    strcpy(flow.tokens[USER], first);
    expect_refused(USER, "TOKEN_REVOKED");
}

/* What happened while a service was away, or auth itself was, is known when they are back. */
Test(revocation, reaches_services_that_were_not_there)
{
    const struct auth_disable_user disable = {.user_id = USER};

    expect_served(USER);
    for (size_t i = 1; i < QUESTIONS; i++) {
        flow_kill(&flow, questions[i].service->name);
    }
    by_administrator("disable_user", &disable);
    flow_kill(&flow, "auth");
    for (size_t i = 0; i < QUESTIONS; i++) {
        flow_start(&flow, questions[i].service->name);
    }
    expect_refused(USER, "USER_DISABLED");
    expect_served(BYSTANDER);
}

static uint64_t add_administrator(void)
{
    const struct auth_register_user body = {
        .login = ates_text_from("eve"),
        .email = ates_text_from("eve@example.org"),
        .password = ates_text_from(NEW_PASSWORD),
        .role = ATES_ADMINISTRATOR,
    };
    struct auth_register_user_result result;

    flow_do(&flow, FLOW_ADMINISTRATOR, &auth_service, "register_user", &body, &result);
    return result.user_id;
}

static void expect_last(uint64_t user)
{
    const struct auth_disable_user disable = {.user_id = user};
    const struct auth_change_role demote = {.user_id = user, .role = ATES_MANAGER};

    flow_refused(&flow, FLOW_ADMINISTRATOR, &auth_service, "disable_user", &disable,
                 ATES_FAILED_PRECONDITION, "LAST_ADMINISTRATOR");
    flow_refused(&flow, FLOW_ADMINISTRATOR, &auth_service, "change_role", &demote,
                 ATES_FAILED_PRECONDITION, "LAST_ADMINISTRATOR");
    flow_catch_up(&flow);
    expect_served(FLOW_ADMINISTRATOR);
}

Test(revocation, last_administrator_stays)
{
    expect_last(FLOW_ADMINISTRATOR);
    const uint64_t second = add_administrator();
    const struct auth_disable_user disable = {.user_id = second};
    const struct auth_enable_user enable = {.user_id = second};
    const struct auth_change_role demote = {.user_id = second, .role = ATES_BOSS};

    by_administrator("disable_user", &disable);
    expect_last(FLOW_ADMINISTRATOR); /* one who is disabled does not count */
    by_administrator("change_role", &demote);
    by_administrator("enable_user", &enable);
    expect_last(FLOW_ADMINISTRATOR); /* nor one who was an administrator */
}

/* Two administrators who leave in one moment: one of them is the last. */
Test(revocation, of_two_administrators_who_leave_at_once_one_stays)
{
    const uint64_t second = add_administrator();
    const struct auth_auth_user sign_in = {.login = ates_text_from("eve"),
                                           .password = ates_text_from(NEW_PASSWORD)};
    const uint64_t users[] = {FLOW_ADMINISTRATOR, second};
    char tokens[2][ATES_TOKEN_MAX + 1];
    struct auth_auth_user_result session;
    struct ates_client *clients[2];
    struct ates_pipeline *pipelines[2];
    unsigned done = 0, refused = 0;

    flow_do(&flow, FLOW_NOBODY, &auth_service, "auth_user", &sign_in, &session);
    strcpy(tokens[0], flow.tokens[FLOW_ADMINISTRATOR]);
    memcpy(tokens[1], session.token.data, session.token.size);
    tokens[1][session.token.size] = '\0';
    for (size_t i = 0; i < 2; i++) {
        clients[i] = ates_client_new(flow.run_dir);
        cr_assert_not_null(clients[i]);
        ates_client_set_token(clients[i], tokens[i]);
        pipelines[i] = ates_pipeline_new(clients[i], "auth");
        cr_assert_not_null(pipelines[i]);
    }
    for (size_t i = 0; i < 2; i++) {
        const struct auth_disable_user disable = {.user_id = users[i]};
        struct ates_buffer body = {0};

        ates_message_encode(&auth_disable_user_message, &disable, &body);
        cr_assert_eq(
            ates_pipeline_send(pipelines[i], "disable_user", NULL, body.data, body.size, i), 0);
        ates_buffer_release(&body);
    }
    for (size_t i = 0; i < 2; i++) {
        struct ates_reply reply;

        cr_assert_eq(ates_pipeline_receive(pipelines[i], FLOW_PATIENCE_MS * flow_scale(), &reply),
                     0);
        done += reply.status == ATES_OK;
        refused += reply.status == ATES_FAILED_PRECONDITION &&
                   strcmp(reply.refusal.reason, "LAST_ADMINISTRATOR") == 0;
        ates_pipeline_free(&pipelines[i]);
        ates_client_free(&clients[i]);
    }
    cr_expect_eq(done, 1);
    cr_expect_eq(refused, 1);
}
