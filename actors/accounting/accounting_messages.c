/* The field tables of the accounting service, and its commands and events in PROTOCOL.md's order.
 * Invariant: what a message may hold is said here and nowhere else. */
#include <ates/accounting.h>
#include <ates/tasks.h>

#include "core/fields.h"

#define IS_KIND .type = ATES_ENUM, .names = accounting_kind_names

const char *const accounting_kind_names[] = {
    [ACCOUNTING_ASSIGN_FEE] = "assign_fee",
    [ACCOUNTING_COMPLETION_REWARD] = "completion_reward",
    [ACCOUNTING_PAYOUT] = "payout",
    NULL,
};

static const struct ates_field accounting_transfer_fields[] = {
    {ATES_FIELD(accounting_transfer, id), ATES_IS_ID},
    {ATES_FIELD(accounting_transfer, timestamp), ATES_IS_TIME},
    {ATES_FIELD(accounting_transfer, user_id), ATES_IS_ID},
    {ATES_FIELD(accounting_transfer, kind), IS_KIND},
    {ATES_FIELD(accounting_transfer, delta_cents), ATES_IS_CENTS},
    {ATES_FIELD(accounting_transfer, balance_cents), ATES_IS_CENTS},
    {ATES_OPTIONAL(accounting_transfer, task_id), ATES_IS_ID},
    {ATES_FIELD(accounting_transfer, business_date), ATES_IS_DATE},
    {ATES_FIELD(accounting_transfer, description), .type = ATES_TEXT, .rule = ATES_RULE_TEXT,
     .max = ACCOUNTING_DESCRIPTION_MAX},
};
ATES_MESSAGE(accounting_transfer, "transfer");

static const struct ates_field accounting_show_balance_fields[] = {
    {ATES_OPTIONAL(accounting_show_balance, user_id), ATES_IS_ID,
     .summary = "whose balance; the caller's unless given"},
};
ATES_MESSAGE(accounting_show_balance, "show_balance");

static const struct ates_field accounting_show_balance_result_fields[] = {
    {ATES_FIELD(accounting_show_balance_result, user_id), ATES_IS_ID},
    {ATES_FIELD(accounting_show_balance_result, balance_cents), ATES_IS_CENTS},
    {ATES_FIELD(accounting_show_balance_result, today_cents), ATES_IS_CENTS},
};
ATES_MESSAGE(accounting_show_balance_result, "show_balance_result");

static const struct ates_field accounting_show_account_transfers_fields[] = {
    {ATES_OPTIONAL(accounting_show_account_transfers, user_id), ATES_IS_ID,
     .summary = "whose account; the caller's unless given"},
    {ATES_OPTIONAL(accounting_show_account_transfers, from), ATES_IS_TIME,
     .summary = "only transfers at or after this time"},
    {ATES_OPTIONAL(accounting_show_account_transfers, to), ATES_IS_TIME,
     .summary = "only transfers before this time"},
    {ATES_OPTIONAL(accounting_show_account_transfers, after), ATES_IS_AFTER},
    {ATES_OPTIONAL(accounting_show_account_transfers, limit), ATES_IS_LIMIT},
};
ATES_MESSAGE(accounting_show_account_transfers, "show_account_transfers");

static const struct ates_field accounting_show_account_transfers_result_fields[] = {
    {ATES_FIELD(accounting_show_account_transfers_result, items),
     ATES_IS_ITEMS(accounting_transfer_message)},
    {ATES_OPTIONAL(accounting_show_account_transfers_result, next), ATES_IS_NEXT},
};
ATES_MESSAGE(accounting_show_account_transfers_result, "show_account_transfers_result");

static const struct ates_field accounting_show_all_account_transfers_fields[] = {
    {ATES_OPTIONAL(accounting_show_all_account_transfers, from), ATES_IS_TIME,
     .summary = "only transfers at or after this time"},
    {ATES_OPTIONAL(accounting_show_all_account_transfers, to), ATES_IS_TIME,
     .summary = "only transfers before this time"},
    {ATES_OPTIONAL(accounting_show_all_account_transfers, kind), IS_KIND,
     .summary = "only transfers of this kind"},
    {ATES_OPTIONAL(accounting_show_all_account_transfers, user_id), ATES_IS_ID,
     .summary = "only transfers of this user"},
    {ATES_OPTIONAL(accounting_show_all_account_transfers, after), ATES_IS_AFTER},
    {ATES_OPTIONAL(accounting_show_all_account_transfers, limit), ATES_IS_LIMIT},
};
ATES_MESSAGE(accounting_show_all_account_transfers, "show_all_account_transfers");

static const struct ates_field accounting_show_all_account_transfers_result_fields[] = {
    {ATES_FIELD(accounting_show_all_account_transfers_result, items),
     ATES_IS_ITEMS(accounting_transfer_message)},
    {ATES_OPTIONAL(accounting_show_all_account_transfers_result, next), ATES_IS_NEXT},
};
ATES_MESSAGE(accounting_show_all_account_transfers_result, "show_all_account_transfers_result");

