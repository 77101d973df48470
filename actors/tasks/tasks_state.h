/* The tables of the tasks service: key layout, get, put.
 *
 *  tasks           task id                         struct tasks_task
 *  by_status       is_finished (1 byte), task id   nothing
 *  by_assignee     user id, is_finished, task id   nothing
 *  logs            task id, entry id               struct tasks_log_entry; its id is its event's seq
 *  words           as in core/search.h             nothing (of jira_id, name and description)
 *  eligible        slot (0, 1, 2 ... no gaps)      user id
 *  eligible_slots  user id                         slot
 *  counters        enum tasks_counter (1 byte)     number
 *  reassignments   reassignment id                 struct tasks_reassignment, until it is done
 *
 * Invariants: task ids are 1, 2, 3 ... without gaps, no task is ever deleted, and none is older
 * than the one before it; every task has exactly one row in by_status and one in by_assignee, which
 * say what its own row says. */
#ifndef TASKS_STATE_H
#define TASKS_STATE_H

#include <ates/tasks.h>

#include "core/domain.h"

enum tasks_table {
    TASKS_TABLE_TASKS = ATES_TABLE_DOMAIN,
    TASKS_TABLE_BY_STATUS,
    TASKS_TABLE_BY_ASSIGNEE,
    TASKS_TABLE_LOGS,
    TASKS_TABLE_WORDS,
    TASKS_TABLE_ELIGIBLE,
    TASKS_TABLE_ELIGIBLE_SLOTS,
    TASKS_TABLE_COUNTERS,
    TASKS_TABLE_REASSIGNMENTS
};
extern const char *const tasks_state_tables[];

/* Of the rows' form; see state_version in core/domain.h. 1: with the count of open tasks; 2: with the
 * counters of the backfill. */
#define TASKS_STATE_VERSION 2u

enum tasks_counter {
    TASKS_LAST_TASK,         /* its id */
    TASKS_LAST_REASSIGNMENT, /* its id */
    TASKS_ELIGIBLE,          /* how many users */
    TASKS_OPEN_COUNT,        /* how many tasks */
    TASKS_TOLD_BY_V1,        /* the last task that task_created.v1 told of */
    TASKS_BACKFILL_UP_TO,    /* the last task to be told of again; 0: no backfill began */
    TASKS_BACKFILLED         /* the last task that was */
};
int tasks_state_get_counter(struct ates_txn *txn, enum tasks_counter counter, uint64_t *value);
int tasks_state_put_counter(struct ates_txn *txn, enum tasks_counter counter, uint64_t value);

/* Tasks. Put a new one with add; a changed one with change, which takes the row as it was; one whose
 * words changed, the name or the jira_id, with rename. */
int tasks_state_get_task(struct ates_txn *txn, uint64_t task_id, struct tasks_task *task);
int tasks_state_add_task(struct ates_txn *txn, const struct tasks_task *task);
int tasks_state_change_task(struct ates_txn *txn, const struct tasks_task *before,
                            const struct tasks_task *task);
int tasks_state_rename_task(struct ates_txn *txn, const struct tasks_task *before,
                            const struct tasks_task *task);
struct ates_words tasks_state_words(const struct tasks_task *task, struct ates_arena *arena);

/* The prefix of the index rows of the open or the finished tasks: of everybody, or of one user. An
 * index row's key is this prefix and the task's id. */
struct ates_key tasks_state_status_prefix(bool is_finished);
struct ates_key tasks_state_assignee_prefix(uint64_t user_id, bool is_finished);

/* The id of the first task created at this time or later; last id + 1 where there is none. */
int tasks_state_first_since(struct ates_txn *txn, int64_t time, uint64_t *task_id);

/* Log entries of a task. */
int tasks_state_put_log(struct ates_txn *txn, const struct tasks_log_entry *entry);
/* Fills page with up to limit entries, in order those with ids >= from_id, or, the newest first,
 * those with ids < from_id, and tells whether more follow. */
int tasks_state_get_logs(struct ates_txn *txn, uint64_t task_id, uint64_t from_id,
                         bool newest_first, size_t limit, struct ates_list *page, bool *more);

/* The users who may be drawn, each in a slot. */
int tasks_state_get_eligible(struct ates_txn *txn, uint64_t slot, uint64_t *user_id);
int tasks_state_is_eligible(struct ates_txn *txn, uint64_t user_id, bool *eligible);
int tasks_state_set_eligible(struct ates_txn *txn, uint64_t user_id, bool eligible);

/* Tasks that are being drawn again, chunk by chunk: all open ones, or those of one user who stopped
 * being eligible. */
struct tasks_reassignment {
    uint64_t id;
    uint64_t requested_by; /* 0: nobody, a user stopped being eligible */
    bool has_request_id;   /* of the command that asked */
    struct ates_text request_id;
    bool has_traceparent;
    struct ates_text traceparent;
    bool has_from_user_id; /* only this user's tasks */
    uint64_t from_user_id;
    bool has_cause_seq; /* of auth's event that made the user ineligible */
    uint64_t cause_seq;
    uint64_t next_task_id, up_to_task_id; /* what is left, both included */
    uint64_t count;                       /* tasks drawn so far */
};
/* The pending one with the smallest id; ATES_NOT_FOUND where there is none. */
int tasks_state_first_reassignment(struct ates_txn *txn, struct tasks_reassignment *reassignment);
int tasks_state_get_reassignment(struct ates_txn *txn, uint64_t id,
                                 struct tasks_reassignment *reassignment);
int tasks_state_put_reassignment(struct ates_txn *txn,
                                 const struct tasks_reassignment *reassignment);
/* How many are pending, counted up to most. */
int tasks_state_count_reassignments(struct ates_txn *txn, size_t most, size_t *count);
int tasks_state_delete_reassignment(struct ates_txn *txn, uint64_t id);

#endif
