/* What a compaction saves: the disk that logs have, and the time in which an analytics that starts
 * empty knows what the others' logs came to, by all their events and by snapshots. Engines alone,
 * without sockets; a year of tasks, each created and completed; the first nine tenths of it are cut.
 *
 *   bench_compact [TASKS]     default 300,000 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <ates/tasks.h>

#include "accounting/accounting.h"
#include "analytics/analytics.h"
#include "auth/auth.h"
#include "bench.h"
#include "core/calendar.h"
#include "core/compact.h"
#include "core/snapshot.h"
#include "domains.h"
#include "tasks/tasks.h"

#define BATCH 512u
#define YEAR_MS (INT64_C(365) * 86400000)
#define BEGIN_MS INT64_C(1700000000000)

static struct bench bench;
static int64_t now_ms = BEGIN_MS;

static int64_t year_clock(void *context)
{
    (void)context;
    return now_ms;
}

static struct ates_engine *open_engine(const struct ates_domain *domain)
{
    static struct ates_config config;
    struct ates_source source = ates_source_system();
    struct ates_engine *engine;
    char error[512];

    source.now_ms = year_clock;
    bench_config(&bench, &config);
    bench_must(ates_engine_open_offline(&engine, domain, &config, &source, "state", error,
                                        sizeof error) == 0,
               error);
    bench_must(ates_engine_start(engine) == 0, "start");
    return engine;
}

static void commit(struct ates_engine *engine)
{
    bench_must(ates_engine_commit(engine) == 0, "commit");
    bench_must(ates_engine_checkpoint(engine, false) >= 0, "checkpoint");
}

/* Takes the producer's events from where the follower is, as followers do. */
static uint64_t carry(struct ates_engine *to, struct ates_engine *from)
{
    const char *producer = ates_engine_domain(from)->service->name;
    struct ates_log_reader reader;
    struct ates_stored_record stored;
    struct ates_record record;
    struct ates_arena *arena = ates_arena_new();
    struct ates_position position;
    struct ates_refusal refusal;
    uint64_t taken = 0;

    bench_must(ates_engine_position(to, producer, &position) == 0, "position");
    const uint64_t after = position.seq;
    position.known = true;
    snprintf(position.log_id, sizeof position.log_id, "%s", ates_log_id(ates_engine_log(from)));
    bench_must(ates_log_read_open(&reader, ates_engine_log(from)) == 0, "read");
    bench_must(ates_log_read_seek(&reader, after + 1) == 0, "seek");
    while (ates_log_read_next(&reader, &stored) == 0) {
        ates_arena_reset(arena);
        bench_must(ates_record_decode(stored.bytes.data, stored.bytes.size, arena, &record) == 0,
                   "record");
        for (size_t i = 0; i < record.events.count; i++) {
            const struct ates_bytes bytes = ((const struct ates_bytes *)record.events.items)[i];
            struct ates_envelope envelope;

            bench_must(ates_message_decode(&ates_envelope_message, bytes.data, bytes.size,
                                           ATES_UNKNOWN_IGNORED, arena, &envelope, NULL) == 0,
                       "envelope");
            if (envelope.seq <= after) {
                continue;
            }
            ates_envelope_hash(bytes.data, bytes.size, position.hash);
            position.seq = envelope.seq;
            bench_must(ates_engine_follow(to, &envelope, bytes, &position, &refusal) == 0,
                       refusal.message);
            if (++taken % BATCH == 0) {
                commit(to);
            }
        }
    }
    bench_must(ates_engine_follow_position(to, producer, &position) == 0, "position");
    commit(to);
    ates_log_read_close(&reader);
    ates_arena_free(&arena);
    return taken;
}

static uint64_t take_snapshot(struct ates_engine *to, struct ates_engine *from)
{
    struct ates_read_snapshot body = {.has_limit = true, .limit = 1000};
    struct ates_arena *arenas[2] = {ates_arena_new(), ates_arena_new()};
    struct ates_read_snapshot_result page;
    struct ates_refusal refusal;
    uint64_t items = 0;

    for (unsigned turn = 0; turn == 0 || page.has_next; turn++) {
        struct ates_arena *arena = arenas[turn % 2]; /* `after` lives in the other */

        ates_arena_reset(arena);
        bench_must(ates_snapshot_page(ates_engine_domain(from), ates_engine_config(from),
                                      ates_engine_log(from), &body, arena, &page, &refusal) == 0,
                   refusal.message);
        bench_must(ates_engine_follow_snapshot(to, ates_engine_domain(from)->service->name, &page,
                                               &refusal) == 0,
                   refusal.message);
        commit(to);
        items += page.items.count;
        body.has_after = page.has_next;
        body.after = page.next;
    }
    ates_arena_free(&arenas[0]);
    ates_arena_free(&arenas[1]);
    return items;
}

