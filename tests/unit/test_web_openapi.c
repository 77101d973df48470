/* The OpenAPI document is whole: each route's operation is in it, each field of its command once, and nothing
 * refers to what is not there. What a linter says of it, tests/web/openapi.test.mjs sees to. */
#include <criterion/criterion.h>

#include <string.h>

#include <jansson.h>

#include "core/message_schema.h"
#include "web/web_backend.h"
#include "web/web_messages.h"
#include "web/web_openapi.h"
#include "web/web_openapi_operation.h"
#include "web/web_openapi_schema.h"
#include "web/web_route.h"

/* /openapi.json, /healthz, /readyz, /metrics */
#define OTHER_OPERATIONS 4u

static json_t *document;

static void set_up(void)
{
    struct ates_buffer text = {0};
    json_error_t error;

    web_openapi_write(&text);
    document = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &error);
    cr_assert_not_null(document, "%s", error.text);
    ates_buffer_release(&text);
}

static void tear_down(void)
{
    json_decref(document);
}

TestSuite(web_openapi, .init = set_up, .fini = tear_down, .timeout = 60);

static const char *text_at(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));

    cr_assert_not_null(text, "there is no %s", key);
    return text;
}

static json_t *operation_of(const struct web_route *route)
{
    json_t *item = json_object_get(json_object_get(document, "paths"), route->path);
    json_t *operation = json_object_get(item, web_operation_method(route->method));

    cr_assert_not_null(operation, "%s %s", web_operation_method(route->method), route->path);
    return operation;
}

/* What "#/a/b" refers to; NULL where there is nothing. */
static const json_t *resolve(const char *reference)
{
    const json_t *at = document;
    char name[256];

    cr_assert_eq(strncmp(reference, "#/", 2), 0, "%s", reference);
    for (const char *word = reference + 2; word != NULL && at != NULL;) {
        const size_t size = strcspn(word, "/");

        snprintf(name, sizeof name, "%.*s", (int)size, word);
        at = json_object_get(at, name);
        word = word[size] == '/' ? word + size + 1 : NULL;
    }
    return at;
}

static const json_t *follow(const json_t *json)
{
    const char *reference = json_string_value(json_object_get(json, "$ref"));

    return reference != NULL ? resolve(reference) : json;
}

/* Calls see for each reference in json. */
static void walk(const json_t *json, void (*see)(const char *reference, void *context),
                 void *context)
{
    const char *key;
    json_t *value;
    size_t i;

    json_object_foreach((json_t *)json, key, value)
    {
        if (strcmp(key, "$ref") == 0 && json_is_string(value)) {
            see(json_string_value(value), context);
        } else {
            walk(value, see, context);
        }
    }
    json_array_foreach((json_t *)json, i, value)
    {
        walk(value, see, context);
    }
}

static void must_resolve(const char *reference, void *context)
{
    cr_expect_not_null(resolve(reference), "%s refers to nothing", reference);
    json_object_set_new(context, reference, json_true());
}

Test(web_openapi, references_and_components_belong_together)
{
    const json_t *components = json_object_get(document, "components");
    json_t *seen = json_object();
    const char *section, *name;
    json_t *members, *member;
    char reference[256];

    walk(document, must_resolve, seen);
    cr_expect_gt(json_object_size(seen), 30);
    json_object_foreach((json_t *)components, section, members)
    {
        json_object_foreach(members, name, member)
        {
            snprintf(reference, sizeof reference, "#/components/%s/%s", section, name);
            cr_expect(strcmp(section, "securitySchemes") == 0 ||
                          json_object_get(seen, reference) != NULL,
                      "nothing refers to %s", reference);
        }
    }
    json_decref(seen);
}

Test(web_openapi, tells_what_it_is)
{
    const json_t *info = json_object_get(document, "info");

    cr_assert_str_eq(text_at(document, "openapi"), "3.1.0");
    cr_assert_str_eq(text_at(info, "version"), ATES_VERSION);
    cr_assert_str_eq(text_at(json_object_get(info, "license"), "identifier"), "MIT");
    cr_assert_str_eq(text_at(json_array_get(json_object_get(document, "servers"), 0), "url"),
                     "/api/v1");
}

Test(web_openapi, is_the_same_each_time)
{
    struct ates_buffer one = {0}, two = {0};

    web_openapi_write(&one);
    web_openapi_write(&two);
    cr_assert(one.size == two.size && memcmp(one.data, two.data, one.size) == 0);
    ates_buffer_release(&one);
    ates_buffer_release(&two);
}

