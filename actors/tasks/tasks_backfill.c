/* The backfill of task_created.v2; see tasks_backfill.h. */
#include "tasks/tasks_backfill.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "tasks/tasks_state.h"

/* Of one step, after which other commands have their turn: some milliseconds. */
#define CHUNK_TASKS 100u
#define CHUNK_BYTES (256u * 1024u) /* of titles and descriptions; the last one may go beyond */

int tasks_apply_backfill_started(struct ates_txn *txn, const struct ates_event *event,
                                 const void *data)
{
    const struct tasks_backfill_started *started = data;

    (void)event;
    return tasks_state_put_counter(txn, TASKS_BACKFILL_UP_TO, started->up_to_task_id);
}

/* Older releases published version 2 together with version 1, too: of tasks beyond the backfill. */
int tasks_backfill_note(struct ates_txn *txn, uint64_t task_id)
{
    uint64_t up_to;
    int r = tasks_state_get_counter(txn, TASKS_BACKFILL_UP_TO, &up_to);

    return r == 0 && task_id <= up_to ? tasks_state_put_counter(txn, TASKS_BACKFILLED, task_id) : r;
}

int tasks_backfill_upgrade(struct ates_txn *txn, uint64_t from_version)
{
    uint64_t last;

    if (from_version != 1) {
        return -EINVAL;
    }
    int r = tasks_state_get_counter(txn, TASKS_LAST_TASK, &last);
    return r == 0 ? tasks_state_put_counter(txn, TASKS_TOLD_BY_V1, last) : r;
}

struct progress {
    uint64_t last, told, up_to, done;
};

static int read_progress(struct ates_txn *txn, struct progress *progress)
{
    int r = tasks_state_get_counter(txn, TASKS_LAST_TASK, &progress->last);

    if (r == 0) {
        r = tasks_state_get_counter(txn, TASKS_TOLD_BY_V1, &progress->told);
    }
    if (r == 0) {
        r = tasks_state_get_counter(txn, TASKS_BACKFILL_UP_TO, &progress->up_to);
    }
    return r == 0 ? tasks_state_get_counter(txn, TASKS_BACKFILLED, &progress->done) : r;
}

/* Tasks that version 1 told of after the backfill began are beyond it: version 2 came with it, to
 * followers who knew that. */
static uint64_t left(const struct progress *progress)
{
    return (progress->up_to == 0 ? progress->told : progress->up_to) - progress->done;
}

/* To whom the task went when it was created: its log says so, whoever has it now. */
static int find_first_assignee(struct ates_txn *txn, uint64_t task_id, uint64_t *user_id)
{
    struct ates_list page = {NULL, 0};
    bool more;
    int r = tasks_state_get_logs(txn, task_id, 0, false, 1, &page, &more);

    if (r != 0) {
        return r;
    }
    const struct tasks_log_entry *entry = page.items;
    if (page.count == 0 || entry->type != TASKS_LOG_CREATE || !entry->has_to_user_id) {
        return -EUCLEAN;
    }
    *user_id = entry->to_user_id;
    return 0;
}

static int tell_again(struct ates_call *call, uint64_t task_id, size_t *bytes)
{
    struct tasks_task task;
    struct tasks_task_created_v2 created = {.task_id = task_id};
    int r = tasks_state_get_task(call->txn, task_id, &task);

    if (r == 0) {
        r = find_first_assignee(call->txn, task_id, &created.assigned_to);
    }
    if (r != 0) {
        return r;
    }
    /* One that was published in both versions has been taken apart already. */
    const struct tasks_title title = task.has_jira_id
                                         ? (struct tasks_title){true, task.jira_id, task.name}
                                         : tasks_title_split(task.name, call->arena);
    created.has_jira_id = title.has_jira_id;
    created.jira_id = title.jira_id;
    created.title = title.title;
    created.description = task.description;
    created.created_by = task.created_by;
    *bytes += title.title.size + task.description.size;
    return ates_emit(call, &tasks_task_created_v2_message, &created);
}

int tasks_backfill_step(struct ates_call *call, bool *more)
{
    struct progress progress;
    size_t bytes = 0;
    int r = read_progress(call->txn, &progress);

    *more = r == 0 && left(&progress) > 0;
    if (!*more) {
        return r;
    }
    if (progress.up_to == 0) {
        const struct tasks_backfill_started started = {.up_to_task_id = progress.told};

        return ates_emit(call, &tasks_backfill_started_message, &started);
    }
    const uint64_t end =
        progress.up_to - progress.done > CHUNK_TASKS ? progress.done + CHUNK_TASKS : progress.up_to;
    for (uint64_t id = progress.done + 1; r == 0 && id <= end && bytes < CHUNK_BYTES; id++) {
        r = tell_again(call, id, &bytes);
    }
    return r;
}

int tasks_backfill_left(struct ates_txn *txn, uint64_t *count)
{
    struct progress progress;
    int r = read_progress(txn, &progress);

    if (r == 0) {
        *count = left(&progress);
    }
    return r;
}

int tasks_backfill_check(struct ates_txn *txn, char *error, size_t error_size)
{
    struct progress progress;
    int r = read_progress(txn, &progress);

    if (r == 0 && (progress.told > progress.last || progress.up_to > progress.told ||
                   progress.done > progress.up_to)) {
        snprintf(error, error_size,
                 "%" PRIu64 " tasks, %" PRIu64 " told of by version 1, of these %" PRIu64
                 " to be told of again, %" PRIu64 " done: that cannot be",
                 progress.last, progress.told, progress.up_to, progress.done);
        r = -EBADMSG;
    }
    return r;
}
