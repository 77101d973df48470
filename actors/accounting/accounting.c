/* The accounting domain: what tasks' events cost and pay, who has what, and what is paid out.
 * Invariant: money moves only by transfers, through the ledger, each caused by one event of tasks
 * or by the payout of one date. */
#include "accounting/accounting.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <ates/tasks.h>

#include "accounting/accounting_check.h"
#include "accounting/accounting_ledger.h"
#include "accounting/accounting_listing.h"
#include "accounting/accounting_mail.h"
#include "accounting/accounting_payout.h"
#include "accounting/accounting_snapshot.h"
#include "accounting/accounting_state.h"
#include "core/page.h"
#include "core/text.h"
#include "core/users.h"

#define INCOME_DAYS_DEFAULT 30

/* Whose account a query is about. Somebody else must be known from auth's events or from a
 * transfer, which may come first; the services themselves (user id 0) have no account. */
static int find_account(struct ates_call *call, bool has_user_id, uint64_t user_id,
                        uint64_t *account_id)
{
    struct ates_user_changed user;
    int r = 0;

    if (!has_user_id) {
        user_id = call->user.id;
    }
    if (user_id == ACCOUNTING_COMPANY) {
        r = ATES_NOT_FOUND;
    } else if (user_id != call->user.id) {
        r = ates_users_get(call->txn, user_id, &user);
        if (r == ATES_NOT_FOUND) {
            r = accounting_state_find_account(call->txn, user_id);
        }
    }
    if (r == ATES_NOT_FOUND) {
        return ates_refuse(call, ATES_NOT_FOUND, "USER_UNKNOWN");
    }
    if (r == 0) {
        *account_id = user_id;
    }
    return r;
}

/* Refuses: NOT_FOUND / USER_UNKNOWN. */
static int answer_show_balance(struct ates_call *call, const void *body, void *result)
{
    const struct accounting_show_balance *query = body;
    struct accounting_show_balance_result *balance = result;
    char today[ATES_DATE_SIZE];

    int r = find_account(call, query->has_user_id, query->user_id, &balance->user_id);
    if (r == 0) {
        r = accounting_state_get_balance(call->txn, balance->user_id, &balance->balance_cents);
    }
    if (r != 0) {
        return r;
    }
    ates_day_format(ates_day_at(call->time), today);
    return accounting_state_get_day_total(call->txn, ates_text_from(today), balance->user_id,
                                          &balance->today_cents);
}

/* Refuses: NOT_FOUND / USER_UNKNOWN; INVALID_ARGUMENT / FIELD_INVALID. */
static int answer_show_account_transfers(struct ates_call *call, const void *body, void *result)
{
    const struct accounting_show_account_transfers *query = body;
    struct accounting_show_account_transfers_result *transfers = result;
    struct accounting_page page = {.has_next = false};
    uint64_t account_id;

    int r = find_account(call, query->has_user_id, query->user_id, &account_id);
    if (r != 0) {
        return r;
    }
    const struct accounting_listing listing = {
        .user_id = &account_id,
        .from = query->has_from ? query->from : 0,
        .to = query->has_to ? query->to : INT64_MAX,
        .newest_first = query->newest_first,
        .after = query->has_after ? &query->after : NULL,
        .limit = query->has_limit ? query->limit : ATES_PAGE_LIMIT,
    };
    r = accounting_list(call, &listing, &page);
    transfers->items = page.items;
    transfers->has_next = page.has_next;
    transfers->next = page.next;
    return r;
}

/* Refuses: INVALID_ARGUMENT / FIELD_INVALID. A user_id only filters: nobody's list is empty. */
static int answer_show_all_account_transfers(struct ates_call *call, const void *body, void *result)
{
    const struct accounting_show_all_account_transfers *query = body;
    struct accounting_show_all_account_transfers_result *transfers = result;
    struct accounting_page page = {.has_next = false};

    const struct accounting_listing listing = {
        .user_id = query->has_user_id ? &query->user_id : NULL,
        .kind = query->has_kind ? &query->kind : NULL,
        .from = query->has_from ? query->from : 0,
        .to = query->has_to ? query->to : INT64_MAX,
        .newest_first = query->newest_first,
        .after = query->has_after ? &query->after : NULL,
        .limit = query->has_limit ? query->limit : ATES_PAGE_LIMIT,
    };
    int r = accounting_list(call, &listing, &page);
    transfers->items = page.items;
    transfers->has_next = page.has_next;
    transfers->next = page.next;
    return r;
}

