/* From what a call emitted to one record of the batch: sealed, applied, answered, kept. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine_private.h"

void *engine_grow(void *items, size_t count, size_t *capacity, size_t item_size)
{
    if (count < *capacity) {
        return items;
    }
    const size_t larger = *capacity == 0 ? 64 : *capacity * 2;
    void *grown = realloc(items, larger * item_size);

    if (grown == NULL) {
        abort(); /* as the arena does: sizes are bounded by what was received */
    }
    *capacity = larger;
    return grown;
}

static void begin_batch(struct ates_engine *self)
{
    self->committed = false;
    self->records.size = self->envelopes.size = self->replies.size = 0;
    self->record_count = self->event_count = self->job_count = 0;
    self->closed = false;
    self->full =
        ates_engine_used_permille(self) >= ENGINE_FULL_PERMILLE || !ates_engine_has_room(self);
    engine_trim(&self->records);
    engine_trim(&self->envelopes);
    engine_trim(&self->replies);
}

void engine_call_begin(struct ates_engine *self)
{
    if (self->committed) {
        begin_batch(self);
    }
    ates_arena_reset(self->arena);
    self->staged_count = 0;
    self->emit_fault = 0;
    self->stage.size = self->reply.size = 0;
    self->job = self->job_done = 0;
    self->work = NULL;
    self->has_settled = self->has_followed = false;
}

int64_t engine_time(const struct ates_engine *self)
{
    const int64_t now = ates_now_ms(&self->source);

    /* Time in a log never goes back, whatever the machine's clock does. */
    return now > self->head.time ? now : self->head.time;
}

struct ates_call engine_make_call(struct ates_engine *self)
{
    return (struct ates_call){
        .txn = &self->txn,
        .arena = self->arena,
        .source = &self->source,
        .config = &self->config,
        .domain = self->domain_memory,
        .time = engine_time(self),
        .engine = self,
    };
}

void engine_name_refusal(struct ates_call *call, int status)
{
    if (call->refusal.reason[0] == '\0') {
        ates_refuse(call, (enum ates_status)status, ates_status_name((enum ates_status)status));
    }
}

/* Makes the envelope of a staged event and chains it to the head. */
static void seal(struct ates_engine *self, const struct staged_event *staged,
                 const struct ates_call *call, struct ates_log_head *head)
{
    char event_id[ATES_UUID_SIZE];
    const size_t offset = self->envelopes.size;

    ates_uuid7(&self->source, call->time, event_id);
    head->seq++;
    const struct ates_envelope envelope = {
        .event_id = {event_id, sizeof event_id - 1},
        .event_name = ates_text_from(staged->type->data->name),
        .event_version = staged->type->version,
        .event_time = call->time,
        .producer = ates_text_from(self->domain->service->name),
        .log_id = ates_text_from(ates_log_id(self->log)),
        .seq = head->seq,
        .prev = {head->hash, sizeof head->hash},
        .has_cause = call->cause.has_command || call->cause.has_producer || call->cause.has_user_id,
        .cause = call->cause,
        .data = {self->stage.data + staged->offset, staged->size},
    };
    ates_message_encode(&ates_envelope_message, &envelope, &self->envelopes);
    const size_t size = self->envelopes.size - offset;
    ates_envelope_hash(self->envelopes.data + offset, size, head->hash);
    self->batch_events = engine_grow(self->batch_events, self->event_count, &self->event_capacity,
                                     sizeof *self->batch_events);
    self->batch_events[self->event_count++] = (struct batch_event){staged->type, {offset, size}};
}

/* Puts the staged events into record, in the order in which a replay applies them: the published
 * ones, then the private ones. */
static void fill_record(struct ates_engine *self, const struct ates_call *call,
                        struct ates_record *record, struct ates_log_head *head)
{
    struct ates_bytes *events =
        ates_arena_alloc(self->arena, (self->staged_count + 1) * sizeof *events);
    struct ates_private_event *privates =
        ates_arena_alloc(self->arena, (self->staged_count + 1) * sizeof *privates);

