/* Shortens a log; see compact.h. */
#include "core/compact.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base.h"
#include "core/check.h"
#include "core/datadir.h"
#include "core/engine_private.h"
#include "core/environment.h"
#include "core/guarded.h"
#include "core/order.h"
#include "core/requests.h"
#include "core/snapshot.h"

#define LOG "log"
#define FRESH_LOG "log.new"
#define SCRATCH "base.new" /* the state as of the cut, while the base is made of it */

struct compaction {
    const struct ates_domain *domain;
    const struct ates_config *config;
    const struct ates_compact_plan *plan;
    const struct ates_progress *progress;
    struct ates_source source;
    struct ates_engine *engine; /* holds the lock, the log as it was, and the scratch state */
    int folder;                 /* DATA/SERVICE */
    char path[sizeof((struct ates_config *)0)->data_dir + 64];
    uint64_t limit_seq; /* what comes after it is not followed by all yet */
    char limited_by[64];
    char *error;
    size_t error_size;
};

static int fail(const struct compaction *self, const char *what, int fault)
{
    snprintf(self->error, self->error_size, "%s/%s: %s", self->path, what, strerror(-fault));
    return fault;
}

/* Of whom what is asked for. */
struct asked {
    const struct compaction *self;
    const struct ates_domain *consumer;
};

/* result: a struct ates_position. */
static int read_position(const void *input, const struct ates_progress *progress, void *result,
                         char *error, size_t error_size)
{
    const struct asked *asked = input;
    const struct compaction *self = asked->self;
    struct ates_engine *engine = NULL;
    int r = ates_engine_open_offline(&engine, asked->consumer, self->config, &self->source, "state",
                                     error, error_size);

    (void)progress;
    if (r == 0) {
        r = ates_engine_start(engine);
    }
    if (r == 0) {
        r = ates_engine_position(engine, self->domain->service->name, result);
    }
    ates_engine_close(&engine);
    return r;
}

/* How far a service of this folder has followed the one that is compacted. Its own data are not checked: they are read
 * in a child, which damage may end. */
static int find_position(const struct compaction *self, const struct ates_domain *consumer,
                         struct ates_position *position)
{
    const struct asked asked = {self, consumer};
    char why[2048] = "";
    const int r =
        ates_guarded(read_position, &asked, NULL, position, sizeof *position, why, sizeof why);

    if (r == -EBUSY) {
        snprintf(self->error, self->error_size, "%s", why);
    } else if (r != 0) {
        snprintf(self->error, self->error_size,
                 "%s, which follows %s, cannot be started: %s; atesctl admin check may tell more",
                 consumer->service->name, self->domain->service->name, why);
    }
    return r == -EBADMSG ? -EUCLEAN : r; /* it is not this one that is damaged */
}

/* A follower that is not of this folder is not known here: the time until which its operator's
 * backups reach back must do for it. */
static int find_limit(struct compaction *self)
{
    char path[sizeof self->path + 32];
    int r = 0;

    self->limit_seq = UINT64_MAX;
    for (size_t i = 0; r == 0 && self->plan->domains[i] != NULL; i++) {
        const struct ates_domain *consumer = self->plan->domains[i];
        struct ates_position position = {.known = false};

        snprintf(path, sizeof path, "%s/%s/" LOG, self->config->data_dir, consumer->service->name);
        if (!ates_domain_follows(consumer, self->domain->service->name) ||
            access(path, F_OK) != 0) {
            continue;
        }
        r = find_position(self, consumer, &position);
        if (r == 0 && !position.known &&
            ates_snapshot_is_followed(consumer, self->domain->service->name)) {
            continue;
        }
        if (r == 0 && position.seq < self->limit_seq) {
            self->limit_seq = position.seq;
            snprintf(self->limited_by, sizeof self->limited_by, "%s", consumer->service->name);
        }
    }
    return r;
}

/* Whether the record may be cut; if not, and though it is old enough, report says what needs it. */
static bool may_go(const struct compaction *self, const struct ates_record *record,
                   struct ates_compact_report *report)
{
    const char *needed_by = NULL;

