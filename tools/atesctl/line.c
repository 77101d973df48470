/* The command line, taken apart by the groups' tables; see line.h. Invariant: options mean the same
 * before and after the command's words. */
#include "line.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "help.h"

#define TIMEOUT_MAX_S 86400.0

enum { OPTION_RUN = 256, OPTION_NO_INPUT, OPTION_TIMEOUT, OPTION_OWN };

static const struct option global_options[] = {
    {"run", required_argument, NULL, OPTION_RUN},
    {"output", required_argument, NULL, 'o'},
    {"no-input", no_argument, NULL, OPTION_NO_INPUT},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
};
#define GLOBAL_COUNT (sizeof global_options / sizeof global_options[0])

const char *ctl_value(const struct ctl_input *input, const char *name)
{
    const struct ctl_option *options = input->command->options;
    size_t i = 0;

    while (strcmp(options[i].name, name) != 0) {
        i++;
        assert(options[i].name != NULL);
    }
    return input->values[i];
}

static int take_format(struct ctl *ctl, const char *word)
{
    static const char *const words[] = {
        [CTL_TABLE] = "table", [CTL_JSON] = "json", [CTL_CSV] = "csv"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) == 0) {
            ctl->format = (enum ctl_format)i;
            return CTL_OK;
        }
    }
    return ctl_fail(CTL_USAGE, "-o table, -o json or -o csv", "there is no output format '%.40s'",
                    word);
}

static int take_timeout(struct ctl *ctl, const char *text)
{
    char *end;
    const double seconds = strtod(text, &end);

    if (end == text || *end != '\0' || !(seconds >= 0.001 && seconds <= TIMEOUT_MAX_S)) {
        return ctl_fail(CTL_USAGE, NULL,
                        "--timeout: '%.40s' is no number of seconds from 0.001 to %g", text,
                        TIMEOUT_MAX_S);
    }
    ctl->timeout_ms = (int64_t)(seconds * 1000);
    return CTL_OK;
}

/* How many options begin as this argument does ("--na=x"), and their names. */
static size_t find_options(const struct option *options, const char *argument, char *names,
                           size_t size)
{
    const char *word = argument + strspn(argument, "-");
    const size_t word_size = strcspn(word, "=");
    size_t count = 0, used = 0;

    names[0] = '\0';
    for (; options->name != NULL; options++) {
        if (strncmp(options->name, word, word_size) == 0 && used < size) {
            used += (size_t)snprintf(names + used, size - used, "%s--%s", count > 0 ? " or " : "",
                                     options->name);
            count++;
        }
    }
    return count;
}

/* What getopt_long did not like. */
static int refuse_option(const struct ctl_line *line, int found, const struct option *options,
                         char **arguments)
{
    char advice[128], names[256];
    const bool is_short = optopt > 0 && optopt < 256;

    snprintf(advice, sizeof advice, "atesctl %s%s%s%s--help",
             line->group && line->group->name ? line->group->name : "",
             line->group && line->group->name ? " " : "", line->command ? line->command->name : "",
             line->command ? " " : "");
    if (is_short) {
        return ctl_fail(CTL_USAGE, advice,
                        found == ':' ? "-%c needs a value" : "there is no option -%c", optopt);
    }
    if (found != ':' && optopt == 0 &&
        find_options(options, arguments[optind - 1], names, sizeof names) > 1) {
        return ctl_fail(CTL_USAGE, advice, "%.60s may be %s", arguments[optind - 1], names);
    }
    return ctl_fail(CTL_USAGE, advice,
                    found == ':'  ? "%.60s needs a value"
                    : optopt != 0 ? "%.60s: this option takes no value"
                                  : "there is no option %.60s",
                    arguments[optind - 1]);
}

/* Takes options from arguments (whose first is skipped): the global ones, and the command's where
 * there is one. Then optind is the first positional argument. */
