/* How an engine takes in what a producer's snapshot tells, in the place of events that are no more. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/engine_private.h"
#include "core/snapshot.h"

static int take_item(struct ates_engine *self, struct ates_call *call, struct ates_text producer,
                     uint64_t seq, const struct ates_snapshot_item *item)
{
    const struct ates_follow *follow =
        engine_find_follow(self->domain->snapshot_follows, self->domain->snapshot_follow_count,
                           producer, item->event_name, item->event_version);

    if (follow == NULL) {
        return 0; /* of no interest */
    }
    const struct ates_event event = {.name = follow->event->name, .seq = seq, .time = call->time};
    void *data = ates_arena_alloc(self->arena, follow->event->size);
    int r = ates_message_decode(follow->event, item->data.data, item->data.size,
                                ATES_UNKNOWN_IGNORED, self->arena, data, &call->refusal);
    return r == 0 ? follow->handle(call, &event, data) : r;
}

/* The place behind the snapshot. */
static int position_of(const struct ates_read_snapshot_result *page, struct ates_position *position)
{
    if (page->log_id.size >= sizeof position->log_id) {
        return -EBADMSG;
    }
    *position = (struct ates_position){.known = true, .seq = page->seq};
    memcpy(position->log_id, page->log_id.data, page->log_id.size);
    memcpy(position->hash, page->hash.data, sizeof position->hash);
    return 0;
}

/* Items are of different rows: what one of them changes, no other of the page asks for. */
static int take_items(struct ates_engine *self, struct ates_call *call, struct ates_text producer,
                      const struct ates_read_snapshot_result *page)
{
    const struct ates_snapshot_item *items = page->items.items;
    int r = 0;

    for (size_t i = 0; r == 0 && i < page->items.count; i++) {
        r = take_item(self, call, producer, page->seq, &items[i]);
    }
    return r;
}

int ates_engine_follow_snapshot(struct ates_engine *self, const char *producer,
                                const struct ates_read_snapshot_result *page,
                                struct ates_refusal *refusal)
{
    const struct ates_text name = ates_text_from(producer);
    struct ates_position position;
    int r = position_of(page, &position);

    if (r != 0 || self->lost != 0) {
        return r != 0 ? r : self->lost;
    }
    if (!ates_snapshot_is_followed(self->domain, producer)) {
        return ates_refusal_set(refusal, ATES_FAILED_PRECONDITION, "SNAPSHOT_NOT_TAKEN", NULL,
                                "its log was compacted, and no snapshot stands in for what is lost "
                                "here: restore this service from a backup");
    }
    engine_call_begin(self);
    if (self->full) {
        return -ENOSPC;
    }
    struct ates_call call = engine_make_call(self);
    call.cause = (struct ates_cause){
        .has_producer = true, .producer = name, .has_seq = page->seq > 0, .seq = page->seq};
    r = take_items(self, &call, name, page);
    r = r == 0 ? self->emit_fault : r;
    if (r > 0) {
        engine_name_refusal(&call, r);
        return ates_refusal_set(refusal, ATES_FAILED_PRECONDITION, call.refusal.reason, NULL,
                                "an item of its snapshot cannot be taken in: %s",
                                call.refusal.message);
    }
    if (r == 0 && (self->staged_count > 0 || !page->has_next)) {
        struct ates_record record = {.has_followed = !page->has_next,
                                     .followed = engine_followed(name, &position)};

        r = engine_stage(self, &call, &record, NULL);
        self->steps = true;
    }
    return r;
}
