/* Commands over HTTP; see web_api.h.
 *
 * Invariant: a field is taken from one place only: the path, the query of a GET, or the JSON of
 * another request. */
#include "web/web_api.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "core/message_json.h"
#include "web/web_call.h"
#include "web/web_etag.h"
#include "web/web_private.h"
#include "web/web_problem.h"

#define KEY_MAX 64u /* characters of an Idempotency-Key */
#define NUMBER_SIZE 24u
#define LOCATION_SIZE 96u
#define PASS_HEADERS 3u /* that an answer may have: see answer() */

/* A request that was passed on. */
struct passed {
    const struct web_route *route;
    const struct ates_command *command;
};

/* NUL-terminated in the arena; a text of a target holds no NUL. */
static const char *string_of(struct ates_arena *arena, struct ates_text text)
{
    char *copy = ates_arena_alloc(arena, text.size + 1);

    if (text.size > 0) {
        memcpy(copy, text.data, text.size);
    }
    return copy;
}

static int set_pair(struct web_request *request, const struct ates_message *message, void *value,
                    const struct web_pair *pair, struct ates_refusal *refusal)
{
    return ates_message_set_text(message, value, string_of(request->arena, pair->name),
                                 string_of(request->arena, pair->value), request->arena, refusal);
}

static bool is_json(const struct web_request *request)
{
    static const char json[] = "application/json";
    const char *type = web_request_header(request, "Content-Type");

    return type != NULL && strncasecmp(type, json, sizeof json - 1) == 0 &&
           strchr("; \t", type[sizeof json - 1]) != NULL; /* the end, too */
}

/* Without what the library quotes of the body: that may be a piece of a password. */
static int refuse_body(struct ates_refusal *refusal, const json_error_t *error)
{
    const char *quote = strstr(error->text, " near '");
    const int size = (int)(quote != NULL ? (size_t)(quote - error->text) : strlen(error->text));

    return ates_refusal_set(refusal, ATES_INVALID_ARGUMENT, "BODY_INVALID", NULL,
                            "the body is no JSON: %.*s at line %d, column %d", size, error->text,
                            error->line, error->column);
}

/* Fields of the path are put into the object, so that its table sees the whole. */
static int add_parameters(json_t *json, const struct web_match *match,
                          const struct ates_message *message, struct ates_refusal *refusal)
{
    for (size_t i = 0; i < match->parameter_count; i++) {
        const struct web_pair *pair = &match->parameters[i];
        const struct ates_field *field =
            ates_message_field(message, pair->name.data, pair->name.size);
        uint64_t number = 0;

        if (json_object_getn(json, pair->name.data, pair->name.size) != NULL) {
            return ates_refusal_set(refusal, ATES_INVALID_ARGUMENT, "FIELD_UNKNOWN", field->name,
                                    "it stands in the path");
        }
        for (size_t j = 0; j < pair->value.size; j++) {
            const char digit = pair->value.data[j];

            if (digit < '0' || digit > '9' || number > (uint64_t)ATES_INTEGER_MAX / 10) {
                return ates_refusal_set(refusal, ATES_INVALID_ARGUMENT, "FIELD_INVALID",
                                        field->name, "an id is expected in the path");
            }
            number = number * 10 + (uint64_t)(digit - '0');
        }
        json_object_setn_new(json, pair->name.data, pair->name.size,
                             json_integer((json_int_t)number));
    }
    return 0;
}

static int refuse_mine(struct ates_refusal *refusal)
{
    return ates_refusal_set(refusal, ATES_INVALID_ARGUMENT, "FIELD_UNKNOWN", "user_id",
                            "the path says whose it is");
}

static int read_json(struct web_request *request, const struct web_match *match,
                     const struct ates_message *message, void *value, struct ates_refusal *refusal)
{
    json_error_t error = {.line = 0};
    json_t *json = request->body.size == 0
                       ? json_object()
                       : json_loadb((const char *)request->body.data, request->body.size,
                                    JSON_REJECT_DUPLICATES, &error);

    if (json == NULL) {
        return refuse_body(refusal, &error);
    }
    int r = json_is_object(json) ? add_parameters(json, match, message, refusal) : 0;
    if (r == 0 && match->route->is_mine && json_object_get(json, "user_id") != NULL) {
        r = refuse_mine(refusal);
    }
    if (r == 0) {
        r = ates_message_from_json(message, json, request->arena, value, refusal);
    }
    json_decref(json);
    return r;
}

static bool is_given(const struct web_request *request, const struct web_match *match,
                     struct ates_text name)
{
    for (size_t i = 0; i < match->parameter_count; i++) {
        if (ates_text_equal(match->parameters[i].name, name)) {
            return true;
        }
    }
    for (size_t i = 0; i < request->uri.pair_count; i++) {
        if (ates_text_equal(request->uri.pairs[i].name, name)) {
            return true;
        }
    }
    return false;
}

