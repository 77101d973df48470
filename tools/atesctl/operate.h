/* The commands of atesctl admin that look at running services and at how they are set up, each in a
 * file of its own. */
#ifndef CTL_OPERATE_H
#define CTL_OPERATE_H

#include "ctl.h"

extern const struct ctl_command admin_top_command, admin_health_command, admin_keys_command,
    admin_config_command, admin_describe_command;

#endif
