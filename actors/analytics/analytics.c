/* The analytics domain: what administrators ask about money and tasks. It moves nothing itself.
 * Invariant: a transfer counts for the dates that its own event names, so no later event changes
 * what was said of them. */
#include "analytics/analytics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <ates/accounting.h>
#include <ates/tasks.h>

#include "analytics/analytics_check.h"
#include "analytics/analytics_period.h"
#include "analytics/analytics_state.h"
#include "analytics/analytics_top.h"
#include "core/page.h"
#include "core/users.h"

#define DEBT_BYTES 64u /* of a negative balance in a page beside its login, at most */
#define NEXT_SIZE 48u

static int get_income(struct ates_call *call, ates_day day, struct ates_text *date,
                      int64_t *income_cents)
{
    struct analytics_day_row row;

    *date = ates_day_text(call->arena, day);
    int r = analytics_state_get_day(call->txn, *date, &row);
    if (r == 0) {
        *income_cents = row.income_cents;
    }
    return r;
}

/* Refuses: nothing. */
static int answer_today_income(struct ates_call *call, const void *body, void *result)
{
    struct analytics_today_income_result *income = result;

    (void)body;
    return get_income(call, ates_day_at(call->time), &income->date, &income->income_cents);
}

/* Refuses: INVALID_ARGUMENT / FIELD_INVALID, field from_date. */
static int answer_show_income(struct ates_call *call, const void *body, void *result)
{
    const struct analytics_show_income *query = body;
    struct analytics_show_income_result *income = result;
    struct analytics_days days = {0};

    int r = analytics_period_between(call, query->from_date, query->to_date, &days);
    if (r != 0) {
        return r;
    }
    const size_t count = (size_t)(days.last - days.first) + 1;
    struct analytics_income *items = ates_arena_alloc(call->arena, count * sizeof *items);
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = get_income(call, days.first + (ates_day)i, &items[i].date, &items[i].income_cents);
    }
    income->items = (struct ates_list){items, count};
    return r;
}

/* `after` is DEBT-USER of the last one in the page before. */
static int read_after(struct ates_call *call, struct ates_text after, struct analytics_debt *debt)
{
    const char *dash = memchr(after.data, '-', after.size);
    const size_t left = dash != NULL ? (size_t)(dash - after.data) : after.size;
    const struct ates_text user = {dash != NULL ? dash + 1 : NULL,
                                   dash != NULL ? after.size - left - 1 : 0};
    uint64_t cents = 0;

    if (ates_page_parse((struct ates_text){after.data, left}, &cents) != 0 || cents == 0 ||
        ates_page_parse(user, &debt->user_id) != 0) {
        return ates_refuse_field(call, ATES_INVALID_ARGUMENT, "FIELD_INVALID", "after",
                                 "not the next of a page of this list");
    }
    debt->balance_cents = -(int64_t)cents;
    return 0;
}

static struct ates_text write_after(struct ates_arena *arena,
                                    const struct analytics_negative_balance *last)
{
    char *text = ates_arena_alloc(arena, NEXT_SIZE);
    const int size =
        snprintf(text, NEXT_SIZE, "%" PRId64 "-%" PRIu64, -last->balance_cents, last->user_id);

    return (struct ates_text){text, (size_t)size};
}

/* auth's event of a user may come after accounting's of the user's first transfer. */
static int read_debtor(struct ates_txn *txn, const struct analytics_debt *debt,
                       struct analytics_negative_balance *item)
{
    struct ates_user_changed user;

    int r = ates_users_get(txn, debt->user_id, &user);
    if (r < 0) {
        return r;
    }
    *item = (struct analytics_negative_balance){.user_id = debt->user_id,
                                                .balance_cents = debt->balance_cents};
    if (r == 0) {
        item->has_login = true;
        item->login = user.login;
    }
    return 0;
}

/* Reads the page's items, and whether there are more. */
static int read_page(struct ates_call *call, struct ates_scan *scan, size_t limit,
                     struct analytics_negative_balances_result *page)
{
    struct analytics_negative_balance *items = ates_arena_alloc(call->arena, limit * sizeof *items);
    size_t count = 0, bytes = 0;
    struct analytics_debt debt;
    int r;