static int refuse_missing(const struct web_request *request, const struct web_match *match,
                          const struct ates_message *message, struct ates_refusal *refusal)
{
    for (size_t i = 0; i < message->count; i++) {
        const struct ates_field *field = &message->fields[i];

        if (!field->optional && !is_given(request, match, ates_text_from(field->name))) {
            return ates_refusal_set(refusal, ATES_INVALID_ARGUMENT, "FIELD_MISSING", field->name,
                                    "%s: it is required", field->name);
        }
    }
    return 0;
}

static int read_query(struct web_request *request, const struct web_match *match,
                      const struct ates_message *message, void *value, struct ates_refusal *refusal)
{
    memset(value, 0, message->size);
    for (size_t i = 0; i < match->parameter_count; i++) {
        int r = set_pair(request, message, value, &match->parameters[i], refusal);
        if (r != 0) {
            return r;
        }
    }
    for (size_t i = 0; i < request->uri.pair_count; i++) {
        const struct web_pair *pair = &request->uri.pairs[i];

        if (match->route->is_mine && ates_text_equal(pair->name, ates_text_from("user_id"))) {
            return refuse_mine(refusal);
        }
        for (size_t j = 0; j < match->parameter_count; j++) {
            if (ates_text_equal(pair->name, match->parameters[j].name)) {
                return ates_refusal_set(refusal, ATES_INVALID_ARGUMENT, "FIELD_UNKNOWN",
                                        string_of(request->arena, pair->name),
                                        "it stands in the path");
            }
        }
        int r = set_pair(request, message, value, pair, refusal);
        if (r != 0) {
            return r;
        }
    }
    int r = refuse_missing(request, match, message, refusal);
    return r != 0 ? r : ates_message_check(message, value, refusal);
}

int web_api_read(struct web_request *request, const struct web_match *match,
                 const struct ates_message *message, void *value, bool *is_media_type_wrong,
                 struct ates_refusal *refusal)
{
    *is_media_type_wrong = false;
    if (request->method == WEB_GET) {
        return read_query(request, match, message, value, refusal);
    }
    if (request->uri.pair_count > 0) {
        return ates_refusal_set(refusal, ATES_INVALID_ARGUMENT, "FIELD_UNKNOWN",
                                string_of(request->arena, request->uri.pairs[0].name),
                                "fields of a change stand in its body");
    }
    if (request->body.size > 0 && !is_json(request)) {
        *is_media_type_wrong = true;
        return ates_refusal_set(refusal, ATES_INVALID_ARGUMENT, "MEDIA_TYPE_UNSUPPORTED", NULL,
                                "the body must be application/json");
    }
    return read_json(request, match, message, value, refusal);
}

void web_api_refuse(struct web_request *request, bool is_media_type_wrong,
                    const struct ates_refusal *refusal)
{
    web_respond_problem_as(request, is_media_type_wrong ? 415 : web_problem_status(refusal->status),
                           refusal, NULL, NULL);
}

bool web_api_takes_nothing(struct web_request *request, const struct web_route *route)
{
    const struct web_match match = {.route = route};
    struct ates_refusal refusal = {.status = ATES_OK};
    struct ates_empty value;
    bool is_media_type_wrong = false;

    if (web_api_read(request, &match, &ates_empty_message, &value, &is_media_type_wrong,
                     &refusal) == 0) {
        return true;
    }
    web_api_refuse(request, is_media_type_wrong, &refusal);
    return false;
}

void web_respond_json(struct web_request *request, unsigned status, struct ates_bytes json,
                      const struct web_header *headers, size_t header_count)
{
    struct web_response response = {
        .status = status, .content_type = "application/json", .body = json};
    char etag[WEB_ETAG_SIZE];

    for (size_t i = 0; i < header_count; i++) {
        web_response_add(&response, headers[i].name, headers[i].value);
    }
    if (request->method == WEB_GET) {
        web_etag_of(json, etag);
        web_response_add(&response, "ETag", etag);
        web_response_add(&response, "Cache-Control", "private, no-cache");
        web_response_add(&response, "Vary", "Authorization, Cookie");
        if (web_etag_matches(web_request_header(request, "If-None-Match"), etag)) {
            response.status = 304;
            response.content_type = NULL;
            response.body.size = 0;
        }
    } else {
        web_response_add(&response, "Cache-Control", "no-store");
    }
    web_respond(request, &response);
}

void web_respond_message(struct web_request *request, unsigned status,
                         const struct ates_message *message, const void *value,
                         const struct web_header *headers, size_t header_count)
{
    struct ates_refusal refusal = {.status = ATES_OK};
    json_t *json = ates_message_to_json(message, value);
    char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

    if (text != NULL) {
        web_respond_json(request, status, (struct ates_bytes){(const uint8_t *)text, strlen(text)},
                         headers, header_count);
    } else {
        ates_refusal_set(&refusal, ATES_INTERNAL, "INTERNAL", NULL, "the reply is no JSON");
        web_respond_problem(request, &refusal);
    }
    free(text);
    json_decref(json);
}

