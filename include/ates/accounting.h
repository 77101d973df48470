/* The accounting service: its commands, results and events (PROTOCOL.md sections 7 and 8).
 * Invariant: a struct here and the table of the same name say the same; only the table knows
 * limits. Money is in cents. */
#ifndef ATES_ACCOUNTING_H
#define ATES_ACCOUNTING_H

#include <ates/service.h>

#pragma GCC visibility push(default)

#define ACCOUNTING_ASSIGN_PRICE_CENTS_MIN 1000
#define ACCOUNTING_ASSIGN_PRICE_CENTS_MAX 2000
#define ACCOUNTING_COMPLETE_PRICE_CENTS_MIN 2000
#define ACCOUNTING_COMPLETE_PRICE_CENTS_MAX 4000
#define ACCOUNTING_DESCRIPTION_MAX 200  /* characters */
#define ACCOUNTING_INCOME_DAYS_MAX 1000 /* in one answer */
#define ACCOUNTING_MAIL_ERROR_MAX 256   /* characters */
#define ACCOUNTING_MAIL_SUBJECT_MAX 200 /* characters */
#define ACCOUNTING_MAIL_TEXT_MAX 100000 /* characters */

/* Why money was moved. */
enum accounting_kind { ACCOUNTING_ASSIGN_FEE, ACCOUNTING_COMPLETION_REWARD, ACCOUNTING_PAYOUT };
extern const char *const accounting_kind_names[];

struct accounting_transfer {
    uint64_t id;
    int64_t timestamp;
    uint64_t user_id;
    int kind; /* enum accounting_kind */
    int64_t delta_cents;
    int64_t balance_cents; /* the user's, after this transfer */
    bool has_task_id;
    uint64_t task_id;
    struct ates_text business_date;
    struct ates_text description;
};

struct accounting_show_balance {
    bool has_user_id;
    uint64_t user_id;
};
struct accounting_show_balance_result {
    uint64_t user_id;
    int64_t balance_cents;
    int64_t today_cents;
};

struct accounting_show_account_transfers {
    bool has_user_id;
    uint64_t user_id;
    bool has_from;
    int64_t from;
    bool has_to;
    int64_t to;
    bool has_newest_first;
    bool newest_first;
    bool has_after;
    struct ates_text after;
    bool has_limit;
    uint64_t limit;
};
struct accounting_show_account_transfers_result {
    struct ates_list items; /* struct accounting_transfer */
    bool has_next;
    struct ates_text next;
};

struct accounting_show_all_account_transfers {
    bool has_from;
    int64_t from;
    bool has_to;
    int64_t to;
    bool has_kind;
    int kind; /* enum accounting_kind */
    bool has_user_id;
    uint64_t user_id;
    bool has_newest_first;
    bool newest_first;
    bool has_after;
    struct ates_text after;
    bool has_limit;
    uint64_t limit;
};
struct accounting_show_all_account_transfers_result {
    struct ates_list items; /* struct accounting_transfer */
    bool has_next;
    struct ates_text next;
};

struct accounting_show_income {
    bool has_from_date;
    struct ates_text from_date;
    bool has_to_date;
    struct ates_text to_date;
};
struct accounting_income {
    struct ates_text date;
    int64_t income_cents;
};
struct accounting_show_income_result {
    struct ates_list items; /* struct accounting_income, at most ACCOUNTING_INCOME_DAYS_MAX */
};

/* Closes a business date: pays everybody what they had at its end. */
struct accounting_pay_to_workers {
    bool has_business_date; /* else today, up to now */
    struct ates_text business_date;
    bool has_dry_run;
    bool dry_run; /* tells what would be paid, and pays nothing */
};
struct accounting_pay_to_workers_result {
    struct ates_text business_date;
    uint64_t paid_count;
    int64_t total_cents;
    bool has_already_closed;
    bool already_closed; /* before this command, which moved nothing */
};

/* A mail is queued with its payout. sending is told of a queued one that is under way just now. */
enum accounting_mail_state {
    ACCOUNTING_MAIL_QUEUED,
    ACCOUNTING_MAIL_SENDING,
    ACCOUNTING_MAIL_SENT,
    ACCOUNTING_MAIL_DEAD
};
extern const char *const accounting_mail_state_names[];

