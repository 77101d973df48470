/* What a context holds where the services are on another machine. */
#ifndef CTL_CONTEXT_FAR_H
#define CTL_CONTEXT_FAR_H

#include "core/setting.h"
#include "ctl.h"

/* Whether a setting is one of those by which services elsewhere are reached; a context has only what
 * it was told. */
bool ctl_is_far_setting(const struct ates_setting_type *type);

/* Sets a setting from an option (value NULL: not given), by the setting's own rules. Returns CTL_OK,
 * or a code with the reason said. */
int ctl_take_setting(struct ates_config *config, const char *setting, const char *option,
                     const char *value);

/* Takes --connect, --server-file and --client-file, and nothing that held without them. Codes as
 * above. */
int ctl_take_far(struct ates_config *config, const struct ctl_input *input);

#endif
