/* From a request's frames to its reply: decoded by table, authenticated, authorised, executed; the
 * reply waits for the batch's commit. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/access.h"
#include "core/actor_private.h"
#include "core/requests.h"

#define WORKERS_RETRY_MS 1000u

static const struct {
    const char *name;
    int (*answer)(struct ates_actor *, const void *, struct ates_buffer *, struct ates_refusal *);
} common_answers[] = {
    {"health", actor_health},
    {"metrics", actor_metrics},
    {"read_events", actor_read_events},
    {"show_dead_letters", actor_show_dead_letters},
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
        for (size_t j = 0; j < route->command->body->count; j++) {
            route->has_secret |= route->command->body->fields[j].secret;
        }
    }
    for (size_t i = 0; i < sizeof common_answers / sizeof common_answers[0]; i++) {
        struct actor_route *route = &self->routes[self->route_count++];
        const char *name = common_answers[i].name;

        route->command = ates_service_command(&ates_common_service, name, strlen(name));
        route->answer = common_answers[i].answer;
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
    return r;
}

/* The checks before anything is decided, in the design's order. */
static int admit(struct ates_actor *self, struct ates_request_message *request, struct incoming *in,
                 struct ates_refusal *refusal)
{
    const unsigned count = ates_request_frame_count(request);

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
        r = ates_access_authenticate(self->keyring, ates_engine_txn(self->engine), &in->meta,
                                     in->route->command, ates_now_ms(&self->source), &in->claims,
                                     &in->caller, refusal);
    }
    if (r == 0) {
        r = ates_access_authorise(in->route->command, in->body, &in->caller, refusal);
    }
    return r;
}

static struct actor_reply *add_reply(struct ates_actor *self, struct ates_request_message *request,
                                     struct actor_route *route)
{
    if (self->reply_count == self->reply_capacity) {
        self->reply_capacity = self->reply_capacity == 0 ? 256 : self->reply_capacity * 2;
        self->replies = realloc(self->replies, self->reply_capacity * sizeof *self->replies);
        if (self->replies == NULL) {
            abort();
        }
    }
    struct actor_reply *reply = &self->replies[self->reply_count++];
    ates_request_take_route(request, &reply->route);
    reply->command = route;
    reply->received_us = request->received_us;
    reply->job = 0;
    return reply;
}

static void put_meta(struct ates_actor *self, struct actor_reply *reply, uint64_t seq,
                     bool replayed, struct ates_text request_id)
{
    const struct ates_reply_meta meta = {
        .seq = seq,
        .has_replayed = replayed,
        .replayed = replayed,
        .has_request_id = request_id.size > 0,
        .request_id = request_id,
    };

    reply->meta_offset = self->reply_bytes.size;
    ates_message_encode(&ates_reply_meta_message, &meta, &self->reply_bytes);
    reply->meta_size = self->reply_bytes.size - reply->meta_offset;
}

static void put_body(struct ates_actor *self, struct actor_reply *reply, struct ates_bytes body)
{
    reply->body_offset = self->reply_bytes.size;
    reply->body_size = body.size;
    ates_buffer_append(&self->reply_bytes, body.data, body.size);
}

static void put_refusal(struct ates_actor *self, struct actor_reply *reply,
                        const struct ates_refusal *refusal)
{
    const struct ates_refusal_body body = {
        .reason = ates_text_from(refusal->reason),
        .message = ates_text_from(refusal->message),
        .has_field = refusal->field[0] != '\0',
        .field = ates_text_from(refusal->field),
        .has_retry_after_ms = refusal->retry_after_ms != 0,
        .retry_after_ms = refusal->retry_after_ms,
    };

    reply->status = refusal->status;
    reply->body_offset = self->reply_bytes.size;
    ates_message_encode(&ates_refusal_body_message, &body, &self->reply_bytes);
    reply->body_size = self->reply_bytes.size - reply->body_offset;
}

