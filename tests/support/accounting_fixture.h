/* Accounting's engine for its tests: tasks' events by one call each, and what came of them.
 * Invariant: the time zone is Europe/Moscow, unless a test opens another. */
#ifndef ATES_TEST_ACCOUNTING_FIXTURE_H
#define ATES_TEST_ACCOUNTING_FIXTURE_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <ates/tasks.h>
#include <criterion/criterion.h>

#include "accounting/accounting.h"
#include "accounting/accounting_check.h"
#include "accounting/accounting_ledger.h"
#include "core/calendar.h"
#include "support/engine_fixture.h"

#define DAY_MS INT64_C(86400000)
#define TODAY "2023-11-15" /* at FIXTURE_TIME, 01:13 in Moscow */

static struct fixture fixture; /* each test has a process of its own */

static inline void open_fixture(void)
{
    fixture_open(&fixture, &accounting_domain);
    cr_assert_eq(ates_calendar_open("Europe/Moscow"), 0);
}

static inline void close_fixture(void)
{
    fixture_close(&fixture);
}

static inline int create_task(int64_t time, uint64_t task_id, const char *name, uint64_t user_id)
{
    const struct tasks_task_created created = {
        .task_id = task_id, .name = ates_text_from(name), .assigned_to = user_id, .created_by = 1};

    return fixture_follow(&fixture, "tasks", &tasks_task_created_message, 1, time, &created);
}

/* jira_id NULL: none. */
static inline int create_task_v2(int64_t time, uint64_t task_id, const char *jira_id,
                                 const char *title, uint64_t user_id)
{
    const struct tasks_task_created_v2 created = {
        .task_id = task_id,
        .has_jira_id = jira_id != NULL,
        .jira_id = ates_text_from(jira_id != NULL ? jira_id : ""),
        .title = ates_text_from(title),
        .assigned_to = user_id,
        .created_by = 1};

    return fixture_follow(&fixture, "tasks", &tasks_task_created_v2_message, 2, time, &created);
}

static inline int assign_task(int64_t time, uint64_t task_id, uint64_t user_id)
{
    const struct tasks_task_assigned assigned = {
        .task_id = task_id, .from_user_id = 1, .assigned_to = user_id, .reassignment_id = 1};

    return fixture_follow(&fixture, "tasks", &tasks_task_assigned_message, 1, time, &assigned);
}

static inline int complete_task(int64_t time, uint64_t task_id, uint64_t user_id)
{
    const struct tasks_task_completed completed = {.task_id = task_id, .completed_by = user_id};

    return fixture_follow(&fixture, "tasks", &tasks_task_completed_message, 1, time, &completed);
}

static inline struct accounting_transfer last_transfer(void)
{
    struct accounting_transfer_recorded recorded;

    fixture_event(&fixture, fixture_head(&fixture), &accounting_transfer_recorded_message,
                  &recorded);
    return recorded.transfer;
}

static inline struct accounting_task_priced prices_at(uint64_t seq)
{
    struct accounting_task_priced priced;

    fixture_event(&fixture, seq, &accounting_task_priced_message, &priced);
    return priced;
}

static inline void text_is(struct ates_text text, const char *expected)
{
    cr_expect(ates_text_equal(text, ates_text_from(expected)), "'%.*s' is not '%s'", (int)text.size,
              text.data, expected);
}

static inline struct ates_txn *txn(void)
{
    return ates_engine_txn(fixture.engine);
}

/* What its payout's row says of one more transfer. */
static inline void post_payout(const struct accounting_transfer *transfer)
{
    struct accounting_payout payout;

    const int r = accounting_state_get_payout(txn(), transfer->business_date, &payout);
    if (r == ATES_NOT_FOUND) {
        payout = (struct accounting_payout){.business_date = transfer->business_date,
                                            .phase = ACCOUNTING_PAYOUT_CLOSED,
                                            .next_user_id = ACCOUNTING_COMPANY + 1};
    }
    cr_assert(r == 0 || r == ATES_NOT_FOUND);
    payout.paid_count++;
    payout.total_cents -= transfer->delta_cents;
    cr_assert_eq(accounting_state_put_payout(txn(), &payout), 0);
}

/* Posts a transfer without an event: for many rows at little cost. */
static inline void post(int64_t timestamp, uint64_t user_id, enum accounting_kind kind,
                        int64_t cents, const char *description)
{
    struct accounting_counters counters;
    int64_t balance;

    cr_assert_eq(accounting_state_get_counters(txn(), &counters), 0);
    cr_assert_eq(accounting_state_get_balance(txn(), user_id, &balance), 0);
    const struct accounting_transfer transfer = {
        .id = counters.last_transfer_id + 1,
        .timestamp = timestamp,
        .user_id = user_id,
        .kind = (int)kind,
        .delta_cents = cents,
        .balance_cents = balance + cents,
        .business_date = ates_text_from(TODAY),
        .description = ates_text_from(description),
    };
    cr_assert_eq(accounting_post(txn(), &transfer), 0);
    if (kind == ACCOUNTING_PAYOUT) {
        post_payout(&transfer);
    }
    ates_arena_reset(txn()->arena);
}

/* Timestamps 1000, 1002, 1002, 1001, 1000, 1003 of users 5, 6, 5, 5, 6, 5. */
static inline void post_six(void)
{
    post(1000, 5, ACCOUNTING_ASSIGN_FEE, -1000, "");
    post(1002, 6, ACCOUNTING_ASSIGN_FEE, -1100, "");
    post(1002, 5, ACCOUNTING_COMPLETION_REWARD, 3000, "");
    post(1001, 5, ACCOUNTING_ASSIGN_FEE, -1200, "");
    post(1000, 6, ACCOUNTING_COMPLETION_REWARD, 2500, "");
    post(1003, 5, ACCOUNTING_PAYOUT, -800, "");
}

static inline struct ates_caller developer(uint64_t user_id)
{
    return fixture_caller(user_id, ATES_DEVELOPER);
}

static inline struct ates_caller accountant(void)
{
    return fixture_caller(99, ATES_ACCOUNTANT);
}

static inline struct accounting_show_balance_result balance_of(uint64_t user_id)
{
    const struct accounting_show_balance query = {.has_user_id = true, .user_id = user_id};
    struct accounting_show_balance_result result;

    fixture_do(&fixture, accountant(), "show_balance", &query, &result);
    return result;
}

/* error_part: what the check must say; NULL where it must find nothing. */
static inline void expect_check(const char *error_part)
{
    char error[256] = "";
    const int r = accounting_check(txn(), error, sizeof error);

    if (error_part == NULL) {
        cr_expect_eq(r, 0, "%s", error);
    } else {
        cr_expect(r == -EBADMSG && strstr(error, error_part) != NULL, "%d '%s' is not '%s'", r,
                  error, error_part);
    }
}

/* The stream stopped at its second event. */
static inline void expect_dead(int r, enum ates_status status, const char *reason)
{
    struct ates_position position;

    cr_expect_eq(r, ATES_FAILED_PRECONDITION);
    cr_expect_eq(fixture.refusal.status, status);
    cr_expect_str_eq(fixture.refusal.reason, reason);
    cr_assert_eq(ates_engine_position(fixture.engine, "tasks", &position), 0);
    cr_expect_eq(position.seq, 1, "the stream stops before the dead letter");
}

#endif
