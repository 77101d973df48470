/* Analytics' engine for its tests: accounting's and tasks' events by one call each, and the
 * queries. Invariant: the time zone is Europe/Moscow, unless a test opens another. */
#ifndef ATES_TEST_ANALYTICS_FIXTURE_H
#define ATES_TEST_ANALYTICS_FIXTURE_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <ates/accounting.h>
#include <ates/tasks.h>
#include <criterion/criterion.h>

#include "analytics/analytics.h"
#include "analytics/analytics_check.h"
#include "analytics/analytics_period.h"
#include "analytics/analytics_state.h"
#include "support/engine_fixture.h"

#define DAY_MS INT64_C(86400000)
#define HOUR_MS INT64_C(3600000)
#define TODAY "2023-11-15" /* at FIXTURE_TIME, 01:13 in Moscow */

static struct fixture fixture; /* each test has a process of its own */
static uint64_t last_transfer_id;

static inline void open_fixture(void)
{
    fixture_open(&fixture, &analytics_domain);
    cr_assert_eq(ates_calendar_open("Europe/Moscow"), 0);
}

static inline void close_fixture(void)
{
    fixture_close(&fixture);
}

static inline struct ates_txn *txn(void)
{
    return ates_engine_txn(fixture.engine);
}

static inline struct ates_caller administrator(void)
{
    return fixture_caller(99, ATES_ADMINISTRATOR);
}

static inline void text_is(struct ates_text text, const char *expected)
{
    cr_expect(ates_text_equal(text, ates_text_from(expected)), "'%.*s' is not '%s'", (int)text.size,
              text.data, expected);
}

/* The Unix time of an hour after the day's beginning. */
static inline int64_t at(const char *date, int64_t hour)
{
    return ates_day_start(ates_day_of(ates_text_from(date))) + hour * HOUR_MS;
}

static inline int create_task(uint64_t task_id, const char *name)
{
    const struct tasks_task_created created = {
        .task_id = task_id, .name = ates_text_from(name), .assigned_to = 5, .created_by = 1};

    return fixture_follow(&fixture, "tasks", &tasks_task_created_message, 1, FIXTURE_TIME,
                          &created);
}

/* jira_id NULL: none. */
static inline int create_task_v2(uint64_t task_id, const char *jira_id, const char *title)
{
    const struct tasks_task_created_v2 created = {
        .task_id = task_id,
        .has_jira_id = jira_id != NULL,
        .jira_id = ates_text_from(jira_id != NULL ? jira_id : ""),
        .title = ates_text_from(title),
        .assigned_to = 5,
        .created_by = 1};

    return fixture_follow(&fixture, "tasks", &tasks_task_created_v2_message, 2, FIXTURE_TIME,
                          &created);
}

static inline int record(struct accounting_transfer transfer)
{
    const struct accounting_transfer_recorded recorded = {.transfer = transfer};

    return fixture_follow(&fixture, "accounting", &accounting_transfer_recorded_message, 1,
                          transfer.timestamp >= 0 ? transfer.timestamp : 0, &recorded);
}

/* A transfer without a task. */
static inline struct accounting_transfer transfer_of(const char *date, uint64_t user_id,
                                                     enum accounting_kind kind, int64_t delta_cents,
                                                     int64_t balance_cents)
{
    return (struct accounting_transfer){
        .id = ++last_transfer_id,
        .timestamp = at(date, 12),
        .user_id = user_id,
        .kind = (int)kind,
        .delta_cents = delta_cents,
        .balance_cents = balance_cents,
        .business_date = ates_text_from(date),
    };
}

static inline void charge(const char *date, uint64_t user_id, int64_t cents, int64_t balance_cents)
{
    cr_assert_eq(record(transfer_of(date, user_id, ACCOUNTING_ASSIGN_FEE, -cents, balance_cents)),
                 0);
}

