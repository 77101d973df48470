/* Help texts; see help.h. Invariant: they say nothing that the tables don't. */
#include "help.h"

#include <string.h>

#define WORD_MAX 31u

const struct ctl_group *const ctl_groups[] = {
    &session_group, &user_group,   &task_group, &account_group, &mail_group, &report_group,
    &payment_group, &events_group, &call_group, &admin_group,   NULL};

static const struct ctl_option global_options[] = {
    {"run", "DIR", "the services' run folder (default: $ATES_RUN, or /run/ates)"},
    {"output", "FORMAT", "-o: table, json or csv (default: table)"},
    {"no-input", NULL, "never ask for anything"},
    {"timeout", "S", "how many seconds to wait for a reply (default: 5, or the command's own)"},
    {"help", NULL, "-h: print help, also after a command"},
    {"version", NULL, "-V: print the version"},
    {NULL, NULL, NULL},
};

static void print_options(FILE *out, const struct ctl_option *options)
{
    for (; options->name != NULL; options++) {
        char left[64];

        snprintf(left, sizeof left, "--%s%s%s", options->name, options->argument ? " " : "",
                 options->argument ? options->argument : "");
        fprintf(out, "  %-24s %s\n", left, options->summary);
    }
}

/* A command's line in a list of them. */
static void print_summary(FILE *out, const struct ctl_group *group,
                          const struct ctl_command *command)
{
    char left[64];

    snprintf(left, sizeof left, "%s%s%s", group->name ? group->name : "", group->name ? " " : "",
             command->name);
    fprintf(out, "  %-18s %s\n", left, command->summary);
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
            print_summary(out, ctl_groups[i], ctl_groups[i]->commands[j]);
        }
    }
    fputs("\nOptions of every command:\n", out);
    print_options(out, global_options);
    fputs("\nExit codes: 0 done, 1 refused, 2 wrong usage, 3 not found, 4 not signed in,\n"
          "5 conflict, 6 forbidden, 7 unreachable or timed out, 130 interrupted.\n"
          "More: atesctl COMMAND --help\n",
          out);
}

void ctl_help_group(FILE *out, const struct ctl_group *group)
{
    fprintf(out, "%s:\n", group->summary);
    for (size_t i = 0; group->commands[i] != NULL; i++) {
        print_summary(out, group, group->commands[i]);
    }
    fprintf(out, "\nMore: atesctl %s COMMAND --help\n", group->name);
}

void ctl_help_command(FILE *out, const struct ctl_group *group, const struct ctl_command *command)
{
    if (command->examples != NULL) {
        fputs("Examples:\n", out);
        for (const char *line = command->examples; *line != '\0';) {
            const size_t size = strcspn(line, "\n");

            fprintf(out, "  %.*s\n", (int)size, line);
            line += size + (line[size] == '\n' ? 1 : 0);
        }
        fputs("\n", out);
    }
    fprintf(out, "Usage: atesctl %s%s%s%s%s\n\n%s.\n%s", group->name ? group->name : "",
            group->name ? " " : "", command->name, command->usage[0] != '\0' ? " " : "",
            command->usage, command->summary, command->notes != NULL ? command->notes : "");
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

struct nearest {
    const char *word;
    size_t distance;
};

/* None yet; a word that is farther than this from the one that was meant is another word. */
static struct nearest nearest_to(const char *word)
{
    const size_t size = strlen(word);

    return (struct nearest){NULL, 1 + (size < 3 ? 1 : size / 3 + 1)};
}

static void consider(struct nearest *nearest, const char *candidate, const char *word)
{
    const size_t distance = ctl_word_distance(candidate, word);

    if (distance < nearest->distance) {
        *nearest = (struct nearest){candidate, distance};
    }
}

static void consider_commands(struct nearest *nearest, const struct ctl_group *group,
                              const char *word)
{
    for (size_t i = 0; group->commands[i] != NULL; i++) {
        consider(nearest, group->commands[i]->name, word);
    }
}

const char *ctl_suggest(const struct ctl_group *group, const char *word)
{
    struct nearest nearest = nearest_to(word);

    if (group != NULL) {
        consider_commands(&nearest, group, word);
        return nearest.word;
    }
    for (size_t i = 0; ctl_groups[i] != NULL; i++) {
        if (ctl_groups[i]->name != NULL) {
            consider(&nearest, ctl_groups[i]->name, word);
        } else {
            consider_commands(&nearest, ctl_groups[i], word);
        }
    }
    return nearest.word;
}

const char *ctl_suggest_service_command(const struct ates_service *service, const char *word)
{
    const struct ates_service *const both[] = {service, &ates_common_service};
    struct nearest nearest = nearest_to(word);

    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < both[i]->command_count; j++) {
            consider(&nearest, both[i]->commands[j].name, word);
        }
    }
    return nearest.word;
}
