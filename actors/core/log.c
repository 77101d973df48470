/* The log; see log.h. */
#include "core/log.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/environment.h"
#include "core/log_private.h"
#include "core/store.h"

static const struct ates_field ates_stored_base_fields[] = {
    {ATES_FIELD(ates_stored_base, number), .type = ATES_UINT, .min = 1},
    {ATES_FIELD(ates_stored_base, seq), .type = ATES_UINT},
    {ATES_FIELD(ates_stored_base, time), .type = ATES_INT},
    {ATES_FIELD(ates_stored_base, hash), .type = ATES_BYTES, .min = 32, .max = 32},
    {ATES_FIELD(ates_stored_base, state_version), .type = ATES_UINT},
    {ATES_FIELD(ates_stored_base, digest), .type = ATES_BYTES, .min = 32, .max = 32},
};
ATES_MESSAGE(ates_stored_base, "base");

struct ates_stored_base ates_base_note_store(const struct ates_base_note *note)
{
    return (struct ates_stored_base){
        .number = note->head.number,
        .seq = note->head.seq,
        .time = note->head.time,
        .hash = {note->head.hash, sizeof note->head.hash},
        .state_version = note->state_version,
        .digest = {note->digest, sizeof note->digest},
    };
}

void ates_base_note_load(const struct ates_stored_base *stored, struct ates_base_note *note)
{
    *note = (struct ates_base_note){
        .head = {.number = stored->number, .seq = stored->seq, .time = stored->time},
        .state_version = stored->state_version,
    };
    memcpy(note->head.hash, stored->hash.data, sizeof note->head.hash);
    memcpy(note->digest, stored->digest.data, sizeof note->digest);
}

bool ates_log_head_equal(const struct ates_log_head *a, const struct ates_log_head *b)
{
    return a->number == b->number && a->seq == b->seq && a->time == b->time &&
           memcmp(a->hash, b->hash, sizeof a->hash) == 0;
}

void ates_record_head(const struct ates_record *record, struct ates_log_head *head)
{
    head->number = record->number;
    head->seq = ates_record_last_seq(record);
    head->time = record->time;
    memcpy(head->hash, record->head.data, sizeof head->hash);
}

static int load_id(struct ates_log *self, MDB_txn *txn, const struct ates_source *source)
{
    struct log_key key = log_key(0, 0);
    MDB_val k = {sizeof key.bytes, key.bytes}, v;
    int r = mdb_get(txn, self->table, &k, &v);

    if (r == 0 && v.mv_size == sizeof self->id) {
        memcpy(self->id, v.mv_data, sizeof self->id);
        return 0;
    }
    if (r == MDB_NOTFOUND && source != NULL) {
        MDB_stat stat;

        r = mdb_stat(txn, self->table, &stat);
        if (r != 0 || stat.ms_entries > 0) {
            return r != 0 ? r : MDB_CORRUPTED; /* a log that has lost its id */
        }
        ates_uuid7(source, ates_now_ms(source), self->id);
        v = (MDB_val){sizeof self->id, self->id};
        return mdb_put(txn, self->table, &k, &v, 0);
    }
    return r == 0 ? MDB_CORRUPTED : r;
}

static int load_base(struct ates_log *self, MDB_txn *txn)
{
    struct log_key key = log_key(0, 2);
    MDB_val k = {sizeof key.bytes, key.bytes}, v;
    struct ates_arena *arena;
    struct ates_stored_base stored;
    int r = mdb_get(txn, self->table, &k, &v);

    if (r != 0) {
        return r == MDB_NOTFOUND ? 0 : r;
    }
    arena = ates_arena_new();
    if (arena == NULL) {
        return ENOMEM;
    }
    r = ates_stored_decode(&ates_stored_base_message, v.mv_data, v.mv_size, arena, &stored);
    if (r == 0) {
        self->has_base = true;
        ates_base_note_load(&stored, &self->base);
        self->head = self->base.head;
    }
    ates_arena_free(&arena);
    return r == 0 ? 0 : MDB_CORRUPTED;
}

static int load_head(struct ates_log *self, MDB_txn *txn)
{
    struct ates_arena *arena;
    struct ates_record record;
    MDB_cursor *cursor;
    MDB_val k, v;
    int r = mdb_cursor_open(txn, self->table, &cursor);

    if (r != 0) {
        return r;
    }
    r = mdb_cursor_get(cursor, &k, &v, MDB_LAST);
    mdb_cursor_close(cursor);
    if (r != 0) {
        return r;
    }
    if (k.mv_size != 16 || ates_u64_from(k.mv_data) == 0) {
        return 0; /* no record: an empty log */
    }
    arena = ates_arena_new();
    if (arena == NULL) {
        return ENOMEM;
    }
    if (ates_record_decode(v.mv_data, v.mv_size, arena, &record) != 0) {
        self->damaged = ates_u64_from((const uint8_t *)k.mv_data + 8);
        r = MDB_CORRUPTED;
    } else {
        ates_record_head(&record, &self->head);
    }
    ates_arena_free(&arena);
    return r;
}

