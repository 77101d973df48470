/* The payment domain: when which business date is closed. Invariants: dates are closed in order, each
 * once its payday has come on the day after it, and none is left out; a date is due by the calendar
 * alone, never by how long ago another was. */
#include "payment/payment.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <ates/accounting.h>
#include <ates/payment.h>

#include "core/catalogue.h"
#include "core/text.h"
#include "core/users.h"
#include "payment/payment_run.h"
#include "payment/payment_state.h"

#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 300000
#define WORKER_THREADS 2u /* who asks by hand does not wait for the schedule's call */

/* As a date that can be named, whatever the clock says. */
static ates_day day_at(int64_t time)
{
    const ates_day day = ates_day_at(time);

    return day < 0 ? 0 : day > ATES_DAY_MAX ? ATES_DAY_MAX : day;
}

/* The day that the schedule closes next; before its start, the one with which it would start. */
static ates_day next_day(const struct ates_call *call, const struct payment_schedule *schedule)
{
    return schedule->has_next_business_date ? ates_day_of(schedule->next_business_date)
                                            : day_at(call->time);
}

static int64_t due_at(const struct ates_call *call, ates_day day)
{
    return ates_day_time(day + 1, call->config->payday_ms);
}

static int answer_show_schedule(struct ates_call *call, const void *body, void *result)
{
    struct payment_show_schedule_result *shown = result;
    struct payment_schedule schedule;

    (void)body;
    int r = payment_state_get_schedule(call->txn, &schedule);
    if (r != 0) {
        return r;
    }
    const ates_day day = next_day(call, &schedule);

    *shown = (struct payment_show_schedule_result){
        .next_run_at = due_at(call, day),
        .next_business_date = ates_day_text(call->arena, day),
        .has_retry_at = schedule.has_retry_at,
        .retry_at = schedule.retry_at,
        .failures = schedule.failures,
        .has_last_run = schedule.has_last_run,
        .last_run = schedule.last_run,
    };
    return 0;
}

static int emit_paid(struct ates_call *call, const struct payment_pay_output *done)
{
    const struct payment_payment_run run = {
        .business_date = ates_day_text(call->arena, done->day),
        .status = PAYMENT_PAID,
        .paid_count = done->paid_count,
        .total_cents = done->total_cents,
    };
    return ates_emit(call, &payment_payment_run_message, &run);
}

/* What accounting refused is refused in its words. Where it was payment's own token that did not
 * suffice, the caller's is none the worse. */
static int refuse_as_accounting(struct ates_call *call, const struct payment_pay_output *done)
{
    if (done->status < 0) {
        return ates_refusal_set(&call->refusal, ATES_UNAVAILABLE, "ACCOUNTING_UNREACHABLE", NULL,
                                "accounting does not answer");
    }
    call->refusal = done->refusal;
    if (done->status == ATES_UNAUTHENTICATED || done->status == ATES_PERMISSION_DENIED) {
        call->refusal.status = ATES_UNAVAILABLE;
    }
    return (int)call->refusal.status;
}

/* A date that had been closed before is no new run, and a dry run none at all.
 * Refuses: what accounting.pay_to_workers refuses; UNAVAILABLE / ACCOUNTING_UNREACHABLE. */
static int handle_run_payment(struct ates_call *call, const void *body)
{
    const struct payment_run_payment *command = body;
    const struct payment_pay_output *done = call->work_result;
    struct payment_schedule schedule;

    if (done != NULL && done->status != ATES_OK) {
        return refuse_as_accounting(call, done);
    }
    if (done != NULL) {
        return done->already_closed || command->dry_run ? 0 : emit_paid(call, done);
    }
    int r = payment_state_get_schedule(call->txn, &schedule);
    if (r != 0) {
        return r;
    }
    const ates_day today = day_at(call->time), next = next_day(call, &schedule);

    return payment_pay_defer(call,
                             command->has_business_date ? ates_day_of(command->business_date)
                             : next < today             ? next
                                                        : today,
                             command->dry_run);
}

static int answer_run_payment(struct ates_call *call, const void *body, void *result)
{
    const struct payment_pay_output *done = call->work_result;
    struct payment_run_payment_result *paid = result;

    (void)body;
    assert(done != NULL && done->status == ATES_OK);
    *paid = (struct payment_run_payment_result){
        .business_date = ates_day_text(call->arena, done->day),
        .paid_count = done->paid_count,
        .total_cents = done->total_cents,
        .has_already_closed = done->already_closed,
        .already_closed = done->already_closed,
    };
    return 0;
}

static const struct ates_handler handlers[] = {
    {.command = "show_schedule", .answer = answer_show_schedule},
    {.command = "run_payment", .decide = handle_run_payment, .answer = answer_run_payment},
};

