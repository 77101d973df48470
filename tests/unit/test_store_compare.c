/* Two stores compared row by row. */
#include "core/store_compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

static const char *const names[] = {"birds", "perches"};

struct side {
    char path[64];
    struct ates_store *store;
    struct ates_txn txn;
};

static struct side left, right;
static struct ates_arena *arena;

static void open_side(struct side *side)
{
    char error[256] = "";

    strcpy(side->path, "/tmp/ates-compare-XXXXXX");
    cr_assert_not_null(mkdtemp(side->path));
    cr_assert_eq(ates_store_open(&side->store, side->path, 1 << 24, names, 2, error, sizeof error),
                 0, "%s", error);
    cr_assert_eq(ates_txn_begin(&side->txn, side->store, false, arena), 0);
}

static void close_side(struct side *side)
{
    char file[96];

    ates_txn_abort(&side->txn);
    ates_buffer_release(&side->txn.scratch);
    ates_store_close(&side->store);
    snprintf(file, sizeof file, "%s/data.mdb", side->path);
    cr_expect_eq(unlink(file), 0);
    snprintf(file, sizeof file, "%s/lock.mdb", side->path);
    cr_expect_eq(unlink(file), 0);
    cr_expect_eq(rmdir(side->path), 0);
}

static void open_both(void)
{
    arena = ates_arena_new();
    open_side(&left);
    open_side(&right);
}

static void close_both(void)
{
    close_side(&left);
    close_side(&right);
    ates_arena_free(&arena);
}

TestSuite(store_compare, .init = open_both, .fini = close_both);

static void put(struct side *side, unsigned table, const char *word, const char *value)
{
    struct ates_key key = {.size = 0};

    ates_key_add_bytes(&key, word, strlen(word));
    cr_assert_eq(ates_put(&side->txn, table, &key, value, strlen(value)), 0);
}

static struct ates_table_comparison compare(unsigned table)
{
    struct ates_table_comparison found = {.differences = 99};

    cr_assert_eq(ates_store_compare(&left.txn, &right.txn, table, &found), 0);
    return found;
}

static void assert_found(uint64_t left_rows, uint64_t right_rows, uint64_t differences,
                         const char *first_key)
{
    const struct ates_table_comparison found = compare(0);

    cr_expect_eq(found.left_rows, left_rows);
    cr_expect_eq(found.right_rows, right_rows);
    cr_expect_eq(found.differences, differences);
    cr_expect_str_eq(found.first_key, first_key);
}

Test(store_compare, of_empty_tables_finds_nothing)
{
    assert_found(0, 0, 0, "");
}

Test(store_compare, of_equal_tables_counts_their_rows)
{
    put(&left, 0, "ara", "red");
    put(&right, 0, "ara", "red");
    put(&left, 0, "kea", "");
    put(&right, 0, "kea", "");
    assert_found(2, 2, 0, "");
}

Test(store_compare, finds_another_value)
{
    put(&left, 0, "ara", "red");
    put(&right, 0, "ara", "rea");
    put(&left, 0, "kea", "green");
    put(&right, 0, "kea", "greenish");
    assert_found(2, 2, 2, "617261");
}

Test(store_compare, finds_rows_that_one_side_lacks)
{
    put(&left, 0, "ara", "red");
    put(&right, 0, "arara", "red");
    put(&left, 0, "kea", "green");
    put(&right, 0, "kea", "green");
    put(&right, 0, "lori", "blue");
    assert_found(2, 3, 3, "617261");
}

Test(store_compare, finds_all_where_one_side_is_empty)
{
    put(&right, 0, "lori", "blue");
    put(&right, 0, "kea", "green");
    assert_found(0, 2, 2, "6b6561");
}

Test(store_compare, keeps_tables_apart)
{
    put(&left, 1, "ara", "red");
    assert_found(0, 0, 0, "");
    cr_expect_eq(compare(1).differences, 1);
}

Test(store_compare, cuts_a_long_key)
{
    char word[101] = "";

    memset(word, 'k', sizeof word - 1);
    put(&left, 0, word, "long");
    const struct ates_table_comparison found = compare(0);
    cr_expect_eq(strlen(found.first_key), ATES_KEY_HEX_MAX - 1);
}
