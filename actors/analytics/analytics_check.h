/* Whether analytics' rows agree with each other. */
#ifndef ANALYTICS_CHECK_H
#define ANALYTICS_CHECK_H

#include "core/store.h"

/* The negative balances, and no others, are in debts, and as many as the counter says; every row of
 * a day can be read, and its best task is none or has its price and time. 0, or -EBADMSG with one
 * line in error. */
int analytics_check(struct ates_txn *txn, char *error, size_t error_size);

#endif
