/* What atesctl shows of services at work: watches that tell of changes, and figures. */
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include <ates/tasks.h>

#include "support/flow.h"

#define ARGUMENTS_MAX 20
#define SHOWN_SIZE 65536u

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

TestSuite(live, .init = open_flow, .fini = close_flow, .timeout = 300);

static void arguments(const char *const *words, const char *argv[ARGUMENTS_MAX + 1])
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
}

static int run(const char *const *words)
{
    const char *argv[ARGUMENTS_MAX + 1];

    arguments(words, argv);
    flow_run(&flow, argv, NULL, &output);
    return output.code;
}
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define ATESCTL(...) run(WORDS(__VA_ARGS__))

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

static struct tasks_task create_task(const char *name)
{
    const struct tasks_create_task body = {.name = ates_text_from(name),
                                           .description = ates_text_from("")};
    struct tasks_task_result result;

    flow_do(&flow, FLOW_MANAGER, &tasks_service, "create_task", &body, &result);
    return result.task;
}

/* A program that runs beside the test, and what it has written so far. */
struct beside {
    pid_t pid;
    int file; /* its stdout's other end */
    char shown[SHOWN_SIZE];
    size_t size;
};

static void become(const char *const *words)
{
    const char *argv[ARGUMENTS_MAX + 1];

    arguments(words, argv);
    setenv("HOME", flow.folder, 1);
    unsetenv("XDG_STATE_HOME");
    unsetenv("XDG_CONFIG_HOME");
    setenv("TERM", "xterm", 1);
    execv(argv[0], (char *const *)argv);
    _exit(127);
}

static struct beside *start(const char *const *words)
{
    static struct beside beside;
    int ends[2];

    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    beside = (struct beside){.pid = flow_fork(), .file = ends[0]};
    if (beside.pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        become(words);
    }
    close(ends[1]);
    return &beside;
}

static struct beside *start_at_terminal(const char *const *words)
{
    static struct beside beside;
    const struct winsize size = {.ws_row = 24, .ws_col = 100};

    beside = (struct beside){.pid = -1};
    beside.pid = forkpty(&beside.file, NULL, NULL, &size);
    cr_assert_geq(beside.pid, 0);
    if (beside.pid == 0) {
        become(words);
    }
    return &beside;
}

/* Reads on until these words were shown; what was shown before them is forgotten. */
static void await_words(struct beside *self, const char *words)
{
    const int64_t until_ms = flow_now_ms() + FLOW_PATIENCE_MS * flow_scale();
    const char *found;

    while ((found = memmem(self->shown, self->size, words, strlen(words))) == NULL) {
        struct pollfd item = {.fd = self->file, .events = POLLIN};

        cr_assert_lt(flow_now_ms(), until_ms, "'%s' never came: %.*s", words, (int)self->size,
                     self->shown);
        cr_assert_lt(self->size, sizeof self->shown);
        if (poll(&item, 1, 1000) > 0) {
            const ssize_t got =
                read(self->file, self->shown + self->size, sizeof self->shown - self->size);

            cr_assert_gt(got, 0, "it ended without '%s': %.*s", words, (int)self->size,
                         self->shown);
            self->size += (size_t)got;
        }
    }
    const size_t used = (size_t)(found - self->shown) + strlen(words);
    memmove(self->shown, self->shown + used, self->size - used);
    self->size -= used;
}

static void expect_interrupted(struct beside *self)
{
    const int status = flow_wait_for_end(self->pid, FLOW_PATIENCE_MS * flow_scale());

    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 130, "wait status %#x", (unsigned)status);
    close(self->file);
}

Test(live, a_watch_tells_what_is_there_and_what_changes)
{
    const struct tasks_task before = create_task("Feed the parrots");

    sign_in(FLOW_MANAGER);
    struct beside *watch = start(WORDS("task", "watch", "--all"));
    await_words(watch, "Feed the parrots");
    create_task("Water the cactus");
    await_words(watch, "Water the cactus");
    /* The broker's absence costs nothing but time: heads tell of what was missed. */
    flow_kill(&flow, "broker");
    const struct tasks_complete_task done = {.task_id = before.id};
    flow_do(&flow, before.assigned_to, &tasks_service, "complete_task", &done, NULL);
    flow_start(&flow, "broker");
    await_words(watch, "\"is_finished\":true");
    cr_assert_eq(kill(watch->pid, SIGINT), 0);
    expect_interrupted(watch);
}

Test(live, a_watch_tells_only_what_its_user_may_see)
{
    uint64_t user = FLOW_DEVELOPER;
    struct tasks_task mine;

    sign_in(user);
    cr_expect_neq(ATESCTL("task", "watch", "--all"), 0);
    struct beside *watch = start(WORDS("task", "watch"));
    do {
        mine = create_task("Polish the perch");
    } while (mine.assigned_to != user);
    await_words(watch, "\"assigned_to\":");
    cr_assert_eq(kill(watch->pid, SIGINT), 0);
    watch->shown[watch->size] = '\0';
    char *end = strchr(watch->shown, ',');
    cr_assert_not_null(end);
    *end = '\0';
    cr_expect_eq(strtoull(watch->shown, NULL, 10), user);
    expect_interrupted(watch);
}

