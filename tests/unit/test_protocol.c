/* PROTOCOL.md and the message tables cannot part: every name that goes over the wire - commands,
 * events, their fields and words, statuses - is a word of its text, and the text's tables name
 * nothing else. Its section 12 is made of the tables (tests/contract). */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "core/domain.h"
#include "domains.h"

static char *text; /* PROTOCOL.md */

static void read_protocol(void)
{
    size_t capacity = 0;
    FILE *file = fopen(ATES_SOURCE_ROOT "/PROTOCOL.md", "r");

    cr_assert_not_null(file, "%s/PROTOCOL.md cannot be opened", ATES_SOURCE_ROOT);
    /* No text holds a NUL, so this one "line" is all of it. */
    cr_assert_gt(getdelim(&text, &capacity, '\0', file), 0);
    fclose(file);
}

static void free_protocol(void)
{
    free(text);
}

TestSuite(protocol, .init = read_protocol, .fini = free_protocol);

static bool is_word_character(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool is_named(const char *word)
{
    const size_t size = strlen(word);

    for (const char *at = text; (at = strstr(at, word)) != NULL; at++) {
        if ((at == text || !is_word_character(at[-1])) && !is_word_character(at[size])) {
            return true;
        }
    }
    return false;
}

static void check_message(const char *owner, const struct ates_message *message)
{
    for (size_t i = 0; i < message->count; i++) {
        const struct ates_field *field = &message->fields[i];

        cr_expect(is_named(field->name), "PROTOCOL.md does not name the field %s of %s.%s",
                  field->name, owner, message->name);
        for (size_t j = 0; field->names != NULL && (j == 0 || field->names[j] != NULL); j++) {
            cr_expect(field->names[j] == NULL || is_named(field->names[j]),
                      "PROTOCOL.md does not name %s, a value of %s.%s.%s", field->names[j], owner,
                      message->name, field->name);
        }
        if (field->message != NULL) {
            check_message(owner, field->message);
        }
    }
}

static void check_types(const struct ates_service *service, const struct ates_event_type *types,
                        size_t count)
{
    char topic[128];

    for (size_t i = 0; i < count; i++) {
        const struct ates_event_type *type = &types[i];

        if (type->is_private) {
            continue;
        }
        snprintf(topic, sizeof topic, "%s.%s.v%u", service->name, type->data->name, type->version);
        cr_expect(is_named(topic), "PROTOCOL.md does not name %s", topic);
        check_message(service->name, type->data);
    }
}

static void check_service(const struct ates_service *service)
{
    for (size_t i = 0; i < service->command_count; i++) {
        const struct ates_command *command = &service->commands[i];

        cr_expect(is_named(command->name), "PROTOCOL.md does not name %s.%s", service->name,
                  command->name);
        check_message(service->name, command->body);
        check_message(service->name, command->result);
    }
    check_types(service, service->events, service->event_count);
    check_types(service, service->snapshots, service->snapshot_count);
}

Test(protocol, names_all_of_every_service)
{
    for (size_t i = 0; ates_domains[i] != NULL; i++) {
        check_service(ates_domains[i]->service);
    }
}

Test(protocol, names_what_all_services_have)
{
    check_service(&ates_common_service);
}

Test(protocol, names_the_frames_fields)
{
    const struct ates_message *const frames[] = {
        &ates_request_meta_message, &ates_reply_meta_message, &ates_refusal_body_message,
        &ates_envelope_message,     &ates_head_message,
    };

    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        check_message("frame", frames[i]);
    }
}

Test(protocol, names_every_status)
{
    for (int status = ATES_OK; status < ATES_STATUS_COUNT; status++) {
        cr_expect(is_named(ates_status_name((enum ates_status)status)),
                  "PROTOCOL.md does not name %s", ates_status_name((enum ates_status)status));
    }
}

/* A part of the text. */
struct span {
    const char *at, *end;
};

static struct span section(const char *heading)
{
    const char *at = strstr(text, heading);

    cr_assert_not_null(at, "PROTOCOL.md has no %s", heading);
    const char *end = strstr(at + 1, "\n## ");
    return (struct span){at, end != NULL ? end : at + strlen(at)};
}

