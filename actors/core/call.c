/* What a handler does with its call: emits, refuses, defers, replies later. */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/engine_private.h"
#include "core/journal.h"

/* What breaks its own table would be refused by everybody who follows it, for ever: it must not
 * come into a log. */
static int fault_event(struct ates_engine *self, const struct ates_message *event,
                       const struct ates_refusal *refusal)
{
    const struct ates_log_field fields[] = {{"event", event->name, 0},
                                            {"field", refusal->field, 0},
                                            {"reason", refusal->reason, 0},
                                            {NULL, NULL, 0}};

    ates_journal(ATES_ERROR, self->domain->service->name, fields,
                 "an event is not as its table says, and was not made: %s", refusal->message);
    self->emit_fault = -EBADMSG;
    return self->emit_fault;
}

int ates_emit(struct ates_call *call, const struct ates_message *event, const void *data)
{
    struct ates_engine *self = call->engine;
    struct ates_refusal refusal = {.reason = ""};
    size_t index = 0;

    while (index < self->type_count && self->types[index]->data != event) {
        index++;
    }
    assert(index < self->type_count && "an event that the service's table does not have");
    if (ates_message_check(event, data, &refusal) != 0) {
        return fault_event(self, event, &refusal);
    }
    self->staged =
        engine_grow(self->staged, self->staged_count, &self->staged_capacity, sizeof *self->staged);
    const size_t offset = self->stage.size;
    ates_message_encode(event, data, &self->stage);
    self->staged[self->staged_count++] =
        (struct staged_event){self->types[index], offset, self->stage.size - offset};
    return 0;
}

int ates_refuse(struct ates_call *call, enum ates_status status, const char *reason)
{
    char words[64];
    size_t i = 0;

    for (; reason[i] != '\0' && i < sizeof words - 1; i++) {
        const char c = reason[i];

        words[i] = c == '_' ? ' ' : c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    words[i] = '\0';
    return ates_refusal_set(&call->refusal, status, reason, NULL, "%s", words);
}

int ates_refuse_field(struct ates_call *call, enum ates_status status, const char *reason,
                      const char *field, const char *format, ...)
{
    char message[sizeof call->refusal.message];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return ates_refusal_set(&call->refusal, status, reason, field, "%s", message);
}

int ates_refuse_busy(struct ates_call *call, const char *reason, uint32_t retry_after_ms)
{
    int r = ates_refuse(call, ATES_RESOURCE_EXHAUSTED, reason);

    call->refusal.retry_after_ms = retry_after_ms;
    return r;
}

int ates_defer(struct ates_call *call, const struct ates_work *work, const void *input)
{
    call->engine->work = work;
    call->engine->work_input = ates_arena_copy(call->arena, input, work->input_size);
    return ATES_DEFERRED;
}

void ates_wake(struct ates_call *call)
{
    call->engine->steps = true;
}

void ates_wake_at(struct ates_call *call, int64_t time)
{
    struct ates_engine *self = call->engine;

    assert(time > 0);
    self->wake_at = self->wake_at == 0 || time < self->wake_at ? time : self->wake_at;
}

int ates_followed_seq(struct ates_call *call, const char *producer, uint64_t *seq)
{
    struct ates_position position;
    const int r = ates_engine_position(call->engine, producer, &position);

    if (r == 0) {
        *seq = position.known ? position.seq : 0;
    }
    return r;
}

void ates_reply_later(struct ates_call *call, uint64_t job)
{
    assert(job != 0);
    call->engine->job = job;
    call->engine->steps = true;
}

void ates_finish(struct ates_call *call, uint64_t job, const struct ates_message *message,
                 const void *result)
{
    struct ates_engine *self = call->engine;

    assert(job != 0 && self->job_done == 0);
    self->job_done = job;
    self->job_reply.offset = self->stage.size;
    ates_message_encode(message, result, &self->stage);
    self->job_reply.size = self->stage.size - self->job_reply.offset;
}
