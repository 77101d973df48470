/* Closing a business date; see accounting_payout.h. */
#include "accounting/accounting_payout.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <ates/client.h>
#include <ates/tasks.h>

#include "accounting/accounting_dues.h"
#include "accounting/accounting_ledger.h"
#include "accounting/accounting_mail.h"
#include "core/catalogue.h"
#include "core/client_private.h"

#define CHUNK_PAYOUTS 100u /* in one step, after which other commands have their turn */
#define ASK_TIMEOUT_MS 2000
#define BUSY_RETRY_MS 500u
#define UNREACHABLE_RETRY_MS 1000u

/* Asking tasks for its head, which needs no token. */
struct ask_input {
    struct ates_reach reach;
};

static void ask_tasks(const void *work_input, void *work_output, const atomic_bool *stopping)
{
    static const char command[] = "health";
    const struct ask_input *input = work_input;
    struct accounting_ask_output *output = work_output;
    const struct ates_empty nothing = {0};
    struct ates_health_result health;
    struct ates_reply reply;
    struct ates_client *client = ates_client_new_at(&input->reach);

    (void)stopping; /* it does not take long */
    if (client == NULL) {
        return;
    }
    struct ates_arena *arena = ates_arena_new();
    ates_client_set_timeout(client, ASK_TIMEOUT_MS);
    output->answered =
        ates_client_invoke(client, &tasks_service,
                           ates_service_command(&tasks_service, command, sizeof command - 1), NULL,
                           &nothing, arena, &health, &reply) == ATES_OK;
    output->seq = output->answered ? health.seq : 0;
    ates_arena_free(&arena);
    ates_client_free(&client);
}

static const struct ates_work ask_work = {.name = "ask_tasks",
                                          .run = ask_tasks,
                                          .input_size = sizeof(struct ask_input),
                                          .output_size = sizeof(struct accounting_ask_output)};

static int defer_asking(struct ates_call *call)
{
    struct ask_input input;

    ates_config_reach(call->config, &input.reach);
    return ates_defer(call, &ask_work, &input);
}

/* What is waited for under a job's id: a date is closed once. */
static uint64_t job_of(ates_day day)
{
    assert(day >= 0);
    return (uint64_t)day + 1;
}

static int request(struct ates_call *call, ates_day day, uint64_t tasks_seq)
{
    const struct accounting_payout_requested requested = {
        .business_date = ates_day_text(call->arena, day),
        .tasks_seq = tasks_seq,
        .requested_by = call->user.id,
        .has_request_id = call->cause.has_request_id,
        .request_id = call->cause.request_id,
        .has_traceparent = call->cause.has_traceparent,
        .traceparent = call->cause.traceparent,
    };

    ates_reply_later(call, job_of(day));
    return ates_emit(call, &accounting_payout_requested_message, &requested);
}

static int refuse_retry(struct ates_call *call, const char *reason, uint32_t retry_after_ms)
{
    int r = ates_refuse(call, ATES_UNAVAILABLE, reason);

    call->refusal.retry_after_ms = retry_after_ms;
    return r;
}

/* The date that is meant: one that has begun. */
static int find_day(struct ates_call *call, const struct accounting_pay_to_workers *command,
                    ates_day *day)
{
    const ates_day today = ates_day_at(call->time);

    *day = today;
    if (command->has_business_date) {
        *day = ates_day_of(command->business_date);
    }
    if (*day > today) {
        return ates_refuse_field(call, ATES_INVALID_ARGUMENT, "DATE_IN_FUTURE", "business_date",
                                 "business_date: this date has not begun");
    }
    return 0;
}

/* Refuses a date up to which nothing was booked. */
static int check_booked(struct ates_call *call, ates_day day)
{
    ates_day first;

    int r = accounting_state_first_date(call->txn, &first);
    if (r == ATES_NOT_FOUND || (r == 0 && day < first)) {
        return ates_refuse_field(call, ATES_FAILED_PRECONDITION, "NO_TRANSFERS", "business_date",
                                 "business_date: nothing was booked up to this date");
    }
    return r;
}

/* What tasks has answered decides: as long as its events are not all booked, nothing is known of
 * the date, not even that it is empty. */
static int decide_asked(struct ates_call *call, ates_day day,
                        const struct accounting_ask_output *asked)
{
    uint64_t seq;

    if (!asked->answered) {
        return refuse_retry(call, "TASKS_UNREACHABLE", UNREACHABLE_RETRY_MS);
    }
    int r = check_booked(call, day);
    if (r == 0) {
        return request(call, day, asked->seq);
    }
    if (r > 0 && ates_followed_seq(call, "tasks", &seq) == 0 && seq < asked->seq) {
        return refuse_retry(call, "TASKS_BEHIND", BUSY_RETRY_MS);
    }
    return r;
}

