/* Old and new builds together, under one data and run folder (docs/evolution.md): every step of the
 * release train of task_created.v2 is taken while commands flow, service by service, with the
 * daemons that the releases' own commits gave. After each step the money is the model's, nobody has a
 * dead letter, and nobody has stopped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <criterion/criterion.h>

#include "support/mix.h"
#include "support/model.h"

#define COMMANDS 400u /* between two steps */
#define IN_FLIGHT 32u

TestSuite(evolution, .timeout = 600);

static struct flow flow;
static struct mix mix;

/* The daemon of a release; "head": the one under test. */
static const char *daemon_of(const char *release, char path[512])
{
    const char *releases = getenv("ATES_RELEASES");

    cr_assert_not_null(releases, "ATES_RELEASES is not set: tests/evolution/run.sh sets it");
    snprintf(path, 512, "%s/%s/atesd", releases, release);
    return strcmp(release, "head") == 0 ? flow_atesd() : path;
}

static void spawn(const char *service, const char *release)
{
    char path[512];
    const char *const argv[] = {daemon_of(release, path),
                                service,
                                "--data",
                                flow.data_dir,
                                "--run",
                                flow.run_dir,
                                "--log-level",
                                "notice",
                                NULL};

    flow_spawn_program(&flow, service, argv);
}

/* What an operator does: one unit is restarted with another build, while commands come in. */
static void move(const char *service, const char *release)
{
    mix_fill(&mix, IN_FLIGHT);
    flow_stop(&flow, service);
    mix_fill(&mix, 2 * IN_FLIGHT);
    spawn(service, release);
    flow_await(&flow, service);
    mix_run(&mix, COMMANDS, IN_FLIGHT);
    fprintf(stderr, "%s runs %s\n", service, release);
}

/* Of tasks whose names the mix would not give. */
static uint64_t create(const char *name, const char *jira_id)
{
    const struct tasks_create_task body = {.name = ates_text_from(name),
                                           .description = ates_text_from(""),
                                           .has_jira_id = jira_id != NULL,
                                           .jira_id = ates_text_from(jira_id ? jira_id : "")};
    struct tasks_task_result result;

    flow_do(&flow, FLOW_MANAGER, &tasks_service, "create_task", &body, &result);
    return result.task.id;
}

static void assert_nobody_stopped(void)
{
    static const char *const services[] = {"tasks", "accounting", "analytics", "payment"};

    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(flow_metric(&flow, services[i], "ates_dead_letters", NULL), 0, "%s",
                     services[i]);
    }
    cr_assert_eq(flow_metric(&flow, "accounting", "ates_follower_stopped", "tasks"), 0);
    cr_assert_eq(flow_metric(&flow, "analytics", "ates_follower_stopped", "tasks"), 0);
}

/* older: where analytics may call a task as version 1 does, "[JIRA-123] title". */
static void check(bool older)
{
    struct model model;

    mix_drain(&mix);
    flow_catch_up(&flow);
    assert_nobody_stopped();
    model_fold(&model, &flow);
    model.takes_older_names = older;
    model_check(&model, &flow);
    fprintf(stderr, "%zu tasks, %zu done, %zu drawn again: as the model has it\n", model.task_count,
            model.finished_count, model.reassignment_count);
    model_free(&model);
}

/* Which events tell of a task's creation, in order: "1", "12", "122", "2". */
static void assert_told(uint64_t task_id, const char *expected)
{
    struct tasks_task_created older;
    struct tasks_task_created_v2 created;
    struct event_log log;
    char told[16] = "";

    event_log_read(&log, &flow, "tasks");
    for (size_t i = 0; i < log.count && strlen(told) < sizeof told - 1; i++) {
        if (event_log_is(&log, i, &tasks_task_created_message, &older)) {
            strcat(told, older.task_id == task_id ? "1" : "");
        } else if (event_log_is(&log, i, &tasks_task_created_v2_message, &created)) {
            strcat(told, created.task_id == task_id ? "2" : "");
        }
    }
    event_log_free(&log);
    cr_assert_str_eq(told, expected, "task %lu", (unsigned long)task_id);
}

static void assert_task(uint64_t task_id, const char *jira_id, const char *name)
{
    const struct tasks_show_task body = {.task_id = task_id};
    struct tasks_task_result shown;

    flow_do(&flow, FLOW_MANAGER, &tasks_service, "show_task", &body, &shown);
    cr_assert(ates_text_equal(shown.task.name, ates_text_from(name)), "task %lu is '%.*s'",
              (unsigned long)task_id, (int)shown.task.name.size, shown.task.name.data);
    cr_assert_eq(shown.task.has_jira_id, jira_id != NULL);
    cr_assert(jira_id == NULL || ates_text_equal(shown.task.jira_id, ates_text_from(jira_id)));
}

static int64_t follows(const char *service, const char *version)
{
    char labels[96];

    snprintf(labels, sizeof labels, "event=\"task_created\",version=\"%s\"", version);
    return flow_metric(&flow, service, "ates_follows_event", labels);
}

