/* Who is to be paid how much when a business date is closed: max(0, the balance at its end). */
#ifndef ACCOUNTING_DUES_H
#define ACCOUNTING_DUES_H

#include "accounting/accounting_state.h"

/* An account to pay. */
struct accounting_due {
    uint64_t user_id;
    int64_t cents; /* above 0 */
};

/* The next accounts of an open payout to pay, at most `most`; *next_user_id: where the following
 * chunk begins, 0 where this is the last one. */
int accounting_next_dues(struct ates_txn *txn, const struct accounting_payout *payout,
                         struct accounting_due *dues, size_t most, size_t *count,
                         uint64_t *next_user_id);

/* What closing result->business_date now would pay, added to result: one look at every account. */
int accounting_sum_dues(struct ates_txn *txn, struct accounting_pay_to_workers_result *result);

#endif