    if (record->time >= self->plan->before) {
        return false;
    }
    if (ates_record_last_seq(record) > self->limit_seq) {
        needed_by = self->limited_by;
    } else if (record->time + ATES_REPLY_KEPT_MS > ates_log_head(self->engine->log)->time) {
        needed_by = "stored replies"; /* which are read from their records */
    }
    if (needed_by != NULL) {
        snprintf(report->limited_by, sizeof report->limited_by, "%s", needed_by);
    }
    return needed_by == NULL;
}

/* The head that the last record left that is to be cut: the base's, where none is. */
static int find_cut(const struct compaction *self, struct ates_log_head *cut,
                    struct ates_compact_report *report)
{
    struct ates_log_reader reader;
    struct ates_stored_record stored;
    struct ates_record record;
    int r = ates_log_read_open(&reader, self->engine->log);

    while (r == 0) {
        r = ates_log_read_next(&reader, &stored);
        if (r == 0) {
            ates_arena_reset(self->engine->arena);
            r = ates_record_decode(stored.bytes.data, stored.bytes.size, self->engine->arena,
                                   &record);
        }
        if (r == 0 && !may_go(self, &record, report)) {
            break;
        }
        if (r == 0) {
            ates_record_head(&record, cut);
        }
    }
    ates_log_read_close(&reader);
    return r == ATES_NOT_FOUND ? 0 : r;
}

/* Folds the log up to the cut. */
static int replay(const struct compaction *self, const struct ates_log_head *cut)
{
    struct ates_engine *engine = self->engine;
    char why[256] = "";
    int r = ates_txn_begin(&engine->txn, engine->store, false, engine->arena);

    if (r == 0) {
        engine->started = true;
        r = engine_replay_to(engine, cut);
    }
    if (r == 0 && self->domain->check != NULL) {
        r = self->domain->check(&engine->txn, why, sizeof why);
    }
    if (r != 0) {
        snprintf(self->error, self->error_size, "%s: the state before the cut cannot be made: %s",
                 self->path, why[0] != '\0' ? why : strerror(r < 0 ? -r : EBADMSG));
    }
    return r > 0 ? -EBADMSG : r;
}

static int sync_below(const struct compaction *self, const char *name)
{
    char path[sizeof self->path + ATES_BASE_FOLDER_SIZE];

    snprintf(path, sizeof path, "%s/%s", self->path, name);
    return ates_sync_folder(path, self->error, self->error_size);
}

/* Makes the new pair beside the old, all of it on the disk. */
static int make_pair(const struct compaction *self, struct ates_base_note *base)
{
    char path[sizeof self->path + sizeof FRESH_LOG];

    snprintf(path, sizeof path, "%s/" FRESH_LOG, self->path);
    int r = ates_base_write(self->domain, self->config, &self->engine->txn, base, self->error,
                            self->error_size);
    if (r == 0) {
        r = ates_log_copy_after(self->engine->log, base, path, self->error, self->error_size);
    }
    if (r == 0) {
        r = sync_below(self, FRESH_LOG);
    }
    return r == 0 ? sync_below(self, "") : r;
}

static int exchange(const struct compaction *self)
{
    int r = ates_datadir_raise(self->config->data_dir, self->error, self->error_size);

    if (r == 0 && renameat2(self->folder, FRESH_LOG, self->folder, LOG, RENAME_EXCHANGE) != 0) {
        r = fail(self, LOG " cannot be exchanged for another", -errno);
    }
    return r;
}

