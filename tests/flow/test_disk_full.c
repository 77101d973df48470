/* A disk that fills up: commands that write are refused while reading goes on, nothing acknowledged is lost, and with
 * room again the service takes commands as before. The disk is a small tmpfs in a mount namespace of the service's
 * own; where the machine allows none, the test is skipped with a word. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ates/tasks.h>

#include "support/flow.h"

#define TASKS_MAX 20000u

/* The data moves to the small disk, together with a ballast that the test can throw off. */
static const char script[] =
    "set -e; cp -r \"$1\" \"$1.copy\"; mount -t tmpfs -o size=120m tmpfs \"$1\";"
    "cp -r \"$1.copy/.\" \"$1\"; head -c 30000000 /dev/zero >\"$1/ballast\";"
    "exec \"$2\" tasks --data \"$1\" --run \"$3\" --log-level warning";

static bool may_mount(struct flow *flow)
{
    const char *const argv[] = {
        "/usr/bin/unshare", "-rm", "sh", "-c", "mount -t tmpfs tmpfs \"$1\"", "sh",
        flow->folder,       NULL};
    struct flow_output output;

    flow_run(flow, argv, NULL, &output);
    return output.code == 0;
}

static int create(struct flow *flow, const char *description)
{
    const struct tasks_create_task body = {.name = ates_text_from("Fill the disk"),
                                           .description = ates_text_from(description)};

    return flow_call(flow, FLOW_ADMINISTRATOR, &tasks_service, "create_task", NULL, &body, NULL);
}

static void throw_ballast_off(const struct flow *flow)
{
    char path[256];

    for (size_t i = 0; i < flow->process_count; i++) {
        if (strcmp(flow->processes[i].service, "tasks") == 0) {
            snprintf(path, sizeof path, "/proc/%d/root%s/ballast", (int)flow->processes[i].pid,
                     flow->data_dir);
        }
    }
    cr_assert_eq(unlink(path), 0, "%s", path);
}

Test(disk_full, refuses_and_goes_on, .timeout = 300)
{
    static char description[8001];
    const struct tasks_show_task first = {.task_id = 1};
    uint64_t accepted = 0;
    int status = ATES_OK;
    struct flow flow;

    flow_open(&flow);
    if (!may_mount(&flow)) {
        flow_close(&flow);
        cr_skip("no mount namespace for an ordinary user here");
    }
    const char *const argv[] = {"/usr/bin/unshare", "-rm",        "sh",         "-c", script, "sh",
                                flow.data_dir,      flow_atesd(), flow.run_dir, NULL};
    flow_start(&flow, "broker");
    flow_start(&flow, "auth");
    flow_spawn_program(&flow, "tasks", argv);
    flow_await(&flow, "tasks");
    flow_until(flow_has_followed(&flow, "tasks", "auth"));

    memset(description, 'x', sizeof description - 1);
    while (status == ATES_OK && accepted < TASKS_MAX) {
        status = create(&flow, description);
        accepted += status == ATES_OK;
    }
    cr_assert_eq(status, ATES_RESOURCE_EXHAUSTED, "after %lu tasks", (unsigned long)accepted);
    cr_assert_str_eq(flow.reply.refusal.reason, "STORE_FULL");
    cr_assert_gt(flow.reply.refusal.retry_after_ms, 0);
    flow_do(&flow, FLOW_ADMINISTRATOR, &tasks_service, "show_task", &first, NULL);
    cr_assert_eq(flow_head(&flow, "tasks"), accepted);

    throw_ballast_off(&flow);
    cr_assert_eq(create(&flow, ""), ATES_OK);
    cr_assert_eq(flow_head(&flow, "tasks"), accepted + 1);
    flow_stop(&flow, "tasks");
    flow_close(&flow);
}
