/* Accounting's engine for tests of payouts and their mails: a service "tasks" that tells its head,
 * money earned and owed at a given time, dates closed whole or step by step. Invariant: tasks says
 * that accounting has taken in everything, unless a test sets tasks_ahead. */
#ifndef ATES_TEST_PAYOUT_FIXTURE_H
#define ATES_TEST_PAYOUT_FIXTURE_H

#include <stdatomic.h>
#include <stdlib.h>

#include "accounting/accounting_mail_state.h"
#include "mail/mail_smtp.h"
#include "support/accounting_fixture.h"
#include "support/fake_service.h"

#define HOUR_MS INT64_C(3600000)
#define SINK UINT64_C(100000) /* who is charged for the tasks that others are rewarded for */

static struct fake_service tasks_server;
static atomic_uint_least64_t tasks_head; /* as the server tells it */
static uint64_t tasks_ahead;             /* events that accounting has not taken in */
static uint64_t last_task_id;

static inline void tell_head(struct fake_service *self, const struct fake_request *request)
{
    const struct ates_health_result result = {.status = ates_text_from("serving"),
                                              .version = ates_text_from("0"),
                                              .seq = atomic_load(&tasks_head)};
    struct ates_buffer body = {0};

    cr_assert(fake_is_command(request, "tasks.health"));
    ates_message_encode(&ates_health_result_message, &result, &body);
    fake_send_reply(self, request, "OK", body.data, body.size);
    ates_buffer_release(&body);
}

static inline void open_payouts(void)
{
    open_fixture();
    tasks_server = (struct fake_service){.name = NULL};
    strcpy(tasks_server.run_dir, fixture.folder);
    fake_service_start(&tasks_server, tell_head);
}

static inline void stop_tasks(void)
{
    fake_service_stop(&tasks_server);
    tasks_server.context = NULL;
}

static inline void close_payouts(void)
{
    if (tasks_server.context != NULL) {
        stop_tasks();
    }
    close_fixture();
}

/* What it was: the cents that moved. */
static inline int64_t owe(int64_t time, uint64_t user_id)
{
    cr_assert_eq(create_task(time, ++last_task_id, "Count the feathers", user_id), 0);
    return -prices_at(fixture_head(&fixture) - 1).assign_price_cents;
}

static inline int64_t earn(int64_t time, uint64_t user_id)
{
    owe(time, SINK);
    cr_assert_eq(complete_task(time, last_task_id, user_id), 0);
    return last_transfer().delta_cents;
}

static inline void set_tasks_head(void)
{
    struct ates_position position;

    cr_assert_eq(ates_engine_position(fixture.engine, "tasks", &position), 0);
    atomic_store(&tasks_head, position.seq + tasks_ahead);
}

static inline struct accounting_pay_to_workers command_to_pay(const char *date, bool dry_run)
{
    return (struct accounting_pay_to_workers){.has_business_date = date != NULL,
                                              .business_date =
                                                  ates_text_from(date != NULL ? date : ""),
                                              .has_dry_run = dry_run,
                                              .dry_run = dry_run};
}

/* Closes a date (NULL: today) and sees the job to its end. */
static inline struct accounting_pay_to_workers_result pay(const char *date)
{
    const struct accounting_pay_to_workers command = command_to_pay(date, false);
    struct accounting_pay_to_workers_result result;

    set_tasks_head();
    fixture_do(&fixture, accountant(), "pay_to_workers", &command, &result);
    return result;
}

static inline struct accounting_pay_to_workers_result would_pay(const char *date)
{
    const struct accounting_pay_to_workers command = command_to_pay(date, true);
    struct accounting_pay_to_workers_result result;

    fixture_do(&fixture, accountant(), "pay_to_workers", &command, &result);
    return result;
}

static inline void payout_is(struct accounting_pay_to_workers_result paid, const char *date,
                             uint64_t count, int64_t cents)
{
    text_is(paid.business_date, date);
    cr_expect(paid.paid_count == count && paid.total_cents == cents,
              "%.*s: %d of %d in all, not %d of %d", 10, paid.business_date.data,
              (int)paid.paid_count, (int)paid.total_cents, (int)count, (int)cents);
}

/* Asks for a payout, tasks for its head, and commits: what the handler said. No step runs. */
static inline struct ates_outcome ask_to_pay(const char *date, const char *request_id)
{
    static const atomic_bool never = false;
    const struct accounting_pay_to_workers command = command_to_pay(date, false);
    struct ates_outcome outcome;
    struct ates_execution execution = {
        .command = ates_service_command(&accounting_service, "pay_to_workers", 14),
        .body = &command,
        .caller = accountant(),
        .request_id = ates_text_from(request_id != NULL ? request_id : ""),
        .fingerprint = (const uint8_t *)"0123456789abcdef0123456789abcdef",
    };

    for (size_t i = 0; i < accounting_domain.handler_count; i++) {
        if (strcmp(accounting_domain.handlers[i].command, "pay_to_workers") == 0) {
            execution.handler = &accounting_domain.handlers[i];
        }
    }
    set_tasks_head();
    ates_engine_execute(fixture.engine, &execution, &outcome);
    if (outcome.status == ATES_DEFERRED) {
        void *input = malloc(outcome.work->input_size);
        void *output = calloc(1, outcome.work->output_size);

        cr_assert(input != NULL && output != NULL);
        memcpy(input, outcome.work_input, outcome.work->input_size);
        outcome.work->run(input, output, &never);
        execution.work_result = output;
        ates_engine_execute(fixture.engine, &execution, &outcome);
        free(input);
        free(output);
    }
    fixture_commit(&fixture);
    return outcome;
}

/* Steps until there is nothing to do now; returns how many. */
static inline unsigned run_steps(void)
{
    unsigned count = 0;

    while (ates_engine_has_steps(fixture.engine)) {
        fixture_step(&fixture);
        cr_assert_lt(++count, 10000, "the steps come to no end");
    }
    return count;
}

/* The state of the last date asked for. */
static inline struct accounting_payout payout_of(const char *date)
{
    struct accounting_payout payout;

    cr_assert_eq(accounting_state_get_payout(txn(), ates_text_from(date), &payout), 0);
    return payout;
}

static inline uint64_t count_mails(void)
{
    struct accounting_counters counters;

    cr_assert_eq(accounting_state_get_counters(txn(), &counters), 0);
    return counters.last_mail_id;
}

static inline struct accounting_mail_row mail_row(uint64_t mail_id)
{
    struct accounting_mail_row mail;

    cr_assert_eq(accounting_mail_get(txn(), mail_id, &mail), 0);
    return mail;
}

#endif
