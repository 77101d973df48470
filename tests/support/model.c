/* The model; see model.h. */
#include "support/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include <ates/accounting.h>

#include "core/calendar.h"
#include "core/check.h"
#include "core/rebuild.h"
#include "domains.h"

static struct model_task *task_of(struct model *model, uint64_t task_id)
{
    cr_assert(task_id >= 1 && task_id <= model->task_count, "task %lu was never created",
              (unsigned long)task_id);
    return &model->tasks[task_id - 1];
}

static void fold_created(struct model *model, const struct tasks_task_created *created)
{
    cr_assert_eq(created->task_id, model->task_count + 1, "task ids are dense");
    model->tasks[model->task_count++] = (struct model_task){
        .name = created->name,
        .description = created->description,
        .assigned_to = created->assigned_to,
        .created_by = created->created_by,
        .assignments = 1,
    };
}

/* One pair of prices a task, in range. */
static void fold_prices(struct model *model)
{
    struct accounting_task_priced priced;
    size_t count = 0;

    for (size_t i = 0; i < model->accounting_log.count; i++) {
        if (event_log_is(&model->accounting_log, i, &accounting_task_priced_message, &priced)) {
            struct model_task *task = task_of(model, priced.task_id);

            cr_assert_eq(task->fee_cents, 0, "task %lu is priced twice",
                         (unsigned long)priced.task_id);
            cr_assert(priced.assign_price_cents >= 1000 && priced.assign_price_cents <= 2000);
            cr_assert(priced.complete_price_cents >= 2000 && priced.complete_price_cents <= 4000);
            task->fee_cents = priced.assign_price_cents;
            task->reward_cents = priced.complete_price_cents;
            count++;
        }
    }
    cr_assert_eq(count, model->task_count, "%zu tasks are priced of %zu", count, model->task_count);
}

/* The transfer that the next of these events of tasks brings about. */
struct expected {
    uint64_t user_id, task_id;
    int kind;
    int64_t delta_cents;
};

/* What the event at index moves; false where it moves nothing. Folds the task's part of it. */
static bool fold_event(struct model *model, size_t index, struct expected *expected)
{
    union {
        struct tasks_task_created created;
        struct tasks_task_assigned assigned;
        struct tasks_task_completed completed;
    } of;
    const struct event_log *log = &model->tasks_log;

    if (event_log_is(log, index, &tasks_task_created_message, &of.created)) {
        *expected =
            (struct expected){of.created.assigned_to, of.created.task_id, ACCOUNTING_ASSIGN_FEE,
                              -task_of(model, of.created.task_id)->fee_cents};
    } else if (event_log_is(log, index, &tasks_task_assigned_message, &of.assigned)) {
        struct model_task *task = task_of(model, of.assigned.task_id);

        cr_assert_eq(task->assigned_to, of.assigned.from_user_id);
        cr_assert_not(task->is_finished, "a finished task is not assigned again");
        task->assigned_to = of.assigned.assigned_to;
        task->assignments++;
        model->reassignment_count++;
        *expected = (struct expected){of.assigned.assigned_to, of.assigned.task_id,
                                      ACCOUNTING_ASSIGN_FEE, -task->fee_cents};
    } else if (event_log_is(log, index, &tasks_task_completed_message, &of.completed)) {
        struct model_task *task = task_of(model, of.completed.task_id);

        cr_assert_eq(task->assigned_to, of.completed.completed_by);
        cr_assert_not(task->is_finished, "task %lu is completed twice",
                      (unsigned long)of.completed.task_id);
        task->is_finished = true;
        model->finished_count++;
        *expected = (struct expected){of.completed.completed_by, of.completed.task_id,
                                      ACCOUNTING_COMPLETION_REWARD, task->reward_cents};
    } else {
        return false;
    }
    cr_assert_lt(expected->user_id, MODEL_USERS_MAX);
    return true;
}

