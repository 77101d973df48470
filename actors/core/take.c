/* What an engine does unasked: takes in followed events, goes on with jobs. */
#include <errno.h>
#include <string.h>

#include "core/catalogue.h"
#include "core/engine_private.h"
#include "core/follower.h"
#include "core/trace.h"

const struct ates_follow *engine_find_follow(const struct ates_follow *follows, size_t count,
                                             struct ates_text producer, struct ates_text name,
                                             uint64_t version)
{
    for (size_t i = 0; i < count; i++) {
        const struct ates_follow *follow = &follows[i];

        if (follow->version == version &&
            ates_text_equal(ates_text_from(follow->producer), producer) &&
            ates_text_equal(ates_text_from(follow->event->name), name)) {
            return follow;
        }
    }
    return NULL;
}

struct ates_followed engine_followed(struct ates_text producer,
                                     const struct ates_position *position)
{
    return (struct ates_followed){
        .producer = producer,
        .log_id = ates_text_from(position->log_id),
        .seq = position->seq,
        .hash = {position->hash, sizeof position->hash},
    };
}

static bool is_dead_already(struct ates_engine *self, const struct ates_envelope *envelope)
{
    const struct ates_key key = engine_dead_key(envelope->producer, envelope->seq);
    struct ates_bytes row;

    return ates_get(&self->txn, ATES_TABLE_DEAD_LETTERS, &key, &row) == 0;
}

static int bury(struct ates_engine *self, struct ates_call *call,
                const struct ates_envelope *envelope, struct ates_bytes bytes,
                const struct ates_position *position)
{
    struct ates_record record = {
        .has_followed = !self->domain->stops_at_dead,
        .followed = engine_followed(envelope->producer, position),
        .has_dead = true,
        .dead =
            {
                .producer = envelope->producer,
                .seq = envelope->seq,
                .event_name = envelope->event_name,
                .reason = ates_text_from(call->refusal.reason),
                .message = ates_text_from(call->refusal.message),
                .envelope = bytes,
            },
    };

    self->staged_count = 0;
    self->stage.size = 0;
    if (self->domain->stops_at_dead && is_dead_already(self, envelope)) {
        return ATES_FAILED_PRECONDITION;
    }
    char trace[ATES_TRACE_ID_SIZE];
    const bool is_traced =
        call->cause.has_traceparent && ates_trace_id(call->cause.traceparent, trace);
    char producer[64];
    snprintf(producer, sizeof producer, "%.*s", (int)envelope->producer.size,
             envelope->producer.data);
    const struct ates_log_field fields[] = {{"producer", producer, 0},
                                            {"reason", call->refusal.reason, 0},
                                            {"seq", NULL, (int64_t)envelope->seq},
                                            {is_traced ? "trace" : NULL, trace, 0},
                                            {NULL, NULL, 0}};
    ates_say(ATES_SAY_DEAD_LETTER, self->domain->service->name, fields,
             "a followed event cannot be applied: a dead letter%s",
             self->domain->stops_at_dead ? "; this stream stops" : "");
    int r = engine_stage(self, call, &record, NULL);
    return r == 0 && self->domain->stops_at_dead ? ATES_FAILED_PRECONDITION : r;
}

/* What an effect is caused by; it belongs to the same trace. */
static struct ates_cause cause_from(const struct ates_envelope *envelope)
{
    return (struct ates_cause){
        .has_producer = true,
        .producer = envelope->producer,
        .has_seq = true,
        .seq = envelope->seq,
        .has_traceparent = envelope->has_cause && envelope->cause.has_traceparent &&
                           ates_trace_is_valid(envelope->cause.traceparent),
        .traceparent = envelope->cause.traceparent,
    };
}

/* A trace that somebody records is told of wherever its effects arrive. */
static void tell_taken(const struct ates_engine *self, const struct ates_envelope *envelope,
                       const struct ates_cause *cause)
{
    char trace[ATES_TRACE_ID_SIZE];

    if (cause->has_traceparent && ates_trace_is_sampled(cause->traceparent) &&
        ates_trace_id(cause->traceparent, trace)) {
        const struct ates_log_field fields[] = {
            {"seq", NULL, (int64_t)envelope->seq}, {"trace", trace, 0}, {NULL, NULL, 0}};

        ates_journal(ATES_INFO, self->domain->service->name, fields, "%.*s.%.*s is taken in",
                     (int)envelope->producer.size, envelope->producer.data,
                     (int)envelope->event_name.size, envelope->event_name.data);
    }
}

int engine_decide_followed(struct ates_engine *self, const struct ates_follow *follow,
                           struct ates_call *call, const struct ates_envelope *envelope)
{
    const struct ates_event event = {
        .name = follow->event->name,
        .seq = envelope->seq,
        .time = envelope->event_time,
        .user_id = envelope->has_cause && envelope->cause.has_user_id ? envelope->cause.user_id : 0,
    };
    void *data = ates_arena_alloc(self->arena, follow->event->size);

    call->cause = cause_from(envelope);
    int r = ates_message_decode(follow->event, envelope->data.data, envelope->data.size,
                                ATES_UNKNOWN_IGNORED, self->arena, data, &call->refusal);
    if (r == 0) {
        r = follow->handle(call, &event, data);
    }
    return r == 0 ? self->emit_fault : r;
}

int ates_engine_follow(struct ates_engine *self, const struct ates_envelope *envelope,
                       struct ates_bytes bytes, const struct ates_position *position,
                       struct ates_refusal *refusal)
{
    const struct ates_follow *follow =
        engine_find_follow(self->domain->follows, self->domain->follow_count, envelope->producer,
                           envelope->event_name, envelope->event_version);

