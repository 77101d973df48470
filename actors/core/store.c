/* The state environment; see store.h. */
#include "core/store.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/environment.h"

struct ates_store {
    MDB_env *env;
    size_t map_size;
    size_t table_count;
    MDB_dbi tables[ATES_TABLES_MAX];
};

struct ates_key ates_key_u64(uint64_t value)
{
    struct ates_key key = {.size = 0};

    ates_key_add_u64(&key, value);
    return key;
}

void ates_key_add_u64(struct ates_key *key, uint64_t value)
{
    const uint64_t big = htobe64(value);

    ates_key_add_bytes(key, &big, sizeof big);
}

void ates_key_add_u8(struct ates_key *key, uint8_t value)
{
    ates_key_add_bytes(key, &value, 1);
}

void ates_key_add_bytes(struct ates_key *key, const void *data, size_t size)
{
    assert(size <= sizeof key->data - key->size);
    if (size > 0) {
        memcpy(key->data + key->size, data, size);
        key->size += size;
    }
}

struct ates_key ates_key_past(const struct ates_key *key)
{
    struct ates_key past = *key;

    while (past.size > 0 && past.data[past.size - 1] == 0xff) {
        past.size--;
    }
    if (past.size > 0) {
        past.data[past.size - 1]++;
    }
    return past;
}

uint64_t ates_u64_from(const uint8_t bytes[8])
{
    uint64_t big;

    memcpy(&big, bytes, sizeof big);
    return be64toh(big);
}

static int open_tables(struct ates_store *self, const char *const *tables)
{
    MDB_txn *txn;
    int r = mdb_txn_begin(self->env, NULL, 0, &txn);

    if (r != 0) {
        return r;
    }
    for (size_t i = 0; i < self->table_count; i++) {
        r = mdb_dbi_open(txn, tables[i], MDB_CREATE, &self->tables[i]);
        if (r != 0) {
            mdb_txn_abort(txn);
            return r;
        }
    }
    return mdb_txn_commit(txn);
}

int ates_store_open(struct ates_store **store, const char *path, size_t map_size,
                    const char *const *tables, size_t table_count, char *error, size_t error_size)
{
    struct ates_store *self = calloc(1, sizeof *self);

    assert(table_count <= ATES_TABLES_MAX);
    if (self == NULL) {
        snprintf(error, error_size, "%s: %s", path, strerror(ENOMEM));
        return -ENOMEM;
    }
    self->map_size = map_size;
    self->table_count = table_count;
    int r =
        ates_environment_open(&self->env, path, map_size, (unsigned)table_count, error, error_size);
    if (r != 0) {
        ates_store_close(&self);
        return r;
    }
    r = open_tables(self, tables);
    if (r != 0) {
        snprintf(error, error_size, "%s: %s", path, mdb_strerror(r));
        ates_store_close(&self);
        return ates_environment_result(r);
    }
    *store = self;
    return 0;
}

void ates_store_close(struct ates_store **store)
{
    struct ates_store *self = *store;

    if (self != NULL) {
        if (self->env != NULL) {
            mdb_env_close(self->env);
        }
        free(self);
        *store = NULL;
    }
}

unsigned ates_store_used_permille(const struct ates_store *store)
{
    return ates_environment_used_permille(store->env, store->map_size);
}

int ates_txn_begin(struct ates_txn *txn, struct ates_store *store, bool read_only,
                   struct ates_arena *arena)
{
    MDB_txn *mdb;
    int r = mdb_txn_begin(store->env, NULL, read_only ? MDB_RDONLY : 0, &mdb);

    if (r != 0) {
        return ates_environment_result(r);
    }
    txn->mdb = mdb;
    txn->store = store;
    txn->arena = arena;
    txn->writes = 0;
    memset(txn->cursors, 0, sizeof txn->cursors);
    return 0;
}

static void close_cursors(struct ates_txn *txn)
{
    for (size_t i = 0; i < ATES_TABLES_MAX; i++) {
        if (txn->cursors[i] != NULL) {
            mdb_cursor_close(txn->cursors[i]);
            txn->cursors[i] = NULL;
        }
    }
}

int ates_txn_commit(struct ates_txn *txn)
{
    MDB_txn *mdb = txn->mdb;

    close_cursors(txn);
    txn->mdb = NULL;
    return ates_environment_result(mdb_txn_commit(mdb));
}

