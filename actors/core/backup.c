/* Taking a backup; see backup.h. */
#include "core/backup.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/archive.h"
#include "core/base.h"
#include "core/datadir.h"
#include "core/engine.h"
#include "core/file_copy.h"
#include "core/token.h"
#include "core/walk.h"

/* Of a log in one read transaction: what it holds back is room that the service frees meanwhile. */
#define CHUNK_BYTES ((size_t)4 << 20)

struct source {
    const struct ates_domain *domain;
    struct ates_log *log;
};

struct backup {
    const struct ates_backup_plan *plan;
    struct ates_manifest *manifest;
    size_t count;
    struct source sources[ATES_DOMAINS_MAX]; /* as manifest->logs */
    bool made_folder;
    char *error;
    size_t error_size;
};

static int fail(const struct backup *self, const char *path, int fault)
{
    snprintf(self->error, self->error_size, "%s: %s", path, strerror(-fault));
    return fault;
}

static int make_folder(struct backup *self)
{
    const char *path = self->plan->folder;
    const struct dirent *entry;
    int r = 0;

    self->made_folder = mkdir(path, 0700) == 0;
    if (!self->made_folder && errno != EEXIST) {
        return fail(self, path, -errno);
    }
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return fail(self, path, -errno);
    }
    while (r == 0 && (entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            r = fail(self, path, -ENOTEMPTY);
        }
    }
    closedir(folder);
    return r == 0 && chmod(path, 0700) != 0 ? fail(self, path, -errno) : r;
}

/* The moment of the cut. */
static int note_heads(struct backup *self)
{
    const struct ates_domain *ordered[ATES_DOMAINS_MAX];
    const size_t count = ates_consumers_first(self->plan->domains, ordered);
    const struct ates_source clock = ates_source_system();
    int r = 0;

    for (size_t i = 0; r == 0 && i < count; i++) {
        const char *service = ordered[i]->service->name;
        struct ates_manifest_log *noted = &self->manifest->logs[self->count];
        char path[4200];

        snprintf(path, sizeof path, "%s/%s/log", self->plan->config->data_dir, service);
        if (access(path, F_OK) != 0) {
            continue; /* a service that never ran */
        }
        self->sources[self->count].domain = ordered[i];
        r = ates_log_open_read(&self->sources[self->count].log, path, self->error,
                               self->error_size);
        if (r == -ENOENT) {
            r = 0; /* it begins just now */
        } else if (r == 0) {
            const struct ates_log *log = self->sources[self->count++].log;

            snprintf(noted->service, sizeof noted->service, "%s", service);
            snprintf(noted->log_id, sizeof noted->log_id, "%s", ates_log_id(log));
            noted->head = *ates_log_head(log);
        }
    }
    self->manifest->taken_at = ates_now_ms(&clock);
    self->manifest->log_count = self->count;
    return r;
}

static int copy_about(const struct backup *self, const struct source *source,
                      struct ates_archive_writer *out)
{
    const struct ates_base_note *base = ates_log_base(source->log);
    struct ates_archive_about about = {
        .service = ates_text_from(source->domain->service->name),
        .log_id = ates_text_from(ates_log_id(source->log)),
        .has_base = base != NULL,
    };

    if (base != NULL) {
        about.base = ates_base_note_store(base);
    }
    return ates_archive_write_message(out, ATES_ARCHIVE_ABOUT, &ates_archive_about_message, &about,
                                      self->error, self->error_size);
}

