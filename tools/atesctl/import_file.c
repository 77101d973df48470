/* Reads a CSV file of tasks; see import_file.h. Invariant: a file is taken whole or not at all. */
#include "import_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "core/text.h"
#include "csv.h"

#define FILE_SIZE_MAX ((size_t)1 << 30)
#define ABSENT SIZE_MAX

/* Where the columns are that a task is made of. */
struct columns {
    size_t name, description, jira_id; /* ABSENT: there is none */
    size_t count;
};

static int read_all(int descriptor, char **data, size_t *size)
{
    size_t capacity = 0, used = 0;
    char *bytes = NULL;

    for (;;) {
        if (used == capacity) {
            capacity = capacity == 0 ? 1u << 16 : 2 * capacity;
            char *grown = capacity <= 2 * FILE_SIZE_MAX ? realloc(bytes, capacity) : NULL;

            if (grown == NULL) {
                free(bytes);
                return -EFBIG;
            }
            bytes = grown;
        }
        const ssize_t got = read(descriptor, bytes + used, capacity - used);
        if (got < 0 && errno != EINTR) {
            free(bytes);
            return -errno;
        }
        if (got == 0) {
            break;
        }
        used += got > 0 ? (size_t)got : 0;
    }
    *data = bytes;
    *size = used;
    return 0;
}

static int load(const char *name, struct import_file *file)
{
    const bool is_stdin = strcmp(name, "-") == 0;
    const int descriptor = is_stdin ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int r = descriptor < 0 ? -errno : read_all(descriptor, &file->data, &file->size);

    if (descriptor >= 0 && !is_stdin) {
        close(descriptor);
    }
    return r == 0 ? CTL_OK
                  : ctl_fail(CTL_USAGE, NULL, "cannot read %s: %s", name,
                             r == -EFBIG ? "it is larger than 1 GiB" : strerror(-r));
}

static bool is_called(struct ates_text field, const char *name)
{
    return field.size == strlen(name) && strncasecmp(field.data, name, field.size) == 0;
}

/* Notes where the column of this name is. */
static int find_column(const struct import_file *file, const struct csv_row *head, const char *name,
                       size_t *column)
{
    *column = ABSENT;
    for (size_t i = 0; i < head->count; i++) {
        if (!is_called(head->fields[i], name)) {
            continue;
        }
        if (*column != ABSENT) {
            return ctl_fail(CTL_REFUSED, NULL, "%s:%zu: there are two columns '%s'", file->name,
                            head->line, name);
        }
        *column = i;
    }
    return CTL_OK;
}

static int read_head(const struct import_file *file, const struct csv_row *head,
                     struct columns *columns)
{
    int code = find_column(file, head, "name", &columns->name);
    if (code == CTL_OK) {
        code = find_column(file, head, "description", &columns->description);
    }
    if (code == CTL_OK) {
        code = find_column(file, head, "jira_id", &columns->jira_id);
    }
    if (code != CTL_OK) {
        return code;
    }
    if (columns->name == ABSENT) {
        const bool other_separator = head->count == 1 && head->fields[0].size > 0 &&
                                     (memchr(head->fields[0].data, ';', head->fields[0].size) ||
                                      memchr(head->fields[0].data, '\t', head->fields[0].size));

        return ctl_fail(CTL_REFUSED, "make the first line: name,description",
                        other_separator ? "%s:%zu: the fields must be separated by commas"
                                        : "%s:%zu: there is no column 'name'",
                        file->name, head->line);
    }
    columns->count = head->count;
    for (size_t i = 0; i < head->count; i++) {
        if (i != columns->name && i != columns->description && i != columns->jira_id) {
            ctl_say("atesctl: %s: the column '%.*s' is not imported", file->name,
                    (int)(head->fields[i].size < 60 ? head->fields[i].size : 60),
                    head->fields[i].data);
        }
    }
    return CTL_OK;
}

/* A text in which every line ends in a newline alone, as in a task's. */
static struct ates_text plain_newlines(struct ctl *ctl, struct ates_text text)
{
    if (text.size == 0 || memmem(text.data, text.size, "\r\n", 2) == NULL) {
        return text;
    }
    char *copy = ates_arena_alloc(ctl->arena, text.size);
    size_t used = 0;

    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] != '\r' || i + 1 == text.size || text.data[i + 1] != '\n') {
            copy[used++] = text.data[i];
        }
    }
    return (struct ates_text){copy, used};
}

static size_t count_brackets(struct ates_text text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.size; i++) {
        count += text.data[i] == '[' || text.data[i] == ']';
    }
    return count;
}

/* The name as it stands in the file, "[JIRA-123] title" too, and the id that a column of its own
 * gives. Whether both fit together. */
static bool set_title(struct ctl *ctl, struct import_file *file, struct ates_text name,
                      struct ates_text jira_id, struct tasks_create_task *task)
{
    const struct tasks_title title = tasks_title_split(name, ctl->arena);
    const bool is_given = jira_id.size > 0;

    if (is_given && title.has_jira_id && !ates_text_equal(title.jira_id, jira_id)) {
        return false;
    }
    task->name = title.title;
    task->has_jira_id = is_given || title.has_jira_id;
    task->jira_id = is_given ? jira_id : title.jira_id;
    /* The id's own two are no part of the title. */
    file->rounded += count_brackets(name) > (title.has_jira_id ? 2 : 0);
    return true;
}