    while ((r = analytics_debts_next(scan, &debt)) == 0) {
        struct analytics_negative_balance item = {0};

        r = read_debtor(call->txn, &debt, &item);
        if (r != 0) {
            return r;
        }
        bytes += DEBT_BYTES + item.login.size;
        page->has_next = count == limit || bytes > ATES_PAGE_BYTES;
        if (page->has_next) {
            page->next = write_after(call->arena, &items[count - 1]);
            break;
        }
        items[count++] = item;
    }
    page->items = (struct ates_list){items, count};
    return r == ATES_NOT_FOUND ? 0 : r;
}

/* Refuses: INVALID_ARGUMENT / FIELD_INVALID, field after. */
static int answer_negative_balances(struct ates_call *call, const void *body, void *result)
{
    const struct analytics_negative_balances *query = body;
    struct analytics_negative_balances_result *page = result;
    struct analytics_debt after = {0};
    struct ates_scan scan;

    int r = query->has_after ? read_after(call, query->after, &after) : 0;
    if (r == 0) {
        r = analytics_state_count_debts(call->txn, &page->count);
    }
    if (r == 0) {
        r = analytics_debts_open(&scan, call->txn, query->has_after ? &after : NULL);
    }
    if (r != 0) {
        return r;
    }
    r = read_page(call, &scan, query->has_limit ? query->limit : ATES_PAGE_LIMIT, page);
    ates_scan_close(&scan);
    return r;
}

static const struct ates_handler handlers[] = {
    {.command = "today_income", .answer = answer_today_income},
    {.command = "show_income", .answer = answer_show_income},
    {.command = "negative_balances", .answer = answer_negative_balances},
    {.command = "show_the_most_expensive_task",
     .answer = analytics_answer_show_the_most_expensive_task},
};

/* Version 1, which says less than version 2: of a task that is known it has nothing to add. */
static int follow_task_created(struct ates_call *call, const struct ates_event *event,
                               const void *data)
{
    const struct tasks_task_created *created = data;
    const struct analytics_task_known known = {.task_id = created->task_id, .name = created->name};
    struct analytics_task_known before;

    (void)event;
    int r = analytics_state_get_task(call->txn, created->task_id, &before);
    return r == ATES_NOT_FOUND ? ates_emit(call, &analytics_task_known_message, &known) : r;
}

static bool is_same(const struct analytics_task_known *a, const struct analytics_task_known *b)
{
    return ates_text_equal(a->name, b->name) && a->has_jira_id == b->has_jira_id &&
           (!a->has_jira_id || ates_text_equal(a->jira_id, b->jira_id));
}

static int follow_task_created_v2(struct ates_call *call, const struct ates_event *event,
                                  const void *data)
{
    const struct tasks_task_created_v2 *created = data;
    const struct analytics_task_known known = {.task_id = created->task_id,
                                               .name = created->title,
                                               .has_jira_id = created->has_jira_id,
                                               .jira_id = created->jira_id};
    struct analytics_task_known before;

    (void)event;
    int r = analytics_state_get_task(call->txn, created->task_id, &before);
    if (r < 0 || (r == 0 && is_same(&before, &known))) {
        return r;
    }
    return ates_emit(call, &analytics_task_known_message, &known);
}

static int follow_task_snapshot(struct ates_call *call, const struct ates_event *event,
                                const void *data)
{
    const struct tasks_task *task = &((const struct tasks_task_snapshot *)data)->task;
    const struct analytics_task_known known = {.task_id = task->id,
                                               .name = task->name,
                                               .has_jira_id = task->has_jira_id,
                                               .jira_id = task->jira_id};

    (void)event;
    return ates_emit(call, &analytics_task_known_message, &known);
}