/* Whether the date is closed, and its accounts paid; and whether any payout is under way. */
static int look_at(struct ates_txn *txn, ates_day day, bool *is_settled, bool *is_running)
{
    struct accounting_counters counters;
    struct accounting_payout open;

    int r = accounting_state_get_counters(txn, &counters);
    if (r != 0) {
        return r;
    }
    r = accounting_state_open_payout(txn, &open);
    *is_running = r == 0;
    *is_settled =
        day <= counters.closed_through && (!*is_running || ates_day_of(open.business_date) != day);
    return r == ATES_NOT_FOUND ? 0 : r;
}

/* Refuses: INVALID_ARGUMENT / DATE_IN_FUTURE; FAILED_PRECONDITION / NO_TRANSFERS; UNAVAILABLE /
 * PAYOUT_RUNNING, TASKS_UNREACHABLE, TASKS_BEHIND. */
int accounting_handle_pay_to_workers(struct ates_call *call, const void *body)
{
    const struct accounting_pay_to_workers *command = body;
    bool is_settled, is_running;
    ates_day day;

    int r = find_day(call, command, &day);
    if (r == 0) {
        r = look_at(call->txn, day, &is_settled, &is_running);
    }
    if (r != 0) {
        return r;
    }
    call->subject = (uint64_t)day;
    if (is_running && !is_settled) {
        return refuse_retry(call, "PAYOUT_RUNNING", BUSY_RETRY_MS);
    }
    if (command->dry_run || is_settled) {
        return check_booked(call, day);
    }
    return call->work_result == NULL ? defer_asking(call)
                                     : decide_asked(call, day, call->work_result);
}

/* A date that is closed already, or a dry run. One that was closed together with a later one has
 * itself paid nobody. */
int accounting_answer_pay_to_workers(struct ates_call *call, const void *body, void *result)
{
    struct accounting_pay_to_workers_result *paid = result;
    struct accounting_counters counters;
    struct accounting_payout payout;

    (void)body;
    paid->business_date = ates_day_text(call->arena, (ates_day)call->subject);
    int r = accounting_state_get_counters(call->txn, &counters);
    if (r != 0) {
        return r;
    }
    if ((ates_day)call->subject > counters.closed_through) {
        return accounting_sum_dues(call->txn, paid);
    }
    paid->has_already_closed = paid->already_closed = true;
    r = accounting_state_get_payout(call->txn, paid->business_date, &payout);
    if (r == 0) {
        paid->paid_count = payout.paid_count;
        paid->total_cents = payout.total_cents;
    }
    return r == ATES_NOT_FOUND ? 0 : r;
}

static int finish(struct ates_call *call, const struct accounting_payout *payout)
{
    const struct accounting_pay_to_workers_result result = {
        .business_date = payout->business_date,
        .paid_count = payout->paid_count,
        .total_cents = payout->total_cents,
    };
    const struct accounting_payout_closed closed = {
        .business_date = payout->business_date,
        .paid_count = payout->paid_count,
        .total_cents = payout->total_cents,
    };

    const struct ates_log_field fields[] = {
        {"command", "pay_to_workers", 0},
        {"paid_count", NULL, (int64_t)payout->paid_count},
        {"total_cents", NULL, payout->total_cents},
        {NULL, NULL, 0},
    };
    ates_say(ATES_SAY_DATE_CLOSED, accounting_service.name, fields, "%.*s is closed and paid",
             (int)payout->business_date.size, payout->business_date.data);
    ates_finish(call, job_of(ates_day_of(payout->business_date)),
                &accounting_pay_to_workers_result_message, &result);
    return ates_emit(call, &accounting_payout_closed_message, &closed);
}

static int pay_chunk(struct ates_call *call, struct accounting_payout *payout)
{
    struct accounting_due dues[CHUNK_PAYOUTS];
    uint64_t next_user_id = 0;
    size_t count = 0;

    int r = accounting_next_dues(call->txn, payout, dues, CHUNK_PAYOUTS, &count, &next_user_id);
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = accounting_book_payout(call, dues[i].user_id, dues[i].cents, payout->business_date, i);
        if (r == 0) {
            r = accounting_queue_mail(call, dues[i].user_id, dues[i].cents, payout->business_date,
                                      i);
        }
        payout->total_cents += dues[i].cents;
    }
    payout->paid_count += count;
    if (r != 0) {
        return r;
    }
    if (next_user_id == 0) {
        return finish(call, payout);
    }
    const struct accounting_payout_advanced advanced = {
        .business_date = payout->business_date,
        .next_user_id = next_user_id,
    };
    return ates_emit(call, &accounting_payout_advanced_message, &advanced);
}

