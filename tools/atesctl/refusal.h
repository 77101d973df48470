/* Why a service did not do what it was asked for, in words for people. */
#ifndef CTL_REFUSAL_H
#define CTL_REFUSAL_H

#include "ctl.h"

/* The exit code of a refusal with this status. */
enum ctl_exit ctl_exit_of(enum ates_status status);

/* Says why a command was refused and what may help; returns which exit code that is. body is the
 * command's, for the ids in it. */
int ctl_refused(const char *service, const struct ates_command *command, const void *body,
                const struct ates_refusal *refusal);

/* Why it was refused in words alone, without advice; returns out. */
#define CTL_REFUSAL_WORDS_SIZE 256u
const char *ctl_refusal_words(const struct ates_command *command, const void *body,
                              const struct ates_refusal *refusal, char out[CTL_REFUSAL_WORDS_SIZE]);

/* The roles in a set of callers, as "administrator or manager". internalservice is left out, as
 * nobody has it. */
void ctl_roles(unsigned callers, char *out, size_t size);

#endif