/* Removes what the log in place does not name. */
static int remove_leftovers(const struct compaction *self, const struct ates_base_note *base)
{
    char kept[ATES_BASE_FOLDER_SIZE] = "";
    const struct dirent *entry;
    DIR *folder = opendir(self->path);
    int r = folder != NULL ? ates_environment_remove(self->folder, FRESH_LOG) : -errno;

    if (base != NULL) {
        ates_base_folder(base, kept);
    }
    while (r == 0 && (entry = readdir(folder)) != NULL) {
        if (strncmp(entry->d_name, ATES_BASE_PREFIX, strlen(ATES_BASE_PREFIX)) == 0 &&
            strcmp(entry->d_name, kept) != 0) {
            r = ates_environment_remove(self->folder, entry->d_name);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return r == 0 ? 0 : fail(self, "", r);
}

static uint64_t bytes_of(const struct compaction *self, const char *folder)
{
    char path[ATES_BASE_FOLDER_SIZE + 16];
    struct stat status;

    snprintf(path, sizeof path, "%s/data.mdb", folder);
    return fstatat(self->folder, path, &status, 0) == 0 ? (uint64_t)status.st_blocks * 512 : 0;
}

static uint64_t bytes_with(const struct compaction *self, const struct ates_base_note *base)
{
    char folder[ATES_BASE_FOLDER_SIZE];
    uint64_t bytes = bytes_of(self, LOG);

    if (base != NULL) {
        ates_base_folder(base, folder);
        bytes += bytes_of(self, folder);
    }
    return bytes;
}

static int cut(const struct compaction *self, struct ates_compact_report *report)
{
    const struct ates_base_note *before = ates_log_base(self->engine->log);
    const struct ates_log_head *head = ates_log_head(self->engine->log);
    const uint64_t first = before != NULL ? before->head.number : 0;
    struct ates_log_head at = before != NULL ? before->head : (struct ates_log_head){.number = 0};
    char folder[ATES_BASE_FOLDER_SIZE];
    int r = find_cut(self, &at, report);

    if (r != 0) {
        return fail(self, LOG, r);
    }
    struct ates_base_note base = {.head = at, .state_version = self->domain->state_version};
    report->cut = at.number - first;
    report->kept = head->number - at.number;
    report->first_seq = at.seq + 1;
    report->cut_time = at.time;
    report->bytes_before = report->bytes_after = bytes_with(self, before);
    /* A base of an older form is made anew, or a later release might not know its form. */
    report->is_cut =
        report->cut > 0 || (before != NULL && before->state_version != self->domain->state_version);
    if (!report->is_cut || self->plan->dry_run) {
        return 0;
    }
    r = remove_leftovers(self, before);
    if (r == 0) {
        r = replay(self, &at);
    }
    if (r == 0) {
        r = make_pair(self, &base);
    }
    if (r == 0) {
        r = exchange(self);
    }
    if (r != 0) {
        /* As on a full disk, which needs the room. */
        (void)ates_environment_remove(self->folder, FRESH_LOG);
        ates_base_folder(&base, folder);
        (void)ates_environment_remove(self->folder, folder);
        return r;
    }
    r = sync_below(self, ""); /* before anything goes */
    if (r == 0) {
        report->bytes_after = bytes_with(self, &base);
        r = remove_leftovers(self, &base);
    }
    return r;
}

/* All under the engine's lock. */
static int run(struct compaction *self, struct ates_compact_report *report)
{
    int r = ates_environment_remove(self->folder, SCRATCH);

    if (r != 0) {
        return fail(self, SCRATCH, r);
    }
    r = ates_engine_open_offline(&self->engine, self->domain, self->config, &self->source, SCRATCH,
                                 self->error, self->error_size);
    if (r != 0) {
        return r;
    }
    ates_engine_on_replay(self->engine, self->progress);
    r = cut(self, report);
    /* What may stay of it costs room only, until the next run. */
    (void)ates_environment_remove(self->folder, SCRATCH);
    ates_engine_close(&self->engine);
    return r;
}

int ates_compact(const struct ates_domain *domain, const struct ates_config *config,
                 const struct ates_compact_plan *plan, const struct ates_progress *progress,
                 struct ates_compact_report *report, char *error, size_t error_size)
{
    struct compaction self = {.domain = domain,
                              .config = config,
                              .plan = plan,
                              .progress = progress,
                              .source = ates_source_system(),
                              .folder = -1,
                              .error = error,
                              .error_size = error_size};
    struct ates_compact_report found = {.is_cut = false};
    struct ates_check_report sound;

    snprintf(self.path, sizeof self.path, "%s/%s", config->data_dir, domain->service->name);
    int r = ates_check(domain, config, progress, &sound, error, error_size);
    if (r == 0) {
        r = find_limit(&self);
    }
    if (r == 0) {
        self.folder = open(self.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = self.folder >= 0 ? 0 : fail(&self, "", -errno);
    }
    if (r == 0) {
        r = run(&self, &found);
        close(self.folder);
    }
    if (r == 0) {
        *report = found;
    }
    return r;
}