Test(live, a_watch_at_a_terminal_is_drawn_anew_and_gives_the_terminal_back)
{
    const struct winsize narrow = {.ws_row = 24, .ws_col = 60};

    sign_in(FLOW_MANAGER);
    create_task("Feed the parrots");
    struct beside *watch = start_at_terminal(WORDS("task", "watch", "--all"));
    await_words(watch, "\033[?1049h");
    await_words(watch, "Feed the parrots");
    await_words(watch, "Ctrl-C ends");
    create_task("Water the cactus");
    await_words(watch, "Water the cactus");
    await_words(watch, "2 tasks");
    await_words(watch, "Ctrl-C ends");
    cr_assert_eq(ioctl(watch->file, TIOCSWINSZ, &narrow), 0);
    await_words(watch, "Water the cactus");
    await_words(watch, "Ctrl-C ends");
    cr_assert_eq(write(watch->file, "\003", 1), 1);
    await_words(watch, "\033[?1049l");
    expect_interrupted(watch);
}

Test(live, an_account_is_watched_with_its_balance)
{
    struct tasks_task task;

    sign_in(FLOW_DEVELOPER);
    struct beside *watch = start_at_terminal(WORDS("account", "watch"));
    await_words(watch, "Balance 0.00");
    await_words(watch, "0 transfers");
    do {
        task = create_task("Polish the perch");
    } while (task.assigned_to != FLOW_DEVELOPER);
    await_words(watch, "Balance -");
    await_words(watch, "1 transfer,");
    cr_assert_eq(write(watch->file, "\003", 1), 1);
    await_words(watch, "\033[?1049l");
    expect_interrupted(watch);
}

/* A number of the one object, or of the row of this service and command, that was printed. */
static json_int_t figure(const char *service, const char *command, const char *name)
{
    json_t *printed = json_loads(output.out, 0, NULL), *row;
    json_int_t value = -1;
    size_t i;

    cr_assert_not_null(printed, "%s%s", output.out, output.err);
    if (json_is_object(printed)) {
        value = json_integer_value(json_object_get(printed, name));
    }
    json_array_foreach(printed, i, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "service")), service) == 0 &&
            strcmp(json_string_value(json_object_get(row, "command")), command) == 0) {
            value = json_integer_value(json_object_get(row, name));
        }
    }
    json_decref(printed);
    return value;
}

Test(live, top_tells_what_services_do)
{
    cr_expect_eq(ATESCTL("admin", "top", "--interval", "1"), 4, "nobody is signed in");
    sign_in(FLOW_ADMINISTRATOR);
    cr_assert_eq(ATESCTL("admin", "top", "--interval", "1", "-o", "json"), 0, "%s", output.err);
    cr_expect_gt(figure("tasks", "*", "per_second"), 0, "its own look at the figures: %s",
                 output.out);
    cr_expect_eq(figure("tasks", "*", "lag"), 0);
    cr_expect_gt(figure("tasks", "tasks.metrics", "p99_us"), 0, "%s", output.out);
    flow_kill(&flow, "payment");
    cr_assert_eq(ATESCTL("admin", "top", "--interval", "1", "-o", "json"), 0, "%s", output.err);
    cr_expect_eq(figure("payment", "(down)", "per_second"), 0);
}

Test(live, benches_measure_and_change_nothing_unasked)
{
    const uint64_t before = flow_head(&flow, "tasks");

    cr_assert_eq(ATESCTL("bench", "rpc", "--seconds", "1", "--connections", "2", "--in-flight", "8",
                         "-o", "json"),
                 0, "%s", output.err);
    cr_expect_gt(figure("", "", "replies"), 16);
    cr_expect_eq(figure("", "", "refusals"), 0);
    cr_expect_leq(figure("", "", "p50_us"), figure("", "", "p99_us"));
    cr_expect_leq(figure("", "", "p99_us"), figure("", "", "max_us"));
    cr_expect_gt(figure("", "", "alone_p50_us"), 0);
    cr_assert_eq(ATESCTL("bench", "rpc", "--service", "accounting", "--command", "show_balance",
                         "--seconds", "1", "-o", "json"),
                 0, "%s", output.err);
    cr_expect_eq(figure("", "", "refusals"), figure("", "", "replies"), "nobody is signed in");
    cr_expect_eq(ATESCTL("bench", "rpc", "--command", "create_task"), 2);
    sign_in(FLOW_MANAGER);
    cr_expect_eq(ATESCTL("bench", "events", "--tasks", "5"), 2, "nobody can be asked");
    cr_expect_eq(flow_head(&flow, "tasks"), before);
    cr_assert_eq(ATESCTL("bench", "events", "--tasks", "5", "--yes", "-o", "json"), 0, "%s",
                 output.err);
    cr_expect_eq(figure("", "", "tasks"), 5);
    cr_expect_gt(figure("", "", "event_p50_us"), 0);
    cr_expect_eq(flow_head(&flow, "tasks"), before + 5);
}