struct accounting_mail {
    uint64_t id;
    struct ates_text to; /* empty where no address is known */
    struct ates_text subject;
    int state; /* enum accounting_mail_state */
    uint64_t attempts;
    bool has_last_error;
    struct ates_text last_error; /* the server's words */
    int64_t created_at;
    bool has_sent_at;
    int64_t sent_at;
    bool has_next_attempt_at; /* of a queued one */
    int64_t next_attempt_at;
};
struct accounting_show_mails {
    bool has_state;
    int state;
    bool has_newest_first;
    bool newest_first;
    bool has_after;
    struct ates_text after;
    bool has_limit;
    uint64_t limit;
};
struct accounting_show_mails_result {
    struct ates_list items; /* struct accounting_mail */
    bool has_next;
    struct ates_text next;
};
struct accounting_show_mail {
    uint64_t mail_id;
};
struct accounting_show_mail_result {
    struct accounting_mail mail;
    struct ates_text text; /* the mail's plain text */
};
struct accounting_retry_mail {
    uint64_t mail_id;
};

extern const struct ates_message accounting_pay_to_workers_message,
    accounting_pay_to_workers_result_message, accounting_mail_message,
    accounting_show_mails_message, accounting_show_mails_result_message,
    accounting_show_mail_message, accounting_show_mail_result_message,
    accounting_retry_mail_message;
extern const struct ates_message accounting_transfer_message, accounting_show_balance_message,
    accounting_show_balance_result_message, accounting_show_account_transfers_message,
    accounting_show_account_transfers_result_message, accounting_show_all_account_transfers_message,
    accounting_show_all_account_transfers_result_message, accounting_show_income_message,
    accounting_income_message, accounting_show_income_result_message;

/* Events. */
struct accounting_task_priced {
    uint64_t task_id;
    int64_t assign_price_cents;
    int64_t complete_price_cents;
};
struct accounting_transfer_recorded {
    struct accounting_transfer transfer;
};
struct accounting_payout_closed {
    struct ates_text business_date;
    uint64_t paid_count;
    int64_t total_cents;
};
struct accounting_mail_sent {
    uint64_t mail_id;
    struct ates_text to;
    uint64_t attempts;
};
struct accounting_mail_dead {
    uint64_t mail_id;
    struct ates_text to;
    uint64_t attempts;
    struct ates_text error;
};
/* Of a snapshot: what stood after its last event. */
struct accounting_balance_snapshot {
    uint64_t user_id;
    int64_t balance_cents;
};
struct accounting_income_snapshot {
    struct ates_text business_date;
    int64_t income_cents;
};
/* The highest rewards of each day's completions, the highest of all among them. */
struct accounting_reward_snapshot {
    uint64_t task_id;
    int64_t complete_price_cents;
    int64_t completed_at;
};
/* payout_snapshot is payout_closed again. */
extern const struct ates_message accounting_balance_snapshot_message,
    accounting_income_snapshot_message, accounting_reward_snapshot_message,
    accounting_payout_snapshot_message;

/* Private: a payout was asked for, and waits until what tasks has said up to this seq is booked. */
struct accounting_payout_requested {
    struct ates_text business_date;
    uint64_t tasks_seq;
    uint64_t requested_by;
    bool has_request_id;
    struct ates_text request_id;
    bool has_traceparent;
    struct ates_text traceparent;
};
/* Private: the date takes no more transfers; its accounts are paid one after the other. */
struct accounting_payout_started {
    struct ates_text business_date;
};
/* Private: the accounts before this one are done. */
struct accounting_payout_advanced {
    struct ates_text business_date;
    uint64_t next_user_id;
};
/* Private: a payout's mail, in the record of its transfer. */
struct accounting_mail_queued {
    uint64_t mail_id;
    uint64_t user_id;
    struct ates_text to; /* empty where no address is known */
    struct ates_text business_date;
    int64_t paid_cents;
};
/* Private: an attempt failed; there will be another. */
struct accounting_mail_failed {
    uint64_t mail_id;
    struct ates_text error;
    int64_t next_attempt_at;
};
/* Private: a dead mail is queued again. */
struct accounting_mail_retried {
    uint64_t mail_id;
};
/* Private: what tasks said of a task, for the descriptions of its transfers. */
struct accounting_task_known {
    uint64_t task_id;
    struct ates_text name;
};

extern const struct ates_message accounting_task_priced_message,
    accounting_transfer_recorded_message, accounting_payout_closed_message,
    accounting_mail_sent_message, accounting_mail_dead_message, accounting_payout_requested_message,
    accounting_payout_started_message, accounting_payout_advanced_message,
    accounting_mail_queued_message, accounting_mail_failed_message, accounting_mail_retried_message,
    accounting_task_known_message;

extern const struct ates_service accounting_service;

#pragma GCC visibility pop

#endif
