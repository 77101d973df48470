/* What the services must have come to: folded by the tests from the tasks log and the drawn prices
 * alone, and held against what every service shows. A second, plain implementation of the money's
 * rules. */
#ifndef ATES_TEST_MODEL_H
#define ATES_TEST_MODEL_H

#include <ates/tasks.h>

#include "support/event_log.h"

#define MODEL_USERS_MAX 32u

struct model_task {
    struct ates_text name, description;
    uint64_t assigned_to, created_by;
    bool is_finished;
    uint64_t assignments; /* the first included */
    int64_t fee_cents, reward_cents;
};

struct model {
    struct event_log tasks_log, accounting_log;
    struct model_task *tasks; /* task 1 at 0 */
    size_t task_count, finished_count, reassignment_count;
    int64_t balance_cents[MODEL_USERS_MAX]; /* by user id */
    int64_t income_cents;                   /* fees - rewards */
};

/* Reads and folds both logs. Everybody must have followed everything (flow_catch_up). */
void model_fold(struct model *model, struct flow *flow);
void model_free(struct model *model);

/* Holds against the model: the prices (one pair a task, in range), the transfers (the rules' and no
 * others, each with its running balance), every user's balance, the income, every task as it is
 * listed; and that all balances with the company's sum to 0. */
void model_check(struct model *model, struct flow *flow);

/* Both, where the test looks at nothing else. */
void model_verify(struct flow *flow);

/* Stopped services only: every table of every service is what a rebuild from its log gives, and the
 * services' own checks find nothing. */
void model_check_rebuild(struct flow *flow);

#endif
