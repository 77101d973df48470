/* The command `describe`: the service's contract, page by page. Invariant: it costs a copy of texts
 * that were made once, as anybody may ask. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/actor_private.h"
#include "core/contract.h"
#include "core/page.h"

struct actor_description {
    struct ates_arena *arena;
    struct ates_contract_entry *entries;
    struct ates_described *items; /* of the same indices */
    size_t count;
};

static struct ates_text print(struct actor_description *self, json_t *schema)
{
    const size_t size = json_dumpb(schema, NULL, 0, JSON_COMPACT);
    char *text = ates_arena_alloc(self->arena, size);

    json_dumpb(schema, text, size, JSON_COMPACT);
    json_decref(schema);
    return (struct ates_text){text, size};
}

static struct ates_list list_roles(struct actor_description *self, unsigned callers)
{
    struct ates_text *roles = ates_arena_alloc(self->arena, ATES_ROLE_COUNT * sizeof *roles);
    size_t count = 0;

    for (unsigned role = 0; role < ATES_ROLE_COUNT; role++) {
        if ((callers & ATES_ROLE(role)) != 0) {
            roles[count++] = ates_text_from(ates_role_names[role]);
        }
    }
    return (struct ates_list){roles, count};
}

/* The common commands are this service's own to whoever calls them. */
static void rename_common(struct ates_contract_entry *entry, const char *service)
{
    if (entry->service == &ates_common_service) {
        snprintf(entry->name, sizeof entry->name, "%s.%s", service, entry->command->name);
    }
}

static void add(struct actor_description *self, const struct ates_contract_entry *found,
                const char *service)
{
    struct ates_contract_entry *entry = &self->entries[self->count];
    struct ates_described *item = &self->items[self->count++];

    *entry = *found;
    item->kind = entry->kind;
    item->schema = print(self, ates_contract_schema(entry));
    if (entry->command != NULL) {
        item->has_is_query = item->has_needs_token = item->has_roles = true;
        item->is_query = entry->command->is_query;
        item->needs_token = (entry->command->callers & ATES_NO_TOKEN) == 0;
        item->roles = list_roles(self, entry->command->callers);
        item->has_result_schema = true;
        item->result_schema = print(self, ates_contract_result_schema(entry));
    }
    rename_common(entry, service);
    item->name = ates_text_from(entry->name);
}

static struct actor_description *make(const struct ates_service *service)
{
    const struct ates_service *const parts[] = {&ates_common_service, service};
    struct actor_description *self = calloc(1, sizeof *self);
    struct ates_contract_entry entry;
    size_t most = 0;

    if (self == NULL) {
        return NULL;
    }
    self->arena = ates_arena_new();
    for (size_t i = 0; i < 2; i++) {
        most += parts[i]->command_count + parts[i]->event_count + parts[i]->snapshot_count;
    }
    self->entries = ates_arena_alloc(self->arena, most * sizeof *self->entries);
    self->items = ates_arena_alloc(self->arena, most * sizeof *self->items);
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; ates_contract_at(parts[i], j, &entry); j++) {
            add(self, &entry, service->name);
        }
    }
    return self;
}

void actor_description_free(struct actor_description **description)
{
    struct actor_description *self = *description;

    if (self != NULL) {
        ates_arena_free(&self->arena);
        free(self);
        *description = NULL;
    }
}

/* Fills the page with items from index on, as far as they fit. */
static void take_page(const struct actor_description *self, const struct ates_describe *command,
                      uint64_t index, struct ates_arena *arena, struct ates_describe_result *result)
{
    const size_t limit = command->has_limit ? (size_t)command->limit : ATES_PAGE_LIMIT;
    struct ates_described *items = ates_arena_alloc(arena, self->count * sizeof *items);
    size_t count = 0, bytes = 0;

    for (; index < self->count; index++) {
        const struct ates_described *item = &self->items[index];
        const size_t size = item->schema.size + item->result_schema.size + item->name.size;

        if (command->has_name && !ates_contract_is(&self->entries[index], command->name)) {
            continue;
        }
        if (count == limit || (count > 0 && bytes + size > ATES_PAGE_BYTES)) {
            result->has_next = true;
            result->next = ates_page_next(arena, index);
            break;
        }
        bytes += size;
        items[count++] = *item;
    }
    result->items = (struct ates_list){items, count};
}

int actor_describe(struct ates_actor *actor, const void *body, struct ates_buffer *reply,
                   struct ates_refusal *refusal)
{
    const struct ates_describe *command = body;
    struct ates_describe_result result = {.version = ates_text_from(ATES_VERSION)};
    uint64_t index = 0;

    if (command->has_after && ates_page_parse(command->after, &index) != 0) {
        return ates_refusal_set(refusal, ATES_INVALID_ARGUMENT, "FIELD_INVALID", "after",
                                "after: take it from the `next` of the page before");
    }
    if (actor->description == NULL) {
        actor->description = make(actor->domain->service);
    }
    if (actor->description == NULL) {
        return -ENOMEM;
    }
    take_page(actor->description, command, index, actor->arena, &result);
    if (command->has_name && !command->has_after && result.items.count == 0) {
        return ates_refusal_set(refusal, ATES_NOT_FOUND, "NAME_UNKNOWN", "name",
                                "%s has no command, event or snapshot item of this name",
                                actor->name);
    }
    ates_message_encode(&ates_describe_result_message, &result, reply);
    return 0;
}
