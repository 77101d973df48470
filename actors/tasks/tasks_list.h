/* The lists of tasks: filtered, in the order of their ids, a page at a time.
 *
 * Invariant: a page costs no more than what it gives, or, for a query, than what one call may look
 * through; it always fits into one frame. */
#ifndef TASKS_LIST_H
#define TASKS_LIST_H

#include "core/domain.h"

ates_answer_fn tasks_answer_show_my_assigned_tasks, tasks_answer_show_all_assigned_tasks;

#endif
