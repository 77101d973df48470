/* Every cell of command x caller x ownership does what PROTOCOL.md section 7 says, on real
 * services. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include <ates/accounting.h>
#include <ates/analytics.h>
#include <ates/auth.h>
#include <ates/payment.h>
#include <ates/tasks.h>

#include "core/random.h"
#include "core/writer.h"
#include "flow/access_matrix.h"
#include "support/flow.h"

#define PASSWORD "a password of everybody"
#define DRAWS_MAX 2000
#define MAIL_OF_NOBODY 1000000
/* Tokens are issued ahead: a cell that ends its caller's sessions spoils none of the next. */
#define AHEAD_MS 2000
#define LIFE_MS 600000

static const enum ates_role roles[CALLERS] = {
    [BY_ADMINISTRATOR] = ATES_ADMINISTRATOR,
    [BY_MANAGER] = ATES_MANAGER,
    [BY_DEVELOPER] = ATES_DEVELOPER,
    [BY_BOSS] = ATES_BOSS,
    [BY_ACCOUNTANT] = ATES_ACCOUNTANT,
    [BY_INTERNALSERVICE] = ATES_INTERNALSERVICE,
    [BY_OTHER] = ATES_OTHER,
    [BY_SERVICE] = ATES_INTERNALSERVICE,
};

static const struct {
    enum ates_status status;
    const char *reason, *field;
} expected[] = {
    [YES] = {ATES_OK, "", ""},
    [TOKEN] = {ATES_UNAUTHENTICATED, "TOKEN_MISSING", ""},
    [ROLE] = {ATES_PERMISSION_DENIED, "ROLE_NOT_ALLOWED", ""},
    [NOT_OTHERS] = {ATES_PERMISSION_DENIED, "ROLE_NOT_ALLOWED", "user_id"},
    [NOT_AS] = {ATES_PERMISSION_DENIED, "ROLE_NOT_ALLOWED", "role"},
    [NO_ASSIGNEE] = {ATES_PERMISSION_DENIED, "NOT_ASSIGNEE", ""},
    [NOT_YOURS] = {ATES_PERMISSION_DENIED, "NOT_YOUR_TASK", ""},
    [NO_USER] = {ATES_NOT_FOUND, "USER_UNKNOWN", ""},
    [NO_SESSION] = {ATES_FAILED_PRECONDITION, "NO_SESSION", ""},
    [FINISHED] = {ATES_FAILED_PRECONDITION, "ALREADY_FINISHED", ""},
    [NO_MAIL] = {ATES_NOT_FOUND, "MAIL_UNKNOWN", ""},
    [NOT_DEAD] = {ATES_NOT_FOUND, "DEAD_LETTER_UNKNOWN", "seq"},
    [UNCUT] = {ATES_FAILED_PRECONDITION, "NOT_COMPACTED", ""},
    [UNBOOKED] = {ATES_FAILED_PRECONDITION, "NO_TRANSFERS", "business_date"},
};

static struct flow flow;
static struct ates_secret_key users_key;

static uint64_t callers[CALLERS]; /* user ids; 0: none */
static uint64_t another;
static unsigned login_number;

static const char *login_of(unsigned number, char login[24])
{
    snprintf(login, 24, "login%u", number);
    return login;
}

static uint64_t add_user(enum ates_role role, unsigned *number)
{
    char login[24];
    const struct auth_register_user body = {
        .login = ates_text_from(login_of(++login_number, login)),
        .email = ates_text_from("someone@example.org"),
        .password = ates_text_from(PASSWORD),
        .role = role,
    };
    struct auth_register_user_result result;

    if (number != NULL) {
        *number = login_number;
    }
    flow_do(&flow, FLOW_SERVICE, &auth_service, "register_user", &body, &result);
    return result.user_id;
}

/* The caller whose login is the number has the same place in it. */
static unsigned login_numbers[CALLERS], another_number;

