/* Reads CSV (RFC 4180) from memory: quoted fields, which may hold newlines, "" for a quote in them,
 * lines that end in CRLF or LF, a UTF-8 byte order mark. Lines without anything are skipped. */
#ifndef CTL_CSV_H
#define CTL_CSV_H

#include <ates/message.h>

#define CSV_FIELDS_MAX 64u

struct csv_reader {
    const char *at, *end;
    size_t line; /* of at, from 1 */
};

struct csv_row {
    struct ates_text fields[CSV_FIELDS_MAX];
    size_t count;
    size_t line; /* on which the row begins */
};

void csv_open(struct csv_reader *self, const void *data, size_t size);

/* Reads the next row. Fields point into the data, or into the arena where quotes had to be taken
 * out of them. Returns 1; 0 at the end; or -EINVAL with what is wrong in words, and row->line where
 * it is: what follows can't be told apart from there on. */
int csv_next(struct csv_reader *self, struct ates_arena *arena, struct csv_row *row,
             const char **problem);

#endif
