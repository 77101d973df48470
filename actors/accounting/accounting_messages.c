/* The field tables of the accounting service, and its commands and events in PROTOCOL.md's order.
 * Invariant: what a message may hold is said here and nowhere else. */
#include <ates/accounting.h>
#include <ates/tasks.h>

#include "core/fields.h"

#define IS_KIND .type = ATES_ENUM, .names = accounting_kind_names
#define IS_MAIL_STATE .type = ATES_ENUM, .names = accounting_mail_state_names
#define IS_MAIL_ERROR .type = ATES_TEXT, .rule = ATES_RULE_LINE, .max = ACCOUNTING_MAIL_ERROR_MAX
/* Empty where none is known, hence no ATES_IS_EMAIL. */
#define IS_ADDRESS .type = ATES_TEXT, .rule = ATES_RULE_LINE, .max = ATES_EMAIL_MAX

const char *const accounting_kind_names[] = {
    [ACCOUNTING_ASSIGN_FEE] = "assign_fee",
    [ACCOUNTING_COMPLETION_REWARD] = "completion_reward",
    [ACCOUNTING_PAYOUT] = "payout",
    NULL,
};

const char *const accounting_mail_state_names[] = {
    [ACCOUNTING_MAIL_QUEUED] = "queued",
    [ACCOUNTING_MAIL_SENDING] = "sending",
    [ACCOUNTING_MAIL_SENT] = "sent",
    [ACCOUNTING_MAIL_DEAD] = "dead",
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
    {ATES_OPTIONAL(accounting_show_account_transfers, newest_first), ATES_IS_NEWEST_FIRST},
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
    {ATES_OPTIONAL(accounting_show_all_account_transfers, newest_first), ATES_IS_NEWEST_FIRST},
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

static const struct ates_field accounting_pay_to_workers_fields[] = {
    {ATES_OPTIONAL(accounting_pay_to_workers, business_date), ATES_IS_DATE,
     .summary = "the date to close; today, up to now, unless given"},
    {ATES_OPTIONAL(accounting_pay_to_workers, dry_run), .type = ATES_BOOL,
     .summary = "tell what would be paid, and pay nothing"},
};
ATES_MESSAGE(accounting_pay_to_workers, "pay_to_workers");

static const struct ates_field accounting_pay_to_workers_result_fields[] = {
    {ATES_FIELD(accounting_pay_to_workers_result, business_date), ATES_IS_DATE},
    {ATES_FIELD(accounting_pay_to_workers_result, paid_count), ATES_IS_COUNT},
    {ATES_FIELD(accounting_pay_to_workers_result, total_cents), ATES_IS_CENTS},
    {ATES_OPTIONAL(accounting_pay_to_workers_result, already_closed), .type = ATES_BOOL,
     .summary = "true where the date had been closed before"},
};
ATES_MESSAGE(accounting_pay_to_workers_result, "pay_to_workers_result");

static const struct ates_field accounting_mail_fields[] = {
    {ATES_FIELD(accounting_mail, id), ATES_IS_ID},
    {ATES_FIELD(accounting_mail, to), IS_ADDRESS},
    {ATES_FIELD(accounting_mail, subject), .type = ATES_TEXT, .rule = ATES_RULE_LINE,
     .max = ACCOUNTING_MAIL_SUBJECT_MAX},
    {ATES_FIELD(accounting_mail, state), IS_MAIL_STATE},
    {ATES_FIELD(accounting_mail, attempts), ATES_IS_COUNT},
    {ATES_OPTIONAL(accounting_mail, last_error), IS_MAIL_ERROR,
     .summary = "what the mail server said last"},
    {ATES_FIELD(accounting_mail, created_at), ATES_IS_TIME},
    {ATES_OPTIONAL(accounting_mail, sent_at), ATES_IS_TIME},
    {ATES_OPTIONAL(accounting_mail, next_attempt_at), ATES_IS_TIME},
};
ATES_MESSAGE(accounting_mail, "mail");

static const struct ates_field accounting_show_mails_fields[] = {
    {ATES_OPTIONAL(accounting_show_mails, state), IS_MAIL_STATE,
     .summary = "only mails in this state"},
    {ATES_OPTIONAL(accounting_show_mails, newest_first), ATES_IS_NEWEST_FIRST},
    {ATES_OPTIONAL(accounting_show_mails, after), ATES_IS_AFTER},
    {ATES_OPTIONAL(accounting_show_mails, limit), ATES_IS_LIMIT},
};
ATES_MESSAGE(accounting_show_mails, "show_mails");

static const struct ates_field accounting_show_mails_result_fields[] = {
    {ATES_FIELD(accounting_show_mails_result, items), ATES_IS_ITEMS(accounting_mail_message)},
    {ATES_OPTIONAL(accounting_show_mails_result, next), ATES_IS_NEXT},
};
ATES_MESSAGE(accounting_show_mails_result, "show_mails_result");

static const struct ates_field accounting_show_mail_fields[] = {
    {ATES_FIELD(accounting_show_mail, mail_id), ATES_IS_ID},
};
ATES_MESSAGE(accounting_show_mail, "show_mail");

static const struct ates_field accounting_show_mail_result_fields[] = {
    {ATES_FIELD(accounting_show_mail_result, mail), ATES_IS_STRUCT(accounting_mail_message)},
    {ATES_FIELD(accounting_show_mail_result, text), .type = ATES_TEXT, .rule = ATES_RULE_TEXT,
     .max = ACCOUNTING_MAIL_TEXT_MAX},
};
ATES_MESSAGE(accounting_show_mail_result, "show_mail_result");

static const struct ates_field accounting_retry_mail_fields[] = {
    {ATES_FIELD(accounting_retry_mail, mail_id), ATES_IS_ID},
};
ATES_MESSAGE(accounting_retry_mail, "retry_mail");

static const struct ates_field accounting_task_priced_fields[] = {
    {ATES_FIELD(accounting_task_priced, task_id), ATES_IS_ID},
    {ATES_FIELD(accounting_task_priced, assign_price_cents), .type = ATES_INT,
     .unit = ATES_UNIT_CENTS, .min = ACCOUNTING_ASSIGN_PRICE_CENTS_MIN,
     .max = ACCOUNTING_ASSIGN_PRICE_CENTS_MAX},
    {ATES_FIELD(accounting_task_priced, complete_price_cents), .type = ATES_INT,
     .unit = ATES_UNIT_CENTS, .min = ACCOUNTING_COMPLETE_PRICE_CENTS_MIN,
     .max = ACCOUNTING_COMPLETE_PRICE_CENTS_MAX},
};
ATES_MESSAGE(accounting_task_priced, "task_priced");

static const struct ates_field accounting_transfer_recorded_fields[] = {
    {ATES_FIELD(accounting_transfer_recorded, transfer),
     ATES_IS_STRUCT(accounting_transfer_message)},
};
ATES_MESSAGE(accounting_transfer_recorded, "transfer_recorded");

static const struct ates_field accounting_payout_closed_fields[] = {
    {ATES_FIELD(accounting_payout_closed, business_date), ATES_IS_DATE},
    {ATES_FIELD(accounting_payout_closed, paid_count), ATES_IS_COUNT},
    {ATES_FIELD(accounting_payout_closed, total_cents), ATES_IS_CENTS},
};
ATES_MESSAGE(accounting_payout_closed, "payout_closed");

static const struct ates_field accounting_mail_sent_fields[] = {
    {ATES_FIELD(accounting_mail_sent, mail_id), ATES_IS_ID},
    {ATES_FIELD(accounting_mail_sent, to), IS_ADDRESS},
    {ATES_FIELD(accounting_mail_sent, attempts), ATES_IS_COUNT},
};
ATES_MESSAGE(accounting_mail_sent, "mail_sent");

static const struct ates_field accounting_mail_dead_fields[] = {
    {ATES_FIELD(accounting_mail_dead, mail_id), ATES_IS_ID},
    {ATES_FIELD(accounting_mail_dead, to), IS_ADDRESS},
    {ATES_FIELD(accounting_mail_dead, attempts), ATES_IS_COUNT},
    {ATES_FIELD(accounting_mail_dead, error), IS_MAIL_ERROR},
};
ATES_MESSAGE(accounting_mail_dead, "mail_dead");

static const struct ates_field accounting_payout_requested_fields[] = {
    {ATES_FIELD(accounting_payout_requested, business_date), ATES_IS_DATE},
    {ATES_FIELD(accounting_payout_requested, tasks_seq), .type = ATES_UINT},
    {ATES_FIELD(accounting_payout_requested, requested_by), .type = ATES_UINT,
     .unit = ATES_UNIT_ID},
    {ATES_OPTIONAL(accounting_payout_requested, request_id), ATES_IS_REQUEST_ID},
    {ATES_OPTIONAL(accounting_payout_requested, traceparent), ATES_IS_TRACEPARENT},
};
ATES_MESSAGE(accounting_payout_requested, "payout_requested");

static const struct ates_field accounting_payout_started_fields[] = {
    {ATES_FIELD(accounting_payout_started, business_date), ATES_IS_DATE},
};
ATES_MESSAGE(accounting_payout_started, "payout_started");

static const struct ates_field accounting_payout_advanced_fields[] = {
    {ATES_FIELD(accounting_payout_advanced, business_date), ATES_IS_DATE},
    {ATES_FIELD(accounting_payout_advanced, next_user_id), ATES_IS_ID},
};
ATES_MESSAGE(accounting_payout_advanced, "payout_advanced");

static const struct ates_field accounting_mail_queued_fields[] = {
    {ATES_FIELD(accounting_mail_queued, mail_id), ATES_IS_ID},
    {ATES_FIELD(accounting_mail_queued, user_id), ATES_IS_ID},
    {ATES_FIELD(accounting_mail_queued, to), IS_ADDRESS},
    {ATES_FIELD(accounting_mail_queued, business_date), ATES_IS_DATE},
    {ATES_FIELD(accounting_mail_queued, paid_cents), ATES_IS_CENTS},
};
ATES_MESSAGE(accounting_mail_queued, "mail_queued");

static const struct ates_field accounting_mail_failed_fields[] = {
    {ATES_FIELD(accounting_mail_failed, mail_id), ATES_IS_ID},
    {ATES_FIELD(accounting_mail_failed, error), IS_MAIL_ERROR},
    {ATES_FIELD(accounting_mail_failed, next_attempt_at), ATES_IS_TIME},
};
ATES_MESSAGE(accounting_mail_failed, "mail_failed");

static const struct ates_field accounting_mail_retried_fields[] = {
    {ATES_FIELD(accounting_mail_retried, mail_id), ATES_IS_ID},
};
ATES_MESSAGE(accounting_mail_retried, "mail_retried");

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
        .name = "pay_to_workers",
        .summary =
            "Closes a business date: pays everybody the positive balance they had at its end, "
            "each with a mail.",
        .body = &accounting_pay_to_workers_message,
        .result = &accounting_pay_to_workers_result_message,
        .waits = true,
        .callers = ATES_ROLE(ATES_INTERNALSERVICE) | ACCOUNTANT,
    },
    {
        .name = "show_income",
        .summary = "Lists the company's income of each business day.",
        .body = &accounting_show_income_message,
        .result = &accounting_show_income_result_message,
        .is_query = true,
        .callers = ACCOUNTANT | ADMINISTRATOR,
    },
    {
        .name = "show_mails",
        .summary = "Lists the mails of payouts.",
        .body = &accounting_show_mails_message,
        .result = &accounting_show_mails_result_message,
        .is_query = true,
        .callers = ACCOUNTANT | ADMINISTRATOR,
    },
    {
        .name = "show_mail",
        .summary = "Shows one mail with its text.",
        .body = &accounting_show_mail_message,
        .result = &accounting_show_mail_result_message,
        .is_query = true,
        .callers = ACCOUNTANT | ADMINISTRATOR,
    },
    {
        .name = "retry_mail",
        .summary = "Sends a mail again that was given up, or one that waits, at once.",
        .body = &accounting_retry_mail_message,
        .result = &ates_empty_message,
        .callers = ACCOUNTANT | ADMINISTRATOR,
    },
};

