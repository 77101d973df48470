/* The command `account watch`. */
#ifndef CTL_ACCOUNT_WATCH_H
#define CTL_ACCOUNT_WATCH_H

#include "ctl.h"

extern const struct ctl_command account_watch_command;

#endif
