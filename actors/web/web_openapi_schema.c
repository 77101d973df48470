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
    return found;
}

void web_schema_name(const struct ates_message *message, char name[WEB_SCHEMA_NAME_MAX + 1])
{
    const char *owner = web_service.name;

    for (size_t i = 0; web_services[i] != NULL; i++) {
        if (has(web_services[i], message)) {
            owner = web_services[i]->name;
            break;
        }
    }
    snprintf(name, WEB_SCHEMA_NAME_MAX + 1, "%s_%s", owner, message->name);
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