void ates_txn_abort(struct ates_txn *txn)
{
    if (txn->mdb != NULL) {
        close_cursors(txn);
        mdb_txn_abort(txn->mdb);
        txn->mdb = NULL;
    }
}

int ates_txn_clear(struct ates_txn *txn)
{
    int r = 0;

    close_cursors(txn);
    for (size_t i = 0; r == 0 && i < txn->store->table_count; i++) {
        r = ates_environment_result(mdb_drop(txn->mdb, txn->store->tables[i], 0));
    }
    return r;
}

/* One cursor a table is kept open: neighbouring keys are then found without a descent from the
 * root. */
static int table_cursor(struct ates_txn *txn, unsigned table, MDB_cursor **cursor)
{
    assert(table < txn->store->table_count);
    if (txn->cursors[table] == NULL) {
        int r = mdb_cursor_open(txn->mdb, txn->store->tables[table], &txn->cursors[table]);

        if (r != 0) {
            return ates_environment_result(r);
        }
    }
    *cursor = txn->cursors[table];
    return 0;
}

static MDB_val val_from(const struct ates_key *key)
{
    return (MDB_val){.mv_size = key->size, .mv_data = (void *)key->data};
}

int ates_count_rows(struct ates_txn *txn, unsigned table, uint64_t *count)
{
    MDB_stat stat;

    assert(table < txn->store->table_count);
    int r = ates_environment_result(mdb_stat(txn->mdb, txn->store->tables[table], &stat));
    if (r == 0) {
        *count = stat.ms_entries;
    }
    return r;
}

int ates_get(struct ates_txn *txn, unsigned table, const struct ates_key *key,
             struct ates_bytes *value)
{
    MDB_val k = val_from(key), v;
    MDB_cursor *cursor = NULL;
    int r = table_cursor(txn, table, &cursor);

    if (r == 0) {
        r = ates_environment_result(mdb_cursor_get(cursor, &k, &v, MDB_SET));
    }
    if (r == 0) {
        value->data = ates_arena_copy(txn->arena, v.mv_data, v.mv_size);
        value->size = v.mv_size;
    }
    return r;
}

int ates_has(struct ates_txn *txn, unsigned table, struct ates_bytes key)
{
    MDB_val k = {key.size, (void *)key.data}, v;

    assert(table < txn->store->table_count);
    return ates_environment_result(mdb_get(txn->mdb, txn->store->tables[table], &k, &v));
}

int ates_put(struct ates_txn *txn, unsigned table, const struct ates_key *key, const void *data,
             size_t size)
{
    MDB_val k = val_from(key), v = {.mv_size = size, .mv_data = (void *)data};
    MDB_cursor *cursor = NULL;
    int r = table_cursor(txn, table, &cursor);

    txn->writes++;
    return r != 0 ? r : ates_environment_result(mdb_cursor_put(cursor, &k, &v, 0));
}

int ates_append(struct ates_txn *txn, unsigned table, struct ates_bytes key, struct ates_bytes data)
{
    MDB_val k = {.mv_size = key.size, .mv_data = (void *)key.data};
    MDB_val v = {.mv_size = data.size, .mv_data = (void *)data.data};
    MDB_cursor *cursor = NULL;
    int r = table_cursor(txn, table, &cursor);

    txn->writes++;
    if (r != 0) {
        return r;
    }
    r = mdb_cursor_put(cursor, &k, &v, MDB_APPEND);
    return r == MDB_KEYEXIST ? -EINVAL : ates_environment_result(r);
}

int ates_delete(struct ates_txn *txn, unsigned table, const struct ates_key *key)
{
    MDB_val k = val_from(key), v;
    MDB_cursor *cursor = NULL;
    int r = table_cursor(txn, table, &cursor);

    txn->writes++;
    if (r == 0) {
        r = ates_environment_result(mdb_cursor_get(cursor, &k, &v, MDB_SET));
    }
    return r != 0 ? r : ates_environment_result(mdb_cursor_del(cursor, 0));
}