static inline void pay(const char *date, uint64_t user_id, int64_t cents, int64_t balance_cents)
{
    cr_assert_eq(record(transfer_of(date, user_id, ACCOUNTING_PAYOUT, -cents, balance_cents)), 0);
}

/* The reward of a completion at that time; its business date is the time's own. */
static inline void reward(int64_t time, uint64_t task_id, int64_t cents)
{
    char date[ATES_DATE_SIZE];

    ates_day_format(ates_day_at(time), date);
    struct accounting_transfer transfer =
        transfer_of(date, 5, ACCOUNTING_COMPLETION_REWARD, cents, cents);
    transfer.timestamp = time;
    transfer.has_task_id = true;
    transfer.task_id = task_id;
    cr_assert_eq(record(transfer), 0);
}

/* The same of a task that was created before. */
static inline void complete(int64_t time, uint64_t task_id, int64_t cents)
{
    char name[32];

    snprintf(name, sizeof name, "Task %lu", (unsigned long)task_id);
    cr_assert_eq(create_task(task_id, name), 0);
    reward(time, task_id, cents);
}

static inline int64_t income_of(const char *date)
{
    const struct analytics_show_income query = {ates_text_from(date), ates_text_from(date)};
    struct analytics_show_income_result result;

    fixture_do(&fixture, administrator(), "show_income", &query, &result);
    cr_assert_eq(result.items.count, 1);
    const struct analytics_income *income = result.items.items;
    text_is(income->date, date);
    return income->income_cents;
}

static inline struct analytics_negative_balances_result debts_after(const struct ates_text *after,
                                                                    uint64_t limit)
{
    struct analytics_negative_balances query = {
        .has_after = after != NULL, .has_limit = limit > 0, .limit = limit};
    struct analytics_negative_balances_result result;

    if (after != NULL) {
        query.after = *after;
    }
    fixture_do(&fixture, administrator(), "negative_balances", &query, &result);
    return result;
}

static inline struct analytics_show_the_most_expensive_task_result
top_of(enum analytics_period period, const char *date)
{
    const struct analytics_show_the_most_expensive_task query = {
        .has_period = true,
        .period = (int)period,
        .has_date = date != NULL,
        .date = ates_text_from(date != NULL ? date : ""),
    };
    struct analytics_show_the_most_expensive_task_result result;

    fixture_do(&fixture, administrator(), "show_the_most_expensive_task", &query, &result);
    return result;
}

static inline struct analytics_show_the_most_expensive_task_result top_between(const char *from,
                                                                               const char *to)
{
    const struct analytics_show_the_most_expensive_task query = {
        .has_from_date = true,
        .from_date = ates_text_from(from),
        .has_to_date = true,
        .to_date = ates_text_from(to),
    };
    struct analytics_show_the_most_expensive_task_result result;

    fixture_do(&fixture, administrator(), "show_the_most_expensive_task", &query, &result);
    return result;
}

/* The best task's id, 0 for none; the best one of a day (counted from 0) likewise. */
static inline uint64_t best_of(const struct analytics_show_the_most_expensive_task_result *result)
{
    return result->has_task ? result->task.task_id : 0;
}

static inline uint64_t best_on(const struct analytics_show_the_most_expensive_task_result *result,
                               size_t day)
{
    cr_assert_lt(day, result->days.count);
    const struct analytics_day *item = (const struct analytics_day *)result->days.items + day;

    return item->has_task ? item->task.task_id : 0;
}

/* error_part: what the check must say; NULL where it must find nothing. */
static inline void expect_check(const char *error_part)
{
    char error[256] = "";
    const int r = analytics_check(txn(), error, sizeof error);

    if (error_part == NULL) {
        cr_expect_eq(r, 0, "%s", error);
    } else {
        cr_expect(r == -EBADMSG && strstr(error, error_part) != NULL, "%d '%s' is not '%s'", r,
                  error, error_part);
    }
}

#endif
