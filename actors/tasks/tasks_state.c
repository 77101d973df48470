/* The tables of the tasks service; see tasks_state.h. */
#include "tasks/tasks_state.h"

#include <errno.h>

#include "core/fields.h"
#include "core/search.h"

const char *const tasks_state_tables[] = {
    "tasks",    "by_status",      "by_assignee", "logs",          "words",
    "eligible", "eligible_slots", "counters",    "reassignments", NULL};

static const struct ates_field tasks_reassignment_fields[] = {
    {ATES_FIELD(tasks_reassignment, id), ATES_IS_ID},
    {ATES_FIELD(tasks_reassignment, requested_by), .type = ATES_UINT},
    {ATES_OPTIONAL(tasks_reassignment, request_id), ATES_IS_REQUEST_ID},
    {ATES_OPTIONAL(tasks_reassignment, traceparent), ATES_IS_TRACEPARENT},
    {ATES_OPTIONAL(tasks_reassignment, from_user_id), ATES_IS_ID},
    {ATES_OPTIONAL(tasks_reassignment, cause_seq), ATES_IS_ID},
    {ATES_FIELD(tasks_reassignment, next_task_id), ATES_IS_ID},
    {ATES_FIELD(tasks_reassignment, up_to_task_id), .type = ATES_UINT},
    {ATES_FIELD(tasks_reassignment, count), ATES_IS_COUNT},
};
static ATES_MESSAGE(tasks_reassignment, "reassignment");

static struct ates_key counter_key(enum tasks_counter counter)
{
    struct ates_key key = {.size = 0};

    ates_key_add_u8(&key, (uint8_t)counter);
    return key;
}

int tasks_state_get_counter(struct ates_txn *txn, enum tasks_counter counter, uint64_t *value)
{
    const struct ates_key key = counter_key(counter);
    int64_t number;
    int r = ates_get_number(txn, TASKS_TABLE_COUNTERS, &key, &number);

    if (r == 0) {
        *value = (uint64_t)number;
    }
    return r;
}

int tasks_state_put_counter(struct ates_txn *txn, enum tasks_counter counter, uint64_t value)
{
    const struct ates_key key = counter_key(counter);

    return ates_put_number(txn, TASKS_TABLE_COUNTERS, &key, (int64_t)value);
}

struct ates_key tasks_state_status_prefix(bool is_finished)
{
    struct ates_key key = {.size = 0};

    ates_key_add_u8(&key, is_finished);
    return key;
}

struct ates_key tasks_state_assignee_prefix(uint64_t user_id, bool is_finished)
{
    struct ates_key key = ates_key_u64(user_id);

    ates_key_add_u8(&key, is_finished);
    return key;
}

static struct ates_key status_key(const struct tasks_task *task)
{
    struct ates_key key = tasks_state_status_prefix(task->is_finished);

    ates_key_add_u64(&key, task->id);
    return key;
}

static struct ates_key assignee_key(const struct tasks_task *task)
{
    struct ates_key key = tasks_state_assignee_prefix(task->assigned_to, task->is_finished);

    ates_key_add_u64(&key, task->id);
    return key;
}

int tasks_state_get_task(struct ates_txn *txn, uint64_t task_id, struct tasks_task *task)
{
    const struct ates_key key = ates_key_u64(task_id);

    return ates_get_message(txn, TASKS_TABLE_TASKS, &key, &tasks_task_message, task);
}

static int put_task(struct ates_txn *txn, const struct tasks_task *task)
{
    const struct ates_key key = ates_key_u64(task->id);

    return ates_put_message(txn, TASKS_TABLE_TASKS, &key, &tasks_task_message, task);
}

struct ates_words tasks_state_words(const struct tasks_task *task, struct ates_arena *arena)
{
    const struct ates_text texts[] = {task->jira_id, task->name, task->description};
    struct ates_words words;

    if (task->has_jira_id) {
        ates_words_split(texts, 3, arena, &words);
    } else {
        ates_words_split(texts + 1, 2, arena, &words);
    }
    return words;
}

static int count_open(struct ates_txn *txn, int change)
{
    uint64_t count;
    int r = tasks_state_get_counter(txn, TASKS_OPEN_COUNT, &count);

    return r == 0 ? tasks_state_put_counter(txn, TASKS_OPEN_COUNT, count + (uint64_t)change) : r;
}

