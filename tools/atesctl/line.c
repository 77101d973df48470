/* The command line, taken apart by the groups' tables; see line.h. Invariant: options mean the same
 * before and after the command's words. */
#include "line.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/setting.h"
#include "help.h"
#include "suggest.h"

#define TIMEOUT_MAX_S 86400.0

#define OPTION_FIRST 256 /* what getopt_long gives for the first option of its table */
#define GLOBAL_MAX 16u

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

/* "'opne' is none of open, finished, all", and which of them may have been meant. */
static int refuse_value(const char *what, const char *const *values, const char *value)
{
    const char *near = ctl_suggest_name(values, value);
    char advice[CTL_OPTION_WORDS_SIZE + 64], all[256] = "";
    size_t used = 0;

    for (size_t i = values[0] == NULL; values[i] != NULL && used < sizeof all; i++) {
        used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", used > 0 ? ", " : "",
                                 values[i]);
    }
    snprintf(advice, sizeof advice, "%s %s", what, near != NULL ? near : "");
    return ctl_fail(CTL_USAGE, near != NULL ? advice : NULL, "%s: '%.40s' is none of %s%s%s%s",
                    what, value, all, near != NULL ? ": did you mean '" : "",
                    near != NULL ? near : "", near != NULL ? "'?" : "");
}

static bool is_name(const char *const *names, const char *word)
{
    size_t i = names[0] == NULL;

    while (names[i] != NULL && strcmp(names[i], word) != 0) {
        i++;
    }
    return names[i] != NULL;
}

void ctl_take_format(struct ctl *ctl, const char *word)
{
    size_t i = 0;

    while (strcmp(ates_output_names[i], word) != 0) {
        i++;
        assert(ates_output_names[i] != NULL);
    }
    ctl->is_wide = i == CTL_WIDE;
    ctl->format = ctl->is_wide ? CTL_TABLE : (enum ctl_format)i;
}

