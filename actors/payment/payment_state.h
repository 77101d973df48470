/* Payment's table, and its one row read and written.
 *
 * schedule  "schedule" -> the encoded struct payment_schedule
 *
 * Invariants: every business date before the next one is closed, or had nothing to close, or was
 * before the schedule began; failures are those of the next date, and with them goes the time of the
 * next try. */
#ifndef PAYMENT_STATE_H
#define PAYMENT_STATE_H

#include <ates/payment.h>

#include "core/calendar.h"
#include "core/store.h"

struct payment_schedule {
    bool has_next_business_date; /* from the first step on */
    struct ates_text next_business_date;
    uint64_t failures; /* in a row */
    bool has_retry_at;
    int64_t retry_at;
    bool has_last_run;
    struct payment_last_run last_run;
};

extern const char *const payment_tables[]; /* NULL at the end */

/* What no row says is all zero. */
int payment_state_get_schedule(struct ates_txn *txn, struct payment_schedule *schedule);
int payment_state_put_schedule(struct ates_txn *txn, const struct payment_schedule *schedule);

/* struct ates_domain's check: whether the row says what it may. */
int payment_state_check(struct ates_txn *txn, char *error, size_t error_size);

#endif