/* source: draws the id of a log that has none; NULL: it is read only. */
static int load(struct ates_log *self, const struct ates_source *source)
{
    MDB_txn *txn;
    int r = mdb_txn_begin(self->env, NULL, source != NULL ? 0 : MDB_RDONLY, &txn);

    if (r != 0) {
        return r;
    }
    r = mdb_dbi_open(txn, NULL, 0, &self->table);
    if (r == 0) {
        r = load_id(self, txn, source);
    }
    if (r == 0) {
        r = load_base(self, txn);
    }
    if (r == 0) {
        r = load_head(self, txn);
    }
    if (r != 0) {
        mdb_txn_abort(txn);
        return r;
    }
    return mdb_txn_commit(txn);
}

static int load_or_explain(struct ates_log *self, const char *path,
                           const struct ates_source *source, char *error, size_t error_size)
{
    const int r = load(self, source);

    if (r != 0 && self->damaged != 0) {
        snprintf(error, error_size, "%s: the last record, %" PRIu64 ", is damaged", path,
                 self->damaged);
    } else if (r != 0) {
        snprintf(error, error_size, "%s: %s", path, mdb_strerror(r));
    }
    return ates_environment_result(r);
}

int ates_log_open(struct ates_log **log, const char *path, size_t map_size,
                  const struct ates_source *source, char *error, size_t error_size)
{
    struct ates_log *self = calloc(1, sizeof *self);

    if (self == NULL) {
        snprintf(error, error_size, "%s: %s", path, strerror(ENOMEM));
        return -ENOMEM;
    }
    self->map_size = map_size;
    int r = ates_environment_open(&self->env, path, map_size, 0, error, error_size);
    if (r == 0) {
        r = load_or_explain(self, path, source, error, error_size);
    }
    if (r != 0) {
        ates_log_close(&self);
        return r;
    }
    *log = self;
    return 0;
}

int ates_log_open_read(struct ates_log **log, const char *path, char *error, size_t error_size)
{
    struct ates_log *self = calloc(1, sizeof *self);

    if (self == NULL) {
        snprintf(error, error_size, "%s: %s", path, strerror(ENOMEM));
        return -ENOMEM;
    }
    int r = ates_environment_open_read(&self->env, path, error, error_size);
    if (r == 0) {
        r = load_or_explain(self, path, NULL, error, error_size);
    }
    if (r > 0) {
        snprintf(error, error_size, "%s: there is no log in it yet", path);
        r = -ENOENT;
    }
    if (r != 0) {
        ates_log_close(&self);
        return r;
    }
    *log = self;
    return 0;
}

void ates_log_close(struct ates_log **log)
{
    struct ates_log *self = *log;

    if (self != NULL) {
        if (self->env != NULL) {
            mdb_env_close(self->env);
        }
        free(self);
        *log = NULL;
    }
}

static int claim(struct ates_log *self, MDB_txn *txn, const char *service, char owner[64])
{
    struct log_key key = log_key(0, 1);
    MDB_val k = {sizeof key.bytes, key.bytes}, v;
    int r = mdb_get(txn, self->table, &k, &v);

    if (r == MDB_NOTFOUND) {
        v = (MDB_val){strlen(service), (void *)service};
        r = mdb_put(txn, self->table, &k, &v, 0);
    }
    if (r == 0) {
        snprintf(owner, 64, "%.*s", (int)v.mv_size, (const char *)v.mv_data);
    }
    return r;
}

int ates_log_claim(struct ates_log *log, const char *service, char *error, size_t error_size)
{
    char owner[64] = "";
    MDB_txn *txn;
    int r = mdb_txn_begin(log->env, NULL, 0, &txn);

    if (r == 0) {
        r = claim(log, txn, service, owner);
        if (r != 0) {
            mdb_txn_abort(txn);
        } else {
            r = mdb_txn_commit(txn);
        }
    }
    if (r != 0) {
        snprintf(error, error_size, "%s's log: %s", service, mdb_strerror(r));
        return ates_environment_result(r);
    }
    if (strcmp(owner, service) != 0) {
        snprintf(error, error_size, "%s: the log in this folder is %s's: was a folder moved?",
                 service, owner);
        return -EUCLEAN;
    }
    return 0;
}

const char *ates_log_id(const struct ates_log *log)
{
    return log->id;
}

const struct ates_log_head *ates_log_head(const struct ates_log *log)
{
    return &log->head;
}

const struct ates_base_note *ates_log_base(const struct ates_log *log)
{
    return log->has_base ? &log->base : NULL;
}

unsigned ates_log_used_permille(const struct ates_log *log)
{
    return ates_environment_used_permille(log->env, log->map_size);
}

void ates_log_drop_dead_readers(struct ates_log *log)
{
    (void)ates_environment_drop_dead_readers(log->env); /* where it fails, the next time will do */
}

