/* atesctl events against real services: a tail that leaves nothing out, whatever dies meanwhile, and
 * an export that is the log. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include <ates/accounting.h>
#include <ates/tasks.h>

#include "support/fake_producer.h"
#include "support/flow.h"

#define ARGUMENTS_MAX 16
#define TASKS_EACH 20u

static struct flow flow;
static struct flow_output output;

static void open_flow(void)
{
    flow_open(&flow);
    flow_start_all(&flow);
}

static void close_flow(void)
{
    flow_close(&flow);
}

TestSuite(events, .init = open_flow, .fini = close_flow, .timeout = 300);

static size_t arguments(const char *const *words, const char *argv[ARGUMENTS_MAX + 1])
{
    const char *given = getenv("ATESCTL");
    size_t count = 0;

    argv[count++] = given != NULL ? given : ATESCTL_PATH;
    argv[count++] = "--run";
    argv[count++] = flow.run_dir;
    argv[count++] = "--no-input";
    while (*words != NULL) {
        cr_assert_lt(count, ARGUMENTS_MAX);
        argv[count++] = *words++;
    }
    argv[count] = NULL;
    return count;
}

static int run(const char *const *words)
{
    const char *argv[ARGUMENTS_MAX + 1];

    arguments(words, argv);
    flow_run(&flow, argv, NULL, &output);
    return output.code;
}
#define ATESCTL(...) run((const char *const[]){__VA_ARGS__, NULL})

static void sign_in(uint64_t user)
{
    char path[128];

    snprintf(path, sizeof path, "%s/password", flow.folder);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fprintf(file, "%s\n", flow_password(user));
    fclose(file);
    cr_assert_eq(ATESCTL("login", flow_login(user), "--password-file", path), 0, "%s", output.err);
}

static void create_tasks(unsigned count)
{
    const struct tasks_create_task body = {.name = ates_text_from("Count the toner cartridges"),
                                           .description = ates_text_from("all of them")};
    struct tasks_task_result result;

    for (unsigned i = 0; i < count; i++) {
        flow_do(&flow, FLOW_MANAGER, &tasks_service, "create_task", &body, &result);
        ates_arena_reset(flow.arena);
    }
}

/* A tail that runs beside the test, its lines in a file. */
static char tail_path[128];

