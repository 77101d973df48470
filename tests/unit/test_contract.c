/* The contract has all that others see of a service, under the names that go over the wire. */
#include <criterion/criterion.h>

#include <string.h>

#include "core/contract.h"
#include "domains.h"

static size_t count_entries(const struct ates_service *service)
{
    struct ates_contract_entry entry;
    size_t count = 0;

    while (ates_contract_at(service, count, &entry)) {
        count++;
    }
    return count;
}

static void check_text(const json_t *schema, const char *key, const char *expected)
{
    const char *found = json_string_value(json_object_get(schema, key));

    cr_assert_not_null(found, "%s has no %s", expected, key);
    cr_expect_str_eq(found, expected);
}

static void check_document(json_t *schema, const char *name, bool open)
{
    char id[ATES_CONTRACT_NAME_SIZE + 32];

    snprintf(id, sizeof id, "urn:ates:1:%s", name);
    check_text(schema, "$schema", "https://json-schema.org/draft/2020-12/schema");
    check_text(schema, "$id", id);
    check_text(schema, "title", name);
    check_text(schema, "type", "object");
    cr_expect_not_null(json_object_get(schema, "description"), "%s", name);
    cr_expect_eq(json_is_true(json_object_get(schema, "additionalProperties")), open, "%s", name);
    json_decref(schema);
}

static void check_entry(const struct ates_contract_entry *entry)
{
    char name[ATES_CONTRACT_NAME_SIZE + 8];

    check_document(ates_contract_schema(entry), entry->name, entry->command == NULL);
    cr_expect_eq(entry->command == NULL, entry->type != NULL);
    cr_expect_eq(ates_contract_unknown(entry) == ATES_UNKNOWN_REFUSED, entry->command != NULL);
    if (entry->command != NULL) {
        snprintf(name, sizeof name, "%s.result", entry->name);
        check_document(ates_contract_result_schema(entry), name, true);
    }
}

Test(contract, every_service_has_all_that_others_see)
{
    struct ates_contract_entry entry;

    for (size_t i = 0; ates_domains[i] != NULL; i++) {
        const struct ates_service *service = ates_domains[i]->service;
        size_t expected = service->command_count + service->snapshot_count;

        for (size_t j = 0; j < service->event_count; j++) {
            expected += !service->events[j].is_private;
        }
        cr_expect_eq(count_entries(service), expected, "%s", service->name);
        for (size_t j = 0; ates_contract_at(service, j, &entry); j++) {
            cr_expect(entry.type == NULL || !entry.type->is_private, "%s", entry.name);
            check_entry(&entry);
        }
    }
    cr_expect_eq(count_entries(&ates_common_service), ates_common_service.command_count);
    cr_assert(ates_contract_at(&ates_common_service, 0, &entry));
    cr_expect_str_eq(entry.name, "SERVICE.health");
    check_entry(&entry);
}

Test(contract, the_last_entry_is_the_last)
{
    const struct ates_service *service = ates_domains[0]->service;
    const size_t count = count_entries(service);
    struct ates_contract_entry entry = {.name = "untouched"};

    cr_expect_not(ates_contract_at(service, count, &entry));
    cr_expect_not(ates_contract_at(service, SIZE_MAX / 2, &entry));
    cr_expect_str_eq(entry.name, "untouched");
}

Test(contract, a_secret_of_a_private_event_is_nowhere)
{
    struct ates_contract_entry entry;

    for (size_t i = 0; ates_contract_at(ates_domains[0]->service, i, &entry); i++) {
        cr_expect_null(strstr(entry.name, "password_set"), "%s", entry.name);
    }
}

Test(contract, frames)
{
    static const char *const names[] = {"request_meta", "reply_meta", "refusal", "envelope",
                                        "head"};
    const size_t count = sizeof names / sizeof names[0];

    for (size_t i = 0; i < count; i++) {
        const struct ates_message *frame = ates_contract_frame(i);

        cr_assert_not_null(frame);
        cr_expect_eq(ates_contract_frame_unknown(frame) == ATES_UNKNOWN_REFUSED, i == 0);
        check_document(ates_contract_frame_schema(frame), names[i], i > 0);
    }
    cr_expect_null(ates_contract_frame(count));
}

/* The entry of this name among tasks'. */
static struct ates_contract_entry find(const char *name)
{
    struct ates_contract_entry entry;

    for (size_t i = 0; ates_domains[i] != NULL; i++) {
        for (size_t j = 0; ates_contract_at(ates_domains[i]->service, j, &entry); j++) {
            if (strcmp(entry.name, name) == 0) {
                return entry;
            }
        }
    }
    cr_assert_fail("there is no %s", name);
    return entry;
}

Test(contract, names_may_lack_service_and_version)
{
    static const struct {
        const char *entry, *name;
        bool expected;
    } cases[] = {
        {"tasks.create_task", "tasks.create_task", true},
        {"tasks.create_task", "create_task", true},
        {"tasks.create_task", "create_tas", false},
        {"tasks.create_task", "create_task.v1", false},
        {"tasks.create_task", "create_tasks", false},
        {"tasks.create_task", "auth.create_task", false},
        {"tasks.create_task", "", false},
        {"tasks.create_task", "tasks", false},
        {"tasks.task_created.v1", "tasks.task_created.v1", true},
        {"tasks.task_created.v1", "task_created.v1", true},
        {"tasks.task_created.v1", "task_created", true},
        {"tasks.task_created.v1", "tasks.task_created", true},
        {"tasks.task_created.v1", "task_created.v2", false},
        {"tasks.task_created.v1", "task_created.", false},
        {"tasks.task_snapshot.v1", "task_snapshot", true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct ates_contract_entry entry = find(cases[i].entry);

        cr_expect_eq(ates_contract_is(&entry, ates_text_from(cases[i].name)), cases[i].expected,
                     "%s for %s", cases[i].name, cases[i].entry);
    }
}
