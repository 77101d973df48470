/* The analytics service: its commands, results and events (PROTOCOL.md sections 7 and 8).
 * Invariant: a struct here and the table of the same name say the same; only the table knows
 * limits. Money is in cents. */
#ifndef ATES_ANALYTICS_H
#define ATES_ANALYTICS_H

#include <ates/service.h>

#pragma GCC visibility push(default)

#define ANALYTICS_DAYS_MAX 1000 /* in one answer */

/* A stretch of the calendar around a date; a week begins on Monday. */
enum analytics_period { ANALYTICS_DAY, ANALYTICS_WEEK, ANALYTICS_MONTH };
extern const char *const analytics_period_names[];

struct analytics_today_income_result {
    struct ates_text date;
    int64_t income_cents;
};

struct analytics_show_income {
    struct ates_text from_date;
    struct ates_text to_date;
};
struct analytics_income {
    struct ates_text date;
    int64_t income_cents;
};
struct analytics_show_income_result {
    struct ates_list items; /* struct analytics_income, one a day */
};

struct analytics_negative_balances {
    bool has_after;
    struct ates_text after;
    bool has_limit;
    uint64_t limit;
};
struct analytics_negative_balance {
    uint64_t user_id;
    bool has_login; /* not before auth's event of the user has arrived */
    struct ates_text login;
    int64_t balance_cents;
};
struct analytics_negative_balances_result {
    uint64_t count;         /* of all, whatever the page holds */
    struct ates_list items; /* struct analytics_negative_balance, the largest debt first */
    bool has_next;
    struct ates_text next;
};

/* Either period, with a date within it (today unless given), or both from_date and to_date. */
struct analytics_show_the_most_expensive_task {
    bool has_period;
    int period; /* enum analytics_period */
    bool has_date;
    struct ates_text date;
    bool has_from_date;
    struct ates_text from_date;
    bool has_to_date;
    struct ates_text to_date;
};
struct analytics_task {
    uint64_t task_id;
    struct ates_text name;
    int64_t complete_price_cents;
    int64_t completed_at;
    bool has_jira_id;
    struct ates_text jira_id;
};
struct analytics_day {
    struct ates_text date;
    bool has_task; /* not where no task was completed */
    struct analytics_task task;
};
struct analytics_show_the_most_expensive_task_result {
    struct ates_text from_date; /* of the whole period, its future days included */
    struct ates_text to_date;
    bool has_task;
    struct analytics_task task;
    struct ates_list days; /* struct analytics_day, none in the future */
};

extern const struct ates_message analytics_today_income_result_message,
    analytics_show_income_message, analytics_income_message, analytics_show_income_result_message,
    analytics_negative_balances_message, analytics_negative_balance_message,
    analytics_negative_balances_result_message, analytics_show_the_most_expensive_task_message,
    analytics_task_message, analytics_day_message,
    analytics_show_the_most_expensive_task_result_message;

/* Events, all of them private: what followed ones said, with the business days worked out. */
struct analytics_task_known {
    uint64_t task_id;
    struct ates_text name;
    bool has_jira_id;
    struct ates_text jira_id;
};
struct analytics_completion {
    uint64_t task_id;
    int64_t complete_price_cents;
    int64_t completed_at;
    struct ates_text date; /* the business day of completed_at */
};
struct analytics_transfer_known {
    uint64_t user_id;
    int64_t balance_cents;          /* the user's, after it */
    struct ates_text business_date; /* whose income it changes */
    int64_t income_cents;           /* by how much; 0 of a payout */
    bool has_completion;            /* of a completion's reward */
    struct analytics_completion completion;
};

/* What a snapshot said of an account, of a date, and of a day's completion. */
struct analytics_balance_known {
    uint64_t user_id;
    int64_t balance_cents;
};
struct analytics_income_known {
    struct ates_text business_date;
    int64_t income_cents; /* of all the date */
};

extern const struct ates_message analytics_balance_known_message, analytics_income_known_message,
    analytics_completion_known_message;
extern const struct ates_message analytics_task_known_message, analytics_completion_message,
    analytics_transfer_known_message;

extern const struct ates_service analytics_service;

#pragma GCC visibility pop

#endif
