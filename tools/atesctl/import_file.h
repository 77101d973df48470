/* The tasks that a CSV file asks for. */
#ifndef CTL_IMPORT_FILE_H
#define CTL_IMPORT_FILE_H

#include <ates/tasks.h>

#include "ctl.h"

#define IMPORT_KEY_MAX 64u
#define IMPORT_HASH_SIZE 16u

struct import_row {
    struct tasks_create_task task;
    size_t line;
};

/* A file that was read and found good. Texts point into data and ctl->arena. */
struct import_file {
    const char *name;
    char *data;
    size_t size;
    uint8_t hash[IMPORT_HASH_SIZE]; /* of data */
    struct import_row *rows;
    size_t count;
    size_t rounded; /* rows in whose names brackets became parentheses: a title has none */
};

/* Reads and checks the file ("-": stdin); all rows that can't be tasks are listed on stderr, by
 * line. */
int import_file_open(struct ctl *ctl, const char *name, struct import_file *file);
void import_file_close(struct import_file *file);

/* The request id of a row of an import: the same for the same key, place and content, so that who
 * sends it again does nothing new. 32 characters and a NUL. */
void import_request_id(const char *key, size_t row, const struct tasks_create_task *task,
                       char out[33]);

#endif
