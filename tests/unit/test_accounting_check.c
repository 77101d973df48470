/* That accounting's check finds rows that contradict each other. */
#include "support/accounting_fixture.h"

TestSuite(accounting_check, .init = open_fixture, .fini = close_fixture, .timeout = 120);

static void put_balance(uint64_t account_id, int64_t cents)
{
    cr_assert_eq(accounting_state_put_balance(txn(), account_id, cents), 0);
}

static void put_total(uint64_t account_id, int64_t cents)
{
    cr_assert_eq(accounting_state_put_day_total(txn(), ates_text_from(TODAY), account_id, cents),
                 0);
}

Test(accounting_check, check_finds_rows_that_contradict_each_other)
{
    struct accounting_counters counters;
    const struct accounting_place sixth = {1003, 6, ACCOUNTING_PAYOUT};
    struct ates_key key = ates_key_u64(5);

    expect_check(NULL);
    post_six();
    expect_check(NULL);
    put_balance(5, 1); /* and so the sum is off too */
    expect_check("the balance of user 5 is 1, but its transfers sum to 0");
    put_balance(5, 0);
    put_balance(ACCOUNTING_COMPANY, -1401);
    expect_check("all balances sum to -1, not to 0");
    put_balance(ACCOUNTING_COMPANY, -1400);
    put_balance(7, 0);
    expect_check(NULL);
    put_total(5, 801);
    expect_check("the total of user 5 on 2023-11-15 is not 800");
    put_total(5, 800);
    put_total(ACCOUNTING_COMPANY, -2201);
    expect_check("the income of 2023-11-15 is off by -1");
    put_total(ACCOUNTING_COMPANY, -2200);
    put_total(8, 0);
    expect_check("3 day totals, but transfers for 2");
    const struct ates_key total = accounting_day_total_key(ates_text_from(TODAY), 8);
    cr_assert_eq(ates_delete(txn(), ACCOUNTING_DAY_TOTALS, &total), 0);
    expect_check(NULL);
    cr_assert_eq(accounting_state_get_counters(txn(), &counters), 0);
    counters.last_transfer_id++;
    cr_assert_eq(accounting_state_put_counters(txn(), &counters), 0);
    expect_check("6 transfers, 6 of them in by_user; the last id is 7");
    counters.last_transfer_id--;
    cr_assert_eq(accounting_state_put_counters(txn(), &counters), 0);
    const struct ates_key row = accounting_transfer_key(&sixth);
    cr_assert_eq(ates_delete(txn(), ACCOUNTING_TRANSFERS, &row), 0);
    expect_check("transfer 6 is missing or broken");
    cr_assert_eq(ates_delete(txn(), ACCOUNTING_ACCOUNTS, &key), 0);
    expect_check("transfer 1 of user 5 has no account");
}

Test(accounting_check, check_finds_dates_and_payouts_that_contradict_the_transfers)
{
    const struct ates_text today = ates_text_from(TODAY), other = ates_text_from("2023-11-16");
    const struct ates_key key = {.size = 10, .data = TODAY};
    const struct ates_key other_key = {.size = 10, .data = "2023-11-16"};
    struct accounting_payout payout;

    post_six();
    expect_check(NULL);
    cr_assert_eq(accounting_state_put_date(txn(), today, 1001), 0);
    expect_check("2023-11-15 begins with 1001, but its transfers with 1000");
    cr_assert_eq(ates_delete(txn(), ACCOUNTING_DATES, &key), 0);
    expect_check("2023-11-15 begins with 0, but its transfers with 1000");
    cr_assert_eq(accounting_state_put_date(txn(), today, 1000), 0);
    cr_assert_eq(accounting_state_put_date(txn(), other, 0), 0);
    expect_check("2023-11-16 begins with 0, but its transfers with 0");
    cr_assert_eq(ates_delete(txn(), ACCOUNTING_DATES, &other_key), 0);
    expect_check(NULL);

    cr_assert_eq(accounting_state_get_payout(txn(), today, &payout), 0);
    payout.paid_count++;
    cr_assert_eq(accounting_state_put_payout(txn(), &payout), 0);
    expect_check("the payout of 2023-11-15 is 2 of 800 in all, but its transfers are 1 of 800");
    payout.paid_count--;
    payout.total_cents--;
    cr_assert_eq(accounting_state_put_payout(txn(), &payout), 0);
    expect_check("is 1 of 799 in all");
    cr_assert_eq(ates_delete(txn(), ACCOUNTING_PAYOUTS, &key), 0);
    expect_check("is 0 of 0 in all");
    payout.total_cents++;
    cr_assert_eq(accounting_state_put_payout(txn(), &payout), 0);
    expect_check(NULL);
    payout.business_date = other;
    cr_assert_eq(accounting_state_put_payout(txn(), &payout), 0);
    expect_check("the payout of 2023-11-16 is 1 of 800 in all, but its transfers are 0 of 0");
    payout.paid_count = 0;
    payout.total_cents = 0;
    cr_assert_eq(accounting_state_put_payout(txn(), &payout), 0);
    expect_check(NULL);
    cr_assert_eq(ates_put_message(txn(), ACCOUNTING_PAYOUTS, &key, &accounting_transfer_message,
                                  &(struct accounting_transfer){.id = 1}),
                 0);
    expect_check("a broken row in dates or payouts");
}
