/* One live stream; see web_stream.h. */
#include "web/web_stream.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/web_replay.h"

static struct web_listener *listener_of(const struct web_stream *self)
{
    return &self->feed->listeners[self->index];
}

static const struct web_vector *position_of(const struct web_stream *self)
{
    return listener_of(self)->waits ? &self->feed->at : &self->at;
}

/* From now on. While it is held its place must stay, as another role may see other events. */
static void go_to_end(struct web_stream *self)
{
    self->at = self->feed->at;
    self->place = web_ring_next(self->feed->ring);
    listener_of(self)->waits = !self->is_held;
}

static bool is_ahead(const struct web_feed *feed, const struct web_vector *at)
{
    for (size_t i = 0; i < feed->producer_count; i++) {
        if (at->seq[i] > feed->at.seq[i]) {
            return true;
        }
    }
    return false;
}

/* Whether the position can be gone on from: neither ahead of any log nor too far behind. */
static bool is_in_reach(const struct web_feed *feed, const struct web_vector *at)
{
    for (size_t i = 0; i < feed->producer_count; i++) {
        if (at->seq[i] > feed->at.seq[i] || feed->at.seq[i] - at->seq[i] > WEB_BEHIND_MAX) {
            return false;
        }
    }
    return true;
}

static void start_replay(struct web_stream *self)
{
    self->state = WEB_STREAM_REPLAYING;
    web_replay_join(self->replay, self);
}

/* A feed that has just begun did so at heads that were announced a while ago: what the client had
 * of the feed before, it may have yet to read. So a stream that is ahead of it waits. */
static void join(struct web_stream *self, int64_t now_us)
{
    struct web_vector at;
    const bool is_ours = self->has_mark && web_feed_locate(self->feed, &self->mark, &at);

    if (is_ours && is_ahead(self->feed, &at) && now_us < self->join_until_us) {
        return;
    }
    self->state = WEB_STREAM_LIVE;
    if (!self->has_mark) {
        go_to_end(self);
    } else if (is_ours && is_in_reach(self->feed, &at)) {
        self->at = at;
        if (web_vector_covers(&at, web_ring_before(self->feed->ring))) {
            web_stream_go_live(self);
        } else {
            start_replay(self);
        }
    } else {
        go_to_end(self);
        listener_of(self)->waits = false;
        self->owes_reset = true;
    }
}

struct web_stream *web_stream_new(struct web_feed *feed, struct web_replay *replay, void *owner,
                                  uint64_t user_id, enum ates_role role,
                                  const struct web_mark *mark, int64_t now_us)
{
    struct web_stream *self = calloc(1, sizeof *self);

    if (self == NULL) {
        abort(); /* as where an arena has no more memory */
    }
    self->feed = feed;
    self->replay = replay;
    self->owner = owner;
    self->role = role;
    self->owes_hello = true;
    self->join_until_us = now_us + WEB_JOIN_US;
    self->beat_us = now_us + WEB_BEAT_US;
    if (mark != NULL) {
        self->has_mark = true;
        self->mark = *mark;
    }
    self->index = web_feed_join(feed, self, user_id, ATES_ROLE(role));
    listener_of(self)->waits = false;
    if (web_feed_is_complete(feed)) {
        join(self, now_us);
    }
    return self;
}

void web_stream_free(struct web_stream **stream)
{
    struct web_stream *self = *stream;

    if (self != NULL) {
        web_replay_leave(self->replay, self);
        web_feed_leave(self->feed, self->index);
        web_event_drop(&self->event);
        free(self);
        *stream = NULL;
    }
}

uint64_t web_stream_user(const struct web_stream *self)
{
    return listener_of(self)->user_id;
}

void web_stream_renumber(struct web_stream *self, size_t index)
{
    self->index = index;
}

static void wake(struct web_stream *self)
{
    self->feed->wake(self);
}

void web_stream_arrived(struct web_stream *self, uint64_t place, const struct web_vector *before)
{
    listener_of(self)->waits = false;
    self->at = *before;
    self->place = place;
    wake(self);
}

void web_stream_go_live(struct web_stream *self)
{
    self->state = WEB_STREAM_LIVE;
    self->place = web_ring_first(self->feed->ring);
    listener_of(self)->waits = false;
}

void web_stream_reset(struct web_stream *self)
{
    if (self->state == WEB_STREAM_JOINING || self->is_ending) {
        return;
    }
    web_replay_leave(self->replay, self);
    self->state = WEB_STREAM_LIVE;
    listener_of(self)->waits = false;
    self->owes_reset = true;
    wake(self);
}

void web_stream_hold(struct web_stream *self)
{
    self->is_held = true;
    if (listener_of(self)->waits) {
        go_to_end(self);
    }
}

void web_stream_confirm(struct web_stream *self, enum ates_role role)
{
    self->role = role;
    listener_of(self)->role = ATES_ROLE(role);
    self->is_held = false;
    if (!listener_of(self)->waits) {
        wake(self);
    }
}

void web_stream_end(struct web_stream *self, const char *reason)
{
    if (!self->is_ending) {
        self->is_ending = true;
        snprintf(self->reason, sizeof self->reason, "%s", reason);
        web_replay_leave(self->replay, self);
        listener_of(self)->waits = false;
        wake(self);
    }
}

void web_stream_beat(struct web_stream *self)
{
    self->owes_beat = true;
    wake(self);
}

