/* See story_pay.h. */
#include "support/story_pay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <sodium.h>

#include "accounting/accounting_payout.h"
#include "core/calendar.h"
#include "payment/payment_run.h"
#include "support/story_life.h"

#define ROUNDS 12 /* in which a payout is given the chance to be held up */
#define REQUEST_ID_SIZE 32

/* A call of accounting.pay_to_workers, and what came of it. */
struct call {
    struct ates_caller caller;
    bool has_day;
    story_day day; /* the one that is meant, given or not */
    char request_id[REQUEST_ID_SIZE];
    bool dry_run;
    int status;
    struct ates_refusal refusal;
    struct accounting_pay_to_workers_result result; /* its date is gone with the arena */
};

/* fixture_execute with what a worker has made of it. */
static struct ates_outcome execute(struct fixture *fixture, struct ates_caller caller,
                                   const char *command, const void *body, const char *request_id,
                                   const void *work_result)
{
    const struct ates_service *service = fixture->domain->service;
    uint8_t fingerprint[ATES_FINGERPRINT_SIZE];
    struct ates_buffer encoded = {0};
    struct ates_outcome outcome;
    struct ates_execution execution = {
        .command = ates_service_command(service, command, strlen(command)),
        .body = body,
        .caller = caller,
        .request_id = ates_text_from(request_id),
        .fingerprint = fingerprint,
        .work_result = work_result,
    };

    for (size_t i = 0; i < fixture->domain->handler_count; i++) {
        if (strcmp(fixture->domain->handlers[i].command, command) == 0) {
            execution.handler = &fixture->domain->handlers[i];
        }
    }
    cr_assert(execution.handler != NULL && execution.command != NULL, "%s", command);
    ates_buffer_append(&encoded, command, strlen(command) + 1);
    ates_message_encode(execution.command->body, execution.body, &encoded);
    crypto_generichash(fingerprint, sizeof fingerprint, encoded.data, encoded.size, NULL, 0);
    ates_buffer_release(&encoded);
    ates_engine_execute(fixture->engine, &execution, &outcome);
    return outcome;
}

static struct ates_outcome send_call(struct story *story, const struct call *call,
                                     const struct accounting_ask_output *asked)
{
    char date[STORY_DATE_SIZE];

    story_format(call->day, date);
    const struct accounting_pay_to_workers body = {
        .has_business_date = call->has_day,
        .business_date = ates_text_from(date),
        .has_dry_run = call->dry_run,
        .dry_run = call->dry_run,
    };
    return execute(story_fixture(story, STORY_ACCOUNTING), call->caller, "pay_to_workers", &body,
                   call->request_id, asked);
}

static void decode_result(struct story *story, struct ates_bytes bytes, struct call *call)
{
    struct fixture *accounting = story_fixture(story, STORY_ACCOUNTING);
    char date[STORY_DATE_SIZE];

    story_format(call->day, date);
    cr_assert_eq(ates_message_decode(&accounting_pay_to_workers_result_message, bytes.data,
                                     bytes.size, ATES_UNKNOWN_REFUSED, accounting->arena,
                                     &call->result, NULL),
                 0);
    cr_assert(ates_text_equal(call->result.business_date, ates_text_from(date)),
              "%.*s was paid, not %s", 10, call->result.business_date.data, date);
    ates_arena_reset(accounting->arena);
}

static void expect_refused(const struct ates_outcome *outcome, enum ates_status status,
                           const char *reason)
{
    cr_assert(outcome->status == (int)status && strcmp(outcome->refusal.reason, reason) == 0,
              "pay_to_workers: %d %s, not %d %s", outcome->status, outcome->refusal.reason,
              (int)status, reason);
}

static void expect_amounts(const struct call *call, const struct story_closing *closing)
{
    cr_assert(call->result.paid_count == closing->count &&
                  call->result.total_cents == closing->cents,
              "%lu were paid %ld, not %lu %ld", (unsigned long)call->result.paid_count,
              (long)call->result.total_cents, (unsigned long)closing->count, (long)closing->cents);
}

/* What a date's closing paid; nothing where it was closed together with a later one. */
static struct story_closing closing_of(const struct story *story, story_day day)
{
    for (size_t i = 0; i < story->model.closing_count; i++) {
        if (story->model.closings[i].day == day) {
            return story->model.closings[i];
        }
    }
    return (struct story_closing){.day = day};
}