int ctl_check_format(const struct ctl *ctl, const struct ctl_command *command)
{
    return ctl->format != CTL_CLOUDEVENTS || command->tells_events
               ? CTL_OK
               : ctl_fail(CTL_USAGE, "-o json", "-o cloudevents is a form of events, not of %s",
                          command->name);
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

/* An option that there is not, and which may have been meant. */
static int refuse_unknown(const struct option *options, const char *argument, const char *help)
{
    char word[40], advice[64];

    snprintf(word, sizeof word, "%.*s", (int)strcspn(argument, "="), argument);
    struct ctl_nearest nearest = ctl_nearest_to(word + strspn(word, "-"));
    for (; options->name != NULL; options++) {
        ctl_nearest_consider(&nearest, options->name);
    }
    if (nearest.candidate == NULL) {
        return ctl_fail(CTL_USAGE, help, "there is no option %.60s", argument);
    }
    snprintf(advice, sizeof advice, "--%s", nearest.candidate);
    return ctl_fail(CTL_USAGE, advice, "there is no option %.60s: did you mean '--%s'?", word,
                    nearest.candidate);
}

/* What getopt_long did not like. */
static int refuse_option(const struct ctl_line *line, int found, const struct option *options,
                         char **arguments)
{
    const char *argument = arguments[optind - 1];
    char help[128], names[256];
    const bool is_short = optopt > 0 && optopt < OPTION_FIRST;

    snprintf(help, sizeof help, "atesctl %s%s%s%s--help",
             line->group && line->group->name ? line->group->name : "",
             line->group && line->group->name ? " " : "", line->command ? line->command->name : "",
             line->command ? " " : "");
    if (is_short) {
        return ctl_fail(CTL_USAGE, help,
                        found == ':' ? "-%c needs a value" : "there is no option -%c", optopt);
    }
    if (found == ':') {
        return ctl_fail(CTL_USAGE, help, "%.60s needs a value", argument);
    }
    if (optopt != 0) {
        return ctl_fail(CTL_USAGE, help, "%.60s: this option takes no value", argument);
    }
    if (find_options(options, argument, names, sizeof names) > 1) {
        return ctl_fail(CTL_USAGE, help, "%.60s may be %s", argument, names);
    }
    return refuse_unknown(options, argument, help);
}

/* An option of every command, by its name. */
static int take_global(struct ctl *ctl, struct ctl_line *line, const char *name, const char *value)
{
    if (strcmp(name, "context") == 0) {
        line->context = value;
    } else if (strcmp(name, "run") == 0) {
        line->run_dir = value;
    } else if (strcmp(name, "output") == 0) {
        ctl_take_format(ctl, value);
        line->output = value;
    } else if (strcmp(name, "yes") == 0) {
        ctl->yes = true;
    } else if (strcmp(name, "no-input") == 0) {
        ctl->no_input = true;
    } else if (strcmp(name, "timeout") == 0) {
        return take_timeout(ctl, value);
    } else if (strcmp(name, "help") == 0) {
        line->help = true;
    } else {
        assert(strcmp(name, "version") == 0);
        line->version = true;
    }
    return CTL_OK;
}

/* Every option that may stand here, the global ones first, as getopt_long wants them. Returns how
 * many are global. letters: of their short forms. */
static size_t list_options(const struct ctl_command *command, struct option *options,
                           const struct ctl_option **known, char *letters)
{
    const struct ctl_option *const tables[] = {ctl_global_options,
                                               command != NULL ? command->options : NULL};
    size_t count = 0, global_count = 0;

    *letters++ = ':'; /* getopt's own words stay unsaid */
    for (size_t i = 0; i < 2; i++) {
        for (const struct ctl_option *option = tables[i]; option && option->name; option++) {
            assert(count < GLOBAL_MAX + CTL_OPTIONS_MAX);
            known[count] = option;
            options[count] = (struct option){
                option->name, option->argument != NULL ? required_argument : no_argument, NULL,
                OPTION_FIRST + (int)count};
            if (option->letter != 0) {
                *letters++ = option->letter;
                *letters = ':';
                letters += option->argument != NULL;
            }
            count++;
        }
        global_count = i == 0 ? count : global_count;
    }
    *letters = '\0';
    options[count] = (struct option){NULL, 0, NULL, 0};
    return global_count;
}

/* Where the option that getopt_long found stands in known, -1 where there is none. */
static int index_of(int found, const struct ctl_option *const *known, size_t count)
{
    if (found >= OPTION_FIRST) {
        return found - OPTION_FIRST;
    }
    for (size_t i = 0; i < count; i++) {
        if (known[i]->letter == found) {
            return (int)i;
        }
    }
    return -1;
}

/* Takes options from arguments (whose first is skipped): the global ones, and the command's where
 * there is one. Then optind is the first positional argument. */
static int take_options(struct ctl *ctl, struct ctl_line *line, int count, char **arguments)
{
    struct option options[GLOBAL_MAX + CTL_OPTIONS_MAX + 1];
    const struct ctl_option *known[GLOBAL_MAX + CTL_OPTIONS_MAX];
    char letters[2 * (GLOBAL_MAX + CTL_OPTIONS_MAX) + 4] = "+";
    int found, code = CTL_OK;

    /* Words decide what the options behind them mean: until the command is known, it stops there.
     */
    const size_t global_count =
        list_options(line->command, options, known, letters + (line->command == NULL));
    optind = 0; /* makes getopt_long begin anew */
    while (code == CTL_OK &&
           (found = getopt_long(count, arguments, letters, options, NULL)) != -1) {
        const int at = index_of(found, known, global_count);

        if (at < 0) {
            code = refuse_option(line, found, options, arguments);
        } else if (known[at]->values != NULL && !is_name(known[at]->values, optarg)) {
            char what[CTL_OPTION_WORDS_SIZE];

            snprintf(what, sizeof what, "--%s", known[at]->name);
            code = refuse_value(what, known[at]->values, optarg);
        } else if ((size_t)at < global_count) {
            code = take_global(ctl, line, known[at]->name, optarg);
        } else {
            line->input.values[(size_t)at - global_count] = optarg != NULL ? optarg : "";
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

/* Whether the options that the command cannot do without are there. */
static int check_needed(const struct ctl_line *line, const char *words, const char *help)
{
    const struct ctl_option *options = line->command->options;
    char option[CTL_OPTION_WORDS_SIZE];

    for (size_t i = 0; options != NULL && options[i].name != NULL; i++) {
        if (options[i].is_needed && line->input.values[i] == NULL) {
            return ctl_fail(CTL_USAGE, help, "%s needs %s", words,
                            ctl_option_words(&options[i], option));
        }
    }
    return CTL_OK;
}

int ctl_line_check(const struct ctl_line *line)
{
    const struct ctl_command *command = line->command;
    const int count = line->input.count;
    char words[CTL_COMMAND_WORDS_SIZE], help[128];

    ctl_command_words(line->group, command, words);
    snprintf(help, sizeof help, "atesctl %s --help", words);
    if (count < command->min) {
        return ctl_fail(CTL_USAGE, help, "%s needs %s: %s", words,
                        command->min == 1 ? "an argument" : "more arguments", command->arguments);
    }
    if (command->max >= 0 && count > command->max) {
        return ctl_fail(CTL_USAGE, help, "%s does not take the argument '%.60s'", words,
                        line->input.arguments[command->max]);
    }
    return check_needed(line, words, help);
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
        if (line->group == NULL) {
            code = take_word(line, arguments[0]);
        } else {
            line->command = find_command(line->group, arguments[0]);
            code = line->command ? CTL_OK : refuse_word(line->group, arguments[0]);
        }
        if (code != CTL_OK) {
            return code;
        }
        if (line->command != NULL && line->command->takes_all) {
            count--;
            arguments++;
            break;
        }
    }
    ctl->group = line->group;
    ctl->command = line->command;
    line->input.command = line->command;
    line->input.arguments = arguments;
    line->input.count = count;
    return CTL_OK;
}
