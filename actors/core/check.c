/* Looks for damage; see check.h. */
#include "core/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base.h"
#include "core/engine_private.h"

/* The walk through a log: what the next record must follow. */
struct walk {
    struct ates_engine *engine;
    struct ates_arena *arena;
    uint64_t number, seq; /* the last ones seen */
    int64_t time;
    uint8_t hash[ATES_HASH_SIZE]; /* of the last envelope */
    char *error;
    size_t error_size;
};

__attribute__((format(printf, 2, 3))) static int damaged(const struct walk *self,
                                                         const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(self->error, self->error_size, format, arguments);
    va_end(arguments);
    return -EBADMSG;
}

/* Whether data is what the service's tables say of the event; an unknown event cannot be applied.
 */
static bool is_readable(const struct walk *self, struct ates_text name, uint64_t version,
                        struct ates_bytes data, bool is_private)
{
    const struct ates_event_type *type = engine_type(self->engine, name, version);

    return type != NULL && type->is_private == is_private &&
           ates_message_decode(type->data, data.data, data.size, ATES_UNKNOWN_IGNORED, self->arena,
                               ates_arena_alloc(self->arena, type->data->size), NULL) == 0;
}

static int check_envelope(struct walk *self, struct ates_bytes bytes)
{
    const char *producer = ates_engine_domain(self->engine)->service->name;
    const struct ates_text log_id = ates_text_from(ates_log_id(ates_engine_log(self->engine)));
    const uint64_t seq = self->seq + 1;
    struct ates_envelope envelope;

    if (ates_message_decode(&ates_envelope_message, bytes.data, bytes.size, ATES_UNKNOWN_REFUSED,
                            self->arena, &envelope, NULL) != 0) {
        return damaged(self, "event %" PRIu64 " (record %" PRIu64 ") is no envelope", seq,
                       self->number);
    }
    if (envelope.seq != seq) {
        return damaged(self,
                       "event %" PRIu64 " (record %" PRIu64 ") says that it is event %" PRIu64, seq,
                       self->number, envelope.seq);
    }
    if (!ates_text_equal(envelope.log_id, log_id) ||
        !ates_text_equal(envelope.producer, ates_text_from(producer))) {
        return damaged(self, "event %" PRIu64 " (record %" PRIu64 ") is of another log", seq,
                       self->number);
    }
    if (memcmp(envelope.prev.data, self->hash, sizeof self->hash) != 0) {
        return damaged(self,
                       "event %" PRIu64 " (record %" PRIu64 ") does not follow the one before: the "
                       "chain of hashes is broken",
                       seq, self->number);
    }
    if (!is_readable(self, envelope.event_name, envelope.event_version, envelope.data, false)) {
        return damaged(self,
                       "event %" PRIu64 " (record %" PRIu64 ") is no %.*s.v%" PRIu64
                       " that this program can read",
                       seq, self->number, (int)envelope.event_name.size, envelope.event_name.data,
                       envelope.event_version);
    }
    ates_envelope_hash(bytes.data, bytes.size, self->hash);
    self->seq = seq;
    return 0;
}

static int check_record(struct walk *self, const struct ates_stored_record *stored)
{
    const uint64_t number = self->number + 1;
    struct ates_record record;

    ates_arena_reset(self->arena);
    if (ates_record_decode(stored->bytes.data, stored->bytes.size, self->arena, &record) != 0) {
        return damaged(self, "record %" PRIu64 " (after event %" PRIu64 ") is damaged", number,
                       self->seq);
    }
    if (record.number != number || stored->number != number) {
        return damaged(self, "record %" PRIu64 " is missing: record %" PRIu64 " takes its place",
                       number, record.number);
    }
    if (record.first_seq != self->seq + 1 || stored->first_seq != record.first_seq) {
        return damaged(self, "record %" PRIu64 " begins at event %" PRIu64 ", not %" PRIu64, number,
                       record.first_seq, self->seq + 1);
    }
    if (record.time < self->time) {
        return damaged(self, "record %" PRIu64 " is older than the one before", number);
    }
    self->number = number;
    self->time = record.time;
    const struct ates_bytes *events = record.events.items;
    for (size_t i = 0; i < record.events.count; i++) {
        int r = check_envelope(self, events[i]);

        if (r != 0) {
            return r;
        }
    }
    const struct ates_private_event *privates = record.privates.items;
    for (size_t i = 0; i < record.privates.count; i++) {
        if (!is_readable(self, privates[i].name, privates[i].version, privates[i].data, true)) {
            return damaged(self, "record %" PRIu64 ": private event %zu is unreadable", number,
                           i + 1);
        }
    }
    if (memcmp(record.head.data, self->hash, sizeof self->hash) != 0) {
        return damaged(self, "record %" PRIu64 " holds another hash than its last event has",
                       number);
    }
    return 0;
}

