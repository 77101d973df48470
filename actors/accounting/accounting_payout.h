/* Closing a business date: everybody is paid the positive balance they had at its end.
 *
 * pay_to_workers only asks for it, after it has asked tasks for its head; the steps do it. A payout
 * waits until what tasks has said up to that head is booked, then closes the date - from then on
 * nothing is booked to it, so that the balances at its end stand - and pays account by account, in
 * chunks. Where it is, is in its row: a restart goes on there.
 *
 * Invariants: dates are closed in order, one at a time, each once; an account is paid once for a
 * date, as the chunk that pays it also moves next_user_id on. */
#ifndef ACCOUNTING_PAYOUT_H
#define ACCOUNTING_PAYOUT_H

#include "accounting/accounting_state.h"

/* What tasks answers to the work that accounting_handle_pay_to_workers defers to. */
struct accounting_ask_output {
    bool answered;
    uint64_t seq; /* tasks' head */
};
ates_decide_fn accounting_handle_pay_to_workers;
ates_answer_fn accounting_answer_pay_to_workers;

/* A part of the open payout, if there is one and it need not wait. *more: there is more to do. */
int accounting_payout_step(struct ates_call *call, bool *more);

ates_apply_fn accounting_apply_payout_requested, accounting_apply_payout_started,
    accounting_apply_payout_advanced, accounting_apply_payout_closed;
/* A transfer of kind payout that was posted. */
int accounting_apply_payout(struct ates_txn *txn, const struct accounting_transfer *transfer);

#endif
