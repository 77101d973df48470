/* A command: found among the stored replies, or decided by its domain. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/catalogue.h"
#include "core/engine_private.h"
#include "core/requests.h"
#include "core/trace.h"

static void refuse_fault(struct ates_outcome *outcome, int fault)
{
    if (fault == -ENOSPC) {
        outcome->status = ates_refusal_set(&outcome->refusal, ATES_RESOURCE_EXHAUSTED, "STORE_FULL",
                                           NULL, "the service's store is full");
        outcome->refusal.retry_after_ms = 60000;
    } else {
        outcome->status = ates_refusal_set(&outcome->refusal, ATES_INTERNAL, "INTERNAL", NULL,
                                           "the service could not do this; its log tells why");
    }
}

static void log_fault(const struct ates_engine *self, const struct ates_execution *execution,
                      int fault)
{
    char trace[ATES_TRACE_ID_SIZE];
    const struct ates_log_field fields[] = {
        {"command", execution->command->name, 0},
        {"error", strerror(-fault), 0},
        {ates_trace_id(execution->traceparent, trace) ? "trace" : NULL, trace, 0},
        {NULL, NULL, 0},
    };

    /* A full store is the loop's to tell, once. */
    if (fault != -ENOSPC) {
        ates_say(ATES_SAY_COMMAND_FAILED, self->domain->service->name, fields, "a command failed");
    }
}

/* A query, or a command that changed nothing and need not be remembered. */
static int answer_only(struct ates_engine *self, struct ates_call *call,
                       const struct ates_execution *execution)
{
    void *result = ates_arena_alloc(self->arena, execution->command->result->size);
    int r = execution->handler->answer != NULL && self->job == 0
                ? execution->handler->answer(call, execution->body, result)
                : 0;

    if (r == 0) {
        ates_message_encode(execution->command->result, result, &self->reply);
    }
    return r;
}

static int find_request(struct ates_engine *self, const struct ates_execution *execution,
                        int64_t time, struct ates_outcome *outcome)
{
    struct ates_request_row row;
    struct ates_record record;
    int r = ates_requests_get(&self->txn, execution->caller.id, execution->request_id, time, &row);

    if (r != 0) {
        return r == ATES_NOT_FOUND ? 0 : r;
    }
    if (memcmp(row.fingerprint, execution->fingerprint, sizeof row.fingerprint) != 0) {
        outcome->status =
            ates_refusal_set(&outcome->refusal, ATES_FAILED_PRECONDITION, "REQUEST_ID_REUSED", NULL,
                             "this request_id was used with another command or body");
        return 1;
    }
    outcome->replayed = true;
    if (row.job != 0) {
        outcome->job = row.job;
        return 1;
    }
    r = engine_read_record(self, row.first_seq, row.number, &record);
    if (r != 0 || !record.has_reply) {
        return r < 0 ? r : -EUCLEAN;
    }
    outcome->reply = record.reply;
    outcome->seq = ates_record_last_seq(&record);
    return 1;
}

static void set_cause(struct ates_call *call, struct ates_engine *self,
                      const struct ates_execution *execution)
{
    char *name = ates_arena_alloc(self->arena, 128);
    const int size =
        snprintf(name, 128, "%s.%s", self->domain->service->name, execution->command->name);

    call->cause = (struct ates_cause){
        .has_command = true,
        .command = {name, (size_t)size},
        .has_request_id = execution->request_id.size > 0,
        .request_id = execution->request_id,
        .has_user_id = execution->caller.id != 0,
        .user_id = execution->caller.id,
        .has_traceparent = execution->traceparent.size > 0,
        .traceparent = execution->traceparent,
    };
}

static struct ates_record command_record(const struct ates_execution *execution, uint64_t job)
{
    struct ates_record record = {
        .has_user_id = execution->caller.id != 0,
        .user_id = execution->caller.id,
        .has_command = true,
        .command = ates_text_from(execution->command->name),
        .has_request_id = execution->request_id.size > 0,
        .request_id = execution->request_id,
        .has_job = job != 0,
        .job = job,
    };

    if (record.has_request_id) {
        record.has_fingerprint = true;
        record.fingerprint = (struct ates_bytes){execution->fingerprint, ATES_FINGERPRINT_SIZE};
        record.has_reply = job == 0;
    }
    return record;
}

static int execute(struct ates_engine *self, const struct ates_execution *execution,
                   struct ates_call *call)
{
    const struct ates_handler *handler = execution->handler;
    int r = 0;

    if (handler->decide == NULL) {
        return answer_only(self, call, execution);
    }
    if (self->full) {
        return -ENOSPC;
    }
    set_cause(call, self, execution);
    r = handler->decide(call, execution->body);
    r = r == 0 ? self->emit_fault : r;
    if (r != 0) {
        return r;
    }
    if (self->staged_count == 0 && execution->request_id.size == 0 && !self->has_settled) {
        return answer_only(self, call, execution);
    }
    struct ates_record record = command_record(execution, self->job);
    record.has_settled = self->has_settled;
    record.settled = self->settled;
    record.has_followed = self->has_followed;
    record.followed = engine_followed(self->followed_producer, &self->followed);
    if (record.has_reply && handler->answer == NULL) {
        const struct ates_empty nothing = {0};

        ates_message_encode(&ates_empty_message, &nothing, &self->reply);
    }
    return engine_stage(self, call, &record, execution);
}

void ates_engine_execute(struct ates_engine *self, const struct ates_execution *execution,
                         struct ates_outcome *outcome)
{
    *outcome = (struct ates_outcome){.status = ATES_OK};
    if (self->lost != 0) {
        refuse_fault(outcome, self->lost);
        return;
    }
    engine_call_begin(self);
    struct ates_call call = engine_make_call(self);
    call.user = execution->caller;
    call.work_result = execution->work_result;

    int r = 0;
    if (execution->request_id.size > 0) {
        r = find_request(self, execution, call.time, outcome);
    }
    if (r == 0) {
        r = execute(self, execution, &call);
        outcome->job = self->job;
        outcome->reply = (struct ates_bytes){self->reply.data, self->reply.size};
        outcome->seq = self->head.seq;
        if (r == 0 && outcome->job == 0 && self->reply.size == 0) {
            const struct ates_empty nothing = {0};

            ates_message_encode(&ates_empty_message, &nothing, &self->reply);
            outcome->reply = (struct ates_bytes){self->reply.data, self->reply.size};
        }
        outcome->work = self->work;
        outcome->work_input = self->work_input;
        outcome->status = r > 0 ? r : ATES_OK;
        if (r > 0 && r != ATES_DEFERRED) {
            engine_name_refusal(&call, r);
        }
        outcome->refusal = call.refusal;
        outcome->subject = call.subject;
    }
    if (outcome->seq == 0) {
        outcome->seq = self->head.seq;
    }
    if (r < 0) {
        log_fault(self, execution, r);
        refuse_fault(outcome, r);
    }
}
