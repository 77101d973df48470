/* Requests without HTTP, and services that reply when the test says so, around the web service's
 * handlers. The clock is the test's own.
 *
 * Invariant: a program that includes this needs no server, backend or hub. */
#ifndef ATES_TEST_WEB_REQUEST_FIXTURE_H
#define ATES_TEST_WEB_REQUEST_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include <ates/accounting.h>
#include <ates/analytics.h>
#include <ates/auth.h>
#include <ates/payment.h>
#include <ates/tasks.h>

#include "core/datadir.h"
#include "support/temp_folder.h"
#include "web/web_backend.h"
#include "web/web_call.h"
#include "web/web_hub.h"
#include "web/web_private.h"
#include "web/web_session.h"

#define ASKED_HEADERS 8u
#define UNDER_WAY_MAX 16u
#define NOW_MS INT64_C(1700000000000)
#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)

const struct ates_service *const web_services[] = {
    &auth_service, &tasks_service, &accounting_service, &analytics_service, &payment_service, NULL};

/* A request and what came of it. */
struct asked {
    struct web_request request; /* first: asked_of */
    struct web_header sent[ASKED_HEADERS];
    size_t sent_count;
    struct web_response response; /* status 0: none yet */
    char headers[1024];           /* of the response: "Name: value\n" each */
    char *body;                   /* of the response, NUL behind it */
    json_t *json;                 /* it, where it is JSON */
};

/* A command that a service has; it is free where replied is NULL. */
struct web_pending {
    struct web_command command;
    char token[128], request_id[80], client[48];
    struct ates_buffer body;
    web_replied *replied;
    void *owner;
};

static struct ates_web web;
static int64_t clock_ms = NOW_MS;
static struct web_pending under_way[UNDER_WAY_MAX];
static size_t room = UNDER_WAY_MAX; /* how many may be under way */
static size_t calls;                /* so far */
static size_t streams_ended;        /* by the end of their sessions */

/* The parts around. */

static inline struct asked *asked_of(const struct web_request *request)
{
    return (struct asked *)(void *)request;
}

const char *web_request_header(const struct web_request *request, const char *name)
{
    const struct asked *self = asked_of(request);

    for (size_t i = 0; i < self->sent_count; i++) {
        if (strcasecmp(self->sent[i].name, name) == 0) {
            return self->sent[i].value;
        }
    }
    return NULL;
}

struct ates_text web_request_cookie(const struct web_request *request, const char *name)
{
    const char *at = web_request_header(request, "Cookie");
    const size_t size = strlen(name);

    for (; at != NULL; at = strchr(at, ';')) {
        at += strspn(at, "; ");
        if (strncmp(at, name, size) == 0 && at[size] == '=') {
            return (struct ates_text){at + size + 1, strcspn(at + size + 1, ";")};
        }
    }
    return (struct ates_text){.size = 0};
}

void web_response_add(struct web_response *response, const char *name, const char *value)
{
    cr_assert_lt(response->header_count, WEB_HEADERS_MAX);
    response->headers[response->header_count++] = (struct web_header){name, value};
}

void web_respond(struct web_request *request, const struct web_response *response)
{
    struct asked *self = asked_of(request);
    size_t used = 0;

    cr_assert_eq(self->response.status, 0, "answered twice");
    self->response = *response;
    for (size_t i = 0; i < response->header_count; i++) {
        used += (size_t)snprintf(self->headers + used, sizeof self->headers - used, "%s: %s\n",
                                 response->headers[i].name, response->headers[i].value);
        cr_assert_lt(used, sizeof self->headers);
    }
    self->body = calloc(1, response->body.size + 1);
    memcpy(self->body, response->body.size > 0 ? (const char *)response->body.data : "",
           response->body.size);
    self->json = json_loads(self->body, 0, NULL);
}

struct web_pending *web_backend_call(struct web_backend *self, const struct web_command *command,
                                     web_replied *replied, void *owner, int64_t now_us)
{
    size_t i = 0, used = 0;

    (void)self;
    (void)now_us;
    for (size_t j = 0; j < UNDER_WAY_MAX; j++) {
        used += under_way[j].replied != NULL;
    }
    if (used >= room) {
        return NULL;
    }
    while (under_way[i].replied != NULL) {
        i++;
    }
    struct web_pending *pending = &under_way[i];
    const struct ates_buffer body = pending->body;
    *pending = (struct web_pending){*command, .body = body, .replied = replied, .owner = owner};
    pending->body.size = 0;
    ates_buffer_append(&pending->body, command->body.data, command->body.size);
    snprintf(pending->token, sizeof pending->token, "%.*s", (int)command->token.size,
             command->token.size > 0 ? command->token.data : "");
    snprintf(pending->request_id, sizeof pending->request_id, "%s",
             command->request_id != NULL ? command->request_id : "");
    snprintf(pending->client, sizeof pending->client, "%s",
             command->client != NULL ? command->client : "");
    calls++;
    return pending;
}

void web_backend_cancel(struct web_backend *self, struct web_pending *pending)
{
    (void)self;
    cr_assert_not_null(pending->replied, "cancelled what is not under way");
    pending->replied = NULL;
}

void web_hub_end_session(struct web_hub *self, const struct web_session *session)
{
    (void)self;
    (void)session;
    streams_ended++;
}

void web_handle_events(struct web_request *request, const struct web_route *route)
{
    const struct web_response response = {.status = 200, .content_type = "text/event-stream"};

    (void)route;
    web_respond(request, &response);
}

static int64_t fixture_now_ms(void *context)
{
    (void)context;
    return clock_ms;
}