int tasks_state_add_task(struct ates_txn *txn, const struct tasks_task *task)
{
    const struct ates_key by_status = status_key(task), by_assignee = assignee_key(task);
    const struct ates_words words = tasks_state_words(task, txn->arena);
    int r = put_task(txn, task);

    if (r == 0) {
        r = ates_put(txn, TASKS_TABLE_BY_STATUS, &by_status, "", 0);
    }
    if (r == 0) {
        r = ates_put(txn, TASKS_TABLE_BY_ASSIGNEE, &by_assignee, "", 0);
    }
    if (r == 0) {
        r = count_open(txn, 1);
    }
    return r == 0 ? ates_search_put(txn, TASKS_TABLE_WORDS, &words, task->id) : r;
}

static int move(struct ates_txn *txn, unsigned table, const struct ates_key *before,
                const struct ates_key *after)
{
    int r = ates_delete(txn, table, before);

    return r == 0 ? ates_put(txn, table, after, "", 0) : r;
}

int tasks_state_change_task(struct ates_txn *txn, const struct tasks_task *before,
                            const struct tasks_task *task)
{
    int r = put_task(txn, task);

    if (r == 0 && task->is_finished != before->is_finished) {
        const struct ates_key from = status_key(before), to = status_key(task);

        r = move(txn, TASKS_TABLE_BY_STATUS, &from, &to);
        if (r == 0) {
            r = count_open(txn, task->is_finished ? -1 : 1);
        }
    }
    if (r == 0 &&
        (task->is_finished != before->is_finished || task->assigned_to != before->assigned_to)) {
        const struct ates_key from = assignee_key(before), to = assignee_key(task);

        r = move(txn, TASKS_TABLE_BY_ASSIGNEE, &from, &to);
    }
    return r;
}

int tasks_state_rename_task(struct ates_txn *txn, const struct tasks_task *before,
                            const struct tasks_task *task)
{
    const struct ates_words from = tasks_state_words(before, txn->arena);
    const struct ates_words to = tasks_state_words(task, txn->arena);
    int r = ates_search_delete(txn, TASKS_TABLE_WORDS, &from, task->id);

    if (r == 0) {
        r = ates_search_put(txn, TASKS_TABLE_WORDS, &to, task->id);
    }
    return r == 0 ? put_task(txn, task) : r;
}

