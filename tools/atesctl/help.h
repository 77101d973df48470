/* Help texts, made from the groups' tables. */
#ifndef CTL_HELP_H
#define CTL_HELP_H

#include <stdio.h>

#include "ctl.h"

/* All groups; NULL at the end. */
extern const struct ctl_group *const ctl_groups[];

/* The options of every command; a NULL name at the end. */
extern const struct ctl_option ctl_global_options[];

void ctl_help(FILE *out);
void ctl_help_group(FILE *out, const struct ctl_group *group);
void ctl_help_command(FILE *out, const struct ctl_group *group, const struct ctl_command *command);

/* Help on what a command line names: a command (or what its arguments name), a group, or all. Each may
 * be NULL. Returns enum ctl_exit. */
int ctl_help_on(FILE *out, const struct ctl_group *group, const struct ctl_command *command,
                const struct ctl_input *input);

/* The words of a usage line one by one, those that belong together in one: "task ls", "ID",
 * "[--limit N]". */
void ctl_usage(const struct ctl_group *group, const struct ctl_command *command, ctl_word_fn *tell,
               void *context);

/* An option as it is written: "--limit N", "-o, --output FORMAT". Returns out. */
#define CTL_OPTION_WORDS_SIZE 64u
const char *ctl_option_words(const struct ctl_option *option, char out[CTL_OPTION_WORDS_SIZE]);

/* The examples of a command, without the newline. */
void ctl_examples(const struct ctl_command *command,
                  void (*tell)(void *context, const char *line, size_t size), void *context);

/* What exit codes mean, in the order of their numbers; NULL words at the end. */
struct ctl_exit_words {
    enum ctl_exit code;
    const char *words;
};
extern const struct ctl_exit_words ctl_exit_table[];

#endif
