/* Help texts; see help.h. Invariant: they say nothing that the tables don't. */
#include "help.h"

#include <string.h>

#include "context_store.h"
#include "core/setting.h"

#define LINE_WIDTH 80
#define USAGE_INDENT 11

const struct ctl_group *const ctl_groups[] = {
    &session_group, &context_group, &user_group,    &task_group,   &account_group,
    &mail_group,    &report_group,  &payment_group, &events_group, &bench_group,
    &call_group,    &admin_group,   &help_group,    NULL};

const struct ctl_option ctl_global_options[] = {
    {"context", "NAME", "the context to use (default: $ATES_CONTEXT, or the one in use)",
     .words = ctl_context_each},
    {"run", "DIR", "the services' run folder (default: $ATES_RUN, or /run/ates)"},
    {"output", "FORMAT", "table, wide, json, ndjson, csv, name; of events cloudevents",
     ates_output_names, .letter = 'o'},
    {"yes", NULL, "do not ask before a change of many things", .letter = 'y'},
    {"no-input", NULL, "never ask for anything"},
    {"timeout", "S", "how many seconds to wait for a reply (default: 5, or the command's own)"},
    {"help", NULL, "print help, also after a command", .letter = 'h'},
    {"version", NULL, "print the version", .letter = 'V'},
    {NULL, NULL, NULL},
};

const struct ctl_exit_words ctl_exit_table[] = {
    {CTL_OK, "done"},
    {CTL_REFUSED, "refused, or something of this machine failed"},
    {CTL_USAGE, "wrong usage"},
    {CTL_NOT_FOUND, "not found"},
    {CTL_NOT_SIGNED_IN, "not signed in"},
    {CTL_CONFLICT, "in conflict with how things are"},
    {CTL_FORBIDDEN, "forbidden"},
    {CTL_UNREACHABLE, "unreachable or timed out"},
    {CTL_INTERRUPTED, "interrupted"},
    {CTL_OK, NULL},
};

const char *ctl_command_words(const struct ctl_group *group, const struct ctl_command *command,
                              char out[CTL_COMMAND_WORDS_SIZE])
{
    snprintf(out, CTL_COMMAND_WORDS_SIZE, "%s%s%s", group->name != NULL ? group->name : "",
             group->name != NULL ? " " : "", command->name);
    return out;
}

const char *ctl_option_words(const struct ctl_option *option, char out[CTL_OPTION_WORDS_SIZE])
{
    const char letter[] = {'-', option->letter, ',', ' ', '\0'};

    snprintf(out, CTL_OPTION_WORDS_SIZE, "%s--%s%s%s", option->letter != 0 ? letter : "",
             option->name, option->argument != NULL ? " " : "",
             option->argument != NULL ? option->argument : "");
    return out;
}

void ctl_tell_names(const char *const *names, ctl_word_fn *tell, void *context)
{
    for (size_t i = names[0] == NULL; names[i] != NULL; i++) {
        tell(context, names[i], NULL);
    }
}

void ctl_usage(const struct ctl_group *group, const struct ctl_command *command, ctl_word_fn *tell,
               void *context)
{
    char words[CTL_COMMAND_WORDS_SIZE], option[CTL_OPTION_WORDS_SIZE];
    char bracketed[CTL_OPTION_WORDS_SIZE + 2];

    tell(context, ctl_command_words(group, command, words), NULL);
    if (command->arguments != NULL) {
        tell(context, command->arguments, NULL);
    }
    for (const struct ctl_option *own = command->options; own != NULL && own->name != NULL; own++) {
        ctl_option_words(own, option);
        snprintf(bracketed, sizeof bracketed, own->is_needed ? "%s" : "[%s]", option);
        tell(context, bracketed, NULL);
    }
}

void ctl_examples(const struct ctl_command *command,
                  void (*tell)(void *context, const char *line, size_t size), void *context)
{
    for (const char *line = command->examples; line != NULL && *line != '\0';) {
        const size_t size = strcspn(line, "\n");

        tell(context, line, size);
        line += size + (line[size] == '\n' ? 1 : 0);
    }
}

static void print_options(FILE *out, const struct ctl_option *options)
{
    for (; options->name != NULL; options++) {
        char left[CTL_OPTION_WORDS_SIZE];

        fprintf(out, "  %-24s %s\n", ctl_option_words(options, left), options->summary);
    }
}

