/* task watch: tasks, and what becomes of them. */
#include "task_watch.h"

#include <unistd.h>

#include <ates/tasks.h>

#include "remote.h"
#include "watch.h"

static const struct ctl_option options[] = {
    {"mine", NULL, "the tasks assigned to you (this is so without --all)"},
    {"all", NULL, "everybody's, as a manager or administrator"},
    {"status", "STATUS", "open, finished or all (default: open; all where stdout is no terminal)",
     tasks_status_names},
    {"limit", "N", "the newest ones, at most so many (default: 20)"},
    {NULL, NULL, NULL},
};

static int run(struct ctl *ctl, const struct ctl_input *input)
{
    const bool all = ctl_value(input, "all") != NULL;
    const char *limit = ctl_value(input, "limit"), *status = ctl_value(input, "status");
    struct tasks_show_my_assigned_tasks mine = {.has_newest_first = true,
                                                .newest_first = true,
                                                .has_limit = true,
                                                .limit = 20,
                                                .has_status = true};
    struct tasks_show_all_assigned_tasks every;
    struct ctl_watch watch = {.service = &tasks_service,
                              .query = all ? "show_all_assigned_tasks" : "show_my_assigned_tasks",
                              .noun = "task"};

    if (all && ctl_value(input, "mine") != NULL) {
        return ctl_fail(CTL_USAGE, NULL, "--mine or --all");
    }
    int code = limit != NULL ? ctl_parse_number(limit, "--limit", 1, 1000, &mine.limit) : CTL_OK;
    if (code == CTL_OK) {
        const char *word = status != NULL ? status : isatty(STDOUT_FILENO) == 1 ? "open" : "all";

        code = ctl_set(ctl, ctl_command(&tasks_service, "show_my_assigned_tasks"), &mine, "status",
                       word, "--status");
    }
    if (code == CTL_OK && !all) {
        code = ctl_own_id(ctl, &watch.user_id);
    }
    every = (struct tasks_show_all_assigned_tasks){.has_newest_first = true,
                                                   .newest_first = true,
                                                   .has_limit = true,
                                                   .limit = mine.limit,
                                                   .has_status = true,
                                                   .status = mine.status};
    watch.body = all ? (const void *)&every : (const void *)&mine;
    return code == CTL_OK ? ctl_watch(ctl, &watch) : code;
}

const struct ctl_command task_watch_command = {
    .name = "watch",
    .summary = "Show your tasks, or everybody's, and what changes, until Ctrl-C",
    .notes = "\nOn a terminal a table is drawn anew; elsewhere each task is a line of JSON (or "
             "what -o says),\n"
             "and a line again when it changes. Ctrl-C ends it, with exit code 130.\n",
    .examples = "atesctl task watch\n"
                "atesctl task watch --all --status all --limit 40\n"
                "atesctl task watch -o ndjson | jq .name",
    .options = options,
    .run = run,
};
