/* The log: a service's events, append-only and durable, in an LMDB environment of its own.
 *
 * The seam is narrow on purpose (append, read, head), so that another kind of log can stand behind
 * it. Layout of its one table: key {first_seq, number}, both big-endian, value a stored record; keys
 * {0, 0} and {0, 1} hold the log's id and whose log it is, {0, 2} where it begins, if it was
 * compacted. Records only ever go to the end. */
#ifndef ATES_LOG_H
#define ATES_LOG_H

#include <lmdb.h>

#include "core/random.h"
#include "core/record.h"

struct ates_log;

/* Where a log ends, or ended after one of its records. */
struct ates_log_head {
    uint64_t number;              /* of its last record, 0 where empty */
    uint64_t seq;                 /* of its last event, 0 where there is none */
    int64_t time;                 /* of its last record */
    uint8_t hash[ATES_HASH_SIZE]; /* of its last envelope, zeros where there is none */
};

bool ates_log_head_equal(const struct ates_log_head *a, const struct ates_log_head *b);
/* Where the log ends after this record. */
void ates_record_head(const struct ates_record *record, struct ates_log_head *head);

/* Where a compacted log begins: the records up to this head were cut off, and what they came to is
 * in its base (base.h). */
struct ates_base_note {
    struct ates_log_head head;
    uint64_t state_version;         /* of the base's rows */
    uint8_t digest[ATES_HASH_SIZE]; /* of the base's rows */
};

/* The note as it is stored, in a log and in a copy of one. */
struct ates_stored_base {
    uint64_t number, seq;
    int64_t time;
    struct ates_bytes hash;
    uint64_t state_version;
    struct ates_bytes digest;
};
extern const struct ates_message ates_stored_base_message;
struct ates_stored_base
ates_base_note_store(const struct ates_base_note *note); /* points into it */
void ates_base_note_load(const struct ates_stored_base *stored, struct ates_base_note *note);

/* Opens (creates where missing, drawing its id) the log in folder path. 0, or -errno with error
 * filled. */
int ates_log_open(struct ates_log **log, const char *path, size_t map_size,
                  const struct ates_source *source, char *error, size_t error_size);
/* Opens the log that is in folder path for reading only, while its service may be appending to it in
 * another process; the head stays the one of this moment. -ENOENT where there is none. Close it, and
 * open nothing else there in this process meanwhile (environment.h). */
int ates_log_open_read(struct ates_log **log, const char *path, char *error, size_t error_size);
/* Makes an empty log in folder path, which must not be there: with this id, its service's, beginning
 * at base (NULL: at its first record). 0, or -errno with error filled. */
int ates_log_create(struct ates_log **log, const char *path, size_t map_size, const char *id,
                    const char *service, const struct ates_base_note *base, char *error,
                    size_t error_size);
void ates_log_close(struct ates_log **log);

/* Makes the log this service's for ever. -EUCLEAN, with error filled, where it is another's: its folder was moved. */
int ates_log_claim(struct ates_log *log, const char *service, char *error, size_t error_size);

const char *ates_log_id(const struct ates_log *log); /* a UUID */
const struct ates_log_head *ates_log_head(const struct ates_log *log);
/* NULL where the log has its first record. */
const struct ates_base_note *ates_log_base(const struct ates_log *log);
unsigned ates_log_used_permille(const struct ates_log *log);
/* Forgets readers in other processes that have died within a read, as a backup that was killed: until
 * then no page that the log has done with since can be used again, and its file grows with every commit.
 * Cheap; to be called now and then. */
void ates_log_drop_dead_readers(struct ates_log *log);

/* A record in its stored form. */
struct ates_stored_record {
    uint64_t number;
    uint64_t first_seq;
    struct ates_bytes bytes;
};

/* Appends records durably, all or none: when 0 is returned they are on disk. expected is the head
 * that their writer saw (-ESTALE where the log has another); head is the one after them. -ENOSPC:
 * nothing was written, the log goes on; any other fault: the caller must end the process, as the
 * log's state on disk is not known. */
int ates_log_append(struct ates_log *log, const struct ates_log_head *expected,
                    const struct ates_stored_record *records, size_t count,
                    const struct ates_log_head *head);

/* Makes a log of the same id and owner in folder path, which must not be there: it begins at base
 * and has this one's records after it, to the same head. It is on the disk when 0 is returned, but
 * for the folders' own entries. -errno with error filled: what was made of it may be there. */
int ates_log_copy_after(struct ates_log *log, const struct ates_base_note *base, const char *path,
                        char *error, size_t error_size);

/* Reads stored records in order within one snapshot. Bytes are valid until the reader closes; keep
 * it open briefly. One reader a log and thread. */
struct ates_log_reader {
    MDB_txn *txn;
    MDB_cursor *cursor;
    uint64_t head_seq; /* of the snapshot */
    bool started;
    bool found;
};
int ates_log_read_open(struct ates_log_reader *reader, struct ates_log *log);
void ates_log_read_close(struct ates_log_reader *reader);
/* Goes to the record that holds the event seq (from 1); to the log's end where there is none yet;
 * to its first record where the event was cut off. */
int ates_log_read_seek(struct ates_log_reader *reader, uint64_t seq);
/* Goes to the record {first_seq, number}; where it is absent, to the one after it. */
int ates_log_read_seek_record(struct ates_log_reader *reader, uint64_t first_seq, uint64_t number);
/* Whether the record is found by its key, as reads from the middle of the log find it: 0,
 * ATES_NOT_FOUND, or a fault. The reader stays where it is. */
int ates_log_read_finds(const struct ates_log_reader *reader, uint64_t first_seq, uint64_t number);
/* All rows, what the log says of itself included, as its file counts them. */
int ates_log_read_count(const struct ates_log_reader *reader, uint64_t *rows);
/* The next stored record: 0 or ATES_NOT_FOUND at the end. */
int ates_log_read_next(struct ates_log_reader *reader, struct ates_stored_record *record);

#endif