static void add_caller(enum caller caller)
{
    callers[caller] = add_user(roles[caller], &login_numbers[caller]);
}

static void start(void)
{
    char dir[128], error[512] = "";

    flow_open(&flow);
    flow_start_all(&flow);
    snprintf(dir, sizeof dir, "%s/keys", flow.data_dir);
    cr_assert_eq(ates_keys_load_secret(dir, ATES_KEY_USERS, &users_key, error, sizeof error), 0,
                 "%s", error);
    for (int caller = BY_ADMINISTRATOR; caller < BY_SERVICE; caller++) {
        add_caller((enum caller)caller);
    }
    another = add_user(ATES_DEVELOPER, &another_number);
    flow_catch_up(&flow);
}

static void stop(void)
{
    flow_close(&flow);
}

TestSuite(access_cells, .init = start, .fini = stop, .timeout = 900);

static void sign_in(unsigned number, char token[ATES_TOKEN_MAX + 1])
{
    char login[24];
    const struct auth_auth_user body = {.login = ates_text_from(login_of(number, login)),
                                        .password = ates_text_from(PASSWORD)};
    struct auth_auth_user_result result;

    flow_do(&flow, FLOW_NOBODY, &auth_service, "auth_user", &body, &result);
    snprintf(token, ATES_TOKEN_MAX + 1, "%.*s", (int)result.token.size, result.token.data);
}

static void use_token(const struct access_row *row, enum caller caller)
{
    const struct ates_source source = ates_source_system();
    char token[ATES_TOKEN_MAX + 1];

    if (caller == BY_NOBODY) {
        ates_client_set_token(flow.client, NULL);
        return;
    }
    if (caller == BY_SERVICE) {
        ates_client_set_token(flow.client, flow.tokens[FLOW_SERVICE]);
        return;
    }
    if (row->signs_in) {
        sign_in(login_numbers[caller], token);
    } else {
        struct ates_claims claims = {
            .user_id = callers[caller],
            .role = roles[caller],
            .login = "somebody",
            .issued_at = ates_now_ms(&source) + AHEAD_MS,
        };

        claims.not_before = claims.issued_at - AHEAD_MS;
        claims.expires_at = claims.issued_at + LIFE_MS;
        cr_assert_eq(ates_token_sign(&users_key, &source, &claims, token), 0);
    }
    ates_client_set_token(flow.client, token);
}

/* A task as the row wants it. Assignees are drawn, so it is drawn until it is so. */
static uint64_t make_task(const struct access_row *row, enum caller caller)
{
    const bool for_caller = row->ownership == TASK_ASSIGNED || row->ownership == TASK_FINISHED;
    const struct tasks_create_task body = {.name = ates_text_from("a task")};
    struct tasks_task_result made = {.task = {.id = 0}};
    bool good = false;

    for (int i = 0; i < DRAWS_MAX && !good; i++) {
        ates_arena_reset(flow.arena);
        if (row->ownership == TASK_CREATED && caller != BY_NOBODY) {
            struct ates_reply reply;

            use_token(row, caller);
            const struct ates_command *create =
                ates_service_command(&tasks_service, "create_task", 11);
            cr_assert_eq(ates_client_invoke(flow.client, &tasks_service, create, NULL, &body,
                                            flow.arena, &made, &reply),
                         0, "%s", reply.refusal.message);
        } else {
            flow_do(&flow, FLOW_ADMINISTRATOR, &tasks_service, "create_task", &body, &made);
        }
        good = caller == BY_NOBODY || (made.task.assigned_to == callers[caller]) == for_caller;
    }
    cr_assert(good, "no task could be made for %s", row->command);
    if (row->ownership == TASK_FINISHED && caller != BY_NOBODY) {
        const struct tasks_complete_task complete = {.task_id = made.task.id};
        const struct ates_command *command =
            ates_service_command(&tasks_service, "complete_task", 13);
        struct ates_reply reply;

        use_token(row, caller);
        cr_assert_eq(ates_client_invoke(flow.client, &tasks_service, command, NULL, &complete,
                                        flow.arena, NULL, &reply),
                     0, "%s", reply.refusal.message);
    }
    return made.task.id;
}

