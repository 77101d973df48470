/* Commands executed by the program itself, without sockets: the first administrator, and tests. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine_private.h"

static const struct ates_handler *find_handler(const struct ates_domain *domain,
                                               const char *command)
{
    for (size_t i = 0; i < domain->handler_count; i++) {
        if (strcmp(domain->handlers[i].command, command) == 0) {
            return &domain->handlers[i];
        }
    }
    return NULL;
}

static void run_deferred(struct ates_engine *engine, struct ates_execution *execution,
                         struct ates_outcome *outcome)
{
    static const atomic_bool never = false;
    const struct ates_work *work = outcome->work;
    void *input = malloc(work->input_size);
    void *output = calloc(1, work->output_size);

    if (input == NULL || output == NULL) {
        abort();
    }
    memcpy(input, outcome->work_input, work->input_size);
    work->run(input, output, &never);
    execution->work_result = output;
    ates_engine_execute(engine, execution, outcome);
    explicit_bzero(input, work->input_size);
    explicit_bzero(output, work->output_size);
    free(input);
    free(output);
}

/* Runs the domain's jobs to their ends; the reply of the job that is waited for goes to reply. */
static int finish_jobs(struct ates_engine *engine, uint64_t job, struct ates_buffer *reply)
{
    bool more = true;
    int r = 0;

    while (r == 0 && more) {
        r = ates_engine_step(engine, &more);
        if (r == 0) {
            r = ates_engine_commit(engine);
        }
        for (size_t i = 0; r == 0 && i < ates_engine_finished_jobs(engine); i++) {
            const struct ates_finished_job done = ates_engine_finished_job(engine, i);

            if (done.job == job) {
                reply->size = 0;
                ates_buffer_append(reply, done.reply.data, done.reply.size);
            }
        }
    }
    return r;
}

int ates_engine_invoke(struct ates_engine *engine, const struct ates_caller *caller,
                       const char *command, const void *body, struct ates_arena *arena,
                       void *result, struct ates_refusal *refusal)
{
    const struct ates_domain *domain = ates_engine_domain(engine);
    struct ates_outcome outcome;
    struct ates_buffer reply = {0};
    struct ates_execution execution = {
        .handler = find_handler(domain, command),
        .command = ates_service_command(domain->service, command, strlen(command)),
        .body = body,
        .caller = *caller,
    };

    if (execution.handler == NULL || execution.command == NULL) {
        return ates_refusal_set(refusal, ATES_UNIMPLEMENTED, "COMMAND_UNKNOWN", NULL, "%s",
                                command);
    }
    int r = ates_message_check(execution.command->body, body, refusal);
    if (r != 0) {
        return r;
    }
    ates_engine_execute(engine, &execution, &outcome);
    if (outcome.status == ATES_DEFERRED) {
        run_deferred(engine, &execution, &outcome);
    }
    if (outcome.status == ATES_OK) {
        ates_buffer_append(&reply, outcome.reply.data, outcome.reply.size);
    } else if (refusal != NULL) {
        *refusal = outcome.refusal;
    }
    r = ates_engine_commit(engine);
    if (r == 0 && outcome.status == ATES_OK && outcome.job != 0) {
        r = finish_jobs(engine, outcome.job, &reply);
    }
    if (r == 0 && outcome.status == ATES_OK && result != NULL) {
        const void *copy = ates_arena_copy(arena, reply.data, reply.size);

        r = ates_message_decode(execution.command->result, copy, reply.size, ATES_UNKNOWN_IGNORED,
                                arena, result, refusal);
    }
    ates_buffer_release(&reply);
    return r != 0 ? r : outcome.status;
}
