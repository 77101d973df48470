/* Logs that are made of another: its shorter copy, which begins at a base, and one of the same id that
 * is yet to be filled; see log.h. */
#include <errno.h>
#include <stdio.h>

#include "core/environment.h"
#include "core/log_private.h"

#define COPY_BYTES ((size_t)32 << 20) /* in one transaction */

/* Puts what the reader has next, at most COPY_BYTES of it; *more where there is yet more. */
static int copy_some(struct ates_log_reader *reader, MDB_txn *txn, MDB_dbi table, bool *more)
{
    struct ates_stored_record record;
    size_t bytes = 0;
    int r = 0;

    while (r == 0 && bytes < COPY_BYTES) {
        r = ates_log_read_next(reader, &record);
        if (r == 0) {
            struct log_key key = log_key(record.first_seq, record.number);
            MDB_val k = {sizeof key.bytes, key.bytes};
            MDB_val v = {record.bytes.size, (void *)record.bytes.data};

            bytes += record.bytes.size;
            r = ates_environment_result(mdb_put(txn, table, &k, &v, MDB_APPEND));
        }
    }
    *more = r == 0;
    return r == ATES_NOT_FOUND ? 0 : r;
}

static int put_base(MDB_txn *txn, MDB_dbi table, const struct ates_base_note *base)
{
    const struct ates_stored_base stored = ates_base_note_store(base);
    struct log_key key = log_key(0, 2);
    struct ates_buffer bytes = {0};

    ates_stored_encode(&ates_stored_base_message, &stored, &bytes);
    MDB_val k = {sizeof key.bytes, key.bytes}, v = {bytes.size, bytes.data};
    int r = mdb_put(txn, table, &k, &v, 0);
    ates_buffer_release(&bytes);
    return ates_environment_result(r);
}

/* What the log says of itself, but for where it begins. */
static int copy_about(struct ates_log_reader *reader, MDB_txn *txn, MDB_dbi table)
{
    int r = 0;

    for (uint64_t number = 0; r == 0 && number <= 1; number++) {
        struct log_key key = log_key(0, number);
        MDB_val k = {sizeof key.bytes, key.bytes}, v;

        r = mdb_cursor_get(reader->cursor, &k, &v, MDB_SET);
        if (r == 0) {
            r = mdb_put(txn, table, &k, &v, 0);
        }
    }
    return ates_environment_result(r);
}

/* In transactions of bounded size: nobody reads the copy before all of it is there. */
static int copy_all(struct ates_log_reader *reader, MDB_env *env, const struct ates_base_note *base)
{
    bool first = true, more = true;
    int r = 0;

    while (r == 0 && more) {
        MDB_txn *txn;
        MDB_dbi table;

        r = ates_environment_result(mdb_txn_begin(env, NULL, 0, &txn));
        if (r != 0) {
            break;
        }
        r = ates_environment_result(mdb_dbi_open(txn, NULL, 0, &table));
        if (r == 0 && first) {
            r = copy_about(reader, txn, table);
            r = r == 0 ? put_base(txn, table, base) : r;
            r = r == 0
                    ? ates_log_read_seek_record(reader, base->head.seq + 1, base->head.number + 1)
                    : r;
            first = false;
        }
        if (r == 0) {
            r = copy_some(reader, txn, table, &more);
        }
        if (r == 0) {
            r = ates_environment_result(mdb_txn_commit(txn));
        } else {
            mdb_txn_abort(txn);
        }
    }
    return r > 0 ? -EUCLEAN : r;
}

int ates_log_copy_after(struct ates_log *log, const struct ates_base_note *base, const char *path,
                        char *error, size_t error_size)
{
    struct ates_log_reader reader = {.txn = NULL};
    struct ates_log *copy = NULL;
    MDB_env *env = NULL;
    int r = ates_environment_open(&env, path, log->map_size, 0, error, error_size);

    if (r != 0) {
        return r;
    }
    r = ates_log_read_open(&reader, log);
    if (r == 0) {
        r = copy_all(&reader, env, base);
    }
    ates_log_read_close(&reader);
    mdb_env_close(env);
    if (r == 0) {
        r = ates_log_open(&copy, path, log->map_size, NULL, error, error_size);
    } else {
        snprintf(error, error_size, "%s: %s", path, strerror(-r));
    }
    if (r == 0 && (strcmp(copy->id, log->id) != 0 || copy->head.number != log->head.number ||
                   copy->head.seq != log->head.seq)) {
        snprintf(error, error_size, "%s: the copy of the log does not end where the log does",
                 path);
        r = -EUCLEAN;
    }
    ates_log_close(&copy);
    return r;
}

static int put_text(MDB_txn *txn, MDB_dbi table, uint64_t number, const char *text, size_t size)
{
    struct log_key key = log_key(0, number);
    MDB_val k = {sizeof key.bytes, key.bytes}, v = {size, (void *)text};

    return ates_environment_result(mdb_put(txn, table, &k, &v, MDB_NOOVERWRITE));
}

static int put_about(MDB_env *env, const char *id, const char *service,
                     const struct ates_base_note *base)
{
    char whole_id[ATES_UUID_SIZE] = "";
    MDB_txn *txn;
    MDB_dbi table;
    int r = ates_environment_result(mdb_txn_begin(env, NULL, 0, &txn));

    if (r != 0) {
        return r;
    }
    snprintf(whole_id, sizeof whole_id, "%s", id);
    r = ates_environment_result(mdb_dbi_open(txn, NULL, 0, &table));
    if (r == 0) {
        r = put_text(txn, table, 0, whole_id, sizeof whole_id);
    }
    if (r == 0) {
        r = put_text(txn, table, 1, service, strlen(service));
    }
    if (r == 0 && base != NULL) {
        r = put_base(txn, table, base);
    }
    if (r != 0) {
        mdb_txn_abort(txn);
        return r;
    }
    return ates_environment_result(mdb_txn_commit(txn));
}

int ates_log_create(struct ates_log **log, const char *path, size_t map_size, const char *id,
                    const char *service, const struct ates_base_note *base, char *error,
                    size_t error_size)
{
    MDB_env *env = NULL;
    int r = ates_environment_open(&env, path, map_size, 0, error, error_size);

    if (r != 0) {
        return r;
    }
    r = put_about(env, id, service, base);
    mdb_env_close(env);
    if (r != 0) {
        snprintf(error, error_size, "%s: %s", path, strerror(-r));
        return r;
    }
    return ates_log_open(log, path, map_size, NULL, error, error_size);
}
