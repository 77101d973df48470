/* Whether rows agree; see tasks_check.h. */
#include "tasks/tasks_check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/search.h"
#include "core/users.h"
#include "tasks/tasks_backfill.h"
#include "tasks/tasks_reassign.h"
#include "tasks/tasks_state.h"

/* The check in hand. Decoded rows live in an arena that is emptied row by row: there may be
 * millions. */
struct check {
    struct ates_txn *txn;
    struct ates_arena *arena;
    char *error;
    size_t error_size;
    uint64_t tasks, open, words, eligible;
};

/* Looks at one row. */
typedef int look_fn(struct check *check, const struct ates_bytes *key,
                    const struct ates_bytes *row);

__attribute__((format(printf, 2, 3))) static int contradict(struct check *self, const char *format,
                                                            ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(self->error, self->error_size, format, arguments);
    va_end(arguments);
    return -EBADMSG;
}

/* Gives every row of a table to look (NULL: only counts them). */
static int each(struct check *self, unsigned table, look_fn *look, uint64_t *count)
{
    struct ates_bytes key, row;
    struct ates_scan scan;
    int r = ates_scan_open(&scan, self->txn, table, NULL, NULL);

    if (r != 0) {
        return r;
    }
    *count = 0;
    while (r == 0 && (r = ates_scan_next(&scan, &key, &row)) == 0) {
        ates_arena_reset(self->arena);
        ++*count;
        r = look != NULL ? look(self, &key, &row) : 0;
    }
    ates_scan_close(&scan);
    return r == ATES_NOT_FOUND ? 0 : r;
}

static int expect_row(struct check *self, unsigned table, struct ates_key prefix, uint64_t task_id)
{
    struct ates_bytes row;

    ates_key_add_u64(&prefix, task_id);
    int r = ates_get(self->txn, table, &prefix, &row);
    return r == ATES_NOT_FOUND ? contradict(self, "task %" PRIu64 " is not in %s", task_id,
                                            tasks_state_tables[table - ATES_TABLE_DOMAIN])
                               : r;
}

static int expect_words(struct check *self, const struct tasks_task *task)
{
    const struct ates_words words = tasks_state_words(task, self->arena);
    int r = ates_search_has(self->txn, TASKS_TABLE_WORDS, &words, task->id);

    self->words += words.count;
    return r == ATES_NOT_FOUND
               ? contradict(self, "task %" PRIu64 " is not found by its words", task->id)
               : r;
}

static int look_at_task(struct check *self, const struct ates_bytes *key,
                        const struct ates_bytes *row)
{
    struct tasks_task task;

    self->tasks++;
    if (key->size != 8 || ates_u64_from(key->data) != self->tasks ||
        ates_message_decode(&tasks_task_message, row->data, row->size, ATES_UNKNOWN_IGNORED,
                            self->arena, &task, NULL) != 0 ||
        task.id != self->tasks || task.is_finished != task.has_finished_at) {
        return contradict(self, "task %" PRIu64 " is missing or damaged", self->tasks);
    }
    self->open += !task.is_finished;
    int r = expect_row(self, TASKS_TABLE_BY_STATUS, tasks_state_status_prefix(task.is_finished),
                       task.id);
    if (r == 0) {
        r = expect_row(self, TASKS_TABLE_BY_ASSIGNEE,
                       tasks_state_assignee_prefix(task.assigned_to, task.is_finished), task.id);
    }
    return r == 0 ? expect_words(self, &task) : r;
}

static int expect_count(struct check *self, unsigned table, uint64_t expected)
{
    uint64_t count;
    int r = each(self, table, NULL, &count);

    if (r == 0 && count != expected) {
        r = contradict(self, "%s has %" PRIu64 " rows, not %" PRIu64,
                       tasks_state_tables[table - ATES_TABLE_DOMAIN], count, expected);
    }
    return r;
}

