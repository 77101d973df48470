/* The draw, and drawing open tasks again; see tasks_reassign.h. */
#include "tasks/tasks_reassign.h"

#include <assert.h>
#include <errno.h>

#include "core/users.h"
#include "tasks/tasks_state.h"

/* Tasks drawn in one step, after which other commands have their turn: some milliseconds. */
#define CHUNK_TASKS 250u
#define PENDING_MAX 16u
#define PENDING_RETRY_MS 1000u

int tasks_draw(struct ates_call *call, uint64_t *user_id)
{
    uint64_t eligible;
    int r = tasks_state_get_counter(call->txn, TASKS_ELIGIBLE, &eligible);

    if (r != 0) {
        return r;
    }
    if (eligible == 0) {
        return ates_refuse(call, ATES_FAILED_PRECONDITION, "NO_ASSIGNEES");
    }
    r = tasks_state_get_eligible(call->txn, ates_random_uniform(call->source, eligible), user_id);
    return r == ATES_NOT_FOUND ? -EUCLEAN : r;
}

bool tasks_may_be_drawn(const struct ates_user_changed *user)
{
    return !user->disabled && user->role != ATES_ADMINISTRATOR && user->role != ATES_MANAGER &&
           user->role != ATES_INTERNALSERVICE;
}

/* What would be drawn again now. */
int tasks_answer_reassign_tasks(struct ates_call *call, const void *body, void *out)
{
    struct tasks_reassign_tasks_result *result = out;

    (void)body;
    return tasks_state_get_counter(call->txn, TASKS_OPEN_COUNT, &result->reassigned);
}

/* Refuses: FAILED_PRECONDITION / NO_ASSIGNEES; RESOURCE_EXHAUSTED / REASSIGNMENTS_PENDING. */
int tasks_handle_reassign_tasks(struct ates_call *call, const void *body)
{
    const struct tasks_reassign_tasks *command = body;
    uint64_t eligible, last_task, last_id;
    size_t pending;

    if (command->dry_run) {
        return 0;
    }
    int r = tasks_state_get_counter(call->txn, TASKS_ELIGIBLE, &eligible);
    if (r == 0 && eligible == 0) {
        return ates_refuse(call, ATES_FAILED_PRECONDITION, "NO_ASSIGNEES");
    }
    if (r == 0) {
        r = tasks_state_count_reassignments(call->txn, PENDING_MAX, &pending);
    }
    if (r == 0 && pending == PENDING_MAX) {
        return ates_refuse_busy(call, "REASSIGNMENTS_PENDING", PENDING_RETRY_MS);
    }
    if (r == 0) {
        r = tasks_state_get_counter(call->txn, TASKS_LAST_TASK, &last_task);
    }
    if (r == 0) {
        r = tasks_state_get_counter(call->txn, TASKS_LAST_REASSIGNMENT, &last_id);
    }
    if (r != 0) {
        return r;
    }
    const struct tasks_reassignment_started started = {
        .reassignment_id = last_id + 1,
        .requested_by = call->user.id,
        .up_to_task_id = last_task,
    };
    ates_reply_later(call, started.reassignment_id);
    r = ates_emit(call, &tasks_reassignment_started_message, &started);
    if (r == 0 && (call->cause.has_request_id || call->cause.has_traceparent)) {
        const struct tasks_reassignment_requested requested = {
            .reassignment_id = started.reassignment_id,
            .has_request_id = call->cause.has_request_id,
            .request_id = call->cause.request_id,
            .has_traceparent = call->cause.has_traceparent,
            .traceparent = call->cause.traceparent,
        };

        r = ates_emit(call, &tasks_reassignment_requested_message, &requested);
    }
    return r;
}

static struct ates_cause cause_of(const struct tasks_reassignment *job)
{
    if (job->has_cause_seq) {
        return (struct ates_cause){
            .has_producer = true,
            .producer = ates_text_from("auth"),
            .has_seq = true,
            .seq = job->cause_seq,
        };
    }
    return (struct ates_cause){
        .has_command = true,
        .command = ates_text_from("tasks.reassign_tasks"),
        .has_request_id = job->has_request_id,
        .request_id = job->request_id,
        .has_traceparent = job->has_traceparent,
        .traceparent = job->traceparent,
        .has_user_id = true,
        .user_id = job->requested_by,
    };
}

/* The open tasks that the job draws next, at most a chunk; *last tells whether none are left after
 * them. */
