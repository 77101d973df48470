/* Whether this service and those behind it work. Invariant: however often one asks, a service is
 * asked for its health once in a second at most; who asks meanwhile waits for the same replies. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/web_backend.h"
#include "web/web_health.h"
#include "web/web_private.h"

#define PROBE_TIMEOUT_MS 1000
#define KEPT_US 1000000
#define BODY_SIZE 1024u

enum state { SERVING, NOT_SERVING, NO_REPLY };

struct probe {
    struct web_health *health;
    struct web_pending *pending; /* NULL: none under way */
    enum state state;
};

/* A request that waits for the replies; in its arena. */
struct waiter {
    struct waiter *next;
    struct web_request *request;
};

struct web_health {
    struct ates_web *web;
    struct ates_arena *arena; /* for one reply */
    struct waiter *waiting;
    int64_t known_us; /* when the last probe ended; 0: none has */
    size_t left;      /* replies to come */
    size_t count;
    struct probe probes[];
};

static void respond(struct web_request *request, unsigned status, const char *body)
{
    struct web_response response = {
        .status = status,
        .content_type = "application/json",
        .body = {(const uint8_t *)body, strlen(body)},
    };

    web_response_add(&response, "Cache-Control", "no-store");
    if (status != 200) {
        web_response_add(&response, "Retry-After", "1");
    }
    web_respond(request, &response);
}

void web_handle_healthz(struct web_request *request)
{
    respond(request, 200, "{\"status\":\"ok\",\"version\":\"" ATES_VERSION "\"}");
}

/* What the services last said; whether all of them serve. */
static bool write_readiness(const struct web_health *self, char *body, size_t size)
{
    static const char *const words[] = {
        [SERVING] = "serving", [NOT_SERVING] = "not_serving", [NO_REPLY] = "no_reply"};
    bool ready = true;
    size_t used;

    for (size_t i = 0; i < self->count; i++) {
        ready = ready && self->probes[i].state == SERVING;
    }
    used = (size_t)snprintf(body, size, "{\"status\":\"%s\",\"services\":{",
                            ready ? "ready" : "not_ready");
    for (size_t i = 0; i < self->count && used < size; i++) {
        used += (size_t)snprintf(body + used, size - used, "%s\"%s\":\"%s\"", i > 0 ? "," : "",
                                 web_services[i]->name, words[self->probes[i].state]);
    }
    if (used < size) {
        snprintf(body + used, size - used, "}}");
    }
    return ready;
}

static void answer(const struct web_health *self, struct web_request *request)
{
    char body[BODY_SIZE];
    const bool ready = write_readiness(self, body, sizeof body);

    respond(request, ready ? 200 : 503, body);
}

static void finish(struct web_health *self)
{
    self->known_us = ates_monotonic_us();
    while (self->waiting != NULL) {
        struct waiter *waiter = self->waiting;

        self->waiting = waiter->next; /* first, as the answer may end the request */
        answer(self, waiter->request);
    }
}

static enum state state_of(struct web_health *self, const struct ates_reply *reply)
{
    struct ates_health_result result;

    if (reply == NULL) {
        return NO_REPLY;
    }
    ates_arena_reset(self->arena);
    const bool serving =
        reply->status == ATES_OK &&
        ates_message_decode(&ates_health_result_message, reply->body.data, reply->body.size,
                            ATES_UNKNOWN_IGNORED, self->arena, &result, NULL) == 0 &&
        ates_text_equal(result.status, ates_text_from("serving"));
    return serving ? SERVING : NOT_SERVING;
}

static void take_reply(void *owner, const struct ates_reply *reply)
{
    struct probe *probe = owner;
    struct web_health *self = probe->health;

    probe->pending = NULL;
    probe->state = state_of(self, reply);
    self->left--;
    if (self->left == 0) {
        finish(self);
    }
}

/* Asks every service. Replies come later, even where one could not be asked. */
static void start(struct web_health *self)
{
    static const uint8_t nothing[] = {0x80};
    const int64_t now_us = ates_monotonic_us();

    for (size_t i = 0; i < self->count; i++) {
        struct probe *probe = &self->probes[i];
        const struct web_command command = {
            .service = web_services[i],
            .command = ates_service_command(web_services[i], "health", strlen("health")),
            .body = {nothing, sizeof nothing},
            .timeout_ms = PROBE_TIMEOUT_MS,
        };

        probe->state = NO_REPLY;
        probe->pending = web_backend_call(self->web->backend, &command, take_reply, probe, now_us);
        self->left += probe->pending != NULL;
    }
}

static struct web_health *health_of(struct ates_web *web)
{
    size_t count = 0;

    while (web_services[count] != NULL) {
        count++;
    }
    struct web_health *self = calloc(1, sizeof *self + count * sizeof self->probes[0]);
    if (self == NULL) {
        return NULL;
    }
    self->web = web;
    self->arena = ates_arena_new();
    self->count = count;
    for (size_t i = 0; i < count; i++) {
        self->probes[i].health = self;
    }
    return self;
}

static void forget(struct web_request *request)
{
    struct waiter **at = &request->web->health->waiting;

    while (*at != NULL && (*at)->request != request) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = (*at)->next;
    }
}

void web_handle_readyz(struct web_request *request)
{
    struct ates_web *web = request->web;

    if (web->health == NULL) {
        web->health = health_of(web);
    }
    struct web_health *self = web->health;
    if (self == NULL) {
        respond(request, 503, "{\"status\":\"not_ready\",\"services\":{}}");
        return;
    }
    const bool known = self->known_us != 0 && ates_monotonic_us() - self->known_us < KEPT_US;
    if (self->left == 0 && !known) {
        start(self);
    }
    if (self->left == 0) {
        answer(self, request);
        return;
    }
    struct waiter *waiter = ates_arena_alloc(request->arena, sizeof *waiter);
    waiter->request = request;
    waiter->next = self->waiting;
    self->waiting = waiter;
    request->gone = forget;
}

void web_health_free(struct web_health **self)
{
    if (*self == NULL) {
        return;
    }
    for (size_t i = 0; i < (*self)->count; i++) {
        if ((*self)->probes[i].pending != NULL) {
            web_backend_cancel((*self)->web->backend, (*self)->probes[i].pending);
        }
    }
    ates_arena_free(&(*self)->arena);
    free(*self);
    *self = NULL;
}
