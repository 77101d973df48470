/* Reads CSV (RFC 4180: quotes, doubled quotes, newlines within quotes) of two columns, for tests.
 */
#ifndef ATES_TEST_CSV_H
#define ATES_TEST_CSV_H

#include <stddef.h>

#include <ates/message.h>

struct csv_row {
    struct ates_text cells[2];
};

/* The rows of the file, its header line included, allocated from arena; NULL where it cannot be
 * read or a row has not two cells. */
struct csv_row *csv_read(const char *path, struct ates_arena *arena, size_t *count);

#endif
