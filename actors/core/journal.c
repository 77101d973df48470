/* Log lines: journal fields when stderr is the journal, JSON lines elsewhere.
 *
 * Invariant: one line is one datagram or one write(2), and a JSON line is valid whatever the bytes
 * that were to be logged. The level and the target are set once, before any thread starts. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <utf8proc.h>
#ifdef ATES_WITH_SYSTEMD
#define SD_JOURNAL_SUPPRESS_LOCATION /* it would be this file's */
#include <systemd/sd-journal.h>
#endif

#include "core/journal.h"

#define STRING_MAX 1024u /* bytes kept of one */
#define NAME_MAX_SIZE 64u
/* Holds a message and a service of which every byte is escaped (\u0000, six bytes), and many
 * fields. */
#define LINE_SIZE (32u * 1024u)
#define JOURNAL_FIELDS 32u

static const char *const level_names[] = {
    [ATES_ERROR] = "error", [ATES_WARNING] = "warning", [ATES_NOTICE] = "notice",
    [ATES_INFO] = "info",   [ATES_DEBUG] = "debug",
};

static enum ates_level highest = ATES_INFO;
static bool is_journal;

/* Bytes for one line; size never passes LINE_SIZE, what does not fit sets is_cut. */
struct line {
    char data[LINE_SIZE];
    size_t size;
    bool is_cut;
};

int ates_level_parse(const char *name)
{
    for (int level = ATES_ERROR; level <= ATES_DEBUG; level++) {
        if (strcmp(name, level_names[level]) == 0) {
            return level;
        }
    }
    return -EINVAL;
}

/* systemd.exec(5): JOURNAL_STREAM holds the device and inode of the journal's stream. */
static bool stderr_is_journal(void)
{
#ifdef ATES_WITH_SYSTEMD
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    char rest;
    struct stat status;
    return stream != NULL && sscanf(stream, "%llu:%llu%c", &device, &inode, &rest) == 2 &&
           fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device && status.st_ino == inode;
#else
    return false;
#endif
}

int ates_journal_open(const char *level)
{
    const int parsed = ates_level_parse(level);
    if (parsed < 0) {
        return parsed;
    }
    highest = (enum ates_level)parsed;
    is_journal = stderr_is_journal();
    return 0;
}

bool ates_journal_enabled(enum ates_level level)
{
    return level <= highest;
}

bool ates_journal_is_native(void)
{
    return is_journal;
}

/* How many bytes of a string are kept: at most STRING_MAX, and no part of a character. */
static size_t kept_size(const char *string)
{
    size_t size = strnlen(string, STRING_MAX + 1);
    if (size <= STRING_MAX) {
        return size;
    }
    size = STRING_MAX;
    for (size_t back = 0; back < 4; back++) {
        if ((string[size - back] & 0xc0) != 0x80) {
            return size - back;
        }
    }
    return size;
}

static void append(struct line *line, const char *data, size_t size)
{
    if (line->is_cut || size > sizeof line->data - line->size) {
        line->is_cut = true;
        return;
    }
    memcpy(line->data + line->size, data, size);
    line->size += size;
}

static void append_string(struct line *line, const char *string)
{
    append(line, string, strlen(string));
}

static void append_number(struct line *line, int64_t number)
{
    char text[24];
    append(line, text, (size_t)snprintf(text, sizeof text, "%lld", (long long)number));
}

/* RFC 8259, section 7. */
static void append_json_string(struct line *line, const char *string)
{
    const size_t size = kept_size(string);

    append(line, "\"", 1);
    for (size_t i = 0; i < size;) {
        utf8proc_int32_t character;
        const utf8proc_ssize_t width =
            utf8proc_iterate((const uint8_t *)string + i, (utf8proc_ssize_t)(size - i), &character);
        if (width <= 0) {
            append_string(line, "\xef\xbf\xbd"); /* U+FFFD */
            i++;
            continue;
        }
        if (character == '"' || character == '\\') {
            const char escaped[2] = {'\\', string[i]};
            append(line, escaped, sizeof escaped);
        } else if (character < 0x20 || character == 0x7f) {
            char escaped[8];
            snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned)character & 0x7fu);
            append_string(line, escaped);
        } else {
            append(line, string + i, (size_t)width);
        }
        i += (size_t)width;
    }
    append(line, "\"", 1);
}

static void append_json_field(struct line *line, const char *name, const char *text)
{
    append(line, ",", 1);
    append_json_string(line, name);
    append(line, ":", 1);
    append_json_string(line, text);
}

/* RFC 3339, UTC, milliseconds. */
static void append_time(struct line *line)
{
    struct timespec now;
    struct tm utc;
    char text[40];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    append(line, text, strftime(text, sizeof text, "%FT%T", &utc));
    append(line, text, (size_t)snprintf(text, sizeof text, ".%03dZ", (int)(now.tv_nsec / 1000000)));
}

