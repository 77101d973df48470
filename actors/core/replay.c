/* State from the log: the records that state has not seen are folded in, and its position in the
 * log is written with what it holds. Invariant: a committed state is the fold of all records up to
 * its position. */
#include <errno.h>
#include <string.h>

#include "core/base.h"
#include "core/catalogue.h"
#include "core/engine_private.h"

#define LOG_ID_SIZE (ATES_UUID_SIZE - 1)
#define APPLIED_SIZE (16 + LOG_ID_SIZE + 8) /* record number, seq, log id, the state's version */

/* A state whose rows have another form than this program's: the log has all that it needs. */
static int begin_anew(struct ates_engine *self)
{
    ates_say(ATES_SAY_STATE_ANEW, self->domain->service->name, NULL,
             "the state's form is an older one: it is made anew from the log");
    return ates_txn_clear(&self->txn);
}

/* The last record that state's own row says it holds. -EUCLEAN where it is the state of another log. */
static int read_applied(struct ates_engine *self, struct ates_log_head *applied)
{
    const struct ates_key key = {.size = 7, .data = "applied"};
    struct ates_bytes row;
    int r = ates_get(&self->txn, ATES_TABLE_META, &key, &row);

    *applied = (struct ates_log_head){.number = 0};
    if (r == ATES_NOT_FOUND) {
        return 0;
    }
    if (r == 0 && row.size < 16 + LOG_ID_SIZE) {
        return -EBADMSG;
    }
    if (r == 0 && memcmp(row.data + 16, ates_log_id(self->log), LOG_ID_SIZE) != 0) {
        ates_say(ATES_SAY_STATE_FOREIGN, self->domain->service->name, NULL,
                 "the state in this folder is of another log: was a folder moved?");
        return -EUCLEAN;
    }
    if (r == 0 && (row.size != APPLIED_SIZE ||
                   ates_u64_from(row.data + 16 + LOG_ID_SIZE) != self->domain->state_version)) {
        return begin_anew(self);
    }
    if (r == 0) {
        applied->number = ates_u64_from(row.data);
        applied->seq = ates_u64_from(row.data + 8);
    }
    return r;
}

/* A state that lacks what a compacted log no longer has begins with the log's base. */
static int load_applied(struct ates_engine *self, struct ates_log_head *applied)
{
    const struct ates_base_note *base = ates_log_base(self->log);
    char error[512] = "";
    int r = read_applied(self, applied);

    if (r != 0 || base == NULL || applied->number >= base->head.number) {
        return r;
    }
    r = ates_base_copy(self->domain, &self->config, base, &self->txn, error, sizeof error);
    if (r == 0) {
        *applied = base->head;
        r = engine_commit_state(self, applied);
    } else {
        ates_say(ATES_SAY_BASE_UNUSABLE, self->domain->service->name, NULL, "%s", error);
    }
    return r;
}

static int save_applied(struct ates_engine *self, const struct ates_log_head *applied)
{
    const struct ates_key key = {.size = 7, .data = "applied"};
    struct ates_key row = ates_key_u64(applied->number);

    ates_key_add_u64(&row, applied->seq);
    ates_key_add_bytes(&row, ates_log_id(self->log), LOG_ID_SIZE);
    ates_key_add_u64(&row, self->domain->state_version);
    return ates_put(&self->txn, ATES_TABLE_META, &key, row.data, row.size);
}

int engine_commit_state(struct ates_engine *self, const struct ates_log_head *applied)
{
    int r = save_applied(self, applied);

    if (r == 0) {
        r = ates_txn_commit(&self->txn);
    } else {
        ates_txn_abort(&self->txn);
    }
    int begun = ates_txn_begin(&self->txn, self->store, false, self->arena);
    return r != 0 ? r : begun;
}

static int replay_record(struct ates_engine *self, const struct ates_stored_record *stored,
                         struct ates_log_head *applied)
{
    struct ates_record record;

    ates_arena_reset(self->arena);
    int r = ates_record_decode(stored->bytes.data, stored->bytes.size, self->arena, &record);
    if (r == 0 && (record.number != applied->number + 1 || record.first_seq != applied->seq + 1)) {
        r = -EBADMSG;
    }
    if (r == 0) {
        r = engine_fold_record(self, &record);
        r = r > 0 ? -EBADMSG : r; /* appliers cannot refuse: a row that they need is not there */
    }
    if (r == 0) {
        ates_record_head(&record, applied);
        self->figures.replayed++;
    }
    return r;
}

/* Where somebody watches: not so often that it costs. */
static void tell(const struct ates_engine *self, uint64_t done)
{
    const uint64_t total = ates_log_head(self->log)->number;

    if (self->progress != NULL && (done % ENGINE_PROGRESS_STEP == 0 || done == total)) {
        self->progress->tell(self->progress->context, done, total);
    }
}

int engine_replay(struct ates_engine *self)
{
    return engine_replay_to(self, ates_log_head(self->log));
}

int engine_replay_to(struct ates_engine *self, const struct ates_log_head *head)
{
    struct ates_log_head applied;
    struct ates_log_reader reader;
    struct ates_stored_record stored;
    int r = load_applied(self, &applied);

    if (r == 0) {
        r = ates_log_read_open(&reader, self->log);
    }
    if (r != 0) {
        return r;
    }
    r = ates_log_read_seek_record(&reader, applied.seq + 1, applied.number + 1);
    while (r == 0 && applied.number < head->number) {
        r = ates_log_read_next(&reader, &stored);
        if (r == 0) {
            r = replay_record(self, &stored, &applied);
            tell(self, applied.number);
        }
        if (r == 0 && self->txn.writes >= ENGINE_WRITES_MAX) {
            r = engine_commit_state(self, &applied);
        }
    }
    ates_log_read_close(&reader);
    if (r != 0 && r != ATES_NOT_FOUND) {
        return r;
    }
    self->head = *head;
    return applied.number == head->number && applied.seq == head->seq ? 0 : -EUCLEAN;
}
