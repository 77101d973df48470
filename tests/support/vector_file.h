/* The vectors of tests/vectors, which clients in other languages are tested with too. Invariant: none is passed over - a
 * key that the test does not know fails it. Everything here fails the test where anything goes wrong. */
#ifndef ATES_TEST_VECTOR_FILE_H
#define ATES_TEST_VECTOR_FILE_H

#include <jansson.h>

#include <ates/message.h>

/* The vectors of a file, an array that the caller releases. keys: all that they may have besides name and valid, NULL at
 * the end. */
json_t *vector_file_load(const char *path, const char *const *keys);

const char *vector_name(const json_t *vector);
bool vector_is_valid(const json_t *vector);
/* A text of it; NULL where it is absent or null. */
const char *vector_text(const json_t *vector, const char *key);

/* The bytes that a text of hexadecimal digits stands for, from arena; a block of their own, so that a read beyond them
 * shows. */
struct ates_bytes vector_bytes(const json_t *hex, struct ates_arena *arena);

/* The msgpack value in these bytes, as the files write it; the caller releases it. NULL where they are not one value
 * within PROTOCOL.md's limits. */
json_t *vector_value(struct ates_bytes bytes);

#endif