static int take_options(struct ctl *ctl, struct ctl_line *line, int count, char **arguments)
{
    struct option options[GLOBAL_COUNT + CTL_OPTIONS_MAX + 1];
    size_t known = GLOBAL_COUNT;
    int found, code = CTL_OK;

    memcpy(options, global_options, sizeof global_options);
    for (size_t i = 0; line->command && line->command->options && line->command->options[i].name;
         i++) {
        const struct ctl_option *own = &line->command->options[i];

        assert(i < CTL_OPTIONS_MAX);
        options[known++] = (struct option){
            own->name, own->argument ? required_argument : no_argument, NULL, OPTION_OWN + (int)i};
    }
    options[known] = (struct option){NULL, 0, NULL, 0};
    optind = 0; /* makes getopt_long begin anew */
    opterr = 0;
    /* Before the command is known, its words end the options. */
    const char *letters = line->command ? ":o:hV" : "+:o:hV";
    while (code == CTL_OK &&
           (found = getopt_long(count, arguments, letters, options, NULL)) != -1) {
        if (found == OPTION_RUN) {
            line->run_dir = optarg;
        } else if (found == 'o') {
            code = take_format(ctl, optarg);
        } else if (found == OPTION_NO_INPUT) {
            ctl->no_input = true;
        } else if (found == OPTION_TIMEOUT) {
            code = take_timeout(ctl, optarg);
        } else if (found == 'h') {
            line->help = true;
        } else if (found == 'V') {
            line->version = true;
        } else if (found >= OPTION_OWN) {
            line->input.values[found - OPTION_OWN] = optarg ? optarg : "";
        } else {
            code = refuse_option(line, found, options, arguments);
        }
    }
    return code;
}

static int refuse_word(const struct ctl_group *group, const char *word)
{
    const char *near = ctl_suggest(group, word);
    const char *name = group ? group->name : "", *space = group ? " " : "";
    char advice[128];

    if (near == NULL) {
        snprintf(advice, sizeof advice, "atesctl %s%s--help", name, space);
        return ctl_fail(CTL_USAGE, advice, "there is no command '%s%s%.40s'", name, space, word);
    }
    snprintf(advice, sizeof advice, "atesctl %s%s%s", name, space, near);
    return ctl_fail(CTL_USAGE, advice, "there is no command '%s%s%.40s': did you mean '%s'?", name,
                    space, word, near);
}

static const struct ctl_command *find_command(const struct ctl_group *group, const char *word)
{
    for (size_t i = 0; group->commands[i] != NULL; i++) {
        if (strcmp(group->commands[i]->name, word) == 0) {
            return group->commands[i];
        }
    }
    return NULL;
}

/* The group that this word names, or the command that is a word of its own. */
static int take_word(struct ctl_line *line, const char *word)
{
    for (size_t i = 0; ctl_groups[i] != NULL; i++) {
        const struct ctl_group *group = ctl_groups[i];
        const bool named = group->name != NULL && strcmp(group->name, word) == 0;
        const struct ctl_command *command = group->name == NULL ? find_command(group, word) : NULL;

        if (named || command != NULL) {
            line->group = group;
            line->command = command;
            return CTL_OK;
        }
    }
    return refuse_word(NULL, word);
}

int ctl_line_check(const struct ctl_line *line)
{
    const struct ctl_command *command = line->command;
    const int count = line->input.count;
    const char *group = line->group->name ? line->group->name : "";
    const char *space = line->group->name ? " " : "";
    char advice[128];

    if (count >= command->min && (command->max < 0 || count <= command->max)) {
        return CTL_OK;
    }
    snprintf(advice, sizeof advice, "atesctl %s%s%s --help", group, space, command->name);
    if (count < command->min) {
        return ctl_fail(CTL_USAGE, advice, "%s%s%s needs %s: %s", group, space, command->name,
                        command->min == 1 ? "an argument" : "more arguments", command->usage);
    }
    return ctl_fail(CTL_USAGE, advice, "%s%s%s does not take the argument '%.60s'", group, space,
                    command->name, line->input.arguments[command->max]);
}

int ctl_line_parse(struct ctl *ctl, struct ctl_line *line, int count, char **arguments)
{
    for (;;) {
        int code = take_options(ctl, line, count, arguments);

        if (code != CTL_OK) {
            return code;
        }
        count -= optind;
        arguments += optind;
        if (line->command != NULL || count == 0) {
            break;
        }
        if (line->group == NULL && strcmp(arguments[0], "help") == 0) {
            line->help = true;
            continue;
        }
        if (line->group == NULL) {
            code = take_word(line, arguments[0]);
        } else {
            line->command = find_command(line->group, arguments[0]);
            code = line->command ? CTL_OK : refuse_word(line->group, arguments[0]);
        }
        if (code != CTL_OK) {
            return code;
        }
    }
    line->input.command = line->command;
    line->input.arguments = arguments;
    line->input.count = count;
    return CTL_OK;
}
