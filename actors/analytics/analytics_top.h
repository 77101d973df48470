/* Which of the tasks completed in a period was the most expensive. */
#ifndef ANALYTICS_TOP_H
#define ANALYTICS_TOP_H

#include "core/domain.h"

/* Refuses: INVALID_ARGUMENT / FIELD_MISSING, FIELD_INVALID; UNAVAILABLE / TASK_NAME_PENDING. */
ates_answer_fn analytics_answer_show_the_most_expensive_task;

#endif
