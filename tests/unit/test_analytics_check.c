/* That analytics' check finds rows that contradict each other. */
#include "support/analytics_fixture.h"

TestSuite(analytics_check, .init = open_fixture, .fini = close_fixture, .timeout = 120);

static struct ates_key key_of(uint64_t first, uint64_t second)
{
    struct ates_key key = ates_key_u64(first);

    ates_key_add_u64(&key, second);
    return key;
}

static void put(unsigned table, struct ates_key key, const void *data, size_t size)
{
    cr_assert_eq(ates_put(txn(), table, &key, data, size), 0);
}

static void drop(unsigned table, struct ates_key key)
{
    cr_assert_eq(ates_delete(txn(), table, &key), 0);
}

static void put_number(unsigned table, struct ates_key key, int64_t value)
{
    cr_assert_eq(ates_put_number(txn(), table, &key, value), 0);
}

static struct ates_key text_key(const char *text)
{
    struct ates_key key = {.size = 0};

    ates_key_add_bytes(&key, text, strlen(text));
    return key;
}

Test(analytics_check, finds_debts_that_are_none)
{
    expect_check(NULL);
    charge(TODAY, 5, 1000, -1000);
    charge(TODAY, 6, 1000, -500);
    charge(TODAY, 7, 1000, 200);
    expect_check(NULL);
    put_number(ANALYTICS_COUNTERS, text_key("negative_balances"), 3);
    expect_check("2 balances are negative, 2 in debts, 3 are counted");
    put_number(ANALYTICS_COUNTERS, text_key("negative_balances"), 2);
    drop(ANALYTICS_DEBTS, key_of((uint64_t)INT64_C(-1000), 5));
    expect_check("2 balances are negative, 1 in debts, 2 are counted");
    put(ANALYTICS_DEBTS, key_of((uint64_t)INT64_C(-999), 5), "", 0);
    expect_check("user 5 has no balance of -999, as debts says");
    drop(ANALYTICS_DEBTS, key_of((uint64_t)INT64_C(-999), 5));
    put(ANALYTICS_DEBTS, key_of((uint64_t)INT64_C(-1000), 5), "", 0);
    expect_check(NULL);
    put(ANALYTICS_DEBTS, key_of((uint64_t)INT64_C(-1), 9), "", 0); /* after the last balance */
    expect_check("user 9 has no balance of -1, as debts says");
    drop(ANALYTICS_DEBTS, key_of((uint64_t)INT64_C(-1), 9));
    put_number(ANALYTICS_BALANCES, ates_key_u64(7), -200);
    expect_check("3 balances are negative, 2 in debts, 2 are counted");
    put_number(ANALYTICS_BALANCES, ates_key_u64(7), 200);
    put(ANALYTICS_DEBTS, key_of(200, 7), "", 0);
    expect_check("a broken row in debts");
    drop(ANALYTICS_DEBTS, key_of(200, 7));
    put(ANALYTICS_BALANCES, ates_key_u64(8), "x", 1);
    expect_check("a broken row in balances");
}

Test(analytics_check, finds_broken_days)
{
    struct analytics_day_row row = {.income_cents = 1500};

    complete(at(TODAY, 12), 1, 3000);
    expect_check(NULL);
    cr_assert_eq(analytics_state_put_day(txn(), ates_text_from("2023-11-14"), &row), 0);
    expect_check(NULL);
    row.top.complete_price_cents = 1;
    cr_assert_eq(analytics_state_put_day(txn(), ates_text_from("2023-11-14"), &row), 0);
    expect_check("the best task of 2023-11-14 contradicts itself");
    row.top.task_id = 1;
    cr_assert_eq(analytics_state_put_day(txn(), ates_text_from("2023-11-14"), &row), 0);
    expect_check(NULL);
    row.top.completed_at = -1;
    cr_assert_eq(analytics_state_put_day(txn(), ates_text_from("2023-11-14"), &row), 0);
    expect_check("the best task of 2023-11-14 contradicts itself");
    put(ANALYTICS_DAYS, text_key("2023-11-14"), "short", 5);
    expect_check("a broken row in days");
    drop(ANALYTICS_DAYS, text_key("2023-11-14"));
    expect_check(NULL);
    row = (struct analytics_day_row){.income_cents = 1};
    cr_assert_eq(analytics_state_put_day(txn(), ates_text_from("2023-02-29"), &row), 0);
    expect_check("a broken row in days");
}