/* The accounting log's next transfer from *at on, which must be the expected one. */
static void take_transfer(struct model *model, const struct expected *expected, size_t *at)
{
    struct accounting_transfer_recorded recorded;
    const struct accounting_transfer *transfer = &recorded.transfer;

    while (*at < model->accounting_log.count &&
           !event_log_is(&model->accounting_log, *at, &accounting_transfer_recorded_message,
                         &recorded)) {
        ++*at;
    }
    cr_assert_lt(*at, model->accounting_log.count, "a transfer for task %lu is missing",
                 (unsigned long)expected->task_id);
    ++*at;
    cr_assert_eq(transfer->user_id, expected->user_id);
    cr_assert_eq(transfer->kind, expected->kind);
    cr_assert_eq(transfer->delta_cents, expected->delta_cents);
    cr_assert(transfer->has_task_id && transfer->task_id == expected->task_id);
    model->balance_cents[transfer->user_id] += expected->delta_cents;
    model->income_cents -= expected->delta_cents;
    cr_assert_eq(transfer->balance_cents, model->balance_cents[transfer->user_id]);
}

void model_fold(struct model *model, struct flow *flow)
{
    struct tasks_task_created created;
    struct accounting_transfer_recorded recorded;
    struct expected expected;
    size_t at = 0;

    *model = (struct model){.task_count = 0};
    event_log_read(&model->tasks_log, flow, "tasks");
    event_log_read(&model->accounting_log, flow, "accounting");
    model->tasks = calloc(model->tasks_log.count + 1, sizeof *model->tasks);
    cr_assert_not_null(model->tasks);
    for (size_t i = 0; i < model->tasks_log.count; i++) {
        if (event_log_is(&model->tasks_log, i, &tasks_task_created_message, &created)) {
            fold_created(model, &created);
        }
    }
    fold_prices(model);
    for (size_t i = 0; i < model->tasks_log.count; i++) {
        if (fold_event(model, i, &expected)) {
            take_transfer(model, &expected, &at);
        }
    }
    for (; at < model->accounting_log.count; at++) {
        cr_assert_not(event_log_is(&model->accounting_log, at,
                                   &accounting_transfer_recorded_message, &recorded),
                      "a transfer too many: seq %zu", at + 1);
    }
}

void model_free(struct model *model)
{
    event_log_free(&model->tasks_log);
    event_log_free(&model->accounting_log);
    free(model->tasks);
    model->tasks = NULL;
}

static void check_balances(const struct model *model, struct flow *flow)
{
    struct accounting_show_income_result income;
    int64_t shown_cents = 0, sum_cents = 0;

    for (uint64_t user = 1; user <= FLOW_USERS; user++) {
        const struct accounting_show_balance body = {.has_user_id = true, .user_id = user};
        struct accounting_show_balance_result balance;

        flow_do(flow, FLOW_ADMINISTRATOR, &accounting_service, "show_balance", &body, &balance);
        cr_assert_eq(balance.balance_cents, model->balance_cents[user], "%s has %ld, not %ld cents",
                     flow_login(user), (long)balance.balance_cents,
                     (long)model->balance_cents[user]);
        sum_cents += balance.balance_cents;
    }
    flow_do(flow, FLOW_ACCOUNTANT, &accounting_service, "show_income", NULL, &income);
    for (size_t i = 0; i < income.items.count; i++) {
        shown_cents += ((const struct accounting_income *)income.items.items)[i].income_cents;
    }
    cr_assert_eq(shown_cents, model->income_cents, "income is fees less rewards");
    cr_assert_eq(sum_cents + shown_cents, 0, "all balances with the company's sum to 0");
}

