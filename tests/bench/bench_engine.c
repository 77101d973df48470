/* The engines without sockets: what listings and balances cost with few and with many rows, how
 * fast state is rebuilt from a log, how fast a follower applies events.
 *
 *   bench_engine [TASKS]     default 1,000,000 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <ates/accounting.h>
#include <ates/tasks.h>

#include "accounting/accounting.h"
#include "bench.h"
#include "core/calendar.h"
#include "core/restore.h"
#include "tasks/tasks.h"

#define FEW 1000u
#define BATCH 512u
#define CALLS 20000u

static const struct ates_caller caller = {.signed_in = true, .id = 2, .role = ATES_DEVELOPER};

static struct ates_engine *open_engine(const struct bench *bench, const struct ates_domain *domain,
                                       const char *state_folder, double *seconds)
{
    static struct ates_config config;
    const struct ates_source source = ates_source_system();
    struct ates_engine *engine;
    char error[512];

    bench_config(bench, &config);
    bench_must(ates_engine_open_offline(&engine, domain, &config, &source, state_folder, error,
                                        sizeof error) == 0,
               error);
    const int64_t start = ates_monotonic_us();
    bench_must(ates_engine_start(engine) == 0, "start");
    *seconds = (double)(ates_monotonic_us() - start) / 1e6;
    return engine;
}

static const struct ates_handler *handler_of(const struct ates_domain *domain, const char *name)
{
    for (size_t i = 0; i < domain->handler_count; i++) {
        if (strcmp(domain->handlers[i].command, name) == 0) {
            return &domain->handlers[i];
        }
    }
    return NULL;
}

static void execute(struct ates_engine *engine, const char *name, const void *body)
{
    const struct ates_domain *domain = ates_engine_domain(engine);
    const struct ates_execution execution = {
        .handler = handler_of(domain, name),
        .command = ates_service_command(domain->service, name, strlen(name)),
        .body = body,
        .caller = caller,
    };
    struct ates_outcome outcome;

    ates_engine_execute(engine, &execution, &outcome);
    bench_must(outcome.status == ATES_OK, outcome.refusal.message);
}

static double microseconds_of(struct ates_engine *engine, const char *name, const void *body)
{
    for (size_t i = 0; i < CALLS / 10; i++) {
        execute(engine, name, body);
    }
    const int64_t start = ates_monotonic_us();
    for (size_t i = 0; i < CALLS; i++) {
        execute(engine, name, body);
    }
    return (double)(ates_monotonic_us() - start) / CALLS;
}

static void commit(struct ates_engine *engine)
{
    bench_must(ates_engine_commit(engine) == 0, "commit");
    bench_must(ates_engine_checkpoint(engine, false) >= 0, "checkpoint");
}

static void create_tasks(struct ates_engine *engine, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        char name[96];
        const struct tasks_create_task body = {
            .name = {name,
                     (size_t)snprintf(name, sizeof name, "Water the office palms %zu", i % 5000)},
            .description = ates_text_from("")};

        execute(engine, "create_task", &body);
        if (i % BATCH == BATCH - 1) {
            commit(engine);
        }
    }
    commit(engine);
}

/* The users that tasks draws from, as if followed from auth. */
static void follow_users(struct ates_engine *engine)
{
    struct ates_buffer data = {0}, bytes = {0};
    struct ates_position position = {.known = true};
    struct ates_refusal refusal;

    snprintf(position.log_id, sizeof position.log_id, "bench");
    for (uint64_t i = 1; i <= 7; i++) {
        const struct ates_user_registered user = {.user_id = i + 1,
                                                  .login = ates_text_from("popug"),
                                                  .email = ates_text_from("popug@example.org"),
                                                  .role = ATES_DEVELOPER};
        data.size = 0;
        ates_message_encode(&ates_user_registered_message, &user, &data);
        const struct ates_envelope envelope = {.event_name = ates_text_from("user_registered"),
                                               .event_version = 1,
                                               .producer = ates_text_from("auth"),
                                               .seq = i,
                                               .data = {data.data, data.size}};
        position.seq = i;
        bench_must(ates_engine_follow(engine, &envelope,
                                      (struct ates_bytes){(const uint8_t *)"", 0}, &position,
                                      &refusal) == 0,
                   "follow");
    }
    commit(engine);
    ates_buffer_release(&data);
    ates_buffer_release(&bytes);
}

/* Takes the tasks log's events with seq in (from, to] into accounting, as its follower does. */
static void follow_tasks(struct ates_engine *accounting, struct ates_log *log, uint64_t from,
                         uint64_t to)
{
    struct ates_log_reader reader;
    struct ates_stored_record stored;
    struct ates_record record;
    struct ates_arena *arena = ates_arena_new();
    struct ates_position position = {.known = true};
    struct ates_refusal refusal;
    unsigned taken = 0;

    snprintf(position.log_id, sizeof position.log_id, "%s", ates_log_id(log));
    bench_must(ates_log_read_open(&reader, log) == 0, "read");
    bench_must(ates_log_read_seek(&reader, from + 1) == 0, "seek");
    while (position.seq < to && ates_log_read_next(&reader, &stored) == 0) {
        ates_arena_reset(arena);
        bench_must(ates_record_decode(stored.bytes.data, stored.bytes.size, arena, &record) == 0,
                   "record");
        for (size_t i = 0; i < record.events.count; i++) {
            const struct ates_bytes bytes = ((const struct ates_bytes *)record.events.items)[i];
            struct ates_envelope envelope;

            bench_must(ates_message_decode(&ates_envelope_message, bytes.data, bytes.size,
                                           ATES_UNKNOWN_IGNORED, arena, &envelope, NULL) == 0,
                       "envelope");
            ates_envelope_hash(bytes.data, bytes.size, position.hash);
            position.seq = envelope.seq;
            bench_must(ates_engine_follow(accounting, &envelope, bytes, &position, &refusal) == 0,
                       "follow");
            if (++taken % BATCH == 0) {
                commit(accounting);
            }
        }
    }
    commit(accounting);
    ates_log_read_close(&reader);
    ates_arena_free(&arena);
}