static void write_text(struct ates_buffer *out, const char *text)
{
    ates_write_text(out, text, strlen(text));
}

static void write_field(struct ates_buffer *out, const char *name, const struct access_row *row,
                        enum caller caller)
{
    char login[24];

    write_text(out, strcmp(name, "known_login") == 0 ? "login" : name);
    if (strcmp(name, "known_login") == 0) {
        write_text(out, login_of(another_number, login));
    } else if (strcmp(name, "login") == 0) {
        write_text(out, login_of(++login_number, login));
    } else if (strcmp(name, "prefix") == 0) {
        write_text(out, "u");
    } else if (strcmp(name, "email") == 0) {
        write_text(out, "somebody@example.org");
    } else if (strstr(name, "password") != NULL) {
        write_text(out, PASSWORD);
    } else if (strcmp(name, "role") == 0) {
        write_text(out, ates_role_names[row->role]);
    } else if (strcmp(name, "user_id") == 0 || strcmp(name, "assigned_to") == 0) {
        const bool is_self = row->ownership == OF_SELF_NAMED && caller != BY_NOBODY;

        ates_write_unsigned(out, is_self ? callers[caller] : another);
    } else if (strcmp(name, "user_ids") == 0) {
        ates_write_list(out, 1);
        ates_write_unsigned(out, another);
    } else if (strcmp(name, "task_id") == 0) {
        ates_write_unsigned(out, make_task(row, caller));
    } else if (strcmp(name, "mail_id") == 0 || strcmp(name, "seq") == 0) {
        ates_write_unsigned(out, MAIL_OF_NOBODY);
    } else if (strcmp(name, "dry_run") == 0) {
        ates_write_bool(out, true);
    } else if (strcmp(name, "after_seq") == 0) {
        ates_write_unsigned(out, 0);
    } else if (strstr(name, "date") != NULL) {
        write_text(out, "2024-02-29");
    } else {
        write_text(out, "a text"); /* name, description */
    }
}

static void write_body(struct ates_buffer *out, const struct access_row *row, enum caller caller)
{
    char fields[128], *rest, *name;
    size_t count = 0;

    snprintf(fields, sizeof fields, "%s", row->fields != NULL ? row->fields : "");
    for (const char *at = fields; *at != '\0'; at++) {
        count += *at == ' ' || at == fields;
    }
    ates_write_map(out, count);
    for (name = strtok_r(fields, " ", &rest); name != NULL; name = strtok_r(NULL, " ", &rest)) {
        write_field(out, name, row, caller);
    }
}

/* Whoever a row changed for good is followed by somebody new. */
static void replace(const struct access_row *row, enum caller caller)
{
    if (row->ownership == OF_ANOTHER) {
        another = add_user(ATES_DEVELOPER, &another_number);
    } else {
        add_caller(caller);
    }
    flow_catch_up(&flow);
}

