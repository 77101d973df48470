/* State made anew from the log; see rebuild.h. */
#include "core/rebuild.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/engine_private.h"
#include "core/environment.h"
#include "core/guarded.h"

#define STATE "state"
#define FRESH "state.new"

struct rebuild {
    const struct ates_domain *domain;
    const struct ates_config *config;
    const struct ates_progress *progress;
    struct ates_source source;
    bool keep;  /* put the new state in the old one's place */
    int folder; /* DATA/SERVICE */
    char path[sizeof((struct ates_config *)0)->data_dir + 64];
    char *error;
    size_t error_size;
};

static int fail(const struct rebuild *self, const char *what)
{
    const int fault = -errno;

    snprintf(self->error, self->error_size, "%s/%s: %s", self->path, what, strerror(-fault));
    return fault;
}

/* Reads every row: what cannot be read should be met here, in a child (guarded.h). */
static int read_rows(struct ates_engine *engine, const struct ates_domain *domain)
{
    const char *names[ATES_TABLES_MAX];
    const size_t count = ates_domain_tables(domain, names);
    struct ates_table_comparison rows;
    int r = 0;

    for (unsigned i = 0; r == 0 && i < count; i++) {
        r = ates_store_compare(ates_engine_txn(engine), ates_engine_txn(engine), i, &rows);
    }
    return r;
}

/* The state as it is must have seen the whole log, or what it lacks would look like damage. */
static int bring_up_to_date(const void *input, const struct ates_progress *progress, void *result,
                            char *error, size_t error_size)
{
    const struct rebuild *self = input;
    struct ates_engine *engine = NULL;
    int r = ates_engine_open_offline(&engine, self->domain, self->config, &self->source, "state",
                                     error, error_size);

    (void)progress, (void)result;
    if (r == 0) {
        r = ates_engine_start(engine);
    }
    if (r == 0) {
        r = ates_engine_save(engine);
    }
    if (r == 0) {
        r = read_rows(engine, self->domain);
    }
    ates_engine_close(&engine);
    if ((r == -EUCLEAN || r == -EBADMSG) && error[0] == '\0') {
        snprintf(error, error_size, "it does not fit the log");
    }
    return r;
}

/* Where the state cannot be read, the report says why: a rebuild is the way to mend it. */
static int look_at_state(const struct rebuild *self, struct ates_rebuild_report *report)
{
    char why[sizeof report->unreadable] = "", none;
    int r = ates_guarded(bring_up_to_date, self, NULL, &none, 0, why, sizeof why);

    if (r == -EUCLEAN || r == -EBADMSG || r == -EIO || r == -EINVAL) {
        snprintf(report->unreadable, sizeof report->unreadable, "%s", why);
        return 0;
    }
    if (r != 0) {
        snprintf(self->error, self->error_size, "%s", why);
    }
    return r;
}

static int compare_tables(const struct ates_domain *domain, struct ates_txn *was,
                          struct ates_txn *rebuilt, struct ates_rebuild_report *report)
{
    const char *names[ATES_TABLES_MAX];
    int r = 0;

    report->table_count = ates_domain_tables(domain, names);
    for (unsigned i = 0; r == 0 && i < report->table_count; i++) {
        report->tables[i].name = names[i];
        r = ates_store_compare(was, rebuilt, i, &report->tables[i].rows);
        report->differs = report->differs || report->tables[i].rows.differences > 0;
    }
    return r;
}

static int compare(const struct rebuild *self, struct ates_engine *engine,
                   struct ates_rebuild_report *report)
{
    const char *names[ATES_TABLES_MAX];
    const size_t table_count = ates_domain_tables(self->domain, names);
    struct ates_store *store = NULL;
    struct ates_txn was = {.mdb = NULL};
    struct ates_arena *arena = ates_arena_new();
    char path[sizeof self->path + sizeof STATE];

    snprintf(path, sizeof path, "%s/" STATE, self->path);
    int r = arena == NULL ? -ENOMEM
                          : ates_store_open(&store, path, (size_t)self->config->map_size, names,
                                            table_count, self->error, self->error_size);
    if (r == 0) {
        r = ates_txn_begin(&was, store, true, arena);
    }
    if (r == 0) {
        r = compare_tables(self->domain, &was, ates_engine_txn(engine), report);
    }
    ates_txn_abort(&was);
    ates_store_close(&store);
    ates_arena_free(&arena);
    return r;
}

/* Each step leaves a state that a service can start from: where there is none, it replays its log.
 */
