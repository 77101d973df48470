/* From a request's frames to its reply: decoded by table, authenticated, authorised, executed; the
 * reply waits for the batch's commit. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/access.h"
#include "core/actor_private.h"
#include "core/follower.h"
#include "core/requests.h"
#include "core/trace.h"

#define BUSY_RETRY_MS 1000u

static const struct {
    const char *name;
    int (*answer)(struct ates_actor *, const void *, struct ates_buffer *, struct ates_refusal *);
    const struct ates_handler *handler; /* of one that changes something */
} common_answers[] = {
    {"health", actor_health, NULL},
    {"describe", actor_describe, NULL},
    {"metrics", actor_metrics, NULL},
    {"read_events", actor_read_events, NULL},
    {"read_snapshot", actor_read_snapshot, NULL},
    {"show_dead_letters", actor_show_dead_letters, NULL},
    {"retry_event", NULL, &ates_retry_handler},
};

void actor_index_routes(struct ates_actor *self)
{
    const struct ates_service *service = self->domain->service;

    for (size_t i = 0; i < service->command_count; i++) {
        struct actor_route *route = &self->routes[self->route_count++];

        assert(self->route_count < ACTOR_ROUTES_MAX);
        route->command = &service->commands[i];
        for (size_t j = 0; j < self->domain->handler_count; j++) {
            if (strcmp(self->domain->handlers[j].command, route->command->name) == 0) {
                route->handler = &self->domain->handlers[j];
            }
        }
        assert(route->handler != NULL && "a command of the table without a handler");
        assert(route->command->is_query == (route->handler->decide == NULL));
        for (size_t j = 0; j < route->command->body->count; j++) {
            route->has_secret |= route->command->body->fields[j].secret;
        }
    }
    for (size_t i = 0; i < sizeof common_answers / sizeof common_answers[0]; i++) {
        struct actor_route *route = &self->routes[self->route_count++];
        const char *name = common_answers[i].name;

        route->command = ates_service_command(&ates_common_service, name, strlen(name));
        route->answer = common_answers[i].answer;
        route->handler = common_answers[i].handler;
    }
}

static struct actor_route *find_route(struct ates_actor *self, struct ates_bytes name)
{
    const size_t service_size = strlen(self->name);

    if (name.size <= service_size || memcmp(name.data, self->name, service_size) != 0 ||
        name.data[service_size] != '.') {
        return NULL;
    }
    const struct ates_text word = {(const char *)name.data + service_size + 1,
                                   name.size - service_size - 1};
    for (size_t i = 0; i < self->route_count; i++) {
        if (ates_text_equal(ates_text_from(self->routes[i].command->name), word)) {
            return &self->routes[i];
        }
    }
    return NULL;
}

/* A request that was decoded and may be executed. */
struct incoming {
    struct actor_route *route;
    struct ates_request_meta meta;
    void *body;
    struct ates_bytes body_bytes;
    struct ates_text name;
    struct ates_text trace; /* a valid traceparent, or size 0 */
    struct ates_claims claims;
    struct ates_caller caller;
};

static int decode_meta(struct ates_actor *self, struct ates_bytes frame, struct incoming *in,
                       struct ates_refusal *refusal)
{
    char field[sizeof refusal->field + sizeof "meta."];
    int r = ates_message_decode(&ates_request_meta_message, frame.data, frame.size,
                                ATES_UNKNOWN_REFUSED, self->arena, &in->meta, refusal);

    if (r > 0) {
        snprintf(field, sizeof field, "meta%s%s", refusal->field[0] != '\0' ? "." : "",
                 refusal->field);
        r = ates_refusal_set(refusal, refusal->status, refusal->reason, field, "%s",
                             refusal->message);
    }
    if (r == 0 && in->meta.has_traceparent && ates_trace_is_valid(in->meta.traceparent)) {
        in->trace = in->meta.traceparent;
    }
    return r;
}

/* What is read of the user goes with the request: the engine's own arena is emptied only by what it executes,
 * and a request may never get there. */
static int authenticate(struct ates_actor *self, struct incoming *in, struct ates_refusal *refusal)
{
    struct ates_txn *txn = ates_engine_txn(self->engine);
    struct ates_arena *const engines = txn->arena;

    txn->arena = self->arena;
    int r = ates_access_authenticate(self->keyring, txn, &in->meta, in->route->command,
                                     ates_now_ms(&self->source), &in->claims, &in->caller, refusal);
    txn->arena = engines;
    return r;
}

/* The checks before anything is decided, in the design's order. */
static int admit(struct ates_actor *self, struct ates_request_message *request, struct incoming *in,
                 struct ates_refusal *refusal)
{
    const unsigned count = ates_request_frame_count(request);
    const char *key = ates_request_key(request);

