/* The engine's life: open, commit, checkpoint, close; see engine.h. */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/catalogue.h"
#include "core/datadir.h"
#include "core/engine_private.h"
#include "core/environment.h"
#include "core/users.h"

/* A checkpoint holds up the loop: its size is tuned so that one takes about this long. */
#define CHECKPOINT_TARGET_US 15000
#define CHECKPOINT_INTERVAL_US 1000000
#define WRITES_MIN 2000ul

static const char *const core_tables[ATES_TABLE_DOMAIN] = {
    [ATES_TABLE_META] = "meta",
    [ATES_TABLE_REQUESTS] = "requests",
    [ATES_TABLE_REQUEST_AGES] = "request_ages",
    [ATES_TABLE_CURSORS] = "cursors",
    [ATES_TABLE_DEAD_LETTERS] = "dead_letters",
    [ATES_TABLE_JOBS] = "jobs",
    [ATES_TABLE_USERS] = "users",
};

static void index_types(struct ates_engine *self)
{
    const struct ates_service *service = self->domain->service;

    assert(service->event_count < ENGINE_TYPES_MAX);
    for (size_t i = 0; i < service->event_count; i++) {
        self->types[self->type_count++] = &service->events[i];
    }
    self->types[self->type_count++] = &ates_user_known_event;
    for (size_t i = 0; i < self->type_count; i++) {
        for (size_t j = 0; j < self->domain->applier_count; j++) {
            if (self->domain->appliers[j].event == self->types[i]->data) {
                self->appliers[i] = self->domain->appliers[j].apply;
            }
        }
    }
}

size_t ates_domain_tables(const struct ates_domain *domain, const char *tables[ATES_TABLES_MAX])
{
    size_t count = ATES_TABLE_DOMAIN;

    memcpy(tables, core_tables, sizeof core_tables);
    for (size_t i = 0; domain->tables[i] != NULL; i++) {
        assert(count < ATES_TABLES_MAX);
        tables[count++] = domain->tables[i];
    }
    return count;
}

static int open_stores(struct ates_engine *self, const char *folder, const char *state_folder,
                       char *error, size_t error_size)
{
    const char *tables[ATES_TABLES_MAX];
    char path[sizeof self->config.data_dir + 64];
    const size_t table_count = ates_domain_tables(self->domain, tables);

    snprintf(path, sizeof path, "%s/log", folder);
    int r = ates_log_open(&self->log, path, (size_t)self->config.map_size, &self->source, error,
                          error_size);
    if (r == 0) {
        r = ates_log_claim(self->log, self->domain->service->name, error, error_size);
    }
    if (r == 0) {
        snprintf(path, sizeof path, "%s/%s", folder, state_folder);
        r = ates_store_open(&self->store, path, (size_t)self->config.map_size, tables, table_count,
                            error, error_size);
    }
    return r;
}

static int open_engine(struct ates_engine **engine, const struct ates_domain *domain,
                       const struct ates_config *config, const struct ates_source *source,
                       const char *state_folder, const char *keys, char *error, size_t error_size)
{
    struct ates_engine *self = calloc(1, sizeof *self);
    char folder[sizeof config->data_dir + 32];

    if (self == NULL) {
        return -ENOMEM;
    }
    self->domain = domain;
    self->config = *config;
    self->source = *source;
    self->lock = -1;
    self->committed = true;
    self->steps = true;
    self->write_budget = 20 * WRITES_MIN;
    self->arena = ates_arena_new();
    index_types(self);

    int r = ates_datadir_lock(config->data_dir, domain->service->name, folder, sizeof folder,
                              &self->lock, error, error_size);
    if (r == 0) {
        r = open_stores(self, folder, state_folder, error, error_size);
    }
    if (r == 0 && domain->open != NULL) {
        r = domain->open(&self->config, keys, &self->domain_memory, error, error_size);
    }
    if (r != 0) {
        ates_engine_close(&self);
        return r;
    }
    *engine = self;
    return 0;
}

int ates_engine_open(struct ates_engine **engine, const struct ates_domain *domain,
                     const struct ates_config *config, const struct ates_source *source,
                     char *error, size_t error_size)
{
    char keys[PATH_MAX];

    ates_keys_folder(config->data_dir, keys, sizeof keys);
    return open_engine(engine, domain, config, source, "state", keys, error, error_size);
}

int ates_engine_open_offline(struct ates_engine **engine, const struct ates_domain *domain,
                             const struct ates_config *config, const struct ates_source *source,
                             const char *state_folder, char *error, size_t error_size)
{
    return open_engine(engine, domain, config, source, state_folder, NULL, error, error_size);
}

