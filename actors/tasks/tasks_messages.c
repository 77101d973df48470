/* The field tables of the tasks service, and its commands and events in PROTOCOL.md's order.
 * Invariant: what a message may hold is said here and nowhere else. */
#include <ates/tasks.h>

#include "core/fields.h"

#define IS_NAME .type = ATES_TEXT, .rule = ATES_RULE_TEXT, .min = 1, .max = TASKS_NAME_MAX
#define IS_TITLE .type = ATES_TEXT, .rule = ATES_RULE_TITLE, .min = 1, .max = TASKS_NAME_MAX
#define IS_JIRA_ID                                                                                 \
    .type = ATES_TEXT, .rule = ATES_RULE_ISSUE, .min = TASKS_JIRA_ID_MIN, .max = TASKS_JIRA_ID_MAX
#define IS_DESCRIPTION .type = ATES_TEXT, .rule = ATES_RULE_TEXT, .max = TASKS_DESCRIPTION_MAX
#define IS_STATUS                                                                                  \
    .type = ATES_ENUM, .names = tasks_status_names, .summary = "which tasks: open, finished or all"

const char *const tasks_status_names[] = {
    [TASKS_OPEN] = "open", [TASKS_FINISHED] = "finished", [TASKS_ALL] = "all", NULL};

const char *const tasks_log_type_names[] = {
    [TASKS_LOG_CREATE] = "create",
    [TASKS_LOG_ASSIGN] = "assign",
    [TASKS_LOG_COMPLETE] = "complete",
    [TASKS_LOG_OTHER] = "other",
    NULL,
};

static const struct ates_field tasks_task_fields[] = {
    {ATES_FIELD(tasks_task, id), ATES_IS_ID},
    {ATES_FIELD(tasks_task, name), IS_NAME},
    {ATES_FIELD(tasks_task, description), IS_DESCRIPTION},
    {ATES_FIELD(tasks_task, assigned_to), ATES_IS_ID},
    {ATES_FIELD(tasks_task, created_by), ATES_IS_ID},
    {ATES_FIELD(tasks_task, is_finished), .type = ATES_BOOL},
    {ATES_FIELD(tasks_task, created_at), ATES_IS_TIME},
    {ATES_OPTIONAL(tasks_task, finished_at), ATES_IS_TIME},
    {ATES_OPTIONAL(tasks_task, jira_id), IS_JIRA_ID},
};
ATES_MESSAGE(tasks_task, "task");

static const struct ates_field tasks_task_result_fields[] = {
    {ATES_FIELD(tasks_task_result, task), ATES_IS_STRUCT(tasks_task_message)},
};
ATES_MESSAGE(tasks_task_result, "task_result");

static const struct ates_field tasks_create_task_fields[] = {
    {ATES_FIELD(tasks_create_task, name), IS_TITLE, .summary = "the task's title, without [ and ]"},
    {ATES_FIELD(tasks_create_task, description), IS_DESCRIPTION,
     .summary = "what is to be done; may be empty"},
    {ATES_OPTIONAL(tasks_create_task, jira_id), IS_JIRA_ID,
     .summary = "the issue's id in a tracker, as JIRA-123"},
};
ATES_MESSAGE(tasks_create_task, "create_task");

static const struct ates_field tasks_reassign_tasks_fields[] = {
    {ATES_OPTIONAL(tasks_reassign_tasks, dry_run), .type = ATES_BOOL,
     .summary = "tell how many would be drawn again, and draw none"},
};
ATES_MESSAGE(tasks_reassign_tasks, "reassign_tasks");

static const struct ates_field tasks_reassign_tasks_result_fields[] = {
    {ATES_FIELD(tasks_reassign_tasks_result, reassigned), ATES_IS_COUNT},
};
ATES_MESSAGE(tasks_reassign_tasks_result, "reassign_tasks_result");

static const struct ates_field tasks_complete_task_fields[] = {
    {ATES_FIELD(tasks_complete_task, task_id), ATES_IS_ID, .summary = "the task that is done"},
};
ATES_MESSAGE(tasks_complete_task, "complete_task");

static const struct ates_field tasks_show_my_assigned_tasks_fields[] = {
    {ATES_OPTIONAL(tasks_show_my_assigned_tasks, status), IS_STATUS},
    {ATES_OPTIONAL(tasks_show_my_assigned_tasks, query), ATES_IS_QUERY},
    {ATES_OPTIONAL(tasks_show_my_assigned_tasks, newest_first), ATES_IS_NEWEST_FIRST},
    {ATES_OPTIONAL(tasks_show_my_assigned_tasks, after), ATES_IS_AFTER},
    {ATES_OPTIONAL(tasks_show_my_assigned_tasks, limit), ATES_IS_LIMIT},
};
ATES_MESSAGE(tasks_show_my_assigned_tasks, "show_my_assigned_tasks");

