/* Tasks: making them, finding them and being done with them. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ates/tasks.h>

#include "ctl.h"
#include "output.h"
#include "remote.h"
#include "task_import.h"
#include "task_watch.h"

#define DESCRIPTION_BYTES_MAX (ATES_FRAME_MAX)
#define REASSIGN_TIMEOUT_MS 120000 /* of a hundred thousands of tasks */

/* A task that was made or changed. */
static int report(struct ctl *ctl, const struct tasks_task *task, const char *words)
{
    ctl_say("task %" PRIu64 " %s", task->id, words);
    if (ctl->format != CTL_TABLE) {
        return ctl_print(ctl, &tasks_task_message, task);
    }
    return ctl_print_number(task->id);
}

/* All of stdin as a text, without the newlines at its end. */
static int read_description(struct ctl *ctl, struct ates_text *out)
{
    char *text = ates_arena_alloc(ctl->arena, DESCRIPTION_BYTES_MAX);
    size_t size = fread(text, 1, DESCRIPTION_BYTES_MAX, stdin);

    if (ferror(stdin)) {
        return ctl_fail(CTL_REFUSED, NULL, "cannot read the description: %s", strerror(errno));
    }
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r')) {
        size--;
    }
    *out = (struct ates_text){text, size};
    return CTL_OK;
}

static const struct ctl_option add_options[] = {
    {"jira", "ID", "the issue's id in a tracker, as JIRA-123"},
    {"description", "TEXT", "what is to be done (-: read from stdin)"},
    {NULL, NULL, NULL},
};

static int run_add(struct ctl *ctl, const struct ctl_input *input)
{
    const char *description = ctl_value(input, "description");
    struct tasks_create_task body = {.name = ates_text_from(input->arguments[0]),
                                     .description = ates_text_from(description ? description : "")};
    struct tasks_task_result result;
    char user[CTL_USER_WORDS_SIZE], words[CTL_USER_WORDS_SIZE + 32];
    int code = CTL_OK;

    if (description != NULL && strcmp(description, "-") == 0) {
        code = read_description(ctl, &body.description);
    }
    if (code == CTL_OK && ctl_value(input, "jira") != NULL) {
        code = ctl_set(ctl, ctl_command(&tasks_service, "create_task"), &body, "jira_id",
                       ctl_value(input, "jira"), "--jira");
    }
    if (code == CTL_OK) {
        code = ctl_change(ctl, &tasks_service, "create_task", &body, &result);
    }
    if (code != CTL_OK) {
        return code;
    }
    snprintf(words, sizeof words, "is assigned to %s",
             ctl_user_words(ctl, result.task.assigned_to, user));
    return report(ctl, &result.task, words);
}

static const struct ctl_command add_command = {
    .name = "add",
    .arguments = "NAME",
    .summary = "Create a task; its assignee is drawn at random",
    .examples = "atesctl task add \"Count the toner cartridges\"\n"
                "atesctl task add \"Fix the lamp\" --jira UBER-12\n"
                "atesctl task add \"Write the report\" --description - < notes.txt",
    .look = "atesctl task ls --query NAME, or atesctl task mine",
    .options = add_options,
    .min = 1,
    .max = 1,
    .run = run_add,
};

static const struct ctl_option mine_options[] = {
    {"status", "STATUS", "open, finished or all (default: open)", tasks_status_names},
    {"query", "WORDS", "only tasks in which words begin so"},
    {"newest-first", NULL, "the newest first, not the oldest"},
    {"limit", "N", "at most so many (default: all)"},
    {NULL, NULL, NULL},
};

/* Sets the filters that are given of those whose options and fields are called alike. */
static int set_filters(struct ctl *ctl, const struct ctl_input *input,
                       const struct ates_command *command, void *body)
{
    static const char *const alike[] = {"status", "query"};
    int code = CTL_OK;

    for (size_t i = 0; i < 2 && code == CTL_OK; i++) {
        const char *value = ctl_value(input, alike[i]);
        char what[16];

        snprintf(what, sizeof what, "--%s", alike[i]);
        code = value != NULL ? ctl_set(ctl, command, body, alike[i], value, what) : CTL_OK;
    }
    return code;
}

static int run_mine(struct ctl *ctl, const struct ctl_input *input)
{
    const char *name = "show_my_assigned_tasks";
    struct tasks_show_my_assigned_tasks body = {.has_status = false};

    const int code = set_filters(ctl, input, ctl_command(&tasks_service, name), &body);
    if (code != CTL_OK) {
        return code;
    }
    return ctl_list(ctl, input, &tasks_service, name, &body,
                    ctl_value(input, "status") == NULL
                        ? "no open tasks; --status all shows finished ones too"
                        : "no such tasks");
}

