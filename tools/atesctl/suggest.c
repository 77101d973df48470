/* Did you mean; see suggest.h. Invariant: a word that is farther away than a slip of the fingers is
 * never suggested. */
#include "suggest.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "help.h"

#define WORD_MAX 31u

size_t ctl_word_distance(const char *a, const char *b)
{
    const size_t a_size = strlen(a), b_size = strlen(b);
    size_t cost[WORD_MAX + 1][WORD_MAX + 1];

    if (a_size > WORD_MAX || b_size > WORD_MAX) {
        return SIZE_MAX;
    }
    for (size_t i = 0; i <= a_size; i++) {
        for (size_t j = 0; j <= b_size; j++) {
            if (i == 0 || j == 0) {
                cost[i][j] = i + j;
                continue;
            }
            size_t best = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            best = cost[i - 1][j] + 1 < best ? cost[i - 1][j] + 1 : best;
            best = cost[i][j - 1] + 1 < best ? cost[i][j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                cost[i - 2][j - 2] + 1 < best) {
                best = cost[i - 2][j - 2] + 1;
            }
            cost[i][j] = best;
        }
    }
    return cost[a_size][b_size];
}

struct ctl_nearest ctl_nearest_to(const char *word)
{
    const size_t size = strlen(word);

    return (struct ctl_nearest){.word = word, .distance = 1 + (size < 4 ? 1 : size / 3 + 1)};
}

void ctl_nearest_consider(struct ctl_nearest *self, const char *candidate)
{
    const size_t distance = ctl_word_distance(candidate, self->word);

    if (distance < self->distance) {
        self->candidate = candidate;
        self->distance = distance;
    }
}

void ctl_nearest_hear(void *self, const char *candidate, const char *summary)
{
    struct ctl_nearest *nearest = self;
    const size_t before = nearest->distance;

    (void)summary;
    ctl_nearest_consider(nearest, candidate);
    if (nearest->distance < before) {
        snprintf(nearest->heard, sizeof nearest->heard, "%s", candidate);
        nearest->candidate = nearest->heard;
    }
}

static void consider_commands(struct ctl_nearest *nearest, const struct ctl_group *group)
{
    for (size_t i = 0; group->commands[i] != NULL; i++) {
        if (!group->commands[i]->is_hidden) {
            ctl_nearest_consider(nearest, group->commands[i]->name);
        }
    }
}

const char *ctl_suggest(const struct ctl_group *group, const char *word)
{
    struct ctl_nearest nearest = ctl_nearest_to(word);

    if (group != NULL) {
        consider_commands(&nearest, group);
        return nearest.candidate;
    }
    for (size_t i = 0; ctl_groups[i] != NULL; i++) {
        if (ctl_groups[i]->name != NULL) {
            ctl_nearest_consider(&nearest, ctl_groups[i]->name);
        } else {
            consider_commands(&nearest, ctl_groups[i]);
        }
    }
    return nearest.candidate;
}

const char *ctl_suggest_service_command(const struct ates_service *service, const char *word)
{
    const struct ates_service *const both[] = {service, &ates_common_service};
    struct ctl_nearest nearest = ctl_nearest_to(word);

    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < both[i]->command_count; j++) {
            ctl_nearest_consider(&nearest, both[i]->commands[j].name);
        }
    }
    return nearest.candidate;
}

const char *ctl_suggest_name(const char *const *names, const char *word)
{
    struct ctl_nearest nearest = ctl_nearest_to(word);

    for (size_t i = names[0] == NULL; names[i] != NULL; i++) {
        ctl_nearest_consider(&nearest, names[i]);
    }
    return nearest.candidate;
}