static int follow_balance_snapshot(struct ates_call *call, const struct ates_event *event,
                                   const void *data)
{
    const struct accounting_balance_snapshot *balance = data;
    const struct analytics_balance_known known = {.user_id = balance->user_id,
                                                  .balance_cents = balance->balance_cents};

    (void)event;
    return ates_emit(call, &analytics_balance_known_message, &known);
}

static int follow_income_snapshot(struct ates_call *call, const struct ates_event *event,
                                  const void *data)
{
    const struct accounting_income_snapshot *income = data;
    const struct analytics_income_known known = {.business_date = income->business_date,
                                                 .income_cents = income->income_cents};

    (void)event;
    return ates_emit(call, &analytics_income_known_message, &known);
}

/* The business day of the completion itself, which may be closed already: then the transfer counts
 * for another one. Refuses: INVALID_ARGUMENT / TIME_OUT_OF_RANGE. */
static int date_completion(struct ates_call *call, struct analytics_completion *completion)
{
    const ates_day day = ates_day_at(completion->completed_at);

    if (day < 0 || day > ATES_DAY_MAX) {
        return ates_refuse(call, ATES_INVALID_ARGUMENT, "TIME_OUT_OF_RANGE");
    }
    completion->date = ates_day_text(call->arena, day);
    return 0;
}

/* Refuses: INVALID_ARGUMENT / TASK_MISSING; what date_completion refuses. */
static int read_completion(struct ates_call *call, const struct accounting_transfer *transfer,
                           struct analytics_completion *completion)
{
    if (!transfer->has_task_id) {
        return ates_refuse(call, ATES_INVALID_ARGUMENT, "TASK_MISSING");
    }
    *completion = (struct analytics_completion){
        .task_id = transfer->task_id,
        .complete_price_cents = transfer->delta_cents,
        .completed_at = transfer->timestamp,
    };
    return date_completion(call, completion);
}

/* Refuses: what date_completion refuses. */
static int follow_reward_snapshot(struct ates_call *call, const struct ates_event *event,
                                  const void *data)
{
    const struct accounting_reward_snapshot *reward = data;
    struct analytics_completion known = {
        .task_id = reward->task_id,
        .complete_price_cents = reward->complete_price_cents,
        .completed_at = reward->completed_at,
    };

    (void)event;
    int r = date_completion(call, &known);
    return r != 0 ? r : ates_emit(call, &analytics_completion_known_message, &known);
}

/* Refuses: INVALID_ARGUMENT / INCOME_OUT_OF_RANGE, beyond what a number on the wire can be. */
static int check_income(struct ates_call *call, const struct analytics_transfer_known *known)
{
    struct analytics_day_row row;

    int r = analytics_state_get_day(call->txn, known->business_date, &row);
    if (r != 0) {
        return r;
    }
    const int64_t cents = row.income_cents + known->income_cents; /* of 54 bits each */
    return cents > ATES_INTEGER_MAX || cents < -ATES_INTEGER_MAX
               ? ates_refuse(call, ATES_INVALID_ARGUMENT, "INCOME_OUT_OF_RANGE")
               : 0;
}

/* Income is what was charged less what was rewarded; a payout settles what was earned before.
 * Refuses: what read_completion and check_income refuse. */
static int follow_transfer_recorded(struct ates_call *call, const struct ates_event *event,
                                    const void *data)
{
    const struct accounting_transfer *transfer =
        &((const struct accounting_transfer_recorded *)data)->transfer;
    struct analytics_transfer_known known = {
        .user_id = transfer->user_id,
        .balance_cents = transfer->balance_cents,
        .business_date = transfer->business_date,
        .income_cents = transfer->kind == ACCOUNTING_PAYOUT ? 0 : -transfer->delta_cents,
        .has_completion = transfer->kind == ACCOUNTING_COMPLETION_REWARD,
    };

    (void)event;
    int r = known.has_completion ? read_completion(call, transfer, &known.completion) : 0;
    if (r == 0) {
        r = check_income(call, &known);
    }
    return r != 0 ? r : ates_emit(call, &analytics_transfer_known_message, &known);
}

