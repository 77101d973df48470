/* A small file copied whole, with its digest. */
#ifndef ATES_FILE_COPY_H
#define ATES_FILE_COPY_H

#include "core/record.h"

/* Larger ones are refused (-EFBIG). */
#define ATES_FILE_COPY_MAX ((size_t)1 << 20)

/* Copies from to to, which must not be there; it is on the disk with the mode of from when 0 is
 * returned, but for its folder's entry. to NULL: only reads. size and digest (BLAKE2b-256) are what
 * was read. 0, or -errno with a line in error that names the file. */
int ates_file_copy(const char *from, const char *to, uint64_t *size, uint8_t digest[ATES_HASH_SIZE],
                   char *error, size_t error_size);

#endif
