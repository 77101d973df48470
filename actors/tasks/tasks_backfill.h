/* Telling of tasks again, by task_created.v2, that only version 1 told of when they were created: for
 * those who follow version 2 since then (docs/evolution.md). What was told again is known by the
 * log alone, so that a restart goes on where it was. */
#ifndef TASKS_BACKFILL_H
#define TASKS_BACKFILL_H

#include <ates/tasks.h>

#include "core/domain.h"

int tasks_apply_backfill_started(struct ates_txn *txn, const struct ates_event *event,
                                 const void *data);

/* A job's step: begins the backfill where version 1 told of tasks and none was begun, and tells of a
 * chunk of them. */
int tasks_backfill_step(struct ates_call *call, bool *more);

/* How many tasks are yet to be told of again. */
int tasks_backfill_left(struct ates_txn *txn, uint64_t *count);

/* Notes, as a part of version 2's applier, that it told of this task, which was known already. */
int tasks_backfill_note(struct ates_txn *txn, uint64_t task_id);

/* The rows of form 1 had no such counters: all of its tasks were told of by version 1. */
int tasks_backfill_upgrade(struct ates_txn *txn, uint64_t from_version);

/* Whether the counters agree; as a domain's check. */
int tasks_backfill_check(struct ates_txn *txn, char *error, size_t error_size);

#endif
