/* The command line, taken apart. */
#ifndef CTL_LINE_H
#define CTL_LINE_H

#include "ctl.h"

struct ctl_line {
    const struct ctl_group *group;     /* NULL: none was named */
    const struct ctl_command *command; /* NULL: none was named */
    struct ctl_input input;
    const char *context, *run_dir, *output; /* NULL: not given */
    bool help, version;
};

/* Takes the arguments apart (they are put into another order), and the options of every command
 * into ctl. Returns CTL_OK, or CTL_USAGE with the reason said. */
int ctl_line_parse(struct ctl *ctl, struct ctl_line *line, int count, char **arguments);

/* Sets the format by one of ates_output_names. */
void ctl_take_format(struct ctl *ctl, const char *word);

/* Whether the command has the format that was chosen. Returns as ctl_line_parse. */
int ctl_check_format(const struct ctl *ctl, const struct ctl_command *command);

/* Whether the command takes as many arguments as there are, and has the options that it needs.
 * Returns as ctl_line_parse. */
int ctl_line_check(const struct ctl_line *line);

#endif
