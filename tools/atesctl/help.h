/* Help texts, made from the groups' tables, and what may have been meant by a word that is in none.
 */
#ifndef CTL_HELP_H
#define CTL_HELP_H

#include <stdio.h>

#include <ates/service.h>

#include "ctl.h"

/* All groups; NULL at the end. */
extern const struct ctl_group *const ctl_groups[];

void ctl_help(FILE *out);
void ctl_help_group(FILE *out, const struct ctl_group *group);
void ctl_help_command(FILE *out, const struct ctl_group *group, const struct ctl_command *command);

/* How many characters must be put in, left out, replaced or swapped with their neighbour to make
 * one word of the other (optimal string alignment); words longer than 31 characters are far apart.
 */
size_t ctl_word_distance(const char *a, const char *b);

/* The word nearest to this one among a group's commands (NULL: among groups and the words of their
 * own), or NULL where none is near. */
const char *ctl_suggest(const struct ctl_group *group, const char *word);

/* The same among a service's commands. */
const char *ctl_suggest_service_command(const struct ates_service *service, const char *word);

#endif
