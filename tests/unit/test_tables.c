/* Invariants of the message tables of every service: what the codec, the daemon, atesctl and the
 * documents take for granted. Invariant: a new service is one line in services[]. */
#include <ctype.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include <ates/accounting.h>
#include <ates/analytics.h>
#include <ates/auth.h>
#include <ates/payment.h>
#include <ates/tasks.h>

static const struct ates_service *const services[] = {
    &auth_service, &tasks_service, &accounting_service, &analytics_service, &payment_service};
#define SERVICE_COUNT (sizeof services / sizeof services[0])

static bool is_lower_snake(const char *name)
{
    if (name == NULL || !islower((unsigned char)name[0])) {
        return false;
    }
    for (const char *at = name; *at != '\0'; ++at) {
        bool single = *at == '_' && at[1] != '_' && at[1] != '\0';
        if (!single && !islower((unsigned char)*at) && !isdigit((unsigned char)*at)) {
            return false;
        }
    }
    return true;
}

/* A sentence: from a capital letter to its only full stop. */
static bool is_sentence(const char *summary)
{
    return summary != NULL && isupper((unsigned char)summary[0]) &&
           strchr(summary, '.') == summary + strlen(summary) - 1;
}

static size_t value_size(const struct ates_field *field)
{
    switch (field->type) {
    case ATES_BOOL:
        return sizeof(bool);
    case ATES_UINT:
    case ATES_INT:
        return sizeof(uint64_t);
    case ATES_ENUM:
        return sizeof(int);
    case ATES_TEXT:
        return sizeof(struct ates_text);
    case ATES_BYTES:
    case ATES_RAW:
        return sizeof(struct ates_bytes);
    case ATES_STRUCT:
        return field->message->size;
    case ATES_LIST:
        return sizeof(struct ates_list);
    }
    cr_assert_fail("%s has no type", field->name);
    return 0;
}

static size_t value_alignment(const struct ates_field *field)
{
    switch (field->type) {
    case ATES_BOOL:
        return alignof(bool);
    case ATES_ENUM:
        return alignof(int);
    default:
        return alignof(uint64_t);
    }
}

/* Marks the bytes as the field's own; they must lie within the struct and be nobody else's. */
static void claim(const struct ates_message *message, const char *field, char *claimed,
                  size_t offset, size_t size)
{
    cr_assert_leq(offset + size, message->size, "%s.%s is outside its struct", message->name,
                  field);
    for (size_t i = offset; i < offset + size; ++i) {
        cr_assert_eq(claimed[i], 0, "%s.%s overlaps another member", message->name, field);
        claimed[i] = 1;
    }
}

static void check_limits(const struct ates_message *message, const struct ates_field *field)
{
    int64_t max = field->max;

    switch (field->type) {
    case ATES_UINT:
        cr_expect_geq(field->min, 0, "%s.%s may be negative", message->name, field->name);
        __attribute__((fallthrough));
    case ATES_INT:
        max = max == 0 ? ATES_INTEGER_MAX : max;
        cr_expect_geq(field->min, -ATES_INTEGER_MAX, "%s.%s", message->name, field->name);
        cr_expect_leq(max, ATES_INTEGER_MAX, "%s.%s", message->name, field->name);
        break;
    case ATES_BYTES:
    case ATES_RAW:
        max = max == 0 ? ATES_FRAME_MAX : max; /* the frame bounds what carries another message */
        __attribute__((fallthrough));
    case ATES_TEXT:
        cr_expect_gt(max, 0, "%s.%s is unlimited", message->name, field->name);
        cr_expect_leq(max, ATES_FRAME_MAX, "%s.%s", message->name, field->name);
        break;
    case ATES_LIST:
        cr_expect_gt(max, 0, "%s.%s is unlimited", message->name, field->name);
        cr_expect_eq(field->item == ATES_STRUCT, field->message != NULL, "%s.%s", message->name,
                     field->name);
        break;
    case ATES_ENUM:
        cr_assert_not_null(field->names, "%s.%s has no names", message->name, field->name);
        for (const char *const *name = field->names; *name != NULL; ++name) {
            cr_expect(is_lower_snake(*name), "%s.%s: %s", message->name, field->name, *name);
        }
        break;
    case ATES_STRUCT:
        cr_assert_not_null(field->message, "%s.%s has no message", message->name, field->name);
        break;
    case ATES_BOOL:
        break;
    }
    cr_expect_leq(field->min, max, "%s.%s accepts nothing", message->name, field->name);
}

