/* Looks for damage; see check.h. */
#include "core/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base.h"
#include "core/engine.h"
#include "core/guarded.h"
#include "core/rebuild.h"
#include "core/walk.h"

/* A check under way: the engine holds the lock, the log and the state. */
struct check {
    struct ates_engine *engine;
    struct ates_walk walk;
};

/* Where a compacted log begins: the base's rows are those that were put there, and agree. */
static int check_base(struct check *self)
{
    const struct ates_domain *domain = ates_engine_domain(self->engine);
    const struct ates_base_note *note = ates_log_base(ates_engine_log(self->engine));
    struct ates_base base;
    char why[256] = "";

    if (note == NULL) {
        return 0;
    }
    int r = ates_base_open(&base, domain, ates_engine_config(self->engine), note, why, sizeof why);
    if (r != 0) {
        return ates_walk_damaged(&self->walk, "its log's base cannot be opened: %s", why);
    }
    r = ates_base_check(&base, domain, note);
    if (r == 0 && domain->check != NULL && note->state_version == domain->state_version) {
        r = domain->check(&base.txn, why, sizeof why);
    }
    ates_base_close(&base);
    return r == 0 ? 0
                  : ates_walk_damaged(
                        &self->walk, "its log's base is damaged: %s",
                        why[0] != '\0' ? why : "its rows are not those of when it was made");
}

/* The walk goes from leaf to leaf; followers and stored replies are found from the root. */
static int look_up(const struct check *self, const struct ates_log_reader *reader,
                   const struct ates_stored_record *stored)
{
    const int r = ates_log_read_finds(reader, stored->first_seq, stored->number);

    return r == ATES_NOT_FOUND
               ? ates_walk_damaged(&self->walk,
                                   "record %" PRIu64
                                   " is there but not found by its key: the tree of the log's file "
                                   "is damaged",
                                   stored->number)
               : r;
}

/* Nothing else is in the log's table than its records, and what it says of itself. */
static int check_count(const struct check *self, const struct ates_log_reader *reader)
{
    const struct ates_base_note *base = ates_log_base(ates_engine_log(self->engine));
    const uint64_t first = base != NULL ? base->head.number : 0;
    const uint64_t expected = self->walk.head.number - first + (base != NULL ? 3 : 2);
    uint64_t rows = 0;
    const int r = ates_log_read_count(reader, &rows);

    return r == 0 && rows != expected
               ? ates_walk_damaged(&self->walk,
                                   "the log's table has %" PRIu64 " rows in the place of %" PRIu64,
                                   rows, expected)
               : r;
}

static int check_log(struct check *self, const struct ates_progress *progress)
{
    const struct ates_log_head *head = ates_log_head(ates_engine_log(self->engine));
    struct ates_log_reader reader;
    struct ates_stored_record stored;
    int r = ates_log_read_open(&reader, ates_engine_log(self->engine));

    if (r != 0) {
        return r;
    }
    while ((r = ates_log_read_next(&reader, &stored)) == 0 &&
           (r = ates_walk_record(&self->walk, &stored, NULL)) == 0 &&
           (r = look_up(self, &reader, &stored)) == 0) {
        progress->tell(progress->context, self->walk.head.number, head->number);
    }
    if (r == ATES_NOT_FOUND) {
        r = check_count(self, &reader);
    } else if (r < 0 && r != -EBADMSG) {
        r = ates_walk_damaged(&self->walk, "the log cannot be read after record %" PRIu64 ": %s",
                              self->walk.head.number, strerror(-r));
    }
    ates_log_read_close(&reader);
    return r;
}

static int check_state(const struct check *self)
{
    const struct ates_domain *domain = ates_engine_domain(self->engine);
    char why[256] = "";
    int r = ates_engine_start(self->engine);

    if (r == -EUCLEAN) {
        return ates_walk_damaged(
            &self->walk, "its state is not one of this log: it does not end where the log does");
    }
    if (r == -EBADMSG) {
        return ates_walk_damaged(
            &self->walk, "its state holds a row that cannot be read, or a position within the log "
                         "that is none");
    }
    if (r == 0 && domain->check != NULL) {
        r = domain->check(ates_engine_txn(self->engine), why, sizeof why);
        if (r == -EBADMSG) {
            return ates_walk_damaged(&self->walk, "its state contradicts itself: %s",
                                     why[0] != '\0' ? why : "a row cannot be read");
        }
    }
    if (r != 0) {
        snprintf(self->walk.error, self->walk.error_size, "its state cannot be read: %s",
                 r < 0 ? strerror(-r) : ates_status_name((enum ates_status)r));
    }
    return r > 0 ? -EBADMSG : r;
}

/* What the log makes is compared with the state row by row, so that no byte of one passes. */
static int compare_state(const struct ates_domain *domain, const struct ates_config *config,
                         const struct ates_progress *progress, char *error, size_t error_size)
{
    struct ates_rebuild_report report;
    int r = ates_rebuild_compare(domain, config, progress, &report, error, error_size);

    if (r != 0) {
        return r;
    }
    if (report.unreadable[0] != '\0') {
        snprintf(error, error_size, "its state cannot be read: %s", report.unreadable);
        return -EBADMSG;
    }
    for (size_t i = 0; i < report.table_count; i++) {
        const struct ates_table_comparison *rows = &report.tables[i].rows;

        if (rows->differences > 0) {
            snprintf(error, error_size,
                     "its state is not what its log makes: %" PRIu64
                     " rows of table %s differ, the first with key %s",
                     rows->differences, report.tables[i].name, rows->first_key);
            return -EBADMSG;
        }
    }
    return 0;
}

static int check_open(struct check *self, const struct ates_progress *progress,
                      struct ates_check_report *report)
{
    const struct ates_base_note *base = ates_log_base(ates_engine_log(self->engine));
    int r = check_base(self);

    if (r == 0) {
        r = check_log(self, progress);
    }
    if (r == 0) {
        r = check_state(self);
    }
    *report = (struct ates_check_report){.records = self->walk.head.number,
                                         .events = self->walk.head.seq};
    if (base != NULL) {
        report->records -= base->head.number;
        report->events -= base->head.seq;
    }
    return r;
}

struct input {
    const struct ates_domain *domain;
    const struct ates_config *config;
};

static int check_in_child(const void *input, const struct ates_progress *progress, void *result,
                          char *error, size_t error_size)
{
    const struct ates_domain *domain = ((const struct input *)input)->domain;
    const struct ates_config *config = ((const struct input *)input)->config;
    const struct ates_source source = ates_source_system();
    struct check check = {.engine = NULL};

    int r = ates_engine_open_offline(&check.engine, domain, config, &source, "state", error,
                                     error_size);
    if (r != 0) {
        return r;
    }
    struct ates_log *log = ates_engine_log(check.engine);
    r = ates_walk_open(&check.walk, domain->service, ates_log_id(log), ates_log_base(log), error,
                       error_size);
    if (r == 0) {
        r = check_open(&check, progress, result);
    }
    ates_walk_close(&check.walk);
    ates_engine_close(&check.engine);
    return r == 0 ? compare_state(domain, config, progress, error, error_size) : r;
}

int ates_check(const struct ates_domain *domain, const struct ates_config *config,
               const struct ates_progress *progress, struct ates_check_report *report, char *error,
               size_t error_size)
{
    const struct input input = {domain, config};
    const int r =
        ates_guarded(check_in_child, &input, progress, report, sizeof *report, error, error_size);

    /* What LMDB, or the disk, says of pages that make no sense. */
    return r == -EUCLEAN || r == -EIO || r == -EINVAL ? -EBADMSG : r;
}
