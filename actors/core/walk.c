/* The walk through a log; see walk.h. */
#include "core/walk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/users.h"

int ates_walk_damaged(const struct ates_walk *self, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(self->error, self->error_size, format, arguments);
    va_end(arguments);
    return -EBADMSG;
}

int ates_walk_open(struct ates_walk *walk, const struct ates_service *service, const char *log_id,
                   const struct ates_base_note *base, char *error, size_t error_size)
{
    *walk = (struct ates_walk){.service = service, .error = error, .error_size = error_size};
    snprintf(walk->log_id, sizeof walk->log_id, "%s", log_id);
    if (base != NULL) {
        walk->head = base->head;
    }
    walk->arena = ates_arena_new();
    return walk->arena != NULL ? 0 : -ENOMEM;
}

void ates_walk_close(struct ates_walk *walk)
{
    ates_arena_free(&walk->arena);
}

/* Whether data is what the service's tables say of the event; an unknown event cannot be applied.
 */
static bool is_readable(const struct ates_walk *self, struct ates_text name, uint64_t version,
                        struct ates_bytes data, bool is_private)
{
    const struct ates_event_type *type = ates_event_type(self->service, name, version);

    return type != NULL && type->is_private == is_private &&
           ates_message_decode(type->data, data.data, data.size, ATES_UNKNOWN_IGNORED, self->arena,
                               ates_arena_alloc(self->arena, type->data->size), NULL) == 0;
}

static int walk_envelope(struct ates_walk *self, struct ates_bytes bytes)
{
    const uint64_t number = self->head.number;
    const uint64_t seq = self->head.seq + 1;
    struct ates_envelope envelope;

    if (ates_message_decode(&ates_envelope_message, bytes.data, bytes.size, ATES_UNKNOWN_REFUSED,
                            self->arena, &envelope, NULL) != 0) {
        return ates_walk_damaged(self, "event %" PRIu64 " (record %" PRIu64 ") is no envelope", seq,
                                 number);
    }
    if (envelope.seq != seq) {
        return ates_walk_damaged(
            self, "event %" PRIu64 " (record %" PRIu64 ") says that it is event %" PRIu64, seq,
            number, envelope.seq);
    }
    if (!ates_text_equal(envelope.log_id, ates_text_from(self->log_id)) ||
        !ates_text_equal(envelope.producer, ates_text_from(self->service->name))) {
        return ates_walk_damaged(self, "event %" PRIu64 " (record %" PRIu64 ") is of another log",
                                 seq, number);
    }
    if (memcmp(envelope.prev.data, self->head.hash, sizeof self->head.hash) != 0) {
        return ates_walk_damaged(self,
                                 "event %" PRIu64 " (record %" PRIu64
                                 ") does not follow the one before: the chain of hashes is broken",
                                 seq, number);
    }
    if (!is_readable(self, envelope.event_name, envelope.event_version, envelope.data, false)) {
        return ates_walk_damaged(self,
                                 "event %" PRIu64 " (record %" PRIu64 ") is no %.*s.v%" PRIu64
                                 " that this program can read",
                                 seq, number, (int)envelope.event_name.size,
                                 envelope.event_name.data, envelope.event_version);
    }
    ates_envelope_hash(bytes.data, bytes.size, self->head.hash);
    self->head.seq = seq;
    return 0;
}

static int walk_events(struct ates_walk *self, const struct ates_record *record)
{
    const struct ates_bytes *events = record->events.items;
    const struct ates_private_event *privates = record->privates.items;

    for (size_t i = 0; i < record->events.count; i++) {
        int r = walk_envelope(self, events[i]);

        if (r != 0) {
            return r;
        }
    }
    for (size_t i = 0; i < record->privates.count; i++) {
        if (!is_readable(self, privates[i].name, privates[i].version, privates[i].data, true)) {
            return ates_walk_damaged(self, "record %" PRIu64 ": private event %zu is unreadable",
                                     record->number, i + 1);
        }
    }
    if (memcmp(record->head.data, self->head.hash, sizeof self->head.hash) != 0) {
        return ates_walk_damaged(
            self, "record %" PRIu64 " holds another hash than its last event has", record->number);
    }
    return 0;
}

int ates_walk_record(struct ates_walk *self, const struct ates_stored_record *stored,
                     struct ates_record *out)
{
    const uint64_t number = self->head.number + 1;
    struct ates_record record;

    ates_arena_reset(self->arena);
    if (ates_record_decode(stored->bytes.data, stored->bytes.size, self->arena, &record) != 0) {
        return ates_walk_damaged(self, "record %" PRIu64 " (after event %" PRIu64 ") is damaged",
                                 number, self->head.seq);
    }
    if (record.number != number || stored->number != number) {
        return ates_walk_damaged(
            self, "record %" PRIu64 " is missing: record %" PRIu64 " takes its place", number,
            record.number);
    }
    if (record.first_seq != self->head.seq + 1 || stored->first_seq != record.first_seq) {
        return ates_walk_damaged(self,
                                 "record %" PRIu64 " begins at event %" PRIu64 ", not %" PRIu64,
                                 number, record.first_seq, self->head.seq + 1);
    }
    if (record.time < self->head.time) {
        return ates_walk_damaged(self, "record %" PRIu64 " is older than the one before", number);
    }
    self->head.number = number;
    self->head.time = record.time;
    int r = walk_events(self, &record);
    if (r == 0 && out != NULL) {
        *out = record;
    }
    return r;
}