static void write_json(enum ates_level level, const char *id, const char *service,
                       const char *message, const struct ates_log_field *fields)
{
    static const char end[] = "}\n";
    struct line line;
    line.size = 0;
    line.is_cut = false;

    append_string(&line, "{\"time\":\"");
    append_time(&line);
    append_string(&line, "\"");
    append_json_field(&line, "level", level_names[level]);
    if (service != NULL) {
        append_json_field(&line, "service", service);
    }
    append_json_field(&line, "message", message);
    if (id != NULL) {
        append_json_field(&line, "message_id", id);
    }
    for (; fields != NULL && fields->name != NULL; fields++) {
        const size_t before = line.size;
        if (fields->text != NULL) {
            append_json_field(&line, fields->name, fields->text);
        } else {
            append(&line, ",", 1);
            append_json_string(&line, fields->name);
            append(&line, ":", 1);
            append_number(&line, fields->number);
        }
        if (line.is_cut || sizeof line.data - line.size < strlen(end)) {
            line.size = before; /* a field that does not fit is left out whole */
            line.is_cut = false;
        }
    }
    append_string(&line, end);

    ssize_t written;
    do {
        written = write(STDERR_FILENO, line.data, line.size);
    } while (written < 0 && errno == EINTR);
}

#ifdef ATES_WITH_SYSTEMD
/* Starts the field PREFIX + NAME in upper case, and "=". */
static void begin_field(struct line *line, const char *prefix, const char *name)
{
    append_string(line, prefix);
    for (size_t i = 0; i < NAME_MAX_SIZE && name[i] != '\0'; i++) {
        const char c = name[i];
        const char upper = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        append(line, &upper, 1);
    }
    append_string(line, "=");
}

/* The fields of a journal entry: pieces of one line. */
struct entry {
    struct line line;
    struct iovec fields[JOURNAL_FIELDS];
    int count;
};

/* Ends the field that began at start, or leaves it out where there was no room for it. */
static void end_field(struct entry *entry, size_t start)
{
    if (entry->line.is_cut || entry->count == (int)JOURNAL_FIELDS) {
        entry->line.size = start;
        entry->line.is_cut = false;
        return;
    }
    entry->fields[entry->count].iov_base = entry->line.data + start;
    entry->fields[entry->count].iov_len = entry->line.size - start;
    entry->count++;
}

static void add_text(struct entry *entry, const char *prefix, const char *name, const char *text)
{
    const size_t start = entry->line.size;
    begin_field(&entry->line, prefix, name);
    append(&entry->line, text, kept_size(text));
    end_field(entry, start);
}

static void add_number(struct entry *entry, const char *prefix, const char *name, int64_t number)
{
    const size_t start = entry->line.size;
    begin_field(&entry->line, prefix, name);
    append_number(&entry->line, number);
    end_field(entry, start);
}

static int send_entry(enum ates_level level, const char *id, const char *service,
                      const char *message, const struct ates_log_field *fields)
{
    struct entry entry;
    entry.line.size = 0;
    entry.line.is_cut = false;
    entry.count = 0;

    add_text(&entry, "", "message", message);
    add_number(&entry, "", "priority", level);
    if (id != NULL) {
        add_text(&entry, "", "message_id", id);
    }
    if (service != NULL) {
        add_text(&entry, "ATES_", "service", service);
    }
    for (; fields != NULL && fields->name != NULL; fields++) {
        if (fields->text != NULL) {
            add_text(&entry, "ATES_", fields->name, fields->text);
        } else {
            add_number(&entry, "ATES_", fields->name, fields->number);
        }
    }
    return sd_journal_sendv(entry.fields, entry.count);
}
#endif

void ates_journal_write(enum ates_level level, const char *id, const char *service,
                        const struct ates_log_field *fields, const char *format, va_list arguments)
{
    if (!ates_journal_enabled(level)) {
        return;
    }
    const int saved_errno = errno;
    /* Longer than what is kept, so that kept_size sees where to cut. */
    char message[STRING_MAX + 8];
    const int length = vsnprintf(message, sizeof message, format, arguments);
    const char *said = length < 0 ? format : message;

#ifdef ATES_WITH_SYSTEMD
    if (is_journal && send_entry(level, id, service, said, fields) >= 0) {
        errno = saved_errno;
        return;
    }
#endif
    write_json(level, id, service, said, fields);
    errno = saved_errno;
}

void ates_journal(enum ates_level level, const char *service, const struct ates_log_field *fields,
                  const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    ates_journal_write(level, NULL, service, fields, format, arguments);
    va_end(arguments);
}
