/* The mails of payouts: queued with them, sent by workers one attempt at a time, tried again for
 * days, given up, and tried again by hand.
 *
 * Invariants: money never waits for a mail; what became of an attempt is in the log before the next
 * one begins; a mail is sent twice only where the server took it and its answer, or our record of
 * it, was lost. */
#ifndef ACCOUNTING_MAIL_H
#define ACCOUNTING_MAIL_H

#include "accounting/accounting_mail_state.h"

/* Workers that the domain needs: those that send, and one that is never theirs. */
#define ACCOUNTING_SENDERS 4u
#define ACCOUNTING_WORKERS (ACCOUNTING_SENDERS + 1u)

/* The domain's memory: how mails are sent. Refuses settings that contradict each other, and a
 * password file that cannot be read or that others may read. */
int accounting_mail_open(const struct ates_config *config, const char *keys_dir, void **memory,
                         char *error, size_t error_size);
void accounting_mail_close(void **memory);

/* Emits the mail that tells the user of a payout; queued tells how many this call has queued before
 * it. */
int accounting_queue_mail(struct ates_call *call, uint64_t user_id, int64_t paid_cents,
                          struct ates_text business_date, size_t queued);

/* Begins the attempts that are due, as many as there are senders. */
int accounting_mail_step(struct ates_call *call);
int accounting_mail_ended(struct ates_call *call, const struct ates_work *work, uint64_t mail_id,
                          const void *output);

/* How many are queued and dead, for struct ates_domain's measure. */
int accounting_mail_measure(struct ates_txn *txn, struct ates_figures *figures);

ates_answer_fn accounting_answer_show_mails, accounting_answer_show_mail;
ates_decide_fn accounting_handle_retry_mail;

ates_apply_fn accounting_apply_mail_queued, accounting_apply_mail_failed,
    accounting_apply_mail_sent, accounting_apply_mail_dead, accounting_apply_mail_retried;

#endif