static bool is_next(const struct payment_schedule *schedule, struct ates_text business_date)
{
    return schedule->has_next_business_date &&
           ates_text_equal(schedule->next_business_date, business_date);
}

/* A date that was closed by hand needs no run. */
static int follow_payout_closed(struct ates_call *call, const struct ates_event *event,
                                const void *data)
{
    const struct accounting_payout_closed *closed = data;
    const struct payment_date_closed taken = {.business_date = closed->business_date};
    struct payment_schedule schedule;

    (void)event;
    int r = payment_state_get_schedule(call->txn, &schedule);
    if (r != 0 || !is_next(&schedule, closed->business_date)) {
        return r;
    }
    return ates_emit(call, &payment_date_closed_message, &taken);
}

static const struct ates_follow follows[] = {
    {"auth", &ates_user_changed_message, 1, ates_users_follow_changed},
    {"accounting", &accounting_payout_closed_message, 1, follow_payout_closed},
};

static const struct ates_follow snapshot_follows[] = {
    {"auth", &ates_user_snapshot_message, 1, ates_users_follow_changed},
    {"accounting", &accounting_payout_snapshot_message, 1, follow_payout_closed},
};

static int start_schedule(struct ates_call *call)
{
    const struct payment_schedule_started started = {
        .business_date = ates_day_text(call->arena, day_at(call->time))};

    return ates_emit(call, &payment_schedule_started_message, &started);
}

/* Has the next date closed once it is due and, after a failure, its next try; says when to look
 * again, or looks again when what is under way has ended. */
static int step(struct ates_call *call, bool *more)
{
    struct payment_schedule schedule;

    int r = payment_state_get_schedule(call->txn, &schedule);
    if (r != 0) {
        return r;
    }
    if (!schedule.has_next_business_date) {
        *more = true;
        return start_schedule(call);
    }
    const ates_day day = ates_day_of(schedule.next_business_date);
    if (day == ATES_DAY_MAX || ates_under_way(call, &payment_pay_work) > 0) {
        return 0;
    }
    int64_t due = due_at(call, day);
    if (schedule.has_retry_at && schedule.retry_at > due) {
        due = schedule.retry_at;
    }
    if (due > call->time) {
        ates_wake_at(call, due);
        return 0;
    }
    return payment_pay_begin(call, day);
}

/* After so many failures in a row. */
static int64_t retry_delay(uint64_t failures, uint32_t retry_after_ms)
{
    int64_t delay_ms = RETRY_MIN_MS;

    for (uint64_t i = 1; i < failures && delay_ms < RETRY_MAX_MS; i++) {
        delay_ms *= 2;
    }
    delay_ms = delay_ms < RETRY_MAX_MS ? delay_ms : RETRY_MAX_MS;
    return delay_ms > retry_after_ms ? delay_ms : retry_after_ms;
}

/* "REASON: message", cut at the field's limit; a refusal's message may itself have been cut within a
 * character. */
static struct ates_text describe(struct ates_arena *arena, const struct payment_pay_output *done)
{
    enum { SIZE = sizeof done->refusal.reason + sizeof done->refusal.message + 2 };
    char *text = ates_arena_alloc(arena, SIZE);

    if (done->status == -ETIMEDOUT) {
        snprintf(text, SIZE, "NO_ANSWER: accounting is away, or waits for tasks");
    } else if (done->status < 0) {
        snprintf(text, SIZE, "ACCOUNTING_UNREACHABLE: %s", strerror(-done->status));
    } else {
        snprintf(text, SIZE, "%s: %s", done->refusal.reason, done->refusal.message);
    }
    size_t end = ates_utf8_cut(text, strlen(text), PAYMENT_ERROR_MAX);
    while (!ates_utf8_valid(text, end)) {
        end--;
    }
    return (struct ates_text){text, end};
}

static int emit_failed(struct ates_call *call, const struct payment_schedule *schedule,
                       const struct payment_pay_output *done)
{
    const uint32_t retry_after_ms = done->status > 0 ? done->refusal.retry_after_ms : 0;
    const struct payment_payment_run run = {
        .business_date = schedule->next_business_date,
        .status = PAYMENT_FAILED,
        .has_error = true,
        .error = describe(call->arena, done),
        .has_retry_at = true,
        .retry_at = call->time + retry_delay(schedule->failures + 1, retry_after_ms),
    };
    const struct ates_log_field fields[] = {{"command", "pay_to_workers", 0}, {NULL, NULL, 0}};

    ates_say(ATES_SAY_DATE_NOT_PAID, payment_service.name, fields,
             "%.*s could not be paid yet: %.*s", (int)run.business_date.size,
             run.business_date.data, (int)run.error.size, run.error.data);
    return ates_emit(call, &payment_payment_run_message, &run);
}