/* While a payout is open: its call comes once more, others are told to wait. */
static void disturb(struct story *story, const struct call *call, uint64_t job)
{
    struct call other = *call;

    switch (story_draw(story, 8)) {
    case 0:
    case 1:
        if (call->request_id[0] != '\0') {
            const struct ates_outcome again = send_call(story, call, NULL);

            cr_assert(again.status == ATES_OK && again.replayed && again.job == job);
            fixture_commit(story_fixture(story, STORY_ACCOUNTING));
        }
        break;
    case 2:
        other.request_id[0] = '\0';
        const struct ates_outcome outcome = send_call(story, &other, NULL);

        expect_refused(&outcome, ATES_UNAVAILABLE, "PAYOUT_RUNNING");
        fixture_commit(story_fixture(story, STORY_ACCOUNTING));
        break;
    case 3:
        if (story_chance(story, 10)) {
            story_reopen(story, STORY_ACCOUNTING);
        }
        break;
    case 4:
        story_work(story);
        break;
    case 5:
        story_set_clock(story, story->now_ms + (int64_t)story_draw(story, 1000));
        break;
    default:
        story_carry(story, story_tasks_to_accounting(story), 1 + story_draw(story, 5));
        break;
    }
}

/* One step; whether the job has ended with it. */
static bool step_payout(struct story *story, struct call *call, uint64_t job)
{
    struct fixture *accounting = story_fixture(story, STORY_ACCOUNTING);
    const struct story_stream *stream = story_tasks_to_accounting(story);
    struct story_model *model = &story->model;
    struct ates_position known;

    cr_assert_eq(ates_engine_position(accounting->engine, "tasks", &known), 0);
    cr_assert_leq(known.seq, stream->position.seq);
    if (model->is_waiting && known.seq >= model->waiting_seq) {
        story_model_close(model);
    } else if (model->is_waiting) {
        story->waits++;
    } else {
        story->chunks++;
    }
    fixture_step(accounting);
    for (size_t i = 0; i < ates_engine_finished_jobs(accounting->engine); i++) {
        const struct ates_finished_job done = ates_engine_finished_job(accounting->engine, i);

        if (done.job == job) {
            decode_result(story, done.reply, call);
            return true;
        }
    }
    return false;
}

/* To its end, whatever comes in between. */
static void finish_payout(struct story *story, struct call *call, uint64_t job)
{
    struct story_stream *stream = story_tasks_to_accounting(story);
    const bool is_quiet = story->is_quiet;

    for (int round = 0; !step_payout(story, call, job); round++) {
        cr_assert_lt(round, 1000, "the payout does not end");
        if (round < ROUNDS && !is_quiet) {
            disturb(story, call, job);
        } else {
            story->is_quiet = true;
            story_carry(story, stream, SIZE_MAX);
            story->is_quiet = is_quiet;
        }
    }
    cr_assert_not(story->model.is_waiting, "it was paid before tasks' events had arrived");
    const struct story_closing *closing = &story->model.closings[story->model.closing_count - 1];
    cr_assert_eq(closing->day, call->day);
    cr_assert_not(call->result.has_already_closed);
    expect_amounts(call, closing);
}

/* The date is not closed yet, and accounting asks tasks. */
static void answer_question(struct story *story, struct call *call, struct ates_outcome *outcome)
{
    const bool answers = story->is_quiet || !story_chance(story, 12);
    const struct accounting_ask_output asked = {
        .answered = answers,
        .seq = answers ? fixture_head(story_fixture(story, STORY_TASKS_SERVICE)) : 0};
    struct ates_position known;

    cr_assert_eq(outcome->work->output_size, sizeof asked);
    if (!story->is_quiet && story_chance(story, 3)) {
        story_work(story); /* the answer is on its way */
        story_carry_some(story);
    }
    cr_assert_eq(
        ates_engine_position(story_fixture(story, STORY_ACCOUNTING)->engine, "tasks", &known), 0);
    const enum story_verdict verdict =
        story_model_judge(&story->model, story_time(story, STORY_ACCOUNTING), call->day, answers,
                          asked.seq, known.seq);
    *outcome = send_call(story, call, &asked);
    if (verdict == STORY_UNREACHABLE) {
        expect_refused(outcome, ATES_UNAVAILABLE, "TASKS_UNREACHABLE");
    } else if (verdict == STORY_BEHIND) {
        expect_refused(outcome, ATES_UNAVAILABLE, "TASKS_BEHIND");
    } else if (verdict == STORY_NOTHING) {
        expect_refused(outcome, ATES_FAILED_PRECONDITION, "NO_TRANSFERS");
    } else {
        cr_assert_eq(verdict, STORY_PAYS);
        cr_assert_eq(outcome->status, ATES_OK, "%s", outcome->refusal.reason);
        cr_assert_neq(outcome->job, 0);
        const int64_t clock = story_clock_at(story->zone, story_time(story, STORY_ACCOUNTING));

        story_model_wait(&story->model, call->day, asked.seq,
                         clock < (call->day + 1) * INT64_C(86400000) + story->payday_ms);
    }
}

