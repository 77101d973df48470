/* Replays from the producers' logs; see web_replay.h. */
#include "web/web_replay.h"

#include <assert.h>
#include <stdlib.h>

#define PAGE_LIMIT 1000u
/* Events asked for beyond what the ring lacks now, as the ring moves on while a page comes. */
#define PAGE_AHEAD 256u
#define PAGE_US 5000000  /* after which a page not taken goes to who waits */
#define AGAIN_US 1000000 /* after a read that failed */
#define BUSY_US 100000   /* where too much is under way to ask */
#define FAILURES_MAX 3u  /* in a row, after which the stream is reset */

/* One page: asked for, or held. */
struct web_slot {
    struct web_replay *replay;
    struct web_stream *stream; /* NULL: free */
    unsigned producer;
    void *asked;             /* NULL: it has come */
    struct ates_arena *page; /* of what came */
    const struct ates_bytes *events;
    size_t count, next;
    int64_t until_us; /* it may be kept, where others wait */
};

struct web_replay {
    struct web_feed *feed;
    struct web_replay_source source;
    struct web_slot slots[WEB_SLOTS];
    TAILQ_HEAD(, web_stream) queue;
    struct ates_arena *scratch;        /* of the event in hand */
    int64_t ask_us[WEB_PRODUCERS_MAX]; /* before which a producer is not asked */
    int64_t due_us;
};

struct web_replay *web_replay_new(struct web_feed *feed, const struct web_replay_source *source)
{
    struct web_replay *self = calloc(1, sizeof *self);

    if (self == NULL) {
        return NULL;
    }
    self->feed = feed;
    self->source = *source;
    self->due_us = INT64_MAX;
    self->scratch = ates_arena_new();
    TAILQ_INIT(&self->queue);
    for (size_t i = 0; i < WEB_SLOTS; i++) {
        self->slots[i].replay = self;
        self->slots[i].page = ates_arena_new();
    }
    return self;
}

void web_replay_free(struct web_replay **replay)
{
    struct web_replay *self = *replay;

    if (self != NULL) {
        assert(TAILQ_EMPTY(&self->queue));
        for (size_t i = 0; i < WEB_SLOTS; i++) {
            assert(self->slots[i].stream == NULL);
            ates_arena_free(&self->slots[i].page);
        }
        ates_arena_free(&self->scratch);
        free(self);
        *replay = NULL;
    }
}

static void release(struct web_slot *slot)
{
    struct web_replay *self = slot->replay;

    if (slot->asked != NULL) {
        self->source.cancel(self->source.context, slot->asked);
    }
    slot->stream->slot = NULL;
    slot->stream = NULL;
    slot->asked = NULL;
    slot->count = slot->next = 0;
    ates_arena_reset(slot->page);
    self->due_us = 0; /* who waits may have it */
}

void web_replay_join(struct web_replay *self, struct web_stream *stream)
{
    assert(!stream->is_queued && stream->slot == NULL);
    TAILQ_INSERT_TAIL(&self->queue, stream, queue);
    stream->is_queued = true;
    self->due_us = 0;
}

static void leave_queue(struct web_replay *self, struct web_stream *stream)
{
    TAILQ_REMOVE(&self->queue, stream, queue);
    stream->is_queued = false;
}

void web_replay_leave(struct web_replay *self, struct web_stream *stream)
{
    if (stream->is_queued) {
        leave_queue(self, stream);
    }
    if (stream->slot != NULL) {
        release(stream->slot);
    }
    stream->failures = 0;
}

/* To the end of the queue, with no page. */
static void queue_again(struct web_slot *slot)
{
    struct web_stream *stream = slot->stream;

    release(slot);
    web_replay_join(slot->replay, stream);
}

/* A producer of which the stream lacks events and that may be asked now: 0; -1: none. */
static int choose(const struct web_replay *self, const struct web_stream *stream, int64_t now_us,
                  unsigned *producer)
{
    const struct web_vector *before = web_ring_before(self->feed->ring);

    for (unsigned i = 0; i < self->feed->producer_count; i++) {
        if (stream->at.seq[i] < before->seq[i] && now_us >= self->ask_us[i]) {
            *producer = i;
            return 0;
        }
    }
    return -1;
}

