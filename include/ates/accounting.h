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
/* Private: what tasks said of a task, for the descriptions of its transfers. */
struct accounting_task_known {
    uint64_t task_id;
    struct ates_text name;
};

extern const struct ates_message accounting_task_priced_message,
    accounting_transfer_recorded_message, accounting_task_known_message;

extern const struct ates_service accounting_service;

#pragma GCC visibility pop

#endif