static const struct ates_follow follows[] = {
    {"auth", &ates_user_registered_message, 1, ates_users_follow_registered},
    {"auth", &ates_user_changed_message, 1, ates_users_follow_changed},
    {"tasks", &tasks_task_created_message, 1, follow_task_created},
    {"tasks", &tasks_task_created_v2_message, 2, follow_task_created_v2},
    {"accounting", &accounting_transfer_recorded_message, 1, follow_transfer_recorded},
};

static const struct ates_follow snapshot_follows[] = {
    {"auth", &ates_user_snapshot_message, 1, ates_users_follow_changed},
    {"tasks", &tasks_task_snapshot_message, 1, follow_task_snapshot},
    {"accounting", &accounting_balance_snapshot_message, 1, follow_balance_snapshot},
    {"accounting", &accounting_income_snapshot_message, 1, follow_income_snapshot},
    {"accounting", &accounting_reward_snapshot_message, 1, follow_reward_snapshot},
};

static int apply_task_known(struct ates_txn *txn, const struct ates_event *event, const void *data)
{
    (void)event;
    return analytics_state_put_task(txn, data);
}

static int add_income(struct ates_txn *txn, struct ates_text date, int64_t cents)
{
    struct analytics_day_row row;

    int r = analytics_state_get_day(txn, date, &row);
    if (r != 0) {
        return r;
    }
    row.income_cents += cents; /* check_income saw that it stays within range */
    return analytics_state_put_day(txn, date, &row);
}

static int add_completion(struct ates_txn *txn, const struct analytics_completion *completion)
{
    const struct analytics_top top = {completion->task_id, completion->complete_price_cents,
                                      completion->completed_at};
    struct analytics_day_row row;

    int r = analytics_state_get_day(txn, completion->date, &row);
    if (r != 0 || !analytics_top_beats(&top, &row.top)) {
        return r;
    }
    row.top = top;
    return analytics_state_put_day(txn, completion->date, &row);
}

static int apply_transfer_known(struct ates_txn *txn, const struct ates_event *event,
                                const void *data)
{
    const struct analytics_transfer_known *known = data;

    (void)event;
    int r = analytics_state_put_balance(txn, known->user_id, known->balance_cents);
    if (r == 0 && known->income_cents != 0) {
        r = add_income(txn, known->business_date, known->income_cents);
    }
    return r == 0 && known->has_completion ? add_completion(txn, &known->completion) : r;
}

static int apply_balance_known(struct ates_txn *txn, const struct ates_event *event,
                               const void *data)
{
    const struct analytics_balance_known *known = data;

    (void)event;
    return analytics_state_put_balance(txn, known->user_id, known->balance_cents);
}

static int apply_income_known(struct ates_txn *txn, const struct ates_event *event,
                              const void *data)
{
    const struct analytics_income_known *known = data;
    struct analytics_day_row row;

    (void)event;
    int r = analytics_state_get_day(txn, known->business_date, &row);
    if (r != 0) {
        return r;
    }
    row.income_cents = known->income_cents;
    return analytics_state_put_day(txn, known->business_date, &row);
}

static int apply_completion_known(struct ates_txn *txn, const struct ates_event *event,
                                  const void *data)
{
    (void)event;
    return add_completion(txn, data);
}

static const struct ates_applier appliers[] = {
    {&analytics_task_known_message, apply_task_known},
    {&analytics_transfer_known_message, apply_transfer_known},
    {&analytics_balance_known_message, apply_balance_known},
    {&analytics_income_known_message, apply_income_known},
    {&analytics_completion_known_message, apply_completion_known},
};

const struct ates_domain analytics_domain = {
    .service = &analytics_service,
    .tables = analytics_tables,
    .handlers = handlers,
    .handler_count = sizeof handlers / sizeof handlers[0],
    .appliers = appliers,
    .applier_count = sizeof appliers / sizeof appliers[0],
    .follows = follows,
    .follow_count = sizeof follows / sizeof follows[0],
    .snapshot_follows = snapshot_follows,
    .snapshot_follow_count = sizeof snapshot_follows / sizeof snapshot_follows[0],
    .check = analytics_check,
};
