/* One log of a backup, checked and put into a data folder; see unpack.h. */
#include "core/unpack.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/archive.h"
#include "core/base.h"
#include "core/datadir.h"
#include "core/engine.h"
#include "core/walk.h"

/* What is appended with one commit. */
#define BATCH_BYTES ((size_t)16 << 20)
#define BATCH_RECORDS 8192u
#define ROWS_MAX 100000u /* in one transaction */

struct unpack {
    const struct ates_unpack *plan;
    struct ates_archive_reader in;
    struct ates_archive_part part; /* the one in hand */
    bool ended;                    /* there is none any more */
    struct ates_arena *arena;
    struct ates_walk walk;
    char folder[4200]; /* DATA/SERVICE */
    bool has_base;
    struct ates_base_note base;
    struct ates_log *log;
    bool cut;                 /* nothing more is kept */
    struct ates_buffer bytes; /* the batch */
    struct ates_stored_record *batch;
    size_t *offsets;
    size_t count;
    struct ates_log_head head; /* after the batch */
    char *error;
    size_t error_size;
};

__attribute__((format(printf, 2, 3))) static int damaged(const struct unpack *self,
                                                         const char *format, ...)
{
    char why[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    snprintf(self->error, self->error_size, "%s: %s", self->in.path, why);
    return -EBADMSG;
}

static int fail(const struct unpack *self, const char *what, int fault)
{
    snprintf(self->error, self->error_size, "%s/%s: %s", self->folder, what, strerror(-fault));
    return fault;
}

/* Reads the next part, if there is one. */
static int advance(struct unpack *self)
{
    const int r = ates_archive_next(&self->in, &self->part, self->error, self->error_size);

    self->ended = r == ATES_NOT_FOUND;
    return self->ended ? 0 : r;
}

static int read_about(struct unpack *self)
{
    const struct ates_manifest_log *noted = self->plan->noted;
    struct ates_archive_about about;
    int r = advance(self);

    if (r != 0) {
        return r;
    }
    if (self->ended || self->part.kind != ATES_ARCHIVE_ABOUT ||
        ates_stored_decode(&ates_archive_about_message, self->part.bytes.data,
                           self->part.bytes.size, self->arena, &about) != 0) {
        return damaged(self, "what it says of itself is damaged");
    }
    if (!ates_text_equal(about.service, ates_text_from(noted->service)) ||
        !ates_text_equal(about.log_id, ates_text_from(noted->log_id))) {
        return damaged(self, "it is the copy of another log than the manifest says");
    }
    self->has_base = about.has_base;
    if (about.has_base) {
        ates_base_note_load(&about.base, &self->base);
        self->head = self->base.head;
    }
    return advance(self);
}

static int put_row(struct unpack *self, struct ates_txn *txn, uint64_t row_number)
{
    const char *tables[ATES_TABLES_MAX];
    const size_t count = ates_domain_tables(self->plan->domain, tables);
    struct ates_archive_row row;
    struct ates_key key = {.size = 0};
    unsigned table = ATES_TABLE_META + 1;

    ates_arena_reset(self->arena);
    if (ates_stored_decode(&ates_archive_row_message, self->part.bytes.data, self->part.bytes.size,
                           self->arena, &row) != 0 ||
        row.key.size > sizeof key.data) {
        return damaged(self, "row %" PRIu64 " of its base is damaged", row_number);
    }
    while (table < count && !ates_text_equal(row.table, ates_text_from(tables[table]))) {
        table++;
    }
    if (table == count) {
        return damaged(self, "row %" PRIu64 " of its base is of a table that is none", row_number);
    }
    ates_key_add_bytes(&key, row.key.data, row.key.size);
    int r = ates_put(txn, table, &key, row.value.data, row.value.size);
    if (r == 0 && txn->writes >= ROWS_MAX) {
        r = ates_txn_commit(txn);
        const int begun = ates_txn_begin(txn, txn->store, false, txn->arena);
        r = r != 0 ? r : begun;
    }
    return r != 0 ? fail(self, "base", r) : 0;
}

static int put_rows(struct unpack *self, struct ates_store *store)
{
    struct ates_txn txn = {.mdb = NULL};
    uint64_t row_number = 0;
    int r = ates_txn_begin(&txn, store, false, self->arena);

    if (r != 0) {
        return fail(self, "base", r);
    }
    while (r == 0 && !self->ended && self->part.kind == ATES_ARCHIVE_ROW) {
        r = put_row(self, &txn, ++row_number);
        if (r == 0) {
            r = advance(self);
        }
    }
    if (r == 0) {
        r = ates_txn_commit(&txn);
        r = r != 0 ? fail(self, "base", r) : 0;
    }
    ates_txn_abort(&txn);
    ates_buffer_release(&txn.scratch);
    return r;
}

static int check_base(struct unpack *self)
{
    struct ates_base base;
    int r = ates_base_open(&base, self->plan->domain, self->plan->config, &self->base, self->error,
                           self->error_size);

    if (r != 0) {
        return r;
    }
    r = ates_base_check(&base, self->plan->domain, &self->base);
    ates_base_close(&base);
    return r == -EBADMSG ? damaged(self, "its base has lost rows, or has others") : r;
}

static int unpack_base(struct unpack *self)
{
    const char *tables[ATES_TABLES_MAX];
    const size_t count = ates_domain_tables(self->plan->domain, tables);
    char name[ATES_BASE_FOLDER_SIZE], path[sizeof self->folder + sizeof name];
    struct ates_store *store = NULL;

    if (!self->has_base) {
        return 0;
    }
    if (self->plan->has_until && self->plan->until < self->base.head.time) {
        snprintf(self->error, self->error_size,
                 "%s: the log was compacted, and begins after that time; an earlier backup may "
                 "reach back to it",
                 self->in.path);
        return -ERANGE;
    }
    ates_base_folder(&self->base, name);
    snprintf(path, sizeof path, "%s/%s", self->folder, name);
    int r = ates_store_open(&store, path, (size_t)self->plan->config->map_size, tables, count,
                            self->error, self->error_size);
    if (r == 0) {
        r = put_rows(self, store);
    }
    ates_store_close(&store);
    if (r == 0) {
        r = check_base(self);
    }
    if (r == 0) {
        r = ates_sync_folder(path, self->error, self->error_size);
    }
    return r == 0 ? ates_datadir_raise(self->plan->config->data_dir, self->error, self->error_size)
                  : r;
}

/* Whether a record is the first that is not kept. */
static bool is_past(const struct unpack *self, const struct ates_record *record)
{
    const struct ates_unpack *plan = self->plan;

    if (!plan->has_until) {
        return false;
    }
    for (size_t i = 0; record->has_followed && i < plan->producer_count; i++) {
        if (ates_text_equal(record->followed.producer,
                            ates_text_from(plan->producers[i].service)) &&
            record->followed.seq > plan->producers[i].head.seq) {
            return true;
        }
    }
    return record->time > plan->until;
}

static int flush(struct unpack *self)
{
    const struct ates_log_head expected = *ates_log_head(self->log);

    for (size_t i = 0; i < self->count; i++) {
        self->batch[i].bytes.data = self->bytes.data + self->offsets[i];
    }
    const int r = self->count > 0
                      ? ates_log_append(self->log, &expected, self->batch, self->count, &self->head)
                      : 0;
    self->count = 0;
    self->bytes.size = 0;
    return r == 0 ? 0 : fail(self, "log", r);
}

static int keep(struct unpack *self, const struct ates_stored_record *stored,
                const struct ates_record *record)
{
    self->offsets[self->count] = self->bytes.size;
    self->batch[self->count++] = *stored;
    ates_buffer_append(&self->bytes, stored->bytes.data, stored->bytes.size);
    ates_record_head(record, &self->head);
    return self->count == BATCH_RECORDS || self->bytes.size >= BATCH_BYTES ? flush(self) : 0;
}

static int take_record(struct unpack *self)
{
    const struct ates_stored_record stored = {self->walk.head.number + 1, self->walk.head.seq + 1,
                                              self->part.bytes};
    struct ates_record record;

    if (self->part.kind != ATES_ARCHIVE_RECORD) {
        return damaged(self, "byte %" PRIu64 ": something else in the place of record %" PRIu64,
                       self->part.offset, stored.number);
    }
    int r = ates_walk_record(&self->walk, &stored, &record);
    if (r != 0) {
        return r;
    }
    self->cut = self->cut || is_past(self, &record);
    return self->cut ? 0 : keep(self, &stored, &record);
}

static int take_records(struct unpack *self)
{
    const struct ates_backup_progress *progress = self->plan->progress;
    const struct ates_manifest_log *noted = self->plan->noted;
    int r = 0;

    while (r == 0 && !self->ended) {
        r = take_record(self);
        if (r == 0 && progress != NULL && self->walk.head.number % BATCH_RECORDS == 0) {
            progress->tell(progress->context, noted->service, "restoring", self->walk.head.number,
                           noted->head.number);
        }
        if (r == 0) {
            r = advance(self);
        }
    }
    return r == 0 ? flush(self) : r;
}

static int compare_with_manifest(struct unpack *self)
{
    const struct ates_manifest_log *noted = self->plan->noted;
    uint8_t digest[ATES_HASH_SIZE];

    ates_archive_digest(&self->in, digest);
    if (!ates_log_head_equal(&self->walk.head, &noted->head)) {
        return damaged(self,
                       "it ends with record %" PRIu64 " (event %" PRIu64
                       "); the manifest says record %" PRIu64 " (event %" PRIu64 ")",
                       self->walk.head.number, self->walk.head.seq, noted->head.number,
                       noted->head.seq);
    }
    return memcmp(digest, noted->digest, sizeof digest) == 0 && self->in.size == noted->size
               ? 0
               : damaged(self, "it is another file than the manifest says");
}

static int make_log(struct unpack *self, char *why, size_t why_size)
{
    char path[sizeof self->folder + 8];

    snprintf(path, sizeof path, "%s/log", self->folder);
    int r = ates_log_create(&self->log, path, (size_t)self->plan->config->map_size,
                            self->plan->noted->log_id, self->plan->noted->service,
                            self->has_base ? &self->base : NULL, self->error, self->error_size);
    if (r == 0) {
        r = ates_walk_open(&self->walk, self->plan->domain->service, self->plan->noted->log_id,
                           self->has_base ? &self->base : NULL, why, why_size);
    }
    if (r == 0) {
        r = take_records(self);
    }
    if (why[0] != '\0') {
        damaged(self, "%s", why);
    }
    ates_log_close(&self->log);
    return r == 0 ? ates_sync_folder(path, self->error, self->error_size) : r;
}

static int unpack(struct unpack *self)
{
    char path[4200], why[400] = "";

    snprintf(path, sizeof path, "%s/%s.log", self->plan->backup, self->plan->noted->service);
    int r = ates_archive_open(&self->in, path, self->error, self->error_size);
    if (r == 0 && mkdir(self->folder, 0700) != 0) {
        r = fail(self, "", -errno);
    }
    if (r == 0) {
        r = read_about(self);
    }
    if (r == 0) {
        r = unpack_base(self);
    }
    if (r == 0) {
        r = make_log(self, why, sizeof why);
    }
    if (r == 0) {
        r = compare_with_manifest(self);
    }
    return r == 0 ? ates_sync_folder(self->folder, self->error, self->error_size) : r;
}

int ates_unpack(const struct ates_unpack *plan, struct ates_log_head *head, char *error,
                size_t error_size)
{
    struct unpack self = {.plan = plan, .error = error, .error_size = error_size};

    snprintf(self.folder, sizeof self.folder, "%s/%s", plan->config->data_dir,
             plan->noted->service);
    self.arena = ates_arena_new();
    self.batch = calloc(BATCH_RECORDS, sizeof *self.batch);
    self.offsets = calloc(BATCH_RECORDS, sizeof *self.offsets);
    int r = self.batch != NULL && self.offsets != NULL ? unpack(&self) : fail(&self, "", -ENOMEM);
    if (r == 0) {
        *head = self.head;
    }
    ates_archive_close(&self.in);
    ates_walk_close(&self.walk);
    ates_arena_free(&self.arena);
    ates_buffer_release(&self.bytes);
    free(self.batch);
    free(self.offsets);
    return r;
}