Test(web_openapi, has_each_operation_once)
{
    json_t *ids = json_object();
    const char *path, *method;
    json_t *item, *operation;

    for (size_t i = 0; i < web_route_count; i++) {
        const struct web_route *route = &web_routes[i];
        cr_expect_str_eq(text_at(operation_of(route), "operationId"),
                         route->operation != NULL ? route->operation
                                                  : web_route_command(route)->name);
        cr_expect_str_eq(text_at(operation_of(route), "summary"),
                         web_route_command(route)->summary);
    }
    json_object_foreach(json_object_get(document, "paths"), path, item)
    {
        json_object_foreach(item, method, operation)
        {
            if (strcmp(method, "servers") != 0) {
                const char *id = text_at(operation, "operationId");
                cr_expect_null(json_object_get(ids, id), "%s is there twice", id);
                json_object_set_new(ids, id, json_true());
            }
        }
    }
    cr_expect_eq(json_object_size(ids), web_route_count + OTHER_OPERATIONS);
    json_decref(ids);
}

Test(web_openapi, tags_are_described_and_used)
{
    json_t *used = json_object();
    const json_t *tags = json_object_get(document, "tags");

    json_object_set_new(used, "operation", json_true());
    for (size_t i = 0; i < web_route_count; i++) {
        json_object_set_new(used, web_routes[i].tag, json_true());
    }
    cr_expect_eq(json_array_size(tags), json_object_size(used));
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const json_t *tag = json_array_get(tags, i);
        cr_expect_not_null(json_object_get(used, text_at(tag, "name")), "%s", text_at(tag, "name"));
        cr_expect_gt(strlen(text_at(tag, "description")), 0);
    }
    json_decref(used);
}

static const json_t *parameter_named(const json_t *operation, const char *name)
{
    const json_t *parameters = json_object_get(operation, "parameters");
    const json_t *found = NULL;

    for (size_t i = 0; i < json_array_size(parameters); i++) {
        const json_t *parameter = follow(json_array_get(parameters, i));
        if (strcmp(text_at(parameter, "name"), name) == 0) {
            cr_expect_null(found, "%s is there twice", name);
            found = parameter;
        }
    }
    return found;
}

static bool is_required(const json_t *schema, const char *name)
{
    const json_t *required = json_object_get(schema, "required");

    for (size_t i = 0; i < json_array_size(required); i++) {
        if (strcmp(json_string_value(json_array_get(required, i)), name) == 0) {
            return true;
        }
    }
    return false;
}

static json_t *no_nest(const struct ates_message *message, enum ates_unknown unknown, void *context)
{
    (void)context;
    return ates_message_schema(message, unknown);
}

/* The schema of one place is the field's, but for the description, which may stand beside it. */
static void check_schema(const struct web_route *route, const struct ates_field *field,
                         const json_t *schema)
{
    json_t *expected = ates_field_schema(field, ATES_UNKNOWN_REFUSED, no_nest, NULL);
    json_t *got = json_deep_copy(schema);

    json_object_del(expected, "description");
    json_object_del(got, "description");
    cr_expect(json_equal(got, expected), "%s: %s", route->path, field->name);
    json_decref(expected);
    json_decref(got);
}

static void check_field(const struct web_route *route, const struct ates_field *field)
{
    const json_t *operation = operation_of(route);
    const json_t *content = json_object_get(json_object_get(operation, "requestBody"), "content");
    const json_t *schema = json_object_get(json_object_get(content, "application/json"), "schema");
    const json_t *property = json_object_get(json_object_get(schema, "properties"), field->name);
    const json_t *parameter = parameter_named(operation, field->name);
    const bool is_change = route->method == WEB_POST || route->method == WEB_PUT;
    char place[80];

    snprintf(place, sizeof place, "{%s}", field->name);
    const bool in_path = strstr(route->path, place) != NULL;
    if (strcmp(field->name, "user_id") == 0 && strstr(route->path, "/me") != NULL) {
        cr_expect(property == NULL && parameter == NULL, "%s: me is a user_id", route->path);
        return;
    }
    cr_expect_eq(property != NULL, is_change && !in_path, "%s: %s", route->path, field->name);
    cr_expect_eq(parameter != NULL, !is_change || in_path, "%s: %s", route->path, field->name);
    if (property != NULL) {
        cr_expect_eq(is_required(schema, field->name), !field->optional);
        check_schema(route, field, property);
    }
    if (parameter != NULL) {
        cr_expect_str_eq(text_at(parameter, "in"), in_path ? "path" : "query");
        cr_expect_eq(json_is_true(json_object_get(parameter, "required")),
                     in_path || !field->optional, "%s: %s", route->path, field->name);
        cr_expect_eq(json_is_false(json_object_get(parameter, "explode")),
                     field->type == ATES_LIST);
        check_schema(route, field, json_object_get(parameter, "schema"));
    }
}