static const struct ctl_command mine_command = {
    .name = "mine",
    .summary = "List the tasks assigned to you",
    .examples = "atesctl task mine\n"
                "atesctl task mine --status all --query toner",
    .options = mine_options,
    .run = run_mine,
};

static const struct ctl_option ls_options[] = {
    {"status", "STATUS", "open, finished or all (default: all)", tasks_status_names},
    {"assigned-to", "USER", "only tasks of this user, given by id or login"},
    {"query", "WORDS", "only tasks in which words begin so"},
    {"from", "DATE", "only tasks created on this date or later"},
    {"to", "DATE", "only tasks created on this date or earlier"},
    {"newest-first", NULL, "the newest first, not the oldest"},
    {"limit", "N", "at most so many (default: all)"},
    {NULL, NULL, NULL},
};

static int run_ls(struct ctl *ctl, const struct ctl_input *input)
{
    const char *name = "show_all_assigned_tasks", *user = ctl_value(input, "assigned-to");
    const char *from = ctl_value(input, "from"), *to = ctl_value(input, "to");
    const struct ates_command *command = ctl_command(&tasks_service, name);
    struct tasks_show_all_assigned_tasks body = {.has_assigned_to = user != NULL};

    int code = ctl_check_period(from, to);
    if (code == CTL_OK) {
        code = set_filters(ctl, input, command, &body);
    }
    if (code == CTL_OK && from != NULL) {
        code = ctl_set_date(command, &body, "created_from", from, false);
    }
    if (code == CTL_OK && to != NULL) {
        code = ctl_set_date(command, &body, "created_to", to, true);
    }
    if (code == CTL_OK && user != NULL) {
        code = ctl_find_user(ctl, user, &body.assigned_to);
    }
    return code == CTL_OK ? ctl_list(ctl, input, &tasks_service, name, &body, "no such tasks")
                          : code;
}

static const struct ctl_command ls_command = {
    .name = "ls",
    .summary = "List everybody's tasks",
    .examples = "atesctl task ls --status open --assigned-to ann\n"
                "atesctl task ls --from 2026-11-01 --to 2026-11-30 -o csv > november.csv",
    .options = ls_options,
    .run = run_ls,
};

static int run_show(struct ctl *ctl, const struct ctl_input *input)
{
    struct tasks_show_task body;
    struct tasks_task_result result;

    int code = ctl_parse_number(input->arguments[0], "task id", 1, ATES_INTEGER_MAX, &body.task_id);
    if (code == CTL_OK) {
        code = ctl_query(ctl, &tasks_service, "show_task", &body, &result);
    }
    return code == CTL_OK ? ctl_print(ctl, &tasks_task_message, &result.task) : code;
}

static const struct ctl_command show_command = {
    .name = "show",
    .arguments = "ID",
    .summary = "Show a task whole",
    .examples = "atesctl task show 12",
    .min = 1,
    .max = 1,
    .run = run_show,
};

static int complete(struct ctl *ctl, uint64_t task_id, struct ctl_listing *listing)
{
    const struct tasks_complete_task body = {.task_id = task_id};
    struct tasks_task_result result;

    const int code = ctl_change(ctl, &tasks_service, "complete_task", &body, &result);
    if (code != CTL_OK) {
        return code;
    }
    ctl_say("task %" PRIu64 " is done", task_id);
    if (listing != NULL) {
        ctl_listing_add(listing, NULL, &result.task);
    } else {
        return ctl_print_number(task_id);
    }
    return CTL_OK;
}

/* Goes on after a refusal: the tasks have nothing to do with each other. */
static int run_done(struct ctl *ctl, const struct ctl_input *input)
{
    uint64_t *ids = ates_arena_alloc(ctl->arena, (size_t)input->count * sizeof *ids);
    struct ctl_listing *listing = NULL;
    int code = CTL_OK, first = CTL_OK;

    for (int i = 0; i < input->count && code == CTL_OK; i++) {
        code = ctl_parse_number(input->arguments[i], "task id", 1, ATES_INTEGER_MAX, &ids[i]);
    }
    if (code != CTL_OK) {
        return code;
    }
    if (ctl->format != CTL_TABLE) {
        listing = ctl_listing_new(ctl, &tasks_task_message, NULL);
        if (listing == NULL) {
            return ctl_fail(CTL_REFUSED, NULL, "out of memory");
        }
    }
    for (int i = 0; i < input->count && code != CTL_UNREACHABLE; i++) {
        code = complete(ctl, ids[i], listing);
        first = first != CTL_OK ? first : code;
    }
    code = listing != NULL ? ctl_listing_end(listing, NULL) : ctl_flush();
    ctl_listing_free(&listing);
    return first != CTL_OK ? first : code;
}

