/* The tasks service: its commands, results and events (PROTOCOL.md sections 7 and 8). Invariant: a
 * struct here and the table of the same name say the same; only the table knows limits. */
#ifndef ATES_TASKS_H
#define ATES_TASKS_H

#include <ates/service.h>

#pragma GCC visibility push(default)

#define TASKS_NAME_MAX 200          /* characters */
#define TASKS_DESCRIPTION_MAX 10000 /* characters */
#define TASKS_JIRA_ID_MIN 3         /* characters, as A-1 */
#define TASKS_JIRA_ID_MAX 32        /* characters */

/* Which tasks a list shows. */
enum tasks_status { TASKS_OPEN, TASKS_FINISHED, TASKS_ALL };
extern const char *const tasks_status_names[];

/* What an entry of a task's log tells. */
enum tasks_log_type { TASKS_LOG_CREATE, TASKS_LOG_ASSIGN, TASKS_LOG_COMPLETE, TASKS_LOG_OTHER };
extern const char *const tasks_log_type_names[];

struct tasks_task {
    uint64_t id;
    struct ates_text name;
    struct ates_text description;
    uint64_t assigned_to;
    uint64_t created_by;
    bool is_finished;
    int64_t created_at;
    bool has_finished_at;
    int64_t finished_at;
    bool has_jira_id;
    struct ates_text jira_id;
};

/* The result of create_task, complete_task and show_task. */
struct tasks_task_result {
    struct tasks_task task;
};

struct tasks_create_task {
    struct ates_text name;
    struct ates_text description;
    bool has_jira_id;
    struct ates_text jira_id;
};

struct tasks_reassign_tasks {
    bool has_dry_run;
    bool dry_run; /* tells how many would be drawn again, and draws none */
};
struct tasks_reassign_tasks_result {
    uint64_t reassigned; /* tasks */
};

struct tasks_complete_task {
    uint64_t task_id;
};

struct tasks_show_my_assigned_tasks {
    bool has_status;
    int status; /* enum tasks_status */
    bool has_query;
    struct ates_text query;
    bool has_newest_first;
    bool newest_first;
    bool has_after;
    struct ates_text after;
    bool has_limit;
    uint64_t limit;
};
struct tasks_show_my_assigned_tasks_result {
    struct ates_list items; /* struct tasks_task */
    bool has_next;
    struct ates_text next;
};

struct tasks_show_all_assigned_tasks {
    bool has_status;
    int status; /* enum tasks_status */
    bool has_assigned_to;
    uint64_t assigned_to;
    bool has_query;
    struct ates_text query;
    bool has_created_from;
    int64_t created_from;
    bool has_created_to;
    int64_t created_to;
    bool has_newest_first;
    bool newest_first;
    bool has_after;
    struct ates_text after;
    bool has_limit;
    uint64_t limit;
};
struct tasks_show_all_assigned_tasks_result {
    struct ates_list items; /* struct tasks_task */
    bool has_next;
    struct ates_text next;
};

struct tasks_show_task {
    uint64_t task_id;
};

struct tasks_show_task_log {
    uint64_t task_id;
    bool has_newest_first;
    bool newest_first;
    bool has_after;
    struct ates_text after;
    bool has_limit;
    uint64_t limit;
};
struct tasks_log_entry {
    uint64_t id;
    uint64_t task_id;
    int64_t timestamp;
    int type;          /* enum tasks_log_type */
    uint64_t actor_id; /* 0: no user, the service itself */
    bool has_from_user_id;
    uint64_t from_user_id;
    bool has_to_user_id;
    uint64_t to_user_id;
    bool has_description;
    struct ates_text description;
};
struct tasks_show_task_log_result {
    struct ates_list items; /* struct tasks_log_entry */
    bool has_next;
    struct ates_text next;
};

extern const struct ates_message tasks_task_message, tasks_task_result_message,
    tasks_create_task_message, tasks_reassign_tasks_message, tasks_reassign_tasks_result_message,
    tasks_complete_task_message, tasks_show_my_assigned_tasks_message,
    tasks_show_my_assigned_tasks_result_message, tasks_show_all_assigned_tasks_message,
    tasks_show_all_assigned_tasks_result_message, tasks_show_task_message,
    tasks_show_task_log_message, tasks_log_entry_message, tasks_show_task_log_result_message;

/* A task's name taken apart: an issue's id, and a title without brackets. */
struct tasks_title {
    bool has_jira_id;
    struct ates_text jira_id;
    struct ates_text title;
};
/* Takes apart a name as people wrote it before jira_id was a field: "[JIRA-123] title". Without such a
 * beginning it is all title. Other brackets become parentheses, and where nothing is left, the id is
 * the title. Texts point into name or arena; total, as every name must have a title. */
struct tasks_title tasks_title_split(struct ates_text name, struct ates_arena *arena);
/* The name that title had then, cut at TASKS_NAME_MAX; from arena where it has an id. */
struct ates_text tasks_title_join(const struct tasks_title *title, struct ates_arena *arena);

/* Events. A new task's first assignee comes with task_created; task_assigned tells of later ones.
 * task_created has two versions, of which the first is published no more: docs/evolution.md. */
struct tasks_task_created {
    uint64_t task_id;
    struct ates_text name;
    struct ates_text description;
    uint64_t assigned_to;
    uint64_t created_by;
};
struct tasks_task_created_v2 {
    uint64_t task_id;
    bool has_jira_id;
    struct ates_text jira_id;
    struct ates_text title; /* without brackets */
    struct ates_text description;
    uint64_t assigned_to;
    uint64_t created_by;
};
struct tasks_task_assigned {
    uint64_t task_id;
    uint64_t from_user_id;
    uint64_t assigned_to;
    uint64_t reassignment_id;
};
struct tasks_task_completed {
    uint64_t task_id;
    uint64_t completed_by;
};
struct tasks_reassignment_started {
    uint64_t reassignment_id;
    uint64_t requested_by;
    uint64_t up_to_task_id; /* tasks created later are not drawn again; 0 where there is no task */
};
struct tasks_reassignment_finished {
    uint64_t reassignment_id;
    uint64_t count; /* tasks drawn again */
};
/* Private: the tasks up to this one, which version 1 told of, are told of again by version 2. */
struct tasks_backfill_started {
    uint64_t up_to_task_id;
};
/* Of a snapshot: a task as the last event of it left it. */
struct tasks_task_snapshot {
    struct tasks_task task;
};
/* Private: which request asked for a reassignment; only where it had a request_id or a trace. */
struct tasks_reassignment_requested {
    uint64_t reassignment_id;
    bool has_request_id;
    struct ates_text request_id;
    bool has_traceparent;
    struct ates_text traceparent;
};
/* Private: one user's open tasks are drawn again, as that user stopped being eligible. */
struct tasks_redraw_requested {
    uint64_t reassignment_id;
    uint64_t user_id;
    uint64_t up_to_task_id;
    uint64_t cause_seq; /* of auth's event that said so */
};
struct tasks_redraw_finished {
    uint64_t reassignment_id;
};

extern const struct ates_message tasks_task_created_message, tasks_task_created_v2_message,
    tasks_backfill_started_message, tasks_task_assigned_message, tasks_task_completed_message,
    tasks_reassignment_started_message, tasks_reassignment_finished_message,
    tasks_reassignment_requested_message, tasks_redraw_requested_message,
    tasks_redraw_finished_message, tasks_task_snapshot_message;

extern const struct ates_service tasks_service;

#pragma GCC visibility pop

#endif