static void try_cell(const struct access_row *row, enum caller caller)
{
    static const char *const names[CALLERS] = {
        "nobody",        "an administrator",   "a manager", "a developer", "a boss",
        "an accountant", "an internalservice", "an other",  "a service"};
    static const char *const ownerships[] = {[OF_NOBODY] = "",
                                             [OF_SELF] = " about itself",
                                             [OF_SELF_NAMED] = " about itself by user_id",
                                             [OF_ANOTHER] = " about another user",
                                             [TASK_ASSIGNED] = " on its own task",
                                             [TASK_FINISHED] = " on its own finished task",
                                             [TASK_CREATED] = " on a task that it created",
                                             [TASK_OF_OTHERS] = " on a task of others"};
    const enum outcome outcome = row->outcomes[caller];
    struct ates_buffer body = {0};
    struct ates_reply reply;

    if (outcome == NEVER) {
        return;
    }
    write_body(&body, row, caller);
    use_token(row, caller);
    const int r = ates_client_call(flow.client, row->service->name, row->command, NULL, body.data,
                                   body.size, &reply);
    ates_buffer_release(&body);
    cr_assert_eq(r, 0, "%s.%s: %s", row->service->name, row->command, strerror(-r));
    cr_expect(reply.status == expected[outcome].status &&
                  strcmp(reply.refusal.reason, expected[outcome].reason) == 0 &&
                  strcmp(reply.refusal.field, expected[outcome].field) == 0,
              "%s.%s %s by %s%s: expected %s / %s / '%s', got %s / %s / '%s': %s",
              row->service->name, row->command,
              strstr(row->fields != NULL ? row->fields : "", "role") != NULL
                  ? ates_role_names[row->role]
                  : "",
              names[caller], ownerships[row->ownership], ates_status_name(expected[outcome].status),
              expected[outcome].reason, expected[outcome].field, ates_status_name(reply.status),
              reply.refusal.reason, reply.refusal.field, reply.refusal.message);
    if (row->spoils && reply.status == ATES_OK) {
        replace(row, caller);
    }
}

Test(access_cells, each_does_what_the_matrix_says)
{
    size_t cells = 0;

    for (size_t i = 0; i < access_matrix_rows; i++) {
        flow_catch_up(&flow); /* pay_to_workers refuses while accounting is behind tasks */
        for (int caller = 0; caller < CALLERS; caller++) {
            cells += access_matrix[i].outcomes[caller] != NEVER;
            try_cell(&access_matrix[i], (enum caller)caller);
        }
    }
    fprintf(stderr, "%zu cells of %zu rows\n", cells, access_matrix_rows);
}

static bool has_row(const struct ates_service *service, const struct ates_command *command,
                    enum ownership ownership)
{
    for (size_t i = 0; i < access_matrix_rows; i++) {
        if (access_matrix[i].service == service && access_matrix[i].ownership == ownership &&
            strcmp(access_matrix[i].command, command->name) == 0) {
            return true;
        }
    }
    return false;
}

static void expect_row(const struct ates_service *service, const struct ates_command *command,
                       enum ownership ownership)
{
    cr_expect(has_row(service, command, ownership), "%s.%s has no row of ownership %d",
              service->name, command->name, (int)ownership);
}

/* What a command's fields make possible must be in the matrix. */
static void expect_rows(const struct ates_service *service, const struct ates_command *command)
{
    const struct ates_field *user_id = ates_message_field(command->body, "user_id", 7);

    if (ates_message_field(command->body, "task_id", 7) != NULL) {
        expect_row(service, command, TASK_ASSIGNED);
        expect_row(service, command, TASK_CREATED);
        expect_row(service, command, TASK_OF_OTHERS);
    } else if (user_id != NULL) {
        expect_row(service, command, OF_SELF_NAMED);
        expect_row(service, command, OF_ANOTHER);
        cr_expect(!user_id->optional || has_row(service, command, OF_SELF) ||
                      has_row(service, command, OF_NOBODY),
                  "%s.%s has no row without user_id", service->name, command->name);
    } else {
        cr_expect(has_row(service, command, OF_NOBODY) || has_row(service, command, OF_SELF),
                  "%s.%s has no row", service->name, command->name);
    }
}

Test(access_matrix, has_every_command_of_the_tables)
{
    const struct ates_service *const services[] = {
        &auth_service, &tasks_service, &accounting_service, &analytics_service, &payment_service};

    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        for (size_t j = 0; j < services[i]->command_count; j++) {
            expect_rows(services[i], &services[i]->commands[j]);
        }
        for (size_t j = 0; j < ates_common_service.command_count; j++) {
            expect_rows(services[i], &ates_common_service.commands[j]);
        }
    }
}