    if (follow == NULL || self->lost != 0) {
        return self->lost;
    }
    engine_call_begin(self);
    if (self->full) {
        return -ENOSPC;
    }
    struct ates_call call = engine_make_call(self);
    int r = engine_decide_followed(self, follow, &call, envelope);
    if (r > 0) {
        engine_name_refusal(&call, r);
        r = bury(self, &call, envelope, bytes, position);
        *refusal = call.refusal;
        return r;
    }
    if (r == 0) {
        struct ates_record record = {.has_followed = true,
                                     .followed = engine_followed(envelope->producer, position)};

        /* The one at which the stream stopped is applied after all. */
        record.has_settled = self->domain->stops_at_dead && is_dead_already(self, envelope);
        record.settled = (struct ates_settled){envelope->producer, envelope->seq};
        r = engine_stage(self, &call, &record, NULL);
        if (r == 0) {
            tell_taken(self, envelope, &call.cause);
        }
        self->steps = true; /* a job may have waited for it */
    }
    return r;
}

int ates_engine_follow_position(struct ates_engine *self, const char *producer,
                                const struct ates_position *position)
{
    struct ates_record record = {.has_followed = true,
                                 .followed = engine_followed(ates_text_from(producer), position)};

    if (self->lost != 0) {
        return self->lost;
    }
    engine_call_begin(self);
    struct ates_call call = engine_make_call(self);
    self->steps = true;
    return engine_stage(self, &call, &record, NULL);
}

static int sink_position(void *context, const char *producer, struct ates_position *position)
{
    return ates_engine_position(context, producer, position);
}

/* An event of no interest leaves no record, so its position is yet to be written down. */
static int sink_take(void *context, const struct ates_envelope *envelope, struct ates_bytes bytes,
                     const struct ates_position *position, bool *settled,
                     struct ates_refusal *refusal)
{
    struct ates_engine *self = context;
    const uint64_t records = self->head.number;
    int r = ates_engine_follow(self, envelope, bytes, position, refusal);

    *settled = self->head.number != records;
    return r;
}

static int sink_settle(void *context, const char *producer, const struct ates_position *position)
{
    return ates_engine_follow_position(context, producer, position);
}

static int sink_take_snapshot(void *context, const char *producer,
                              const struct ates_read_snapshot_result *page,
                              struct ates_refusal *refusal)
{
    return ates_engine_follow_snapshot(context, producer, page, refusal);
}

struct ates_follower_sink ates_engine_sink(struct ates_engine *self)
{
    return (struct ates_follower_sink){
        .context = self,
        .service = self->domain->service->name,
        .position = sink_position,
        .take = sink_take,
        .settle = sink_settle,
        .take_snapshot = sink_take_snapshot,
    };
}

bool ates_engine_has_steps(const struct ates_engine *self)
{
    return self->domain->step != NULL &&
           (self->steps || ates_engine_has_ended(self) || ates_engine_wakes_in(self) == 0);
}

int64_t ates_engine_wakes_in(const struct ates_engine *self)
{
    const int64_t now = self->wake_at != 0 ? engine_time(self) : 0;

    return self->wake_at == 0 ? INT64_MAX : now >= self->wake_at ? 0 : self->wake_at - now;
}

/* What has ended comes first; else the domain's own step, which says anew when to wake it. */
static int run_step(struct ates_engine *self, struct ates_call *call,
                    const struct ates_begun *ended, bool *more)
{
    if (ended != NULL) {
        *more = true;
        return self->domain->ended(call, ended->work, ended->id, ended->output);
    }
    self->steps = false;
    self->wake_at = 0;
    return self->domain->step(call, more);
}

static int stage_step(struct ates_engine *self, struct ates_call *call)
{
    if (self->staged_count == 0 && self->job_done == 0) {
        return 0;
    }
    struct ates_record record = {
        .has_user_id = call->cause.has_user_id,
        .user_id = call->cause.user_id,
        .has_job_done = self->job_done != 0,
        .job_done = self->job_done,
        .has_reply = self->job_done != 0,
    };
    if (record.has_reply) {
        ates_buffer_append(&self->reply, self->stage.data + self->job_reply.offset,
                           self->job_reply.size);
    }
    int r = engine_stage(self, call, &record, NULL);
    if (r == 0 && record.has_job_done) {
        self->batch_jobs = engine_grow(self->batch_jobs, self->job_count, &self->job_capacity,
                                       sizeof *self->batch_jobs);
        self->batch_jobs[self->job_count++] = (struct batch_job){
            record.job_done, self->head.seq, {self->replies.size, self->reply.size}};
        ates_buffer_append(&self->replies, self->reply.data, self->reply.size);
    }
    return r;
}

int ates_engine_step(struct ates_engine *self, bool *more)
{
    *more = false;
    if (self->lost != 0) {
        return self->lost;
    }
    engine_call_begin(self);
    if (self->full) {
        return -ENOSPC;
    }
    struct ates_begun *ended = engine_next_ended(self);
    struct ates_call call = engine_make_call(self);
    int r = run_step(self, &call, ended, more);
    r = r == 0 ? self->emit_fault : r;
    if (r == 0) {
        r = stage_step(self, &call);
    }
    if (r == 0 && ended != NULL) {
        ended->state = ATES_BEGUN_TOLD;
    }
    engine_settle_call(self, r == 0);
    self->steps |= *more || r != 0;
    return r > 0 ? -EUCLEAN : r;
}