static int copy_rows(const struct backup *self, struct ates_base *base, unsigned table,
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
static int copy_base(const struct backup *self, const struct source *source,
                     struct ates_archive_writer *out)
{
    const struct ates_base_note *note = ates_log_base(source->log);
    const char *tables[ATES_TABLES_MAX];
    const size_t count = ates_domain_tables(source->domain, tables);
    struct ates_base base;

    if (note == NULL) {
        return 0;
    }
    int r = ates_base_open(&base, source->domain, self->plan->config, note, self->error,
                           self->error_size);
    if (r != 0) {
        return r;
    }
    r = ates_base_check(&base, source->domain, note);
    if (r != 0) {
        snprintf(self->error, self->error_size, "%s: the base of its log is damaged",
                 source->domain->service->name);
    }
    for (unsigned table = ATES_TABLE_META + 1; r == 0 && table < count; table++) {
        r = copy_rows(self, &base, table, tables[table], out);
    }
    ates_base_close(&base);
    return r;
}

/* The next records up to the cut, as many as one short read may hold. */
static int copy_chunk(const struct backup *self, const struct source *source,
                      const struct ates_log_head *cut, struct ates_walk *walk,
                      struct ates_archive_writer *out)
{
    struct ates_stored_record stored;
    struct ates_log_reader reader;
    size_t bytes = 0;
    int r = ates_log_read_open(&reader, source->log);

    if (r != 0) {
        return r;
    }
    r = ates_log_read_seek_record(&reader, walk->head.seq + 1, walk->head.number + 1);
    while (r == 0 && bytes < CHUNK_BYTES && walk->head.number < cut->number) {
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

static int copy_records(const struct backup *self, const struct source *source,
                        const struct ates_log_head *cut, struct ates_archive_writer *out)
{
    const struct ates_backup_progress *progress = self->plan->progress;
    const char *service = source->domain->service->name;
    struct ates_walk walk;
    char why[512] = "";
    int r = ates_walk_open(&walk, source->domain->service, ates_log_id(source->log),
                           ates_log_base(source->log), why, sizeof why);

    while (r == 0 && walk.head.number < cut->number) {
        r = copy_chunk(self, source, cut, &walk, out);
        if (progress != NULL) {
            progress->tell(progress->context, service, "copying", walk.head.number, cut->number);
        }
    }
    if (r == 0 && !ates_log_head_equal(&walk.head, cut)) {
        r = ates_walk_damaged(&walk, "record %" PRIu64 " is another than it was", cut->number);
    }
    if (r != 0 && why[0] != '\0') {
        snprintf(self->error, self->error_size, "%s/%s/log: %s", self->plan->config->data_dir,
                 service, why);
    }
    ates_walk_close(&walk);
    return r;
}

static int copy_log(struct backup *self, size_t index)
{
    struct ates_manifest_log *noted = &self->manifest->logs[index];
    const struct source *source = &self->sources[index];
    struct ates_archive_writer out;
    char path[4200];

    snprintf(path, sizeof path, "%s/%s.log", self->plan->folder, noted->service);
    int r = ates_archive_create(&out, path, self->error, self->error_size);
    if (r == 0) {
        r = copy_about(self, source, &out);
    }
    if (r == 0) {
        r = copy_base(self, source, &out);
    }
    if (r == 0) {
        r = copy_records(self, source, &noted->head, &out);
    }
    noted->size = out.size;
    if (r == 0) {
        r = ates_archive_finish(&out, noted->digest, self->error, self->error_size);
    }
    ates_archive_abandon(&out);
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

/* What was made of a backup that failed. */
static void remove_all(const struct backup *self)
{
    char path[4200];

    for (size_t i = 0; i < self->count; i++) {
        snprintf(path, sizeof path, "%s/%s.log", self->plan->folder,
                 self->manifest->logs[i].service);
        unlink(path);
    }
    for (size_t i = 0; i < self->manifest->key_count; i++) {
        snprintf(path, sizeof path, "%s/keys/%s", self->plan->folder, self->manifest->keys[i].name);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/keys", self->plan->folder);
    rmdir(path);
    if (self->made_folder) {
        rmdir(self->plan->folder);
    }
}

static int copy_all(struct backup *self)
{
    char parent[4200];
    int r = 0;

    for (size_t i = 0; r == 0 && i < self->count; i++) {
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
        .plan = plan, .manifest = manifest, .error = error, .error_size = error_size};

    *manifest = (struct ates_manifest){.log_count = 0};
    snprintf(manifest->program, sizeof manifest->program, "%s", program);
    snprintf(manifest->time_zone, sizeof manifest->time_zone, "%s", plan->config->time_zone);
    error[0] = '\0';
    int r = ates_datadir_check(plan->config->data_dir, error, error_size);
    if (r == 0) {
        r = make_folder(&self);
    }
    if (r != 0) {
        return r;
    }
    r = note_heads(&self);
    if (r == 0) {
        r = copy_all(&self);
    }
    for (size_t i = 0; i < self.count; i++) {
        ates_log_close(&self.sources[i].log);
    }
    if (r != 0) {
        remove_all(&self);
        if (error[0] == '\0') {
            fail(&self, plan->folder, r);
        }
    }
    return r;
}
