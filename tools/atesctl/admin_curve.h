/* atesctl admin keys, as far as it is about CURVE: who is reached and let in over tcp. */
#ifndef CTL_ADMIN_CURVE_H
#define CTL_ADMIN_CURVE_H

#include "admin.h"

/* admin keys new NAME; allow NAME|FILE; revoke NAME. Return exit codes. */
int admin_curve_new(struct ctl *ctl, const struct ctl_input *input);
int admin_curve_allow(struct ctl *ctl, const struct ctl_input *input);
int admin_curve_revoke(struct ctl *ctl, const struct ctl_input *input);

/* Hears of each certificate: its file's path, name below the folder, and the kind of socket that it is allowed
 * for, or NULL. */
typedef void admin_curve_fn(void *context, const char *path, const char *name, const char *kind);
void admin_curve_each(const struct ates_config *config, admin_curve_fn *tell, void *context);

#endif
