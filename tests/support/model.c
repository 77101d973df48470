/* The model; see model.h. */
#include "support/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "core/check.h"
#include "core/rebuild.h"
#include "domains.h"

static struct model_task *task_of(struct model *model, uint64_t task_id)
{
    cr_assert(task_id >= 1 && task_id <= model->task_count, "task %lu was never created",
              (unsigned long)task_id);
    return &model->tasks[task_id - 1];
}

/* Whether the event at index tells of a task's creation, in version 1 or 2; then created says it
 * in the form of version 2. */
static bool is_created(const struct event_log *log, size_t index,
                       struct tasks_task_created_v2 *created)
{
    struct tasks_task_created older;

    if (event_log_is(log, index, &tasks_task_created_v2_message, created)) {
        return true;
    }
    if (!event_log_is(log, index, &tasks_task_created_message, &older)) {
        return false;
    }
    *created = (struct tasks_task_created_v2){
        .task_id = older.task_id,
        .title = older.name,
        .description = older.description,
        .assigned_to = older.assigned_to,
        .created_by = older.created_by,
    };
    return true;
}

/* The first event of a task makes it, later ones only name it anew: by version 2, as version 1
 * never comes after it alone. */
static void fold_created(struct model *model, const struct tasks_task_created_v2 *created,
                         bool is_older)
{
    if (created->task_id > model->task_count) {
        cr_assert_eq(created->task_id, model->task_count + 1, "task ids are dense");
        model->tasks[model->task_count++] = (struct model_task){
            .description = created->description,
            .assigned_to = created->assigned_to,
            .created_by = created->created_by,
            .assignments = 1,
        };
    }
    struct model_task *task = task_of(model, created->task_id);
    if (is_older) {
        task->older_name = created->title;
    }
    task->name = created->title;
    task->jira_id = created->has_jira_id ? created->jira_id : (struct ates_text){"", 0};
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
        struct tasks_task_created_v2 created;
        struct tasks_task_assigned assigned;
        struct tasks_task_completed completed;
    } of;
    const struct event_log *log = &model->tasks_log;

    if (is_created(log, index, &of.created)) {
        struct model_task *task = task_of(model, of.created.task_id);

        if (task->is_charged) {
            return false;
        }
        task->is_charged = true;
        *expected = (struct expected){of.created.assigned_to, of.created.task_id,
                                      ACCOUNTING_ASSIGN_FEE, -task->fee_cents};
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
        task->completed_at = log->events[index].event_time;
        model->finished_count++;
        *expected = (struct expected){of.completed.completed_by, of.completed.task_id,
                                      ACCOUNTING_COMPLETION_REWARD, task->reward_cents};
    } else {
        return false;
    }
    return true;
}

/* Goes on to the next transfer from *at on that is not a payout's; false at the end. Takes what is
 * said of payouts in between. */
static bool next_transfer(struct model *model, size_t *at,
                          struct accounting_transfer_recorded *recorded)
{
    struct accounting_payout_closed closed;
    const struct event_log *log = &model->accounting_log;

    while (*at < log->count) {
        const size_t i = (*at)++;

        if (event_log_is(log, i, &accounting_payout_closed_message, &closed)) {
            model_close(model, &closed);
        } else if (event_log_is(log, i, &accounting_transfer_recorded_message, recorded)) {
            if (recorded->transfer.kind != ACCOUNTING_PAYOUT) {
                return true;
            }
            model_pay(model, &recorded->transfer);
        }
    }
    return false;
}

/* The accounting log's next transfer from *at on, which must be the expected one. */
static void take_transfer(struct model *model, const struct expected *expected, int64_t caused_at,
                          size_t *at)
{
    struct accounting_transfer_recorded recorded;
    const struct accounting_transfer *transfer = &recorded.transfer;

    cr_assert(next_transfer(model, at, &recorded), "a transfer for task %lu is missing",
              (unsigned long)expected->task_id);
    cr_assert_eq(transfer->user_id, expected->user_id);
    cr_assert_eq(transfer->kind, expected->kind);
    cr_assert_eq(transfer->delta_cents, expected->delta_cents);
    cr_assert(transfer->has_task_id && transfer->task_id == expected->task_id);
    model_book(model, transfer, caused_at);
}

