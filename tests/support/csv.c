/* CSV; see csv.h. */
#include "support/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 100000u

/* Unquotes one cell in place and goes behind it. Returns the character that ended it, '\0' at the
 * end. */
static char read_cell(char **at, const char *end, struct ates_text *cell)
{
    char *in = *at, *out = *at;
    bool quoted = false;

    cell->data = out;
    for (; in < end; in++) {
        if (*in == '"' && quoted && in + 1 < end && in[1] == '"') {
            *out++ = *in++;
        } else if (*in == '"') {
            quoted = !quoted;
        } else if (!quoted && (*in == ',' || *in == '\n')) {
            break;
        } else if (quoted || *in != '\r') {
            *out++ = *in;
        }
    }
    cell->size = (size_t)(out - cell->data);
    const char last = in < end ? *in : '\0';
    *at = in < end ? in + 1 : in;
    return last;
}

static char *read_file(const char *path, struct ates_arena *arena, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;

    if (file == NULL) {
        return NULL;
    }
    if (fseek(file, 0, SEEK_END) == 0 && ftell(file) >= 0) {
        *size = (size_t)ftell(file);
        rewind(file);
        text = ates_arena_alloc(arena, *size + 1);
        if (fread(text, 1, *size, file) != *size) {
            text = NULL;
        }
    }
    fclose(file);
    return text;
}

struct csv_row *csv_read(const char *path, struct ates_arena *arena, size_t *count)
{
    size_t size, rows = 0;
    char *at = read_file(path, arena, &size);

    if (at == NULL) {
        return NULL;
    }
    const char *end = at + size;
    struct csv_row *table = ates_arena_alloc(arena, ROWS_MAX * sizeof *table);
    while (at < end && rows < ROWS_MAX) {
        if (read_cell(&at, end, &table[rows].cells[0]) != ',' ||
            read_cell(&at, end, &table[rows].cells[1]) == ',') {
            return NULL;
        }
        rows++;
    }
    *count = rows;
    return table;
}
