/* Looks for damage; see check.h. */
#include "core/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base.h"
#include "core/engine_private.h"
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
           (r = ates_walk_record(&self->walk, &stored, NULL)) == 0) {
        const uint64_t number = self->walk.head.number;

        if (progress != NULL && (number % ENGINE_PROGRESS_STEP == 0 || number == head->number)) {
            progress->tell(progress->context, number, head->number);
        }
    }
    ates_log_read_close(&reader);
    if (r != ATES_NOT_FOUND) {
        return r == -EBADMSG || r >= 0
                   ? r
                   : ates_walk_damaged(&self->walk,
                                       "the log cannot be read after record %" PRIu64 ": %s",
                                       self->walk.head.number, strerror(-r));
    }
    return 0;
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

int ates_check(const struct ates_domain *domain, const struct ates_config *config,
               const struct ates_progress *progress, struct ates_check_report *report, char *error,
               size_t error_size)
{
    const struct ates_source source = ates_source_system();
    struct check check = {.engine = NULL};

    int r = ates_engine_open_offline(&check.engine, domain, config, &source, "state", error,
                                     error_size);
    if (r != 0) {
        return r == -EUCLEAN ? -EBADMSG : r;
    }
    struct ates_log *log = ates_engine_log(check.engine);
    const struct ates_base_note *base = ates_log_base(log);
    r = ates_walk_open(&check.walk, domain->service, ates_log_id(log), base, error, error_size);
    if (r == 0) {
        r = check_base(&check);
    }
    if (r == 0) {
        r = check_log(&check, progress);
    }
    if (r == 0) {
        r = check_state(&check);
    }
    if (r == 0) {
        *report = (struct ates_check_report){.records = check.walk.head.number,
                                             .events = check.walk.head.seq};
        if (base != NULL) {
            report->records -= base->head.number;
            report->events -= base->head.seq;
        }
    }
    ates_walk_close(&check.walk);
    ates_engine_close(&check.engine);
    return r;
}