static void reply_refusal(struct ates_actor *self, struct ates_request_message *request,
                          const struct incoming *in, const struct ates_refusal *refusal)
{
    struct actor_reply *reply = add_reply(self, request, in->route);

    put_meta(self, reply, ates_engine_head(self->engine)->seq, false, in->meta.request_id);
    put_refusal(self, reply, refusal);
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

/* Hands the request over to a worker; it comes back through actor_deferred_done. */
static void defer(struct ates_actor *self, struct ates_request_message *request,
                  const struct incoming *in, const struct ates_outcome *outcome)
{
    struct ates_request_message *kept = malloc(sizeof *kept);
    const int64_t expires_us =
        in->meta.has_timeout_ms ? request->received_us + (int64_t)in->meta.timeout_ms * 1000 : 0;
    struct ates_refusal refusal;

    if (kept == NULL) {
        abort();
    }
    if (ates_workers_submit(self->workers, outcome->work, outcome->work_input, expires_us, kept) !=
        0) {
        free(kept);
        ates_refusal_set(&refusal, ATES_RESOURCE_EXHAUSTED, "WORKERS_BUSY", NULL,
                         "too much is waiting for this service's workers");
        refusal.retry_after_ms = WORKERS_RETRY_MS;
        reply_refusal(self, request, in, &refusal);
        return;
    }
    explicit_bzero((void *)outcome->work_input,
                   outcome->work->input_size); /* the worker has its own */
    *kept = *request;                          /* the frames move as they are */
    request->count = 0;
}

static void execute(struct ates_actor *self, struct ates_request_message *request,
                    struct incoming *in, const void *work_result)
{
    uint8_t fingerprint[ATES_FINGERPRINT_SIZE];
    struct ates_outcome outcome;
    const struct ates_execution execution = {
        .handler = in->route->handler,
        .command = in->route->command,
        .body = in->body,
        .caller = in->caller,
        .request_id = in->meta.request_id,
        .fingerprint = fingerprint,
        .work_result = work_result,
    };

    if (in->meta.request_id.size > 0) {
        ates_request_fingerprint(self->fingerprint_key, sizeof self->fingerprint_key, in->name,
                                 in->body_bytes, fingerprint);
    }
    ates_engine_execute(self->engine, &execution, &outcome);
    if (outcome.status == ATES_DEFERRED) {
        defer(self, request, in, &outcome);
        return;
    }
    if (outcome.status == ATES_OK && outcome.reply.size > ATES_FRAME_MAX) {
        /* The client's socket would take no such frame, and close on it. */
        outcome.status =
            ates_refusal_set(&outcome.refusal, ATES_RESOURCE_EXHAUSTED, "REPLY_TOO_LARGE", NULL,
                             "the reply does not fit a frame: ask for fewer items");
    }
    if (outcome.status != ATES_OK) {
        reply_refusal(self, request, in, &outcome.refusal);
        return;
    }
    struct actor_reply *reply = add_reply(self, request, in->route);
    reply->status = ATES_OK;
    reply->job = outcome.job;
    snprintf(reply->request_id, sizeof reply->request_id, "%.*s", (int)in->meta.request_id.size,
             in->meta.request_id.size > 0 ? in->meta.request_id.data : "");
    put_meta(self, reply, outcome.seq, outcome.replayed, in->meta.request_id);
    put_body(self, reply, outcome.reply);
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
        struct actor_reply *reply = add_reply(self, request, in->route);

        reply->status = ATES_OK;
        put_meta(self, reply, ates_engine_head(self->engine)->seq, false, in->meta.request_id);
        put_body(self, reply, (struct ates_bytes){self->scratch.data, self->scratch.size});
    }
}