#define PRIVATE(NAME, SUMMARY)                                                                     \
    {                                                                                              \
        .data = &accounting_##NAME##_message, .version = 1, .is_private = true, .summary = SUMMARY \
    }

static const struct ates_field accounting_balance_snapshot_fields[] = {
    {ATES_FIELD(accounting_balance_snapshot, user_id), ATES_IS_ID},
    {ATES_FIELD(accounting_balance_snapshot, balance_cents), ATES_IS_CENTS},
};
ATES_MESSAGE(accounting_balance_snapshot, "balance_snapshot");

static const struct ates_field accounting_income_snapshot_fields[] = {
    {ATES_FIELD(accounting_income_snapshot, business_date), ATES_IS_DATE},
    {ATES_FIELD(accounting_income_snapshot, income_cents), ATES_IS_CENTS},
};
ATES_MESSAGE(accounting_income_snapshot, "income_snapshot");

static const struct ates_field accounting_reward_snapshot_fields[] = {
    {ATES_FIELD(accounting_reward_snapshot, task_id), ATES_IS_ID},
    {ATES_FIELD(accounting_reward_snapshot, complete_price_cents), ATES_IS_CENTS},
    {ATES_FIELD(accounting_reward_snapshot, completed_at), ATES_IS_TIME},
};
ATES_MESSAGE(accounting_reward_snapshot, "reward_snapshot");