/* Refuses: INVALID_ARGUMENT / FIELD_INVALID, field from_date. */
static int answer_show_income(struct ates_call *call, const void *body, void *result)
{
    const struct accounting_show_income *query = body;
    struct accounting_show_income_result *income = result;
    const ates_day to = query->has_to_date ? ates_day_of(query->to_date) : ates_day_at(call->time);
    ates_day from = to - (INCOME_DAYS_DEFAULT - 1);

    if (query->has_from_date) {
        from = ates_day_of(query->from_date);
    } else if (from < 0) {
        from = 0; /* dates begin with 1970 */
    }
    if (from > to || to - from >= ACCOUNTING_INCOME_DAYS_MAX) {
        return ates_refuse_field(call, ATES_INVALID_ARGUMENT, "FIELD_INVALID", "from_date",
                                 "from_date: at most %d days up to to_date are expected",
                                 ACCOUNTING_INCOME_DAYS_MAX);
    }
    const size_t count = (size_t)(to - from) + 1;
    struct accounting_income *items = ates_arena_alloc(call->arena, count * sizeof *items);
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        items[i].date = ates_day_text(call->arena, from + (ates_day)i);
        r = accounting_state_get_day_total(call->txn, items[i].date, ACCOUNTING_COMPANY,
                                           &items[i].income_cents);
    }
    income->items = (struct ates_list){items, count};
    return r;
}

static const struct ates_handler handlers[] = {
    {"show_balance", NULL, answer_show_balance},
    {"show_account_transfers", NULL, answer_show_account_transfers},
    {"show_all_account_transfers", NULL, answer_show_all_account_transfers},
    {"pay_to_workers", accounting_handle_pay_to_workers, accounting_answer_pay_to_workers},
    {"show_income", NULL, answer_show_income},
    {"show_mails", NULL, accounting_answer_show_mails},
    {"show_mail", NULL, accounting_answer_show_mail},
    {"retry_mail", accounting_handle_retry_mail, NULL},
};

/* What a user reads in the list of transfers: "Fee for task 17: Fix the door", cut at the field's
 * limit. */
static struct ates_text describe(struct ates_arena *arena, const char *what, uint64_t task_id,
                                 struct ates_text name)
{
    enum { PREFIX_MAX = 64 };
    char *text = ates_arena_alloc(arena, PREFIX_MAX + name.size);
    const int prefix = snprintf(text, PREFIX_MAX, "%s for task %" PRIu64 ": ", what, task_id);
    const size_t size = (size_t)prefix + name.size;

    memcpy(text + prefix, name.data, name.size);
    return (struct ates_text){text, ates_utf8_cut(text, size, ACCOUNTING_DESCRIPTION_MAX)};
}

/* An assignment costs its assignee the task's fee, whoever had the task before. */
static int book_fee(struct ates_call *call, int64_t time, uint64_t task_id, uint64_t user_id,
                    const struct accounting_task *task)
{
    const struct accounting_transfer fee = {
        .user_id = user_id,
        .kind = ACCOUNTING_ASSIGN_FEE,
        .delta_cents = -task->assign_price_cents,
        .has_task_id = true,
        .task_id = task_id,
        .description = describe(call->arena, "Fee", task_id, task->name),
    };
    return accounting_book(call, time, &fee);
}

/* Uniform over the cents from min to max, both included. */
static int64_t draw_cents(const struct ates_source *source, int64_t min, int64_t max)
{
    return min + (int64_t)ates_random_uniform(source, (uint64_t)(max - min) + 1);
}

/* Whether a task that has its prices is the one that is told of, by the other version of the event
 * or again: a backfill's title has no brackets, where the name of old had some. */
static bool is_told_again(struct ates_call *call, const struct accounting_task *task,
                          struct ates_text name)
{
    const struct tasks_title known = tasks_title_split(task->name, call->arena);