/* The next row of a table whose first cell has a dot in it; false at the section's end. */
static bool next_row(struct span *self, struct span cells[3])
{
    while ((self->at = strstr(self->at, "\n| ")) != NULL && self->at < self->end) {
        const char *at = self->at + 2;
        bool is_row = true;

        self->at++;
        for (size_t i = 0; i < 3 && is_row; i++) {
            const size_t size = strcspn(at, "|\n");

            cells[i] = (struct span){at, at + size};
            is_row = at[size] == '|';
            at += size + 1;
        }
        if (is_row && memchr(cells[0].at, '.', (size_t)(cells[0].end - cells[0].at)) != NULL) {
            return true;
        }
    }
    return false;
}

static bool has_word(struct span self, const char *word)
{
    const size_t size = strlen(word);

    for (const char *at = self.at; at + size <= self.end; at++) {
        if (memcmp(at, word, size) == 0 && !is_word_character(at[-1]) &&
            !is_word_character(at[size])) {
            return true;
        }
    }
    return false;
}

static bool skip(struct span *self, const char *what)
{
    const size_t size = strlen(what);

    if ((size_t)(self->end - self->at) < size || memcmp(self->at, what, size) != 0) {
        return false;
    }
    self->at += size;
    return true;
}

static void check_fields(const char *where, struct span *self, const struct ates_message *message);

/* What stands behind a field's name: nothing, its own fields, or the name of a shape. */
static void check_nested(const char *where, struct span *self, const struct ates_field *field)
{
    char definition[96];

    if (skip(self, "{")) {
        cr_assert_not_null(field->message, "%s: %s is no map", where, field->name);
        check_fields(where, self, field->message);
        cr_assert(skip(self, "}"), "%s: %.20s", where, self->at);
    } else if (skip(self, ": ")) {
        const size_t size = strspn(self->at, "abcdefghijklmnopqrstuvwxyz_");

        cr_assert_not_null(field->message, "%s: %s is no map", where, field->name);
        snprintf(definition, sizeof definition, "\n- `%.*s{", (int)size, self->at);
        self->at += size;
        const char *shape = strstr(text, definition);
        cr_assert_not_null(shape, "PROTOCOL.md does not say what %s is", definition);
        struct span inside = {shape + strlen(definition), strchr(shape, '}')};
        check_fields(definition + 1, &inside, field->message);
    } else {
        cr_expect_null(field->message, "%s: what is in %s?", where, field->name);
    }
}

/* A side of a signature is the message's fields: all of them, and no other. */
static void check_fields(const char *where, struct span *self, const struct ates_message *message)
{
    size_t count = 0;

    while (self->at < self->end && (islower((unsigned char)self->at[0]) || skip(self, ", "))) {
        const size_t size = strspn(self->at, "abcdefghijklmnopqrstuvwxyz_");
        const struct ates_field *field = ates_message_field(message, self->at, size);

        cr_assert_not_null(field, "%s has no field %.*s", where, (int)size, self->at);
        self->at += size;
        cr_expect_eq(skip(self, "?"), field->optional, "%s: may %s be absent?", where, field->name);
        check_nested(where, self, field);
        count++;
    }
    cr_expect_eq(count, message->count, "%s: fields are missing", where);
}

/* The signature in a cell's first `...`. */
static void check_signature(const char *where, struct span cell, const struct ates_message *body,
                            const struct ates_message *result)
{
    const char *begin = memchr(cell.at, '`', (size_t)(cell.end - cell.at));
    const char *end = begin != NULL ? strchr(begin + 1, '`') : NULL;

    cr_assert(end != NULL && end < cell.end, "%s has no signature", where);
    struct span self = {begin + 1, end};
    check_fields(where, &self, body);
    if (result != NULL) {
        cr_assert(skip(&self, " -> "), "%s: %.20s", where, self.at);
        check_fields(where, &self, result);
    }
    cr_expect_eq(self.at, self.end, "%s: %.20s", where, self.at);
}

/* The roles that the cell names outside of brackets are those that the table has for it. */
static void check_callers(const char *where, struct span cell, const struct ates_command *command)
{
    const unsigned expected =
        command->others != 0 ? command->others : command->callers & ATES_ANY_ROLE;
    const char *bracket = memchr(cell.at, '(', (size_t)(cell.end - cell.at));

    cr_expect_eq(has_word(cell, "nobody"), (command->callers & ATES_NO_TOKEN) != 0,
                 "%s: without a token?", where);
    for (int role = 0; role < ATES_ROLE_COUNT && expected != ATES_ANY_ROLE; role++) {
        const struct span outside = {cell.at, bracket != NULL ? bracket : cell.end};
        const char *rest =
            bracket != NULL ? memchr(bracket, ')', (size_t)(cell.end - bracket)) : NULL;
        const bool is_told =
            has_word(outside, ates_role_names[role]) ||
            (rest != NULL && has_word((struct span){rest, cell.end}, ates_role_names[role]));

        cr_expect_eq(is_told, (expected & ATES_ROLE(role)) != 0, "%s: who may? %s", where,
                     ates_role_names[role]);
    }
}

