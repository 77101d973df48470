/* Any command of any service, by its table. Invariant: a secret never comes from the command line,
 * which every user of the machine can read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "core/message_json.h"
#include "ctl.h"
#include "output.h"
#include "refusal.h"
#include "remote.h"
#include "suggest.h"

static const struct ctl_option call_options[] = {
    {"request-id", "ID", "the idempotency key: the command takes effect once, however often sent"},
    {NULL, NULL, NULL},
};

static int find(const char *name, const struct ates_service **service,
                const struct ates_command **command)
{
    const size_t size = strcspn(name, ".");

    *service = ctl_service(name, size);
    if (*service == NULL) {
        ctl_fail(CTL_USAGE, NULL,
                 "there is no service '%.*s'; there are:", (int)(size < 64 ? size : 64), name);
        for (size_t i = 0; ctl_service_at(i) != NULL; i++) {
            ctl_say("  %s", ctl_service_at(i)->name);
        }
        return CTL_USAGE;
    }
    const char *rest = name + size + (name[size] == '.' ? 1 : 0);
    *command = ates_service_command(*service, rest, strlen(rest));
    if (*command != NULL) {
        return CTL_OK;
    }
    const char *near = ctl_suggest_service_command(*service, rest);
    if (near != NULL) {
        char advice[128];

        snprintf(advice, sizeof advice, "atesctl call %s.%s", (*service)->name, near);
        return ctl_fail(CTL_USAGE, advice, "there is no command '%.100s': did you mean '%s.%s'?",
                        name, (*service)->name, near);
    }
    ctl_fail(CTL_USAGE, NULL, "there is no command '%.100s'; %s has:", name, (*service)->name);
    for (size_t i = 0; i < (*service)->command_count; i++) {
        ctl_say("  %s.%-28s %s", (*service)->name, (*service)->commands[i].name,
                (*service)->commands[i].summary);
    }
    for (size_t i = 0; i < ates_common_service.command_count; i++) {
        ctl_say("  %s.%-28s %s", (*service)->name, ates_common_service.commands[i].name,
                ates_common_service.commands[i].summary);
    }
    return CTL_USAGE;
}

/* What a field may hold, in words. */
static void describe(const struct ates_field *field, char *out, size_t size)
{
    static const char *const rules[] = {
        [ATES_RULE_LINE] = " in one line",           [ATES_RULE_ASCII] = " of ASCII",
        [ATES_RULE_LOGIN] = " of A-Z a-z 0-9 . _ -", [ATES_RULE_EMAIL] = ", an e-mail address",
        [ATES_RULE_DATE] = ", as YYYY-MM-DD",        [ATES_RULE_TEXT] = "",
        [ATES_RULE_TITLE] = ", no [ or ]",           [ATES_RULE_ISSUE] = ", as JIRA-123",
    };
    size_t used = 0;

    if (field->type == ATES_ENUM) {
        for (size_t i = field->names[0] == NULL; field->names[i] != NULL && used < size; i++) {
            used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "",
                                     field->names[i]);
        }
    } else if (field->type == ATES_BOOL) {
        snprintf(out, size, "true or false");
    } else if (field->type == ATES_TEXT && field->rule == ATES_RULE_DATE) {
        snprintf(out, size, "a date%s", rules[field->rule]);
    } else if (field->type == ATES_TEXT) {
        snprintf(out, size, field->max > 0 ? "%lld to %lld characters%s%s" : "text",
                 (long long)field->min, (long long)field->max, rules[field->rule],
                 field->secret ? "; secret: asked for, or =@FILE, or =- for stdin" : "");
    } else if (field->max > 0) {
        snprintf(out, size, "a number from %lld to %lld", (long long)field->min,
                 (long long)field->max);
    } else if (field->type == ATES_UINT) {
        snprintf(out, size, "a number from %lld", (long long)field->min);
    } else {
        snprintf(out, size, "a number");
    }
}

static void print_fields(FILE *out, const struct ates_message *body)
{
    char words[256];

    fputs(body->count > 0 ? "Fields:\n" : "It has no fields.\n", out);
    for (size_t i = 0; i < body->count; i++) {
        const struct ates_field *field = &body->fields[i];
        const char *summary = field->summary != NULL ? field->summary : "";

        describe(field, words, sizeof words);
        fprintf(out, "  %-16s %s%s%s%s\n", field->name, field->optional ? "(optional) " : "", words,
                summary[0] != '\0' ? "; " : "", summary);
    }
}

static int help_call(const struct ctl_input *input)
{
    const struct ates_service *service;
    const struct ates_command *command;
    char roles[160];

    if (find(input->arguments[0], &service, &command) != CTL_OK) {
        return CTL_USAGE;
    }
    ctl_roles(command->callers, roles, sizeof roles);
    printf("Usage: atesctl call %s.%s%s\n\n%s\n\n", service->name, command->name,
           command->body->count > 0 ? " FIELD=VALUE..." : "", command->summary);
    print_fields(stdout, command->body);
    printf("\nWho may: %s%s.\n", roles,
           command->callers & ATES_NO_TOKEN ? "; also without being signed in" : "");
    return ctl_flush();
}

/* Reads a secret: file NULL asks for it. */
static int set_secret(struct ctl *ctl, const struct ates_command *command, void *body,
                      const char *field, const char *file)
{
    char secret[CTL_PASSWORD_SIZE];

    char instead[128];
    const struct ctl_password_source source = {file, instead, field, false};

    snprintf(instead, sizeof instead, "%s=@FILE, or %s=- for stdin", field, field);
    int code = ctl_read_password(ctl, &source, secret);
    if (code == CTL_OK) {
        code = ctl_set(ctl, command, body, field, secret, field);
    }
    sodium_memzero(secret, sizeof secret);
    return code;
}

