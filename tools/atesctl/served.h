/* Whether a socket is served, before anything is asked of it. */
#ifndef CTL_SERVED_H
#define CTL_SERVED_H

#include "ctl.h"

/* Whether somebody serves the socket of this name (a service's, or "events"); errno tells why not.
 * Asks no more of it than to accept a connection. */
bool ctl_is_served(const struct ctl *ctl, const char *name);

/* Says that nobody does, by that errno; returns the exit code. */
int ctl_unserved(const struct ctl *ctl, const char *name, int fault);

/* The reason alone. */
const char *ctl_unserved_why(int fault);

/* Whether it is reached over tcp. */
bool ctl_is_far(const struct ctl *ctl, const char *name);

/* "auth", or where it is reached over tcp "auth at tcp://HOST:PORT". Returns out. */
#define CTL_WHERE_SIZE 192u
const char *ctl_where(const struct ctl *ctl, const char *name, char out[CTL_WHERE_SIZE]);

#endif
