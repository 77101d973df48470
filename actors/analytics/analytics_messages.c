/* The field tables of the analytics service, and its commands and events in PROTOCOL.md's order.
 * Invariant: what a message may hold is said here and nowhere else. */
#include <ates/analytics.h>
#include <ates/tasks.h>

#include "core/fields.h"

#define IS_NAME .type = ATES_TEXT, .rule = ATES_RULE_TEXT, .min = 1, .max = TASKS_NAME_MAX
#define IS_JIRA_ID                                                                                 \
    .type = ATES_TEXT, .rule = ATES_RULE_ISSUE, .min = TASKS_JIRA_ID_MIN, .max = TASKS_JIRA_ID_MAX
#define IS_DAYS(MESSAGE)                                                                           \
    .type = ATES_LIST, .item = ATES_STRUCT, .message = &MESSAGE, .max = ANALYTICS_DAYS_MAX

const char *const analytics_period_names[] = {
    [ANALYTICS_DAY] = "day",
    [ANALYTICS_WEEK] = "week",
    [ANALYTICS_MONTH] = "month",
    NULL,
};

static const struct ates_field analytics_today_income_result_fields[] = {
    {ATES_FIELD(analytics_today_income_result, date), ATES_IS_DATE},
    {ATES_FIELD(analytics_today_income_result, income_cents), ATES_IS_CENTS},
};
ATES_MESSAGE(analytics_today_income_result, "today_income_result");

static const struct ates_field analytics_show_income_fields[] = {
    {ATES_FIELD(analytics_show_income, from_date), ATES_IS_DATE, .summary = "the first date"},
    {ATES_FIELD(analytics_show_income, to_date), ATES_IS_DATE, .summary = "the last date"},
};
ATES_MESSAGE(analytics_show_income, "show_income");

static const struct ates_field analytics_income_fields[] = {
    {ATES_FIELD(analytics_income, date), ATES_IS_DATE},
    {ATES_FIELD(analytics_income, income_cents), ATES_IS_CENTS},
};
ATES_MESSAGE(analytics_income, "income");

static const struct ates_field analytics_show_income_result_fields[] = {
    {ATES_FIELD(analytics_show_income_result, items), IS_DAYS(analytics_income_message)},
};
ATES_MESSAGE(analytics_show_income_result, "show_income_result");

static const struct ates_field analytics_negative_balances_fields[] = {
    {ATES_OPTIONAL(analytics_negative_balances, after), ATES_IS_AFTER},
    {ATES_OPTIONAL(analytics_negative_balances, limit), ATES_IS_LIMIT},
};
ATES_MESSAGE(analytics_negative_balances, "negative_balances");

static const struct ates_field analytics_negative_balance_fields[] = {
    {ATES_FIELD(analytics_negative_balance, user_id), ATES_IS_ID},
    {ATES_OPTIONAL(analytics_negative_balance, login), ATES_IS_LOGIN},
    {ATES_FIELD(analytics_negative_balance, balance_cents), ATES_IS_CENTS},
};
ATES_MESSAGE(analytics_negative_balance, "negative_balance");

static const struct ates_field analytics_negative_balances_result_fields[] = {
    {ATES_FIELD(analytics_negative_balances_result, count), ATES_IS_COUNT},
    {ATES_FIELD(analytics_negative_balances_result, items),
     ATES_IS_ITEMS(analytics_negative_balance_message)},
    {ATES_OPTIONAL(analytics_negative_balances_result, next), ATES_IS_NEXT},
};
ATES_MESSAGE(analytics_negative_balances_result, "negative_balances_result");

static const struct ates_field analytics_show_the_most_expensive_task_fields[] = {
    {ATES_OPTIONAL(analytics_show_the_most_expensive_task, period), .type = ATES_ENUM,
     .names = analytics_period_names, .summary = "which stretch of the calendar around date"},
    {ATES_OPTIONAL(analytics_show_the_most_expensive_task, date), ATES_IS_DATE,
     .summary = "a date within the period, today unless given"},
    {ATES_OPTIONAL(analytics_show_the_most_expensive_task, from_date), ATES_IS_DATE,
     .summary = "the first date, instead of period"},
    {ATES_OPTIONAL(analytics_show_the_most_expensive_task, to_date), ATES_IS_DATE,
     .summary = "the last date, instead of period"},
};
ATES_MESSAGE(analytics_show_the_most_expensive_task, "show_the_most_expensive_task");

static const struct ates_field analytics_task_fields[] = {
    {ATES_FIELD(analytics_task, task_id), ATES_IS_ID},
    {ATES_FIELD(analytics_task, name), IS_NAME},
    {ATES_FIELD(analytics_task, complete_price_cents), ATES_IS_CENTS},
    {ATES_FIELD(analytics_task, completed_at), ATES_IS_TIME},
    {ATES_OPTIONAL(analytics_task, jira_id), IS_JIRA_ID},
};
ATES_MESSAGE(analytics_task, "task");

static const struct ates_field analytics_day_fields[] = {
    {ATES_FIELD(analytics_day, date), ATES_IS_DATE},
    {ATES_OPTIONAL(analytics_day, task), ATES_IS_STRUCT(analytics_task_message)},
};
ATES_MESSAGE(analytics_day, "day");

