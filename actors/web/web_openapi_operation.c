/* An operation of the OpenAPI document. Invariant: each field of the command's body is in one place
 * of the request, the one in which web_api.c looks for it: path, query or JSON body. */
#include <stdio.h>
#include <string.h>

#include "core/json_make.h"
#include "core/message_schema.h"
#include "web/web_messages.h"
#include "web/web_openapi_operation.h"
#include "web/web_openapi_schema.h"

const char *web_operation_method(enum web_method method)
{
    static const char *const names[WEB_METHOD_COUNT] = {
        [WEB_GET] = "get", [WEB_POST] = "post", [WEB_PUT] = "put", [WEB_DELETE] = "delete"};

    return names[method];
}

json_t *web_operation_refer(const char *section, const char *name)
{
    char reference[160];

    snprintf(reference, sizeof reference, "#/components/%s/%s", section, name);
    return json_pack("{ss}", "$ref", reference);
}

void web_operation_respond(json_t *responses, const char *status, const char *name)
{
    ates_json_set(responses, status, web_operation_refer("responses", name));
}

static bool is_own(const struct web_route *route)
{
    return route->service == &web_service;
}

static bool is_stream(const struct web_route *route)
{
    return strcmp(route->command, "follow_events") == 0;
}

static bool has_body(const struct web_route *route)
{
    return route->method == WEB_POST || route->method == WEB_PUT;
}

static bool is_in_path(const struct web_route *route, const struct ates_field *field)
{
    char place[80];

    snprintf(place, sizeof place, "{%s}", field->name);
    return strstr(route->path, place) != NULL;
}

/* A path that says /me says whose it is. */
static bool is_hidden(const struct web_route *route, const struct ates_field *field)
{
    return route->is_mine && strcmp(field->name, "user_id") == 0;
}

/* "administrator, manager", into out. */
static void list_roles(unsigned roles, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (int role = 0; role < ATES_ROLE_COUNT && used < size; role++) {
        if (roles & ATES_ROLE(role)) {
            used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "",
                                     ates_role_names[role]);
        }
    }
}

static void describe_callers(unsigned callers, char *out, size_t size)
{
    char roles[160];
    const unsigned known = callers & ATES_ANY_ROLE;

    list_roles(known, roles, sizeof roles);
    if (callers == ATES_NO_TOKEN || callers == (ATES_NO_TOKEN | ATES_ANY_ROLE)) {
        snprintf(out, size, "Callers: everybody, signed in or not.");
    } else if (known == ATES_ANY_ROLE) {
        snprintf(out, size, "Callers: every signed-in user.");
    } else {
        snprintf(out, size, "Callers: %s%s.",
                 callers & ATES_NO_TOKEN ? "who is not signed in, " : "", roles);
    }
}

/* What the tables do not say. */
static const char *remark(const struct web_route *route)
{
    static const struct {
        const char *command;
        const char *words;
    } remarks[] = {
        {"auth_user",
         "With `ATES-Session: cookie` the answer sets a session's cookie and has no token."},
        {"renew_token", "A cookie's session is renewed by itself; then the answer has no token."},
        {"sign_out", "Ends the session of the cookie; a bearer's token ends by itself, or by "
                     "`/users/me/revoke`."},
        {"follow_events",
         "Server-sent events. First comes `event: hello` with `{user_id, role}`, then a message "
         "without a name for each event that the user may see. `event: reset` says that what is "
         "shown must be read anew, `event: "
         "bye` that the user may no longer listen. A comment comes every 15 seconds."},
    };

    for (size_t i = 0; i < sizeof remarks / sizeof remarks[0]; i++) {
        if (strcmp(remarks[i].command, route->command) == 0) {
            return remarks[i].words;
        }
    }
    return NULL;
}

