/* Taking a backup; see backup.h. */
#include "core/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/archive.h"
#include "core/base.h"
#include "core/datadir.h"
#include "core/engine.h"
#include "core/file_copy.h"
#include "core/guarded.h"
#include "core/token.h"
#include "core/walk.h"

/* Of a log in one read transaction: what it holds back is room that the service frees meanwhile. */
#define CHUNK_BYTES ((size_t)4 << 20)

struct backup {
    const struct ates_backup_plan *plan;
    struct ates_manifest *manifest;
    int folder; /* locked: no two backups go into one */
    bool made_folder;
    char *error;
    size_t error_size;
};

/* One service's log, and what was noted of it. */
struct source {
    const struct ates_backup_plan *plan;
    const struct ates_domain *domain;
    const struct ates_manifest_log *noted; /* NULL: nothing yet */
    struct ates_log *log;                  /* open in the child alone */
    const struct ates_progress *progress;
    char *error;
    size_t error_size;
};

static int fail(const struct backup *self, const char *path, int fault)
{
    snprintf(self->error, self->error_size, "%s: %s", path, strerror(-fault));
    return fault;
}

static int refuse_full(const struct backup *self)
{
    const struct dirent *entry;
    DIR *folder = opendir(self->plan->folder);
    int r = folder != NULL ? 0 : fail(self, self->plan->folder, -errno);

    while (r == 0 && (entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            r = fail(self, self->plan->folder, -ENOTEMPTY);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return r;
}

static int make_folder(struct backup *self)
{
    const char *path = self->plan->folder;

    self->made_folder = mkdir(path, 0700) == 0;
    if (!self->made_folder && errno != EEXIST) {
        return fail(self, path, -errno);
    }
    self->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (self->folder < 0) {
        return fail(self, path, -errno);
    }
    if (flock(self->folder, LOCK_EX | LOCK_NB) != 0) {
        snprintf(self->error, self->error_size, "%s: another backup is being made there", path);
        return -EBUSY;
    }
    const int r = refuse_full(self);
    return r == 0 && fchmod(self->folder, 0700) != 0 ? fail(self, path, -errno) : r;
}

static void log_path(const struct source *source, char path[4200])
{
    snprintf(path, 4200, "%s/%s/log", source->plan->config->data_dir,
             source->domain->service->name);
}

/* result: a struct ates_manifest_log. */
static int note_head(const void *input, const struct ates_progress *progress, void *result,
                     char *error, size_t error_size)
{
    const struct source *source = input;
    struct ates_manifest_log *noted = result;
    struct ates_log *log = NULL;
    char path[4200];

    (void)progress;
    log_path(source, path);
    int r = ates_log_open_read(&log, path, error, error_size);
    if (r == 0) {
        snprintf(noted->service, sizeof noted->service, "%s", source->domain->service->name);
        snprintf(noted->log_id, sizeof noted->log_id, "%s", ates_log_id(log));
        noted->head = *ates_log_head(log);
    }
    ates_log_close(&log);
    return r;
}

/* Has it done in a child, which LMDB's pages may end where they are damaged. */
static int do_guarded(const struct backup *self, const struct source *source, ates_guarded_fn *work,
                      const struct ates_progress *progress, void *result, size_t result_size)
{
    char why[2048] = "";
    const int r = ates_guarded(work, source, progress, result, result_size, why, sizeof why);

    if (r != 0) {
        snprintf(self->error, self->error_size, "%s: %s", source->domain->service->name, why);
    }
    return r;
}

/* The moment of the cut. */
static int note_heads(const struct backup *self)
{
    const struct ates_domain *ordered[ATES_DOMAINS_MAX];
    const size_t count = ates_consumers_first(self->plan->domains, ordered);
    const struct ates_source clock = ates_source_system();
    struct ates_manifest *manifest = self->manifest;
    int r = 0;

    for (size_t i = 0; r == 0 && i < count; i++) {
        const struct source source = {.plan = self->plan, .domain = ordered[i]};
        struct ates_manifest_log *noted = &manifest->logs[manifest->log_count];
        char path[4200], state[4200];

        /* A service makes its log before its state. */
        snprintf(state, sizeof state, "%s/%s/state", self->plan->config->data_dir,
                 ordered[i]->service->name);
        const bool has_run = access(state, F_OK) == 0;
        log_path(&source, path);
        if (!has_run && access(path, F_OK) != 0) {
            continue; /* a service that never ran */
        }
        r = do_guarded(self, &source, note_head, NULL, noted, sizeof *noted);
        manifest->log_count += r == 0;
        if (r == -ENOENT) {
            r = has_run ? -EBADMSG : 0; /* it begins just now */
        }
    }
    manifest->taken_at = ates_now_ms(&clock);
    return r;
}

static int copy_about(const struct source *self, struct ates_archive_writer *out)
{
    const struct ates_base_note *base = ates_log_base(self->log);
    struct ates_archive_about about = {
        .service = ates_text_from(self->domain->service->name),
        .log_id = ates_text_from(self->noted->log_id),
        .has_base = base != NULL,
    };

    if (base != NULL) {
        about.base = ates_base_note_store(base);
    }
    return ates_archive_write_message(out, ATES_ARCHIVE_ABOUT, &ates_archive_about_message, &about,
                                      self->error, self->error_size);
}

static int copy_rows(const struct source *self, struct ates_base *base, unsigned table,
                     const char *name, struct ates_archive_writer *out)
{
    struct ates_archive_row row = {.table = ates_text_from(name)};
    struct ates_scan scan;
    int r = ates_scan_open(&scan, &base->txn, table, NULL, NULL);

    if (r != 0) {
        return r;
    }
    while (r == 0 && (r = ates_scan_next(&scan, &row.key, &row.value)) == 0) {
        r = ates_archive_write_message(out, ATES_ARCHIVE_ROW, &ates_archive_row_message, &row,
                                       self->error, self->error_size);
    }
    ates_scan_close(&scan);
    return r == ATES_NOT_FOUND ? 0 : r;
}

/* A base never changes. */
static int copy_base(const struct source *self, struct ates_archive_writer *out)
{
    const struct ates_base_note *note = ates_log_base(self->log);
    const char *tables[ATES_TABLES_MAX];
    const size_t count = ates_domain_tables(self->domain, tables);
    struct ates_base base;

    if (note == NULL) {
        return 0;
    }
    int r = ates_base_open(&base, self->domain, self->plan->config, note, self->error,
                           self->error_size);
    if (r != 0) {
        return r;
    }
    r = ates_base_check(&base, self->domain, note);
    if (r != 0) {
        snprintf(self->error, self->error_size, "the base of its log is damaged");
    }
    for (unsigned table = ATES_TABLE_META + 1; r == 0 && table < count; table++) {
        r = copy_rows(self, &base, table, tables[table], out);
    }
    ates_base_close(&base);
    return r;
}

/* The next records up to the cut, as many as one short read may hold. */
static int copy_chunk(const struct source *self, struct ates_walk *walk,
                      struct ates_archive_writer *out)
{
    struct ates_stored_record stored;
    struct ates_log_reader reader;
    size_t bytes = 0;
    int r = ates_log_read_open(&reader, self->log);

    if (r != 0) {
        return r;
    }
    r = ates_log_read_seek_record(&reader, walk->head.seq + 1, walk->head.number + 1);
    while (r == 0 && bytes < CHUNK_BYTES && walk->head.number < self->noted->head.number) {
        r = ates_log_read_next(&reader, &stored);
        if (r == 0) {
            r = ates_walk_record(walk, &stored, NULL);
            bytes += stored.bytes.size;
        }
        if (r == 0) {
            r = ates_archive_write(out, ATES_ARCHIVE_RECORD, stored.bytes, self->error,
                                   self->error_size);
        }
    }
    ates_log_read_close(&reader);
    return r == ATES_NOT_FOUND
               ? ates_walk_damaged(walk, "record %" PRIu64 " is missing", walk->head.number + 1)
               : r;
}

static int copy_records(const struct source *self, struct ates_archive_writer *out)
{
    const struct ates_log_head *cut = &self->noted->head;
    struct ates_walk walk;
    char path[4200], why[512] = "";
    int r = ates_walk_open(&walk, self->domain->service, self->noted->log_id,
                           ates_log_base(self->log), why, sizeof why);

    while (r == 0 && walk.head.number < cut->number) {
        r = copy_chunk(self, &walk, out);
        self->progress->tell(self->progress->context, walk.head.number, cut->number);
    }
    if (r == 0 && !ates_log_head_equal(&walk.head, cut)) {
        r = ates_walk_damaged(&walk, "record %" PRIu64 " is another than it was", cut->number);
    }
    if (r != 0 && why[0] != '\0') {
        log_path(self, path);
        snprintf(self->error, self->error_size, "%s: %s", path, why);
    }
    ates_walk_close(&walk);
    return r;
}

/* What a copy is. */
struct copied {
    uint64_t size;
    uint8_t digest[ATES_HASH_SIZE];
};

static int write_copy(const struct source *self, struct copied *copied)
{
    struct ates_archive_writer out;
    char path[4200];

    snprintf(path, sizeof path, "%s/%s.log", self->plan->folder, self->noted->service);
    int r = ates_archive_create(&out, path, self->error, self->error_size);
    if (r == 0) {
        r = copy_about(self, &out);
    }
    if (r == 0) {
        r = copy_base(self, &out);
    }
    if (r == 0) {
        r = copy_records(self, &out);
    }
    copied->size = out.size;
    if (r == 0) {
        r = ates_archive_finish(&out, copied->digest, self->error, self->error_size);
    }
    ates_archive_abandon(&out);
    return r;
}

static int copy_in_child(const void *input, const struct ates_progress *progress, void *result,
                         char *error, size_t error_size)
{
    struct source source = *(const struct source *)input;
    char path[4200];

    source.progress = progress;
    source.error = error;
    source.error_size = error_size;
    log_path(&source, path);
    int r = ates_log_open_read(&source.log, path, error, error_size);
    if (r == 0) {
        r = write_copy(&source, result);
    }
    ates_log_close(&source.log);
    return r;
}

/* A service's copy, to whom the backup's progress is told. */
struct told {
    const struct ates_backup_progress *progress;
    const char *service;
};

static void tell(void *context, uint64_t done, uint64_t total)
{
    const struct told *self = context;

    self->progress->tell(self->progress->context, self->service, "copying", done, total);
}

static const struct ates_domain *find_domain(const struct backup *self, const char *service)
{
    size_t i = 0;

    while (strcmp(self->plan->domains[i]->service->name, service) != 0) {
        i++;
    }
    return self->plan->domains[i];
}

static int copy_log(const struct backup *self, size_t index)
{
    struct ates_manifest_log *noted = &self->manifest->logs[index];
    const struct source source = {
        .plan = self->plan, .domain = find_domain(self, noted->service), .noted = noted};
    struct told told = {self->plan->progress, noted->service};
    const struct ates_progress progress = {tell, &told};
    struct copied copied;
    const int r = do_guarded(self, &source, copy_in_child, told.progress != NULL ? &progress : NULL,
                             &copied, sizeof copied);

    if (r == 0) {
        noted->size = copied.size;
        memcpy(noted->digest, copied.digest, sizeof noted->digest);
    }
    return r;
}

static int copy_keys(const struct backup *self)
{
    char from[4200], to[4200];
    int r = 0;

    if (!self->plan->with_keys) {
        return 0;
    }
    snprintf(to, sizeof to, "%s/keys", self->plan->folder);
    if (mkdir(to, 0700) != 0) {
        return fail(self, to, -errno);
    }
    for (size_t i = 0; r == 0 && ates_key_files[i] != NULL; i++) {
        struct ates_manifest_key *key = &self->manifest->keys[i];

        snprintf(key->name, sizeof key->name, "%s", ates_key_files[i]);
        snprintf(from, sizeof from, "%s/keys/%s", self->plan->config->data_dir, key->name);
        snprintf(to, sizeof to, "%s/keys/%s", self->plan->folder, key->name);
        r = ates_file_copy(from, to, &key->size, key->digest, self->error, self->error_size);
        self->manifest->key_count = i + 1;
    }
    snprintf(to, sizeof to, "%s/keys", self->plan->folder);
    return r == 0 ? ates_sync_folder(to, self->error, self->error_size) : r;
}

/* What was made of a backup that failed: the folder was empty, and is locked. */
static void remove_all(const struct backup *self)
{
    char name[128];

    for (size_t i = 0; self->plan->domains[i] != NULL; i++) {
        snprintf(name, sizeof name, "%s.log", self->plan->domains[i]->service->name);
        unlinkat(self->folder, name, 0);
    }
    for (size_t i = 0; ates_key_files[i] != NULL; i++) {
        snprintf(name, sizeof name, "keys/%s", ates_key_files[i]);
        unlinkat(self->folder, name, 0);
    }
    unlinkat(self->folder, "keys", AT_REMOVEDIR);
    if (self->made_folder) {
        rmdir(self->plan->folder);
    }
}

static int make_all(const struct backup *self)
{
    char parent[4200];
    int r = note_heads(self);

    for (size_t i = 0; r == 0 && i < self->manifest->log_count; i++) {
        r = copy_log(self, i);
    }
    if (r == 0) {
        r = copy_keys(self);
    }
    if (r == 0 && self->made_folder) {
        snprintf(parent, sizeof parent, "%s/..", self->plan->folder);
        r = ates_sync_folder(parent, self->error, self->error_size);
    }
    return r == 0 ? ates_manifest_write(self->manifest, self->plan->folder, self->error,
                                        self->error_size)
                  : r;
}

int ates_backup(const struct ates_backup_plan *plan, struct ates_manifest *manifest, char *error,
                size_t error_size)
{
    static const char program[] = ATES_VERSION;
    struct backup self = {
        .plan = plan, .manifest = manifest, .folder = -1, .error = error, .error_size = error_size};

    *manifest = (struct ates_manifest){.log_count = 0};
    snprintf(manifest->program, sizeof manifest->program, "%s", program);
    snprintf(manifest->time_zone, sizeof manifest->time_zone, "%s", plan->config->time_zone);
    error[0] = '\0';
    int r = ates_datadir_check(plan->config->data_dir, error, error_size);
    if (r == 0) {
        r = make_folder(&self);
    }
    if (r == 0) {
        r = make_all(&self);
        if (r != 0) {
            remove_all(&self);
        }
    }
    if (self.folder >= 0) {
        close(self.folder);
    }
    return r;
}
