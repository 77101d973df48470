/* Entries and their schemas; see contract.h. */
#include "core/contract.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/json_make.h"
#include "core/message_schema.h"

/* A urn needs no host that must be kept; 1 is the protocol's. */
#define URN "urn:ates:1:"

static const struct {
    const struct ates_message *message;
    const char *summary;
} frames[] = {
    {&ates_request_meta_message, "Frame 3 of a command."},
    {&ates_reply_meta_message, "Frame 3 of a reply."},
    {&ates_refusal_body_message, "Frame 4 of a reply whose status is not OK."},
    {&ates_envelope_message, "Frame 2 of an event, and an item of read_events."},
    {&ates_head_message, "Frame 2 of SERVICE.head.v1."},
};

static size_t public_events(const struct ates_service *service)
{
    size_t count = 0;

    for (size_t i = 0; i < service->event_count; i++) {
        count += !service->events[i].is_private;
    }
    return count;
}

static const struct ates_event_type *public_event(const struct ates_service *service, size_t index)
{
    const struct ates_event_type *type = service->events;

    while (type->is_private || index-- > 0) {
        type++;
    }
    return type;
}

bool ates_contract_at(const struct ates_service *service, size_t index,
                      struct ates_contract_entry *entry)
{
    const size_t events = public_events(service);
    const char *owner = service == &ates_common_service ? ATES_CONTRACT_COMMON : service->name;
    struct ates_contract_entry found = {.service = service};

    if (index < service->command_count) {
        found.kind = ATES_DESCRIBED_COMMAND;
        found.command = &service->commands[index];
        found.message = found.command->body;
        snprintf(found.name, sizeof found.name, "%s.%s", owner, found.command->name);
        *entry = found;
        return true;
    }
    index -= service->command_count;
    if (index >= events + service->snapshot_count) {
        return false;
    }
    found.kind = index < events ? ATES_DESCRIBED_EVENT : ATES_DESCRIBED_SNAPSHOT_ITEM;
    found.type =
        index < events ? public_event(service, index) : &service->snapshots[index - events];
    found.message = found.type->data;
    snprintf(found.name, sizeof found.name, "%s.%s.v%u", owner, found.message->name,
             found.type->version);
    *entry = found;
    return true;
}

/* A nested message keeps its name, so that programs made of the schema have one for it. */
static json_t *name_nested(const struct ates_message *message, enum ates_unknown unknown,
                           void *context)
{
    json_t *schema = json_object();

    ates_json_set_text(schema, "title", message->name);
    json_t *rest = ates_message_schema_nested(message, unknown, name_nested, context);
    ates_json_require(json_object_update(schema, rest));
    json_decref(rest);
    return schema;
}

static json_t *make(const struct ates_message *message, enum ates_unknown unknown, const char *name,
                    const char *suffix, const char *summary)
{
    char text[ATES_CONTRACT_NAME_SIZE + 32];
    json_t *schema = json_object();

    ates_json_set_text(schema, "$schema", ATES_SCHEMA_DIALECT);
    snprintf(text, sizeof text, URN "%s%s", name, suffix);
    ates_json_set_text(schema, "$id", text);
    ates_json_set_text(schema, "title", text + strlen(URN));
    if (summary != NULL) {
        ates_json_set_text(schema, "description", summary);
    }
    json_t *rest = ates_message_schema_nested(message, unknown, name_nested, NULL);
    ates_json_require(json_object_update(schema, rest));
    json_decref(rest);
    return schema;
}

enum ates_unknown ates_contract_unknown(const struct ates_contract_entry *entry)
{
    return entry->kind == ATES_DESCRIBED_COMMAND ? ATES_UNKNOWN_REFUSED : ATES_UNKNOWN_IGNORED;
}

json_t *ates_contract_schema(const struct ates_contract_entry *entry)
{
    return make(entry->message, ates_contract_unknown(entry), entry->name, "",
                entry->command != NULL ? entry->command->summary : entry->type->summary);
}

json_t *ates_contract_result_schema(const struct ates_contract_entry *entry)
{
    assert(entry->command != NULL);
    char summary[ATES_CONTRACT_NAME_SIZE + 32];

    snprintf(summary, sizeof summary, "What %s answers.", entry->name);
    return make(entry->command->result, ATES_UNKNOWN_IGNORED, entry->name, ".result", summary);
}

const struct ates_message *ates_contract_frame(size_t index)
{
    return index < sizeof frames / sizeof frames[0] ? frames[index].message : NULL;
}

enum ates_unknown ates_contract_frame_unknown(const struct ates_message *frame)
{
    return frame == &ates_request_meta_message ? ATES_UNKNOWN_REFUSED : ATES_UNKNOWN_IGNORED;
}

json_t *ates_contract_frame_schema(const struct ates_message *frame)
{
    size_t i = 0;

    while (frames[i].message != frame) {
        i++;
        assert(i < sizeof frames / sizeof frames[0]);
    }
    return make(frame, ates_contract_frame_unknown(frame), frame->name, "", frames[i].summary);
}

bool ates_contract_is(const struct ates_contract_entry *entry, struct ates_text name)
{
    const char *word = entry->message->name;
    const char *begins[] = {entry->name, strchr(entry->name, '.') + 1};

    if (entry->command != NULL) {
        word = entry->command->name;
    }
    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
        const size_t size = strlen(begins[i]);
        const size_t bare = (size_t)(begins[1] - begins[i]) + strlen(word);

        if ((name.size == size || name.size == bare) &&
            memcmp(begins[i], name.data, name.size) == 0) {
            return true;
        }
    }
    return false;
}