static int set_argument(struct ctl *ctl, const struct ates_command *command, void *body,
                        const char *argument, bool *given)
{
    const char *equals = strchr(argument, '=');
    char name[64];

    if (equals == NULL || equals == argument || (size_t)(equals - argument) >= sizeof name) {
        return ctl_fail(CTL_USAGE, "FIELD=VALUE", "'%.60s' sets no field", argument);
    }
    memcpy(name, argument, (size_t)(equals - argument));
    name[equals - argument] = '\0';
    const struct ates_field *field = ates_message_field(command->body, name, strlen(name));
    if (field == NULL || !field->secret) {
        if (field != NULL) {
            given[field - command->body->fields] = true;
        }
        return ctl_set(ctl, command, body, name, equals + 1, name);
    }
    given[field - command->body->fields] = true;
    if (equals[1] != '@' && strcmp(equals + 1, "-") != 0) {
        return ctl_fail(CTL_USAGE, "leave it out to be asked, or give =@FILE, or =- for stdin",
                        "%s is secret, and a command line is not", name);
    }
    return set_secret(ctl, command, body, name, equals[1] == '@' ? equals + 2 : "-");
}

/* Fields without a value on the command line: secret ones are asked for, others are missing. */
static int fill_rest(struct ctl *ctl, const struct ates_command *command, void *body,
                     const bool *given)
{
    int code = CTL_OK;

    for (size_t i = 0; i < command->body->count && code == CTL_OK; i++) {
        const struct ates_field *field = &command->body->fields[i];

        if (given[i] || field->optional) {
            continue;
        }
        if (field->secret) {
            code = set_secret(ctl, command, body, field->name, NULL);
        } else {
            code = ctl_fail(CTL_USAGE, NULL, "%s: %s=... is needed", command->name, field->name);
            print_fields(stderr, command->body);
        }
    }
    return code;
}

/* Results are of every shape, which only JSON can show. */
static int print_json(const struct ctl *ctl, const struct ates_message *message, const void *value)
{
    json_t *json = ates_message_to_json_public(message, value);

    json_dumpf(json, stdout, ctl->format == CTL_NDJSON ? JSON_COMPACT : JSON_INDENT(2));
    fputc('\n', stdout);
    json_decref(json);
    return ctl_flush();
}

static int run_call(struct ctl *ctl, const struct ctl_input *input)
{
    char drawn_id[37];
    const struct ates_service *service;
    const struct ates_command *command;

    int code = find(input->arguments[0], &service, &command);
    if (code != CTL_OK) {
        return code;
    }
    void *body = ates_arena_alloc(ctl->arena, command->body->size);
    void *result = ates_arena_alloc(ctl->arena, command->result->size);
    bool *given = ates_arena_alloc(ctl->arena, (command->body->count + 1) * sizeof *given);
    for (int i = 1; i < input->count && code == CTL_OK; i++) {
        code = set_argument(ctl, command, body, input->arguments[i], given);
    }
    if (code == CTL_OK) {
        code = fill_rest(ctl, command, body, given);
    }
    if (code == CTL_OK) {
        const char *given_id = ctl_value(input, "request-id");

        ates_request_id_new(drawn_id);
        code = ctl_call(ctl, service, command,
                        given_id != NULL || command->is_query ? given_id : drawn_id, body,
                        ctl->arena, result);
    }
    return code == CTL_OK ? print_json(ctl, command->result, result) : code;
}

static void tell_commands(const struct ates_service *service, const struct ates_service *of,
                          ctl_word_fn *tell, void *context)
{
    for (size_t i = 0; i < of->command_count; i++) {
        char name[96];

        snprintf(name, sizeof name, "%s.%s", service->name, of->commands[i].name);
        tell(context, name, of->commands[i].summary);
    }
}

/* Every command; behind one, its fields. */
static void tell_words(const struct ctl_input *input, ctl_word_fn *tell, void *context)
{
    const char *name = input->count > 0 ? input->arguments[0] : "";
    const size_t size = strcspn(name, ".");
    const struct ates_service *service;

    for (size_t i = 0; input->count == 0 && (service = ctl_service_at(i)) != NULL; i++) {
        tell_commands(service, service, tell, context);
        tell_commands(service, &ates_common_service, tell, context);
    }
    service = input->count > 0 && name[size] == '.' ? ctl_service(name, size) : NULL;
    const struct ates_command *command =
        service != NULL ? ates_service_command(service, name + size + 1, strlen(name + size + 1))
                        : NULL;
    for (size_t i = 0; command != NULL && i < command->body->count; i++) {
        char field[64];

        snprintf(field, sizeof field, "%s=", command->body->fields[i].name);
        tell(context, field, command->body->fields[i].summary);
    }
}

static const struct ctl_command call_command = {
    .name = "call",
    .arguments = "SERVICE.COMMAND [FIELD=VALUE...]",
    .summary = "Call any command of any service; the result is JSON",
    .examples = "atesctl call tasks.show_task task_id=12\n"
                "atesctl call accounting.health\n"
                "atesctl call tasks.create_task name=\"Count toner\" description= --request-id a1\n"
                "atesctl call tasks.create_task --help",
    .look = "a show_ command",
    .options = call_options,
    .min = 1,
    .max = -1,
    .run = run_call,
    .words = tell_words,
    .help = help_call,
};

static const struct ctl_command *const commands[] = {&call_command, NULL};
const struct ctl_group call_group = {.summary = "Everything else", .commands = commands};