static const struct ctl_command done_command = {
    .name = "done",
    .arguments = "ID...",
    .summary = "Complete tasks that are assigned to you",
    .examples = "atesctl task done 12\n"
                "atesctl task done 12 15 21",
    .look = "atesctl task mine",
    .min = 1,
    .max = -1,
    .run = run_done,
};

static const struct ctl_option reassign_options[] = {
    {"dry-run", NULL, "tell how many it would be, and draw none"},
    {NULL, NULL, NULL},
};

/* The dry run by which the user is asked. */
static int preview_reassign(struct ctl *ctl)
{
    const struct tasks_reassign_tasks dry = {.has_dry_run = true, .dry_run = true};
    struct tasks_reassign_tasks_result result;
    char question[112];

    int code = ctl_check_consent(ctl, "this charges fees for every open task");
    if (code == CTL_OK) {
        code = ctl_change(ctl, &tasks_service, "reassign_tasks", &dry, &result);
    }
    if (code != CTL_OK) {
        return code;
    }
    snprintf(question, sizeof question,
             "%" PRIu64 " open task%s will be drawn again, each for a fee. Go on?",
             result.reassigned, result.reassigned == 1 ? "" : "s");
    code = ctl_confirm(ctl, question, "nothing was reassigned");
    if (code == CTL_OK) {
        ctl_renew(ctl); /* the answer may have taken its time */
    }
    return code;
}

static int run_reassign(struct ctl *ctl, const struct ctl_input *input)
{
    const bool is_dry = ctl_value(input, "dry-run") != NULL;
    const struct tasks_reassign_tasks body = {.has_dry_run = is_dry, .dry_run = is_dry};
    struct tasks_reassign_tasks_result result;

    int code = is_dry || ctl->yes ? CTL_OK : preview_reassign(ctl);
    if (code == CTL_OK) {
        code = ctl_change(ctl, &tasks_service, "reassign_tasks", &body, &result);
    }
    if (code != CTL_OK) {
        return code;
    }
    ctl_say("%" PRIu64 " open task%s %s reassigned", result.reassigned,
            result.reassigned == 1 ? "" : "s",
            is_dry                   ? "would be"
            : result.reassigned == 1 ? "was"
                                     : "were");
    if (ctl->format != CTL_TABLE) {
        return ctl_print(ctl, &tasks_reassign_tasks_result_message, &result);
    }
    return ctl_print_number(result.reassigned);
}

static const struct ctl_command reassign_command = {
    .name = "reassign",
    .summary = "Draw a new assignee for every open task",
    .examples = "atesctl task reassign\n"
                "atesctl task reassign --dry-run\n"
                "atesctl task reassign --yes",
    .look = "atesctl task ls --status open",
    .timeout_ms = REASSIGN_TIMEOUT_MS,
    .options = reassign_options,
    .run = run_reassign,
};

static const struct ctl_option log_options[] = {
    {"newest-first", NULL, "the newest first, not the oldest"},
    {"limit", "N", "at most so many entries (default: all)"},
    {NULL, NULL, NULL},
};

static int run_log(struct ctl *ctl, const struct ctl_input *input)
{
    struct tasks_show_task_log body = {.has_after = false};

    const int code =
        ctl_parse_number(input->arguments[0], "task id", 1, ATES_INTEGER_MAX, &body.task_id);
    return code == CTL_OK ? ctl_list(ctl, input, &tasks_service, "show_task_log", &body,
                                     "nothing happened to it")
                          : code;
}

static const struct ctl_command log_command = {
    .name = "log",
    .arguments = "ID",
    .summary = "List what happened to a task",
    .examples = "atesctl task log 12",
    .options = log_options,
    .min = 1,
    .max = 1,
    .run = run_log,
};

static const struct ctl_command *const commands[] = {
    &add_command,  &task_import_command, &mine_command, &ls_command,         &show_command,
    &done_command, &reassign_command,    &log_command,  &task_watch_command, NULL};
const struct ctl_group task_group = {.name = "task", .summary = "Tasks", .commands = commands};
