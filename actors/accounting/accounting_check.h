/* Whether accounting's rows agree with each other. */
#ifndef ACCOUNTING_CHECK_H
#define ACCOUNTING_CHECK_H

#include "core/store.h"

/* All balances sum to 0; a balance is the sum of its transfers; the totals of a date are the sums
 * of its fees and rewards, and the company's the negated sum of everybody's; every transfer is in
 * by_user; a date begins with its first transfer, and its payout is what was paid; the mails' rows
 * agree. 0, or -EBADMSG with one line in error. Takes memory by dates and mails, not by transfers.
 */
int accounting_check(struct ates_txn *txn, char *error, size_t error_size);

#endif
