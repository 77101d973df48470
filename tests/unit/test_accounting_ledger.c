/* How money moves: checked sums, closed days, transfers that follow from the state. */
#include "support/accounting_fixture.h"

TestSuite(accounting_ledger, .init = open_fixture, .fini = close_fixture, .timeout = 120);

Test(accounting_ledger, a_balance_beyond_the_wires_integers_is_refused)
{
    cr_assert_eq(create_task(FIXTURE_TIME, 1, "Paint the bikeshed", 5), 0);
    cr_assert_eq(accounting_state_put_balance(txn(), 5, ATES_INTEGER_MAX - 1000), 0);
    expect_dead(complete_task(FIXTURE_TIME, 1, 5), ATES_FAILED_PRECONDITION,
                "BALANCE_OUT_OF_RANGE");
}

Test(accounting_ledger, add_is_checked)
{
    int64_t sum = 7;

    cr_expect_eq(accounting_add(ATES_INTEGER_MAX, 1, &sum), -EOVERFLOW);
    cr_expect_eq(accounting_add(-ATES_INTEGER_MAX, -1, &sum), -EOVERFLOW);
    cr_expect_eq(accounting_add(INT64_MAX, INT64_MAX, &sum), -EOVERFLOW);
    cr_expect_eq(accounting_add(INT64_MIN, -1, &sum), -EOVERFLOW);
    cr_expect_eq(sum, 7);
    cr_expect_eq(accounting_add(ATES_INTEGER_MAX - 1, 1, &sum), 0);
    cr_expect_eq(sum, ATES_INTEGER_MAX);
    cr_expect_eq(accounting_add(5, -ATES_INTEGER_MAX - 5, &sum), 0);
    cr_expect_eq(sum, -ATES_INTEGER_MAX);
}

Test(accounting_ledger, post_refuses_what_does_not_follow_from_the_state)
{
    struct accounting_transfer transfer = {
        .id = 2,
        .user_id = 5,
        .delta_cents = 10,
        .balance_cents = 10,
        .business_date = ates_text_from(TODAY),
    };
    cr_expect_eq(accounting_post(txn(), &transfer), -EUCLEAN); /* ids begin with 1 */
    transfer.id = 1;
    transfer.balance_cents = 11;
    cr_expect_eq(accounting_post(txn(), &transfer), -EUCLEAN);
}

Test(accounting_ledger, a_transfer_for_a_closed_day_is_booked_on_the_first_open_one)
{
    struct accounting_counters counters;

    cr_assert_eq(create_task(FIXTURE_TIME, 1, "Paint the bikeshed", 5), 0);
    text_is(last_transfer().business_date, TODAY);
    cr_assert_eq(accounting_state_get_counters(txn(), &counters), 0);
    counters.closed_through = ates_day_at(FIXTURE_TIME);
    cr_assert_eq(accounting_state_put_counters(txn(), &counters), 0);

    cr_assert_eq(assign_task(FIXTURE_TIME, 1, 5), 0);
    text_is(last_transfer().business_date, "2023-11-16");
    cr_expect_eq(last_transfer().timestamp, FIXTURE_TIME);
    cr_assert_eq(assign_task(FIXTURE_TIME - 30 * DAY_MS, 1, 5), 0);
    text_is(last_transfer().business_date, "2023-11-16");
    cr_assert_eq(assign_task(FIXTURE_TIME + 2 * DAY_MS, 1, 5), 0);
    text_is(last_transfer().business_date, "2023-11-17");
    cr_expect_eq(balance_of(5).today_cents, -prices_at(1).assign_price_cents);
    expect_check(NULL);
}