static void describe(json_t *operation, const struct web_route *route)
{
    const struct ates_command *command = web_route_command(route);
    char callers[224], others[224] = "", roles[160];
    char words[1536];

    describe_callers(command->callers, callers, sizeof callers);
    const struct ates_field *user = ates_message_field(command->body, "user_id", 7);
    if (command->others != 0 && command->others != command->callers && !is_hidden(route, user)) {
        list_roles(command->others, roles, sizeof roles);
        snprintf(others, sizeof others, " For another user: %s.", roles);
    }
    const char *more = remark(route);
    snprintf(words, sizeof words, "%s%s%s%s", more != NULL ? more : "", more != NULL ? " " : "",
             callers, others);
    ates_json_set_text(operation, "description", words);
}

static json_t *in_place(const struct ates_message *message, enum ates_unknown unknown,
                        void *context)
{
    (void)context;
    return ates_message_schema(message, unknown);
}

static json_t *closed_schema(const struct ates_field *field)
{
    return ates_field_schema(field, ATES_UNKNOWN_REFUSED, in_place, NULL);
}

static json_t *make_parameter(const struct ates_field *field, bool in_path)
{
    json_t *schema = closed_schema(field);
    json_t *parameter =
        json_pack("{ss ss sb}", "name", field->name, "in", in_path ? "path" : "query", "required",
                  in_path || !field->optional);
    json_t *description = json_object_get(schema, "description");

    if (description != NULL) {
        ates_json_set(parameter, "description", json_incref(description));
        json_object_del(schema, "description");
    }
    if (field->type == ATES_LIST) { /* values with commas */
        ates_json_set_text(parameter, "style", "form");
        ates_json_set(parameter, "explode", json_false());
    }
    ates_json_set(parameter, "schema", schema);
    return parameter;
}

static json_t *make_parameters(const struct web_route *route)
{
    const struct ates_command *command = web_route_command(route);
    json_t *parameters = json_array();

    for (size_t i = 0; i < command->body->count; i++) {
        const struct ates_field *field = &command->body->fields[i];
        const bool in_path = is_in_path(route, field);

        if (in_path || (!has_body(route) && !is_hidden(route, field))) {
            ates_json_append(parameters, make_parameter(field, in_path));
        }
    }
    if (is_stream(route)) {
        ates_json_append(parameters, web_operation_refer("parameters", "last_event_id"));
    } else if (route->method == WEB_GET) {
        ates_json_append(parameters, web_operation_refer("parameters", "if_none_match"));
    } else {
        ates_json_append(parameters, web_operation_refer("parameters", "ates_session"));
    }
    if (!command->is_query && !is_own(route)) {
        ates_json_append(parameters, web_operation_refer("parameters", "idempotency_key"));
    }
    return parameters;
}

/* NULL where no field is left for it. */
static json_t *make_body(const struct web_route *route)
{
    const struct ates_message *message = web_route_command(route)->body;
    json_t *properties = json_object();
    json_t *required = json_array();

    for (size_t i = 0; i < message->count && has_body(route); i++) {
        const struct ates_field *field = &message->fields[i];

        if (!is_in_path(route, field) && !is_hidden(route, field)) {
            ates_json_set(properties, field->name, closed_schema(field));
            if (!field->optional) {
                ates_json_append(required, json_string(field->name));
            }
        }
    }
    const bool is_required = json_array_size(required) > 0;
    json_t *body = NULL;
    if (json_object_size(properties) > 0) {
        json_t *schema = json_pack("{ss sO sb}", "type", "object", "properties", properties,
                                   "additionalProperties", 0);
        if (is_required) {
            ates_json_set(schema, "required", json_incref(required));
        }
        body = json_pack("{sb s{s{so}}}", "required", is_required, "content", "application/json",
                         "schema", schema);
    }
    json_decref(properties);
    json_decref(required);
    return body;
}

static void add_header(json_t *headers, const char *name, const char *component)
{
    ates_json_set(headers, name, web_operation_refer("headers", component));
}

static json_t *make_headers(const struct web_route *route)
{
    json_t *headers = json_object();

    if (route->success == 201) {
        add_header(headers, "Location", "location");
    }
    if (route->method == WEB_GET) {
        add_header(headers, "ETag", "etag");
    }
    if (route->handle == NULL) { /* a service's reply, passed on as it is */
        add_header(headers, "ATES-Seq", "ates_seq");
        if (!web_route_command(route)->is_query) {
            add_header(headers, "Idempotent-Replayed", "idempotent_replayed");
        }
    }
    return headers;
}

