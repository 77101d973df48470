/* The employees and their money; see payday.h. What has become of the mails is payday_mails.c. */
#include "support/payday.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <sodium.h>

#include <ates/accounting.h>
#include <ates/auth.h>
#include <ates/tasks.h>

#include "accounting/accounting.h"
#include "auth/auth.h"
#include "core/engine.h"
#include "payment/payment.h"
#include "tasks/tasks.h"
#include "tasks/tasks_state.h"

#define BATCH 200u /* calls in a commit */
/* Of the number of the eligible: far from the small values that a fair draw throws away. */
#define SLOT_FACTOR (UINT64_C(1) << 32)
#define DAY_MS INT64_C(86400000)

/* Hashing a thousand passwords at the real cost takes minutes, and none of them is ever used: where
 * this file is linked, new hashes are real ones of the least cost. */
int crypto_pwhash_str(char out[crypto_pwhash_STRBYTES], const char *const password,
                      unsigned long long size, unsigned long long operations, size_t memory)
{
    (void)operations, (void)memory;
    return crypto_pwhash_str_alg(out, password, size, crypto_pwhash_OPSLIMIT_MIN,
                                 crypto_pwhash_MEMLIMIT_MIN, crypto_pwhash_ALG_ARGON2ID13);
}

ates_day payday_today(void)
{
    const struct ates_source source = ates_source_system();

    return ates_day_at(ates_now_ms(&source));
}

struct ates_text payday_date(struct flow *flow, ates_day day)
{
    char *date = ates_arena_alloc(flow->arena, ATES_DATE_SIZE);

    ates_day_format(day, date);
    return ates_text_from(date);
}

int64_t payday_noon(ates_day day)
{
    return ates_day_start(day) + DAY_MS / 2;
}

/* An engine of the test's own: its clock goes on by a millisecond a look, and the next draw of an
 * assignee can be told. */
struct bench {
    struct flow *flow;
    struct ates_engine *engine;
    struct ates_source source;
    struct ates_arena *arena;
    int64_t now_ms;
    bool has_slot;
    uint64_t slot; /* among the eligible */
    size_t calls;  /* since the last commit */
};

static int64_t tell_time(void *context)
{
    struct bench *bench = context;

    return bench->now_ms++;
}

/* Only a draw takes 8 bytes. */
static void draw(void *context, void *out, size_t size)
{
    struct bench *bench = context;

    if (bench->has_slot && size == sizeof bench->slot) {
        memcpy(out, &bench->slot, size);
        bench->has_slot = false;
    } else {
        randombytes_buf(out, size);
    }
}

static void open_bench(struct bench *bench, struct flow *flow, const struct ates_domain *domain,
                       int64_t time)
{
    char error[512] = "";

    *bench = (struct bench){.flow = flow, .now_ms = time, .arena = ates_arena_new()};
    bench->source = (struct ates_source){.now_ms = tell_time, .random = draw, .context = bench};
    cr_assert_eq(ates_engine_open(&bench->engine, domain, flow_load_config(flow), &bench->source,
                                  error, sizeof error),
                 0, "%s", error);
    cr_assert_eq(ates_engine_start(bench->engine), 0);
}

static void commit(struct bench *bench)
{
    cr_assert_eq(ates_engine_commit(bench->engine), 0);
    cr_assert_gt(ates_engine_checkpoint(bench->engine, false), 0);
    ates_arena_reset(bench->arena);
    bench->calls = 0;
}

static void close_bench(struct bench *bench)
{
    commit(bench);
    ates_engine_close(&bench->engine);
    ates_arena_free(&bench->arena);
}