    if (key != NULL && !ates_allow_has(self->allowed, key)) {
        return ates_refusal_set(refusal, ATES_UNAUTHENTICATED, "KEY_REVOKED", NULL,
                                "the CURVE key of this connection is allowed no longer");
    }
    if (count != 4) {
        return ates_refusal_set(refusal, ATES_INVALID_ARGUMENT, "FRAMES_INVALID", NULL,
                                "a command is four frames, got %u", count);
    }
    const struct ates_bytes version = ates_request_frame(request, 0);
    const struct ates_bytes name = ates_request_frame(request, 1);
    const struct ates_bytes body = ates_request_frame(request, 3);
    if (version.size != strlen(ATES_PROTOCOL) ||
        memcmp(version.data, ATES_PROTOCOL, version.size) != 0) {
        return ates_refusal_set(refusal, ATES_UNIMPLEMENTED, "VERSION_UNSUPPORTED", NULL,
                                "this service speaks " ATES_PROTOCOL);
    }
    in->route = find_route(self, name);
    if (in->route == NULL) {
        self->unknown_commands++;
        return ates_refusal_set(refusal, ATES_UNIMPLEMENTED, "COMMAND_UNKNOWN", NULL,
                                "the service %s has no such command", self->name);
    }
    in->name = (struct ates_text){(const char *)name.data, name.size};
    in->body_bytes = body;
    int r = decode_meta(self, ates_request_frame(request, 2), in, refusal);
    if (r != 0) {
        return r;
    }
    const struct ates_message *message = in->route->command->body;
    in->body = ates_arena_alloc(self->arena, message->size);
    r = ates_message_decode(message, body.data, body.size, ATES_UNKNOWN_REFUSED, self->arena,
                            in->body, refusal);
    if (r == 0) {
        r = authenticate(self, in, refusal);
    }
    if (r == 0) {
        r = ates_access_authorise(in->route->command, in->body, &in->caller, refusal);
    }
    return r;
}

/* One more reply of the batch, whose line in the journal names the request's trace. Lines that a
 * stranger could have written at will would hide the others. */
static struct actor_reply *add_reply(struct ates_actor *self, struct ates_request_message *request,
                                     const struct incoming *in)
{
    struct actor_reply *reply = actor_add_reply(self, request, in->route);

    ates_trace_id(in->trace, reply->trace);
    reply->is_sampled = in->caller.signed_in && ates_trace_is_sampled(in->trace);
    reply->user_id = in->caller.id;
    if (in->meta.has_client) {
        snprintf(reply->client, sizeof reply->client, "%.*s", (int)in->meta.client.size,
                 in->meta.client.data);
    } else {
        snprintf(reply->client, sizeof reply->client, "%s", ates_request_address(request));
    }
    return reply;
}

static void reply_refusal(struct ates_actor *self, struct ates_request_message *request,
                          const struct incoming *in, const struct ates_refusal *refusal)
{
    struct actor_reply *reply = add_reply(self, request, in);

    actor_put_meta(self, reply, ates_engine_head(self->engine)->seq, false, in->meta.request_id);
    actor_put_refusal(self, reply, refusal);
}

static void reply_fault(struct ates_actor *self, struct ates_request_message *request,
                        const struct incoming *in)
{
    struct ates_refusal refusal;

    ates_refusal_set(&refusal, ATES_INTERNAL, "INTERNAL", NULL,
                     "the service could not do this; its log tells why");
    refusal.retry_after_ms = 0;
    reply_refusal(self, request, in, &refusal);
}

/* A stream that stopped at an event goes on behind it. */
static void resume(struct ates_actor *self, const struct ates_retry_event *body)
{
    for (size_t i = 0; i < self->follower_count; i++) {
        if (ates_text_equal(ates_text_from(ates_follower_producer(self->followers[i])),
                            body->producer)) {
            ates_follower_resume(self->followers[i]);
        }
    }
}

static void execute(struct ates_actor *self, struct ates_request_message *request,
                    struct incoming *in, const void *work_result)
{
    uint8_t fingerprint[ATES_FINGERPRINT_SIZE];
    struct ates_outcome outcome;
    struct ates_refusal refusal = {.status = ATES_OK};
    const struct ates_execution execution = {
        .handler = in->route->handler,
        .command = in->route->command,
        .body = in->body,
        .caller = in->caller,
        .request_id = in->meta.request_id,
        .fingerprint = fingerprint,
        .traceparent = in->trace,
        .work_result = work_result,
    };