void ates_engine_close(struct ates_engine **engine)
{
    struct ates_engine *self = *engine;

    if (self == NULL) {
        return;
    }
    if (self->started) {
        /* A state that the log does not bear out must not get to the disk. */
        if (self->sound && (self->committed || self->record_count == 0)) {
            ates_engine_checkpoint(self, true);
        }
        ates_txn_abort(&self->txn);
    }
    if (self->domain->close != NULL && self->domain_memory != NULL) {
        self->domain->close(&self->domain_memory);
    }
    ates_store_close(&self->store);
    ates_log_close(&self->log);
    if (self->lock >= 0) {
        close(self->lock);
    }
    engine_release_begun(self);
    ates_arena_free(&self->arena);
    ates_buffer_release(&self->txn.scratch);
    ates_buffer_release(&self->stage);
    ates_buffer_release(&self->reply);
    ates_buffer_release(&self->records);
    ates_buffer_release(&self->envelopes);
    ates_buffer_release(&self->replies);
    free(self->staged);
    free(self->batch_records);
    free(self->batch_events);
    free(self->batch_jobs);
    free(self);
    *engine = NULL;
}

int ates_engine_start(struct ates_engine *self)
{
    int r = ates_txn_begin(&self->txn, self->store, false, self->arena);

    if (r != 0) {
        return r;
    }
    self->started = true;
    self->checkpointed_us = ates_monotonic_us();
    r = engine_replay(self);
    self->sound = r == 0;
    return r;
}

int engine_restore(struct ates_engine *self)
{
    ates_txn_abort(&self->txn);
    int r = ates_txn_begin(&self->txn, self->store, false, self->arena);
    if (r == 0) {
        r = engine_replay(self);
    }
    self->sound = r == 0;
    self->steps = true; /* a job that the lost part had finished is unfinished again */
    return r;
}

static int read_stored(struct ates_engine *self, uint64_t first_seq, uint64_t number,
                       struct ates_record *record)
{
    struct ates_log_reader reader;
    struct ates_stored_record stored;
    int r = ates_log_read_open(&reader, self->log);

    if (r != 0) {
        return r;
    }
    r = ates_log_read_seek_record(&reader, first_seq, number);
    if (r == 0) {
        r = ates_log_read_next(&reader, &stored);
    }
    if (r == 0 && stored.number == number) {
        const void *copy = ates_arena_copy(self->arena, stored.bytes.data, stored.bytes.size);

        r = ates_record_decode(copy, stored.bytes.size, self->arena, record);
    } else if (r >= 0) {
        r = -EUCLEAN;
    }
    ates_log_read_close(&reader);
    return r;
}

int engine_read_record(struct ates_engine *self, uint64_t first_seq, uint64_t number,
                       struct ates_record *record)
{
    if (!self->committed && self->record_count > 0 && number >= self->batch_records[0].number) {
        const struct slice bytes =
            self->batch_records[number - self->batch_records[0].number].bytes;

        return ates_record_decode(self->records.data + bytes.offset, bytes.size, self->arena,
                                  record);
    }
    return read_stored(self, first_seq, number, record);
}

int engine_append(struct ates_engine *self)
{
    const int64_t start = ates_monotonic_us();
    struct ates_stored_record *stored;

    if (self->record_count == 0) {
        return 0;
    }
    stored = malloc(self->record_count * sizeof *stored);
    if (stored == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < self->record_count; i++) {
        const struct batch_record *record = &self->batch_records[i];

        stored[i] = (struct ates_stored_record){
            record->number,
            record->first_seq,
            {self->records.data + record->bytes.offset, record->bytes.size}};
    }
    const struct ates_log_head expected = *ates_log_head(self->log);
    int r = ates_log_append(self->log, &expected, stored, self->record_count, &self->head);
    free(stored);
    if (r == 0) {
        ates_histogram_add(&self->figures.commit_us, &ates_time_scale,
                           (uint64_t)(ates_monotonic_us() - start));
        ates_histogram_add(&self->figures.batch_records, &ates_batch_scale, self->record_count);
        self->record_count = 0;
    }
    return r;
}

/* Forgets the batch, nothing of which got to the log. */
static int drop_batch(struct ates_engine *self, int fault)
{
    self->record_count = self->event_count = self->job_count = 0;
    self->lost = 0;
    engine_settle_batch(self, false);
    if (fault != -ENOSPC) {
        self->sound = false;
        return fault;
    }
    const int r = engine_restore(self);
    return r != 0 ? r : fault;
}

/* LMDB takes a write that a full disk cut short for an I/O error, after which a process must end: so room for a
 * batch and a checkpoint is looked for before they begin. */
bool ates_engine_has_room(const struct ates_engine *self)
{
    return ates_environment_has_room(self->config.data_dir, ENGINE_ROOM_BYTES);
}

void engine_trim(struct ates_buffer *buffer)
{
    if (buffer->capacity > ENGINE_BUFFER_KEPT) {
        ates_buffer_release(buffer);
    }
}

bool ates_engine_is_closed(const struct ates_engine *self)
{
    return !self->committed && self->closed;
}

int ates_engine_commit(struct ates_engine *self)
{
    if (self->committed) {
        self->event_count = self->job_count = 0;
        return 0;
    }
    self->committed = true;
    const int r = self->lost != 0 ? self->lost : engine_append(self);
    if (r != 0) {
        return drop_batch(self, r);
    }
    engine_settle_batch(self, true);
    return 0;
}