static inline void fixture_open(void)
{
    char path[TEMP_FOLDER_SIZE], error[256];

    temp_folder_make(path);
    snprintf(web.config.data_dir, sizeof web.config.data_dir, "%s", path);
    cr_assert_eq(ates_datadir_create(path, error, sizeof error), 0, "%s", error);
    web.source = ates_source_system();
    web.source.now_ms = fixture_now_ms;
    cr_assert_eq(web_sessions_open(&web.sessions, &web, error, sizeof error), 0, "%s", error);
}

static inline size_t count_under_way(void)
{
    size_t count = 0;

    for (size_t i = 0; i < UNDER_WAY_MAX; i++) {
        count += under_way[i].replied != NULL;
    }
    return count;
}

static inline void fixture_close(void)
{
    cr_expect_eq(count_under_way(), 0, "something is left under way");
    web_sessions_close(&web.sessions);
    temp_folder_remove(web.config.data_dir);
    for (size_t i = 0; i < UNDER_WAY_MAX; i++) {
        ates_buffer_release(&under_way[i].body);
    }
}

/* A request for the target, without headers. */
static inline void asked_open(struct asked *self, enum web_method method, const char *target)
{
    struct ates_refusal refusal;

    *self = (struct asked){.request = {.web = &web, .method = method}};
    self->request.arena = ates_arena_new();
    strcpy(self->request.peer, "192.0.2.1");
    cr_assert_eq(
        web_uri_parse(ates_text_from(target), self->request.arena, &self->request.uri, &refusal), 0,
        "%s: %s", target, refusal.message);
}

static inline void asked_send(struct asked *self, const char *name, const char *value)
{
    cr_assert_lt(self->sent_count, ASKED_HEADERS);
    self->sent[self->sent_count++] = (struct web_header){name, value};
}

static inline void asked_send_json(struct asked *self, const char *json)
{
    asked_send(self, "Content-Type", "application/json");
    self->request.body = (struct ates_bytes){(const uint8_t *)json, strlen(json)};
}

static inline void asked_close(struct asked *self)
{
    if (self->request.gone != NULL) {
        self->request.gone(&self->request);
    }
    if (self->request.caller_gone != NULL) {
        self->request.caller_gone(&self->request);
    }
    ates_arena_free(&self->request.arena);
    json_decref(self->json);
    free(self->body);
    *self = (struct asked){.sent_count = 0};
}

/* The value of the response's header; "" where it is absent. */
static inline const char *asked_header(const struct asked *self, const char *name)
{
    static char value[512];
    const size_t size = strlen(name);

    value[0] = '\0';
    for (const char *line = self->headers; *line != '\0'; line = strchr(line, '\n') + 1) {
        if (strncmp(line, name, size) == 0 && line[size] == ':') {
            cr_assert_eq(value[0], '\0', "%s twice", name);
            snprintf(value, sizeof value, "%.*s", (int)strcspn(line + size + 2, "\n"),
                     line + size + 2);
        }
    }
    return value;
}

static inline const char *asked_text(const struct asked *self, const char *key)
{
    const char *text = json_string_value(json_object_get(self->json, key));

    return text != NULL ? text : "";
}

#define expect_problem(ASKED, STATUS, REASON)                                                      \
    do {                                                                                           \
        cr_expect_eq((ASKED)->response.status, STATUS, "%u: %s", (ASKED)->response.status,         \
                     (ASKED)->body != NULL ? (ASKED)->body : "no answer");                         \
        cr_expect_str_eq(asked_text(ASKED, "reason"), REASON);                                     \
    } while (0)

/* The one command of this name that is under way. */
static inline struct web_pending *find_under_way(const char *name)
{
    struct web_pending *found = NULL;

    for (size_t i = 0; i < UNDER_WAY_MAX; i++) {
        if (under_way[i].replied != NULL && strcmp(under_way[i].command.command->name, name) == 0) {
            cr_assert_null(found, "%s is under way twice", name);
            found = &under_way[i];
        }
    }
    cr_assert_not_null(found, "%s is not under way", name);
    return found;
}

static inline void reply(struct web_pending *pending, const struct ates_reply *told)
{
    web_replied *replied = pending->replied;

    pending->replied = NULL;
    replied(pending->owner, told);
}

static inline void reply_nothing(const char *name)
{
    reply(find_under_way(name), NULL);
}

static inline void reply_refusal(const char *name, enum ates_status status, const char *reason)
{
    struct ates_reply told = {.status = status};

    ates_refusal_set(&told.refusal, status, reason, NULL, "it says no");
    reply(find_under_way(name), &told);
}

/* The result by the command's own table. */
static inline void reply_result(const char *name, const void *result)
{
    struct web_pending *pending = find_under_way(name);
    struct ates_buffer body = {0};

    ates_message_encode(pending->command.command->result, result, &body);
    const struct ates_reply told = {.status = ATES_OK, .seq = 7, .body = {body.data, body.size}};
    reply(pending, &told);
    ates_buffer_release(&body);
}

/* What signing in gives: a token for 15 minutes of a session of 12 hours. */
static inline struct auth_auth_user_result signed_in(uint64_t user_id, const char *token)
{
    return (struct auth_auth_user_result){
        .token = ates_text_from(token),
        .expires_at = clock_ms + 15 * MINUTE_MS,
        .session_expires_at = clock_ms + 12 * HOUR_MS,
        .user = {.id = user_id,
                 .login = ates_text_from("ann"),
                 .email = ates_text_from("ann@example.com"),
                 .role = ATES_DEVELOPER},
    };
}

#endif
