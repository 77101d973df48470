/* The OpenAPI document: what stands around the operations. Invariant: nothing here names a command
 * or a field of one; those come from the routes and tables. */
#include <stdlib.h>
#include <string.h>

#include "core/json_make.h"
#include "web/web_metrics.h"
#include "web/web_openapi.h"
#include "web/web_openapi_operation.h"
#include "web/web_route.h"

#define PROBLEM "application/problem+json"

static json_t *make_info(void)
{
    return json_pack(
        "{ss ss ss s{ss ss}}", "title", "aTES", "version", ATES_VERSION, "description",
        "The Awesome Task Exchange System: tasks that are drawn by lot, and the money that they "
        "cost and earn.\n\n"
        "Money is in cents, times are Unix milliseconds, dates are days of the business time "
        "zone. Lists come in pages: `next` of a page is the `after` of the following one. A "
        "refusal is a problem (RFC 9457) whose `reason` is a stable word. Every change takes an "
        "`Idempotency-Key`: repeated with the same key and body, it has its effect once.",
        "license", "name", "MIT", "identifier", "MIT");
}

static json_t *make_tags(void)
{
    static const struct {
        const char *name, *description;
    } tags[] = {
        {"session", "Signing in and out."},
        {"users", "Users and their roles."},
        {"tasks", "Tasks, their assignees and their history."},
        {"accounting", "Accounts, transfers, payouts and the mails about them."},
        {"analytics", "What the company earned."},
        {"payment", "The schedule by which business dates are closed."},
        {"events", "What happens, as it happens."},
        {"operation", "For those who run the system."},
    };
    json_t *made = json_array();

    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        ates_json_append(
            made, json_pack("{ss ss}", "name", tags[i].name, "description", tags[i].description));
    }
    return made;
}

static json_t *make_security_schemes(void)
{
    return json_pack(
        "{s{ss ss ss ss} s{ss ss ss ss}}", "bearer", "type", "http", "scheme", "bearer",
        "bearerFormat", "PASETO", "description", "The token that signing in gives.", "cookie",
        "type", "apiKey", "in", "cookie", "name", "ates", "description",
        "The session's cookie; its name is `__Host-ates` where the service has an https origin. A "
        "request other than GET must then carry `ATES-Session: cookie`, and come from the same "
        "origin.");
}

static json_t *make_text_parameter(const char *place, const char *name, const char *description,
                                   json_t *schema)
{
    return json_pack("{ss ss sb ss so}", "name", name, "in", place, "required", 0, "description",
                     description, "schema", schema);
}

static json_t *make_parameters(void)
{
    json_t *made = json_object();

    ates_json_set(
        made, "idempotency_key",
        make_text_parameter("header", "Idempotency-Key",
                            "With the same key the same request has its effect once, and gets the "
                            "same answer; kept for at least 24 hours.",
                            json_pack("{ss ss si si}", "type", "string", "pattern", "^[ -~]*$",
                                      "minLength", 1, "maxLength", 64)));
    ates_json_set(made, "ates_session",
                  make_text_parameter("header", "ATES-Session",
                                      "Needed where the session's cookie says who calls, and to "
                                      "get such a cookie.",
                                      json_pack("{ss s[s]}", "type", "string", "enum", "cookie")));
    ates_json_set(made, "if_none_match",
                  make_text_parameter("header", "If-None-Match",
                                      "The ETag of what the client has: answered with 304 where "
                                      "that is still so.",
                                      json_pack("{ss}", "type", "string")));
    ates_json_set(made, "last_event_id",
                  make_text_parameter("header", "Last-Event-ID",
                                      "The id of the last message seen: goes on behind it. Also "
                                      "taken as a query's last_event_id.",
                                      json_pack("{ss}", "type", "string")));
    return made;
}

static json_t *make_headers(void)
{
    static const struct {
        const char *name, *type, *description;
    } headers[] = {
        {"etag", "string", "Of this answer, for If-None-Match."},
        {"ates_seq", "integer", "The last event of the service's log that the answer reflects."},
        {"location", "string", "Where the new thing is."},
        {"idempotent_replayed", "boolean", "true: the stored answer to the same Idempotency-Key."},
        {"retry_after", "integer", "Seconds after which to try again."},
        {"www_authenticate", "string", "Bearer."},
    };
    json_t *made = json_object();

    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        ates_json_set(made, headers[i].name,
                      json_pack("{ss s{ss}}", "description", headers[i].description, "schema",
                                "type", headers[i].type));
    }
    return made;
}

