/* Restoring a backup; see restore.h. */
#include "core/restore.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/datadir.h"
#include "core/engine_private.h"
#include "core/environment.h"
#include "core/file_copy.h"
#include "core/restore_folder.h"
#include "core/restore_keys.h"

#define CURSORS_MAX 64u

/* Where a service says that it is in another's log. */
struct cursor {
    const char *consumer, *producer;
    struct ates_position position;
};

struct restore {
    const struct ates_restore_plan *plan;
    struct ates_restore_report *report;
    struct ates_config config; /* of the folder that is worked in */
    struct cursor cursors[CURSORS_MAX];
    size_t cursor_count;
    char *error;
    size_t error_size;
};

/* What the engine tells of its replay, with the service's name. */
struct fold_progress {
    const struct ates_backup_progress *progress;
    const char *service;
};

static void tell(void *context, uint64_t done, uint64_t total)
{
    const struct fold_progress *self = context;

    self->progress->tell(self->progress->context, self->service, "folding", done, total);
}

static const struct ates_domain *find_domain(const struct restore *self, const char *service)
{
    for (size_t i = 0; self->plan->domains[i] != NULL; i++) {
        if (strcmp(self->plan->domains[i]->service->name, service) == 0) {
            return self->plan->domains[i];
        }
    }
    return NULL;
}

static const struct ates_cut *find_cut(const struct restore *self, const char *service)
{
    for (size_t i = 0; i < self->report->cut_count; i++) {
        if (strcmp(self->report->cuts[i].service, service) == 0) {
            return &self->report->cuts[i];
        }
    }
    return NULL;
}

static int refuse_unknown(const struct restore *self)
{
    const struct ates_manifest *manifest = &self->report->manifest;

    for (size_t i = 0; i < manifest->log_count; i++) {
        if (find_domain(self, manifest->logs[i].service) == NULL) {
            snprintf(
                self->error, self->error_size,
                "%s: it holds the log of '%s', a service that this program (%s) does not have; "
                "it was taken by %s",
                self->plan->backup, manifest->logs[i].service, ATES_VERSION, manifest->program);
            return -EPROTONOSUPPORT;
        }
    }
    return 0;
}

/* Producers first: a point in time cuts those that follow them by them. */
static int unpack_logs(struct restore *self)
{
    const struct ates_domain *ordered[ATES_DOMAINS_MAX];
    struct ates_restore_report *report = self->report;
    int r = 0;

    for (size_t i = ates_consumers_first(self->plan->domains, ordered); r == 0 && i-- > 0;) {
        const char *service = ordered[i]->service->name;
        const struct ates_unpack plan = {
            .backup = self->plan->backup,
            .noted = ates_manifest_log(&report->manifest, service),
            .domain = ordered[i],
            .config = &self->config,
            .has_until = self->plan->has_until,
            .until = self->plan->until,
            .producers = report->cuts,
            .producer_count = report->cut_count,
            .progress = self->plan->progress,
        };

        if (plan.noted != NULL) {
            struct ates_cut *cut = &report->cuts[report->cut_count];

            r = ates_unpack(&plan, &cut->head, self->error, self->error_size);
            cut->service = service;
            report->cut_count += r == 0;
        }
    }
    return r;
}

static int note_cursors(struct restore *self, struct ates_engine *engine,
                        const struct ates_domain *consumer)
{
    int r = 0;

    for (size_t i = 0; r == 0 && self->plan->domains[i] != NULL; i++) {
        const char *producer = self->plan->domains[i]->service->name;
        struct cursor *cursor = &self->cursors[self->cursor_count];

        if (!ates_domain_follows(consumer, producer) || self->cursor_count == CURSORS_MAX) {
            continue;
        }
        *cursor = (struct cursor){.consumer = consumer->service->name, .producer = producer};
        r = ates_engine_position(engine, producer, &cursor->position);
        self->cursor_count += cursor->position.known;
    }
    return r;
}

static int explain_fold(const struct restore *self, const char *service, int r, const char *why)
{
    if (r != 0) {
        snprintf(self->error, self->error_size, "%s: %s%s", service,
                 r == -EBADMSG && why[0] != '\0'
                     ? "the state that its log makes contradicts itself: "
                     : "its log cannot be folded: ",
                 why[0] != '\0' ? why : strerror(r < 0 ? -r : EBADMSG));
    }
    return r > 0 ? -EBADMSG : r;
}

