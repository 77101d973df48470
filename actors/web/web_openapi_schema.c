/* Names of messages in an OpenAPI document, and references to them. Invariant: a message has one
 * name, wherever it stands; two messages have two (which a test sees to for all tables). */
#include <stdio.h>

#include "core/json_make.h"
#include "core/message_schema.h"
#include "web/web_backend.h"
#include "web/web_messages.h"
#include "web/web_openapi_schema.h"

static bool reaches(const struct ates_message *from, const struct ates_message *message)
{
    bool found = from == message;

    for (size_t i = 0; i < from->count && !found; i++) {
        found = from->fields[i].message != NULL && reaches(from->fields[i].message, message);
    }
    return found;
}

static bool has(const struct ates_service *service, const struct ates_message *message)
{
    bool found = false;

    for (size_t i = 0; i < service->command_count && !found; i++) {
        found = reaches(service->commands[i].body, message) ||
                reaches(service->commands[i].result, message);
    }
    for (size_t i = 0; i < service->event_count && !found; i++) {
        found = reaches(service->events[i].data, message);
    }
    return found;
}

/* An event's version; 1 of what is no event. */
static unsigned version_of(const struct ates_service *service, const struct ates_message *message)
{
    for (size_t i = 0; i < service->event_count; i++) {
        if (service->events[i].data == message) {
            return service->events[i].version;
        }
    }
    return 1;
}

void web_schema_name(const struct ates_message *message, char name[WEB_SCHEMA_NAME_MAX + 1])
{
    const struct ates_service *owner = &web_service;

    for (size_t i = 0; web_services[i] != NULL; i++) {
        if (has(web_services[i], message)) {
            owner = web_services[i];
            break;
        }
    }
    const unsigned version = version_of(owner, message);
    const int size = snprintf(name, WEB_SCHEMA_NAME_MAX + 1, "%s_%s", owner->name, message->name);
    if (version > 1) {
        snprintf(name + size, WEB_SCHEMA_NAME_MAX + 1 - (size_t)size, "_v%u", version);
    }
}

static json_t *nest(const struct ates_message *message, enum ates_unknown unknown, void *context)
{
    (void)unknown; /* what refers to schemas is answered, and so open */
    return web_schema_refer(context, message);
}

json_t *web_schema_refer(json_t *schemas, const struct ates_message *message)
{
    char name[WEB_SCHEMA_NAME_MAX + 1];
    char reference[WEB_SCHEMA_NAME_MAX + 32];

    web_schema_name(message, name);
    if (json_object_get(schemas, name) == NULL) {
        ates_json_set(schemas, name,
                      ates_message_schema_nested(message, ATES_UNKNOWN_IGNORED, nest, schemas));
    }
    snprintf(reference, sizeof reference, "#/components/schemas/%s", name);
    return json_pack("{ss}", "$ref", reference);
}

/* What the event's kind says of the members that all have. */
static json_t *make_kind(json_t *schemas, const struct ates_service *service,
                         const struct ates_event_type *type)
{
    return json_pack("{ss s{s{ss} s{ss} s{sI} so}}", "description", type->summary, "properties",
                     "producer", "const", service->name, "event_name", "const", type->data->name,
                     "event_version", "const", (json_int_t)type->version, "data",
                     web_schema_refer(schemas, type->data));
}

json_t *web_schema_refer_event(json_t *schemas)
{
    static const char name[] = "web_event";
    json_t *kinds = json_array();

    for (size_t i = 0; web_services[i] != NULL; i++) {
        for (size_t j = 0; j < web_services[i]->event_count; j++) {
            const struct ates_event_type *type = &web_services[i]->events[j];

            if (!type->is_private) {
                ates_json_append(kinds, make_kind(schemas, web_services[i], type));
            }
        }
    }
    ates_json_set(schemas, name,
                  json_pack("{ss s[o] s[s] so}", "type", "object", "allOf",
                            web_schema_refer(schemas, &web_stream_event_message), "required",
                            "data", "oneOf", kinds));
    return json_pack("{ss}", "$ref", "#/components/schemas/web_event");
}
