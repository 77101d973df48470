/* The tasks domain: what its commands decide and answer, what its events change. Invariant:
 * everything that happens to a task is in its log, in the order of the service's events. */
#include "tasks/tasks.h"

#include <assert.h>
#include <errno.h>

#include "core/page.h"
#include "core/users.h"
#include "tasks/tasks_backfill.h"
#include "tasks/tasks_check.h"
#include "tasks/tasks_list.h"
#include "tasks/tasks_reassign.h"
#include "tasks/tasks_state.h"

/* Refuses: PERMISSION_DENIED / ROLE_NOT_ALLOWED; FAILED_PRECONDITION / NO_ASSIGNEES. */
static int handle_create_task(struct ates_call *call, const void *body)
{
    const struct tasks_create_task *command = body;
    uint64_t last_id, assigned_to;

    if (call->user.id == 0) {
        /* A service's own token is no user's, and a task has a creator. */
        return ates_refuse(call, ATES_PERMISSION_DENIED, "ROLE_NOT_ALLOWED");
    }
    int r = tasks_draw(call, &assigned_to);
    if (r == 0) {
        r = tasks_state_get_counter(call->txn, TASKS_LAST_TASK, &last_id);
    }
    if (r != 0) {
        return r;
    }
    const struct tasks_task_created_v2 event = {
        .task_id = last_id + 1,
        .has_jira_id = command->has_jira_id,
        .jira_id = command->jira_id,
        .title = command->name,
        .description = command->description,
        .assigned_to = assigned_to,
        .created_by = call->user.id,
    };
    call->subject = event.task_id;
    return ates_emit(call, &tasks_task_created_v2_message, &event);
}

/* The task that the command created or completed. */
static int answer_task(struct ates_call *call, const void *body, void *result)
{
    struct tasks_task_result *shown = result;

    (void)body;
    return tasks_state_get_task(call->txn, call->subject, &shown->task);
}

/* Refuses: NOT_FOUND / TASK_UNKNOWN. */
static int find_task(struct ates_call *call, uint64_t task_id, struct tasks_task *task)
{
    int r = tasks_state_get_task(call->txn, task_id, task);

    return r == ATES_NOT_FOUND ? ates_refuse(call, ATES_NOT_FOUND, "TASK_UNKNOWN") : r;
}

/* Refuses: NOT_FOUND / TASK_UNKNOWN; PERMISSION_DENIED / NOT_ASSIGNEE; FAILED_PRECONDITION /
 * ALREADY_FINISHED. */
static int handle_complete_task(struct ates_call *call, const void *body)
{
    const struct tasks_complete_task *command = body;
    struct tasks_task task;

    int r = find_task(call, command->task_id, &task);
    if (r != 0) {
        return r;
    }
    if (task.assigned_to != call->user.id) {
        return ates_refuse(call, ATES_PERMISSION_DENIED, "NOT_ASSIGNEE");
    }
    if (task.is_finished) {
        return ates_refuse(call, ATES_FAILED_PRECONDITION, "ALREADY_FINISHED");
    }
    const struct tasks_task_completed event = {.task_id = task.id, .completed_by = call->user.id};
    call->subject = task.id;
    return ates_emit(call, &tasks_task_completed_message, &event);
}

/* The task, for those who may see it. Refuses: NOT_FOUND / TASK_UNKNOWN; PERMISSION_DENIED /
 * NOT_YOUR_TASK. */
static int find_visible_task(struct ates_call *call, uint64_t task_id, struct tasks_task *task)
{
    int r = find_task(call, task_id, task);

    if (r == 0 && task->assigned_to != call->user.id && task->created_by != call->user.id &&
        call->user.role != ATES_ADMINISTRATOR && call->user.role != ATES_MANAGER) {
        return ates_refuse(call, ATES_PERMISSION_DENIED, "NOT_YOUR_TASK");
    }
    return r;
}

/* Refuses: as find_visible_task. */
static int answer_show_task(struct ates_call *call, const void *body, void *result)
{
    const struct tasks_show_task *asked = body;
    struct tasks_task_result *shown = result;

    return find_visible_task(call, asked->task_id, &shown->task);
}