static int fold(struct restore *self, const struct ates_domain *domain)
{
    const struct ates_source source = ates_source_system();
    const char *service = domain->service->name;
    struct fold_progress told = {self->plan->progress, service};
    const struct ates_progress progress = {tell, &told};
    struct ates_engine *engine = NULL;
    char why[256] = "";
    int r = ates_engine_open_offline(&engine, domain, &self->config, &source, "state", self->error,
                                     self->error_size);

    if (r != 0) {
        return r;
    }
    if (told.progress != NULL) {
        ates_engine_on_replay(engine, &progress);
    }
    r = ates_engine_start(engine);
    if (r == 0) {
        r = ates_engine_save(engine);
    }
    if (r == 0 && domain->check != NULL) {
        r = domain->check(ates_engine_txn(engine), why, sizeof why);
    }
    if (r == 0) {
        r = note_cursors(self, engine, domain);
    }
    ates_engine_close(&engine);
    return explain_fold(self, service, r, why);
}

static int fold_all(struct restore *self)
{
    char path[4200];
    int r = 0;

    for (size_t i = 0; r == 0 && i < self->report->cut_count; i++) {
        const char *service = self->report->cuts[i].service;

        r = fold(self, find_domain(self, service));
        if (r == 0) {
            snprintf(path, sizeof path, "%s/%s/state", self->config.data_dir, service);
            r = ates_sync_folder(path, self->error, self->error_size);
        }
        if (r == 0) {
            snprintf(path, sizeof path, "%s/%s", self->config.data_dir, service);
            r = ates_sync_folder(path, self->error, self->error_size);
        }
    }
    return r;
}

/* The hash of the event seq; ATES_NOT_FOUND where it was cut off the log by a compaction. */
static int find_hash(struct ates_log *log, uint64_t seq, struct ates_arena *arena,
                     uint8_t hash[ATES_HASH_SIZE])
{
    const struct ates_base_note *base = ates_log_base(log);
    struct ates_stored_record stored;
    struct ates_log_reader reader;
    struct ates_record record;

    if (base != NULL && seq <= base->head.seq) {
        memcpy(hash, base->head.hash, ATES_HASH_SIZE);
        return seq == base->head.seq ? 0 : ATES_NOT_FOUND;
    }
    int r = ates_log_read_open(&reader, log);
    if (r != 0) {
        return r;
    }
    r = ates_log_read_seek(&reader, seq);
    if (r == 0) {
        r = ates_log_read_next(&reader, &stored);
    }
    if (r == 0) {
        r = ates_record_decode(stored.bytes.data, stored.bytes.size, arena, &record);
    }
    if (r == 0 && (seq < record.first_seq || seq > ates_record_last_seq(&record))) {
        r = -EBADMSG;
    }
    if (r == 0) {
        const struct ates_bytes *events = record.events.items;
        const struct ates_bytes event = events[seq - record.first_seq];

        ates_envelope_hash(event.data, event.size, hash);
    }
    ates_log_read_close(&reader);
    return r;
}

/* A service that followed what its producer's log does not have would never come on. */
static int check_cursor(const struct restore *self, const struct cursor *cursor,
                        struct ates_arena *arena)
{
    const struct ates_cut *cut = find_cut(self, cursor->producer);
    uint8_t hash[ATES_HASH_SIZE];
    struct ates_log *log = NULL;
    char path[4200];

    snprintf(path, sizeof path, "%s/%s/log", self->config.data_dir, cursor->producer);
    if (cut == NULL || cursor->position.seq > cut->head.seq) {
        snprintf(self->error, self->error_size,
                 "%s has followed %s up to event %" PRIu64 ", but the backup's log of %s ends at "
                 "event %" PRIu64,
                 cursor->consumer, cursor->producer, cursor->position.seq, cursor->producer,
                 cut != NULL ? cut->head.seq : 0);
        return -EBADMSG;
    }
    int r = ates_log_open_read(&log, path, self->error, self->error_size);
    if (r != 0 || cursor->position.seq == 0) {
        ates_log_close(&log);
        return r;
    }
    r = find_hash(log, cursor->position.seq, arena, hash);
    if (r == 0 && (strcmp(ates_log_id(log), cursor->position.log_id) != 0 ||
                   memcmp(hash, cursor->position.hash, sizeof hash) != 0)) {
        r = -EBADMSG;
    }
    ates_log_close(&log);
    if (r < 0) {
        snprintf(self->error, self->error_size,
                 "%s has followed another log of %s than the backup's: event %" PRIu64 " differs",
                 cursor->consumer, cursor->producer, cursor->position.seq);
    }
    return r == ATES_NOT_FOUND ? 0 : r;
}

