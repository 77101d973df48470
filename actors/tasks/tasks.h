/* The tasks domain: creates tasks, draws who does them, completes and lists them. */
#ifndef TASKS_TASKS_H
#define TASKS_TASKS_H

#include "core/domain.h"

extern const struct ates_domain tasks_domain;

#endif
