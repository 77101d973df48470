/* Analytics' rows; see analytics_state.h. */
#include "analytics/analytics_state.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define DAY_ROW_SIZE 32u
#define NEGATIVE_BALANCES "negative_balances"

const char *const analytics_tables[] = {
    "task_names", "balances", "debts", "days", "counters", "jira_ids", NULL,
};

int analytics_state_get_task(struct ates_txn *txn, uint64_t task_id,
                             struct analytics_task_known *task)
{
    const struct ates_key key = ates_key_u64(task_id);
    struct ates_bytes name, jira_id;

    int r = ates_get(txn, ANALYTICS_TASK_NAMES, &key, &name);
    if (r != 0) {
        return r;
    }
    r = ates_get(txn, ANALYTICS_JIRA_IDS, &key, &jira_id);
    if (r < 0) {
        return r;
    }
    *task = (struct analytics_task_known){
        .task_id = task_id, .name = {(const char *)name.data, name.size}, .has_jira_id = r == 0};
    if (task->has_jira_id) {
        task->jira_id = (struct ates_text){(const char *)jira_id.data, jira_id.size};
    }
    return 0;
}

int analytics_state_put_task(struct ates_txn *txn, const struct analytics_task_known *task)
{
    const struct ates_key key = ates_key_u64(task->task_id);

    int r = ates_put(txn, ANALYTICS_TASK_NAMES, &key, task->name.data, task->name.size);
    if (r != 0) {
        return r;
    }
    if (task->has_jira_id) {
        return ates_put(txn, ANALYTICS_JIRA_IDS, &key, task->jira_id.data, task->jira_id.size);
    }
    r = ates_delete(txn, ANALYTICS_JIRA_IDS, &key);
    return r == ATES_NOT_FOUND ? 0 : r;
}

static struct ates_key debt_key(int64_t balance_cents, uint64_t user_id)
{
    struct ates_key key = ates_key_u64((uint64_t)balance_cents);

    assert(balance_cents < 0); /* else it would not sort by its value */
    ates_key_add_u64(&key, user_id);
    return key;
}

static struct ates_key count_key(void)
{
    struct ates_key key = {.size = 0};

    ates_key_add_bytes(&key, NEGATIVE_BALANCES, strlen(NEGATIVE_BALANCES));
    return key;
}

int analytics_state_count_debts(struct ates_txn *txn, uint64_t *count)
{
    const struct ates_key key = count_key();
    int64_t value;

    int r = ates_get_number(txn, ANALYTICS_COUNTERS, &key, &value);
    if (r == 0) {
        *count = (uint64_t)value;
    }
    return r;
}

static int add_to_count(struct ates_txn *txn, int64_t change)
{
    const struct ates_key key = count_key();
    int64_t count;

    int r = ates_get_number(txn, ANALYTICS_COUNTERS, &key, &count);
    return r != 0 ? r : ates_put_number(txn, ANALYTICS_COUNTERS, &key, count + change);
}

int analytics_state_get_balance(struct ates_txn *txn, uint64_t user_id, int64_t *cents)
{
    const struct ates_key key = ates_key_u64(user_id);

    return ates_get_number(txn, ANALYTICS_BALANCES, &key, cents);
}

int analytics_state_put_balance(struct ates_txn *txn, uint64_t user_id, int64_t cents)
{
    const struct ates_key key = ates_key_u64(user_id);
    int64_t before;

    int r = analytics_state_get_balance(txn, user_id, &before);
    if (r == 0 && before < 0) {
        const struct ates_key debt = debt_key(before, user_id);

        r = ates_delete(txn, ANALYTICS_DEBTS, &debt);
    }
    if (r == 0 && cents < 0) {
        const struct ates_key debt = debt_key(cents, user_id);

        r = ates_put(txn, ANALYTICS_DEBTS, &debt, "", 0);
    }
    if (r == 0 && (before < 0) != (cents < 0)) {
        r = add_to_count(txn, cents < 0 ? 1 : -1);
    }
    return r != 0 ? r : ates_put_number(txn, ANALYTICS_BALANCES, &key, cents);
}

int analytics_debts_open(struct ates_scan *scan, struct ates_txn *txn,
                         const struct analytics_debt *after)
{
    if (after == NULL) {
        return ates_scan_open(scan, txn, ANALYTICS_DEBTS, NULL, NULL);
    }
    const struct ates_key from = debt_key(after->balance_cents, after->user_id + 1);

    return ates_scan_open(scan, txn, ANALYTICS_DEBTS, NULL, &from);
}

int analytics_debts_next(struct ates_scan *scan, struct analytics_debt *debt)
{
    struct ates_bytes key, value;

    int r = ates_scan_next(scan, &key, &value);
    if (r != 0) {
        return r;
    }
    if (key.size != 16 || (int64_t)ates_u64_from(key.data) >= 0) {
        return -EBADMSG;
    }
    debt->balance_cents = (int64_t)ates_u64_from(key.data);
    debt->user_id = ates_u64_from(key.data + 8);
    return 0;
}

bool analytics_top_beats(const struct analytics_top *a, const struct analytics_top *b)
{
    if (a->task_id == 0 || b->task_id == 0) {
        return a->task_id != 0;
    }
    if (a->complete_price_cents != b->complete_price_cents) {
        return a->complete_price_cents > b->complete_price_cents;
    }
    if (a->completed_at != b->completed_at) {
        return a->completed_at < b->completed_at;
    }
    return a->task_id < b->task_id;
}

int analytics_day_row_from(struct ates_bytes bytes, struct analytics_day_row *day)
{
    if (bytes.size != DAY_ROW_SIZE) {
        return -EBADMSG;
    }
    day->income_cents = (int64_t)ates_u64_from(bytes.data);
    day->top.complete_price_cents = (int64_t)ates_u64_from(bytes.data + 8);
    day->top.completed_at = (int64_t)ates_u64_from(bytes.data + 16);
    day->top.task_id = ates_u64_from(bytes.data + 24);
    return 0;
}

static struct ates_key day_key(struct ates_text date)
{
    struct ates_key key = {.size = 0};

    ates_key_add_bytes(&key, date.data, date.size);
    return key;
}

int analytics_state_get_day(struct ates_txn *txn, struct ates_text date,
                            struct analytics_day_row *day)
{
    const struct ates_key key = day_key(date);
    struct ates_bytes row;

    int r = ates_get(txn, ANALYTICS_DAYS, &key, &row);
    if (r == ATES_NOT_FOUND) {
        *day = (struct analytics_day_row){.income_cents = 0};
        return 0;
    }
    return r != 0 ? r : analytics_day_row_from(row, day);
}

int analytics_state_put_day(struct ates_txn *txn, struct ates_text date,
                            const struct analytics_day_row *day)
{
    const struct ates_key key = day_key(date);
    struct ates_key row = ates_key_u64((uint64_t)day->income_cents);

    ates_key_add_u64(&row, (uint64_t)day->top.complete_price_cents);
    ates_key_add_u64(&row, (uint64_t)day->top.completed_at);
    ates_key_add_u64(&row, day->top.task_id);
    return ates_put(txn, ANALYTICS_DAYS, &key, row.data, row.size);
}