static bool is_too_far(const struct web_replay *self, const struct web_stream *stream)
{
    for (size_t i = 0; i < self->feed->producer_count; i++) {
        if (self->feed->at.seq[i] > stream->at.seq[i] + WEB_BEHIND_MAX) {
            return true;
        }
    }
    return false;
}

static bool has_page(const struct web_replay *self, uint64_t user_id)
{
    for (size_t i = 0; i < WEB_SLOTS; i++) {
        const struct web_stream *stream = self->slots[i].stream;

        if (stream != NULL && web_stream_user(stream) == user_id) {
            return true;
        }
    }
    return false;
}

/* The first stream in the queue that can go on, of a user without a page if there is one: so the
 * many streams of one user, who may take nothing, leave the others their turn. NULL: none can. */
static struct web_stream *choose_stream(struct web_replay *self, int64_t now_us, unsigned *producer)
{
    struct web_stream *next, *chosen = NULL;
    unsigned lacked;

    for (struct web_stream *stream = TAILQ_FIRST(&self->queue); stream != NULL; stream = next) {
        next = TAILQ_NEXT(stream, queue);
        if (is_too_far(self, stream)) {
            web_stream_reset(stream);
            continue;
        }
        if (choose(self, stream, now_us, &lacked) != 0) {
            continue;
        }
        const bool is_next = !has_page(self, web_stream_user(stream));
        if (chosen == NULL || is_next) {
            chosen = stream;
            *producer = lacked;
        }
        if (is_next) {
            break;
        }
    }
    return chosen;
}

/* Asks for a page into the free slot; false where nothing can be asked for yet. */
static bool ask(struct web_replay *self, struct web_slot *slot, int64_t now_us)
{
    unsigned producer;
    struct web_stream *stream = choose_stream(self, now_us, &producer);

    if (stream == NULL) {
        return false;
    }
    const uint64_t after = stream->at.seq[producer];
    const uint64_t lacking = web_ring_before(self->feed->ring)->seq[producer] - after + PAGE_AHEAD;
    slot->asked = self->source.ask(self->source.context, slot, producer, after,
                                   lacking < PAGE_LIMIT ? lacking : PAGE_LIMIT);
    if (slot->asked == NULL) {
        self->ask_us[producer] = now_us + BUSY_US;
        return true; /* another producer may take it */
    }
    leave_queue(self, stream);
    slot->stream = stream;
    slot->producer = producer;
    stream->slot = slot;
    return true;
}

/* When those who wait may go on: a page is overdue, or a producer may be asked again. */
static int64_t next_due(const struct web_replay *self, int64_t now_us)
{
    int64_t due_us = INT64_MAX;

    if (TAILQ_EMPTY(&self->queue)) {
        return INT64_MAX;
    }
    for (size_t i = 0; i < WEB_SLOTS; i++) {
        const struct web_slot *slot = &self->slots[i];

        if (slot->stream != NULL && slot->asked == NULL && slot->until_us < due_us) {
            due_us = slot->until_us;
        }
    }
    for (size_t i = 0; i < self->feed->producer_count; i++) {
        if (self->ask_us[i] > now_us && self->ask_us[i] < due_us) {
            due_us = self->ask_us[i];
        }
    }
    return due_us;
}

void web_replay_advance(struct web_replay *self, int64_t now_us)
{
    for (size_t i = 0; i < WEB_SLOTS && !TAILQ_EMPTY(&self->queue); i++) {
        struct web_slot *slot = &self->slots[i];

        if (slot->stream != NULL && slot->asked == NULL && now_us >= slot->until_us) {
            queue_again(slot);
        }
    }
    for (size_t i = 0; i < WEB_SLOTS; i++) {
        while (self->slots[i].stream == NULL && ask(self, &self->slots[i], now_us)) {
        }
    }
    self->due_us = next_due(self, now_us);
}