void web_stream_tick(struct web_stream *self, int64_t now_us)
{
    if (self->state == WEB_STREAM_JOINING &&
        (now_us >= self->join_until_us || web_feed_is_complete(self->feed))) {
        join(self, now_us);
        if (self->state != WEB_STREAM_JOINING) {
            wake(self);
        }
    }
    if (now_us >= self->beat_us) {
        self->beat_us = now_us + WEB_BEAT_US;
        web_stream_beat(self);
    }
}

/* Appends to the head of the next message. */
__attribute__((format(printf, 2, 3))) static void put(struct web_stream *self, const char *format,
                                                      ...)
{
    va_list arguments;

    va_start(arguments, format);
    const int size = vsnprintf(self->head + self->head_size, sizeof self->head - self->head_size,
                               format, arguments);
    va_end(arguments);
    assert(size >= 0 && (size_t)size < sizeof self->head - self->head_size);
    self->head_size += (size_t)size;
}

static void put_id(struct web_stream *self)
{
    struct web_mark mark;
    char text[WEB_MARK_SIZE];

    web_feed_mark(self->feed, position_of(self), &mark);
    web_mark_format(&mark, text);
    put(self, "id: %s\n", text);
}

/* A client that is owed a reset must not get an id before it: the reset could be lost with the
 * connection. */
static void put_hello(struct web_stream *self)
{
    self->owes_hello = false;
    if (!self->owes_reset) {
        put_id(self);
    }
    put(self, "event: hello\ndata: {\"user_id\":%llu,\"role\":\"%s\"}\n\n",
        (unsigned long long)web_stream_user(self), ates_role_names[self->role]);
}

static void put_reset(struct web_stream *self)
{
    self->owes_reset = false;
    go_to_end(self);
    put_id(self);
    put(self, "event: reset\ndata: {}\n\n");
}

/* The id alone tells how far events went that the user may not see. */
static void put_beat(struct web_stream *self)
{
    self->owes_beat = false;
    put(self, ": heartbeat\n");
    if (self->state != WEB_STREAM_JOINING) {
        put_id(self);
    }
    put(self, "\n");
}

static void put_bye(struct web_stream *self)
{
    self->has_ended = true;
    put(self, "event: bye\ndata: {\"reason\":\"%s\"}\n\n", self->reason);
}

/* The next event of the ring that its user may see; NULL where there is none now. */
static struct web_event *next_live(struct web_stream *self)
{
    struct web_ring *ring = self->feed->ring;
    struct web_listener *listener = listener_of(self);

    if (listener->waits) {
        return NULL;
    }
    if (self->place < web_ring_first(ring)) {
        if (!web_vector_covers(&self->at, web_ring_before(ring))) {
            start_replay(self);
            return NULL;
        }
        self->place = web_ring_first(ring);
    }
    while (self->place < web_ring_next(ring)) {
        struct web_event *event = web_ring_at(ring, self->place++);
        uint64_t *seq = &self->at.seq[event->producer];

        if (event->seq <= *seq) {
            continue; /* it was replayed, or sent before the stream was resumed */
        }
        assert(event->seq == *seq + 1);
        *seq = event->seq;
        if (event->size > 0 &&
            web_audience_has(&event->audience, listener->user_id, listener->role)) {
            return web_event_hold(event);
        }
    }
    listener->waits = true;
    return NULL;
}

static bool put_event(struct web_stream *self)
{
    struct web_event *event = NULL;

    if (self->state == WEB_STREAM_REPLAYING) {
        event = web_replay_next(self->replay, self); /* at the end of it, the stream is live */
    }
    if (event == NULL && self->state == WEB_STREAM_LIVE && !self->owes_reset) {
        event = next_live(self);
    }
    if (event == NULL) {
        return false;
    }
    put_id(self);
    self->event = event;
    return true;
}

/* Makes the next message; false where there is none now. */
static bool next_message(struct web_stream *self)
{
    self->head_size = self->sent = 0;
    web_event_drop(&self->event);
    if (self->is_ending) {
        if (!self->has_ended) {
            put_bye(self);
        }
    } else if (self->state != WEB_STREAM_JOINING && self->owes_hello) {
        put_hello(self);
    } else if (self->owes_reset) {
        put_reset(self);
    } else if (self->state != WEB_STREAM_JOINING && !self->is_held && put_event(self)) {
        return true;
    } else if (self->owes_reset) {
        put_reset(self); /* the replay came to nothing */
    } else if (self->owes_beat) {
        put_beat(self);
    }
    return self->head_size > 0;
}

/* Copies of the part that begins at *sent of both. */
static size_t copy(struct web_stream *self, uint8_t *data, size_t size)
{
    const size_t event_size = self->event != NULL ? self->event->size : 0;
    const char *from;
    size_t left;

    if (self->sent < self->head_size) {
        from = self->head + self->sent;
        left = self->head_size - self->sent;
    } else {
        const size_t offset = self->sent - self->head_size;

        from = event_size > 0 ? self->event->text + offset : NULL;
        left = event_size - offset;
    }
    const size_t given = left < size ? left : size;
    if (given > 0) {
        memcpy(data, from, given);
        self->sent += given;
    }
    return given;
}

ssize_t web_stream_give(struct web_stream *self, uint8_t *data, size_t size)
{
    size_t done = 0;

    while (done < size) {
        const size_t given = copy(self, data + done, size - done);

        done += given;
        if (given == 0 && !next_message(self)) {
            break;
        }
    }
    return done > 0 || !self->has_ended ? (ssize_t)done : -1;
}