/* A command's line in a list of them. */
static void print_summary(FILE *out, const struct ctl_group *group,
                          const struct ctl_command *command)
{
    char left[CTL_COMMAND_WORDS_SIZE];

    fprintf(out, "  %-18s %s\n", ctl_command_words(group, command, left), command->summary);
}

void ctl_help(FILE *out)
{
    fputs("Examples:\n"
          "  atesctl login\n"
          "  atesctl task add \"Count the toner cartridges\"\n"
          "  atesctl task mine\n"
          "  atesctl account balance\n"
          "\n"
          "Usage: atesctl [OPTION...] COMMAND [ARGUMENT...]\n",
          out);
    for (size_t i = 0; ctl_groups[i] != NULL; i++) {
        fprintf(out, "\n%s:\n", ctl_groups[i]->summary);
        for (size_t j = 0; ctl_groups[i]->commands[j] != NULL; j++) {
            if (!ctl_groups[i]->commands[j]->is_hidden) {
                print_summary(out, ctl_groups[i], ctl_groups[i]->commands[j]);
            }
        }
    }
    fputs("\nOptions of every command:\n", out);
    print_options(out, ctl_global_options);
    fputs("\nExit codes:\n", out);
    for (size_t i = 0; ctl_exit_table[i].words != NULL; i++) {
        fprintf(out, "  %3d  %s\n", ctl_exit_table[i].code, ctl_exit_table[i].words);
    }
    fputs("\nMore: atesctl help COMMAND, man atesctl\n", out);
}

static void print_example(void *out, const char *line, size_t size)
{
    fprintf(out, "  %.*s\n", (int)size, line);
}

void ctl_help_group(FILE *out, const struct ctl_group *group)
{
    fputs("Examples:\n", out);
    for (size_t i = 0; group->commands[i] != NULL; i++) {
        const char *examples = group->commands[i]->examples;

        print_example(out, examples, strcspn(examples, "\n"));
    }
    fprintf(out, "\n%s:\n", group->summary);
    for (size_t i = 0; group->commands[i] != NULL; i++) {
        print_summary(out, group, group->commands[i]);
    }
    fprintf(out, "\nMore: atesctl %s COMMAND --help\n", group->name);
}

struct usage {
    FILE *out;
    int column;
};

/* Goes on in a new line where the word does not fit the present one. */
static void print_usage_word(void *context, const char *word, const char *summary)
{
    struct usage *self = context;
    const int size = (int)strlen(word);

    (void)summary;
    if (self->column + 1 + size > LINE_WIDTH) {
        fprintf(self->out, "\n%*s", USAGE_INDENT, "");
        self->column = USAGE_INDENT;
    }
    fprintf(self->out, " %s", word);
    self->column += 1 + size;
}

void ctl_help_command(FILE *out, const struct ctl_group *group, const struct ctl_command *command)
{
    const char *start = "Usage: atesctl";
    const char *notes = command->notes != NULL ? command->notes : "";
    struct usage usage = {out, (int)strlen(start)};

    fputs("Examples:\n", out);
    ctl_examples(command, print_example, out);
    fprintf(out, "\n%s", start);
    ctl_usage(group, command, print_usage_word, &usage);
    fprintf(out, "\n\n%s.\n%s", command->summary, notes);
    fputs(notes[0] != '\0' && notes[strlen(notes) - 1] != '\n' ? "\n" : "", out);
    if (command->timeout_ms > 0) {
        fprintf(out, "Waits for its reply for %d s, where no --timeout is given.\n",
                (int)(command->timeout_ms / 1000));
    }
    if (command->options != NULL) {
        fputs("\nOptions:\n", out);
        print_options(out, command->options);
    }
    fputs("\nOptions of every command: atesctl --help\n", out);
}

int ctl_help_on(FILE *out, const struct ctl_group *group, const struct ctl_command *command,
                const struct ctl_input *input)
{
    if (command != NULL && command->help != NULL && input->count > 0) {
        return command->help(input);
    }
    if (command != NULL) {
        ctl_help_command(out, group, command);
    } else if (group != NULL) {
        ctl_help_group(out, group);
    } else {
        ctl_help(out);
    }
    return CTL_OK;
}
