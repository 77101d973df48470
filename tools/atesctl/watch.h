/* Showing what a query gives, and again when it may have changed. Invariant: what is shown is what
 * the service gives this user; events only tell when to ask. */
#ifndef CTL_WATCH_H
#define CTL_WATCH_H

#include "ctl.h"

/* What is watched. */
struct ctl_watch {
    const struct ates_service *service;
    const char *query; /* a command of it, with `items` in its result, the newest first */
    const void *body;  /* the query's */
    uint64_t user_id;  /* only events about this user lead to another look; 0: all do */
    const char *noun;  /* of the items: "task" */
    /* Prints lines above the table; NULL: there are none. Returns an exit code. */
    int (*head)(struct ctl *ctl, void *context);
    void *context;
};

/* On a terminal a table that is drawn anew; elsewhere the items, and each again when it changes.
 * Ends with CTL_INTERRUPTED, as its end is asked for by a signal, or with another code. */
int ctl_watch(struct ctl *ctl, const struct ctl_watch *watch);

/* Whether an event's data (JSON) name this user, as who does something or to whom it is done. */
bool ctl_concerns(const struct ates_envelope *envelope, uint64_t user_id);

/* The id of who is signed in; CTL_NOT_SIGNED_IN with the reason said where nobody is. */
int ctl_own_id(struct ctl *ctl, uint64_t *user_id);

#endif
