/* The mails' rows.
 *
 * mails           mail id                    -> struct accounting_mail_row
 * mails_by_state  state (1 byte), mail id    -> nothing
 * mails_due       next attempt (Unix ms), id -> nothing; of queued ones
 *
 * Invariant: every mail has one row in mails_by_state, and one in mails_due while it is queued,
 * which say what its own row says. */
#ifndef ACCOUNTING_MAIL_STATE_H
#define ACCOUNTING_MAIL_STATE_H

#include "accounting/accounting_state.h"

struct accounting_mail_row {
    uint64_t id;
    uint64_t user_id;
    struct ates_text to; /* empty where no address is known */
    struct ates_text business_date;
    int64_t paid_cents;
    int state; /* enum accounting_mail_state, but never sending */
    uint64_t attempts;
    uint64_t failures; /* since it was queued, or queued again */
    bool has_last_error;
    struct ates_text last_error;
    int64_t created_at;
    int64_t queued_at; /* later than created_at where it was queued again */
    int64_t next_attempt_at;
    bool has_sent_at;
    int64_t sent_at;
};

int accounting_mail_get(struct ates_txn *txn, uint64_t mail_id, struct accounting_mail_row *mail);
/* before is NULL for a new one. */
int accounting_mail_put(struct ates_txn *txn, const struct accounting_mail_row *before,
                        const struct accounting_mail_row *mail);
/* The keys of its rows in mails_by_state and, where it is queued, in mails_due. */
struct ates_key accounting_mail_state_key(const struct accounting_mail_row *mail);
struct ates_key accounting_mail_due_key(const struct accounting_mail_row *mail);

/* Walks the ids of mails with this state (NULL: of all), in order from the first >= from_id, or,
 * the newest first, down from the last < from_id. */
int accounting_mail_scan_open(struct ates_scan *scan, struct ates_txn *txn, const int *state,
                              uint64_t from_id, bool newest_first);
/* Walks those that are due by time, the longest due first. */
int accounting_mail_due_open(struct ates_scan *scan, struct ates_txn *txn);
/* ATES_NOT_FOUND at the end. due_at (of accounting_mail_due_open) may be NULL. */
int accounting_mail_scan_next(struct ates_scan *scan, uint64_t *mail_id, int64_t *due_at);

#endif