static void follow_event(struct bench *bench, const char *producer, struct ates_bytes bytes)
{
    struct ates_envelope envelope;
    struct ates_position next = {.known = true};
    struct ates_refusal refusal = {.message = ""};

    cr_assert_eq(ates_message_decode(&ates_envelope_message, bytes.data, bytes.size,
                                     ATES_UNKNOWN_IGNORED, bench->arena, &envelope, NULL),
                 0);
    memcpy(next.log_id, envelope.log_id.data, sizeof next.log_id - 1);
    next.seq = envelope.seq;
    ates_envelope_hash(bytes.data, bytes.size, next.hash);
    cr_assert_eq(ates_engine_follow(bench->engine, &envelope, bytes, &next, &refusal), 0,
                 "%s of %s: %s", envelope.event_name.data, producer, refusal.message);
    if (++bench->calls == BATCH || ates_engine_is_closed(bench->engine)) {
        cr_assert_eq(ates_engine_commit(bench->engine), 0);
        cr_assert_gt(ates_engine_checkpoint(bench->engine, false), 0);
        bench->calls = 0;
    }
}

/* Takes in all that a service's log holds beyond the position. */
static void follow(struct bench *bench, const struct ates_domain *producer)
{
    struct ates_log_reader reader;
    struct ates_stored_record stored;
    struct ates_record record;
    struct ates_position position;
    struct bench of;

    open_bench(&of, bench->flow, producer, 0);
    cr_assert_eq(ates_engine_position(bench->engine, producer->service->name, &position), 0);
    cr_assert_eq(ates_log_read_open(&reader, ates_engine_log(of.engine)), 0);
    cr_assert_eq(ates_log_read_seek(&reader, position.known ? position.seq + 1 : 1), 0);
    while (ates_log_read_next(&reader, &stored) == 0) {
        ates_arena_reset(bench->arena);
        cr_assert_eq(
            ates_record_decode(stored.bytes.data, stored.bytes.size, bench->arena, &record), 0);
        for (size_t i = 0; i < record.events.count; i++) {
            if (record.first_seq + i > position.seq) {
                follow_event(bench, producer->service->name,
                             ((const struct ates_bytes *)record.events.items)[i]);
            }
        }
    }
    ates_log_read_close(&reader);
    commit(bench);
    close_bench(&of);
}

/* Executes a command within the batch; work that it defers to is done in place. */
static void execute(struct bench *bench, struct ates_caller caller, const char *name,
                    const void *body, void *result)
{
    static const atomic_bool never = false;
    const struct ates_domain *domain = ates_engine_domain(bench->engine);
    struct ates_outcome outcome;
    struct ates_execution execution = {
        .command = ates_service_command(domain->service, name, strlen(name)),
        .body = body,
        .caller = caller,
    };

    for (size_t i = 0; i < domain->handler_count; i++) {
        if (strcmp(domain->handlers[i].command, name) == 0) {
            execution.handler = &domain->handlers[i];
        }
    }
    ates_engine_execute(bench->engine, &execution, &outcome);
    if (outcome.status == ATES_DEFERRED) {
        const struct ates_work *work = outcome.work;
        void *output = ates_arena_alloc(bench->arena, work->output_size);

        work->run(ates_arena_copy(bench->arena, outcome.work_input, work->input_size), output,
                  &never);
        execution.work_result = output;
        ates_engine_execute(bench->engine, &execution, &outcome);
    }
    cr_assert_eq(outcome.status, ATES_OK, "%s: %s", name, outcome.refusal.message);
    cr_assert_eq(ates_message_decode(execution.command->result, outcome.reply.data,
                                     outcome.reply.size, ATES_UNKNOWN_IGNORED, bench->arena, result,
                                     NULL),
                 0);
    if (++bench->calls >= BATCH || ates_engine_is_closed(bench->engine)) {
        commit(bench);
    }
}

static struct ates_caller caller_of(uint64_t user, enum ates_role role)
{
    return (struct ates_caller){.signed_in = true, .id = user, .role = role};
}

void payday_hire(struct flow *flow, size_t count)
{
    const struct ates_source source = ates_source_system();
    struct bench bench;

    open_bench(&bench, flow, &auth_domain, ates_now_ms(&source));
    for (uint64_t user = PAYDAY_FIRST; user < PAYDAY_FIRST + count; user++) {
        struct auth_register_user_result result;
        char login[32], email[64];
        const struct auth_register_user body = {
            .login = {login,
                      (size_t)snprintf(login, sizeof login, "popug%lu", (unsigned long)user)},
            .email = {email, (size_t)snprintf(email, sizeof email, "popug%lu@example.org",
                                              (unsigned long)user)},
            .password = ates_text_from("never used"),
            .role = ATES_DEVELOPER,
        };

        execute(&bench, caller_of(0, ATES_INTERNALSERVICE), "register_user", &body, &result);
        cr_assert_eq(result.user_id, user);
    }
    close_bench(&bench);
}