/* Refuses: as find_visible_task; INVALID_ARGUMENT / FIELD_INVALID. */
static int answer_show_task_log(struct ates_call *call, const void *body, void *result)
{
    const struct tasks_show_task_log *asked = body;
    struct tasks_show_task_log_result *shown = result;
    struct tasks_task task;
    uint64_t from_id;

    int r = find_visible_task(call, asked->task_id, &task);
    if (r == 0) {
        r = ates_page_begin(call, asked->has_after, asked->after, asked->newest_first, &from_id);
    }
    if (r == 0) {
        r = tasks_state_get_logs(call->txn, task.id, from_id, asked->newest_first,
                                 asked->has_limit ? asked->limit : ATES_PAGE_LIMIT, &shown->items,
                                 &shown->has_next);
    }
    if (r == 0 && shown->has_next) {
        const struct tasks_log_entry *entries = shown->items.items;

        shown->next = ates_page_next(call->arena, entries[shown->items.count - 1].id);
    }
    return r;
}

static int add_task(struct ates_txn *txn, const struct ates_event *event,
                    const struct tasks_task *task)
{
    const struct tasks_log_entry entry = {
        .id = event->seq,
        .task_id = task->id,
        .timestamp = event->time,
        .type = TASKS_LOG_CREATE,
        .actor_id = task->created_by,
        .has_to_user_id = true,
        .to_user_id = task->assigned_to,
    };

    int r = tasks_state_put_counter(txn, TASKS_LAST_TASK, task->id);
    if (r == 0) {
        r = tasks_state_add_task(txn, task);
    }
    return r == 0 ? tasks_state_put_log(txn, &entry) : r;
}

/* Version 1 is emitted no more; in the logs that have it, it is read for ever. */
static int apply_task_created(struct ates_txn *txn, const struct ates_event *event,
                              const void *data)
{
    const struct tasks_task_created *created = data;
    const struct tasks_task task = {
        .id = created->task_id,
        .name = created->name,
        .description = created->description,
        .assigned_to = created->assigned_to,
        .created_by = created->created_by,
        .created_at = event->time,
    };

    int r = tasks_state_put_counter(txn, TASKS_TOLD_BY_V1, task.id);
    return r == 0 ? add_task(txn, event, &task) : r;
}

/* Of a task that version 1 told of, with it or long ago: its name is taken apart. */
static int retell_task(struct ates_txn *txn, const struct tasks_task_created_v2 *created,
                       const struct tasks_task *before)
{
    struct tasks_task task = *before;

    task.name = created->title;
    task.has_jira_id = created->has_jira_id;
    task.jira_id = created->jira_id;
    const bool is_same = ates_text_equal(before->name, task.name) &&
                         before->has_jira_id == task.has_jira_id &&
                         ates_text_equal(before->jira_id, task.jira_id);
    int r = is_same ? 0 : tasks_state_rename_task(txn, before, &task);
    return r == 0 ? tasks_backfill_note(txn, task.id) : r;
}

static int apply_task_created_v2(struct ates_txn *txn, const struct ates_event *event,
                                 const void *data)
{
    const struct tasks_task_created_v2 *created = data;
    struct tasks_task task;

    int r = tasks_state_get_task(txn, created->task_id, &task);
    if (r != ATES_NOT_FOUND) {
        return r == 0 ? retell_task(txn, created, &task) : r;
    }
    task = (struct tasks_task){
        .id = created->task_id,
        .name = created->title,
        .description = created->description,
        .assigned_to = created->assigned_to,
        .created_by = created->created_by,
        .created_at = event->time,
        .has_jira_id = created->has_jira_id,
        .jira_id = created->jira_id,
    };
    return add_task(txn, event, &task);
}

/* The handler read this task in this transaction, so it must be there. */
static int apply_task_completed(struct ates_txn *txn, const struct ates_event *event,
                                const void *data)
{
    const struct tasks_task_completed *completed = data;
    struct tasks_task before, task;

    int r = tasks_state_get_task(txn, completed->task_id, &before);
    if (r != 0) {
        return r;
    }
    assert(!before.is_finished);
    task = before;
    task.is_finished = true;
    task.has_finished_at = true;
    task.finished_at = event->time;
    r = tasks_state_change_task(txn, &before, &task);
    if (r != 0) {
        return r;
    }
    const struct tasks_log_entry entry = {
        .id = event->seq,
        .task_id = task.id,
        .timestamp = event->time,
        .type = TASKS_LOG_COMPLETE,
        .actor_id = completed->completed_by,
    };
    return tasks_state_put_log(txn, &entry);
}