static int swap(const struct rebuild *self)
{
    if (renameat2(self->folder, FRESH, self->folder, STATE, RENAME_EXCHANGE) != 0) {
        if (errno != EINVAL && errno != ENOSYS && errno != ENOENT) {
            return fail(self, STATE);
        }
        /* A file system that cannot exchange, or no state there before. */
        const int r = ates_environment_remove(self->folder, STATE);
        if (r != 0) {
            errno = -r;
            return fail(self, STATE);
        }
        if (renameat(self->folder, FRESH, self->folder, STATE) != 0) {
            return fail(self, STATE);
        }
    }
    return fsync(self->folder) == 0 ? 0 : fail(self, STATE);
}

/* All under the engine's lock, which is given up last. */
static int replace(const struct rebuild *self, struct ates_rebuild_report *report)
{
    struct ates_engine *engine = NULL;
    int r = ates_engine_open_offline(&engine, self->domain, self->config, &self->source, FRESH,
                                     self->error, self->error_size);

    if (r != 0) {
        return r;
    }
    ates_engine_on_replay(engine, self->progress);
    r = ates_engine_start(engine);
    if (r == 0) {
        r = ates_engine_save(engine);
    }
    if (r != 0) {
        snprintf(self->error, self->error_size,
                 "%s/log cannot be replayed (%s); atesctl admin check names the place", self->path,
                 strerror(r < 0 ? -r : EBADMSG));
    }
    if (r == 0 && report->unreadable[0] == '\0') {
        r = compare(self, engine, report);
    }
    if (r == 0) {
        report->records = ates_engine_figures(engine)->replayed;
        r = self->keep ? swap(self) : 0;
    }
    /* The old state, or a part of the new one: what may stay costs room only, until the next run.
     */
    (void)ates_environment_remove(self->folder, FRESH);
    ates_engine_close(&engine);
    return r;
}

/* What a full disk cuts short LMDB takes for an I/O error; a state that was put off for it is no damage. */
static int explain_room(const struct rebuild *self, int r)
{
    if ((r == -ENOSPC || r == -EIO) &&
        !ates_environment_has_room(self->config->data_dir, ENGINE_ROOM_BYTES)) {
        snprintf(self->error, self->error_size,
                 "%s: the disk has less than %u MiB left, which making the state wants",
                 self->config->data_dir, (unsigned)(ENGINE_ROOM_BYTES >> 20));
        return -ENOSPC;
    }
    return r;
}

struct replacement {
    const struct rebuild *rebuild;
    const struct ates_rebuild_report *found;
};

static int replace_in_child(const void *input, const struct ates_progress *progress, void *result,
                            char *error, size_t error_size)
{
    const struct replacement *replacement = input;
    struct ates_rebuild_report *report = result;
    struct rebuild self = *replacement->rebuild;

    self.progress = progress;
    self.error = error;
    self.error_size = error_size;
    *report = *replacement->found;
    return replace(&self, report);
}

static int rebuild(const struct ates_domain *domain, const struct ates_config *config, bool keep,
                   const struct ates_progress *progress, struct ates_rebuild_report *report,
                   char *error, size_t error_size)
{
    struct rebuild self = {.domain = domain,
                           .config = config,
                           .keep = keep,
                           .progress = progress,
                           .source = ates_source_system(),
                           .error = error,
                           .error_size = error_size};
    struct ates_rebuild_report found = {.differs = false};

    int r = explain_room(&self, look_at_state(&self, &found));
    if (r != 0) {
        return r;
    }
    snprintf(self.path, sizeof self.path, "%s/%s", config->data_dir, domain->service->name);
    self.folder = open(self.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (self.folder < 0) {
        return fail(&self, "");
    }
    /* What an interrupted run left. */
    r = ates_environment_remove(self.folder, FRESH);
    if (r != 0) {
        errno = -r;
        fail(&self, FRESH);
    }
    if (r == 0) {
        found.differs = found.unreadable[0] != '\0';
        const struct replacement replacement = {&self, &found};

        r = ates_guarded(replace_in_child, &replacement, progress, &found, sizeof found, error,
                         error_size);
        r = explain_room(&self, r);
    }
    close(self.folder);
    if (r == 0) {
        *report = found;
    }
    return r;
}

int ates_rebuild(const struct ates_domain *domain, const struct ates_config *config,
                 const struct ates_progress *progress, struct ates_rebuild_report *report,
                 char *error, size_t error_size)
{
    return rebuild(domain, config, true, progress, report, error, error_size);
}

int ates_rebuild_compare(const struct ates_domain *domain, const struct ates_config *config,
                         const struct ates_progress *progress, struct ates_rebuild_report *report,
                         char *error, size_t error_size)
{
    return rebuild(domain, config, false, progress, report, error, error_size);
}