static uint64_t count_eligible(struct bench *bench)
{
    uint64_t count = 0;

    cr_assert_eq(tasks_state_get_counter(ates_engine_txn(bench->engine), TASKS_ELIGIBLE, &count),
                 0);
    return count;
}

/* The eligible are in the order of their registration. */
void payday_work(struct flow *flow, size_t count, int64_t time)
{
    static const char *const names[] = {"Mend the coffee machine",
                                        "Починить <b>кофеварку</b> & кран",
                                        "\"Quoted\", with; signs = 100 %", "Ж"};
    const uint64_t first = count > 0 ? FLOW_ELIGIBLE : 0;
    const uint64_t limit = first + (count > 0 ? count : FLOW_ELIGIBLE);
    struct bench bench;

    open_bench(&bench, flow, &tasks_domain, time);
    follow(&bench, &auth_domain);
    const uint64_t eligible = count_eligible(&bench);
    for (uint64_t slot = first; slot < limit; slot++) {
        struct tasks_task_result task;
        const struct tasks_create_task body = {
            .name = ates_text_from(names[slot % (sizeof names / sizeof names[0])]),
            .description = ates_text_from(""),
        };

        bench.has_slot = true;
        bench.slot = slot + eligible * SLOT_FACTOR;
        execute(&bench, caller_of(FLOW_ADMINISTRATOR, ATES_ADMINISTRATOR), "create_task", &body,
                &task);
        const struct tasks_complete_task done = {.task_id = task.task.id};
        execute(&bench, caller_of(task.task.assigned_to, ATES_DEVELOPER), "complete_task", &done,
                &task);
    }
    close_bench(&bench);
}

void payday_schedule(struct flow *flow, int64_t time)
{
    struct bench bench;
    bool more = true;

    open_bench(&bench, flow, &payment_domain, time);
    while (more) {
        cr_assert_eq(ates_engine_step(bench.engine, &more), 0);
        commit(&bench);
    }
    close_bench(&bench);
}

void payday_close(struct flow *flow, int64_t time)
{
    const struct ates_caller accountant = caller_of(FLOW_ACCOUNTANT, ATES_ACCOUNTANT);
    const struct accounting_pay_to_workers body = {.has_business_date = false};
    struct accounting_pay_to_workers_result result;
    struct ates_refusal refusal = {.message = ""};
    struct bench bench;

    open_bench(&bench, flow, &accounting_domain, time);
    follow(&bench, &auth_domain);
    follow(&bench, &tasks_domain);
    flow_start(flow, "tasks");
    cr_assert_eq(ates_engine_invoke(bench.engine, &accountant, "pay_to_workers", &body, bench.arena,
                                    &result, &refusal),
                 0, "%s", refusal.message);
    cr_assert_gt(result.paid_count, 0);
    close_bench(&bench);
}

struct accounting_pay_to_workers_result payday_pay(struct flow *flow, const char *date,
                                                   const char *request_id)
{
    const struct accounting_pay_to_workers body = {.has_business_date = date != NULL,
                                                   .business_date =
                                                       ates_text_from(date != NULL ? date : "")};
    struct accounting_pay_to_workers_result result = {.paid_count = 0};
    static unsigned number;
    char fresh[32];
    int r;

    snprintf(fresh, sizeof fresh, "payday-%u", ++number);
    do { /* it may take longer than a reply is waited for */
        r = flow_call(flow, FLOW_ACCOUNTANT, &accounting_service, "pay_to_workers",
                      request_id != NULL ? request_id : fresh, &body, &result);
    } while (r == -ETIMEDOUT);
    cr_assert_eq(r, 0, "pay_to_workers: %s", r < 0 ? strerror(-r) : flow->reply.refusal.message);
    return result;
}
