/* What a hostile peer costs the others: honest clients are measured alone, beside it, and beside a
 * process that takes as much of the machine and asks for nothing; in turns, in one run. Every
 * message of the honest ones is counted, and the ledger is held against the model. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <criterion/criterion.h>

#include <ates/tasks.h>

#include "flow/hostile.h"
#include "support/honest.h"
#include "support/model.h"

#define ROUNDS_LONG 3u
#define SLICE_MS 150
#define SLICE_LONG_MS 400
#define SETTLED_MS 10 /* a service that answers so soon, a few times on end, has nothing queued */
#define TOPICS 100000u
#define KEPT 0.8 /* of what others could do, at the least */
/* What the warden lets come, and what comes until it has found who it is. */
#define GROWTH_MAX_KIB (1024L * 1024)
#define DESCRIPTORS "4096"

TestSuite(hostile, .timeout = 900);

static struct ates_bytes text(const char *word)
{
    return (struct ates_bytes){(const uint8_t *)word, strlen(word)};
}

/* A hundred at a time: a system call of its own for each would hold up the flood, not the service. */
static void say_queries(struct ates_buffer *out, const struct flow *flow)
{
    const struct tasks_show_my_assigned_tasks body = {.has_limit = true, .limit = 1};

    for (unsigned i = 0; i < 100; i++) {
        hostile_command(out, flow->tokens[FLOW_MANAGER], "tasks.show_my_assigned_tasks", NULL,
                        &tasks_show_my_assigned_tasks_message, &body);
    }
}

static void say_pages(struct ates_buffer *out, const struct flow *flow)
{
    const struct tasks_show_all_assigned_tasks body = {.has_limit = true, .limit = 100};

    for (unsigned i = 0; i < 10; i++) {
        hostile_command(out, flow->tokens[FLOW_MANAGER], "tasks.show_all_assigned_tasks", NULL,
                        &tasks_show_all_assigned_tasks_message, &body);
    }
}

static void say_command(struct ates_buffer *out, const struct flow *flow)
{
    const struct tasks_create_task body = {.name = ates_text_from("of a flood")};

    hostile_command(out, flow->tokens[FLOW_MANAGER], "tasks.create_task", "000000000000",
                    &tasks_create_task_message, &body);
}

static void say_garbage(struct ates_buffer *out, const struct flow *flow)
{
    (void)flow;
    for (unsigned i = 0; i < 1000; i++) {
        hostile_frame(out, text(""), true);
        hostile_frame(out, text("\xdd\xff\xff\xff\xff"), false);
    }
}

static void say_small_frames(struct ates_buffer *out, const struct flow *flow)
{
    (void)flow;
    for (unsigned i = 0; i < 10000; i++) {
        hostile_frame(out, text("."), true);
    }
}

static void say_big_frames(struct ates_buffer *out, const struct flow *flow)
{
    static uint8_t bytes[ATES_FRAME_MAX];

    (void)flow;
    hostile_frame(out, (struct ates_bytes){bytes, sizeof bytes}, true);
}

static void say_everything(struct ates_buffer *out, const struct flow *flow)
{
    (void)flow;
    hostile_frame(out, text("\x01"), false); /* subscribes to every event */
}

static void say_topics(struct ates_buffer *out, const struct flow *flow)
{
    (void)flow;
    for (unsigned i = 0; i < TOPICS; i++) {
        char topic[40];

        snprintf(topic, sizeof topic, "\x01tasks.of no use.%u", i);
        hostile_frame(out, text(topic), false);
    }
}

/* Where the first digit of the id is in what say_command says. */
static size_t find_id(struct flow *flow)
{
    struct ates_buffer words = {.size = 0};

    say_command(&words, flow);
    const uint8_t *id = memmem(words.data, words.size, "000000000000", 12);
    cr_assert_not_null(id);
    const size_t offset = (size_t)(id - words.data);
    ates_buffer_release(&words);
    return offset;
}