static const struct ates_field analytics_show_the_most_expensive_task_result_fields[] = {
    {ATES_FIELD(analytics_show_the_most_expensive_task_result, from_date), ATES_IS_DATE},
    {ATES_FIELD(analytics_show_the_most_expensive_task_result, to_date), ATES_IS_DATE},
    {ATES_OPTIONAL(analytics_show_the_most_expensive_task_result, task),
     ATES_IS_STRUCT(analytics_task_message)},
    {ATES_FIELD(analytics_show_the_most_expensive_task_result, days),
     IS_DAYS(analytics_day_message)},
};
ATES_MESSAGE(analytics_show_the_most_expensive_task_result, "show_the_most_expensive_task_result");

static const struct ates_field analytics_task_known_fields[] = {
    {ATES_FIELD(analytics_task_known, task_id), ATES_IS_ID},
    {ATES_FIELD(analytics_task_known, name), IS_NAME},
    {ATES_OPTIONAL(analytics_task_known, jira_id), IS_JIRA_ID},
};
ATES_MESSAGE(analytics_task_known, "task_known");

static const struct ates_field analytics_completion_fields[] = {
    {ATES_FIELD(analytics_completion, task_id), ATES_IS_ID},
    {ATES_FIELD(analytics_completion, complete_price_cents), ATES_IS_CENTS},
    {ATES_FIELD(analytics_completion, completed_at), ATES_IS_TIME},
    {ATES_FIELD(analytics_completion, date), ATES_IS_DATE},
};
ATES_MESSAGE(analytics_completion, "completion");

static const struct ates_field analytics_transfer_known_fields[] = {
    {ATES_FIELD(analytics_transfer_known, user_id), ATES_IS_ID},
    {ATES_FIELD(analytics_transfer_known, balance_cents), ATES_IS_CENTS},
    {ATES_FIELD(analytics_transfer_known, business_date), ATES_IS_DATE},
    {ATES_FIELD(analytics_transfer_known, income_cents), ATES_IS_CENTS},
    {ATES_OPTIONAL(analytics_transfer_known, completion),
     ATES_IS_STRUCT(analytics_completion_message)},
};
ATES_MESSAGE(analytics_transfer_known, "transfer_known");

static const struct ates_field analytics_balance_known_fields[] = {
    {ATES_FIELD(analytics_balance_known, user_id), ATES_IS_ID},
    {ATES_FIELD(analytics_balance_known, balance_cents), ATES_IS_CENTS},
};
ATES_MESSAGE(analytics_balance_known, "balance_known");

static const struct ates_field analytics_income_known_fields[] = {
    {ATES_FIELD(analytics_income_known, business_date), ATES_IS_DATE},
    {ATES_FIELD(analytics_income_known, income_cents), ATES_IS_CENTS},
};
ATES_MESSAGE(analytics_income_known, "income_known");

const struct ates_message analytics_completion_known_message = {
    .name = "completion_known",
    .fields = analytics_completion_fields,
    .count = sizeof analytics_completion_fields / sizeof analytics_completion_fields[0],
    .size = sizeof(struct analytics_completion),
};

#define ADMINISTRATOR ATES_ROLE(ATES_ADMINISTRATOR)

static const struct ates_command commands[] = {
    {
        .name = "today_income",
        .summary = "Shows the company's income of today.",
        .body = &ates_empty_message,
        .result = &analytics_today_income_result_message,
        .is_query = true,
        .callers = ADMINISTRATOR,
    },
    {
        .name = "show_income",
        .summary = "Lists the company's income of each business day.",
        .body = &analytics_show_income_message,
        .result = &analytics_show_income_result_message,
        .is_query = true,
        .callers = ADMINISTRATOR,
    },
    {
        .name = "negative_balances",
        .summary = "Counts and lists the users whose balance is below zero.",
        .body = &analytics_negative_balances_message,
        .result = &analytics_negative_balances_result_message,
        .is_query = true,
        .callers = ADMINISTRATOR,
    },
    {
        .name = "show_the_most_expensive_task",
        .summary = "Shows the task with the highest reward among those completed in a period, and "
                   "each of its days' own.",
        .body = &analytics_show_the_most_expensive_task_message,
        .result = &analytics_show_the_most_expensive_task_result_message,
        .is_query = true,
        .callers = ADMINISTRATOR,
    },
};

static const struct ates_event_type events[] = {
    {
        .data = &analytics_task_known_message,
        .version = 1,
        .is_private = true,
        .summary = "What a followed event said of a task.",
    },
    {
        .data = &analytics_transfer_known_message,
        .version = 1,
        .is_private = true,
        .summary = "What a followed event said of a transfer.",
    },
    {
        .data = &analytics_balance_known_message,
        .version = 1,
        .is_private = true,
        .summary = "What a snapshot said of a user's balance.",
    },
    {
        .data = &analytics_income_known_message,
        .version = 1,
        .is_private = true,
        .summary = "What a snapshot said of a date's income.",
    },
    {
        .data = &analytics_completion_known_message,
        .version = 1,
        .is_private = true,
        .summary = "What a snapshot said of one of a day's best completions.",
    },
};

const struct ates_service analytics_service = {
    .name = "analytics",
    .commands = commands,
    .command_count = sizeof commands / sizeof commands[0],
    .events = events,
    .event_count = sizeof events / sizeof events[0],
};