static const struct ates_field tasks_show_my_assigned_tasks_result_fields[] = {
    {ATES_FIELD(tasks_show_my_assigned_tasks_result, items), ATES_IS_ITEMS(tasks_task_message)},
    {ATES_OPTIONAL(tasks_show_my_assigned_tasks_result, next), ATES_IS_NEXT},
};
ATES_MESSAGE(tasks_show_my_assigned_tasks_result, "show_my_assigned_tasks_result");

static const struct ates_field tasks_show_all_assigned_tasks_fields[] = {
    {ATES_OPTIONAL(tasks_show_all_assigned_tasks, status), IS_STATUS},
    {ATES_OPTIONAL(tasks_show_all_assigned_tasks, assigned_to), ATES_IS_ID,
     .summary = "only tasks of this user"},
    {ATES_OPTIONAL(tasks_show_all_assigned_tasks, query), ATES_IS_QUERY},
    {ATES_OPTIONAL(tasks_show_all_assigned_tasks, created_from), ATES_IS_TIME,
     .summary = "only tasks created at or after this time"},
    {ATES_OPTIONAL(tasks_show_all_assigned_tasks, created_to), ATES_IS_TIME,
     .summary = "only tasks created before this time"},
    {ATES_OPTIONAL(tasks_show_all_assigned_tasks, newest_first), ATES_IS_NEWEST_FIRST},
    {ATES_OPTIONAL(tasks_show_all_assigned_tasks, after), ATES_IS_AFTER},
    {ATES_OPTIONAL(tasks_show_all_assigned_tasks, limit), ATES_IS_LIMIT},
};
ATES_MESSAGE(tasks_show_all_assigned_tasks, "show_all_assigned_tasks");

static const struct ates_field tasks_show_all_assigned_tasks_result_fields[] = {
    {ATES_FIELD(tasks_show_all_assigned_tasks_result, items), ATES_IS_ITEMS(tasks_task_message)},
    {ATES_OPTIONAL(tasks_show_all_assigned_tasks_result, next), ATES_IS_NEXT},
};
ATES_MESSAGE(tasks_show_all_assigned_tasks_result, "show_all_assigned_tasks_result");

static const struct ates_field tasks_show_task_fields[] = {
    {ATES_FIELD(tasks_show_task, task_id), ATES_IS_ID, .summary = "the task to show"},
};
ATES_MESSAGE(tasks_show_task, "show_task");

static const struct ates_field tasks_show_task_log_fields[] = {
    {ATES_FIELD(tasks_show_task_log, task_id), ATES_IS_ID, .summary = "the task whose log to show"},
    {ATES_OPTIONAL(tasks_show_task_log, newest_first), ATES_IS_NEWEST_FIRST},
    {ATES_OPTIONAL(tasks_show_task_log, after), ATES_IS_AFTER},
    {ATES_OPTIONAL(tasks_show_task_log, limit), ATES_IS_LIMIT},
};
ATES_MESSAGE(tasks_show_task_log, "show_task_log");

static const struct ates_field tasks_log_entry_fields[] = {
    {ATES_FIELD(tasks_log_entry, id), ATES_IS_ID},
    {ATES_FIELD(tasks_log_entry, task_id), ATES_IS_ID},
    {ATES_FIELD(tasks_log_entry, timestamp), ATES_IS_TIME},
    {ATES_FIELD(tasks_log_entry, type), .type = ATES_ENUM, .names = tasks_log_type_names},
    {ATES_FIELD(tasks_log_entry, actor_id), .type = ATES_UINT, .unit = ATES_UNIT_ID,
     .summary = "0: a service"},
    {ATES_OPTIONAL(tasks_log_entry, from_user_id), ATES_IS_ID},
    {ATES_OPTIONAL(tasks_log_entry, to_user_id), ATES_IS_ID},
    {ATES_OPTIONAL(tasks_log_entry, description), IS_DESCRIPTION},
};
ATES_MESSAGE(tasks_log_entry, "log_entry");

static const struct ates_field tasks_show_task_log_result_fields[] = {
    {ATES_FIELD(tasks_show_task_log_result, items), ATES_IS_ITEMS(tasks_log_entry_message)},
    {ATES_OPTIONAL(tasks_show_task_log_result, next), ATES_IS_NEXT},
};
ATES_MESSAGE(tasks_show_task_log_result, "show_task_log_result");

