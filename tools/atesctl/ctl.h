/* atesctl: what its command groups share.
 *
 * A group is one file that exports one const struct ctl_group; a command is one const struct
 * ctl_command, from which arguments are parsed and help is printed. Invariant: data goes to stdout,
 * words go to stderr; a command's function says what went wrong itself (ctl_fail) and returns its
 * exit code. */
#ifndef CTL_H
#define CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <ates/client.h>

#include "core/config.h"

/* The rows of the tables below leave out what they don't have. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

enum ctl_exit {
    CTL_OK = 0,
    CTL_REFUSED = 1, /* a refusal that has no code of its own, and faults of this machine */
    CTL_USAGE = 2,
    CTL_NOT_FOUND = 3,
    CTL_NOT_SIGNED_IN = 4,
    CTL_CONFLICT = 5,
    CTL_FORBIDDEN = 6,
    CTL_UNREACHABLE = 7,
    CTL_INTERRUPTED = 130
};

/* In the order of ates_output_names. CTL_WIDE is a word only: what runs has CTL_TABLE, and is_wide.
 * A table is for people, the others are for programs; output.c writes them all. */
enum ctl_format { CTL_TABLE, CTL_WIDE, CTL_JSON, CTL_NDJSON, CTL_CSV, CTL_NAME, CTL_CLOUDEVENTS };

struct ctl_session;

#define CTL_CONTEXT_SIZE 65u /* of a context's name */

/* What named the context in use. */
enum ctl_context_source {
    CTL_CONTEXT_NONE,
    CTL_CONTEXT_OPTION,
    CTL_CONTEXT_ENVIRONMENT,
    CTL_CONTEXT_KEPT
};

/* One run of atesctl. */
struct ctl {
    /* Its sources: files, the context, the environment and --run. Its time zone is the process's. */
    struct ates_config config;
    enum ates_origin origins[ATES_SETTING_MAX]; /* of its values */
    char context[CTL_CONTEXT_SIZE];             /* empty: none is in use */
    enum ctl_context_source context_source;
    enum ctl_format format;
    bool is_wide;       /* of a table: nothing is cut or left out */
    bool no_input;      /* never ask */
    bool yes;           /* what would be asked before a bulk change is answered yes */
    int64_t timeout_ms; /* of one call; while options are taken, 0: not given */
    const struct ctl_group *group;
    const struct ctl_command *command;
    struct ates_arena *arena;    /* for as long as the command runs */
    struct ates_client *client;  /* see remote.h; NULL until the first call */
    struct ctl_session *session; /* see session_store.h; NULL until it was loaded */
};

/* Hears of a word that may stand somewhere, and what it means (NULL: it says so itself). */
typedef void ctl_word_fn(void *context, const char *word, const char *summary);

/* An option of a command. Those of every command are line.c's. */
struct ctl_option {
    const char *name;     /* without the dashes */
    const char *argument; /* its name in help; NULL for a flag. FILE and DIR are completed so */
    const char *summary;
    const char *const *values; /* the only ones there are, as an ENUM field's names; NULL: any */
    bool is_needed;
    void (*words)(ctl_word_fn *tell, void *context); /* tells values there are; NULL: any may be */
    char letter;                                     /* its short form; 0: none */
};

#define CTL_OPTIONS_MAX 16

struct ctl_command;

/* What the command line gave to a command. */
struct ctl_input {
    const struct ctl_command *command;
    char **arguments; /* positional ones; NULL at the end */
    int count;
    const char *values[CTL_OPTIONS_MAX]; /* by the index in command->options */
};

#define CTL_TIMEOUT_MS 5000

