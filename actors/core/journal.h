/* Log lines: journal fields when stderr is the journal, JSON lines on stderr elsewhere. */
#ifndef ATES_JOURNAL_H
#define ATES_JOURNAL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

/* syslog's levels. */
enum ates_level {
    ATES_ERROR = 3,
    ATES_WARNING = 4,
    ATES_NOTICE = 5,
    ATES_INFO = 6,
    ATES_DEBUG = 7
};

/* One extra field of a line: text, or a number where text is NULL. Names are lower_snake; in the
 * journal they become ATES_NAME. A line that speaks of a command or an event has these names where
 * it knows them: command, seq (of the log that the line names, else of the service's own), trace. */
struct ates_log_field {
    const char *name;
    const char *text;
    int64_t number;
};

/* The level with this name (error, warning, notice, info, debug), or -EINVAL. */
int ates_level_parse(const char *name);

/* Sets the level once, before any thread starts. Unknown name: -EINVAL. */
int ates_journal_open(const char *level);
bool ates_journal_enabled(enum ates_level level);

/* Writes one line: service (may be NULL), message (printf), and fields (may be NULL) ended by a
 * NULL name. Never fails, never blocks on anything but stderr, one write(2) a line; strings are
 * escaped, cut at 1 KiB each. */
__attribute__((format(printf, 4, 5))) void ates_journal(enum ates_level level, const char *service,
                                                        const struct ates_log_field *fields,
                                                        const char *format, ...);

/* The same with a message id (32 hexadecimal digits, or NULL), as catalogue.h gives them. */
__attribute__((format(printf, 5, 0))) void
ates_journal_write(enum ates_level level, const char *id, const char *service,
                   const struct ates_log_field *fields, const char *format, va_list arguments);

/* Whether lines go to the journal, which shows them to the operator by itself. */
bool ates_journal_is_native(void);

#endif
