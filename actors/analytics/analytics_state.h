/* Analytics' tables, and their rows read and written. Integers in keys and rows are big-endian, 8
 * bytes.
 *
 * task_names   task id                 -> name
 * balances     user id                 -> balance
 * debts        balance, user id        -> nothing
 * days         date (text)             -> income, price, completed at, task id (0: none completed)
 * counters     "negative_balances"     -> rows in debts
 * jira_ids     task id                 -> the id of the task's issue, where it is known to have one
 *
 * A day's row holds all that is ever asked about it, so an answer costs as many rows as the days
 * asked for, however much happened on them. debts has the negative balances only: these sort by
 * their bytes as by their value, the largest debt first.
 *
 * Invariants: a user is in debts where the balance is negative, and once; a day's task is the one
 * with the highest price of those completed on it. */
#ifndef ANALYTICS_STATE_H
#define ANALYTICS_STATE_H

#include <ates/analytics.h>

#include "core/domain.h"

enum analytics_table {
    ANALYTICS_TASK_NAMES = ATES_TABLE_DOMAIN,
    ANALYTICS_BALANCES,
    ANALYTICS_DEBTS,
    ANALYTICS_DAYS,
    ANALYTICS_COUNTERS,
    ANALYTICS_JIRA_IDS
};
extern const char *const analytics_tables[]; /* NULL at the end */

/* What tasks said of a task. ATES_NOT_FOUND where it is not known (yet). */
int analytics_state_get_task(struct ates_txn *txn, uint64_t task_id,
                             struct analytics_task_known *task);
int analytics_state_put_task(struct ates_txn *txn, const struct analytics_task_known *task);

/* A user without any transfer has 0. put keeps debts and their count. */
int analytics_state_get_balance(struct ates_txn *txn, uint64_t user_id, int64_t *cents);
int analytics_state_put_balance(struct ates_txn *txn, uint64_t user_id, int64_t cents);
int analytics_state_count_debts(struct ates_txn *txn, uint64_t *count);

/* Where somebody stands among the debts. */
struct analytics_debt {
    int64_t balance_cents; /* < 0 */
    uint64_t user_id;
};
/* Walks the debts that come after this one, or all (NULL). ATES_NOT_FOUND at the end. */
int analytics_debts_open(struct ates_scan *scan, struct ates_txn *txn,
                         const struct analytics_debt *after);
int analytics_debts_next(struct ates_scan *scan, struct analytics_debt *debt);

/* The task with the highest price of those completed on a day or, of these, the earliest; then the
 * one with the smallest id. */
struct analytics_top {
    uint64_t task_id; /* 0: none */
    int64_t complete_price_cents;
    int64_t completed_at;
};
/* Whether a comes before b, of which either may be none. */
bool analytics_top_beats(const struct analytics_top *a, const struct analytics_top *b);

struct analytics_day_row {
    int64_t income_cents;
    struct analytics_top top;
};
/* All zero where nothing happened on that date. */
int analytics_state_get_day(struct ates_txn *txn, struct ates_text date,
                            struct analytics_day_row *day);
int analytics_state_put_day(struct ates_txn *txn, struct ates_text date,
                            const struct analytics_day_row *day);
/* -EBADMSG where these bytes are no day's row. */
int analytics_day_row_from(struct ates_bytes bytes, struct analytics_day_row *day);

#endif
