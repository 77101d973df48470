/* How a follower begins where its producer's first events are no more: with the snapshot that stands
 * for them. Only a follower that has taken nothing of the producer does: to one that has, the
 * snapshot would not tell what happened in between. */
#include <stdio.h>
#include <string.h>

#include "core/catalogue.h"
#include "core/follower_private.h"

void follower_snapshot_ask(const struct follower_snapshot *self, struct ates_buffer *out)
{
    const struct ates_read_snapshot body = {
        .has_after = self->after[0] != '\0',
        .after = ates_text_from(self->after),
        .has_limit = true,
        .limit = FOLLOWER_READ_LIMIT,
    };

    ates_message_encode(&ates_read_snapshot_message, &body, out);
}

/* From the first page on, at once. */
static void begin(struct ates_follower *self, int64_t now_us)
{
    self->snapshot = (struct follower_snapshot){.is_read = true};
    self->behind = true;
    self->due_us = now_us;
}

bool follower_snapshot_begin(struct ates_follower *self, const struct ates_reply *reply,
                             int64_t now_us)
{
    if (self->snapshot.is_read || reply->status != ATES_FAILED_PRECONDITION ||
        strcmp(reply->refusal.reason, "EVENTS_COMPACTED") != 0) {
        return false;
    }
    if (self->position.known || self->sink.take_snapshot == NULL) {
        follower_stop(self, self->position.seq + 1,
                      "its log was compacted beyond what was followed: restore this service from a "
                      "backup");
    } else {
        begin(self, now_us);
    }
    return true;
}

static void go_on(struct ates_follower *self, const struct ates_read_snapshot_result *page)
{
    struct ates_position *position = &self->position;

    *position = (struct ates_position){.known = true, .seq = page->seq};
    memcpy(position->log_id, page->log_id.data, page->log_id.size);
    memcpy(position->hash, page->hash.data, sizeof position->hash);
    self->settled = page->seq;
    self->head_seen = page->seq > self->head_seen ? page->seq : self->head_seen;
    self->snapshot.is_read = false;
}

static void log_fault(const struct ates_follower *self, uint64_t seq, int fault)
{
    const struct ates_log_field fields[] = {{"error", strerror(-fault), 0},
                                            {"producer", self->producer, 0},
                                            {"seq", NULL, (int64_t)seq},
                                            {NULL, NULL, 0}};

    ates_say(ATES_SAY_EVENT_FAILED, self->sink.service, fields,
             "the snapshot of %s could not be taken in", self->producer);
}

void follower_snapshot_take(struct ates_follower *self, const struct ates_reply *reply,
                            int64_t now_us)
{
    struct ates_read_snapshot_result page;
    struct ates_refusal refusal = {.status = ATES_OK};

    ates_arena_reset(self->arena);
    if (ates_message_decode(&ates_read_snapshot_result_message, reply->body.data, reply->body.size,
                            ATES_UNKNOWN_IGNORED, self->arena, &page, NULL) != 0 ||
        page.log_id.size >= sizeof self->position.log_id) {
        follower_back_off(self, now_us);
        return;
    }
    if (self->snapshot.after[0] != '\0' && page.seq != self->snapshot.seq) {
        begin(self, now_us); /* the producer was compacted again meanwhile */
        return;
    }
    int r = self->sink.take_snapshot(self->sink.context, self->producer, &page, &refusal);
    if (r > 0) {
        follower_stop(self, page.seq, refusal.message);
        return;
    }
    if (r < 0) {
        log_fault(self, page.seq, r);
        follower_back_off(self, now_us);
        return;
    }
    self->backoff_us = FOLLOWER_BACKOFF_MIN_US;
    self->due_us = now_us;
    self->snapshot.seq = page.seq;
    if (page.has_next) {
        snprintf(self->snapshot.after, sizeof self->snapshot.after, "%.*s", (int)page.next.size,
                 page.next.data);
    } else {
        go_on(self, &page);
    }
}
