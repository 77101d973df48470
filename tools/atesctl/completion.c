/* Completion in shells. The scripts know nothing of commands: at each TAB they ask `__complete`, which
 * reads the tables. Invariant: no service is asked, and nothing is written. */
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "help.h"
#include "manual.h"
#include "output.h"

/* Where the word is a path: the shell knows better. */
#define FILES ":files\n"
#define FOLDERS ":dirs\n"

static const char *const shell_names[] = {"bash", "zsh", "fish", NULL};

/* In the order of shell_names. */
static const char *const scripts[] = {
    "# Completion of atesctl in bash: source <(atesctl completion bash)\n"
    "_atesctl() {\n"
    "    local line word current=${COMP_WORDS[COMP_CWORD]} IFS=$'\\n'\n"
    "    COMPREPLY=()\n"
    "    [[ $current != = ]] || current=\n"
    "    for line in $(\"${COMP_WORDS[0]}\" __complete \"${COMP_WORDS[@]:1:COMP_CWORD}\" "
    "2>/dev/null); do\n"
    "        case $line in\n"
    "        :files) compopt -o filenames 2>/dev/null\n"
    "            COMPREPLY+=($(compgen -f -- \"$current\")) ;;\n"
    "        :dirs) compopt -o filenames 2>/dev/null\n"
    "            COMPREPLY+=($(compgen -d -- \"$current\")) ;;\n"
    "        *) word=${line%%$'\\t'*}\n"
    "            [[ $word != *= ]] || compopt -o nospace 2>/dev/null\n"
    "            COMPREPLY+=(\"$word\") ;;\n"
    "        esac\n"
    "    done\n"
    "}\n"
    "complete -F _atesctl atesctl\n",

    "#compdef atesctl\n"
    "# Completion of atesctl in zsh: source <(atesctl completion zsh), or a file _atesctl in "
    "fpath\n"
    "_atesctl() {\n"
    "    local line word\n"
    "    local -a found open\n"
    "    for line in \"${(@f)$(\"${words[1]}\" __complete \"${(@)words[2,CURRENT]}\" "
    "2>/dev/null)}\"; do\n"
    "        word=${line%%$'\\t'*}\n"
    "        case $line in\n"
    "        '') ;;\n"
    "        :files) _files ;;\n"
    "        :dirs) _files -/ ;;\n"
    "        *=$'\\t'*|*=) open+=(\"${word//:/\\\\:}:${line#*$'\\t'}\") ;;\n"
    "        *) found+=(\"${word//:/\\\\:}:${line#*$'\\t'}\") ;;\n"
    "        esac\n"
    "    done\n"
    "    (( ${#found} == 0 )) || _describe 'atesctl' found\n"
    "    (( ${#open} == 0 )) || _describe 'atesctl' open -S ''\n"
    "}\n"
    "if [ \"${funcstack[1]}\" = _atesctl ]; then\n"
    "    _atesctl \"$@\"\n"
    "else\n"
    "    compdef _atesctl atesctl\n"
    "fi\n",

    "# Completion of atesctl in fish: atesctl completion fish | source\n"
    "function __atesctl_complete\n"
    "    set -l words (commandline -opc)\n"
    "    set -l current (commandline -ct)\n"
    "    for line in ($words[1] __complete $words[2..-1] \"$current\" 2>/dev/null)\n"
    "        switch $line\n"
    "            case ':files'\n"
    "                __fish_complete_path \"$current\"\n"
    "            case ':dirs'\n"
    "                __fish_complete_directories \"$current\"\n"
    "            case '*'\n"
    "                echo $line\n"
    "        end\n"
    "    end\n"
    "end\n"
    "complete -c atesctl -f -a '(__atesctl_complete)'\n",
};

static int run_completion(struct ctl *ctl, const struct ctl_input *input)
{
    (void)ctl;
    for (size_t i = 0; shell_names[i] != NULL; i++) {
        if (strcmp(shell_names[i], input->arguments[0]) == 0) {
            fputs(scripts[i], stdout);
            return ctl_flush();
        }
    }
    return ctl_fail(CTL_USAGE, "bash, zsh or fish", "there is no completion for '%.40s'",
                    input->arguments[0]);
}

static void tell_shells(const struct ctl_input *input, ctl_word_fn *tell, void *context)
{
    if (input->count == 0) {
        ctl_tell_names(shell_names, tell, context);
    }
}

const struct ctl_command ctl_completion_command = {
    .name = "completion",
    .arguments = "SHELL",
    .summary = "Print a script that completes atesctl's words in bash, zsh or fish",
    .examples = "atesctl completion bash > ~/.local/share/bash-completion/completions/atesctl\n"
                "atesctl completion zsh > ~/.zfunc/_atesctl\n"
                "atesctl completion fish > ~/.config/fish/completions/atesctl.fish",
    .is_local = true,
    .min = 1,
    .max = 1,
    .run = run_completion,
    .words = tell_shells,
};

/* What the words before the one to be completed come to. */
struct place {
    const struct ctl_group *group;
    const struct ctl_command *command;
    const struct ctl_option *option; /* whose value comes next; NULL: none */
    bool only_arguments;             /* behind -- */
    struct ctl_input input;
    const char *current; /* what is there of the word already */
    const char *prefix;  /* what stands before it in the same word: "--output=" */
};