void model_fold(struct model *model, struct flow *flow)
{
    struct tasks_task_created_v2 created;
    struct accounting_transfer_recorded recorded;
    struct expected expected;
    size_t at = 0;

    *model = (struct model){.task_count = 0};
    cr_assert_eq(ates_calendar_open(flow_load_config(flow)->time_zone), 0);
    event_log_read(&model->tasks_log, flow, "tasks");
    event_log_read(&model->accounting_log, flow, "accounting");
    model->tasks = calloc(model->tasks_log.count + 1, sizeof *model->tasks);
    cr_assert_not_null(model->tasks);
    for (size_t i = 0; i < model->tasks_log.count; i++) {
        if (is_created(&model->tasks_log, i, &created)) {
            fold_created(model, &created, model->tasks_log.events[i].event_version == 1);
        }
    }
    fold_prices(model);
    for (size_t i = 0; i < model->tasks_log.count; i++) {
        if (fold_event(model, i, &expected)) {
            take_transfer(model, &expected, model->tasks_log.events[i].event_time, &at);
        }
    }
    cr_assert_not(next_transfer(model, &at, &recorded), "a transfer too many: seq %zu", at);
    model_end(model);
}

void model_free(struct model *model)
{
    event_log_free(&model->tasks_log);
    event_log_free(&model->accounting_log);
    free(model->tasks);
    for (size_t i = 0; i < model->account_count; i++) {
        free(model->accounts[i].days);
    }
    free(model->accounts);
    free(model->days);
    *model = (struct model){.task_count = 0};
}

/* Users with or without an account. */
static uint64_t user_limit(const struct model *model)
{
    return model->account_count > FLOW_USERS ? model->account_count : FLOW_USERS + 1;
}

/* Day by day; returns the sum of what is shown. */
static int64_t check_incomes(const struct model *model, struct flow *flow)
{
    int64_t sum_cents = 0;

    for (size_t i = 0; i < model->day_count; i++) {
        const struct model_day *day = &model->days[i];
        char date[ATES_DATE_SIZE];
        const struct accounting_show_income body = {.has_from_date = true,
                                                    .from_date = {date, sizeof date - 1},
                                                    .has_to_date = true,
                                                    .to_date = {date, sizeof date - 1}};
        struct accounting_show_income_result shown;

        ates_day_format(day->day, date);
        flow_do(flow, FLOW_ACCOUNTANT, &accounting_service, "show_income", &body, &shown);
        cr_assert_eq(shown.items.count, 1);
        const int64_t cents = ((const struct accounting_income *)shown.items.items)->income_cents;
        cr_assert_eq(cents, day->income_cents, "%s has an income of %ld, not %ld cents", date,
                     (long)cents, (long)day->income_cents);
        sum_cents += cents;
    }
    return sum_cents;
}

static void check_balances(const struct model *model, struct flow *flow)
{
    int64_t shown_cents, sum_cents = 0;

    for (uint64_t user = 1; user < user_limit(model); user++) {
        const struct accounting_show_balance body = {.has_user_id = true, .user_id = user};
        struct accounting_show_balance_result balance;

        flow_do(flow, FLOW_ADMINISTRATOR, &accounting_service, "show_balance", &body, &balance);
        cr_assert_eq(balance.balance_cents, model_balance(model, user),
                     "user %lu has %ld, not %ld cents", (unsigned long)user,
                     (long)balance.balance_cents, (long)model_balance(model, user));
        ates_arena_reset(flow->arena);
        sum_cents += balance.balance_cents;
    }
    shown_cents = check_incomes(model, flow);
    cr_assert_eq(sum_cents + shown_cents + model->paid_cents, 0,
                 "all balances with the company's sum to 0");
}