static json_t *make_responses(void)
{
    static const struct {
        const char *name, *description;
        const char *header, *component; /* NULL: none */
    } problems[] = {
        {"bad_request", "A field or the request itself is not valid; `field` names the field.",
         NULL, NULL},
        {"unauthenticated", "There is no token or session that is valid still.", "WWW-Authenticate",
         "www_authenticate"},
        {"permission_denied", "The caller may not do this.", NULL, NULL},
        {"not_found", "There is no such thing.", NULL, NULL},
        {"conflict", "Things are not as this needs them; `reason` says how they are.", NULL, NULL},
        {"too_large", "The body is larger than 256 KiB.", NULL, NULL},
        {"unsupported_media_type", "The body is not application/json.", NULL, NULL},
        {"too_many", "Too much was asked, or too often.", "Retry-After", "retry_after"},
        {"internal", "A fault of the service.", NULL, NULL},
        {"unavailable",
         "A service is down, or did not answer in time: whether the command had its effect is "
         "unknown. Repeat it with the same Idempotency-Key.",
         "Retry-After", "retry_after"},
    };
    json_t *made = json_object();

    ates_json_set(made, "not_modified",
                  json_pack("{ss s{so}}", "description", "What the client has is still so.",
                            "headers", "ETag", web_operation_refer("headers", "etag")));
    for (size_t i = 0; i < sizeof problems / sizeof problems[0]; i++) {
        json_t *problem =
            json_pack("{ss s{s{so}}}", "description", problems[i].description, "content", PROBLEM,
                      "schema", web_operation_refer("schemas", "problem"));
        if (problems[i].header != NULL) {
            ates_json_set(problem, "headers",
                          json_pack("{so}", problems[i].header,
                                    web_operation_refer("headers", problems[i].component)));
        }
        ates_json_set(made, problems[i].name, problem);
    }
    return made;
}

/* What web_problem.c writes. */
static json_t *make_problem(void)
{
    static const struct {
        const char *name, *type, *key, *value, *description;
    } members[] = {
        {"type", "string", "pattern", "^urn:ates:problem:[A-Z][A-Z0-9_]*$", "names the reason"},
        {"title", "string", NULL, NULL, "the kind of refusal, in a few words"},
        {"status", "integer", NULL, NULL, "the HTTP status"},
        {"detail", "string", NULL, NULL, "what is wrong, in words for people"},
        {"reason", "string", "pattern", "^[A-Z][A-Z0-9_]*$", "a stable word for programs"},
        {"field", "string", NULL, NULL, "the dotted path of the field at fault"},
        {"retry_after_ms", "integer", NULL, NULL, "how long to wait before trying again"},
    };
    json_t *properties = json_object();

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_t *member =
            json_pack("{ss ss}", "type", members[i].type, "description", members[i].description);
        if (members[i].key != NULL) {
            ates_json_set_text(member, members[i].key, members[i].value);
        }
        ates_json_set(properties, members[i].name, member);
    }
    return json_pack("{ss ss so s[sssss]}", "type", "object", "description",
                     "A refusal (RFC 9457).", "properties", properties, "required", "type", "title",
                     "status", "detail", "reason");
}

static json_t *make_plain(const char *description, const char *content_type, json_t *schema)
{
    return json_pack("{ss s{s{so}}}", "description", description, "content", content_type, "schema",
                     schema);
}

static json_t *make_operation(const char *id, const char *summary, const char *description,
                              json_t *security, json_t *responses)
{
    web_operation_respond(responses, "400", "bad_request");
    return json_pack("{ss ss ss s[s] so so}", "operationId", id, "summary", summary, "description",
                     description, "tags", "operation", "security", security, "responses",
                     responses);
}

