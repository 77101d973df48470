/* How money moves: a transfer is booked (decided, as an event) and posted (applied to the
 * accounts).
 *
 * Invariants: cents are integers within what the wire can carry, added with checks only; a
 * transfer's date is open when it is booked. */
#ifndef ACCOUNTING_LEDGER_H
#define ACCOUNTING_LEDGER_H

#include "accounting/accounting_state.h"

/* Adds cents. -EOVERFLOW, with *sum untouched, where the sum is beyond +-ATES_INTEGER_MAX. */
int accounting_add(int64_t a, int64_t b, int64_t *sum);

/* Emits transfer_recorded for what happened at this time (Unix ms). draft says user_id, kind,
 * delta_cents, task_id and description; id, timestamp, business_date and balance_cents are given
 * here. At most once a call, as the id and the balance come from the state. Refuses:
 * INVALID_ARGUMENT / TIME_OUT_OF_RANGE; FAILED_PRECONDITION / BALANCE_OUT_OF_RANGE. */
int accounting_book(struct ates_call *call, int64_t time, const struct accounting_transfer *draft);

/* Emits the transfer that pays cents to the user for this business date, which is closed; booked
 * tells how many this call has booked before it, each for another user. */
int accounting_book_payout(struct ates_call *call, uint64_t user_id, int64_t cents,
                           struct ates_text business_date, size_t booked);

/* Moves a booked transfer's cents between the user's account and the company's, and keeps the
 * transfer. -EUCLEAN where it does not follow from the state. */
int accounting_post(struct ates_txn *txn, const struct accounting_transfer *transfer);

#endif