static const struct ctl_option *find_option(const struct ctl_command *command, const char *word)
{
    const struct ctl_option *const tables[] = {ctl_global_options,
                                               command != NULL ? command->options : NULL};
    const size_t size = strcspn(word + 2, "=");

    for (size_t i = 0; i < 2; i++) {
        for (const struct ctl_option *option = tables[i]; option && option->name; option++) {
            const bool is_long = word[1] == '-' && strlen(option->name) == size &&
                                 strncmp(option->name, word + 2, size) == 0;

            if (is_long || (word[1] != '-' && word[1] == option->letter)) {
                return option;
            }
        }
    }
    return NULL;
}

/* The group or command that the word names, where it is one. */
static void take_name(struct place *self, const char *word)
{
    for (size_t i = 0; ctl_groups[i] != NULL; i++) {
        const struct ctl_group *group = ctl_groups[i];

        if (self->group == NULL && group->name != NULL && strcmp(group->name, word) == 0) {
            self->group = group;
            return;
        }
        for (size_t j = 0;
             (group == self->group || (!self->group && !group->name)) && group->commands[j] != NULL;
             j++) {
            if (strcmp(group->commands[j]->name, word) == 0) {
                self->group = group;
                self->command = group->commands[j];
                self->input.command = self->command;
                return;
            }
        }
    }
}

static void take_word(struct place *self, char *word)
{
    if (self->option != NULL) {
        self->option = NULL;
    } else if (!self->only_arguments && strcmp(word, "--") == 0) {
        self->only_arguments = true;
    } else if (!self->only_arguments && word[0] == '-' && word[1] != '\0') {
        const struct ctl_option *option = find_option(self->command, word);
        const bool has_value = word[1] == '-' ? strchr(word, '=') != NULL : word[2] != '\0';

        self->option = option != NULL && option->argument != NULL && !has_value ? option : NULL;
    } else if (self->command == NULL) {
        take_name(self, word);
    } else {
        self->input.arguments[self->input.count++] = word;
    }
}

static void tell_word(void *context, const char *word, const char *summary)
{
    const struct place *self = context;

    if (strncmp(word, self->current, strlen(self->current)) == 0) {
        printf("%s%s%s%s\n", self->prefix, word, summary != NULL ? "\t" : "",
               summary != NULL ? summary : "");
    }
}

static void tell_values(struct place *self, const struct ctl_option *option)
{
    if (option->values != NULL) {
        ctl_tell_names(option->values, tell_word, self);
    } else if (option->words != NULL) {
        option->words(tell_word, self);
    } else if (strcmp(option->argument, "FILE") == 0) {
        fputs(FILES, stdout);
    } else if (strcmp(option->argument, "DIR") == 0) {
        fputs(FOLDERS, stdout);
    }
}

static void tell_options(struct place *self)
{
    const struct ctl_option *const tables[] = {
        self->command != NULL ? self->command->options : NULL, ctl_global_options};

    for (size_t i = 0; i < 2; i++) {
        for (const struct ctl_option *option = tables[i]; option && option->name; option++) {
            char word[CTL_OPTION_WORDS_SIZE];

            snprintf(word, sizeof word, "--%s", option->name);
            tell_word(self, word, option->summary);
        }
    }
}

static void tell_names(struct place *self)
{
    struct ctl_input input = {.command = &ctl_manual_command, .count = self->group != NULL};
    char *group[] = {self->group != NULL ? (char *)self->group->name : NULL, NULL};

    input.arguments = group;
    ctl_manual_command.words(&input, tell_word, self);
}

static void tell(struct place *self)
{
    const char *current = self->current;
    const struct ctl_option *option =
        current[0] == '-' && !self->only_arguments ? find_option(self->command, current) : NULL;
    const char *equals = strchr(current, '=');

    if (self->option != NULL) {
        tell_values(self, self->option);
    } else if (option != NULL && option->argument != NULL && current[1] == '-' && equals != NULL) {
        char prefix[CTL_OPTION_WORDS_SIZE];

        snprintf(prefix, sizeof prefix, "--%s=", option->name);
        self->prefix = prefix;
        self->current = equals + 1;
        tell_values(self, option);
        self->prefix = "";
    } else if (current[0] == '-' && !self->only_arguments) {
        tell_options(self);
    } else if (self->command == NULL) {
        tell_names(self);
    } else if (self->command->words != NULL) {
        self->command->words(&self->input, tell_word, self);
    } else if (self->command->arguments != NULL &&
               strstr(self->command->arguments, "FILE") != NULL) {
        fputs(FILES, stdout);
    }
}

/* Bash makes words of their own of the = signs. */
static int run_complete(struct ctl *ctl, const struct ctl_input *input)
{
    struct place place = {.current = "", .prefix = ""};

    place.input.arguments =
        ates_arena_alloc(ctl->arena, ((size_t)input->count + 1) * sizeof *place.input.arguments);
    for (int i = 0; i + 1 < input->count; i++) {
        if (strcmp(input->arguments[i], "=") != 0) {
            take_word(&place, input->arguments[i]);
        }
    }
    if (input->count > 0 && strcmp(input->arguments[input->count - 1], "=") != 0) {
        place.current = input->arguments[input->count - 1];
    }
    tell(&place);
    return ctl_flush();
}

const struct ctl_command ctl_complete_command = {
    .name = "__complete",
    .arguments = "[WORD...]",
    .summary = "Print what the last of these words may become, a line each",
    .examples = "atesctl __complete task l",
    .is_local = true,
    .is_hidden = true,
    .takes_all = true,
    .max = -1,
    .run = run_complete,
};