static json_t *make_readiness(const char *word)
{
    return json_pack("{ss s{s{ss s[s]} s{ss s{ss s[sss]}}} s[ss]}", "type", "object", "properties",
                     "status", "type", "string", "enum", word, "services", "type", "object",
                     "additionalProperties", "type", "string", "enum", "serving", "not_serving",
                     "no_reply", "required", "status", "services");
}

static json_t *make_healthz(void)
{
    json_t *schema = json_pack("{ss s{s{ss s[s]} s{ss}} s[ss]}", "type", "object", "properties",
                               "status", "type", "string", "enum", "ok", "version", "type",
                               "string", "required", "status", "version");

    return make_operation(
        "show_health", "Tells whether the web service lives.",
        "Callers: everybody, signed in or not.", json_array(),
        json_pack("{so}", "200", make_plain("It does.", "application/json", schema)));
}

static json_t *make_readyz(void)
{
    json_t *down = make_plain("A service does not; which ones, is said.", "application/json",
                              make_readiness("not_ready"));

    ates_json_set(down, "headers",
                  json_pack("{so}", "Retry-After", web_operation_refer("headers", "retry_after")));
    return make_operation(
        "show_readiness", "Tells whether every service answers.",
        "Callers: everybody, signed in or not.", json_array(),
        json_pack("{so so}", "200",
                  make_plain("All of them do.", "application/json", make_readiness("ready")), "503",
                  down));
}

static json_t *make_metrics(void)
{
    json_t *responses = json_pack("{so}", "200",
                                  make_plain("The figures of all services, in Prometheus's format.",
                                             "text/plain", json_pack("{ss}", "type", "string")));

    web_operation_respond(responses, "401", "unauthenticated");
    web_operation_respond(responses, "403", "permission_denied");
    web_operation_respond(responses, "429", "too_many");
    web_operation_respond(responses, "503", "unavailable");
    return make_operation(
        "show_metrics", "Gives the counters and gauges of all services.",
        "Callers: administrator; who has the metrics token; and, where neither that token nor an "
        "origin is configured, clients on the same machine.",
        json_pack("[{}, {s[]}, {s[]}]", "bearer", "cookie"), responses);
}

static json_t *make_document(void)
{
    json_t *responses = json_pack(
        "{so}", "200",
        make_plain("The document.", "application/json", json_pack("{ss}", "type", "object")));

    web_operation_respond(responses, "304", "not_modified");
    web_operation_respond(responses, "400", "bad_request");
    return make_operation("show_openapi", "Shows this document.",
                          "Callers: everybody, signed in or not.", json_array(), responses);
}

/* Outside of the API's path. */
static void add_root(json_t *paths, const char *path, json_t *operation)
{
    ates_json_set(paths, path, json_pack("{s[{ss}] so}", "servers", "url", "/", "get", operation));
}

static json_t *make_paths(json_t *schemas)
{
    json_t *paths = json_object();

    for (size_t i = 0; i < web_route_count; i++) {
        const struct web_route *route = &web_routes[i];
        json_t *item = json_object_get(paths, route->path);

        if (item == NULL) {
            item = json_object();
            ates_json_set(paths, route->path, item);
        }
        ates_json_set(item, web_operation_method(route->method),
                      web_operation_make(route, schemas));
    }
    ates_json_set(paths, "/openapi.json", json_pack("{so}", "get", make_document()));
    add_root(paths, "/healthz", make_healthz());
    add_root(paths, "/readyz", make_readyz());
    add_root(paths, "/metrics", make_metrics());
    return paths;
}

void web_openapi_write(struct ates_buffer *out)
{
    json_t *schemas = json_object();
    json_t *document = json_pack("{ss so s[{ss}] so}", "openapi", "3.1.0", "info", make_info(),
                                 "servers", "url", "/api/v1", "tags", make_tags());

    ates_json_set(schemas, "problem", make_problem());
    ates_json_set(document, "paths", make_paths(schemas));
    ates_json_set(document, "components",
                  json_pack("{so so so so so}", "securitySchemes", make_security_schemes(),
                            "parameters", make_parameters(), "headers", make_headers(), "responses",
                            make_responses(), "schemas", schemas));
    char *text = json_dumps(document, JSON_COMPACT);
    ates_json_require(text == NULL);
    ates_buffer_append(out, text, strlen(text));
    free(text);
    json_decref(document);
}
