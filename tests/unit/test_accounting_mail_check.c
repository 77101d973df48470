/* That the check finds mails whose rows contradict each other. */
#include "accounting/accounting_mail_check.h"
#include "support/payout_fixture.h"

TestSuite(accounting_mail_check, .init = open_payouts, .fini = close_payouts, .timeout = 120);

Test(accounting_mail_check, check_finds_mails_that_contradict_their_indexes)
{
    struct accounting_counters counters;

    expect_check(NULL);
    earn(FIXTURE_TIME, 5);
    earn(FIXTURE_TIME, 6);
    pay(TODAY);
    run_steps();
    expect_check(NULL);
    const struct accounting_mail_row first = mail_row(1), second = mail_row(2);
    struct accounting_mail_row odd = first;
    const struct ates_key by_state = accounting_mail_state_key(&first),
                          due = accounting_mail_due_key(&first), first_key = ates_key_u64(1);

    cr_assert_eq(ates_delete(txn(), ACCOUNTING_MAILS_BY_STATE, &by_state), 0);
    expect_check("mail 1 is not in mails_by_state");
    cr_assert_eq(ates_put(txn(), ACCOUNTING_MAILS_BY_STATE, &by_state, "", 0), 0);
    cr_assert_eq(ates_delete(txn(), ACCOUNTING_MAILS_DUE, &due), 0);
    expect_check("mail 1 is not in mails_due");
    odd.next_attempt_at++;
    const struct ates_key later = accounting_mail_due_key(&odd);
    cr_assert_eq(ates_put(txn(), ACCOUNTING_MAILS_DUE, &later, "", 0), 0);
    expect_check("mail 1 is not in mails_due");
    cr_assert_eq(ates_put(txn(), ACCOUNTING_MAILS_DUE, &due, "", 0), 0);
    expect_check("mails_due has 3 rows, but should have 2");
    cr_assert_eq(ates_delete(txn(), ACCOUNTING_MAILS_DUE, &later), 0);
    expect_check(NULL);
    odd = first;
    odd.state = ACCOUNTING_MAIL_DEAD;
    const struct ates_key dead = accounting_mail_state_key(&odd);
    cr_assert_eq(ates_put(txn(), ACCOUNTING_MAILS_BY_STATE, &dead, "", 0), 0);
    expect_check("mails_by_state has 3 rows, but should have 2");
    cr_assert_eq(ates_delete(txn(), ACCOUNTING_MAILS_BY_STATE, &dead), 0);

    odd.state = ACCOUNTING_MAIL_SENT; /* but not when */
    cr_assert_eq(accounting_mail_put(txn(), &first, &odd), 0);
    expect_check("mail 1 is broken");
    cr_assert_eq(accounting_mail_put(txn(), &odd, &first), 0);
    expect_check(NULL);
    cr_assert_eq(ates_put(txn(), ACCOUNTING_MAILS, &first_key, "junk", 4), 0);
    expect_check("mail 1 is broken");
    cr_assert_eq(ates_delete(txn(), ACCOUNTING_MAILS, &first_key), 0);
    expect_check("mail 2 is broken, or its number is not 1");
    cr_assert_eq(accounting_mail_put(txn(), NULL, &first), 0);
    cr_assert_eq(accounting_state_get_counters(txn(), &counters), 0);
    counters.last_mail_id++;
    cr_assert_eq(accounting_state_put_counters(txn(), &counters), 0);
    expect_check("2 mails; the last id is 3");
    counters.last_mail_id--;
    cr_assert_eq(accounting_state_put_counters(txn(), &counters), 0);
    expect_check(NULL);
    cr_expect_eq(second.id, 2);
}