static const struct ates_field tasks_task_created_fields[] = {
    {ATES_FIELD(tasks_task_created, task_id), ATES_IS_ID},
    {ATES_FIELD(tasks_task_created, name), IS_NAME},
    {ATES_FIELD(tasks_task_created, description), IS_DESCRIPTION},
    {ATES_FIELD(tasks_task_created, assigned_to), ATES_IS_ID},
    {ATES_FIELD(tasks_task_created, created_by), ATES_IS_ID},
};
ATES_MESSAGE(tasks_task_created, "task_created");

static const struct ates_field tasks_task_created_v2_fields[] = {
    {ATES_FIELD(tasks_task_created_v2, task_id), ATES_IS_ID},
    {ATES_OPTIONAL(tasks_task_created_v2, jira_id), IS_JIRA_ID},
    {ATES_FIELD(tasks_task_created_v2, title), IS_TITLE},
    {ATES_FIELD(tasks_task_created_v2, description), IS_DESCRIPTION},
    {ATES_FIELD(tasks_task_created_v2, assigned_to), ATES_IS_ID},
    {ATES_FIELD(tasks_task_created_v2, created_by), ATES_IS_ID},
};
ATES_MESSAGE(tasks_task_created_v2, "task_created");

static const struct ates_field tasks_task_assigned_fields[] = {
    {ATES_FIELD(tasks_task_assigned, task_id), ATES_IS_ID},
    {ATES_FIELD(tasks_task_assigned, from_user_id), ATES_IS_ID},
    {ATES_FIELD(tasks_task_assigned, assigned_to), ATES_IS_ID},
    {ATES_FIELD(tasks_task_assigned, reassignment_id), ATES_IS_ID},
};
ATES_MESSAGE(tasks_task_assigned, "task_assigned");

static const struct ates_field tasks_task_completed_fields[] = {
    {ATES_FIELD(tasks_task_completed, task_id), ATES_IS_ID},
    {ATES_FIELD(tasks_task_completed, completed_by), ATES_IS_ID},
};
ATES_MESSAGE(tasks_task_completed, "task_completed");

static const struct ates_field tasks_reassignment_started_fields[] = {
    {ATES_FIELD(tasks_reassignment_started, reassignment_id), ATES_IS_ID},
    {ATES_FIELD(tasks_reassignment_started, requested_by), ATES_IS_ID},
    {ATES_FIELD(tasks_reassignment_started, up_to_task_id), .type = ATES_UINT,
     .unit = ATES_UNIT_ID},
};
ATES_MESSAGE(tasks_reassignment_started, "reassignment_started");

static const struct ates_field tasks_reassignment_finished_fields[] = {
    {ATES_FIELD(tasks_reassignment_finished, reassignment_id), ATES_IS_ID},
    {ATES_FIELD(tasks_reassignment_finished, count), ATES_IS_COUNT},
};
ATES_MESSAGE(tasks_reassignment_finished, "reassignment_finished");

static const struct ates_field tasks_reassignment_requested_fields[] = {
    {ATES_FIELD(tasks_reassignment_requested, reassignment_id), ATES_IS_ID},
    {ATES_OPTIONAL(tasks_reassignment_requested, request_id), ATES_IS_REQUEST_ID},
    {ATES_OPTIONAL(tasks_reassignment_requested, traceparent), ATES_IS_TRACEPARENT},
};
ATES_MESSAGE(tasks_reassignment_requested, "reassignment_requested");

static const struct ates_field tasks_redraw_requested_fields[] = {
    {ATES_FIELD(tasks_redraw_requested, reassignment_id), ATES_IS_ID},
    {ATES_FIELD(tasks_redraw_requested, user_id), ATES_IS_ID},
    {ATES_FIELD(tasks_redraw_requested, up_to_task_id), .type = ATES_UINT, .unit = ATES_UNIT_ID},
    {ATES_FIELD(tasks_redraw_requested, cause_seq), ATES_IS_ID},
};
ATES_MESSAGE(tasks_redraw_requested, "redraw_requested");

static const struct ates_field tasks_redraw_finished_fields[] = {
    {ATES_FIELD(tasks_redraw_finished, reassignment_id), ATES_IS_ID},
};
ATES_MESSAGE(tasks_redraw_finished, "redraw_finished");

static const struct ates_field tasks_backfill_started_fields[] = {
    {ATES_FIELD(tasks_backfill_started, up_to_task_id), ATES_IS_ID},
};
ATES_MESSAGE(tasks_backfill_started, "backfill_started");