static const struct ates_field accounting_show_income_fields[] = {
    {ATES_OPTIONAL(accounting_show_income, from_date), ATES_IS_DATE, .summary = "the first date"},
    {ATES_OPTIONAL(accounting_show_income, to_date), ATES_IS_DATE, .summary = "the last date"},
};
ATES_MESSAGE(accounting_show_income, "show_income");

static const struct ates_field accounting_income_fields[] = {
    {ATES_FIELD(accounting_income, date), ATES_IS_DATE},
    {ATES_FIELD(accounting_income, income_cents), ATES_IS_CENTS},
};
ATES_MESSAGE(accounting_income, "income");

static const struct ates_field accounting_show_income_result_fields[] = {
    {ATES_FIELD(accounting_show_income_result, items), .type = ATES_LIST, .item = ATES_STRUCT,
     .message = &accounting_income_message, .max = ACCOUNTING_INCOME_DAYS_MAX},
};
ATES_MESSAGE(accounting_show_income_result, "show_income_result");

static const struct ates_field accounting_task_priced_fields[] = {
    {ATES_FIELD(accounting_task_priced, task_id), ATES_IS_ID},
    {ATES_FIELD(accounting_task_priced, assign_price_cents), .type = ATES_INT,
     .min = ACCOUNTING_ASSIGN_PRICE_CENTS_MIN, .max = ACCOUNTING_ASSIGN_PRICE_CENTS_MAX},
    {ATES_FIELD(accounting_task_priced, complete_price_cents), .type = ATES_INT,
     .min = ACCOUNTING_COMPLETE_PRICE_CENTS_MIN, .max = ACCOUNTING_COMPLETE_PRICE_CENTS_MAX},
};
ATES_MESSAGE(accounting_task_priced, "task_priced");

static const struct ates_field accounting_transfer_recorded_fields[] = {
    {ATES_FIELD(accounting_transfer_recorded, transfer),
     ATES_IS_STRUCT(accounting_transfer_message)},
};
ATES_MESSAGE(accounting_transfer_recorded, "transfer_recorded");

static const struct ates_field accounting_task_known_fields[] = {
    {ATES_FIELD(accounting_task_known, task_id), ATES_IS_ID},
    {ATES_FIELD(accounting_task_known, name), .type = ATES_TEXT, .rule = ATES_RULE_TEXT, .min = 1,
     .max = TASKS_NAME_MAX},
};
ATES_MESSAGE(accounting_task_known, "task_known");

#define ACCOUNTANT ATES_ROLE(ATES_ACCOUNTANT)
#define ADMINISTRATOR ATES_ROLE(ATES_ADMINISTRATOR)

static const struct ates_command commands[] = {
    {
        .name = "show_balance",
        .summary = "Shows the caller's balance or, for an accountant or an administrator, another "
                   "user's.",
        .body = &accounting_show_balance_message,
        .result = &accounting_show_balance_result_message,
        .is_query = true,
        .callers = ATES_ANY_ROLE,
        .others = ACCOUNTANT | ADMINISTRATOR,
    },
    {
        .name = "show_account_transfers",
        .summary = "Lists the caller's transfers or, for an accountant or an administrator, "
                   "another user's.",
        .body = &accounting_show_account_transfers_message,
        .result = &accounting_show_account_transfers_result_message,
        .is_query = true,
        .callers = ATES_ANY_ROLE,
        .others = ACCOUNTANT | ADMINISTRATOR,
    },
    {
        .name = "show_all_account_transfers",
        .summary = "Lists the transfers of everybody.",
        .body = &accounting_show_all_account_transfers_message,
        .result = &accounting_show_all_account_transfers_result_message,
        .is_query = true,
        .callers = ACCOUNTANT,
        .others = ACCOUNTANT,
    },
    {
        .name = "show_income",
        .summary = "Lists the company's income of each business day.",
        .body = &accounting_show_income_message,
        .result = &accounting_show_income_result_message,
        .is_query = true,
        .callers = ACCOUNTANT | ADMINISTRATOR,
    },
};

static const struct ates_event_type events[] = {
    {
        .data = &accounting_task_priced_message,
        .version = 1,
        .summary = "A task's fee and reward were drawn.",
    },
    {
        .data = &accounting_transfer_recorded_message,
        .version = 1,
        .summary = "Money was moved between a user and the company.",
    },
    {
        .data = &accounting_task_known_message,
        .version = 1,
        .is_private = true,
        .summary = "What a followed event said of a task.",
    },
};

const struct ates_service accounting_service = {
    .name = "accounting",
    .commands = commands,
    .command_count = sizeof commands / sizeof commands[0],
    .events = events,
    .event_count = sizeof events / sizeof events[0],
};
