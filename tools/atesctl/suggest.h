/* What may have been meant by a word that is none of those there are. */
#ifndef CTL_SUGGEST_H
#define CTL_SUGGEST_H

#include <ates/service.h>

#include "ctl.h"

/* How many characters must be put in, left out, replaced or swapped with their neighbour to make
 * one word of the other (optimal string alignment); words longer than 31 characters are far apart.
 */
size_t ctl_word_distance(const char *a, const char *b);

/* The candidate that is nearest to the word so far; NULL: none is near. */
struct ctl_nearest {
    const char *word, *candidate;
    size_t distance;
    char heard[32]; /* the candidate, where it was heard: such words do not stay */
};
struct ctl_nearest ctl_nearest_to(const char *word);
void ctl_nearest_consider(struct ctl_nearest *self, const char *candidate);
/* The same as a ctl_word_fn, whose context is the struct; the candidate lives in it. */
void ctl_nearest_hear(void *self, const char *candidate, const char *summary);

/* The word nearest to this one among a group's commands (NULL: among groups and the words of their
 * own), a service's commands, or the names of an ENUM; NULL where none is near. */
const char *ctl_suggest(const struct ctl_group *group, const char *word);
const char *ctl_suggest_service_command(const struct ates_service *service, const char *word);
const char *ctl_suggest_name(const char *const *names, const char *word);

#endif