static int look_at_user(struct check *self, const struct ates_bytes *key,
                        const struct ates_bytes *row)
{
    struct ates_user_changed user;
    bool eligible;

    if (key->size != 8 ||
        ates_message_decode(&ates_user_changed_message, row->data, row->size, ATES_UNKNOWN_IGNORED,
                            self->arena, &user, NULL) != 0) {
        return contradict(self, "a user's row is damaged");
    }
    int r = tasks_state_is_eligible(self->txn, user.user_id, &eligible);
    if (r == 0 && eligible != tasks_may_be_drawn(&user)) {
        r = contradict(self, "user %" PRIu64 " is %s", user.user_id,
                       eligible ? "eligible, but may not be drawn" : "not eligible");
    }
    self->eligible += eligible;
    return r;
}

/* A slot's user has that slot. */
static int look_at_slot(struct check *self, const struct ates_bytes *key,
                        const struct ates_bytes *row)
{
    uint64_t user_id;

    if (key->size != 8 || row->size != 8) {
        return contradict(self, "an eligible user's row is damaged");
    }
    int r = tasks_state_get_eligible(self->txn, ates_u64_from(row->data), &user_id);
    if (r == ATES_NOT_FOUND || (r == 0 && user_id != ates_u64_from(key->data))) {
        r = contradict(self, "user %" PRIu64 " is not in the slot said", ates_u64_from(key->data));
    }
    return r;
}

static int check_tasks(struct check *self)
{
    uint64_t last, count;
    int r = tasks_state_get_counter(self->txn, TASKS_LAST_TASK, &last);

    if (r == 0) {
        r = each(self, TASKS_TABLE_TASKS, look_at_task, &count);
    }
    if (r == 0 && count != last) {
        r = contradict(self, "there are %" PRIu64 " tasks, not %" PRIu64, count, last);
    }
    if (r == 0) {
        r = tasks_state_get_counter(self->txn, TASKS_OPEN_COUNT, &count);
    }
    if (r == 0 && count != self->open) {
        r = contradict(self, "%" PRIu64 " tasks are open, not %" PRIu64, self->open, count);
    }
    if (r == 0) {
        r = expect_count(self, TASKS_TABLE_BY_STATUS, last);
    }
    if (r == 0) {
        r = expect_count(self, TASKS_TABLE_BY_ASSIGNEE, last);
    }
    return r == 0 ? expect_count(self, TASKS_TABLE_WORDS, self->words) : r;
}

static int check_eligible(struct check *self)
{
    uint64_t count, users;
    int r = tasks_state_get_counter(self->txn, TASKS_ELIGIBLE, &count);

    if (r == 0) {
        r = each(self, ATES_TABLE_USERS, look_at_user, &users);
    }
    if (r == 0 && self->eligible != count) {
        r = contradict(self, "%" PRIu64 " users are eligible, not %" PRIu64, self->eligible, count);
    }
    if (r == 0) {
        r = each(self, TASKS_TABLE_ELIGIBLE_SLOTS, look_at_slot, &users);
    }
    if (r == 0) {
        r = expect_count(self, TASKS_TABLE_ELIGIBLE_SLOTS, count);
    }
    return r == 0 ? expect_count(self, TASKS_TABLE_ELIGIBLE, count) : r;
}

int tasks_check(struct ates_txn *txn, char *error, size_t error_size)
{
    struct ates_arena *arena = ates_arena_new();
    /* The rows that are got go into the same arena as the decoded ones. */
    struct ates_arena *const owned = txn->arena;
    struct check self = {.txn = txn, .arena = arena, .error = error, .error_size = error_size};

    if (arena == NULL) {
        return -ENOMEM;
    }
    txn->arena = arena;
    int r = check_tasks(&self);
    if (r == 0) {
        r = check_eligible(&self);
    }
    if (r == 0) {
        r = tasks_backfill_check(txn, error, error_size);
    }
    txn->arena = owned;
    ates_arena_free(&arena);
    return r;
}
