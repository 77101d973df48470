/* One log's copy in a backup: a plain file, written and read from its beginning to its end.
 *
 * Layout: "aTES-LOG-COPY-1\n", then parts: a byte of kind, the size (4 bytes, big-endian), that many
 * bytes. Every part is in the stored form of record.h, which ends with a SipHash; first comes what
 * the log says of itself, then the rows of its base, if it has one, then its records in order. No
 * byte but is one of the heading, of a part's frame, or under a hash: LMDB's files have pages that
 * nothing covers, and its library trusts them. */
#ifndef ATES_ARCHIVE_H
#define ATES_ARCHIVE_H

#include <sodium.h>
#include <stdio.h>

#include "core/log.h"

enum ates_archive_kind {
    ATES_ARCHIVE_ABOUT = 'A',
    ATES_ARCHIVE_ROW = 'B',
    ATES_ARCHIVE_RECORD = 'R'
};

/* The largest part: no record comes near it. */
#define ATES_ARCHIVE_PART_MAX (UINT32_C(1) << 30)

/* What the log says of itself. */
struct ates_archive_about {
    struct ates_text service;
    struct ates_text log_id;
    bool has_base;
    struct ates_stored_base base;
};

/* A row of its base. */
struct ates_archive_row {
    struct ates_text table;
    struct ates_bytes key, value;
};
extern const struct ates_message ates_archive_about_message, ates_archive_row_message;

struct ates_archive_writer {
    FILE *file;
    char path[4200];
    crypto_generichash_state digest;
    uint64_t size; /* bytes so far */
    struct ates_buffer part;
};

/* Makes the file path (mode 0600), which must not be there. These return 0, or -errno with a line in
 * error that names the file. */
int ates_archive_create(struct ates_archive_writer *writer, const char *path, char *error,
                        size_t error_size);
int ates_archive_write(struct ates_archive_writer *writer, enum ates_archive_kind kind,
                       struct ates_bytes part, char *error, size_t error_size);
int ates_archive_write_message(struct ates_archive_writer *writer, enum ates_archive_kind kind,
                               const struct ates_message *message, const void *value, char *error,
                               size_t error_size);
/* Has all of it on the disk, and tells its digest (BLAKE2b-256 of the file). */
int ates_archive_finish(struct ates_archive_writer *writer, uint8_t digest[ATES_HASH_SIZE],
                        char *error, size_t error_size);
void ates_archive_abandon(struct ates_archive_writer *writer); /* does nothing where none is open */

struct ates_archive_reader {
    FILE *file;
    char path[4200];
    crypto_generichash_state digest;
    uint64_t offset; /* of what is read next */
    uint64_t size;   /* of the file */
    uint8_t *part;
    size_t capacity;
};

/* The part in hand; its bytes are valid until the next one. */
struct ates_archive_part {
    enum ates_archive_kind kind;
    struct ates_bytes bytes;
    uint64_t offset; /* where it begins in the file */
};

/* -EBADMSG where the file is none; else -errno. error names the file and, for damage, the byte. */
int ates_archive_open(struct ates_archive_reader *reader, const char *path, char *error,
                      size_t error_size);
/* The next part; ATES_NOT_FOUND at the end, from where digest is the file's. */
int ates_archive_next(struct ates_archive_reader *reader, struct ates_archive_part *part,
                      char *error, size_t error_size);
void ates_archive_digest(const struct ates_archive_reader *reader, uint8_t digest[ATES_HASH_SIZE]);
void ates_archive_close(struct ates_archive_reader *reader); /* does nothing where none is open */

#endif
