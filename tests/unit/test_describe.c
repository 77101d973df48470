/* A service tells its contract to whoever asks, page by page. */
#include <criterion/criterion.h>

#include <jansson.h>
#include <string.h>

#include "../support/toy_actor.h"
#include "core/contract.h"

static struct toy_actor toy;

static void setup(void)
{
    toy_actor_open(&toy);
    toy_actor_start(&toy);
}

static void teardown(void)
{
    toy_actor_stop(&toy);
    toy_actor_close(&toy);
}

TestSuite(describe, .init = setup, .fini = teardown, .timeout = 300);

/* A schema is whole JSON, and is of this name. */
static void check_schema(struct ates_text text, const char *id)
{
    json_t *schema = json_loadb(text.data, text.size, 0, NULL);

    cr_assert_not_null(schema, "%s", id);
    cr_expect_str_eq(json_string_value(json_object_get(schema, "$id")), id);
    json_decref(schema);
}

static void check_item(const struct ates_described *item, const struct ates_contract_entry *entry)
{
    char id[256];

    cr_expect_eq(item->kind, (int)entry->kind, "%s", entry->name);
    snprintf(id, sizeof id, "urn:ates:1:%s", entry->name);
    check_schema(item->schema, id);
    cr_expect_eq(item->has_result_schema, entry->command != NULL);
    cr_expect_eq(item->has_roles, entry->command != NULL);
    if (entry->command == NULL) {
        return;
    }
    snprintf(id, sizeof id, "urn:ates:1:%s.result", entry->name);
    check_schema(item->result_schema, id);
    cr_expect_eq(item->is_query, entry->command->is_query, "%s", entry->name);
    cr_expect_eq(item->needs_token, (entry->command->callers & ATES_NO_TOKEN) == 0);
    unsigned roles = 0;
    for (size_t i = 0; i < item->roles.count; i++) {
        const struct ates_text *role = (const struct ates_text *)item->roles.items + i;

        for (int j = 0; j < ATES_ROLE_COUNT; j++) {
            roles |= ates_text_equal(*role, ates_text_from(ates_role_names[j])) ? ATES_ROLE(j) : 0;
        }
    }
    cr_expect_eq(roles, entry->command->callers & ATES_ANY_ROLE, "%s", entry->name);
}

/* The index-th of all that the toy service tells of. */
static bool entry_at(size_t index, struct ates_contract_entry *entry)
{
    const size_t common = ates_common_service.command_count;

    return index < common ? ates_contract_at(&ates_common_service, index, entry)
                          : ates_contract_at(&toy_service, index - common, entry);
}

static void walk(uint64_t limit)
{
    struct ates_describe body = {.has_limit = true, .limit = limit};
    struct ates_describe_result page;
    struct ates_contract_entry entry;
    size_t met = 0;

    do {
        cr_assert_eq(toy_call(&toy, ATES_ROLE_COUNT, "describe", NULL, &body, &page), ATES_OK);
        cr_expect(ates_text_equal(page.version, ates_text_from(ATES_VERSION)));
        cr_assert_leq(page.items.count, limit);
        for (size_t i = 0; i < page.items.count; i++) {
            const struct ates_described *item = (const struct ates_described *)page.items.items + i;

            cr_assert(entry_at(met++, &entry));
            cr_expect_eq(memcmp(item->name.data, "toy.", 4), 0);
            check_item(item, &entry);
        }
        body.has_after = page.has_next;
        body.after = page.next;
    } while (page.has_next);
    cr_expect_not(entry_at(met, &entry), "%s is missing", entry.name);
}

Test(describe, tells_all_of_the_contract)
{
    walk(1000);
    walk(1);
    walk(3);
}

static size_t count_named(const char *name)
{
    struct ates_describe body = {.has_name = true, .name = ates_text_from(name)};
    struct ates_describe_result page;

    return toy_call(&toy, ATES_ROLE_COUNT, "describe", NULL, &body, &page) == ATES_OK
               ? page.items.count
               : 0;
}

Test(describe, by_name)
{
    cr_expect_eq(count_named("toy.put"), 1u);
    cr_expect_eq(count_named("put"), 1u);
    cr_expect_eq(count_named("toy.health"), 1u);
    cr_expect_eq(count_named("health"), 1u);
    cr_expect_eq(count_named("puts"), 0u);
    cr_expect_eq(toy.reply.status, ATES_NOT_FOUND);
    cr_expect_str_eq(toy.reply.refusal.reason, "NAME_UNKNOWN");
    cr_expect_str_eq(toy.reply.refusal.field, "name");
    cr_expect_eq(count_named("SERVICE.health"), 0u);
}

Test(describe, a_place_that_no_page_gave_is_refused)
{
    static const char *const wrong[] = {"x", "-1", "1x", " 1", "99999999999999999"};
    struct ates_describe body = {.has_after = true};
    struct ates_describe_result page;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        body.after = ates_text_from(wrong[i]);
        cr_expect_eq(toy_call(&toy, ATES_ROLE_COUNT, "describe", NULL, &body, NULL),
                     ATES_INVALID_ARGUMENT, "%s", wrong[i]);
        cr_expect_str_eq(toy.reply.refusal.field, "after");
    }
    body.after = ates_text_from("9999");
    cr_assert_eq(toy_call(&toy, ATES_ROLE_COUNT, "describe", NULL, &body, &page), ATES_OK);
    cr_expect_eq(page.items.count, 0u);
    cr_expect_not(page.has_next);
}