int ates_get_message(struct ates_txn *txn, unsigned table, const struct ates_key *key,
                     const struct ates_message *message, void *out)
{
    struct ates_bytes row;
    int r = ates_get(txn, table, key, &row);

    if (r == 0 && ates_message_decode(message, row.data, row.size, ATES_UNKNOWN_IGNORED, txn->arena,
                                      out, NULL) != 0) {
        r = -EBADMSG;
    }
    return r;
}

int ates_put_message(struct ates_txn *txn, unsigned table, const struct ates_key *key,
                     const struct ates_message *message, const void *value)
{
    txn->scratch.size = 0;
    ates_message_encode(message, value, &txn->scratch);
    return ates_put(txn, table, key, txn->scratch.data, txn->scratch.size);
}

int ates_get_number(struct ates_txn *txn, unsigned table, const struct ates_key *key,
                    int64_t *value)
{
    struct ates_bytes row;
    int r = ates_get(txn, table, key, &row);

    if (r == ATES_NOT_FOUND) {
        *value = 0;
        return 0;
    }
    if (r == 0 && row.size != 8) {
        return -EBADMSG;
    }
    if (r == 0) {
        *value = (int64_t)ates_u64_from(row.data);
    }
    return r;
}

int ates_put_number(struct ates_txn *txn, unsigned table, const struct ates_key *key, int64_t value)
{
    const uint64_t big = htobe64((uint64_t)value);

    return ates_put(txn, table, key, &big, sizeof big);
}

int ates_scan_open(struct ates_scan *scan, struct ates_txn *txn, unsigned table,
                   const struct ates_key *prefix, const struct ates_key *from)
{
    return ates_scan_open_ordered(scan, txn, table, prefix, from, false);
}

int ates_scan_open_ordered(struct ates_scan *scan, struct ates_txn *txn, unsigned table,
                           const struct ates_key *prefix, const struct ates_key *from, bool down)
{
    MDB_cursor *cursor = NULL;
    int r;

    assert(table < txn->store->table_count);
    r = mdb_cursor_open(txn->mdb, txn->store->tables[table], &cursor);
    if (r != 0) {
        return ates_environment_result(r);
    }
    scan->cursor = cursor;
    scan->prefix = prefix != NULL ? *prefix : (struct ates_key){.size = 0};
    scan->down = down;
    const struct ates_key whole = down ? ates_key_past(&scan->prefix) : scan->prefix;
    ates_scan_seek(scan, from != NULL ? from : &whole);
    return 0;
}

void ates_scan_seek(struct ates_scan *scan, const struct ates_key *from)
{
    scan->from = *from;
    scan->started = scan->ended = false;
}

static int start(const struct ates_scan *scan, MDB_val *k, MDB_val *v)
{
    if (scan->from.size == 0) {
        return mdb_cursor_get(scan->cursor, k, v, scan->down ? MDB_LAST : MDB_FIRST);
    }
    *k = val_from(&scan->from);
    int r = mdb_cursor_get(scan->cursor, k, v, MDB_SET_RANGE);
    if (!scan->down || (r != 0 && r != MDB_NOTFOUND)) {
        return r;
    }
    return mdb_cursor_get(scan->cursor, k, v, r == 0 ? MDB_PREV : MDB_LAST);
}

int ates_scan_next(struct ates_scan *scan, struct ates_bytes *key, struct ates_bytes *value)
{
    MDB_val k, v;
    int r;

    if (scan->ended) { /* LMDB's cursor would begin again */
        return ATES_NOT_FOUND;
    }
    r = ates_environment_result(
        scan->started ? mdb_cursor_get(scan->cursor, &k, &v, scan->down ? MDB_PREV : MDB_NEXT)
                      : start(scan, &k, &v));
    scan->started = true;
    if (r == 0 && (k.mv_size < scan->prefix.size ||
                   memcmp(k.mv_data, scan->prefix.data, scan->prefix.size) != 0)) {
        r = ATES_NOT_FOUND;
    }
    scan->ended = r == ATES_NOT_FOUND;
    if (r == 0) {
        *key = (struct ates_bytes){k.mv_data, k.mv_size};
        *value = (struct ates_bytes){v.mv_data, v.mv_size};
    }
    return r;
}

void ates_scan_close(struct ates_scan *scan)
{
    if (scan->cursor != NULL) {
        mdb_cursor_close(scan->cursor);
        scan->cursor = NULL;
    }
}
