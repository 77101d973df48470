/* Accounting's tables, and their rows read and written. Integers in keys and rows are big-endian,
 * 8 bytes.
 *
 * task_prices  task id                         -> fee, reward
 * task_names   task id                         -> name
 * transfers    timestamp, id, kind (1 byte)    -> the encoded transfer
 * by_user      user id, timestamp, id, kind    -> nothing
 * accounts     account id                      -> balance
 * day_totals   business date (text), account id -> the sum of that day's fees and rewards
 * dates        business date (text)            -> the earliest timestamp of its fees and rewards
 * payouts      business date (text)            -> struct accounting_payout
 * counters     "counters"                      -> last transfer id, closed through (day; -1: none),
 *                                                 last mail id
 * mails, mails_by_state, mails_due: accounting_mail_state.h
 *
 * Both orders in which transfers are listed end in the transfers' own key, so an index row leads to
 * its transfer; the kind at the end filters without a look at the row. Business dates come first in
 * day_totals: what a day writes lies together, whoever it was for.
 *
 * Invariants: every transfer moves its cents between the user's account and the company's, so all
 * balances sum to 0, and so do all totals of a date; the company's total of a date is its income.
 */
#ifndef ACCOUNTING_STATE_H
#define ACCOUNTING_STATE_H

#include <ates/accounting.h>

#include "core/calendar.h"
#include "core/domain.h"

enum accounting_table {
    ACCOUNTING_TASK_PRICES = ATES_TABLE_DOMAIN,
    ACCOUNTING_TASK_NAMES,
    ACCOUNTING_TRANSFERS,
    ACCOUNTING_BY_USER,
    ACCOUNTING_ACCOUNTS,
    ACCOUNTING_DAY_TOTALS,
    ACCOUNTING_COUNTERS,
    ACCOUNTING_DATES,
    ACCOUNTING_PAYOUTS,
    ACCOUNTING_MAILS,
    ACCOUNTING_MAILS_BY_STATE,
    ACCOUNTING_MAILS_DUE
};
extern const char *const accounting_tables[]; /* NULL at the end */
#define ACCOUNTING_STATE_VERSION 2u           /* to be raised with every change of a row */

/* The company's account; a user's has the user's id. */
#define ACCOUNTING_COMPANY UINT64_C(0)

/* What is known of a task. */
struct accounting_task {
    int64_t assign_price_cents;
    int64_t complete_price_cents;
    struct ates_text name;
};
int accounting_state_get_task(struct ates_txn *txn, uint64_t task_id, struct accounting_task *task);
int accounting_state_put_prices(struct ates_txn *txn, const struct accounting_task_priced *prices);
int accounting_state_put_name(struct ates_txn *txn, const struct accounting_task_known *known);

/* 0 where the account has ever moved, else ATES_NOT_FOUND. */
int accounting_state_find_account(struct ates_txn *txn, uint64_t account_id);
/* An account that has never moved holds 0. */
int accounting_state_get_balance(struct ates_txn *txn, uint64_t account_id, int64_t *cents);
int accounting_state_put_balance(struct ates_txn *txn, uint64_t account_id, int64_t cents);
int accounting_state_get_day_total(struct ates_txn *txn, struct ates_text date, uint64_t account_id,
                                   int64_t *cents);
int accounting_state_put_day_total(struct ates_txn *txn, struct ates_text date, uint64_t account_id,
                                   int64_t cents);
struct ates_key accounting_day_total_key(struct ates_text date, uint64_t account_id);

struct accounting_counters {
    uint64_t last_transfer_id;
    ates_day closed_through; /* this business day and all before it are closed; -1 where none is */
    uint64_t last_mail_id;
};
int accounting_state_get_counters(struct ates_txn *txn, struct accounting_counters *counters);
int accounting_state_put_counters(struct ates_txn *txn, const struct accounting_counters *counters);

/* Business dates that have fees or rewards. ATES_NOT_FOUND where this one has none. */
int accounting_state_get_date(struct ates_txn *txn, struct ates_text date,
                              int64_t *first_timestamp);
int accounting_state_put_date(struct ates_txn *txn, struct ates_text date, int64_t first_timestamp);
/* The first such date; ATES_NOT_FOUND where nothing was ever booked. */
int accounting_state_first_date(struct ates_txn *txn, ates_day *day);

/* The payout of a business date. */
enum accounting_phase {
    ACCOUNTING_PAYOUT_WAITING, /* for what tasks has said */
    ACCOUNTING_PAYOUT_PAYING,
    ACCOUNTING_PAYOUT_CLOSED
};
struct accounting_payout {
    struct ates_text business_date;
    int phase; /* enum accounting_phase */
    uint64_t tasks_seq;
    uint64_t requested_by;
    bool has_request_id;
    struct ates_text request_id;
    bool has_traceparent;
    struct ates_text traceparent;
    uint64_t next_user_id; /* the accounts before it are done */
    uint64_t paid_count;
    int64_t total_cents;
};
int accounting_state_get_payout(struct ates_txn *txn, struct ates_text date,
                                struct accounting_payout *payout);
int accounting_state_put_payout(struct ates_txn *txn, const struct accounting_payout *payout);
/* The one that is not closed yet; ATES_NOT_FOUND where there is none. */
int accounting_state_open_payout(struct ates_txn *txn, struct accounting_payout *payout);

/* Where a transfer stands in the listings' order. */
struct accounting_place {
    int64_t timestamp;
    uint64_t id;
    int kind; /* enum accounting_kind */
};
int accounting_state_put_transfer(struct ates_txn *txn, const struct accounting_transfer *transfer);
/* row_size: of the encoded transfer. */
int accounting_state_get_transfer(struct ates_txn *txn, const struct accounting_place *place,
                                  struct accounting_transfer *transfer, size_t *row_size);
struct ates_key accounting_transfer_key(const struct accounting_place *place);
/* The place at the end of a key of transfers or by_user; -EBADMSG where it has none. */
int accounting_place_from(struct ates_bytes key, struct accounting_place *place);

/* Walks the places of everybody's transfers (user_id NULL) or of one user's, in order from the
 * first that is not before from, or, the newest first, down from the last that is. ATES_NOT_FOUND
 * at the end. */
int accounting_scan_open(struct ates_scan *scan, struct ates_txn *txn, const uint64_t *user_id,
                         const struct accounting_place *from, bool newest_first);
int accounting_scan_next(struct ates_scan *scan, struct accounting_place *place);

#endif
