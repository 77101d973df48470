/* Whether what is kept of each business date, in dates and payouts, agrees with the transfers. The
 * caller shows every transfer; memory is taken by dates. */
#ifndef ACCOUNTING_DATE_CHECK_H
#define ACCOUNTING_DATE_CHECK_H

#include "accounting/accounting_state.h"

/* One date: what its rows say, and what the transfers shown so far come to. */
struct accounting_date_sum {
    char date[ATES_DATE_SIZE];
    bool has_first, seen_first;
    int64_t first_timestamp, seen_timestamp;
    uint64_t paid_count, seen_count;
    int64_t total_cents, seen_cents;
};

struct accounting_date_check {
    struct ates_arena *arena;
    struct accounting_date_sum *dates; /* in order */
    size_t count, capacity, last;
};

/* Reads both tables' rows, into the transaction's arena. */
int accounting_date_check_begin(struct accounting_date_check *self, struct ates_txn *txn);
/* ATES_NOT_FOUND where the transfer's date has no row; -EOVERFLOW. */
int accounting_date_check_add(struct accounting_date_check *self,
                              const struct accounting_transfer *transfer);
/* 0, or -EBADMSG with one line in error. */
int accounting_date_check_end(const struct accounting_date_check *self, char *error,
                              size_t error_size);

#endif
