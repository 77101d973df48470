/* The whole manual, from the groups' tables; see manual.h. Invariant: what is said of a command here
 * is what its --help says. */
#include "manual.h"

#include <string.h>

#include "core/setting.h"
#include "help.h"
#include "line.h"
#include "output.h"
#include "reason.h"

#define TEXT_SIZE 1024u
#define WORDS_MAX 16

static void write_example(void *out, const char *line, size_t size)
{
    fprintf(out, "%.*s\n", (int)size, line);
}

static void write_usage(void *out, const char *word, const char *summary)
{
    (void)summary;
    fprintf(out, " %s", word);
}

static void write_options(FILE *out, const struct ctl_markup *markup,
                          const struct ctl_option *options)
{
    char words[CTL_OPTION_WORDS_SIZE];

    for (; options != NULL && options->name != NULL; options++) {
        markup->item(out, ctl_option_words(options, words), options->summary);
    }
    markup->end_items(out);
}

/* Notes are lines for a terminal: here they are one paragraph. */
static void write_notes(FILE *out, const struct ctl_markup *markup, const char *notes)
{
    char text[TEXT_SIZE];
    size_t size = 0;

    for (; *notes != '\0' && size + 1 < sizeof text; notes++) {
        const bool is_blank = *notes == '\n';

        if (!is_blank || (size > 0 && notes[1] != '\0')) {
            text[size++] = is_blank ? ' ' : *notes;
        }
    }
    text[size] = '\0';
    markup->paragraph(out, text);
}

static void write_command(FILE *out, const struct ctl_markup *markup, const struct ctl_group *group,
                          const struct ctl_command *command)
{
    char words[CTL_COMMAND_WORDS_SIZE], text[TEXT_SIZE];

    markup->heading(out, 2, ctl_command_words(group, command, words));
    snprintf(text, sizeof text, "%s.", command->summary);
    markup->paragraph(out, text);
    markup->begin_code(out);
    ctl_examples(command, write_example, out);
    markup->end_code(out);
    markup->paragraph(out, "Usage:");
    markup->begin_code(out);
    fputs("atesctl", out);
    ctl_usage(group, command, write_usage, out);
    fputc('\n', out);
    markup->end_code(out);
    if (command->options != NULL) {
        write_options(out, markup, command->options);
    }
    if (command->notes != NULL) {
        write_notes(out, markup, command->notes);
    }
    if (command->timeout_ms > 0) {
        snprintf(text, sizeof text, "It waits for its reply for %d s, where no --timeout is given.",
                 (int)(command->timeout_ms / 1000));
        markup->paragraph(out, text);
    }
}

static void write_codes(FILE *out, const struct ctl_markup *markup)
{
    char code[16];

    markup->heading(out, 1, "Exit codes");
    for (size_t i = 0; ctl_exit_table[i].words != NULL; i++) {
        snprintf(code, sizeof code, "%d", ctl_exit_table[i].code);
        markup->item(out, code, ctl_exit_table[i].words);
    }
    markup->end_items(out);
}

static void write_places(FILE *out, const struct ctl_markup *markup)
{
    markup->heading(out, 1, "Environment");
    markup->item(out, "ATES_CONTEXT", "the context to use");
    markup->item(out, ATES_CONFIG_VARIABLE, "another file of settings than " ATES_CONFIG_FILE);
    markup->item(out, "ATES_RUN, ATES_DATA, ATES_TIME_ZONE, ATES_CTL_OUTPUT",
                 "the settings run, data, time_zone and ctl/output, over those of the context");
    markup->item(out, "ATES_TOKEN_FILE", "where the session's token is kept");
    markup->item(out, "NO_COLOR",
                 "set to anything: no colours; there are none either where stdout "
                 "is no terminal, or TERM is dumb");
    markup->end_items(out);
    markup->heading(out, 1, "Files");
    markup->item(out, ATES_CONFIG_FILE, "the settings of this machine: man ates.conf");
    markup->item(out, "${XDG_CONFIG_HOME:-~/.config}/ates/contexts/NAME",
                 "a context: settings in ates.conf's form, over those of the machine");
    markup->item(out, "${XDG_CONFIG_HOME:-~/.config}/ates/context", "the context in use");
    markup->item(out, "${XDG_STATE_HOME:-~/.local/state}/ates/tokens/NAME",
                 "a context's session token, for its owner alone to read");
    markup->item(out, "${XDG_STATE_HOME:-~/.local/state}/ates/token-HASH",
                 "the token of a run folder, where no context is in use");
    markup->end_items(out);
}

