/* The backfill of task_created.v2; see tasks_backfill.h. */
#include "tasks/tasks_backfill.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "tasks/tasks_state.h"

int tasks_apply_backfill_started(struct ates_txn *txn, const struct ates_event *event,
                                 const void *data)
{
    const struct tasks_backfill_started *started = data;

    (void)event;
    return tasks_state_put_counter(txn, TASKS_BACKFILL_UP_TO, started->up_to_task_id);
}

/* Version 2 also comes with version 1, of tasks that are beyond the backfill. */
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

int tasks_backfill_check(struct ates_txn *txn, char *error, size_t error_size)
{
    uint64_t last, told, up_to, done;
    int r = tasks_state_get_counter(txn, TASKS_LAST_TASK, &last);

    if (r == 0) {
        r = tasks_state_get_counter(txn, TASKS_TOLD_BY_V1, &told);
    }
    if (r == 0) {
        r = tasks_state_get_counter(txn, TASKS_BACKFILL_UP_TO, &up_to);
    }
    if (r == 0) {
        r = tasks_state_get_counter(txn, TASKS_BACKFILLED, &done);
    }
    if (r == 0 && (told > last || up_to > told || done > up_to)) {
        snprintf(error, error_size,
                 "%" PRIu64 " tasks, %" PRIu64 " told of by version 1, of these %" PRIu64
                 " to be told of again, %" PRIu64 " done: that cannot be",
                 last, told, up_to, done);
        r = -EBADMSG;
    }
    return r;
}
