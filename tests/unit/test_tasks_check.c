/* The check of the tasks service's rows finds each kind of contradiction. */
#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "core/search.h"
#include "support/tasks_fixture.h"
#include "tasks/tasks_check.h"
#include "tasks/tasks_state.h"

static struct ates_txn *txn;

/* Three tasks, one of them finished, and two popugs. The rows are spoilt after, so nothing is
 * rebuilt. */
static void open_rows(void)
{
    set_up();
    register_popugs(2);
    create("roof");
    create("coop");
    const struct tasks_task task = create("yard");
    complete(&task);
    txn = ates_engine_txn(fixture.engine);
}

static void close_rows(void)
{
    fixture_close(&fixture);
}

TestSuite(tasks_check, .init = open_rows, .fini = close_rows);

static void expect_found(const char *words)
{
    char error[256] = "";

    cr_expect_eq(tasks_check(txn, error, sizeof error), -EBADMSG);
    cr_expect_not_null(strstr(error, words), "\"%s\" is not in \"%s\"", words, error);
}

/* Moves the row of a key: takes it away, or puts an empty one where there was none. */
static void spoil(unsigned table, const struct ates_key *key)
{
    struct ates_bytes row;

    if (ates_get(txn, table, key, &row) == 0) {
        cr_assert_eq(ates_delete(txn, table, key), 0);
    } else {
        cr_assert_eq(ates_put(txn, table, key, "", 0), 0);
    }
}

Test(tasks_check, sound_rows)
{
    char error[256] = "";

    cr_expect_eq(tasks_check(txn, error, sizeof error), 0, "%s", error);
}

Test(tasks_check, a_task_lost)
{
    const struct ates_key key = ates_key_u64(2);

    spoil(TASKS_TABLE_TASKS, &key);
    expect_found("task 2 is missing");
}

Test(tasks_check, the_last_task_lost)
{
    const struct ates_key key = ates_key_u64(3);

    spoil(TASKS_TABLE_TASKS, &key);
    expect_found("there are 2 tasks, not 3");
}

Test(tasks_check, a_damaged_task)
{
    const struct ates_key key = ates_key_u64(1);

    cr_assert_eq(ates_put(txn, TASKS_TABLE_TASKS, &key, "x", 1), 0);
    expect_found("task 1 is missing or damaged");
}

Test(tasks_check, index_rows_lost)
{
    struct ates_key key = tasks_state_status_prefix(true);

    ates_key_add_u64(&key, 3);
    spoil(TASKS_TABLE_BY_STATUS, &key);
    expect_found("task 3 is not in by_status");
    spoil(TASKS_TABLE_BY_STATUS, &key);
    key = tasks_state_assignee_prefix(show(1).assigned_to, false);
    ates_key_add_u64(&key, 1);
    spoil(TASKS_TABLE_BY_ASSIGNEE, &key);
    expect_found("task 1 is not in by_assignee");
}

Test(tasks_check, index_rows_too_many)
{
    struct ates_key key = tasks_state_status_prefix(true);

    ates_key_add_u64(&key, 1);
    spoil(TASKS_TABLE_BY_STATUS, &key);
    expect_found("by_status has 4 rows, not 3");
    spoil(TASKS_TABLE_BY_STATUS, &key);
    key = tasks_state_assignee_prefix(FIRST_POPUG, true);
    ates_key_add_u64(&key, 1);
    spoil(TASKS_TABLE_BY_ASSIGNEE, &key);
    expect_found("by_assignee has 4 rows, not 3");
}

Test(tasks_check, words_lost_and_too_many)
{
    const struct ates_text roof = ates_text_from("roof"), more = ates_text_from("more");
    struct ates_words words;

    ates_words_split(&more, 1, fixture.arena, &words);
    cr_assert_eq(ates_search_put(txn, TASKS_TABLE_WORDS, &words, 1), 0);
    expect_found("words has 4 rows, not 3");
    ates_words_split(&roof, 1, fixture.arena, &words);
    cr_assert_eq(ates_search_delete(txn, TASKS_TABLE_WORDS, &words, 1), 0);
    expect_found("task 1 is not found by its words");
}

Test(tasks_check, eligible_users)
{
    const struct ates_key user = ates_key_u64(FIRST_POPUG), slot = ates_key_u64(0);

    cr_assert_eq(tasks_state_set_eligible(txn, FIRST_POPUG + 1, false), 0);
    expect_found("user 11 is not eligible");
    cr_assert_eq(tasks_state_set_eligible(txn, FIRST_POPUG + 1, true), 0);
    cr_assert_eq(tasks_state_set_eligible(txn, ADMIN, true), 0);
    expect_found("user 1 is eligible, but may not be drawn");
    cr_assert_eq(tasks_state_set_eligible(txn, ADMIN, false), 0);
    cr_assert_eq(tasks_state_put_counter(txn, TASKS_ELIGIBLE, 3), 0);
    expect_found("2 users are eligible, not 3");
    cr_assert_eq(tasks_state_put_counter(txn, TASKS_ELIGIBLE, 2), 0);
    cr_assert_eq(ates_put_number(txn, TASKS_TABLE_ELIGIBLE, &slot, FIRST_POPUG + 1), 0);
    expect_found("user 10 is not in the slot said");
    cr_assert_eq(ates_put_number(txn, TASKS_TABLE_ELIGIBLE, &slot, FIRST_POPUG), 0);
    cr_assert_eq(ates_put_number(txn, TASKS_TABLE_ELIGIBLE_SLOTS, &user, 7), 0);
    expect_found("user 10 is not in the slot said");
}

Test(tasks_check, a_wrong_count_of_open_tasks)
{
    cr_assert_eq(tasks_state_put_counter(txn, TASKS_OPEN_COUNT, 3), 0);
    expect_found("2 tasks are open, not 3");
}