static struct ates_cause cause_of(const struct accounting_payout *payout)
{
    return (struct ates_cause){
        .has_command = true,
        .command = ates_text_from("accounting.pay_to_workers"),
        .has_request_id = payout->has_request_id,
        .request_id = payout->request_id,
        .has_traceparent = payout->has_traceparent,
        .traceparent = payout->traceparent,
        .has_user_id = payout->requested_by != 0,
        .user_id = payout->requested_by,
    };
}

int accounting_payout_step(struct ates_call *call, bool *more)
{
    struct accounting_payout payout;
    uint64_t seq;

    int r = accounting_state_open_payout(call->txn, &payout);
    if (r != 0) {
        return r == ATES_NOT_FOUND ? 0 : r;
    }
    call->cause = cause_of(&payout);
    if (payout.phase == ACCOUNTING_PAYOUT_PAYING) {
        *more = true;
        return pay_chunk(call, &payout);
    }
    r = ates_followed_seq(call, "tasks", &seq);
    if (r != 0 || seq < payout.tasks_seq) {
        return r; /* whatever is followed wakes the step */
    }
    const struct accounting_payout_started started = {.business_date = payout.business_date};

    *more = true;
    return ates_emit(call, &accounting_payout_started_message, &started);
}

int accounting_apply_payout_requested(struct ates_txn *txn, const struct ates_event *event,
                                      const void *data)
{
    const struct accounting_payout_requested *requested = data;
    const struct accounting_payout payout = {
        .business_date = requested->business_date,
        .phase = ACCOUNTING_PAYOUT_WAITING,
        .tasks_seq = requested->tasks_seq,
        .requested_by = requested->requested_by,
        .has_request_id = requested->has_request_id,
        .request_id = requested->request_id,
        .has_traceparent = requested->has_traceparent,
        .traceparent = requested->traceparent,
        .next_user_id = ACCOUNTING_COMPANY + 1,
    };

    (void)event;
    return accounting_state_put_payout(txn, &payout);
}

int accounting_apply_payout_started(struct ates_txn *txn, const struct ates_event *event,
                                    const void *data)
{
    const struct accounting_payout_started *started = data;
    struct accounting_payout payout;
    struct accounting_counters counters;

    (void)event;
    int r = accounting_state_get_payout(txn, started->business_date, &payout);
    if (r == 0) {
        payout.phase = ACCOUNTING_PAYOUT_PAYING;
        r = accounting_state_put_payout(txn, &payout);
    }
    if (r == 0) {
        r = accounting_state_get_counters(txn, &counters);
    }
    if (r != 0) {
        return r;
    }
    counters.closed_through = ates_day_of(started->business_date);
    return accounting_state_put_counters(txn, &counters);
}

int accounting_apply_payout(struct ates_txn *txn, const struct accounting_transfer *transfer)
{
    struct accounting_payout payout;

    int r = accounting_state_get_payout(txn, transfer->business_date, &payout);
    if (r == 0) {
        payout.paid_count++;
        r = accounting_add(payout.total_cents, -transfer->delta_cents, &payout.total_cents);
    }
    return r == 0 ? accounting_state_put_payout(txn, &payout) : r;
}

int accounting_apply_payout_advanced(struct ates_txn *txn, const struct ates_event *event,
                                     const void *data)
{
    const struct accounting_payout_advanced *advanced = data;
    struct accounting_payout payout;

    (void)event;
    int r = accounting_state_get_payout(txn, advanced->business_date, &payout);
    payout.next_user_id = advanced->next_user_id;
    return r == 0 ? accounting_state_put_payout(txn, &payout) : r;
}

int accounting_apply_payout_closed(struct ates_txn *txn, const struct ates_event *event,
                                   const void *data)
{
    const struct accounting_payout_closed *closed = data;
    struct accounting_payout payout;

    (void)event;
    int r = accounting_state_get_payout(txn, closed->business_date, &payout);
    if (r == 0 &&
        (payout.paid_count != closed->paid_count || payout.total_cents != closed->total_cents)) {
        r = -EUCLEAN;
    }
    payout.phase = ACCOUNTING_PAYOUT_CLOSED;
    return r == 0 ? accounting_state_put_payout(txn, &payout) : r;
}
