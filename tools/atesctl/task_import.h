/* The command `task import`. */
#ifndef CTL_TASK_IMPORT_H
#define CTL_TASK_IMPORT_H

#include "ctl.h"

extern const struct ctl_command task_import_command;

#endif
