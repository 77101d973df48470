/* Who does a task: the draw, and the jobs that draw open tasks again - all of them on command, or
 * those of a user who stopped being eligible.
 *
 * Invariants: each eligible user is equally likely; a job's place is kept by its events' appliers,
 * so that after a crash it goes on exactly where it was. */
#ifndef TASKS_REASSIGN_H
#define TASKS_REASSIGN_H

#include "core/domain.h"

/* Draws an assignee. Refuses FAILED_PRECONDITION / NO_ASSIGNEES. */
int tasks_draw(struct ates_call *call, uint64_t *user_id);

/* Whether this user may be drawn. */
bool tasks_may_be_drawn(const struct ates_user_changed *user);

ates_decide_fn tasks_handle_reassign_tasks;
ates_answer_fn tasks_answer_reassign_tasks; /* of a dry run */
int tasks_step(struct ates_call *call, bool *more);
ates_follow_fn tasks_follow_user_registered, tasks_follow_user_changed;
ates_apply_fn tasks_apply_task_assigned, tasks_apply_reassignment_started,
    tasks_apply_reassignment_finished, tasks_apply_reassignment_requested,
    tasks_apply_redraw_requested, tasks_apply_redraw_finished, tasks_apply_user_known;

#endif