/* What accounting says where nothing was ever booked up to the date. */
static bool is_nothing(const struct payment_pay_output *done)
{
    return done->status == ATES_FAILED_PRECONDITION &&
           strcmp(done->refusal.reason, "NO_TRANSFERS") == 0;
}

static int ended(struct ates_call *call, const struct ates_work *work, uint64_t id,
                 const void *output)
{
    const struct payment_pay_output *done = output;
    struct payment_schedule schedule;

    (void)work, (void)id;
    if (done == NULL || done->status == -ECANCELED) {
        return 0; /* the next start has it done */
    }
    if (done->status == ATES_OK) {
        return emit_paid(call, done);
    }
    int r = payment_state_get_schedule(call->txn, &schedule);
    if (r != 0 || !is_next(&schedule, ates_day_text(call->arena, done->day))) {
        return r; /* it was closed meanwhile, by hand */
    }
    if (!is_nothing(done)) {
        return emit_failed(call, &schedule, done);
    }
    const struct payment_payment_run run = {.business_date = schedule.next_business_date,
                                            .status = PAYMENT_NOTHING};
    return ates_emit(call, &payment_payment_run_message, &run);
}

static int apply_schedule_started(struct ates_txn *txn, const struct ates_event *event,
                                  const void *data)
{
    const struct payment_schedule_started *started = data;
    struct payment_schedule schedule;

    (void)event;
    int r = payment_state_get_schedule(txn, &schedule);
    if (r != 0) {
        return r;
    }
    schedule.has_next_business_date = true;
    schedule.next_business_date = started->business_date;
    return payment_state_put_schedule(txn, &schedule);
}

static void move_on(struct ates_arena *arena, struct payment_schedule *schedule)
{
    const ates_day day = ates_day_of(schedule->next_business_date);

    assert(day < ATES_DAY_MAX);
    schedule->next_business_date = ates_day_text(arena, day + 1);
    schedule->failures = 0;
    schedule->has_retry_at = false;
}

static int apply_payment_run(struct ates_txn *txn, const struct ates_event *event, const void *data)
{
    const struct payment_payment_run *run = data;
    struct payment_schedule schedule;

    int r = payment_state_get_schedule(txn, &schedule);
    if (r != 0) {
        return r;
    }
    schedule.has_last_run = true;
    schedule.last_run = (struct payment_last_run){
        .business_date = run->business_date,
        .at = event->time,
        .status = run->status,
        .paid_count = run->paid_count,
        .total_cents = run->total_cents,
        .has_error = run->has_error,
        .error = run->error,
    };
    if (run->status == PAYMENT_FAILED) {
        schedule.failures++;
        schedule.has_retry_at = true;
        schedule.retry_at = run->retry_at;
    } else if (is_next(&schedule, run->business_date)) {
        move_on(txn->arena, &schedule);
    }
    return payment_state_put_schedule(txn, &schedule);
}

static int apply_date_closed(struct ates_txn *txn, const struct ates_event *event, const void *data)
{
    struct payment_schedule schedule;

    (void)event, (void)data; /* it was taken in as the next one's */
    int r = payment_state_get_schedule(txn, &schedule);
    if (r != 0) {
        return r;
    }
    move_on(txn->arena, &schedule);
    return payment_state_put_schedule(txn, &schedule);
}

static const struct ates_applier appliers[] = {
    {&payment_payment_run_message, apply_payment_run},
    {&payment_schedule_started_message, apply_schedule_started},
    {&payment_date_closed_message, apply_date_closed},
};

static int measure(struct ates_txn *txn, struct ates_figures *figures)
{
    static const struct ates_figure failures = {"ates_payday_failures", ATES_GAUGE,
                                                "Failed runs of the payout that is due, in a row."};
    struct payment_schedule schedule;
    int r = payment_state_get_schedule(txn, &schedule);

    if (r == 0) {
        ates_figures_add(figures, &failures, (int64_t)schedule.failures, NULL);
    }
    return r;
}

const struct ates_domain payment_domain = {
    .service = &payment_service,
    .tables = payment_tables,
    .handlers = handlers,
    .handler_count = sizeof handlers / sizeof handlers[0],
    .appliers = appliers,
    .applier_count = sizeof appliers / sizeof appliers[0],
    .follows = follows,
    .follow_count = sizeof follows / sizeof follows[0],
    .snapshot_follows = snapshot_follows,
    .snapshot_follow_count = sizeof snapshot_follows / sizeof snapshot_follows[0],
    .step = step,
    .ended = ended,
    .worker_threads = WORKER_THREADS,
    .check = payment_state_check,
    .measure = measure,
    .open = payment_memory_open,
    .close = payment_memory_close,
};