/* A number's unit, which documents tell, is the one that its name tells. */
static void check_unit(const struct ates_message *message, const struct ates_field *field)
{
    static const struct {
        const char *ending;
        enum ates_unit unit;
    } endings[] = {{"_id", ATES_UNIT_ID},          {"_cents", ATES_UNIT_CENTS},
                   {"_at", ATES_UNIT_TIME},        {"timestamp", ATES_UNIT_TIME},
                   {"_time", ATES_UNIT_TIME},      {"_after", ATES_UNIT_TIME},
                   {"_ms", ATES_UNIT_MILLISECONDS}};
    const size_t size = strlen(field->name);

    if (field->type != ATES_UINT && field->type != ATES_INT) {
        cr_expect(field->unit == ATES_UNIT_NONE || field->item == ATES_UINT, "%s.%s", message->name,
                  field->name);
        return;
    }
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; ++i) {
        const size_t length = strlen(endings[i].ending);

        if (size >= length && strcmp(field->name + size - length, endings[i].ending) == 0) {
            cr_expect_eq(field->unit, endings[i].unit, "%s.%s has another unit", message->name,
                         field->name);
        }
    }
}

static void check_message(const struct ates_message *message, size_t depth, bool secrets)
{
    cr_assert_not_null(message);
    cr_assert(is_lower_snake(message->name), "message name %s", message->name);
    cr_assert_lt(depth, ATES_NESTING_MAX, "%s nests too deep", message->name);
    char *claimed = calloc(message->size, 1);
    cr_assert_not_null(claimed);
    for (size_t i = 0; i < message->count; ++i) {
        const struct ates_field *field = &message->fields[i];
        cr_expect(is_lower_snake(field->name), "%s.%s", message->name, field->name);
        for (size_t j = 0; j < i; ++j) {
            cr_expect_str_neq(field->name, message->fields[j].name, "%s has two", message->name);
        }
        check_limits(message, field);
        check_unit(message, field);
        cr_expect_eq(field->offset % value_alignment(field), 0, "%s.%s", message->name,
                     field->name);
        claim(message, field->name, claimed, field->offset, value_size(field));
        if (field->optional) {
            claim(message, field->name, claimed, field->present, sizeof(bool));
        }
        cr_expect(secrets || !field->secret, "%s.%s is secret", message->name, field->name);
        if (field->message != NULL) {
            check_message(field->message, depth + 1 + (field->type == ATES_LIST), secrets);
        }
    }
    free(claimed);
}

static const struct ates_field *find_field(const struct ates_message *message, const char *name)
{
    for (size_t i = 0; i < message->count; ++i) {
        if (strcmp(message->fields[i].name, name) == 0) {
            return &message->fields[i];
        }
    }
    return NULL;
}

static void check_command(const struct ates_command *command)
{
    const unsigned everybody = ATES_ANY_ROLE | ATES_NO_TOKEN;

    cr_expect(is_lower_snake(command->name), "%s", command->name);
    cr_expect(is_sentence(command->summary), "%s: %s", command->name, command->summary);
    check_message(command->body, 1, true);
    check_message(command->result, 1, true);
    cr_expect(command->body == &ates_empty_message ||
                  strcmp(command->body->name, command->name) == 0,
              "%s has the body of %s", command->name, command->body->name);

    cr_expect_neq(command->callers, 0, "%s has no callers", command->name);
    cr_expect_eq(command->callers & ~everybody, 0, "%s", command->name);
    cr_expect_eq(command->others & ~(command->callers & ATES_ANY_ROLE), 0,
                 "%s: who may name others may call", command->name);
    cr_expect_eq(command->others != 0, find_field(command->body, "user_id") != NULL,
                 "%s: others and user_id belong together", command->name);

    bool paged = find_field(command->body, "after") != NULL;
    cr_expect_eq(paged, find_field(command->body, "limit") != NULL, "%s", command->name);
    cr_expect_eq(paged, find_field(command->result, "next") != NULL, "%s", command->name);
    cr_expect(!paged || find_field(command->result, "items") != NULL, "%s", command->name);
}

Test(tables, services_have_distinct_names)
{
    for (size_t i = 0; i < SERVICE_COUNT; ++i) {
        cr_expect(is_lower_snake(services[i]->name));
        for (size_t j = 0; j < i; ++j) {
            cr_expect_str_neq(services[i]->name, services[j]->name);
        }
    }
}

Test(tables, commands_are_sound)
{
    for (size_t i = 0; i < SERVICE_COUNT; ++i) {
        const struct ates_service *service = services[i];
        cr_expect_gt(service->command_count, 0, "%s offers nothing", service->name);
        for (size_t j = 0; j < service->command_count; ++j) {
            const struct ates_command *command = &service->commands[j];
            check_command(command);
            /* Looked up by name, so that neither a twin nor a common command hides it. */
            cr_expect_eq(ates_service_command(service, command->name, strlen(command->name)),
                         command, "%s.%s is hidden by another", service->name, command->name);
            cr_expect_null(
                ates_service_command(&ates_common_service, command->name, strlen(command->name)),
                "%s.%s hides a common command", service->name, command->name);
        }
    }
}