    for (size_t i = 0; i < self->staged_count; i++) {
        const struct staged_event *staged = &self->staged[i];

        if (staged->type->is_private) {
            privates[record->privates.count++] = (struct ates_private_event){
                .name = ates_text_from(staged->type->data->name),
                .version = staged->type->version,
                .data = {self->stage.data + staged->offset, staged->size},
            };
        } else {
            seal(self, staged, call, head);
            record->events.count++;
        }
    }
    for (size_t i = 0; i < record->events.count; i++) {
        const struct slice bytes =
            self->batch_events[self->event_count - record->events.count + i].bytes;

        events[i] = (struct ates_bytes){self->envelopes.data + bytes.offset, bytes.size};
    }
    record->events.items = events;
    record->privates.items = privates;
    record->number = ++head->number;
    record->time = head->time = call->time;
    record->head = (struct ates_bytes){head->hash, sizeof head->hash};
}

static int apply(struct ates_engine *self, const struct ates_call *call,
                 const struct ates_record *record)
{
    const uint64_t user_id = record->has_user_id ? record->user_id : 0;
    uint64_t seq = record->first_seq;
    int r = 0;

    for (int privates = 0; privates <= 1; privates++) {
        for (size_t i = 0; r == 0 && i < self->staged_count; i++) {
            const struct staged_event *staged = &self->staged[i];

            if (staged->type->is_private == (privates == 1)) {
                const struct ates_event event = {
                    .name = staged->type->data->name,
                    .seq = privates ? 0 : seq++,
                    .time = call->time,
                    .user_id = privates                  ? user_id
                               : call->cause.has_user_id ? call->cause.user_id
                                                         : 0,
                };

                r = engine_fold_event(
                    self, staged->type, &event,
                    (struct ates_bytes){self->stage.data + staged->offset, staged->size});
            }
        }
    }
    return r == 0 ? engine_fold_core(self, record) : r;
}

static void keep_record(struct ates_engine *self, const struct ates_record *record,
                        const struct ates_log_head *head)
{
    const size_t offset = self->records.size;

    ates_record_encode(record, &self->records);
    self->batch_records = engine_grow(self->batch_records, self->record_count,
                                      &self->record_capacity, sizeof *self->batch_records);
    self->batch_records[self->record_count++] = (struct batch_record){
        record->number, record->first_seq, {offset, self->records.size - offset}};
    self->head = *head;
}

/* After an applier's fault the state is half changed: what the batch holds so far goes to the log,
 * and the state is made anew from there. The batch takes no more, so that it is committed or lost as one. */
static int undo(struct ates_engine *self, size_t event_count, size_t envelopes_size, int fault)
{
    self->event_count = event_count;
    self->envelopes.size = envelopes_size;
    self->full |= fault == -ENOSPC;
    self->sound = false;
    self->closed = true;
    int r = engine_append(self);
    if (r == 0) {
        r = engine_restore(self);
    }
    self->lost = r;
    return r != 0 ? r : fault;
}

int engine_stage(struct ates_engine *self, struct ates_call *call, struct ates_record *record,
                 const struct ates_execution *execution)
{
    const size_t event_count = self->event_count, envelopes_size = self->envelopes.size;
    struct ates_log_head head = self->head;

    record->first_seq = head.seq + 1;
    fill_record(self, call, record, &head);
    int r = apply(self, call, record);
    if (r == 0 && execution != NULL && execution->handler->answer != NULL && !record->has_job) {
        void *result = ates_arena_alloc(self->arena, execution->command->result->size);

        r = execution->handler->answer(call, execution->body, result);
        if (r > 0) {
            r = -EUCLEAN; /* what the handler allowed must be answerable */
        }
        if (r == 0) {
            ates_message_encode(execution->command->result, result, &self->reply);
        }
    }
    if (r != 0) {
        return undo(self, event_count, envelopes_size, r);
    }
    if (record->has_reply) {
        record->reply = (struct ates_bytes){self->reply.data, self->reply.size};
    }
    keep_record(self, record, &head);
    return 0;
}