static void print_scaling(const char *what, double few_us, double many_us, size_t many)
{
    printf("%-34s %8.2f us with %u, %8.2f us with %zu: ratio %.2f   (wanted: below 1.50)\n", what,
           few_us, FEW, many_us, many, many_us / few_us);
    fflush(stdout);
}

static void rebuild(const struct bench *bench, const struct ates_domain *domain)
{
    double seconds;
    struct ates_engine *engine = open_engine(bench, domain, "state.new", &seconds);
    const uint64_t events = ates_engine_head(engine)->seq;

    printf("%-34s %8.0f events/s   (wanted: at least 200,000)\n", domain->service->name,
           (double)events / seconds);
    fflush(stdout);
    ates_engine_close(&engine);
}

/* A plain copy of the logs' files, on the disk when it ends. */
static double seconds_of_cp(const struct bench *bench)
{
    char command[512];

    snprintf(command, sizeof command,
             "cd %s && mkdir plain && cp tasks/log/data.mdb plain/tasks && "
             "cp accounting/log/data.mdb plain/accounting && sync plain/*",
             bench->data_dir);
    const int64_t start = ates_monotonic_us();
    bench_must(system(command) == 0, command);
    return (double)(ates_monotonic_us() - start) / 1e6;
}

static void back_up(const struct bench *bench)
{
    static const struct ates_domain *const domains[] = {&tasks_domain, &accounting_domain, NULL};
    static struct ates_config config, elsewhere;
    static struct ates_manifest manifest;
    static struct ates_restore_report report;
    char folder[128], error[512];
    uint64_t events = 0, bytes = 0;

    bench_config(bench, &config);
    elsewhere = config;
    snprintf(folder, sizeof folder, "%s/backup", bench->folder);
    snprintf(elsewhere.data_dir, sizeof elsewhere.data_dir, "%s/restored", bench->folder);
    const struct ates_backup_plan plan = {
        .domains = domains, .config = &config, .folder = folder, .with_keys = true};
    int64_t start = ates_monotonic_us();
    bench_must(ates_backup(&plan, &manifest, error, sizeof error) == 0, error);
    const double backup_s = (double)(ates_monotonic_us() - start) / 1e6;
    for (size_t i = 0; i < manifest.log_count; i++) {
        events += manifest.logs[i].head.seq;
        bytes += manifest.logs[i].size;
    }
    const double cp_s = seconds_of_cp(bench);
    const struct ates_restore_plan again = {
        .domains = domains, .config = &elsewhere, .backup = folder, .verify_only = true};
    start = ates_monotonic_us();
    bench_must(ates_restore(&again, &report, error, sizeof error) == 0, error);
    const double restore_s = (double)(ates_monotonic_us() - start) / 1e6;
    printf("\nbackup of %.0f events\n", (double)events);
    printf("%-34s %8.0f events/s, %.0f MB/s: %.2f times as long as cp and sync of the files\n",
           "admin backup", (double)events / backup_s, (double)bytes / backup_s / 1e6,
           backup_s / cp_s);
    printf("%-34s %8.0f events/s, folded and checked\n", "admin restore",
           (double)events / restore_s);
}

int main(int argc, char **argv)
{
    const size_t many = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
    const struct tasks_show_my_assigned_tasks page = {.has_limit = true, .limit = 100};
    const struct accounting_show_balance balance = {.has_user_id = false};
    struct bench bench;
    double seconds;

    bench_must(sodium_init() >= 0 && many > FEW, "usage: bench_engine [TASKS]");
    ates_calendar_open("Europe/Moscow");
    bench_make_data(&bench);
    struct ates_engine *tasks = open_engine(&bench, &tasks_domain, "state", &seconds);
    struct ates_engine *accounting = open_engine(&bench, &accounting_domain, "state", &seconds);

    follow_users(tasks);
    create_tasks(tasks, 0, FEW);
    follow_tasks(accounting, ates_engine_log(tasks), 0, FEW);
    const double few_page_us = microseconds_of(tasks, "show_my_assigned_tasks", &page);
    const double few_balance_us = microseconds_of(accounting, "show_balance", &balance);

    int64_t start = ates_monotonic_us();
    create_tasks(tasks, FEW, many);
    printf("%-34s %8.0f /s\n", "create_task, engine alone",
           (double)(many - FEW) * 1e6 / (double)(ates_monotonic_us() - start));
    start = ates_monotonic_us();
    follow_tasks(accounting, ates_engine_log(tasks), FEW, many);
    printf("%-34s %8.0f events/s\n", "accounting follows, engine alone",
           (double)(many - FEW) * 1e6 / (double)(ates_monotonic_us() - start));
    print_scaling("a page of show_my_assigned_tasks", few_page_us,
                  microseconds_of(tasks, "show_my_assigned_tasks", &page), many);
    print_scaling("show_balance", few_balance_us,
                  microseconds_of(accounting, "show_balance", &balance), many);
    ates_engine_close(&tasks);
    ates_engine_close(&accounting);

    printf("\nstate rebuilt from the log\n");
    rebuild(&bench, &tasks_domain);
    rebuild(&bench, &accounting_domain);
    back_up(&bench);
    bench_stop(&bench);
    return 0;
}