/* Whether the row can be a task; what is wrong is said. */
static bool read_task(struct ctl *ctl, struct import_file *file, const struct columns *columns,
                      const struct csv_row *row, struct import_row *out)
{
    struct ates_text jira_id = {"", 0};
    struct ates_refusal refusal;

    if (row->count != columns->count) {
        ctl_say("%s:%zu: %zu fields, but the first line has %zu", file->name, row->line, row->count,
                columns->count);
        return false;
    }
    out->line = row->line;
    if (columns->jira_id != ABSENT) {
        jira_id = row->fields[columns->jira_id];
    }
    if (!set_title(ctl, file, plain_newlines(ctl, row->fields[columns->name]), jira_id,
                   &out->task)) {
        ctl_say("%s:%zu: the name begins with another issue's id than the column jira_id has",
                file->name, row->line);
        return false;
    }
    out->task.description = columns->description != ABSENT
                                ? plain_newlines(ctl, row->fields[columns->description])
                                : ates_text_from("");
    if (ates_message_check(&tasks_create_task_message, &out->task, &refusal) != 0) {
        ctl_say("%s:%zu: %s", file->name, row->line, refusal.message);
        return false;
    }
    return true;
}

static struct import_row *grow(struct import_file *file, size_t *capacity)
{
    if (file->count == *capacity) {
        *capacity = *capacity == 0 ? 1024 : 2 * *capacity;
        struct import_row *grown = realloc(file->rows, *capacity * sizeof *grown);

        if (grown == NULL) {
            return NULL;
        }
        file->rows = grown;
    }
    return &file->rows[file->count];
}

static int read_rows(struct ctl *ctl, struct import_file *file, struct csv_reader *reader,
                     const struct columns *columns)
{
    const char *problem = NULL;
    size_t capacity = 0, bad = 0;
    struct csv_row row;
    int r;

    while ((r = csv_next(reader, ctl->arena, &row, &problem)) == 1) {
        struct import_row *out = grow(file, &capacity);

        if (out == NULL) {
            return ctl_fail(CTL_REFUSED, NULL, "out of memory");
        }
        if (read_task(ctl, file, columns, &row, out)) {
            file->count++;
        } else {
            bad++;
        }
    }
    if (r < 0) {
        ctl_say("%s:%zu: %s; the rest could not be read", file->name, row.line, problem);
        bad++;
    }
    if (bad > 0) {
        return ctl_fail(CTL_REFUSED,
                        ates_utf8_valid(file->data, file->size)
                            ? "correct the file and import it again"
                            : "iconv -f WINDOWS-1251 -t UTF-8 FILE.csv > UTF-8.csv, with the "
                              "file's own encoding",
                        "nothing was imported: %s has %zu bad row%s", file->name, bad,
                        bad == 1 ? "" : "s");
    }
    return CTL_OK;
}

static int read_file(struct ctl *ctl, struct import_file *file)
{
    struct csv_reader reader;
    struct columns columns = {.count = 0};
    struct csv_row head;
    const char *problem = NULL;

    int code = load(file->name, file);
    if (code != CTL_OK) {
        return code;
    }
    crypto_generichash(file->hash, sizeof file->hash, (const uint8_t *)file->data, file->size, NULL,
                       0);
    csv_open(&reader, file->data, file->size);
    const int r = csv_next(&reader, ctl->arena, &head, &problem);
    if (r <= 0) {
        return ctl_fail(CTL_REFUSED, NULL, "%s:%zu: %s", file->name, head.line,
                        r == 0 ? "the file is empty" : problem);
    }
    code = read_head(file, &head, &columns);
    return code == CTL_OK ? read_rows(ctl, file, &reader, &columns) : code;
}

int import_file_open(struct ctl *ctl, const char *name, struct import_file *file)
{
    *file = (struct import_file){.name = name};
    const int code = read_file(ctl, file);

    if (code != CTL_OK) {
        import_file_close(file);
    }
    return code;
}

void import_file_close(struct import_file *file)
{
    free(file->rows);
    free(file->data);
    *file = (struct import_file){.name = NULL};
}

/* A part with its size before it, so that no two lists of parts hash alike. */
static void add_part(crypto_generichash_state *state, const void *data, size_t size)
{
    const uint64_t size_then = size;

    crypto_generichash_update(state, (const uint8_t *)&size_then, sizeof size_then);
    crypto_generichash_update(state, data, size);
}

void import_request_id(const char *key, size_t row, const struct tasks_create_task *task,
                       char out[33])
{
    const uint64_t number = row;
    crypto_generichash_state state;
    uint8_t hash[16];

    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    add_part(&state, key, strlen(key));
    add_part(&state, &number, sizeof number);
    add_part(&state, task->name.data, task->name.size);
    add_part(&state, task->description.data, task->description.size);
    if (task->has_jira_id) {
        add_part(&state, task->jira_id.data, task->jira_id.size);
    }
    crypto_generichash_final(&state, hash, sizeof hash);
    sodium_bin2hex(out, 33, hash, sizeof hash);
}