static pid_t start_tail(const char *const *words)
{
    const char *argv[ARGUMENTS_MAX + 1];

    arguments(words, argv);
    snprintf(tail_path, sizeof tail_path, "%s/tail", flow.folder);
    const int file = open(tail_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    cr_assert_geq(file, 0);
    const pid_t pid = flow_fork();
    if (pid == 0) {
        dup2(file, STDOUT_FILENO);
        setenv("HOME", flow.folder, 1);
        unsetenv("XDG_STATE_HOME");
        execv(argv[0], (char *const *)argv);
        _exit(127);
    }
    close(file);
    return pid;
}

/* How many whole lines there are so far. */
static uint64_t tail_lines(void)
{
    FILE *file = fopen(tail_path, "r");
    uint64_t lines = 0;

    cr_assert_not_null(file);
    for (int c = fgetc(file); c != EOF; c = fgetc(file)) {
        lines += c == '\n';
    }
    fclose(file);
    flow_head(&flow, "auth"); /* the pace of who waits for more */
    return lines;
}

/* Each line is the next event of tasks. Returns how many there are. */
static uint64_t check_lines(FILE *file, uint64_t first)
{
    uint64_t seq = first;
    char *line = NULL;
    size_t capacity = 0;

    while (getline(&line, &capacity, file) > 0) {
        json_t *json = json_loads(line, 0, NULL);

        cr_assert_not_null(json, "%s", line);
        cr_assert_eq(json_integer_value(json_object_get(json, "seq")), (json_int_t)seq, "%s", line);
        cr_assert_str_eq(json_string_value(json_object_get(json, "producer")), "tasks");
        json_decref(json);
        seq++;
    }
    free(line);
    return seq - first;
}

Test(events, a_tail_from_the_log_goes_on_live_and_leaves_nothing_out)
{
    sign_in(FLOW_ADMINISTRATOR);
    create_tasks(TASKS_EACH);
    const uint64_t before = flow_head(&flow, "tasks");
    const pid_t tail = start_tail((const char *const[]){"events", "tail", "--from", "tasks:1",
                                                        "--count", "80", "-o", "ndjson", NULL});
    cr_assert_eq(before, TASKS_EACH);
    flow_until(tail_lines() >= before);
    create_tasks(TASKS_EACH); /* live */
    flow_until(tail_lines() >= 2 * TASKS_EACH);
    flow_kill(&flow, "broker");
    create_tasks(TASKS_EACH); /* nobody brings these */
    flow_until(tail_lines() >= 3 * TASKS_EACH);
    flow_start(&flow, "broker");
    flow_kill(&flow, "tasks");
    flow_start(&flow, "tasks");
    create_tasks(TASKS_EACH);
    cr_assert_eq(flow_wait_for_end(tail, FLOW_PATIENCE_MS * flow_scale()), 0);
    FILE *file = fopen(tail_path, "r");
    cr_assert_not_null(file);
    cr_expect_eq(check_lines(file, 1), 4 * TASKS_EACH);
    fclose(file);
}

Test(events, a_tail_without_a_place_begins_with_what_comes_and_leaves_nothing_out)
{
    create_tasks(3);
    sign_in(FLOW_ADMINISTRATOR);
    const pid_t tail = start_tail((const char *const[]){"events", "tail", "--topic", "tasks.",
                                                        "--count", "40", "-o", "ndjson", NULL});
    /* What comes before it listens is not its own to tell: so it is made to come until it does. */
    do {
        create_tasks(1);
    } while (tail_lines() == 0);
    flow_kill(&flow, "broker");
    create_tasks(40);
    cr_assert_eq(flow_wait_for_end(tail, FLOW_PATIENCE_MS * flow_scale()), 0);
    FILE *file = fopen(tail_path, "r");
    cr_assert_not_null(file);
    json_t *line = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL);
    const uint64_t first = (uint64_t)json_integer_value(json_object_get(line, "seq"));
    json_decref(line);
    cr_expect_gt(first, 3);
    rewind(file);
    cr_expect_eq(check_lines(file, first), 40);
    fclose(file);
    flow_start(&flow, "broker");
}

Test(events, an_export_is_the_log)
{
    char path[128], from[24];

    create_tasks(TASKS_EACH);
    const uint64_t head = flow_head(&flow, "tasks");
    cr_expect_neq(ATESCTL("events", "export", "tasks"), 0, "nobody is signed in");
    sign_in(FLOW_DEVELOPER);
    cr_expect_eq(ATESCTL("events", "export", "tasks"), 6, "a developer may not read logs");
    sign_in(FLOW_ADMINISTRATOR);
    snprintf(path, sizeof path, "%s/export", flow.folder);
    cr_expect_eq(ATESCTL("events", "export", "tasks", "--to", "5", "--file", path), 0, "%s",
                 output.err);
    cr_expect_str_empty(output.out);
    cr_expect_eq(ATESCTL("events", "export", "tasks", "--file", path), 5, "a file is not replaced");
    cr_expect_eq(ATESCTL("events", "export", "tasks", "--from", "6", "--append", "--file", path), 0,
                 "%s", output.err);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    cr_expect_eq(check_lines(file, 1), head);
    rewind(file);
    for (uint64_t seq = 1; seq <= head; seq++) {
        const struct ates_read_events body = {.after_seq = seq - 1, .has_limit = true, .limit = 1};
        struct ates_read_events_result result;
        struct ates_envelope envelope;
        json_t *json = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL);

        flow_do(&flow, FLOW_ADMINISTRATOR, &tasks_service, "read_events", &body, &result);
        const struct ates_bytes *event = result.events.items;
        cr_assert_eq(ates_message_decode(&ates_envelope_message, event->data, event->size,
                                         ATES_UNKNOWN_IGNORED, flow.arena, &envelope, NULL),
                     0);
        const char *id = json_string_value(json_object_get(json, "event_id"));
        cr_expect(ates_text_equal(envelope.event_id, ates_text_from(id)), "%s", id);
        json_decref(json);
    }
    fclose(file);
    snprintf(from, sizeof from, "%llu", (unsigned long long)head + 2);
    cr_expect_eq(ATESCTL("events", "export", "tasks", "--from", from), 3, "%s", output.err);
    cr_expect_eq(ATESCTL("events", "export", "auth", "--to", "1", "-o", "cloudevents"), 0, "%s",
                 output.err);
    cr_expect_not_null(strstr(output.out, "\"specversion\":\"1.0\""), "%s", output.out);
    cr_expect_not_null(strstr(output.out, "\"type\":\"auth.user_registered.v1\""), "%s",
                       output.out);
    cr_expect_eq(ATESCTL("task", "ls", "-o", "cloudevents"), 2);
}