/* Makes the call, and sees that the answer is the one that the model foretells. */
static void pay(struct story *story, struct call *call)
{
    struct fixture *accounting = story_fixture(story, STORY_ACCOUNTING);
    struct ates_outcome outcome = send_call(story, call, NULL);
    const enum story_verdict verdict = story_model_judge(
        &story->model, story_time(story, STORY_ACCOUNTING), call->day, true, 0, 0);

    if (verdict == STORY_FUTURE) {
        expect_refused(&outcome, ATES_INVALID_ARGUMENT, "DATE_IN_FUTURE");
    } else if (verdict == STORY_CLOSED) {
        const struct story_closing closing = closing_of(story, call->day);

        cr_assert_eq(outcome.status, ATES_OK, "%s", outcome.refusal.reason);
        decode_result(story, outcome.reply, call);
        expect_amounts(call, &closing);
    } else if (verdict == STORY_NOTHING &&
               (call->dry_run || call->day <= story->model.closed_through)) {
        expect_refused(&outcome, ATES_FAILED_PRECONDITION, "NO_TRANSFERS");
    } else if (call->dry_run) {
        const struct story_closing dues = story_model_dues(&story->model, call->day);

        cr_assert_eq(outcome.status, ATES_OK, "%s", outcome.refusal.reason);
        decode_result(story, outcome.reply, call);
        expect_amounts(call, &dues);
    } else {
        cr_assert_eq(outcome.status, ATES_DEFERRED, "%d %s", outcome.status,
                     outcome.refusal.reason);
        answer_question(story, call, &outcome);
    }
    call->status = outcome.status;
    call->refusal = outcome.refusal;
    const uint64_t job = outcome.job;
    fixture_commit(accounting);
    if (job != 0) {
        finish_payout(story, call, job);
    }
}

/* As payment's worker makes it. */
static struct call scheduled_call(story_day day)
{
    struct call call = {
        .caller = {.signed_in = true, .role = ATES_INTERNALSERVICE}, .has_day = true, .day = day};
    char date[STORY_DATE_SIZE];

    story_format(day, date);
    snprintf(call.request_id, sizeof call.request_id, "payout-%s", date);
    return call;
}

static struct payment_pay_output output_of(const struct call *call)
{
    return (struct payment_pay_output){
        .day = call->day,
        .status = call->status,
        .refusal = call->refusal,
        .paid_count = call->status == ATES_OK ? call->result.paid_count : 0,
        .total_cents = call->status == ATES_OK ? call->result.total_cents : 0,
    };
}

/* The date is one that is over, and its payday has come. */
static story_day check_due(struct story *story, const struct ates_begun *begun)
{
    const struct payment_pay_input *input = begun->input;
    const int64_t clock = story_clock_at(story->zone, story_time(story, STORY_PAYMENT));

    cr_assert_eq(begun->work, &payment_pay_work);
    cr_assert_eq(begun->id, (uint64_t)input->day);
    cr_assert_geq(clock, (input->day + 1) * INT64_C(86400000) + story->payday_ms,
                  "payment calls before payday");
    return input->day;
}