static int append_all(struct ates_log *log, MDB_txn *txn, const struct ates_stored_record *records,
                      size_t count)
{
    MDB_cursor *cursor;
    int r = mdb_cursor_open(txn, log->table, &cursor);

    for (size_t i = 0; r == 0 && i < count; i++) {
        struct log_key key = log_key(records[i].first_seq, records[i].number);
        MDB_val k = {sizeof key.bytes, key.bytes};
        MDB_val v = {records[i].bytes.size, (void *)records[i].bytes.data};

        r = mdb_cursor_put(cursor, &k, &v, MDB_APPEND);
    }
    return r;
}

int ates_log_append(struct ates_log *log, const struct ates_log_head *expected,
                    const struct ates_stored_record *records, size_t count,
                    const struct ates_log_head *head)
{
    MDB_txn *txn;
    int r;

    if (expected->number != log->head.number || expected->seq != log->head.seq) {
        return -ESTALE;
    }
    r = mdb_txn_begin(log->env, NULL, 0, &txn);
    if (r != 0) {
        return ates_environment_result(r);
    }
    r = append_all(log, txn, records, count);
    if (r != 0) {
        mdb_txn_abort(txn);
    } else {
        r = mdb_txn_commit(txn);
    }
    if (r == 0) {
        log->head = *head;
    }
    return ates_environment_result(r);
}

int ates_log_read_open(struct ates_log_reader *reader, struct ates_log *log)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    int r = mdb_txn_begin(log->env, NULL, MDB_RDONLY, &txn);

    if (r != 0) {
        return ates_environment_result(r);
    }
    r = mdb_cursor_open(txn, log->table, &cursor);
    if (r != 0) {
        mdb_txn_abort(txn);
        return ates_environment_result(r);
    }
    *reader = (struct ates_log_reader){.txn = txn, .cursor = cursor, .head_seq = log->head.seq};
    return 0;
}

void ates_log_read_close(struct ates_log_reader *reader)
{
    if (reader->txn != NULL) {
        mdb_cursor_close(reader->cursor);
        mdb_txn_abort(reader->txn);
        *reader = (struct ates_log_reader){.txn = NULL};
    }
}

int ates_log_read_seek_record(struct ates_log_reader *reader, uint64_t first_seq, uint64_t number)
{
    struct log_key key = log_key(first_seq, number);
    MDB_val k = {sizeof key.bytes, key.bytes}, v;
    int r = mdb_cursor_get(reader->cursor, &k, &v, MDB_SET_RANGE);

    reader->started = true;
    reader->found = r == 0;
    return r == MDB_NOTFOUND ? 0 : ates_environment_result(r);
}

int ates_log_read_seek(struct ates_log_reader *reader, uint64_t seq)
{
    MDB_val k, v;

    assert(seq >= 1);
    if (seq > reader->head_seq) {
        reader->started = true;
        reader->found = false;
        return 0;
    }
    /* Seqs have no gaps, and records without events come before the one that holds the seq they
     * share: it is the last that begins at seq or before. */
    int r = ates_log_read_seek_record(reader, seq + 1, 0);
    if (r != 0) {
        return r;
    }
    r = mdb_cursor_get(reader->cursor, &k, &v, reader->found ? MDB_PREV : MDB_LAST);
    if (r == 0 && k.mv_size == 16 && ates_u64_from(k.mv_data) == 0) {
        return ates_log_read_seek_record(reader, 1, 1); /* what the log says of itself */
    }
    reader->found = r == 0;
    return ates_environment_result(r);
}

int ates_log_read_finds(const struct ates_log_reader *reader, uint64_t first_seq, uint64_t number)
{
    struct log_key key = log_key(first_seq, number);
    MDB_val k = {sizeof key.bytes, key.bytes}, v;

    return ates_environment_result(mdb_get(reader->txn, mdb_cursor_dbi(reader->cursor), &k, &v));
}

int ates_log_read_count(const struct ates_log_reader *reader, uint64_t *rows)
{
    MDB_stat stat;
    const int r = mdb_stat(reader->txn, mdb_cursor_dbi(reader->cursor), &stat);

    if (r == 0) {
        *rows = stat.ms_entries;
    }
    return ates_environment_result(r);
}

int ates_log_read_next(struct ates_log_reader *reader, struct ates_stored_record *record)
{
    MDB_val k, v;
    int r;

    if (!reader->started) {
        r = ates_log_read_seek_record(reader, 1, 1);
        if (r != 0) {
            return r;
        }
    }
    if (!reader->found) {
        return ATES_NOT_FOUND;
    }
    r = mdb_cursor_get(reader->cursor, &k, &v, MDB_GET_CURRENT);
    if (r != 0) {
        return ates_environment_result(r);
    }
    if (k.mv_size != 16) {
        return -EBADMSG;
    }
    record->first_seq = ates_u64_from(k.mv_data);
    record->number = ates_u64_from((const uint8_t *)k.mv_data + 8);
    record->bytes = (struct ates_bytes){v.mv_data, v.mv_size};
    r = mdb_cursor_get(reader->cursor, &k, &v, MDB_NEXT);
    reader->found = r == 0;
    return r == MDB_NOTFOUND ? 0 : ates_environment_result(r);
}