int tasks_state_first_since(struct ates_txn *txn, int64_t time, uint64_t *task_id)
{
    uint64_t low = 1, last;
    struct tasks_task task;
    int r = tasks_state_get_counter(txn, TASKS_LAST_TASK, &last);

    for (uint64_t high = last + 1; r == 0 && low < high;) {
        const uint64_t middle = low + (high - low) / 2;

        r = tasks_state_get_task(txn, middle, &task);
        if (r == 0 && task.created_at < time) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (r == 0) {
        *task_id = low;
    }
    return r == ATES_NOT_FOUND ? -EUCLEAN : r;
}

int tasks_state_put_log(struct ates_txn *txn, const struct tasks_log_entry *entry)
{
    struct ates_key key = ates_key_u64(entry->task_id);

    ates_key_add_u64(&key, entry->id);
    return ates_put_message(txn, TASKS_TABLE_LOGS, &key, &tasks_log_entry_message, entry);
}

/* Decodes the rows where they are: nothing is written while an answer holds them. */
int tasks_state_get_logs(struct ates_txn *txn, uint64_t task_id, uint64_t from_id,
                         bool newest_first, size_t limit, struct ates_list *page, bool *more)
{
    const struct ates_key prefix = ates_key_u64(task_id);
    struct tasks_log_entry *entries = ates_arena_alloc(txn->arena, limit * sizeof *entries);
    struct ates_key from = prefix;
    struct ates_bytes row_key, row;
    struct ates_scan scan;
    size_t count = 0;

    ates_key_add_u64(&from, from_id);
    int r = ates_scan_open_ordered(&scan, txn, TASKS_TABLE_LOGS, &prefix, &from, newest_first);
    if (r != 0) {
        return r;
    }
    while ((r = ates_scan_next(&scan, &row_key, &row)) == 0 && count < limit) {
        if (ates_message_decode(&tasks_log_entry_message, row.data, row.size, ATES_UNKNOWN_IGNORED,
                                txn->arena, &entries[count++], NULL) != 0) {
            r = -EBADMSG;
            break;
        }
    }
    ates_scan_close(&scan);
    if (r < 0) {
        return r;
    }
    *page = (struct ates_list){entries, count};
    *more = r == 0;
    return 0;
}

static int get_id(struct ates_txn *txn, unsigned table, uint64_t key_id, uint64_t *value)
{
    const struct ates_key key = ates_key_u64(key_id);
    struct ates_bytes row;
    int r = ates_get(txn, table, &key, &row);

    if (r == 0 && row.size != 8) {
        return -EBADMSG;
    }
    if (r == 0) {
        *value = ates_u64_from(row.data);
    }
    return r;
}

int tasks_state_get_eligible(struct ates_txn *txn, uint64_t slot, uint64_t *user_id)
{
    return get_id(txn, TASKS_TABLE_ELIGIBLE, slot, user_id);
}

int tasks_state_is_eligible(struct ates_txn *txn, uint64_t user_id, bool *eligible)
{
    uint64_t slot;
    int r = get_id(txn, TASKS_TABLE_ELIGIBLE_SLOTS, user_id, &slot);

    if (r < 0) {
        return r;
    }
    *eligible = r == 0;
    return 0;
}

static int put_slot(struct ates_txn *txn, uint64_t slot, uint64_t user_id)
{
    const struct ates_key slot_key = ates_key_u64(slot), user_key = ates_key_u64(user_id);
    int r = ates_put_number(txn, TASKS_TABLE_ELIGIBLE, &slot_key, (int64_t)user_id);

    return r == 0 ? ates_put_number(txn, TASKS_TABLE_ELIGIBLE_SLOTS, &user_key, (int64_t)slot) : r;
}

/* The user of the last slot takes the slot that becomes free, so that slots stay without gaps. */
static int free_slot(struct ates_txn *txn, uint64_t user_id, uint64_t slot, uint64_t last_slot)
{
    const struct ates_key last_key = ates_key_u64(last_slot), user_key = ates_key_u64(user_id);
    uint64_t last_user;
    int r = tasks_state_get_eligible(txn, last_slot, &last_user);

    if (r == 0 && last_user != user_id) {
        r = put_slot(txn, slot, last_user);
    }
    if (r == 0) {
        r = ates_delete(txn, TASKS_TABLE_ELIGIBLE, &last_key);
    }
    return r == 0 ? ates_delete(txn, TASKS_TABLE_ELIGIBLE_SLOTS, &user_key) : r;
}

int tasks_state_set_eligible(struct ates_txn *txn, uint64_t user_id, bool eligible)
{
    uint64_t slot = 0, count;
    const int found = get_id(txn, TASKS_TABLE_ELIGIBLE_SLOTS, user_id, &slot);

    if (found < 0 || (found == 0) == eligible) {
        return found < 0 ? found : 0;
    }
    int r = tasks_state_get_counter(txn, TASKS_ELIGIBLE, &count);
    if (r == 0) {
        r = eligible ? put_slot(txn, count, user_id) : free_slot(txn, user_id, slot, count - 1);
    }
    if (r == 0) {
        r = tasks_state_put_counter(txn, TASKS_ELIGIBLE, eligible ? count + 1 : count - 1);
    }
    return r;
}

int tasks_state_first_reassignment(struct ates_txn *txn, struct tasks_reassignment *reassignment)
{
    struct ates_bytes key, row;
    struct ates_scan scan;
    int r = ates_scan_open(&scan, txn, TASKS_TABLE_REASSIGNMENTS, NULL, NULL);

    if (r != 0) {
        return r;
    }
    r = ates_scan_next(&scan, &key, &row);
    const uint64_t id = r == 0 ? ates_u64_from(key.data) : 0;
    ates_scan_close(&scan);
    return r == 0 ? tasks_state_get_reassignment(txn, id, reassignment) : r;
}

int tasks_state_get_reassignment(struct ates_txn *txn, uint64_t id,
                                 struct tasks_reassignment *reassignment)
{
    const struct ates_key key = ates_key_u64(id);

    return ates_get_message(txn, TASKS_TABLE_REASSIGNMENTS, &key, &tasks_reassignment_message,
                            reassignment);
}

int tasks_state_put_reassignment(struct ates_txn *txn,
                                 const struct tasks_reassignment *reassignment)
{
    const struct ates_key key = ates_key_u64(reassignment->id);

    return ates_put_message(txn, TASKS_TABLE_REASSIGNMENTS, &key, &tasks_reassignment_message,
                            reassignment);
}

int tasks_state_count_reassignments(struct ates_txn *txn, size_t most, size_t *count)
{
    struct ates_bytes key, row;
    struct ates_scan scan;
    size_t found = 0;
    int r = ates_scan_open(&scan, txn, TASKS_TABLE_REASSIGNMENTS, NULL, NULL);

    if (r != 0) {
        return r;
    }
    while (found < most && (r = ates_scan_next(&scan, &key, &row)) == 0) {
        found++;
    }
    ates_scan_close(&scan);
    if (r >= 0) {
        *count = found;
    }
    return r < 0 ? r : 0;
}

int tasks_state_delete_reassignment(struct ates_txn *txn, uint64_t id)
{
    const struct ates_key key = ates_key_u64(id);

    return ates_delete(txn, TASKS_TABLE_REASSIGNMENTS, &key);
}