static int next_chunk(struct ates_txn *txn, const struct tasks_reassignment *job,
                      uint64_t ids[CHUNK_TASKS], size_t *count, bool *last)
{
    const struct ates_key prefix = job->has_from_user_id
                                       ? tasks_state_assignee_prefix(job->from_user_id, false)
                                       : tasks_state_status_prefix(false);
    const unsigned table = job->has_from_user_id ? TASKS_TABLE_BY_ASSIGNEE : TASKS_TABLE_BY_STATUS;
    struct ates_key from = prefix;
    struct ates_bytes key, value;
    struct ates_scan scan;
    size_t found = 0;

    ates_key_add_u64(&from, job->next_task_id);
    int r = ates_scan_open(&scan, txn, table, &prefix, &from);
    if (r != 0) {
        return r;
    }
    while ((r = ates_scan_next(&scan, &key, &value)) == 0) {
        const uint64_t id = ates_u64_from(key.data + prefix.size);

        if (id > job->up_to_task_id || found == CHUNK_TASKS) {
            r = id > job->up_to_task_id ? ATES_NOT_FOUND : 0;
            break;
        }
        ids[found++] = id;
    }
    ates_scan_close(&scan);
    if (r >= 0) {
        *count = found;
        *last = r == ATES_NOT_FOUND;
    }
    return r < 0 ? r : 0;
}

static int draw_again(struct ates_call *call, const struct tasks_reassignment *job,
                      uint64_t task_id)
{
    struct tasks_task task;
    struct tasks_task_assigned assigned = {.task_id = task_id, .reassignment_id = job->id};
    int r = tasks_state_get_task(call->txn, task_id, &task);

    if (r == 0) {
        r = tasks_draw(call, &assigned.assigned_to);
    }
    if (r == 0) {
        assigned.from_user_id = task.assigned_to;
        r = ates_emit(call, &tasks_task_assigned_message, &assigned);
    }
    return r;
}

static int finish(struct ates_call *call, const struct tasks_reassignment *job, uint64_t count)
{
    const struct tasks_reassign_tasks_result result = {.reassigned = count};

    if (job->has_from_user_id) {
        const struct tasks_redraw_finished redrawn = {.reassignment_id = job->id};

        return ates_emit(call, &tasks_redraw_finished_message, &redrawn);
    }
    const struct tasks_reassignment_finished finished = {.reassignment_id = job->id,
                                                         .count = count};
    ates_finish(call, job->id, &tasks_reassign_tasks_result_message, &result);
    return ates_emit(call, &tasks_reassignment_finished_message, &finished);
}

/* A chunk of the oldest job. With nobody eligible any more, what is left stays where it is. */
int tasks_step(struct ates_call *call, bool *more)
{
    struct tasks_reassignment job;
    uint64_t ids[CHUNK_TASKS], eligible;
    size_t count = 0;
    bool last = true;
    int r = tasks_state_first_reassignment(call->txn, &job);

    *more = r == 0;
    if (r != 0) {
        return r == ATES_NOT_FOUND ? 0 : r;
    }
    call->cause = cause_of(&job);
    r = tasks_state_get_counter(call->txn, TASKS_ELIGIBLE, &eligible);
    if (r == 0 && eligible > 0) {
        r = next_chunk(call->txn, &job, ids, &count, &last);
    }
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = draw_again(call, &job, ids[i]);
    }
    return r == 0 && last ? finish(call, &job, job.count + count) : r;
}

static int has_open_tasks(struct ates_txn *txn, uint64_t user_id, bool *has)
{
    const struct ates_key prefix = tasks_state_assignee_prefix(user_id, false);
    struct ates_bytes key, value;
    struct ates_scan scan;
    int r = ates_scan_open(&scan, txn, TASKS_TABLE_BY_ASSIGNEE, &prefix, NULL);

    if (r != 0) {
        return r;
    }
    r = ates_scan_next(&scan, &key, &value);
    ates_scan_close(&scan);
    if (r >= 0) {
        *has = r == 0;
    }
    return r < 0 ? r : 0;
}

static int request_redraw(struct ates_call *call, uint64_t user_id, uint64_t cause_seq)
{
    struct tasks_redraw_requested requested = {.user_id = user_id, .cause_seq = cause_seq};
    uint64_t last_id;
    int r = tasks_state_get_counter(call->txn, TASKS_LAST_TASK, &requested.up_to_task_id);

    if (r == 0) {
        r = tasks_state_get_counter(call->txn, TASKS_LAST_REASSIGNMENT, &last_id);
    }
    if (r != 0) {
        return r;
    }
    requested.reassignment_id = last_id + 1;
    ates_wake(call);
    return ates_emit(call, &tasks_redraw_requested_message, &requested);
}

int tasks_follow_user_changed(struct ates_call *call, const struct ates_event *event,
                              const void *data)
{
    const struct ates_user_changed *user = data;
    bool was_eligible, has = false;
    int r = ates_users_follow_changed(call, event, user);

    if (r == 0) {
        r = tasks_state_is_eligible(call->txn, user->user_id, &was_eligible);
    }
    if (r == 0 && was_eligible && !tasks_may_be_drawn(user)) {
        r = has_open_tasks(call->txn, user->user_id, &has);
    }
    return r == 0 && has ? request_redraw(call, user->user_id, event->seq) : r;
}