const struct ates_message accounting_payout_snapshot_message = {
    .name = "payout_snapshot",
    .fields = accounting_payout_closed_fields,
    .count = sizeof accounting_payout_closed_fields / sizeof accounting_payout_closed_fields[0],
    .size = sizeof(struct accounting_payout_closed),
};

#define SNAPSHOT(NAME, SUMMARY)                                                                    \
    {                                                                                              \
        .data = &accounting_##NAME##_snapshot_message, .version = 1, .summary = SUMMARY            \
    }
static const struct ates_event_type snapshots[] = {
    SNAPSHOT(balance, "What a user's account holds."),
    SNAPSHOT(income, "The company's income of a business date."),
    SNAPSHOT(reward, "A reward that was the highest of its day so far."),
    SNAPSHOT(payout, "A business date that was closed, and what it paid."),
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
        .data = &accounting_payout_closed_message,
        .version = 1,
        .summary = "Everybody was paid what they had at a business date's end.",
    },
    {
        .data = &accounting_mail_sent_message,
        .version = 1,
        .summary = "The mail server took a payout's mail.",
    },
    {
        .data = &accounting_mail_dead_message,
        .version = 1,
        .summary = "A payout's mail was given up.",
    },
    PRIVATE(payout_requested, "A payout waits for tasks' events."),
    PRIVATE(payout_started, "A date is closed, its accounts are being paid."),
    PRIVATE(payout_advanced, "A part of the accounts is done."),
    PRIVATE(mail_queued, "A payout's mail."),
    PRIVATE(mail_failed, "An attempt to send a mail failed; there will be another."),
    PRIVATE(mail_retried, "A mail is to be sent again."),
    PRIVATE(task_known, "What a followed event said of a task."),
};

const struct ates_service accounting_service = {
    .name = "accounting",
    .commands = commands,
    .command_count = sizeof commands / sizeof commands[0],
    .events = events,
    .event_count = sizeof events / sizeof events[0],
    .snapshots = snapshots,
    .snapshot_count = sizeof snapshots / sizeof snapshots[0],
};
