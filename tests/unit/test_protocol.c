/* PROTOCOL.md and the message tables cannot part: every name that goes over the wire - commands,
 * events, their fields and words, statuses - is a word of its text. */
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

Test(protocol, is_searched_by_whole_words)
{
    cr_expect(is_named("request_id"));
    cr_expect_not(is_named("request_i"));
    cr_expect_not(is_named("equest_id"));
}