static void write_reasons(FILE *out, const struct ctl_markup *markup)
{
    char means[TEXT_SIZE / 2], advice[TEXT_SIZE / 2 - 64], text[TEXT_SIZE];

    markup->heading(out, 1, "Reasons of refusals");
    for (size_t i = 0; i < ctl_reason_count; i++) {
        const struct ctl_reason *reason = &ctl_reasons[i];
        const char *subject = ctl_reason_subject(reason);

        ctl_reason_words(reason->words, subject, means, sizeof means);
        ctl_reason_words(reason->advice != NULL ? reason->advice : "", subject, advice,
                         sizeof advice);
        snprintf(text, sizeof text, "%s%s%s", means, reason->advice != NULL ? "; try: " : "",
                 advice);
        markup->item(out, reason->reason, text);
    }
    markup->end_items(out);
}

void ctl_manual(FILE *out, const struct ctl_markup *markup)
{
    markup->title(out);
    markup->heading(out, 1, "Options of every command");
    write_options(out, markup, ctl_global_options);
    markup->paragraph(out,
                      "They may stand before and behind the command. Data goes to stdout, words go "
                      "to stderr. A table has amounts and times for people, and as many columns as "
                      "the terminal has room for; wide leaves out none. json is one array or "
                      "object, ndjson an object a line as they come, csv RFC 4180; their amounts "
                      "are integers of cents, their times milliseconds since 1970. name is the id "
                      "alone, one a line.");
    markup->paragraph(out,
                      "What would change many things asks first; where nobody can be asked, it "
                      "wants --yes.");
    for (size_t i = 0; ctl_groups[i] != NULL; i++) {
        markup->heading(out, 1, ctl_groups[i]->summary);
        for (size_t j = 0; ctl_groups[i]->commands[j] != NULL; j++) {
            if (!ctl_groups[i]->commands[j]->is_hidden) {
                write_command(out, markup, ctl_groups[i], ctl_groups[i]->commands[j]);
            }
        }
    }
    write_codes(out, markup);
    write_places(out, markup);
    write_reasons(out, markup);
}

/* What `help WORD...` is about. */
static int help_on(const struct ctl_input *input)
{
    char *arguments[WORDS_MAX + 2] = {"atesctl"};
    struct ctl_line line = {.group = NULL};
    struct ctl unused = {.timeout_ms = 0};

    if (input->count > WORDS_MAX) {
        return ctl_fail(CTL_USAGE, "atesctl help GROUP COMMAND", "help takes no more than %d words",
                        WORDS_MAX);
    }
    memcpy(arguments + 1, input->arguments, (size_t)input->count * sizeof *arguments);
    const int code = ctl_line_parse(&unused, &line, input->count + 1, arguments);
    return code == CTL_OK ? ctl_help_on(stdout, line.group, line.command, &line.input) : code;
}

static int run_help(struct ctl *ctl, const struct ctl_input *input)
{
    const bool is_man = ctl_value(input, "man") != NULL;

    (void)ctl;
    if (!is_man && ctl_value(input, "markdown") == NULL) {
        const int code = help_on(input);

        return code == CTL_OK ? ctl_flush() : code;
    }
    ctl_manual(stdout, is_man ? &ctl_scdoc : &ctl_markdown);
    return ctl_flush();
}

static void tell_commands(const struct ctl_group *group, ctl_word_fn *tell, void *context)
{
    for (size_t i = 0; group->commands[i] != NULL; i++) {
        if (!group->commands[i]->is_hidden) {
            tell(context, group->commands[i]->name, group->commands[i]->summary);
        }
    }
}

static void tell_words(const struct ctl_input *input, ctl_word_fn *tell, void *context)
{
    for (size_t i = 0; ctl_groups[i] != NULL && input->count < 2; i++) {
        const struct ctl_group *group = ctl_groups[i];
        const bool is_named = group->name != NULL;

        if (input->count == 0 && is_named) {
            tell(context, group->name, group->summary);
        } else if (input->count == 0 ||
                   (is_named && strcmp(group->name, input->arguments[0]) == 0)) {
            tell_commands(group, tell, context);
        }
    }
}

static const struct ctl_option help_options[] = {
    {"man", NULL, "print the whole manual, as scdoc makes a man page of it"},
    {"markdown", NULL, "print the whole manual as Markdown"},
    {NULL, NULL, NULL},
};
const struct ctl_command ctl_manual_command = {
    .name = "help",
    .arguments = "[COMMAND...]",
    .summary = "Tell what a command does and how, with examples",
    .examples = "atesctl help task ls\n"
                "atesctl help call tasks.create_task\n"
                "atesctl help --man | scdoc | man -l -",
    .options = help_options,
    .is_local = true,
    .max = -1,
    .run = run_help,
    .words = tell_words,
};

static const struct ctl_command *const commands[] = {
    &ctl_manual_command, &ctl_errors_command, &ctl_completion_command, &ctl_complete_command, NULL};
const struct ctl_group help_group = {.summary = "Help", .commands = commands};