Test(tables, events_are_sound)
{
    for (size_t i = 0; i < SERVICE_COUNT; ++i) {
        const struct ates_service *service = services[i];
        for (size_t j = 0; j < service->event_count; ++j) {
            const struct ates_event_type *event = &service->events[j];
            /* Secrets never enter a published event. */
            check_message(event->data, 1, event->is_private);
            cr_expect(is_sentence(event->summary), "%s: %s", event->data->name, event->summary);
            cr_expect_geq(event->version, 1, "%s", event->data->name);
            for (size_t k = 0; k < j; ++k) {
                cr_expect(strcmp(event->data->name, service->events[k].data->name) != 0 ||
                              event->version != service->events[k].version,
                          "%s has %s twice", service->name, event->data->name);
            }
        }
    }
}

Test(tables, snapshots_are_sound)
{
    for (size_t i = 0; i < SERVICE_COUNT; ++i) {
        for (size_t j = 0; j < services[i]->snapshot_count; ++j) {
            const struct ates_event_type *item = &services[i]->snapshots[j];

            check_message(item->data, 2, false);
            cr_expect(is_sentence(item->summary), "%s: %s", item->data->name, item->summary);
            cr_expect_geq(item->version, 1, "%s", item->data->name);
            cr_expect_not(item->is_private, "%s", item->data->name);
        }
    }
}

Test(tables, common_messages_are_sound)
{
    const struct ates_message *const messages[] = {
        &ates_request_meta_message, &ates_reply_meta_message, &ates_refusal_body_message,
        &ates_cause_message,        &ates_envelope_message,   &ates_head_message};

    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; ++i) {
        check_message(messages[i], 1, true);
    }
    cr_expect_gt(ates_common_service.command_count, 0);
    for (size_t i = 0; i < ates_common_service.command_count; ++i) {
        const struct ates_command *command = &ates_common_service.commands[i];
        check_message(command->body, 1, false);
        check_message(command->result, 1, false);
        cr_expect_neq(command->callers, 0, "%s has no callers", command->name);
    }
}

/* PROTOCOL.md at the source root, read whole; NULL where it is absent. */
static char *read_protocol(void)
{
    static const char here[] = "tests/unit/test_tables.c", protocol[] = "PROTOCOL.md";
    char path[4096] = __FILE__;

    cr_assert_geq(strlen(path), strlen(here));
    size_t root = strlen(path) - strlen(here);
    cr_assert_str_eq(path + root, here);
    memcpy(path + root, protocol, sizeof protocol);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return NULL;
    }
    char *text = NULL;
    size_t capacity = 0;
    /* No text holds a NUL, so this one "line" is all of it. */
    ssize_t size = getdelim(&text, &capacity, '\0', file);
    fclose(file);
    cr_assert_gt(size, 0, "%s is empty", path);
    return text;
}

/* Whether a row of the section's table names the command, as a whole word, in its first column. */
static bool is_listed(const char *section, const char *service, const char *command)
{
    char name[128];
    int size = snprintf(name, sizeof name, "%s.%s", service, command);

    cr_assert(size > 0 && (size_t)size < sizeof name);
    for (const char *row = strstr(section, "\n|"); row != NULL; row = strstr(row + 1, "\n|")) {
        const char *cell = row + 2, *end = cell + strcspn(cell, "|\n");
        for (const char *at = cell; (at = strstr(at, name)) != NULL && at < end; ++at) {
            if ((at[-1] == ' ' || at[-1] == '`') && at[size] != '_' && !isalnum(at[size])) {
                return true;
            }
        }
    }
    return false;
}

Test(tables, commands_are_in_the_protocol)
{
    char *protocol = read_protocol();
    if (protocol == NULL) {
        fputs("skipped: no PROTOCOL.md at the source root\n", stderr);
        return;
    }
    char *section = strstr(protocol, "\n## 7.");
    cr_assert_not_null(section, "PROTOCOL.md has no section 7");
    char *end = strstr(section + 1, "\n## ");
    if (end != NULL) {
        *end = '\0';
    }
    for (size_t i = 0; i < SERVICE_COUNT; ++i) {
        for (size_t j = 0; j < services[i]->command_count; ++j) {
            cr_expect(is_listed(section, services[i]->name, services[i]->commands[j].name),
                      "PROTOCOL.md section 7 does not list %s.%s", services[i]->name,
                      services[i]->commands[j].name);
        }
    }
    free(protocol);
}