#define OVERSEERS (ATES_ROLE(ATES_ADMINISTRATOR) | ATES_ROLE(ATES_MANAGER))

static const struct ates_command commands[] = {
    {
        .name = "create_task",
        .summary = "Creates a task and assigns it to a randomly drawn employee.",
        .body = &tasks_create_task_message,
        .result = &tasks_task_result_message,
        .callers = ATES_ANY_ROLE,
    },
    {
        .name = "reassign_tasks",
        .summary = "Draws a new assignee for every open task.",
        .body = &tasks_reassign_tasks_message,
        .result = &tasks_reassign_tasks_result_message,
        .waits = true,
        .callers = OVERSEERS,
    },
    {
        .name = "complete_task",
        .summary = "Completes a task that is assigned to the caller.",
        .body = &tasks_complete_task_message,
        .result = &tasks_task_result_message,
        .callers = ATES_ANY_ROLE,
    },
    {
        .name = "show_my_assigned_tasks",
        .summary = "Lists the tasks that are assigned to the caller.",
        .body = &tasks_show_my_assigned_tasks_message,
        .result = &tasks_show_my_assigned_tasks_result_message,
        .is_query = true,
        .callers = ATES_ANY_ROLE,
    },
    {
        .name = "show_all_assigned_tasks",
        .summary = "Lists the tasks of everybody.",
        .body = &tasks_show_all_assigned_tasks_message,
        .result = &tasks_show_all_assigned_tasks_result_message,
        .is_query = true,
        .callers = OVERSEERS,
    },
    {
        .name = "show_task",
        .summary = "Shows one task to its assignee, its creator, an administrator or a manager.",
        .body = &tasks_show_task_message,
        .result = &tasks_task_result_message,
        .is_query = true,
        .callers = ATES_ANY_ROLE,
    },
    {
        .name = "show_task_log",
        .summary = "Lists what happened to one task, for those who may see the task.",
        .body = &tasks_show_task_log_message,
        .result = &tasks_show_task_log_result_message,
        .is_query = true,
        .callers = ATES_ANY_ROLE,
    },
};

static const struct ates_field tasks_task_snapshot_fields[] = {
    {ATES_FIELD(tasks_task_snapshot, task), ATES_IS_STRUCT(tasks_task_message)},
};
ATES_MESSAGE(tasks_task_snapshot, "task_snapshot");

static const struct ates_event_type snapshots[] = {
    {
        .data = &tasks_task_snapshot_message,
        .version = 1,
        .summary = "A task, as the last event of it left it.",
    },
};

static const struct ates_event_type events[] = {
    {
        .data = &tasks_task_created_message,
        .version = 1,
        .summary = "A task was created and assigned for the first time: published no more, but in "
                   "the logs of older releases.",
    },
    {
        .data = &tasks_task_created_v2_message,
        .version = 2,
        .summary = "A task was created and assigned for the first time; also says so again of "
                   "tasks that only version 1 told of.",
    },
    {
        .data = &tasks_task_assigned_message,
        .version = 1,
        .summary = "An open task was drawn again, perhaps for the same user.",
    },
    {
        .data = &tasks_task_completed_message,
        .version = 1,
        .summary = "A task was completed by its assignee.",
    },
    {
        .data = &tasks_reassignment_started_message,
        .version = 1,
        .summary = "A reassignment of the open tasks began.",
    },
    {
        .data = &tasks_reassignment_finished_message,
        .version = 1,
        .summary = "A reassignment of the open tasks ended.",
    },
    {
        .data = &tasks_reassignment_requested_message,
        .version = 1,
        .is_private = true,
        .summary = "Which request asked for a reassignment.",
    },
    {
        .data = &tasks_redraw_requested_message,
        .version = 1,
        .is_private = true,
        .summary = "A user stopped being eligible, so their open tasks are to be drawn again.",
    },
    {
        .data = &tasks_redraw_finished_message,
        .version = 1,
        .is_private = true,
        .summary = "The open tasks of a user who stopped being eligible were drawn again.",
    },
    {
        .data = &tasks_backfill_started_message,
        .version = 1,
        .is_private = true,
        .summary = "Tasks whose creation only version 1 told of are told of again by version 2.",
    },
};

const struct ates_service tasks_service = {
    .name = "tasks",
    .commands = commands,
    .command_count = sizeof commands / sizeof commands[0],
    .events = events,
    .event_count = sizeof events / sizeof events[0],
    .snapshots = snapshots,
    .snapshot_count = sizeof snapshots / sizeof snapshots[0],
};