    return ates_text_equal(task->name, name) ||
           ates_text_equal(tasks_title_join(&known, call->arena), name);
}

/* Prices the task, which comes with its first assignee; once, whichever version of the event comes
 * first, and however often. name: with the id before the title, as transfers have it.
 * Refuses: ALREADY_EXISTS / TASK_ALREADY_PRICED, of another task with this id; what accounting_book
 * refuses. */
static int take_task(struct ates_call *call, int64_t time, uint64_t task_id, struct ates_text name,
                     uint64_t assigned_to)
{
    struct accounting_task task;

    int r = accounting_state_get_task(call->txn, task_id, &task);
    if (r == 0 && is_told_again(call, &task, name)) {
        return 0;
    }
    if (r != ATES_NOT_FOUND) {
        return r != 0 ? r : ates_refuse(call, ATES_ALREADY_EXISTS, "TASK_ALREADY_PRICED");
    }
    task = (struct accounting_task){
        .assign_price_cents = draw_cents(call->source, ACCOUNTING_ASSIGN_PRICE_CENTS_MIN,
                                         ACCOUNTING_ASSIGN_PRICE_CENTS_MAX),
        .complete_price_cents = draw_cents(call->source, ACCOUNTING_COMPLETE_PRICE_CENTS_MIN,
                                           ACCOUNTING_COMPLETE_PRICE_CENTS_MAX),
        .name = name,
    };
    const struct accounting_task_priced priced = {
        .task_id = task_id,
        .assign_price_cents = task.assign_price_cents,
        .complete_price_cents = task.complete_price_cents,
    };
    const struct accounting_task_known known = {.task_id = task_id, .name = task.name};

    r = ates_emit(call, &accounting_task_priced_message, &priced);
    if (r == 0) {
        r = book_fee(call, time, task_id, assigned_to, &task);
    }
    return r != 0 ? r : ates_emit(call, &accounting_task_known_message, &known);
}

/* Refuses: as take_task. */
static int follow_task_created(struct ates_call *call, const struct ates_event *event,
                               const void *data)
{
    const struct tasks_task_created *created = data;

    return take_task(call, event->time, created->task_id, created->name, created->assigned_to);
}

/* Refuses: as take_task. */
static int follow_task_created_v2(struct ates_call *call, const struct ates_event *event,
                                  const void *data)
{
    const struct tasks_task_created_v2 *created = data;
    const struct tasks_title title = {created->has_jira_id, created->jira_id, created->title};

    return take_task(call, event->time, created->task_id, tasks_title_join(&title, call->arena),
                     created->assigned_to);
}

static int get_task(struct ates_call *call, uint64_t task_id, struct accounting_task *task)
{
    int r = accounting_state_get_task(call->txn, task_id, task);

    return r == ATES_NOT_FOUND ? ates_refuse(call, ATES_NOT_FOUND, "TASK_UNKNOWN") : r;
}

/* Refuses: NOT_FOUND / TASK_UNKNOWN; what accounting_book refuses. */
static int follow_task_assigned(struct ates_call *call, const struct ates_event *event,
                                const void *data)
{
    const struct tasks_task_assigned *assigned = data;
    struct accounting_task task;

    int r = get_task(call, assigned->task_id, &task);
    return r != 0 ? r
                  : book_fee(call, event->time, assigned->task_id, assigned->assigned_to, &task);
}

/* Refuses: NOT_FOUND / TASK_UNKNOWN; what accounting_book refuses. */
static int follow_task_completed(struct ates_call *call, const struct ates_event *event,
                                 const void *data)
{
    const struct tasks_task_completed *completed = data;
    struct accounting_task task;

    int r = get_task(call, completed->task_id, &task);
    if (r != 0) {
        return r;
    }
    const struct accounting_transfer reward = {
        .user_id = completed->completed_by,
        .kind = ACCOUNTING_COMPLETION_REWARD,
        .delta_cents = task.complete_price_cents,
        .has_task_id = true,
        .task_id = completed->task_id,
        .description = describe(call->arena, "Reward", completed->task_id, task.name),
    };
    return accounting_book(call, event->time, &reward);
}