int64_t web_replay_due(const struct web_replay *self)
{
    return self->due_us;
}

/* The next try comes later; not for ever, as a stream that hears nothing is worse than a reset. */
static void fail(struct web_slot *slot, int64_t now_us)
{
    struct web_stream *stream = slot->stream;

    slot->replay->ask_us[slot->producer] = now_us + AGAIN_US;
    if (++stream->failures >= FAILURES_MAX) {
        web_stream_reset(stream);
    } else {
        queue_again(slot);
    }
}

void web_replay_answer(struct web_slot *slot, const struct ates_reply *reply, int64_t now_us)
{
    struct web_replay *self = slot->replay;
    struct web_stream *stream = slot->stream;
    const struct web_producer *producer = &self->feed->producers[slot->producer];
    struct ates_read_events_result result;

    slot->asked = NULL;
    if (reply != NULL && reply->status == ATES_FAILED_PRECONDITION) {
        web_stream_reset(stream); /* what it lacks was compacted away */
        return;
    }
    if (reply == NULL || reply->status != ATES_OK) {
        fail(slot, now_us);
        return;
    }
    const void *body = ates_arena_copy(slot->page, reply->body.data, reply->body.size);
    if (ates_message_decode(&ates_read_events_result_message, body, reply->body.size,
                            ATES_UNKNOWN_IGNORED, slot->page, &result, NULL) != 0) {
        fail(slot, now_us);
    } else if (!ates_text_equal(result.log_id, ates_text_from(producer->log_id)) ||
               result.head_seq < stream->at.seq[slot->producer]) {
        web_stream_reset(stream); /* what the stream was sent is of another log */
    } else if (result.events.count == 0) {
        fail(slot, now_us);
    } else {
        slot->events = result.events.items;
        slot->count = result.events.count;
        slot->next = 0;
        slot->until_us = now_us + PAGE_US;
        self->due_us = 0; /* to be reckoned anew */
        self->feed->wake(stream);
    }
}

/* Takes the envelope as the stream's next event of the slot's producer. */
static bool take(struct web_slot *slot, struct ates_bytes bytes, struct ates_envelope *envelope)
{
    struct web_replay *self = slot->replay;
    const struct web_producer *producer = &self->feed->producers[slot->producer];
    uint64_t *seq = &slot->stream->at.seq[slot->producer];

    ates_arena_reset(self->scratch);
    if (ates_message_decode(&ates_envelope_message, bytes.data, bytes.size, ATES_UNKNOWN_IGNORED,
                            self->scratch, envelope, NULL) != 0 ||
        !ates_text_equal(envelope->producer, ates_text_from(producer->service->name)) ||
        !ates_text_equal(envelope->log_id, ates_text_from(producer->log_id)) ||
        envelope->seq != *seq + 1) {
        return false;
    }
    *seq = envelope->seq;
    return true;
}

struct web_event *web_replay_next(struct web_replay *self, struct web_stream *stream)
{
    struct web_slot *slot = stream->slot;
    const struct web_listener *listener = &self->feed->listeners[stream->index];
    struct ates_envelope envelope;

    if (slot == NULL || slot->asked != NULL) {
        return NULL;
    }
    /* No further than the feed, though the log may have more: where the stream went on to wait, its
     * place would be the feed's, and it would be sent again what it had. */
    while (slot->next < slot->count &&
           stream->at.seq[slot->producer] < self->feed->at.seq[slot->producer]) {
        if (!take(slot, slot->events[slot->next++], &envelope)) {
            web_stream_reset(stream);
            return NULL;
        }
        struct web_event *event =
            web_event_new_for(self->feed->producers[slot->producer].service, slot->producer,
                              &envelope, self->scratch, listener->user_id, listener->role);
        if (event != NULL) {
            return event;
        }
    }
    stream->failures = 0;
    if (web_vector_covers(&stream->at, web_ring_before(self->feed->ring))) {
        release(slot);
        web_stream_go_live(stream);
    } else {
        queue_again(slot);
    }
    return NULL;
}
