/* Events in every format, a line each. */
#ifndef CTL_EVENT_LINES_H
#define CTL_EVENT_LINES_H

#include <stdio.h>

#include "ctl.h"

/* What goes before the first line: the names of a CSV's columns. */
void ctl_event_begin(const struct ctl *ctl, FILE *out);

void ctl_event_write(const struct ctl *ctl, FILE *out, const struct ates_envelope *envelope);

/* A service's head announcement. */
void ctl_head_write(const struct ctl *ctl, FILE *out, const char *service,
                    const struct ates_head *head);

#endif