Test(web_openapi, each_field_has_one_place)
{
    for (size_t i = 0; i < web_route_count; i++) {
        const struct web_route *route = &web_routes[i];
        const struct ates_message *body = web_route_command(route)->body;
        const json_t *request = json_object_get(operation_of(route), "requestBody");

        for (size_t j = 0; j < body->count; j++) {
            check_field(route, &body->fields[j]);
        }
        if (request != NULL) {
            const json_t *schema = json_object_get(
                json_object_get(json_object_get(request, "content"), "application/json"), "schema");
            cr_expect(json_is_false(json_object_get(schema, "additionalProperties")));
            cr_expect_leq(json_object_size(json_object_get(schema, "properties")), body->count);
            cr_expect_eq(json_is_true(json_object_get(request, "required")),
                         json_object_get(schema, "required") != NULL);
        }
    }
}

/* Each {field} of a path is a field of the command: what else could stand for it? */
Test(web_openapi, paths_name_fields)
{
    for (size_t i = 0; i < web_route_count; i++) {
        const struct web_route *route = &web_routes[i];

        for (const char *at = strchr(route->path, '{'); at != NULL; at = strchr(at + 1, '{')) {
            cr_expect_not_null(
                ates_message_field(web_route_command(route)->body, at + 1, strcspn(at + 1, "}")),
                "%s", route->path);
        }
    }
}

static const json_t *response_of(const struct web_route *route, unsigned status)
{
    char key[8];

    snprintf(key, sizeof key, "%u", status);
    return follow(json_object_get(json_object_get(operation_of(route), "responses"), key));
}

static void check_success(const struct web_route *route)
{
    const struct ates_message *result =
        route->result != NULL ? route->result : web_route_command(route)->result;
    const json_t *success = response_of(route, route->success);
    const json_t *content = json_object_get(success, "content");
    const json_t *schema = json_object_get(json_object_get(content, "application/json"), "schema");
    char name[WEB_SCHEMA_NAME_MAX + 1], reference[WEB_SCHEMA_NAME_MAX + 32];

    cr_assert_not_null(success, "%s: %u", route->path, route->success);
    const json_t *headers = json_object_get(success, "headers");
    cr_expect_eq(json_object_get(headers, "Location") != NULL, route->success == 201);
    cr_expect_eq(json_object_get(headers, "ATES-Seq") != NULL, route->handle == NULL);
    if (strcmp(route->command, "follow_events") == 0) {
        const json_t *stream = json_object_get(content, "text/event-stream");
        cr_expect_str_eq(text_at(json_object_get(stream, "schema"), "type"), "array");
    } else if (route->success == 204) {
        cr_expect_null(content, "%s", route->path);
        cr_expect_eq(result->count, 0, "%s has a result", route->path);
    } else {
        web_schema_name(result, name);
        snprintf(reference, sizeof reference, "#/components/schemas/%s", name);
        cr_expect_str_eq(text_at(schema, "$ref"), reference);
        cr_expect_eq(json_object_size(json_object_get(follow(schema), "properties")),
                     result->count);
        cr_expect(json_is_true(json_object_get(follow(schema), "additionalProperties")),
                  "%s: a consumer ignores what it does not know", route->path);
    }
}

/* The kind of event that says so of itself. */
static const json_t *find_kind(const char *producer, const char *name, unsigned version)
{
    const json_t *kinds = json_object_get(resolve("#/components/schemas/web_event"), "oneOf");
    const json_t *found = NULL;

    for (size_t i = 0; i < json_array_size(kinds); i++) {
        const json_t *members = json_object_get(json_array_get(kinds, i), "properties");

        if (strcmp(text_at(json_object_get(members, "producer"), "const"), producer) == 0 &&
            strcmp(text_at(json_object_get(members, "event_name"), "const"), name) == 0 &&
            json_integer_value(
                json_object_get(json_object_get(members, "event_version"), "const")) == version) {
            cr_expect_null(found, "%s.%s is there twice", producer, name);
            found = members;
        }
    }
    return found;
}

