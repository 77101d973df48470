/* The command `task watch`. */
#ifndef CTL_TASK_WATCH_H
#define CTL_TASK_WATCH_H

#include "ctl.h"

extern const struct ctl_command task_watch_command;

#endif