static struct hostile kinds[] = {
    {"floods with queries", "tasks", .connections = 1, .say = say_queries},
    {"floods with queries over 64", "tasks", .connections = 64, .say = say_queries,
     .is_brief = true},
    {"floods with commands", "tasks", .connections = 1, .say = say_command},
    {"floods with commands over 64", "tasks", .connections = 64, .say = say_command, .keeps = 60},
    {"floods with garbage", "tasks", .connections = 1, .say = say_garbage},
    {"floods with garbage over 64", "tasks", .connections = 64, .say = say_garbage},
    {"stalls in the handshake, 500", "tasks", HOSTILE_HALF, .connections = 500, .is_brief = true},
    {"endless small frames", "tasks", .connections = 1, .say = say_small_frames, .is_brief = true},
    {"endless big frames", "tasks", .connections = 1, .say = say_big_frames},
    {"5,000 connections", "tasks", .connections = 5000, .is_brief = true},
    {"a storm of connections", "tasks", .connections = 100, .storms = true},
    {"pages that nobody reads", "tasks", .connections = 1, .say = say_pages, .is_deaf = true},
    {"pages that nobody reads over 8", "tasks", .connections = 8, .say = say_pages,
     .is_deaf = true},
    {"pages sipped", "tasks", .connections = 1, .say = say_pages, .sip_bytes = 2000},
    {"a subscriber that is deaf", "events", .connections = 8, .say = say_everything, .once = true,
     .is_deaf = true},
    {"100,000 topics", "events", .connections = 1, .say = say_topics, .once = true},
    {"endless frames to the broker", "events", .connections = 1, .say = say_big_frames,
     .is_brief = true},
    {"from afar: stalls in the handshake, 500", "tasks", HOSTILE_HALF, .connections = 500,
     .is_far = true},
    {"from afar: leaves a WELCOME unanswered, 500", "tasks", HOSTILE_HELLO, .connections = 500,
     .is_far = true, .is_brief = true},
    {"from afar: the same to the broker, 500", "events", HOSTILE_HELLO, .connections = 500,
     .is_far = true},
    {"from afar: 5,000 connections", "tasks", HOSTILE_HELLO, .connections = 5000, .is_far = true},
    {"from afar: a storm of connections", "tasks", HOSTILE_HELLO, .connections = 100,
     .is_far = true, .storms = true},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

/* What a slice of time showed. */
struct slice {
    double per_second;
    double slowest_ms;
};

static void pass(int64_t ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&time, NULL); /* the time that is measured */
}

static struct slice measure(struct honest *honest)
{
    honest_forget_slowest(honest);
    const struct honest_counts before = honest_count(honest);
    const int64_t start_us = ates_monotonic_us();
    pass(flow_is_long() ? SLICE_LONG_MS : SLICE_MS);
    const struct honest_counts after = honest_count(honest);
    const int64_t took_us = ates_monotonic_us() - start_us;

    return (struct slice){(double)(after.answered - before.answered) * 1e6 / (double)took_us,
                          (double)after.slowest_us / 1000};
}

/* What was left of the slice before is dealt with. */
static void settle(struct flow *flow)
{
    const int64_t deadline_ms = flow_now_ms() + FLOW_PATIENCE_MS * flow_scale();

    for (unsigned soon = 0; soon < 3;) {
        const int64_t start_ms = flow_now_ms();

        flow_head(flow, "tasks");
        soon = flow_now_ms() - start_ms < SETTLED_MS * flow_scale() ? soon + 1 : 0;
        cr_assert_lt(start_ms, deadline_ms, "tasks never settles");
    }
}

static long anonymous_kib(struct flow *flow, const char *service)
{
    char path[64], line[256];
    long kib = -1;

    snprintf(path, sizeof path, "/proc/%d/status", (int)flow_pid(flow, service));
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s has ended", service);
    while (fgets(line, sizeof line, file) != NULL) {
        sscanf(line, "RssAnon: %ld kB", &kib);
    }
    fclose(file);
    return kib;
}