/* The transfers as they are listed sum to the balances. */
static void check_listed_transfers(const struct model *model, struct flow *flow)
{
    struct accounting_show_all_account_transfers body = {.has_limit = true, .limit = 1000};
    struct accounting_show_all_account_transfers_result page;
    int64_t sums[MODEL_USERS_MAX] = {0};

    do {
        flow_do(flow, FLOW_ACCOUNTANT, &accounting_service, "show_all_account_transfers", &body,
                &page);
        for (size_t i = 0; i < page.items.count; i++) {
            const struct accounting_transfer *transfer =
                &((const struct accounting_transfer *)page.items.items)[i];

            cr_assert_lt(transfer->user_id, MODEL_USERS_MAX);
            sums[transfer->user_id] += transfer->delta_cents;
        }
        body.has_after = page.has_next;
        body.after = page.next;
    } while (page.has_next);
    for (size_t user = 0; user < MODEL_USERS_MAX; user++) {
        cr_assert_eq(sums[user], model->balance_cents[user]);
    }
}

static void check_listed_tasks(struct model *model, struct flow *flow)
{
    struct tasks_show_all_assigned_tasks body = {.has_limit = true, .limit = 1000};
    struct tasks_show_all_assigned_tasks_result page;
    uint64_t seen = 0;

    do {
        flow_do(flow, FLOW_MANAGER, &tasks_service, "show_all_assigned_tasks", &body, &page);
        for (size_t i = 0; i < page.items.count; i++) {
            const struct tasks_task *task = &((const struct tasks_task *)page.items.items)[i];
            const struct model_task *expected = task_of(model, ++seen);

            cr_assert_eq(task->id, seen, "the list is dense");
            cr_assert(ates_text_equal(task->name, expected->name));
            cr_assert(ates_text_equal(task->description, expected->description));
            cr_assert_eq(task->assigned_to, expected->assigned_to);
            cr_assert_eq(task->created_by, expected->created_by);
            cr_assert_eq(task->is_finished, expected->is_finished);
        }
        body.has_after = page.has_next;
        body.after = page.next;
    } while (page.has_next);
    cr_assert_eq(seen, model->task_count);
}

void model_check(struct model *model, struct flow *flow)
{
    check_balances(model, flow);
    check_listed_transfers(model, flow);
    check_listed_tasks(model, flow);
    ates_arena_reset(flow->arena);
}

void model_verify(struct flow *flow)
{
    struct model model;
    struct event_log auth_log;

    flow_catch_up(flow);
    event_log_read(&auth_log, flow, "auth");
    event_log_free(&auth_log);
    model_fold(&model, flow);
    model_check(&model, flow);
    model_free(&model);
}

void model_check_rebuild(struct flow *flow)
{
    const struct ates_setting flags[] = {{"data", flow->data_dir}, {"run", flow->run_dir}};
    static struct ates_config config;
    char error[1024] = "";

    cr_assert_eq(ates_config_load(&config, "/dev/null", flags, 2, error, sizeof error), 0, "%s",
                 error);
    cr_assert_eq(ates_calendar_open(config.time_zone), 0);
    for (size_t i = 0; ates_domains[i] != NULL; i++) {
        static struct ates_rebuild_report rebuilt;
        struct ates_check_report checked;
        const char *name = ates_domains[i]->service->name;

        cr_assert_eq(ates_check(ates_domains[i], &config, NULL, &checked, error, sizeof error), 0,
                     "%s: %s", name, error);
        cr_assert_eq(ates_rebuild(ates_domains[i], &config, NULL, &rebuilt, error, sizeof error), 0,
                     "%s: %s", name, error);
        for (size_t j = 0; j < rebuilt.table_count; j++) {
            cr_assert_eq(rebuilt.tables[j].rows.differences, 0,
                         "%s's table %s is not what its log gives: %lu rows differ, first %s", name,
                         rebuilt.tables[j].name, (unsigned long)rebuilt.tables[j].rows.differences,
                         rebuilt.tables[j].rows.first_key);
        }
        cr_assert_not(rebuilt.differs, "%s: %s", name, rebuilt.unreadable);
    }
}
