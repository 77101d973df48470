/* A reader of CSV; see csv.h. Invariant: a field is exactly what was written, no guess is made of
 * what may have been meant. */
#include "csv.h"

#include <errno.h>
#include <string.h>

void csv_open(struct csv_reader *self, const void *data, size_t size)
{
    static const char mark[] = "\xef\xbb\xbf";
    const size_t skipped =
        size >= strlen(mark) && memcmp(data, mark, strlen(mark)) == 0 ? strlen(mark) : 0;

    *self = (struct csv_reader){
        .at = (const char *)data + skipped, .end = (const char *)data + size, .line = 1};
}

/* How many bytes at at end a line: 0 where none does. */
static size_t line_end(const struct csv_reader *self)
{
    if (self->at < self->end && self->at[0] == '\n') {
        return 1;
    }
    return self->end - self->at >= 2 && self->at[0] == '\r' && self->at[1] == '\n' ? 2 : 0;
}

/* Copies what was between the quotes, "" as one quote. */
static struct ates_text unquote(const char *data, size_t size, size_t pairs,
                                struct ates_arena *arena)
{
    if (pairs == 0) {
        return (struct ates_text){data, size};
    }
    char *text = ates_arena_alloc(arena, size - pairs);
    size_t used = 0;

    for (size_t i = 0; i < size; i++) {
        text[used++] = data[i];
        i += data[i] == '"';
    }
    return (struct ates_text){text, used};
}

static const char *read_quoted(struct csv_reader *self, struct ates_arena *arena,
                               struct ates_text *field)
{
    const char *begin = ++self->at;
    size_t pairs = 0;

    for (; self->at < self->end; self->at++) {
        self->line += self->at[0] == '\n';
        if (self->at[0] != '"') {
            continue;
        }
        if (self->at + 1 == self->end || self->at[1] != '"') {
            *field = unquote(begin, (size_t)(self->at - begin), pairs, arena);
            self->at++;
            return NULL;
        }
        pairs++;
        self->at++;
    }
    return "the closing quote is missing";
}

static const char *read_plain(struct csv_reader *self, struct ates_text *field)
{
    const char *begin = self->at;

    while (self->at < self->end && self->at[0] != ',' && line_end(self) == 0) {
        if (self->at[0] == '"') {
            return "a quote within a field that does not begin with one";
        }
        self->at++;
    }
    *field = (struct ates_text){begin, (size_t)(self->at - begin)};
    return NULL;
}

/* Reads fields up to the end of the row's last line. */
static const char *read_row(struct csv_reader *self, struct ates_arena *arena, struct csv_row *row)
{
    for (;;) {
        if (row->count == CSV_FIELDS_MAX) {
            return "more than 64 fields";
        }
        struct ates_text *field = &row->fields[row->count++];
        const bool quoted = self->at < self->end && self->at[0] == '"';
        const char *problem = quoted ? read_quoted(self, arena, field) : read_plain(self, field);

        if (problem != NULL) {
            return problem;
        }
        const size_t ending = line_end(self);
        if (ending > 0 || self->at == self->end) {
            self->at += ending;
            self->line += ending > 0;
            return NULL;
        }
        if (self->at[0] != ',') {
            return "text after the closing quote";
        }
        self->at++;
    }
}

int csv_next(struct csv_reader *self, struct ates_arena *arena, struct csv_row *row,
             const char **problem)
{
    for (size_t ending = line_end(self); ending > 0; ending = line_end(self)) {
        self->at += ending;
        self->line++;
    }
    row->line = self->line;
    row->count = 0;
    if (self->at == self->end) {
        return 0;
    }
    *problem = read_row(self, arena, row);
    return *problem == NULL ? 1 : -EINVAL;
}