/* A dead letter of real services: accounting is the test's, and says what analytics cannot add up. */

static struct fake_producer *accounting;

static void open_dead(void)
{
    flow_open(&flow);
    flow_start(&flow, "broker");
    flow_start(&flow, "auth");
    accounting = calloc(1, sizeof *accounting);
    accounting->service.name = "accounting";
    strcpy(accounting->service.run_dir, flow.run_dir);
    fake_producer_start(accounting);
    flow_start(&flow, "analytics");
}

static void close_dead(void)
{
    fake_service_stop(&accounting->service); /* the folder is the flow's */
    flow_close(&flow);
}

TestSuite(events_dead, .init = open_dead, .fini = close_dead, .timeout = 300);

static void say_transfer(enum accounting_kind kind, int64_t delta_cents)
{
    const struct accounting_transfer_recorded recorded = {
        .transfer = {.id = accounting->count + 1,
                     .timestamp = INT64_C(1700000000000),
                     .user_id = 6,
                     .kind = kind,
                     .delta_cents = delta_cents,
                     .balance_cents = delta_cents,
                     .has_task_id = true,
                     .task_id = 1,
                     .business_date = ates_text_from("2023-11-15"),
                     .description = ates_text_from("a transfer")}};

    fake_producer_emit(accounting, "accounting", &accounting_transfer_recorded_message, FAKE_LOG_ID,
                       &recorded);
}

static bool has_taken(int64_t seq)
{
    return flow_metric(&flow, "analytics", "ates_follower_position", "producer=\"accounting\"") >=
           seq;
}

Test(events_dead, a_dead_letter_is_retried_until_it_can_be_applied)
{
    say_transfer(ACCOUNTING_ASSIGN_FEE, -ATES_INTEGER_MAX);
    say_transfer(ACCOUNTING_ASSIGN_FEE, -1); /* more than an income can be */
    flow_until(has_taken(2));
    cr_expect_eq(ATESCTL("events", "retry", "analytics", "accounting", "2"), 4,
                 "nobody is signed in");
    sign_in(FLOW_ADMINISTRATOR);
    cr_assert_eq(ATESCTL("events", "dead", "analytics", "-o", "json"), 0, "%s", output.err);
    cr_expect_not_null(strstr(output.out, "INCOME_OUT_OF_RANGE"), "%s", output.out);
    cr_expect_not_null(strstr(output.out, "\"delta_cents\":-1"), "the event itself: %s",
                       output.out);
    cr_expect_eq(ATESCTL("events", "retry", "analytics", "accounting", "1"), 3, "it was applied");
    cr_expect_eq(ATESCTL("events", "retry", "analytics", "accounting", "2"), 5, "%s", output.err);
    cr_expect_not_null(strstr(output.err, "INCOME_OUT_OF_RANGE"), "%s", output.err);
    say_transfer(ACCOUNTING_COMPLETION_REWARD, 2500); /* makes room */
    flow_until(has_taken(3));
    flow_kill(&flow, "analytics");
    flow_start(&flow, "analytics");
    cr_expect_eq(ATESCTL("events", "retry", "analytics", "--all", "-o", "json"), 0, "%s",
                 output.err);
    cr_expect_not_null(strstr(output.out, "\"is_applied\":true"), "%s", output.out);
    cr_expect_eq(flow_metric(&flow, "analytics", "ates_dead_letters", NULL), 0);
    cr_expect_eq(ATESCTL("events", "retry", "analytics", "accounting", "2"), 3);
    cr_expect_eq(ATESCTL("events", "retry", "analytics"), 2);
}