static void invoke(struct ates_engine *engine, uint64_t user, const char *command, const void *body,
                   void *result, struct ates_arena *arena)
{
    const struct ates_caller caller = {.signed_in = true, .id = user, .role = ATES_MANAGER};
    const struct ates_domain *domain = ates_engine_domain(engine);
    struct ates_execution execution = {
        .command = ates_service_command(domain->service, command, strlen(command)),
        .body = body,
        .caller = caller,
    };
    struct ates_outcome outcome;

    for (size_t i = 0; i < domain->handler_count; i++) {
        if (strcmp(domain->handlers[i].command, command) == 0) {
            execution.handler = &domain->handlers[i];
        }
    }
    ates_engine_execute(engine, &execution, &outcome);
    bench_must(outcome.status == ATES_OK, outcome.refusal.message);
    bench_must(result == NULL || ates_message_decode(execution.command->result, outcome.reply.data,
                                                     outcome.reply.size, ATES_UNKNOWN_REFUSED,
                                                     arena, result, NULL) == 0,
               "result");
}

/* Every task is created and, a batch later, completed. */
static void live(struct ates_engine *tasks, size_t from, size_t count, size_t all)
{
    struct ates_arena *arena = ates_arena_new();
    static uint64_t assigned[BATCH], task_ids[BATCH];

    for (size_t i = 0; i < count; i += BATCH) {
        now_ms = BEGIN_MS + (int64_t)(from + i) * (YEAR_MS / (int64_t)all);
        for (size_t j = 0; j < BATCH; j++) {
            const struct tasks_create_task body = {
                .name = ates_text_from("Water the office palms"),
                .description = ates_text_from("those in the corner by the window, twice")};
            struct tasks_task_result created;

            ates_arena_reset(arena);
            invoke(tasks, 2, "create_task", &body, &created, arena);
            assigned[j] = created.task.assigned_to;
            task_ids[j] = created.task.id;
        }
        for (size_t j = 0; j < BATCH; j++) {
            const struct tasks_complete_task body = {.task_id = task_ids[j]};

            invoke(tasks, assigned[j], "complete_task", &body, NULL, arena);
        }
        commit(tasks);
    }
    ates_arena_free(&arena);
}

static double seconds_since(int64_t start)
{
    return (double)(ates_monotonic_us() - start) / 1e6;
}

/* An analytics without data takes in what the others have. */
static void begin_analytics(struct ates_engine *const *producers, size_t count, bool by_snapshot)
{
    char command[160];
    uint64_t items = 0, events = 0;

    snprintf(command, sizeof command, "rm -rf %s/analytics", bench.data_dir);
    bench_must(system(command) == 0, "rm");
    struct ates_engine *analytics = open_engine(&analytics_domain);
    const int64_t start = ates_monotonic_us();
    for (size_t i = 0; i < count; i++) {
        const bool has_base = ates_log_base(ates_engine_log(producers[i])) != NULL;

        items += by_snapshot && has_base ? take_snapshot(analytics, producers[i]) : 0;
        events += carry(analytics, producers[i]);
    }
    printf("an empty analytics, by %-9s %8.2f s: %lu items, %lu events\n",
           by_snapshot ? "snapshots" : "events", seconds_since(start), (unsigned long)items,
           (unsigned long)events);
    fflush(stdout);
    ates_engine_close(&analytics);
}

static void compact(const struct ates_domain *domain)
{
    const struct ates_compact_plan plan = {.before = BEGIN_MS + YEAR_MS * 9 / 10,
                                           .domains = ates_domains};
    struct ates_compact_report report;
    static struct ates_config config;
    const int64_t start = ates_monotonic_us();
    char error[512];

    bench_config(&bench, &config);
    bench_must(ates_compact(domain, &config, &plan, NULL, &report, error, sizeof error) == 0,
               error);
    printf("%-11s compacted in %6.2f s: %8lu records cut, %7lu kept; log and base %6.1f MB before, "
           "%6.1f MB after\n",
           domain->service->name, seconds_since(start), (unsigned long)report.cut,
           (unsigned long)report.kept, (double)report.bytes_before / 1e6,
           (double)report.bytes_after / 1e6);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 300000;
    const struct ates_domain *const domains[] = {&auth_domain, &tasks_domain, &accounting_domain};
    struct ates_engine *engines[3];

    bench_must(sodium_init() >= 0 && count >= BATCH, "usage: bench_compact [TASKS]");
    ates_calendar_open("Europe/Moscow");
    bench_make_data(&bench);
    for (size_t i = 0; i < 3; i++) {
        engines[i] = open_engine(domains[i]);
    }
    carry(engines[1], engines[0]);
    carry(engines[2], engines[0]);
    for (size_t done = 0; done < count; done += count / 10) {
        live(engines[1], done, count / 10, count);
        carry(engines[2], engines[1]);
    }
    begin_analytics(engines, 3, false);
    for (size_t i = 0; i < 3; i++) {
        ates_engine_close(&engines[i]);
    }
    compact(&tasks_domain);
    compact(&accounting_domain);
    for (size_t i = 0; i < 3; i++) {
        engines[i] = open_engine(domains[i]);
    }
    begin_analytics(engines, 3, true);
    for (size_t i = 0; i < 3; i++) {
        ates_engine_close(&engines[i]);
    }
    bench_stop(&bench);
    return 0;
}