int tasks_follow_user_registered(struct ates_call *call, const struct ates_event *event,
                                 const void *data)
{
    const struct ates_user_changed user = ates_user_from_registered(data);

    return tasks_follow_user_changed(call, event, &user);
}

int tasks_apply_user_known(struct ates_txn *txn, const struct ates_event *event, const void *data)
{
    const struct ates_user_changed *user = data;

    (void)event;
    return tasks_state_set_eligible(txn, user->user_id, tasks_may_be_drawn(user));
}

static int add_job(struct ates_txn *txn, const struct tasks_reassignment *job)
{
    int r = tasks_state_put_counter(txn, TASKS_LAST_REASSIGNMENT, job->id);

    return r == 0 ? tasks_state_put_reassignment(txn, job) : r;
}

int tasks_apply_reassignment_started(struct ates_txn *txn, const struct ates_event *event,
                                     const void *data)
{
    const struct tasks_reassignment_started *started = data;
    const struct tasks_reassignment job = {
        .id = started->reassignment_id,
        .requested_by = started->requested_by,
        .next_task_id = 1,
        .up_to_task_id = started->up_to_task_id,
    };

    (void)event;
    return add_job(txn, &job);
}

int tasks_apply_reassignment_requested(struct ates_txn *txn, const struct ates_event *event,
                                       const void *data)
{
    const struct tasks_reassignment_requested *requested = data;
    struct tasks_reassignment job;

    (void)event;
    int r = tasks_state_get_reassignment(txn, requested->reassignment_id, &job);
    if (r != 0) {
        return r;
    }
    job.has_request_id = requested->has_request_id;
    job.request_id = requested->request_id;
    job.has_traceparent = requested->has_traceparent;
    job.traceparent = requested->traceparent;
    return tasks_state_put_reassignment(txn, &job);
}

int tasks_apply_redraw_requested(struct ates_txn *txn, const struct ates_event *event,
                                 const void *data)
{
    const struct tasks_redraw_requested *requested = data;
    const struct tasks_reassignment job = {
        .id = requested->reassignment_id,
        .has_from_user_id = true,
        .from_user_id = requested->user_id,
        .has_cause_seq = true,
        .cause_seq = requested->cause_seq,
        .next_task_id = 1,
        .up_to_task_id = requested->up_to_task_id,
    };

    (void)event;
    return add_job(txn, &job);
}

static int advance(struct ates_txn *txn, uint64_t id, uint64_t task_id)
{
    struct tasks_reassignment job;
    int r = tasks_state_get_reassignment(txn, id, &job);

    if (r != 0) {
        return r;
    }
    job.next_task_id = task_id + 1;
    job.count++;
    return tasks_state_put_reassignment(txn, &job);
}

int tasks_apply_task_assigned(struct ates_txn *txn, const struct ates_event *event,
                              const void *data)
{
    const struct tasks_task_assigned *assigned = data;
    struct tasks_task before, task;

    int r = tasks_state_get_task(txn, assigned->task_id, &before);
    if (r != 0) {
        return r;
    }
    assert(!before.is_finished && before.assigned_to == assigned->from_user_id);
    task = before;
    task.assigned_to = assigned->assigned_to;
    r = tasks_state_change_task(txn, &before, &task);
    if (r == 0) {
        const struct tasks_log_entry entry = {
            .id = event->seq,
            .task_id = task.id,
            .timestamp = event->time,
            .type = TASKS_LOG_ASSIGN,
            .actor_id = event->user_id,
            .has_from_user_id = true,
            .from_user_id = assigned->from_user_id,
            .has_to_user_id = true,
            .to_user_id = assigned->assigned_to,
            .has_description = event->user_id == 0,
            .description = ates_text_from("the assignee stopped being eligible"),
        };

        r = tasks_state_put_log(txn, &entry);
    }
    return r == 0 ? advance(txn, assigned->reassignment_id, task.id) : r;
}

int tasks_apply_reassignment_finished(struct ates_txn *txn, const struct ates_event *event,
                                      const void *data)
{
    const struct tasks_reassignment_finished *finished = data;

    (void)event;
    return tasks_state_delete_reassignment(txn, finished->reassignment_id);
}

int tasks_apply_redraw_finished(struct ates_txn *txn, const struct ates_event *event,
                                const void *data)
{
    const struct tasks_redraw_finished *finished = data;

    (void)event;
    return tasks_state_delete_reassignment(txn, finished->reassignment_id);
}
