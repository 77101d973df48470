/* The commands of atesctl events, each in a file of its own, and what they share. */
#ifndef CTL_EVENTS_H
#define CTL_EVENTS_H

#include "ctl.h"

extern const struct ctl_command events_tail_command, events_export_command, events_retry_command,
    events_wait_command;

/* The service of this name; CTL_USAGE with the reason said where there is none. */
int events_service(const char *name, const struct ates_service **out);

/* Tells the services' names, as the words method of a command whose argument is one. */
void events_tell_services(const struct ctl_input *input, ctl_word_fn *tell, void *context);

#endif