unsigned long ates_checkpoint_budget(unsigned long budget, unsigned long writes, int64_t took_us)
{
    const unsigned long fit =
        writes * CHECKPOINT_TARGET_US / (unsigned long)(took_us > 0 ? took_us : 1);

    /* By halves, so that one odd checkpoint does not swing it. */
    budget = (budget + fit) / 2;
    budget = budget < WRITES_MIN ? WRITES_MIN : budget;
    return budget > ENGINE_WRITES_MAX ? ENGINE_WRITES_MAX : budget;
}

int64_t ates_engine_checkpoint(struct ates_engine *self, bool now)
{
    const int64_t start = ates_monotonic_us();
    const int64_t due = self->checkpointed_us + CHECKPOINT_INTERVAL_US - start;

    assert(self->committed || self->record_count == 0);
    if (self->txn.writes == 0) {
        self->checkpointed_us = start;
        return CHECKPOINT_INTERVAL_US / 1000;
    }
    if (!now && due > 0 && self->txn.writes < self->write_budget) {
        return due / 1000 + 1;
    }
    ates_log_drop_dead_readers(self->log);
    if (!ates_engine_has_room(self)) {
        return CHECKPOINT_INTERVAL_US / 1000; /* put off: the log has it all */
    }
    const unsigned long writes = self->txn.writes;
    int r = engine_commit_state(self, ates_log_head(self->log));
    const int64_t took = ates_monotonic_us() - start;

    self->checkpointed_us = start + took;
    if (r != 0) {
        const struct ates_log_field fields[] = {{"error", strerror(r < 0 ? -r : EIO), 0},
                                                {NULL, NULL, 0}};

        ates_say(ATES_SAY_CHECKPOINT_FAILED, self->domain->service->name, fields,
                 "a checkpoint failed");
        if (r != -ENOSPC) {
            self->sound = false;
            return r < 0 ? r : -EIO;
        }
        r = engine_restore(self);
        return r != 0 ? r : CHECKPOINT_INTERVAL_US / 1000;
    }
    ates_histogram_add(&self->figures.checkpoint_us, &ates_time_scale, (uint64_t)took);
    self->write_budget = ates_checkpoint_budget(self->write_budget, writes, took);
    return CHECKPOINT_INTERVAL_US / 1000;
}

int ates_engine_save(struct ates_engine *self)
{
    if (ates_engine_checkpoint(self, true) < 0) {
        return -EIO;
    }
    return self->txn.writes > 0 ? -ENOSPC : 0;
}

int ates_engine_position(struct ates_engine *self, const char *producer,
                         struct ates_position *position)
{
    struct ates_key key = {.size = 0};
    struct ates_followed followed;

    *position = (struct ates_position){.known = false};
    ates_key_add_bytes(&key, producer, strlen(producer));
    int r =
        ates_get_message(&self->txn, ATES_TABLE_CURSORS, &key, &ates_followed_message, &followed);
    if (r == 0) {
        position->known = true;
        snprintf(position->log_id, sizeof position->log_id, "%.*s", (int)followed.log_id.size,
                 followed.log_id.data);
        position->seq = followed.seq;
        memcpy(position->hash, followed.hash.data, sizeof position->hash);
    }
    return r == ATES_NOT_FOUND ? 0 : r;
}

unsigned ates_engine_used_permille(const struct ates_engine *self)
{
    const unsigned log = ates_log_used_permille(self->log);
    const unsigned state = ates_engine_state_used_permille(self);

    return log > state ? log : state;
}

unsigned ates_engine_state_used_permille(const struct ates_engine *self)
{
    return ates_store_used_permille(self->store);
}

const struct ates_domain *ates_engine_domain(const struct ates_engine *self)
{
    return self->domain;
}

const struct ates_config *ates_engine_config(const struct ates_engine *self)
{
    return &self->config;
}

const struct ates_source *ates_engine_source(const struct ates_engine *self)
{
    return &self->source;
}

struct ates_log *ates_engine_log(struct ates_engine *self)
{
    return self->log;
}

struct ates_txn *ates_engine_txn(struct ates_engine *self)
{
    return &self->txn;
}

const struct ates_log_head *ates_engine_head(const struct ates_engine *self)
{
    return &self->head;
}

void ates_engine_on_replay(struct ates_engine *self, const struct ates_progress *progress)
{
    self->progress = progress;
}

const struct ates_engine_figures *ates_engine_figures(const struct ates_engine *self)
{
    return &self->figures;
}

size_t ates_engine_committed_events(const struct ates_engine *self)
{
    return self->event_count;
}

struct ates_bytes ates_engine_committed_event(const struct ates_engine *self, size_t index,
                                              const struct ates_event_type **type)
{
    const struct batch_event *event = &self->batch_events[index];

    *type = event->type;
    return (struct ates_bytes){self->envelopes.data + event->bytes.offset, event->bytes.size};
}

size_t ates_engine_finished_jobs(const struct ates_engine *self)
{
    return self->job_count;
}

struct ates_finished_job ates_engine_finished_job(const struct ates_engine *self, size_t index)
{
    const struct batch_job *job = &self->batch_jobs[index];

    return (struct ates_finished_job){
        job->job, job->seq, {self->replies.data + job->reply.offset, job->reply.size}};
}
