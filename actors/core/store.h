/* The state: one LMDB environment with named tables, and the transaction that a thread works in.
 *
 * Invariant: after a fault (environment.h tells which there are) the transaction is broken and must
 * be aborted. */
#ifndef ATES_STORE_H
#define ATES_STORE_H

#include <lmdb.h>

#include <ates/message.h>

#define ATES_TABLES_MAX 32u
#define ATES_KEY_MAX 128u

/* A key is built part by part; integers are big-endian, so that bytes order as numbers do. */
struct ates_key {
    size_t size;
    uint8_t data[ATES_KEY_MAX];
};
struct ates_key ates_key_u64(uint64_t value);
void ates_key_add_u64(struct ates_key *key, uint64_t value);
void ates_key_add_u8(struct ates_key *key, uint8_t value);
/* Asserts that it fits. */
void ates_key_add_bytes(struct ates_key *key, const void *data, size_t size);
/* The first key above all that begin with this one; empty where there is none. */
struct ates_key ates_key_past(const struct ates_key *key);
uint64_t ates_u64_from(const uint8_t bytes[8]); /* big-endian */

struct ates_store;

/* Opens (creates where missing) the environment in folder path with these tables, numbered by
 * index. Returns 0, or -errno with a line in error. One environment a path in a process. */
int ates_store_open(struct ates_store **store, const char *path, size_t map_size,
                    const char *const *tables, size_t table_count, char *error, size_t error_size);
void ates_store_close(struct ates_store **store);

/* How full the map is; see environment.h. */
unsigned ates_store_used_permille(const struct ates_store *store);

/* A transaction over all tables, on the thread that began it. */
struct ates_txn {
    MDB_txn *mdb;
    struct ates_store *store;
    struct ates_arena *arena;   /* what gets return lives here; the owner resets it */
    struct ates_buffer scratch; /* rows are encoded here */
    MDB_cursor *cursors[ATES_TABLES_MAX];
    unsigned long writes; /* since it began */
};

int ates_txn_begin(struct ates_txn *txn, struct ates_store *store, bool read_only,
                   struct ates_arena *arena);
int ates_txn_commit(struct ates_txn *txn); /* the transaction is over, whatever it returns */
void ates_txn_abort(struct ates_txn *txn); /* does nothing where none is open */

int ates_txn_clear(struct ates_txn *txn); /* deletes every row of every table */

/* One row. A value got is copied to the arena, so that it outlives later writes. */
int ates_get(struct ates_txn *txn, unsigned table, const struct ates_key *key,
             struct ates_bytes *value);
/* Whether it is there: 0 or ATES_NOT_FOUND. Costs no copy. */
int ates_has(struct ates_txn *txn, unsigned table, struct ates_bytes key);
int ates_put(struct ates_txn *txn, unsigned table, const struct ates_key *key, const void *data,
             size_t size);
int ates_delete(struct ates_txn *txn, unsigned table, const struct ates_key *key);
/* Puts a row behind all others of the table, which fills pages where ates_put splits them; key and
 * data may point into another environment. -EINVAL where there is one behind it. */
int ates_append(struct ates_txn *txn, unsigned table, struct ates_bytes key,
                struct ates_bytes data);

/* A row that holds an encoded message. Stored rows may lack newer optional fields; one that does
 * not decode is -EBADMSG. */
int ates_get_message(struct ates_txn *txn, unsigned table, const struct ates_key *key,
                     const struct ates_message *message, void *out);
int ates_put_message(struct ates_txn *txn, unsigned table, const struct ates_key *key,
                     const struct ates_message *message, const void *value);

/* A row that holds one big-endian integer; an absent one reads as 0. */
int ates_get_number(struct ates_txn *txn, unsigned table, const struct ates_key *key,
                    int64_t *value);
int ates_put_number(struct ates_txn *txn, unsigned table, const struct ates_key *key,
                    int64_t value);

/* How many rows a table has; costs nothing. */
int ates_count_rows(struct ates_txn *txn, unsigned table, uint64_t *count);

/* Walks the rows whose keys begin with prefix: in key order, starting at the first key >= from, or
 * down, starting at the last key < from, so that the two walks from one place meet every row once.
 * From begins as prefix does; NULL is where the whole prefix is walked from. Keys and values point
 * into the map: valid until the next write. */
struct ates_scan {
    MDB_cursor *cursor;
    struct ates_key prefix;
    struct ates_key from; /* empty: walks the whole table */
    bool down, started, ended;
};
int ates_scan_open(struct ates_scan *scan, struct ates_txn *txn, unsigned table,
                   const struct ates_key *prefix, const struct ates_key *from);
int ates_scan_open_ordered(struct ates_scan *scan, struct ates_txn *txn, unsigned table,
                           const struct ates_key *prefix, const struct ates_key *from, bool down);
/* ATES_NOT_FOUND at the end, and from then on. */
int ates_scan_next(struct ates_scan *scan, struct ates_bytes *key, struct ates_bytes *value);
/* Goes on, in the same direction, from there. */
void ates_scan_seek(struct ates_scan *scan, const struct ates_key *from);
void ates_scan_close(struct ates_scan *scan);

#endif