void web_respond_empty(struct web_request *request, const struct web_header *headers,
                       size_t header_count)
{
    struct web_response response = {.status = 204};

    for (size_t i = 0; i < header_count; i++) {
        web_response_add(&response, headers[i].name, headers[i].value);
    }
    web_response_add(&response, "Cache-Control", "no-store");
    web_respond(request, &response);
}

/* Where what was made is to be found: only tasks and users are made. */
static const char *location(struct web_request *request, const struct web_route *route,
                            const struct ates_message *message, const void *value)
{
    const struct ates_field *field = &message->fields[0];
    uint64_t id;

    /* create_task's result is a task, whose first field is its id; register_user's is the id. */
    if (field->type == ATES_STRUCT) {
        value = (const uint8_t *)value + field->offset;
        field = &field->message->fields[0];
    }
    memcpy(&id, (const uint8_t *)value + field->offset, sizeof id);
    char *text = ates_arena_alloc(request->arena, LOCATION_SIZE);
    snprintf(text, LOCATION_SIZE, "/api/v1%s/%" PRIu64, route->path, id);
    return text;
}

static void answer(struct web_request *request, const struct ates_reply *reply)
{
    const struct passed *passed = request->context;
    const struct ates_message *message = passed->command->result;
    struct ates_refusal refusal = {.status = ATES_OK};
    struct web_header headers[PASS_HEADERS];
    size_t count = 0;
    char seq[NUMBER_SIZE];
    void *value = ates_arena_alloc(request->arena, message->size);

    if (ates_message_decode(message, reply->body.data, reply->body.size, ATES_UNKNOWN_IGNORED,
                            request->arena, value, &refusal) != 0) {
        ates_refusal_set(&refusal, ATES_INTERNAL, "INTERNAL", NULL, "the service's reply is none");
        web_respond_problem(request, &refusal);
        return;
    }
    snprintf(seq, sizeof seq, "%" PRIu64, reply->seq);
    headers[count++] = (struct web_header){"ATES-Seq", seq};
    if (reply->replayed) {
        headers[count++] = (struct web_header){"Idempotent-Replayed", "true"};
    }
    if (passed->route->success == 201) {
        headers[count++] =
            (struct web_header){"Location", location(request, passed->route, message, value)};
    }
    if (passed->route->success == 204) {
        web_respond_empty(request, headers, count);
    } else {
        web_respond_message(request, passed->route->success, message, value, headers, count);
    }
}

static void take_reply(void *owner, const struct ates_reply *reply)
{
    struct web_request *request = owner;

    if (reply == NULL) {
        web_respond_no_reply(request);
    } else if (reply->status != ATES_OK) {
        web_respond_problem(request, &reply->refusal);
    } else {
        answer(request, reply);
    }
}

int web_api_read_key(const struct web_request *request, const char **key,
                     struct ates_refusal *refusal)
{
    *key = web_request_header(request, "Idempotency-Key");
    if (*key == NULL) {
        return 0;
    }
    const size_t size = strlen(*key);
    bool right = size >= 1 && size <= KEY_MAX;
    for (size_t i = 0; right && i < size; i++) {
        right = (*key)[i] >= ' ' && (*key)[i] <= '~';
    }
    return right
               ? 0
               : ates_refusal_set(refusal, ATES_INVALID_ARGUMENT, "FIELD_INVALID",
                                  "Idempotency-Key", "1 to %u printable ASCII characters", KEY_MAX);
}

void web_api_pass(struct web_request *request, const struct web_match *match)
{
    const struct ates_command *command = web_route_command(match->route);
    struct passed *passed = ates_arena_alloc(request->arena, sizeof *passed);
    void *value = ates_arena_alloc(request->arena, command->body->size);
    struct ates_refusal refusal = {.status = ATES_OK};
    bool is_media_type_wrong = false;
    const char *key = NULL;

    /* Who asks comes first: a stranger learns nothing of what a body should be. A browser keeps the
     * cookie of a session that is over; who may be nobody is so then. */
    const bool takes_nobody = (command->callers & ATES_NO_TOKEN) != 0;
    int r = web_caller_find(request, &refusal);
    if (r == ATES_UNAUTHENTICATED && takes_nobody &&
        web_request_header(request, "Authorization") == NULL) {
        r = 0;
    }
    if (r == 0 && web_caller_is_nobody(request) && !takes_nobody) {
        r = web_caller_refuse_nobody(&refusal);
    }
    if (r == 0) {
        r = web_api_read(request, match, command->body, value, &is_media_type_wrong, &refusal);
    }
    if (r == 0 && !command->is_query) {
        r = web_api_read_key(request, &key, &refusal);
    }
    if (r != 0) {
        web_api_refuse(request, is_media_type_wrong, &refusal);
        return;
    }
    *passed = (struct passed){match->route, command};
    request->context = passed;
    struct ates_buffer body = {0};
    ates_message_encode(command->body, value, &body);
    web_call(request, match->route->service, command, key,
             (struct ates_bytes){body.data, body.size}, take_reply);
    if (body.size > 0) {
        explicit_bzero(body.data, body.size);
    }
    ates_buffer_release(&body);
}