/* Where a compacted log begins: the base's rows are those that were put there, and agree. */
static int check_base(struct walk *self)
{
    const struct ates_domain *domain = ates_engine_domain(self->engine);
    const struct ates_base_note *note = ates_log_base(ates_engine_log(self->engine));
    struct ates_base base;
    char why[256] = "";

    if (note == NULL) {
        return 0;
    }
    self->number = note->head.number;
    self->seq = note->head.seq;
    self->time = note->head.time;
    memcpy(self->hash, note->head.hash, sizeof self->hash);
    int r = ates_base_open(&base, domain, ates_engine_config(self->engine), note, why, sizeof why);
    if (r != 0) {
        return damaged(self, "its log's base cannot be opened: %s", why);
    }
    r = ates_base_check(&base, domain, note);
    if (r == 0 && domain->check != NULL && note->state_version == domain->state_version) {
        r = domain->check(&base.txn, why, sizeof why);
    }
    ates_base_close(&base);
    return r == 0 ? 0
                  : damaged(self, "its log's base is damaged: %s",
                            why[0] != '\0' ? why : "its rows are not those of when it was made");
}

static int check_log(struct walk *self, const struct ates_progress *progress)
{
    const struct ates_log_head *head = ates_log_head(ates_engine_log(self->engine));
    struct ates_log_reader reader;
    struct ates_stored_record stored;
    int r = ates_log_read_open(&reader, ates_engine_log(self->engine));

    if (r != 0) {
        return r;
    }
    while ((r = ates_log_read_next(&reader, &stored)) == 0 &&
           (r = check_record(self, &stored)) == 0) {
        if (progress != NULL &&
            (self->number % ENGINE_PROGRESS_STEP == 0 || self->number == head->number)) {
            progress->tell(progress->context, self->number, head->number);
        }
    }
    ates_log_read_close(&reader);
    if (r != ATES_NOT_FOUND) {
        return r == -EBADMSG || r >= 0
                   ? r
                   : damaged(self, "the log cannot be read after record %" PRIu64 ": %s",
                             self->number, strerror(-r));
    }
    return 0;
}

static int check_state(const struct walk *self)
{
    const struct ates_domain *domain = ates_engine_domain(self->engine);
    char why[256] = "";
    int r = ates_engine_start(self->engine);

    if (r == -EUCLEAN) {
        return damaged(self,
                       "its state is not one of this log: it does not end where the log does");
    }
    if (r == -EBADMSG) {
        return damaged(self,
                       "its state holds a row that cannot be read, or a position within the log "
                       "that is none");
    }
    if (r == 0 && domain->check != NULL) {
        r = domain->check(ates_engine_txn(self->engine), why, sizeof why);
        if (r == -EBADMSG) {
            return damaged(self, "its state contradicts itself: %s",
                           why[0] != '\0' ? why : "a row cannot be read");
        }
    }
    if (r != 0) {
        snprintf(self->error, self->error_size, "its state cannot be read: %s",
                 r < 0 ? strerror(-r) : ates_status_name((enum ates_status)r));
    }
    return r > 0 ? -EBADMSG : r;
}

int ates_check(const struct ates_domain *domain, const struct ates_config *config,
               const struct ates_progress *progress, struct ates_check_report *report, char *error,
               size_t error_size)
{
    const struct ates_source source = ates_source_system();
    struct walk walk = {.error = error, .error_size = error_size};

    int r =
        ates_engine_open_offline(&walk.engine, domain, config, &source, "state", error, error_size);
    if (r != 0) {
        return r == -EUCLEAN ? -EBADMSG : r;
    }
    walk.arena = ates_arena_new();
    const struct ates_base_note *base = ates_log_base(ates_engine_log(walk.engine));
    r = walk.arena != NULL ? check_base(&walk) : -ENOMEM;
    if (r == 0) {
        r = check_log(&walk, progress);
    }
    if (r == 0) {
        r = check_state(&walk);
    }
    if (r == 0) {
        *report = (struct ates_check_report){.records = walk.number, .events = walk.seq};
        if (base != NULL) {
            report->records -= base->head.number;
            report->events -= base->head.seq;
        }
    }
    ates_arena_free(&walk.arena);
    ates_engine_close(&walk.engine);
    return r;
}