static void make_call(struct story *story, struct ates_begun *begun)
{
    struct fixture *payment = story_fixture(story, STORY_PAYMENT);
    const struct payment_pay_output lost = {.day = (ates_day)begun->id, .status = -ETIMEDOUT};
    struct call call = scheduled_call(check_due(story, begun));
    const uint64_t fate = story->is_quiet ? 99 : story_draw(story, 24);

    story->lost_calls += fate <= 2;
    if (fate == 0) {
        fixture_end_begun(payment, begun, &lost);
        return;
    }
    if (fate == 1) {
        story_reopen(story, STORY_PAYMENT);
        return;
    }
    pay(story, &call);
    if (fate == 2) {
        fixture_end_begun(payment, begun, &lost);
        return;
    }
    const struct payment_pay_output output = output_of(&call);
    fixture_end_begun(payment, begun, &output);
}

size_t story_run_payment(struct story *story)
{
    struct fixture *payment = story_fixture(story, STORY_PAYMENT);
    struct ates_begun *begun = NULL;
    size_t calls = 0;

    if (story->payment_is_down) {
        return 0;
    }
    for (;; calls++) {
        while (ates_engine_has_steps(payment->engine)) {
            fixture_step(payment);
        }
        begun = fixture_take_begun(payment);
        if (begun == NULL) {
            break;
        }
        make_call(story, begun);
        story_run_jobs(story);
    }
    story->catch_ups += calls > 1;
    return calls;
}

/* payment.run_payment, of which payment's worker makes the same call. */
static void run_by_hand(struct story *story, story_day day)
{
    struct fixture *payment = story_fixture(story, STORY_PAYMENT);
    const struct ates_caller accountant = fixture_caller(1, ATES_ACCOUNTANT);
    const bool has_day = story_chance(story, 2);
    struct payment_run_payment_result result;
    char date[STORY_DATE_SIZE];

    story_format(day, date);
    const struct payment_run_payment body = {.has_business_date = has_day,
                                             .business_date = ates_text_from(date)};
    struct ates_outcome outcome = execute(payment, accountant, "run_payment", &body, "", NULL);
    cr_assert_eq(outcome.status, ATES_DEFERRED, "%s", outcome.refusal.reason);
    cr_assert_eq(outcome.work, &payment_pay_work);
    struct call call = scheduled_call(((const struct payment_pay_input *)outcome.work_input)->day);
    fixture_commit(payment);
    cr_assert(!has_day || call.day == day);
    cr_assert_leq(call.day,
                  has_day ? day : story_day_at(story->zone, story_time(story, STORY_PAYMENT)));
    pay(story, &call);
    const struct payment_pay_output output = output_of(&call);
    outcome = execute(payment, accountant, "run_payment", &body, "", &output);
    cr_assert_eq(outcome.status, call.status);
    if (outcome.status == ATES_OK) {
        cr_assert_eq(ates_message_decode(&payment_run_payment_result_message, outcome.reply.data,
                                         outcome.reply.size, ATES_UNKNOWN_REFUSED, payment->arena,
                                         &result, NULL),
                     0);
        cr_assert_eq(result.paid_count, call.result.paid_count);
        cr_assert_eq(result.total_cents, call.result.total_cents);
    } else {
        cr_assert_str_eq(outcome.refusal.reason, call.refusal.reason);
    }
    fixture_commit(payment);
    ates_arena_reset(payment->arena);
}

void story_pay_by_hand(struct story *story)
{
    const story_day today = story_day_at(story->zone, story_time(story, STORY_ACCOUNTING));
    const story_day other = today + 1 - (story_day)story_draw(story, 5);
    struct call call = {.caller = fixture_caller(1, ATES_ACCOUNTANT), .day = today};

    story->hand_payouts++;
    switch (story_draw(story, 8)) {
    case 0:
        run_by_hand(story, other);
        break;
    case 1:
    case 2:
        call.has_day = true;
        call.day = other;
        pay(story, &call);
        break;
    case 3:
    case 4:
    case 5:
        call.has_day = true;
        call.day = story_chance(story, 2) ? other : today;
        call.dry_run = true;
        pay(story, &call);
        break;
    default:
        pay(story, &call); /* today, up to now */
        break;
    }
    story_run_jobs(story);
}

void story_ask_again(struct story *story)
{
    for (story_day day = story->first_day - 1; day <= story->model.closed_through; day++) {
        struct call call = {
            .caller = fixture_caller(1, ATES_ACCOUNTANT), .has_day = true, .day = day};

        pay(story, &call);
        cr_assert_eq(call.status == ATES_OK,
                     call.result.has_already_closed && call.result.already_closed);
    }
}
