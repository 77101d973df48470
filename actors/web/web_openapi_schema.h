/* The schemas of an OpenAPI document: one for each message that an operation answers with, or sends, made
 * when it is first referred to. */
#ifndef WEB_OPENAPI_SCHEMA_H
#define WEB_OPENAPI_SCHEMA_H

#include <jansson.h>

#include <ates/message.h>

#define WEB_SCHEMA_NAME_MAX 128u

/* A message's name in the document: SERVICE_MESSAGE, of the first service whose tables have it. */
void web_schema_name(const struct ates_message *message, char name[WEB_SCHEMA_NAME_MAX + 1]);

/* A new {"$ref": ...} to the schema of what /events sends of an event, with one of its data for each
 * event that is published; added in the same way. */
json_t *web_schema_refer_event(json_t *schemas);

/* A new {"$ref": ...} to the message's schema in schemas (components/schemas), which is added where
 * it is not yet there, with those that it refers to itself. */
json_t *web_schema_refer(json_t *schemas, const struct ates_message *message);

#endif