/* The stream as the list of its messages: those of events, which have no name, and the others. */
static json_t *make_stream(json_t *schemas)
{
    json_t *event = json_pack("{ss ss so}", "type", "string", "contentMediaType",
                              "application/json", "contentSchema", web_schema_refer_event(schemas));

    return json_pack(
        "{ss s{ss s{s{ss ss}} s[{s[s] s{sb so}} {s[s] s{s{s[sss]} s{ss ss}}} {s[s] s{sb sb}}]}}",
        "type", "array", "items", "type", "object", "properties", "id", "type", "string",
        "description", "The stream's place in every log, for Last-Event-ID.", "oneOf", "required",
        "data", "properties", "event", 0, "data", event, "required", "event", "properties", "event",
        "enum", "hello", "reset", "bye", "data", "type", "string", "contentMediaType",
        "application/json", "required", "id", "properties", "event", 0, "data", 0);
}

static json_t *make_success(const struct web_route *route, json_t *schemas)
{
    const struct ates_message *result =
        route->result != NULL ? route->result : web_route_command(route)->result;

    if (is_stream(route)) {
        return json_pack("{ss s{s{so}}}", "description", "Messages as they come.", "content",
                         "text/event-stream", "schema", make_stream(schemas));
    }
    json_t *success = json_pack("{ss}", "description",
                                route->success == 204   ? "Done."
                                : route->success == 201 ? "Done; something new is there."
                                                        : "Done; the result.");
    json_t *headers = make_headers(route);
    if (json_object_size(headers) > 0) {
        ates_json_set(success, "headers", json_incref(headers));
    }
    json_decref(headers);
    if (route->success != 204) {
        ates_json_set(
            success, "content",
            json_pack("{s{so}}", "application/json", "schema", web_schema_refer(schemas, result)));
    }
    return success;
}

static json_t *make_responses(const struct web_route *route, json_t *schemas)
{
    json_t *responses = json_object();
    char status[8];

    snprintf(status, sizeof status, "%u", route->success);
    ates_json_set(responses, status, make_success(route, schemas));
    if (route->method == WEB_GET && !is_stream(route)) {
        web_operation_respond(responses, "304", "not_modified");
    }
    web_operation_respond(responses, "400", "bad_request");
    web_operation_respond(responses, "401", "unauthenticated");
    web_operation_respond(responses, "403", "permission_denied");
    if (!is_own(route)) {
        web_operation_respond(responses, "404", "not_found");
    }
    if (route->method != WEB_GET) {
        web_operation_respond(responses, "409", "conflict");
    }
    if (has_body(route)) {
        web_operation_respond(responses, "413", "too_large");
        web_operation_respond(responses, "415", "unsupported_media_type");
    }
    web_operation_respond(responses, "429", "too_many");
    web_operation_respond(responses, "500", "internal");
    web_operation_respond(responses, "503", "unavailable");
    return responses;
}

static json_t *make_security(const struct ates_command *command)
{
    if (command->callers == ATES_NO_TOKEN) {
        return json_array();
    }
    return command->callers & ATES_NO_TOKEN ? json_pack("[{}, {s[]}, {s[]}]", "bearer", "cookie")
                                            : json_pack("[{s[]}, {s[]}]", "bearer", "cookie");
}

json_t *web_operation_make(const struct web_route *route, json_t *schemas)
{
    const struct ates_command *command = web_route_command(route);
    json_t *operation = json_pack("{ss ss s[s]}", "operationId",
                                  route->operation != NULL ? route->operation : command->name,
                                  "summary", command->summary, "tags", route->tag);

    describe(operation, route);
    ates_json_set(operation, "security", make_security(command));
    ates_json_set(operation, "parameters", make_parameters(route));
    json_t *body = make_body(route);
    if (body != NULL) {
        ates_json_set(operation, "requestBody", body);
    }
    ates_json_set(operation, "responses", make_responses(route, schemas));
    return operation;
}