static const struct ates_follow follows[] = {
    {"auth", &ates_user_registered_message, 1, ates_users_follow_registered},
    {"auth", &ates_user_changed_message, 1, ates_users_follow_changed},
    {"tasks", &tasks_task_created_message, 1, follow_task_created},
    {"tasks", &tasks_task_created_v2_message, 2, follow_task_created_v2},
    {"tasks", &tasks_task_assigned_message, 1, follow_task_assigned},
    {"tasks", &tasks_task_completed_message, 1, follow_task_completed},
};

/* Of tasks every event counts: money cannot be made of a snapshot. */
static const struct ates_follow snapshot_follows[] = {
    {"auth", &ates_user_snapshot_message, 1, ates_users_follow_changed},
};

static int apply_task_priced(struct ates_txn *txn, const struct ates_event *event, const void *data)
{
    (void)event;
    return accounting_state_put_prices(txn, data);
}

static int apply_transfer_recorded(struct ates_txn *txn, const struct ates_event *event,
                                   const void *data)
{
    const struct accounting_transfer_recorded *recorded = data;

    (void)event;
    int r = accounting_post(txn, &recorded->transfer);
    return r == 0 && recorded->transfer.kind == ACCOUNTING_PAYOUT
               ? accounting_apply_payout(txn, &recorded->transfer)
               : r;
}

static int apply_task_known(struct ates_txn *txn, const struct ates_event *event, const void *data)
{
    (void)event;
    return accounting_state_put_name(txn, data);
}

static const struct ates_applier appliers[] = {
    {&accounting_task_priced_message, apply_task_priced},
    {&accounting_transfer_recorded_message, apply_transfer_recorded},
    {&accounting_payout_requested_message, accounting_apply_payout_requested},
    {&accounting_payout_started_message, accounting_apply_payout_started},
    {&accounting_payout_advanced_message, accounting_apply_payout_advanced},
    {&accounting_payout_closed_message, accounting_apply_payout_closed},
    {&accounting_mail_queued_message, accounting_apply_mail_queued},
    {&accounting_mail_failed_message, accounting_apply_mail_failed},
    {&accounting_mail_sent_message, accounting_apply_mail_sent},
    {&accounting_mail_dead_message, accounting_apply_mail_dead},
    {&accounting_mail_retried_message, accounting_apply_mail_retried},
    {&accounting_task_known_message, apply_task_known},
};

/* Mails wait while accounts are being paid, which takes seconds at most. */
static int step(struct ates_call *call, bool *more)
{
    int r = accounting_payout_step(call, more);

    if (r != 0 || *more) {
        return r;
    }
    call->cause = (struct ates_cause){.has_command = false};
    return accounting_mail_step(call);
}

static int measure(struct ates_txn *txn, struct ates_figures *figures)
{
    static const struct ates_figure transfers = {"ates_transfers_total", ATES_COUNTER,
                                                 "Transfers that were booked."};
    struct accounting_counters counters;
    int r = accounting_state_get_counters(txn, &counters);

    if (r == 0) {
        ates_figures_add(figures, &transfers, (int64_t)counters.last_transfer_id, NULL);
        r = accounting_mail_measure(txn, figures);
    }
    return r;
}

const struct ates_domain accounting_domain = {
    .service = &accounting_service,
    .tables = accounting_tables,
    .handlers = handlers,
    .handler_count = sizeof handlers / sizeof handlers[0],
    .appliers = appliers,
    .applier_count = sizeof appliers / sizeof appliers[0],
    .follows = follows,
    .follow_count = sizeof follows / sizeof follows[0],
    .snapshot_follows = snapshot_follows,
    .snapshot_follow_count = sizeof snapshot_follows / sizeof snapshot_follows[0],
    .snapshot = accounting_snapshot,
    .snapshot_count = ACCOUNTING_SNAPSHOT_PARTS,
    .state_version = ACCOUNTING_STATE_VERSION,
    .stops_at_dead = true,
    .step = step,
    .ended = accounting_mail_ended,
    .worker_threads = ACCOUNTING_WORKERS,
    .open = accounting_mail_open,
    .close = accounting_mail_close,
    .check = accounting_check,
    .measure = measure,
};