/* The transfers as they are listed sum to the balances. */
static void check_listed_transfers(const struct model *model, struct flow *flow)
{
    struct accounting_show_all_account_transfers body = {.has_limit = true, .limit = 1000};
    struct accounting_show_all_account_transfers_result page;
    int64_t *sums = calloc(user_limit(model), sizeof *sums);
    size_t paid = 0;

    cr_assert_not_null(sums);

    do {
        flow_do(flow, FLOW_ACCOUNTANT, &accounting_service, "show_all_account_transfers", &body,
                &page);
        for (size_t i = 0; i < page.items.count; i++) {
            const struct accounting_transfer *transfer =
                &((const struct accounting_transfer *)page.items.items)[i];

            cr_assert_lt(transfer->user_id, user_limit(model));
            sums[transfer->user_id] += transfer->delta_cents;
            paid += transfer->kind == ACCOUNTING_PAYOUT;
        }
        body.has_after = page.has_next;
        body.after = page.next;
    } while (page.has_next);
    for (uint64_t user = 0; user < user_limit(model); user++) {
        cr_assert_eq(sums[user], model_balance(model, user));
    }
    cr_assert_eq(paid, model->paid_count);
    free(sums);
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
            cr_assert(ates_text_equal(task->has_jira_id ? task->jira_id : ates_text_from(""),
                                      expected->jira_id));
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

/* Each payout has one mail, whose place in the list is that of its payout. */
static void check_mails(const struct model *model, struct flow *flow)
{
    struct accounting_show_mails body = {.has_limit = true, .limit = 1000};
    struct accounting_show_mails_result page;
    uint64_t seen = 0;

    do {
        flow_do(flow, FLOW_ACCOUNTANT, &accounting_service, "show_mails", &body, &page);
        for (size_t i = 0; i < page.items.count; i++) {
            const struct accounting_mail *mail =
                &((const struct accounting_mail *)page.items.items)[i];

            cr_assert_eq(mail->id, ++seen, "the list is dense");
        }
        body.has_after = page.has_next;
        body.after = page.next;
    } while (page.has_next);
    cr_assert_eq(seen, model->paid_count, "%lu mails for %zu payouts", (unsigned long)seen,
                 model->paid_count);
}

void model_check(struct model *model, struct flow *flow)
{
    check_balances(model, flow);
    model_check_analytics(model, flow);
    check_listed_transfers(model, flow);
    check_mails(model, flow);
    check_listed_tasks(model, flow);
    ates_arena_reset(flow->arena);
}

/* Of the logs that nothing is folded from; reading one checks its chain. */
static void check_chains(struct flow *flow)
{
    static const char *const others[] = {"auth", "analytics", "payment"};
    struct event_log log;

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        event_log_read(&log, flow, others[i]);
        event_log_free(&log);
    }
}

void model_verify(struct flow *flow)
{
    struct model model;

    flow_catch_up(flow);
    check_chains(flow);
    model_fold(&model, flow);
    model_check(&model, flow);
    model_free(&model);
}

void model_check_rebuild(struct flow *flow)
{
    const struct ates_config *config = flow_load_config(flow);
    char error[1024] = "";

    cr_assert_eq(ates_calendar_open(config->time_zone), 0);
    for (size_t i = 0; ates_domains[i] != NULL; i++) {
        static struct ates_rebuild_report rebuilt;
        struct ates_check_report checked;
        const char *name = ates_domains[i]->service->name;

        cr_assert_eq(ates_check(ates_domains[i], config, NULL, &checked, error, sizeof error), 0,
                     "%s: %s", name, error);
        cr_assert_eq(ates_rebuild(ates_domains[i], config, NULL, &rebuilt, error, sizeof error), 0,
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
