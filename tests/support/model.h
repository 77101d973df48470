/* What the services must have come to: folded by the tests from the tasks log and the drawn prices
 * alone, and held against what every service shows. A second, plain implementation of the money's
 * rules. */
#ifndef ATES_TEST_MODEL_H
#define ATES_TEST_MODEL_H

#include <ates/accounting.h>
#include <ates/tasks.h>

#include "core/calendar.h"
#include "support/event_log.h"

struct model_task {
    struct ates_text name, description;
    struct ates_text jira_id;    /* empty: none */
    struct ates_text older_name; /* by task_created.v1; empty: it did not tell of it */
    uint64_t assigned_to, created_by;
    bool is_finished;
    uint64_t assignments; /* the first included */
    bool is_charged;      /* of an event of its creation, the first of whichever version */
    int64_t fee_cents, reward_cents;
    int64_t completed_at; /* where it is finished */
};

/* What was booked for an account to a business date. */
struct model_booked {
    ates_day day;
    int64_t cents; /* payouts aside */
    bool is_paid;
    int64_t paid_cents;
};

struct model_account {
    int64_t balance_cents;
    struct model_booked *days; /* in the order of their first transfers */
    size_t day_count;
};

struct model_day {
    ates_day day;
    int64_t income_cents; /* fees - rewards */
    bool has_late;        /* something whose own day was closed already */
    bool is_closed;
    size_t paid_count;
    int64_t paid_cents;
};

struct model {
    /* Analytics may call a task by its older name: it has moved to version 2 after that told of it.
     * To be set after the fold. */
    bool takes_older_names;
    struct event_log tasks_log, accounting_log;
    struct model_task *tasks; /* task 1 at 0 */
    size_t task_count, finished_count, reassignment_count;
    struct model_account *accounts; /* by user id, up to the last one with a transfer */
    size_t account_count;
    struct model_day *days;
    size_t day_count;
    int64_t income_cents, paid_cents; /* of all days */
    size_t paid_count;
};

/* Reads and folds both logs. Everybody must have followed everything (flow_catch_up). */
void model_fold(struct model *model, struct flow *flow);
void model_free(struct model *model);

/* The ledger of it (model_ledger.c), as the transfers come. Books a fee or a reward whose cause
 * happened at this time: to that day, or, where it was closed, to the one after the closed ones. */
void model_book(struct model *model, const struct accounting_transfer *transfer, int64_t caused_at);
/* A payout: all that the account had at the day's end, more than nothing, once. */
void model_pay(struct model *model, const struct accounting_transfer *transfer);
/* A day's end: the figures are those of its payouts, and nobody is left with money of that day. */
void model_close(struct model *model, const struct accounting_payout_closed *closed);
/* After the last transfer: what was booked late was booked to the day after a closed one. */
void model_end(struct model *model);

/* The user's balance; 0 where there is no account. */
int64_t model_balance(const struct model *model, uint64_t user_id);

/* Holds against the model: the prices (one pair a task, in range), the transfers (the rules' and no
 * others, each with its running balance), every user's balance, the income, every task as it is
 * listed; that all balances with the company's sum to 0; that each payout has its mail; and that
 * analytics says the same. */
void model_check(struct model *model, struct flow *flow);

/* The last of these (model_analytics.c): incomes, negative balances and the most expensive task of
 * every day and of all. */
void model_check_analytics(const struct model *model, struct flow *flow);

/* Both, where the test looks at nothing else. */
void model_verify(struct flow *flow);

/* Stopped services only: every table of every service is what a rebuild from its log gives, and the
 * services' own checks find nothing. */
void model_check_rebuild(struct flow *flow);

#endif