/* A service without its data, as if it were installed now; then as it was before. */
static void begin_empty(const char *service, bool again)
{
    char path[160], kept[192];

    flow_stop(&flow, service);
    snprintf(path, sizeof path, "%s/%s", flow.data_dir, service);
    snprintf(kept, sizeof kept, "%s/%s.kept", flow.folder, service);
    if (again) {
        char away[192];

        snprintf(away, sizeof away, "%s/%s.away", flow.folder, service);
        cr_assert_eq(rename(path, away), 0);
        cr_assert_eq(rename(kept, path), 0);
    } else {
        cr_assert_eq(rename(path, kept), 0);
    }
    spawn(service, "head");
    flow_await(&flow, service);
}

/* The release before the first that knows version 2 cannot read a log that has it: it says so and
 * ends. */
static void assert_no_way_back_to(const char *release)
{
    static struct flow_output output;
    char path[512];
    const char *const argv[] = {
        daemon_of(release, path), "tasks", "--data", flow.data_dir, "--run", flow.run_dir, NULL};

    mix_drain(&mix);
    flow_stop(&flow, "tasks");
    flow_run(&flow, argv, NULL, &output);
    cr_assert_gt(output.code, 0, "%s", output.err);
    fprintf(stderr, "%s ended with %d: %s%s\n", release, output.code, output.out, output.err);
    spawn("tasks", "head");
    flow_await(&flow, "tasks");
}

Test(evolution, task_created_moves_to_version_2_under_way)
{
    uint64_t names[8];

    flow_open(&flow);
    for (size_t i = 0; flow_services[i] != NULL; i++) {
        spawn(flow_services[i], "r1");
    }
    for (size_t i = 1; flow_services[i] != NULL; i++) {
        flow_await(&flow, flow_services[i]);
    }
    flow_catch_up(&flow);
    mix_open(&mix, &flow);
    names[0] = create("[JIRA-1] of old", NULL);
    names[1] = create("[WIP] [x] of old", NULL);
    names[2] = create("plain of old", NULL);
    mix_run(&mix, COMMANDS, IN_FLIGHT);
    check(false);

    move("tasks", "r2");
    names[3] = create("side by side", "JIRA-2");
    check(true);
    assert_told(names[0], "1");
    assert_told(names[3], "12");
    assert_task(names[0], NULL, "[JIRA-1] of old");
    assert_task(names[3], "JIRA-2", "side by side");

    cr_assert_eq(follows("analytics", "2"), -1);
    move("analytics", "r3");
    cr_assert_eq(follows("analytics", "2"), 1);
    names[4] = create("analytics has moved", "JIRA-3");
    check(true);

    cr_assert_eq(follows("accounting", "2"), -1);
    move("accounting", "r4");
    cr_assert_eq(follows("accounting", "2"), 1);
    check(true);

    move("tasks", "r5");
    flow_until(flow_metric(&flow, "tasks", "ates_tasks_backfill_left", NULL) == 0);
    names[5] = create("after the backfill", "JIRA-4");
    check(false);
    assert_told(names[0], "12");
    assert_told(names[3], "122");
    assert_told(names[5], "2");
    assert_task(names[0], "JIRA-1", "of old");
    assert_task(names[1], NULL, "(WIP) (x) of old");
    assert_task(names[2], NULL, "plain of old");
    assert_task(names[3], "JIRA-2", "side by side");

    move("tasks", "head");
    names[6] = create("version 2 alone", "JIRA-5");
    check(false);
    assert_told(names[6], "2");

    /* There and back: what reads both may come after what writes the newer. */
    move("tasks", "r2");
    names[7] = create("both again", "JIRA-6");
    check(false);
    assert_told(names[7], "12");
    move("tasks", "head");
    for (size_t i = 1; flow_services[i] != NULL; i++) {
        if (strcmp(flow_services[i], "tasks") != 0) {
            move(flow_services[i], "head");
        }
    }
    check(false);
    assert_no_way_back_to("r1");

    /* Who begins now, with the log's first event, comes to the same. Accounting draws prices of its
     * own then, once for each task; its followers would see another log, and are not there. */
    begin_empty("analytics", false);
    check(false);
    flow_stop(&flow, "analytics");
    flow_stop(&flow, "payment");
    begin_empty("accounting", false);
    flow_until(flow_has_followed(&flow, "accounting", "tasks"));
    cr_assert_eq(flow_metric(&flow, "accounting", "ates_dead_letters", NULL), 0);
    struct model model;
    model_fold(&model, &flow);
    model_free(&model);
    begin_empty("accounting", true);
    for (size_t i = 0; i < 2; i++) {
        static const char *const followers[] = {"analytics", "payment"};

        spawn(followers[i], "head");
        flow_await(&flow, followers[i]);
    }
    check(false);
    mix_check(&mix);
    mix_close(&mix);

    flow_stop_all(&flow);
    model_check_rebuild(&flow);
    flow_close(&flow);
}