static const struct ates_service *service_named(const char *name, size_t size)
{
    if (size == 7 && memcmp(name, "SERVICE", 7) == 0) {
        return &ates_common_service;
    }
    for (size_t i = 0; ates_domains[i] != NULL; i++) {
        const struct ates_service *service = ates_domains[i]->service;

        if (strlen(service->name) == size && memcmp(service->name, name, size) == 0) {
            return service;
        }
    }
    return NULL;
}

Test(protocol, commands_are_those_of_the_tables)
{
    struct span rows = section("\n## 7. ");
    struct span cells[3];
    size_t count = 0, expected = ates_common_service.command_count;
    char name[128];

    for (; next_row(&rows, cells); count++) {
        snprintf(name, sizeof name, "%.*s", (int)(cells[0].end - cells[0].at - 2), cells[0].at + 1);
        const size_t size = strcspn(name, ".");
        const struct ates_service *service = service_named(name, size);
        cr_assert_not_null(service, "%s is of no service", name);
        const struct ates_command *command =
            ates_service_command(service, name + size + 1, strlen(name + size + 1));
        cr_assert_not_null(command, "there is no command %s", name);
        check_callers(name, cells[1], command);
        check_signature(name, cells[2], command->body, command->result);
    }
    for (size_t i = 0; ates_domains[i] != NULL; i++) {
        expected += ates_domains[i]->service->command_count;
    }
    cr_expect_eq(count, expected, "section 7 has %zu commands, the tables %zu", count, expected);
}

/* The data of this topic, NULL where there is none that others see. */
static const struct ates_message *data_of(const struct ates_event_type *types, size_t count,
                                          const char *service, const char *topic)
{
    char name[128];

    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s.%s.v%u", service, types[i].data->name, types[i].version);
        if (!types[i].is_private && strcmp(name, topic) == 0) {
            return types[i].data;
        }
    }
    return NULL;
}

static const struct ates_message *topic_data(const char *topic)
{
    const struct ates_service *service = service_named(topic, strcspn(topic, "."));

    if (service == NULL) {
        return NULL;
    }
    const struct ates_message *data =
        data_of(service->events, service->event_count, service->name, topic);
    return data != NULL
               ? data
               : data_of(service->snapshots, service->snapshot_count, service->name, topic);
}

Test(protocol, topics_are_those_of_the_tables)
{
    struct span rows = section("\n## 8. ");
    struct span cells[3];
    size_t count = 0, expected = 0;
    char name[128];

    for (; next_row(&rows, cells); count++) {
        snprintf(name, sizeof name, "%.*s", (int)(cells[0].end - cells[0].at - 2), cells[0].at + 1);
        const struct ates_message *data = topic_data(name);
        cr_assert_not_null(data, "there is no %s", name);
        check_signature(name, cells[1], data, NULL);
    }
    for (size_t i = 0; ates_domains[i] != NULL; i++) {
        const struct ates_service *service = ates_domains[i]->service;

        expected += service->snapshot_count;
        for (size_t j = 0; j < service->event_count; j++) {
            expected += !service->events[j].is_private;
        }
    }
    cr_expect_eq(count, expected, "section 8 has %zu topics, the tables %zu", count, expected);
}

/* Wherever the text names a topic with its version, there is one. */
Test(protocol, no_topic_is_made_up)
{
    size_t count = 0;
    char topic[128];

    for (const char *at = text; (at = strstr(at, ".v")) != NULL; at += 2) {
        const char *begin = at;

        while (begin > text && (is_word_character(begin[-1]) || begin[-1] == '.')) {
            begin--;
        }
        begin += begin[0] == '.'; /* the grammar's, behind a service */
        if (isdigit((unsigned char)at[2]) && memchr(begin, '.', (size_t)(at - begin)) != NULL) {
            snprintf(topic, sizeof topic, "%.*s", (int)(at + 3 - begin), begin);
            cr_expect(strcmp(topic, "SERVICE.head.v1") == 0 || topic_data(topic) != NULL,
                      "there is no %s", topic);
            count++;
        }
    }
    cr_expect_gt(count, 20);
}

