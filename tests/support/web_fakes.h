/* The web service's parts around a handler, for one test program: requests that are no HTTP, answers
 * that are kept, and services that reply when the test says so. Invariant: a program that includes
 * this needs none of the parts faked here. */
#ifndef ATES_TEST_WEB_FAKES_H
#define ATES_TEST_WEB_FAKES_H

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <criterion/criterion.h>

#include <ates/auth.h>
#include <ates/tasks.h>

#include "web/web_backend.h"
#include "web/web_call.h"
#include "web/web_health.h"
#include "web/web_hub.h"
#include "web/web_private.h"
#include "web/web_problem.h"
#include "web/web_server.h"
#include "web/web_session.h"

const struct ates_service *const web_services[] = {&auth_service, &tasks_service, NULL};

/* A request and what came of it. */
struct fake_request {
    struct web_request request;
    const char *authorization; /* header; NULL: none */
    unsigned status;           /* of the answer; 0: none yet */
    char content_type[64], retry_after[16];
    char body[65536];
    char reason[48]; /* of a problem */
};

static inline struct fake_request *fake_of(const struct web_request *request)
{
    return (struct fake_request *)(void *)request;
}

static inline void fake_open(struct fake_request *self, struct ates_web *web)
{
    memset(self, 0, sizeof *self);
    self->request.web = web;
    self->request.arena = ates_arena_new();
    strcpy(self->request.peer, "192.0.2.1");
}

static inline void fake_close(struct fake_request *self)
{
    if (self->request.gone != NULL) {
        self->request.gone(&self->request);
    }
    ates_arena_free(&self->request.arena);
}

const char *web_request_header(const struct web_request *request, const char *name)
{
    return strcasecmp(name, "Authorization") == 0 ? fake_of(request)->authorization : NULL;
}

void web_response_add(struct web_response *response, const char *name, const char *value)
{
    response->headers[response->header_count++] = (struct web_header){name, value};
}

void web_respond(struct web_request *request, const struct web_response *response)
{
    struct fake_request *self = fake_of(request);

    cr_assert_eq(self->status, 0, "answered twice");
    cr_assert_lt(response->body.size, sizeof self->body);
    self->status = response->status;
    snprintf(self->content_type, sizeof self->content_type, "%s", response->content_type);
    memcpy(self->body, response->body.data, response->body.size);
    for (size_t i = 0; i < response->header_count; i++) {
        if (strcmp(response->headers[i].name, "Retry-After") == 0) {
            snprintf(self->retry_after, sizeof self->retry_after, "%s", response->headers[i].value);
        }
    }
}

void web_respond_problem(struct web_request *request, const struct ates_refusal *refusal)
{
    static const unsigned statuses[ATES_STATUS_COUNT] = {
        [ATES_UNAUTHENTICATED] = 401, [ATES_PERMISSION_DENIED] = 403, [ATES_UNAVAILABLE] = 503};
    struct fake_request *self = fake_of(request);

    cr_assert_eq(self->status, 0, "answered twice");
    self->status = statuses[refusal->status];
    strcpy(self->reason, refusal->reason);
}

void web_respond_no_reply(struct web_request *request)
{
    const struct ates_refusal refusal = {.status = ATES_UNAVAILABLE, .reason = "NO_REPLY"};

    web_respond_problem(request, &refusal);
}

/* Commands under way; one is free where replied is NULL. */
struct web_pending {
    const struct ates_service *service;
    char command[64], token[64];
    int64_t timeout_ms;
    web_replied *replied;
    void *owner;
};
static struct web_pending fake_pending[16];
static size_t fake_room = 16; /* how many may be under way */
static size_t fake_calls;     /* so far */

static inline size_t fake_under_way(void)
{
    size_t count = 0;

    for (size_t i = 0; i < 16; i++) {
        count += fake_pending[i].replied != NULL;
    }
    return count;
}

struct web_pending *web_backend_call(struct web_backend *self, const struct web_command *command,
                                     web_replied *replied, void *owner, int64_t now_us)
{
    size_t i = 0;

    (void)self;
    (void)now_us;
    if (fake_under_way() >= fake_room) {
        return NULL;
    }
    while (fake_pending[i].replied != NULL) {
        i++;
    }
    struct web_pending *pending = &fake_pending[i];
    *pending = (struct web_pending){.service = command->service,
                                    .timeout_ms = command->timeout_ms,
                                    .replied = replied,
                                    .owner = owner};
    snprintf(pending->command, sizeof pending->command, "%s", command->command->name);
    snprintf(pending->token, sizeof pending->token, "%.*s", (int)command->token.size,
             command->token.data != NULL ? command->token.data : "");
    fake_calls++;
    return pending;
}

void web_backend_cancel(struct web_backend *self, struct web_pending *pending)
{
    (void)self;
    cr_assert_not_null(pending->replied, "cancelled what is not under way");
    pending->replied = NULL;
}

/* What the service's command that is under way gets: a result by its message; NULL: no reply. */
static inline void fake_reply(const struct ates_service *service, const char *command,
                              const struct ates_message *message, const void *result)
{
    struct ates_reply reply = {.status = ATES_OK};
    struct ates_buffer body = {0};
    size_t i = 0;

    while (i < 16 && (fake_pending[i].replied == NULL || fake_pending[i].service != service ||
                      strcmp(fake_pending[i].command, command) != 0)) {
        i++;
    }
    cr_assert_lt(i, 16, "%s.%s is not under way", service->name, command);
    const struct web_pending pending = fake_pending[i];
    fake_pending[i].replied = NULL;
    if (message != NULL) {
        ates_message_encode(message, result, &body);
        reply.body = (struct ates_bytes){body.data, body.size};
    }
    pending.replied(pending.owner, message != NULL ? &reply : NULL);
    ates_buffer_release(&body);
}

#endif
