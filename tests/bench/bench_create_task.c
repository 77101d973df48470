/* create_task over ipc from a separate process, durable, token checked, with request id: against
 * the bare reference loop in the same run, many in flight and one. Prints figures and ratios;
 * asserts nothing, as machines differ.
 *
 *   bench_create_task ATESD [COMMANDS]      ATESD: the daemon's path; COMMANDS: how many with many
 * in flight */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include <ates/client.h>
#include <ates/tasks.h>

#include "bench.h"
#include "reference.h"

#define WINDOW 256u
#define COMMANDS_DEFAULT 200000u
#define COMMANDS_ALONE 3000u
#define RECORD_SIZE 950u /* what create_task's records measure */

/* A share of latencies, exact: they are sorted. */
static int compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

struct run {
    double seconds;
    int64_t *latency_us;
    size_t count;
};

static double per_second(const struct run *run)
{
    return (double)run->count / run->seconds;
}

static int64_t percentile(const struct run *run, double share)
{
    return run->latency_us[(size_t)((double)(run->count - 1) * share)];
}

static void encode_body(struct ates_buffer *body, size_t i)
{
    static const char *const titles[] = {
        "Fix zlistx_sort edge case", "Water the office palms today", "Проверить отчёт за вторник",
        "Order new perches for room", "Rename the socket option again"};
    char name[96];
    const int size = snprintf(name, sizeof name, "%s %zu", titles[i % 5], i % 1000);
    const struct tasks_create_task command = {.name = {name, (size_t)size},
                                              .description = ates_text_from("")};

    body->size = 0;
    ates_message_encode(&tasks_create_task_message, &command, body);
}

/* Whether the next command may go: a window that is not full and, at a fixed rate, its time. */
static bool may_send(size_t sent, size_t received, size_t window, double rate, int64_t start_us)
{
    return sent - received < window &&
           (rate <= 0 || (double)(ates_monotonic_us() - start_us) >= (double)sent * 1e6 / rate);
}

/* Keeps window commands in flight until count were answered; or sends rate a second (0: as fast as
 * they are answered). */
static struct run drive(const char *run_dir, const char *token, size_t count, size_t window,
                        double rate)
{
    struct ates_client *client = ates_client_new(run_dir);
    struct run run = {.count = count, .latency_us = calloc(count, sizeof(int64_t))};
    struct ates_buffer body = {0};
    int64_t *sent_us = calloc(count, sizeof(int64_t));
    size_t sent = 0, received = 0;

    ates_client_set_token(client, token);
    struct ates_pipeline *pipeline = ates_pipeline_new(client, "tasks");
    const int64_t start = ates_monotonic_us();
    while (received < count) {
        struct ates_reply reply;

        while (sent < count && may_send(sent, received, window, rate, start)) {
            char request_id[64];

            snprintf(request_id, sizeof request_id, "bench-%ld-%zu", (long)start, sent);
            encode_body(&body, sent);
            sent_us[sent] = ates_monotonic_us();
            if (ates_pipeline_send(pipeline, "create_task", request_id, body.data, body.size,
                                   sent) != 0) {
                break;
            }
            sent++;
        }
        const int r = ates_pipeline_receive(pipeline, rate > 0 ? 1 : 10000, &reply);
        if (rate > 0 && r == -EAGAIN) {
            continue;
        }
        bench_must(r == 0, "no reply");
        bench_must(reply.status == ATES_OK, reply.refusal.message);
        run.latency_us[received++] = ates_monotonic_us() - sent_us[reply.tag];
    }
    run.seconds = (double)(ates_monotonic_us() - start) / 1e6;
    qsort(run.latency_us, count, sizeof *run.latency_us, compare);
    ates_pipeline_free(&pipeline);
    ates_client_free(&client);
    ates_buffer_release(&body);
    free(sent_us);
    return run;
}

static void print_run(const char *name, const struct run *run)
{
    printf("%-44s %8.0f /s   p50 %6.2f ms   p99 %6.2f ms\n", name, per_second(run),
           (double)percentile(run, 0.50) / 1000, (double)percentile(run, 0.99) / 1000);
    fflush(stdout);
}

