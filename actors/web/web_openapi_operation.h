/* One operation of an OpenAPI document, made from its route and its command's tables. */
#ifndef WEB_OPENAPI_OPERATION_H
#define WEB_OPENAPI_OPERATION_H

#include <jansson.h>

#include "web/web_route.h"

/* A new operation; schemas (components/schemas) gets what it refers to. */
json_t *web_operation_make(const struct web_route *route, json_t *schemas);

/* The method's key in a path item: "get". */
const char *web_operation_method(enum web_method method);

/* A new {"$ref": "#/components/SECTION/NAME"}. */
json_t *web_operation_refer(const char *section, const char *name);

/* Adds the response NAME of components/responses for an HTTP status. */
void web_operation_respond(json_t *responses, const char *status, const char *name);

#endif