    if (in->meta.request_id.size > 0) {
        ates_request_fingerprint(self->fingerprint_key, sizeof self->fingerprint_key, in->name,
                                 in->body_bytes, fingerprint);
    }
    if (work_result == NULL && actor_is_under_way(self, request, &execution, &refusal)) {
        if (refusal.status != ATES_OK) {
            reply_refusal(self, request, in, &refusal);
        }
        return;
    }
    if (in->route->command->waits && self->waiter_count + self->reply_count >= ACTOR_WAITERS_MAX) {
        ates_refusal_set(&refusal, ATES_RESOURCE_EXHAUSTED, "WAITERS_FULL", NULL,
                         "too many wait for this service's jobs");
        refusal.retry_after_ms = BUSY_RETRY_MS;
        reply_refusal(self, request, in, &refusal);
        return;
    }
    ates_engine_execute(self->engine, &execution, &outcome);
    if (outcome.status == ATES_DEFERRED) {
        const int64_t expires_us = in->meta.has_timeout_ms
                                       ? request->received_us + (int64_t)in->meta.timeout_ms * 1000
                                       : 0;

        if (actor_defer(self, request, &execution, &outcome, expires_us, &refusal) != 0) {
            reply_refusal(self, request, in, &refusal);
        }
        return;
    }
    if (outcome.status == ATES_OK && outcome.reply.size > ATES_FRAME_MAX) {
        /* The client's socket would take no such frame, and close on it. */
        outcome.status =
            ates_refusal_set(&outcome.refusal, ATES_RESOURCE_EXHAUSTED, "REPLY_TOO_LARGE", NULL,
                             "the reply does not fit a frame: ask for fewer items");
    }
    if (in->route->has_secret && in->caller.id == 0) {
        in->caller.id = outcome.subject; /* for the audit: whose password it was */
    }
    if (outcome.status != ATES_OK) {
        reply_refusal(self, request, in, &outcome.refusal);
        return;
    }
    if (execution.handler == &ates_retry_handler && !outcome.replayed) {
        resume(self, in->body);
    }
    struct actor_reply *reply = add_reply(self, request, in);
    reply->status = ATES_OK;
    reply->job = outcome.job;
    actor_put_meta(self, reply, outcome.seq, outcome.replayed, in->meta.request_id);
    actor_put_body(self, reply, outcome.reply);
}

static void answer_common(struct ates_actor *self, struct ates_request_message *request,
                          const struct incoming *in)
{
    struct ates_refusal refusal = {.status = ATES_OK};

    self->scratch.size = 0;
    int r = in->route->answer(self, in->body, &self->scratch, &refusal);
    if (r < 0) {
        reply_fault(self, request, in);
    } else if (r > 0) {
        reply_refusal(self, request, in, &refusal);
    } else {
        struct actor_reply *reply = add_reply(self, request, in);

        reply->status = ATES_OK;
        actor_put_meta(self, reply, ates_engine_head(self->engine)->seq, false,
                       in->meta.request_id);
        actor_put_body(self, reply, (struct ates_bytes){self->scratch.data, self->scratch.size});
    }
}

void actor_refuse_peer(struct ates_actor *self, struct ates_request_message *request)
{
    const struct incoming unseen = {.route = NULL};
    struct ates_refusal refusal;

    if (request->route == 0) {
        return;
    }
    ates_refusal_set(&refusal, ATES_RESOURCE_EXHAUSTED, "TOO_MANY_IN_FLIGHT", NULL,
                     "you have %u requests waiting already", ATES_INTAKE_PEER_MAX);
    refusal.retry_after_ms = BUSY_RETRY_MS;
    reply_refusal(self, request, &unseen, &refusal);
}

void actor_dispatch(struct ates_actor *self, struct ates_request_message *request,
                    const void *work_result)
{
    struct incoming in = {.route = NULL};
    struct ates_refusal refusal = {.status = ATES_OK};
    const struct ates_text nobody = {.size = 0};

    if (request->route == 0) {
        ates_request_release(request);
        return; /* as REP does: there is no way back to whoever sent this */
    }
    ates_arena_reset(self->arena);
    int r = admit(self, request, &in, &refusal);
    if (r == 0) {
        if (in.route->has_secret) {
            in.caller.origin = /* guesses are counted by it */
                ates_request_origin(request, in.meta.has_client ? in.meta.client : nobody);
        }
        if (in.route->answer != NULL) {
            answer_common(self, request, &in);
        } else {
            execute(self, request, &in, work_result);
        }
    } else if (r > 0) {
        reply_refusal(self, request, &in, &refusal);
    } else {
        reply_fault(self, request, &in);
    }
    if (in.route != NULL && in.route->has_secret) {
        ates_request_wipe(request); /* nothing decoded is used any more */
    }
    ates_request_release(request);
}