struct ctl_command {
    const char *name;
    const char *arguments; /* the positional ones in help: "USER ROLE"; NULL for none */
    const char *summary;
    const char *notes;                /* lines for help, after the summary; NULL for none */
    const char *examples;             /* lines without indentation; NULL for none */
    const char *look;                 /* what shows whether a change was made; NULL: none is */
    int64_t timeout_ms;               /* of its calls; 0: CTL_TIMEOUT_MS */
    const struct ctl_option *options; /* NULL, or ended by a NULL name */
    bool is_hidden;                   /* told of nowhere */
    bool takes_all;                   /* what looks like an option behind it is an argument */
    bool is_local;     /* asks no service, and runs also where the configuration is wrong */
    bool tells_events; /* knows the format cloudevents */
    int min, max;      /* positional arguments; max -1: any number */
    int (*run)(struct ctl *ctl, const struct ctl_input *input); /* returns enum ctl_exit */
    /* Tells the words that may stand behind those in input; NULL: any may. */
    void (*words)(const struct ctl_input *input, ctl_word_fn *tell, void *context);
    /* Help on what the arguments name, instead of the command's own; returns enum ctl_exit. NULL:
     * there is none. Called with one argument or more. */
    int (*help)(const struct ctl_input *input);
};

struct ctl_group {
    const char *name; /* NULL: its commands are words of their own ("login") */
    const char *summary;
    const struct ctl_command *const *commands; /* NULL at the end */
};

extern const struct ctl_group session_group, context_group, user_group, task_group, account_group,
    mail_group, report_group, payment_group, events_group, bench_group, call_group, admin_group,
    help_group;

/* Tells each of the names of an ENUM. */
void ctl_tell_names(const char *const *names, ctl_word_fn *tell, void *context);

/* An option's value, NULL where it was not given ("" for a flag that was). name must be in the
 * command's table. */
const char *ctl_value(const struct ctl_input *input, const char *name);

/* Prints "atesctl: WORDS; try: ADVICE" (advice may be NULL) on stderr. Returns code. Control
 * characters in the words are printed as '?'. */
__attribute__((format(printf, 3, 4))) int ctl_fail(enum ctl_exit code, const char *advice,
                                                   const char *format, ...);

/* Prints "WORDS" as a line on stderr. */
__attribute__((format(printf, 1, 2))) void ctl_say(const char *format, ...);

/* Prints "WORDS" as a line on stdout: data that is told in words. is_bad: in red, where stdout is a
 * terminal that has colours and NO_COLOR is not set (no-color.org). */
__attribute__((format(printf, 2, 3))) void ctl_tell(bool is_bad, const char *format, ...);

/* Whether this stream is a terminal that knows escape sequences: TERM=dumb does not. */
bool ctl_is_terminal(FILE *stream);

/* "task reassign", "login": the words by which a command is called. Returns out. */
#define CTL_COMMAND_WORDS_SIZE 64u
const char *ctl_command_words(const struct ctl_group *group, const struct ctl_command *command,
                              char out[CTL_COMMAND_WORDS_SIZE]);

/* Before a bulk change: CTL_OK where the user said --yes or can be asked, else CTL_USAGE with the
 * reason said. what tells of the change: "this pays out every positive balance". */
int ctl_check_consent(const struct ctl *ctl, const char *what);

/* Then: CTL_OK where the user said --yes or answers the question so, else another code with the
 * reason said. unchanged: "nobody was paid". */
int ctl_confirm(const struct ctl *ctl, const char *question, const char *unchanged);

#define CTL_PASSWORD_SIZE 1026u /* 256 characters of 4 bytes, a newline and a NUL */

/* Where a password comes from. */
struct ctl_password_source {
    const char *file;    /* its first line ("-": stdin); NULL: asked for without echo */
    const char *instead; /* how to give it where nobody can be asked */
    const char *prompt;  /* "Password of ann" */
    bool confirm;        /* ask twice, until both are the same */
};

/* Reads a password. Returns CTL_OK with it in out, or another code with the reason said. The caller
 * wipes out with sodium_memzero. */
int ctl_read_password(const struct ctl *ctl, const struct ctl_password_source *source,
                      char out[CTL_PASSWORD_SIZE]);

/* Reads one line from the terminal. Codes as above. */
int ctl_read_line(const struct ctl *ctl, const char *prompt, char *out, size_t size);

/* A decimal number; the reason is said where it is none. what names it: "task id". */
int ctl_parse_number(const char *text, const char *what, uint64_t min, uint64_t max, uint64_t *out);

#endif