static const struct ates_handler handlers[] = {
    {"create_task", handle_create_task, answer_task},
    {"reassign_tasks", tasks_handle_reassign_tasks, tasks_answer_reassign_tasks},
    {"complete_task", handle_complete_task, answer_task},
    {"show_my_assigned_tasks", NULL, tasks_answer_show_my_assigned_tasks},
    {"show_all_assigned_tasks", NULL, tasks_answer_show_all_assigned_tasks},
    {"show_task", NULL, answer_show_task},
    {"show_task_log", NULL, answer_show_task_log},
};

static const struct ates_applier appliers[] = {
    {&tasks_task_created_message, apply_task_created},
    {&tasks_task_created_v2_message, apply_task_created_v2},
    {&tasks_backfill_started_message, tasks_apply_backfill_started},
    {&tasks_task_assigned_message, tasks_apply_task_assigned},
    {&tasks_task_completed_message, apply_task_completed},
    {&tasks_reassignment_started_message, tasks_apply_reassignment_started},
    {&tasks_reassignment_finished_message, tasks_apply_reassignment_finished},
    {&tasks_reassignment_requested_message, tasks_apply_reassignment_requested},
    {&tasks_redraw_requested_message, tasks_apply_redraw_requested},
    {&tasks_redraw_finished_message, tasks_apply_redraw_finished},
    {&ates_user_known_message, tasks_apply_user_known},
};

static const struct ates_follow follows[] = {
    {"auth", &ates_user_registered_message, 1, tasks_follow_user_registered},
    {"auth", &ates_user_changed_message, 1, tasks_follow_user_changed},
};

/* The backfill waits for reassignments, for which somebody waits. */
static int step(struct ates_call *call, bool *more)
{
    int r = tasks_step(call, more);

    if (r != 0 || *more) {
        return r;
    }
    call->cause = (struct ates_cause){.has_command = false};
    return tasks_backfill_step(call, more);
}

static int measure(struct ates_txn *txn, struct ates_figures *figures)
{
    static const struct ates_figure backfill = {
        "ates_tasks_backfill_left", ATES_GAUGE,
        "Tasks that are yet to be told of again by task_created.v2."};
    static const struct ates_figure open = {"ates_tasks_open", ATES_GAUGE, "Tasks that are open."};
    static const struct ates_figure created = {"ates_tasks_created_total", ATES_COUNTER,
                                               "Tasks that were created."};
    uint64_t open_count, last_task, left;
    int r = tasks_state_get_counter(txn, TASKS_OPEN_COUNT, &open_count);

    if (r == 0) {
        r = tasks_state_get_counter(txn, TASKS_LAST_TASK, &last_task);
    }
    if (r == 0) {
        r = tasks_backfill_left(txn, &left);
    }
    if (r == 0) {
        ates_figures_add(figures, &backfill, (int64_t)left, NULL);
        ates_figures_add(figures, &open, (int64_t)open_count, NULL);
        ates_figures_add(figures, &created, (int64_t)last_task, NULL);
    }
    return r;
}

static const struct ates_follow snapshot_follows[] = {
    {"auth", &ates_user_snapshot_message, 1, tasks_follow_user_changed},
};

static int make_task(struct ates_txn *txn, struct ates_bytes key, struct ates_bytes value,
                     void *memory, void *item)
{
    struct tasks_task_snapshot *snapshot = item;

    (void)key, (void)memory;
    return ates_message_decode(&tasks_task_message, value.data, value.size, ATES_UNKNOWN_IGNORED,
                               txn->arena, &snapshot->task, NULL) == 0
               ? 0
               : -EBADMSG;
}

static const struct ates_snapshot_part snapshot[] = {
    {&tasks_task_snapshot_message, TASKS_TABLE_TASKS, make_task},
};

const struct ates_domain tasks_domain = {
    .service = &tasks_service,
    .tables = tasks_state_tables,
    .handlers = handlers,
    .handler_count = sizeof handlers / sizeof handlers[0],
    .appliers = appliers,
    .applier_count = sizeof appliers / sizeof appliers[0],
    .follows = follows,
    .follow_count = sizeof follows / sizeof follows[0],
    .snapshot_follows = snapshot_follows,
    .snapshot_follow_count = sizeof snapshot_follows / sizeof snapshot_follows[0],
    .snapshot = snapshot,
    .snapshot_count = sizeof snapshot / sizeof snapshot[0],
    .state_version = TASKS_STATE_VERSION,
    .upgrade = tasks_backfill_upgrade,
    .step = step,
    .check = tasks_check,
    .measure = measure,
};