/* The honest ones alone, beside the hostile one, and beside one that only burns as much. */
struct trial {
    struct slice alone[ROUNDS_LONG], beside[ROUNDS_LONG], burning[ROUNDS_LONG];
    long growth_kib; /* of the service's memory, at most */
    size_t cut;
    unsigned cpu_permille;
};

static void run_round(struct flow *flow, const struct doors *doors, struct honest *honest,
                      const struct hostile *kind, unsigned round, struct trial *trial)
{
    const char *service = strcmp(kind->socket, "events") == 0 ? "broker" : kind->socket;
    const long before_kib = anonymous_kib(flow, service);
    struct hostile_process process;

    settle(flow);
    trial->alone[round] = measure(honest);
    const int64_t start_us = ates_monotonic_us();
    hostile_start(&process, kind, flow, doors);
    trial->beside[round] = measure(honest);
    const long growth_kib = anonymous_kib(flow, service) - before_kib;
    trial->growth_kib = growth_kib > trial->growth_kib ? growth_kib : trial->growth_kib;
    trial->cut += hostile_cut(&process);
    const int64_t lived_us = ates_monotonic_us() - start_us;
    trial->cpu_permille = (unsigned)(hostile_stop(&process) * 1000 / lived_us);
    settle(flow);
    hostile_burn(&process, trial->cpu_permille);
    trial->burning[round] = measure(honest);
    hostile_stop(&process);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The median of the rounds' ratios. */
static double ratio(const struct slice *of, const struct slice *to, unsigned rounds)
{
    double ratios[ROUNDS_LONG];

    for (unsigned i = 0; i < rounds; i++) {
        ratios[i] = of[i].per_second / to[i].per_second;
    }
    qsort(ratios, rounds, sizeof ratios[0], compare);
    return ratios[rounds / 2];
}

static void try_kind(struct flow *flow, const struct doors *doors, struct honest *honest,
                     const struct hostile *kind, size_t rate)
{
    const unsigned rounds = flow_is_long() ? ROUNDS_LONG : 1;
    struct trial trial = {.cut = 0};

    honest_set_rate(honest, rate);
    for (unsigned i = 0; i < rounds; i++) {
        run_round(flow, doors, honest, kind, i, &trial);
    }
    const double to_alone = ratio(trial.beside, trial.alone, rounds);
    const double to_burning = ratio(trial.beside, trial.burning, rounds);
    printf(
        "%-44s %-6s %8.0f/s alone, beside %5.2f of it, %5.2f of beside a burner of %4u permille; "
        "slowest %5.0f ms, %5.0f alone; memory +%ld MiB, %zu cut\n",
        kind->what, rate == 0 ? "closed" : "half", trial.alone[0].per_second, to_alone, to_burning,
        trial.cpu_permille, trial.beside[0].slowest_ms, trial.alone[0].slowest_ms,
        trial.growth_kib / 1024, trial.cut);
    fflush(stdout);
    if (flow_setting("ATES_HOSTILE_LENIENT", 0) == 0) {
        cr_expect_lt(trial.growth_kib, GROWTH_MAX_KIB, "%s: memory grew by %ld KiB", kind->what,
                     trial.growth_kib);
        if (flow_is_long() && rate != 0) {
            cr_expect_geq(to_burning, kind->keeps > 0 ? kind->keeps / 100.0 : KEPT,
                          "%s: others keep %.2f", kind->what, to_burning);
        }
    }
}

Test(hostile, others_do_not_notice)
{
    const char *only = getenv("ATES_HOSTILE"); /* a part of one kind's words */
    struct honest honest;
    struct doors doors;
    struct flow flow;

    flow_open(&flow);
    doors_open(&doors, &flow);
    flow_start_all(&flow);
    const size_t id_offset = find_id(&flow);
    honest_start(&honest, &flow);
    pass(SLICE_MS);
    const double peak = measure(&honest).per_second;
    printf("%.0f/s at most\n", peak);
    for (size_t i = 0; i < KINDS; i++) {
        if (kinds[i].say == say_command) {
            kinds[i].id_offset = id_offset;
        }
        if (only != NULL ? strstr(kinds[i].what, only) == NULL
                         : !kinds[i].is_brief && !flow_is_long()) {
            continue;
        }
        try_kind(&flow, &doors, &honest, &kinds[i], (size_t)(peak / 2));
        if (flow_is_long()) {
            try_kind(&flow, &doors, &honest, &kinds[i], 0);
        }
    }
    const struct honest_counts counts = honest_stop(&honest);
    printf("%zu answered, %zu of them tasks, %zu refused for a while\n", counts.answered,
           counts.created, counts.refused);
    honest_check(&counts, &flow);
    model_verify(&flow);
    flow_close(&flow);
}

/* A service that may open few files: before the crowd takes the last, it is thinned out. */
Test(hostile, a_crowd_does_not_take_the_last_descriptor)
{
    static const struct hostile crowd = {"a crowd", "tasks", .connections = 5000};
    struct hostile_process process;
    struct flow flow;

    flow_open(&flow);
    flow_start(&flow, "broker");
    flow_start(&flow, "auth");
    const char *const limited[] = {
        "/bin/sh",     "-c",         "ulimit -n " DESCRIPTORS "; exec \"$@\"",
        "sh",          flow_atesd(), "tasks",
        "-c",          flow.config,  "--data",
        flow.data_dir, "--run",      flow.run_dir,
        "--log-level", "notice",     NULL};
    flow_spawn_program(&flow, "tasks", limited);
    flow_await(&flow, "tasks");
    flow_until(flow_has_followed(&flow, "tasks", "auth"));
    hostile_start(&process, &crowd, &flow, NULL);
    flow_until(hostile_cut(&process) > crowd.connections);
    for (unsigned i = 0; i < 20; i++) {
        const struct tasks_create_task body = {.name = ates_text_from("in the crowd")};
        char id[32];

        snprintf(id, sizeof id, "crowd-%u", i);
        cr_expect_eq(flow_call(&flow, FLOW_MANAGER, &tasks_service, "create_task", id, &body, NULL),
                     0);
    }
    hostile_stop(&process);
    flow_close(&flow);
}

/* Peers that make a process grow are found and ended, and it serves on. */
static void grows_no_further(const struct hostile *kind)
{
    const char *service = strcmp(kind->socket, "events") == 0 ? "broker" : kind->socket;
    struct hostile_process process;
    struct flow flow;
    long most_kib = 0;

    flow_open(&flow);
    flow_start(&flow, "broker");
    flow_start(&flow, "auth");
    flow_start(&flow, "tasks");
    flow_until(flow_has_followed(&flow, "tasks", "auth"));
    const long before_kib = anonymous_kib(&flow, service);
    hostile_start(&process, kind, &flow, NULL);
    const size_t wanted = flow_is_long() ? 10 : 1;
    int64_t slowest_ms = 0;
    while (hostile_cut(&process) < wanted) {
        const int64_t start_ms = flow_now_ms();
        const long kib = anonymous_kib(&flow, service);

        most_kib = kib > most_kib ? kib : most_kib;
        flow_head(&flow, "tasks");
        slowest_ms = flow_now_ms() - start_ms > slowest_ms ? flow_now_ms() - start_ms : slowest_ms;
        cr_assert_lt(most_kib - before_kib, GROWTH_MAX_KIB, "%s: %ld KiB", kind->what, most_kib);
    }
    printf("%s: ended %zu times; memory +%ld MiB at most; others waited %ld ms at most\n",
           kind->what, hostile_cut(&process), (most_kib - before_kib) / 1024, (long)slowest_ms);
    hostile_stop(&process);
    flow_close(&flow);
}

Test(hostile, endless_frames_are_ended)
{
    grows_no_further(
        &(struct hostile){"endless big frames", "tasks", .connections = 1, .say = say_big_frames});
}

Test(hostile, endless_frames_to_the_broker_are_ended)
{
    grows_no_further(&(struct hostile){"endless frames to the broker", "events", .connections = 1,
                                       .say = say_big_frames});
}