Test(web_openapi, tells_what_each_event_holds)
{
    size_t count = 0;

    for (size_t i = 0; web_services[i] != NULL; i++) {
        const struct ates_service *service = web_services[i];

        for (size_t j = 0; j < service->event_count; j++) {
            const struct ates_event_type *type = &service->events[j];
            const json_t *members = find_kind(service->name, type->data->name, type->version);

            cr_expect_eq(members == NULL, type->is_private, "%s.%s", service->name,
                         type->data->name);
            if (members != NULL) {
                const json_t *data = follow(json_object_get(members, "data"));

                count++;
                cr_expect_eq(json_object_size(json_object_get(data, "properties")),
                             type->data->count);
            }
        }
    }
    cr_expect_gt(count, 10);
}

Test(web_openapi, tells_what_is_answered)
{
    static const unsigned problems[] = {400, 401, 403, 429, 500, 503};

    for (size_t i = 0; i < web_route_count; i++) {
        const struct web_route *route = &web_routes[i];

        check_success(route);
        for (size_t j = 0; j < sizeof problems / sizeof problems[0]; j++) {
            const json_t *content = json_object_get(response_of(route, problems[j]), "content");
            cr_expect_not_null(json_object_get(content, "application/problem+json"), "%s: %u",
                               route->path, problems[j]);
        }
        cr_expect_eq(response_of(route, 304) != NULL,
                     route->method == WEB_GET && strcmp(route->command, "follow_events") != 0);
    }
}

static bool may_be_nobody(const json_t *security)
{
    bool nobody = json_array_size(security) == 0;

    for (size_t i = 0; i < json_array_size(security); i++) {
        nobody = nobody || json_object_size(json_array_get(security, i)) == 0;
    }
    return nobody;
}

Test(web_openapi, tells_who_may_call)
{
    for (size_t i = 0; i < web_route_count; i++) {
        const struct web_route *route = &web_routes[i];
        const unsigned callers = web_route_command(route)->callers;
        const json_t *operation = operation_of(route);
        const char *words = strstr(text_at(operation, "description"), "Callers: ");
        const json_t *security = json_object_get(operation, "security");

        cr_assert_not_null(words, "%s", route->path);
        cr_expect(json_is_array(security));
        cr_expect_eq(may_be_nobody(security), (callers & ATES_NO_TOKEN) != 0, "%s", route->path);
        for (int role = 0; role < ATES_ROLE_COUNT; role++) {
            if ((callers & ATES_ANY_ROLE) != ATES_ANY_ROLE) {
                const size_t size = strcspn(words, "."); /* of this sentence */
                cr_expect_eq(memmem(words, size, ates_role_names[role],
                                    strlen(ates_role_names[role])) != NULL,
                             (callers & ATES_ROLE(role)) != 0, "%s: %s", route->path, words);
            }
        }
    }
}

Test(web_openapi, a_change_may_be_repeated_with_a_key)
{
    for (size_t i = 0; i < web_route_count; i++) {
        const struct web_route *route = &web_routes[i];
        const bool may = parameter_named(operation_of(route), "Idempotency-Key") != NULL;

        cr_expect_eq(may, !web_route_command(route)->is_query && route->service != &web_service,
                     "%s", route->path);
    }
}

static void claim(json_t *owners, const struct ates_message *message)
{
    char name[WEB_SCHEMA_NAME_MAX + 1];

    web_schema_name(message, name);
    const json_t *owner = json_object_get(owners, name);
    if (owner == NULL) {
        json_object_set_new(owners, name, json_integer((json_int_t)(intptr_t)message));
    } else {
        cr_expect_eq(json_integer_value(owner), (json_int_t)(intptr_t)message,
                     "two messages are %s", name);
    }
    for (size_t i = 0; i < message->count; i++) {
        if (message->fields[i].message != NULL) {
            claim(owners, message->fields[i].message);
        }
    }
}

Test(web_openapi, messages_have_names_of_their_own)
{
    json_t *owners = json_object();

    for (size_t i = 0; web_services[i] != NULL; i++) {
        for (size_t j = 0; j < web_services[i]->command_count; j++) {
            claim(owners, web_services[i]->commands[j].body);
            claim(owners, web_services[i]->commands[j].result);
        }
        for (size_t j = 0; j < web_services[i]->event_count; j++) {
            claim(owners, web_services[i]->events[j].data);
        }
    }
    for (size_t i = 0; i < web_route_count; i++) {
        claim(owners, web_route_command(&web_routes[i])->result);
        if (web_routes[i].result != NULL) {
            claim(owners, web_routes[i].result);
        }
    }
    cr_expect_gt(json_object_size(owners), 40);
    json_decref(owners);
}