Test(protocol, statuses_are_those_of_the_grammar)
{
    size_t count = 0;
    char word[64];

    for (int status = ATES_OK; status < ATES_STATUS_COUNT; status++) {
        snprintf(word, sizeof word, "\n| %s | ", ates_status_name((enum ates_status)status));
        cr_expect_not_null(strstr(text, word), "section 4 has no row%s", word + 1);
        snprintf(word, sizeof word, "%%s\"%s\"", ates_status_name((enum ates_status)status));
        cr_expect_not_null(strstr(text, word), "the grammar has no %s", word);
    }
    for (const char *at = text; (at = strstr(at, "%s\"")) != NULL; at++) {
        const size_t size = strspn(at + 3, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");

        count += size > 0 && at[3 + size] == '"';
    }
    cr_expect_eq(count, (size_t)ATES_STATUS_COUNT, "the grammar has %zu statuses", count);
    const struct span rows = section("| status | says |");
    count = 0;
    for (const char *at = rows.at; (at = strstr(at, "\n| ")) != NULL && at < rows.end; at++) {
        if (strncmp(at, "\n| reason", 9) == 0) {
            break;
        }
        count++;
    }
    cr_expect_eq(count, (size_t)ATES_STATUS_COUNT, "section 4 has %zu statuses", count);
}

Test(protocol, roles_are_those_of_the_tables)
{
    char line[512] = "\n- Roles: ";

    for (int role = 0; role < ATES_ROLE_COUNT; role++) {
        const size_t used = strlen(line);

        snprintf(line + used, sizeof line - used, "%s%s", role > 0 ? ", " : "",
                 ates_role_names[role]);
    }
    strcat(line, ".\n");
    cr_expect_not_null(strstr(text, line), "section 6 does not say%s", line);
}

/* The field of a command's body, or of an event's data. */
static const struct ates_field *field_of(const char *message, const char *name)
{
    const size_t size = strcspn(message, ".");
    const struct ates_service *service = service_named(message, size);
    const struct ates_command *command =
        ates_service_command(service, message + size + 1, strlen(message + size + 1));
    const struct ates_message *body = command != NULL ? command->body : topic_data(message);

    cr_assert_not_null(body, "%s", message);
    const struct ates_field *field = ates_message_field(body, name, strlen(name));
    cr_assert_not_null(field, "%s.%s", message, name);
    return field;
}

/* Limits that are told in words are those of the tables. */
Test(protocol, limits_in_words_are_those_of_the_tables)
{
    static const struct {
        const char *message, *field;
        const char *before, *between, *after; /* the limits; between NULL: the highest alone */
    } cases[] = {
        {"auth.register_user", "login", "`login`: ", "-", " of"},
        {"auth.register_user", "password", "`password`: ", "-", " characters"},
        {"auth.register_user", "email", "`email`: up to ", NULL, " bytes"},
        {"tasks.create_task", "name", "`title`): ", "-", " characters"},
        {"tasks.create_task", "jira_id", "`jira_id`: ", "-", " characters"},
        {"tasks.show_my_assigned_tasks", "limit", "`limit` (", "-", ", default 100)"},
        {"tasks.read_events", "limit", "limit (", "-", ")}"},
        {"accounting.task_priced.v1", "assign_price_cents", "is ", " to ", " cents"},
        {"accounting.task_priced.v1", "complete_price_cents", "reward ", " to ", " ("},
    };
    char words[128];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct ates_field *field = field_of(cases[i].message, cases[i].field);

        char lowest[32] = "";

        if (cases[i].between != NULL) {
            snprintf(lowest, sizeof lowest, "%lld%s", (long long)field->min, cases[i].between);
        }
        snprintf(words, sizeof words, "%s%s%lld%s", cases[i].before, lowest, (long long)field->max,
                 cases[i].after);
        cr_expect_not_null(strstr(text, words), "PROTOCOL.md does not say %s of %s.%s", words,
                           cases[i].message, cases[i].field);
    }
    snprintf(words, sizeof words, "A frame is at most %u KiB.", ATES_FRAME_MAX / 1024);
    cr_expect_not_null(strstr(text, words), "%s", words);
    snprintf(words, sizeof words, "nesting at most %d;", ATES_NESTING_MAX);
    cr_expect_not_null(strstr(text, words), "%s", words);
}

Test(protocol, is_searched_by_whole_words)
{
    cr_expect(is_named("request_id"));
    cr_expect_not(is_named("request_i"));
    cr_expect_not(is_named("equest_id"));
}