/* One commit of one record into a log of its own. */
static double log_commit_us(const char *folder)
{
    const struct ates_source source = ates_source_system();
    struct ates_log_head head = {.number = 0};
    static uint8_t record[RECORD_SIZE];
    struct ates_log *log;
    char path[512], error[512];

    snprintf(path, sizeof path, "%s/commit-log", folder);
    bench_must(ates_log_open(&log, path, (size_t)16 << 30, &source, error, sizeof error) == 0,
               error);
    const int64_t start = ates_monotonic_us();
    for (size_t i = 0; i < COMMANDS_ALONE; i++) {
        const struct ates_log_head expected = head;
        const struct ates_stored_record stored = {
            ++head.number, ++head.seq, {record, sizeof record}};

        bench_must(ates_log_append(log, &expected, &stored, 1, &head) == 0, "append");
    }
    const double us = (double)(ates_monotonic_us() - start) / COMMANDS_ALONE;
    ates_log_close(&log);
    return us;
}

/* Starts accounting on nothing; events a second until it has taken in all of tasks' log. */
static double catch_up(struct bench *bench, const char *atesd, size_t events)
{
    const int64_t start = ates_monotonic_us();

    bench_spawn(bench, atesd, "accounting");
    /* Each task_created gives two events. */
    while (bench_metric(bench, "accounting", "ates_log_head_seq", NULL) < 2 * (int64_t)events) {
        poll(NULL, 0, 20); /* asking all the time would take the processor from what is measured */
    }
    return (double)events * 1e6 / (double)(ates_monotonic_us() - start);
}

int main(int argc, char **argv)
{
    const size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : COMMANDS_DEFAULT;
    struct bench bench;
    char folder[128], endpoint[192];

    bench_must(argc > 1 && sodium_init() >= 0, "usage: bench_create_task ATESD [COMMANDS]");
    bench_start(&bench, argv[1], "tasks");

    snprintf(folder, sizeof folder, "%s/reference", bench.folder);
    bench_must(mkdir(folder, 0700) == 0, folder);
    snprintf(endpoint, sizeof endpoint, "ipc://%s/tasks.sock", folder);
    const pid_t reference = bench_fork();
    if (reference == 0) {
        reference_serve(endpoint, bench.folder, RECORD_SIZE);
    }
    struct run base = drive(folder, bench.token, count, WINDOW, 0);
    print_run("reference loop, 256 in flight", &base);
    struct run base_alone = drive(folder, bench.token, COMMANDS_ALONE, 1, 0);
    print_run("reference loop, one in flight", &base_alone);
    bench_kill(reference);

    struct run real = drive(bench.run_dir, bench.token, count, WINDOW, 0);
    print_run("create_task, 256 in flight", &real);
    struct run alone = drive(bench.run_dir, bench.token, COMMANDS_ALONE, 1, 0);
    print_run("create_task, one in flight", &alone);

    struct run half = drive(bench.run_dir, bench.token, count, 4096, per_second(&real) / 2);
    print_run("create_task at half that rate", &half);

    snprintf(folder, sizeof folder, "%s/echo", bench.folder);
    bench_must(mkdir(folder, 0700) == 0, folder);
    snprintf(endpoint, sizeof endpoint, "ipc://%s/tasks.sock", folder);
    const pid_t echo = bench_fork();
    if (echo == 0) {
        echo_serve(endpoint);
    }
    struct run bare = drive(folder, bench.token, COMMANDS_ALONE, 1, 0);
    print_run("bare round trip, one in flight", &bare);
    bench_kill(echo);
    const double commit_us = log_commit_us(bench.folder);
    printf("%-44s %8.3f ms\n", "one log commit", commit_us / 1000);

    const double followed = catch_up(&bench, argv[1], 2 * count + COMMANDS_ALONE);
    printf("%-44s %8.0f events/s   (wanted: at least 100,000)\n",
           "accounting, new, catches up with tasks", followed);

    printf("\nratios of this run\n");
    printf("  create_task / reference, 256 in flight     %5.2f   (wanted: at least 0.60)\n",
           per_second(&real) / per_second(&base));
    printf("  create_task / (log commit + round trip)    %5.2f   (wanted: at most 1.50)\n",
           1e6 / per_second(&alone) / (commit_us + 1e6 / per_second(&bare)));
    printf("  p99 at half the peak rate, checkpoints on  %5.1f ms (wanted: below 50)\n",
           (double)percentile(&half, 0.99) / 1000);
    bench_stop(&bench);
    return 0;
}
