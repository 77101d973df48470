/* Replies: those of a batch, which wait for its commit, and those that wait for a job's end. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/actor_private.h"
#include "core/journal.h"

/* Room that is kept between batches; what one large batch took more goes back. */
#define REPLY_BYTES_KEPT (4u << 20)

struct actor_reply *actor_add_reply(struct ates_actor *self, struct ates_request_message *request,
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
    reply->trace[0] = '\0';
    reply->is_sampled = false;
    reply->user_id = 0;
    reply->client[0] = reply->reason[0] = '\0';
    return reply;
}

void actor_put_meta(struct ates_actor *self, struct actor_reply *reply, uint64_t seq, bool replayed,
                    struct ates_text request_id)
{
    const struct ates_reply_meta meta = {
        .seq = seq,
        .has_replayed = replayed,
        .replayed = replayed,
        .has_request_id = request_id.size > 0,
        .request_id = request_id,
    };

    if (request_id.data != reply->request_id) {
        snprintf(reply->request_id, sizeof reply->request_id, "%.*s", (int)request_id.size,
                 request_id.size > 0 ? request_id.data : "");
    }
    reply->seq = seq;
    reply->meta_offset = self->reply_bytes.size;
    ates_message_encode(&ates_reply_meta_message, &meta, &self->reply_bytes);
    reply->meta_size = self->reply_bytes.size - reply->meta_offset;
}

void actor_put_body(struct ates_actor *self, struct actor_reply *reply, struct ates_bytes body)
{
    reply->body_offset = self->reply_bytes.size;
    reply->body_size = body.size;
    ates_buffer_append(&self->reply_bytes, body.data, body.size);
}

void actor_put_refusal(struct ates_actor *self, struct actor_reply *reply,
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
    memcpy(reply->reason, refusal->reason, sizeof reply->reason);
    reply->body_offset = self->reply_bytes.size;
    ates_message_encode(&ates_refusal_body_message, &body, &self->reply_bytes);
    reply->body_size = self->reply_bytes.size - reply->body_offset;
}

static void keep_waiting(struct ates_actor *self, struct actor_reply *reply)
{
    /* There is room: a command that replies later was refused where there was none. */
    assert(self->waiter_count < ACTOR_WAITERS_MAX);
    if (self->waiters == NULL) {
        self->waiters = calloc(ACTOR_WAITERS_MAX, sizeof *self->waiters);
        if (self->waiters == NULL) {
            abort();
        }
    }
    self->waiters[self->waiter_count++] = *reply;
}

/* A line a command: for who looks closely, or whose trace is recorded. */
static void tell_reply(const struct ates_actor *self, const struct actor_reply *reply,
                       int64_t took_us)
{
    const enum ates_level level = reply->is_sampled ? ATES_INFO : ATES_DEBUG;
    const char *status = ates_status_name(reply->status);
    const struct ates_log_field fields[] = {
        {"command", reply->command->command->name, 0},
        {"status", status, 0},
        {"seq", NULL, (int64_t)reply->seq},
        {"microseconds", NULL, took_us},
        {reply->trace[0] != '\0' ? "trace" : NULL, reply->trace, 0},
        {NULL, NULL, 0},
    };

    if (ates_journal_enabled(level)) {
        ates_journal(level, self->name, fields, "%s: %s", reply->command->command->name, status);
    }
}

static void audit_reply(struct ates_actor *self, const struct actor_reply *reply)
{
    const struct ates_audit_entry entry = {
        .command = reply->command->command->name,
        .status = reply->status,
        .is_secret = reply->command->has_secret,
        .reason = reply->reason,
        .user_id = reply->user_id,
        .client = reply->client,
        .trace = reply->trace,
    };

    if (ates_audit_concerns(entry.status, entry.is_secret)) {
        ates_audit_tell(&self->audit, self->name, &entry, ates_monotonic_us());
    }
}

static void send_reply(struct ates_actor *self, struct actor_reply *reply)
{
    const struct ates_bytes meta = {self->reply_bytes.data + reply->meta_offset, reply->meta_size};
    const struct ates_bytes body = {self->reply_bytes.data + reply->body_offset, reply->body_size};

    if (reply->command != NULL) {
        const int64_t took_us = ates_monotonic_us() - reply->received_us;

        reply->command->count[reply->status]++;
        ates_histogram_add(&reply->command->took_us, &ates_time_scale, (uint64_t)took_us);
        tell_reply(self, reply, took_us);
        audit_reply(self, reply);
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
            actor_put_meta(self, waiter, job->seq, false, ates_text_from(waiter->request_id));
            actor_put_body(self, waiter, job->reply);
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
            actor_put_meta(self, reply, ates_engine_head(self->engine)->seq, false,
                           ates_text_from(reply->request_id));
            actor_put_refusal(self, reply, &refusal);
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
    if (self->reply_bytes.capacity > REPLY_BYTES_KEPT) {
        ates_buffer_release(&self->reply_bytes);
    }
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