void actor_dispatch(struct ates_actor *self, struct ates_request_message *request,
                    const void *work_result)
{
    struct incoming in = {.route = NULL};
    struct ates_refusal refusal = {.status = ATES_OK};

    if (request->route == 0) {
        ates_request_release(request);
        return; /* as REP does: there is no way back to whoever sent this */
    }
    ates_arena_reset(self->arena);
    int r = admit(self, request, &in, &refusal);
    if (r == 0) {
        in.caller.origin = ates_request_origin(request);
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
    if (request->count > 0 && in.route != NULL && in.route->has_secret) {
        const struct ates_bytes body = ates_request_frame(request, 3);

        explicit_bzero((void *)body.data, body.size); /* nothing decoded is used any more */
    }
    ates_request_release(request);
}

void actor_deferred_done(struct ates_actor *self, void *owner, const void *output)
{
    struct ates_request_message *request = owner;

    if (output != NULL && !self->stopping) {
        actor_dispatch(self, request, output);
    } else {
        ates_request_release(
            request); /* nobody waits for it any more, or it is unknown to who does */
    }
    free(request);
}

static void keep_waiting(struct ates_actor *self, struct actor_reply *reply)
{
    if (self->waiter_count == ACTOR_WAITERS_MAX) {
        ates_route_release(
            &reply->route); /* unknown to its client: a retry finds the job or its reply */
        return;
    }
    if (self->waiters == NULL) {
        self->waiters = calloc(ACTOR_WAITERS_MAX, sizeof *self->waiters);
        if (self->waiters == NULL) {
            abort();
        }
    }
    self->waiters[self->waiter_count++] = *reply;
}

static void send_reply(struct ates_actor *self, struct actor_reply *reply)
{
    const struct ates_bytes meta = {self->reply_bytes.data + reply->meta_offset, reply->meta_size};
    const struct ates_bytes body = {self->reply_bytes.data + reply->body_offset, reply->body_size};

    if (reply->command != NULL) {
        reply->command->count[reply->status]++;
        reply->command->total_us += (uint64_t)(ates_monotonic_us() - reply->received_us);
    }
    if (!ates_reply_send(self->router, &reply->route, ates_status_name(reply->status), meta,
                         body)) {
        self->undeliverable++;
    }
}

static void answer_waiters(struct ates_actor *self, const struct ates_finished_job *job)
{
    size_t kept = 0;

    for (size_t i = 0; i < self->waiter_count; i++) {
        struct actor_reply *waiter = &self->waiters[i];

        if (waiter->job == job->job) {
            put_meta(self, waiter, job->seq, false, ates_text_from(waiter->request_id));
            put_body(self, waiter, job->reply);
            send_reply(self, waiter);
        } else {
            self->waiters[kept++] = *waiter;
        }
    }
    self->waiter_count = kept;
}

void actor_send_replies(struct ates_actor *self, bool lost)
{
    struct ates_refusal refusal;

    if (lost) {
        ates_refusal_set(&refusal, ATES_RESOURCE_EXHAUSTED, "STORE_FULL", NULL,
                         "the service's store is full");
        refusal.retry_after_ms = 60000;
    }
    for (size_t i = 0; i < self->reply_count; i++) {
        struct actor_reply *reply = &self->replies[i];

        if (lost) {
            put_refusal(self, reply, &refusal);
        }
        if (reply->job != 0 && !lost) {
            keep_waiting(self, reply);
        } else {
            send_reply(self, reply);
        }
    }
    self->reply_count = 0;
    for (size_t i = 0; i < ates_engine_finished_jobs(self->engine); i++) {
        const struct ates_finished_job job = ates_engine_finished_job(self->engine, i);

        answer_waiters(self, &job);
    }
    self->reply_bytes.size = 0;
}

void actor_release_replies(struct ates_actor *self)
{
    for (size_t i = 0; i < self->reply_count; i++) {
        ates_route_release(&self->replies[i].route);
    }
    for (size_t i = 0; i < self->waiter_count; i++) {
        ates_route_release(&self->waiters[i].route);
    }
    self->reply_count = self->waiter_count = 0;
}