static int check_cursors(const struct restore *self)
{
    struct ates_arena *arena = ates_arena_new();
    int r = arena != NULL ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < self->cursor_count; i++) {
        r = check_cursor(self, &self->cursors[i], arena);
        ates_arena_reset(arena);
    }
    ates_arena_free(&arena);
    return r;
}

static int make_all(struct restore *self)
{
    const struct ates_restore_keys keys = {
        .manifest = &self->report->manifest,
        .backup = self->plan->backup,
        .data_dir = self->plan->config->data_dir,
        .work = self->config.data_dir,
        .verify_only = self->plan->verify_only,
    };
    int r = ates_datadir_create(self->config.data_dir, self->error, self->error_size);

    if (r == 0) {
        r = unpack_logs(self);
    }
    if (r == 0) {
        r = fold_all(self);
    }
    if (r == 0) {
        r = check_cursors(self);
    }
    if (r == 0) {
        r = ates_restore_keys(&keys, &self->report->kept_keys, self->error, self->error_size);
    }
    if (r == 0) {
        r = ates_sync_folder(self->config.data_dir, self->error, self->error_size);
    }
    /* What a full disk cuts short LMDB takes for an I/O error. */
    if ((r == -EIO || r == -ENOSPC) &&
        !ates_environment_has_room(self->plan->config->data_dir, ENGINE_ROOM_BYTES)) {
        snprintf(self->error, self->error_size, "%s: the disk is full",
                 self->plan->config->data_dir);
        r = -ENOSPC;
    }
    return r;
}

/* What tells one restore from another: the backup, and until when. */
static int make_mark(const struct restore *self, char mark[RESTORE_MARK_SIZE])
{
    uint8_t digest[ATES_HASH_SIZE];
    char path[4200], hex[2 * ATES_HASH_SIZE + 1];
    uint64_t size;

    snprintf(path, sizeof path, "%s/" ATES_MANIFEST, self->plan->backup);
    int r = ates_file_copy(path, NULL, &size, digest, self->error, self->error_size);
    if (r == 0) {
        sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
        snprintf(mark, RESTORE_MARK_SIZE, "%s %" PRId64 "\n", hex,
                 self->plan->has_until ? self->plan->until : INT64_MAX);
    }
    return r;
}

/* The cuts of a restore that this run only completes. */
static int read_cuts(struct restore *self)
{
    struct ates_restore_report *report = self->report;
    char path[4200];
    int r = 0;

    report->cut_count = 0;
    for (size_t i = report->manifest.log_count; r == 0 && i-- > 0;) {
        const char *service = report->manifest.logs[i].service;
        struct ates_cut *cut = &report->cuts[report->cut_count++];
        struct ates_log *log = NULL;

        snprintf(path, sizeof path, "%s/%s/log", self->plan->config->data_dir, service);
        r = ates_log_open_read(&log, path, self->error, self->error_size);
        if (r == 0) {
            cut->service = find_domain(self, service)->service->name;
            cut->head = *ates_log_head(log);
        }
        ates_log_close(&log);
    }
    return r;
}

static int work_in(struct restore *self, struct restore_folder *folder)
{
    int r = make_all(self);

    if (r == 0 && !self->plan->verify_only) {
        r = restore_folder_keep(folder, self->error, self->error_size);
    }
    return r;
}

int ates_restore(const struct ates_restore_plan *plan, struct ates_restore_report *report,
                 char *error, size_t error_size)
{
    struct restore self = {.plan = plan,
                           .report = report,
                           .config = *plan->config,
                           .error = error,
                           .error_size = error_size};
    struct restore_folder folder;
    char mark[RESTORE_MARK_SIZE];
    bool completed = false;

    *report = (struct ates_restore_report){.cut_count = 0};
    error[0] = '\0';
    int r = ates_manifest_read(&report->manifest, plan->backup, error, error_size);
    if (r == 0) {
        r = refuse_unknown(&self);
    }
    if (r == 0) {
        r = make_mark(&self, mark);
    }
    if (r != 0) {
        return r;
    }
    r = restore_folder_open(&folder, plan->config->data_dir, mark, &completed, error, error_size);
    if (r == 0 && completed) {
        r = read_cuts(&self);
    } else if (r == 0) {
        snprintf(self.config.data_dir, sizeof self.config.data_dir, "%s", folder.work);
        r = work_in(&self, &folder);
    }
    restore_folder_close(&folder);
    return r;
}
