/* What all streams read from; see web_feed.h. */
#include "web/web_feed.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/web_stream.h"

#define TAG_BYTES ((WEB_TAG_SIZE - 1) / 2)

static bool has_public_events(const struct ates_service *service)
{
    for (size_t i = 0; i < service->event_count; i++) {
        if (!service->events[i].is_private) {
            return true;
        }
    }
    return false;
}

/* Names and log ids with the NULs that end them: no two lists of logs make the same text. */
static void make_tag(struct web_feed *self)
{
    crypto_generichash_state state;
    uint8_t hash[crypto_generichash_BYTES_MIN];

    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    for (size_t i = 0; i < self->producer_count; i++) {
        const struct web_producer *producer = &self->producers[i];

        if (producer->known) {
            crypto_generichash_update(&state, (const uint8_t *)producer->service->name,
                                      strlen(producer->service->name) + 1);
            crypto_generichash_update(&state, (const uint8_t *)producer->log_id,
                                      strlen(producer->log_id) + 1);
        }
    }
    crypto_generichash_final(&state, hash, sizeof hash);
    sodium_bin2hex(self->tag, sizeof self->tag, hash, TAG_BYTES);
}

int web_feed_open(struct web_feed *self, const struct ates_service *const *services,
                  size_t events_max, size_t bytes_max, void (*wake)(struct web_stream *))
{
    *self = (struct web_feed){.wake = wake, .ring = web_ring_new(events_max, bytes_max)};
    if (self->ring == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; services[i] != NULL; i++) {
        if (has_public_events(services[i])) {
            assert(self->producer_count < WEB_PRODUCERS_MAX &&
                   strlen(services[i]->name) <= WEB_MARK_NAME_MAX);
            self->producers[self->producer_count++].service = services[i];
        }
    }
    make_tag(self);
    return 0;
}

void web_feed_close(struct web_feed *self)
{
    assert(self->count == 0);
    web_ring_free(&self->ring);
    free(self->listeners);
    free(self->streams);
    *self = (struct web_feed){.count = 0};
}

void web_feed_begin(struct web_feed *self, unsigned index, const char *log_id, uint64_t seq)
{
    struct web_producer *producer = &self->producers[index];

    producer->known = true;
    snprintf(producer->log_id, sizeof producer->log_id, "%s", log_id);
    self->at.seq[index] = seq;
    web_ring_clear(self->ring, &self->at);
    make_tag(self);
    for (size_t i = 0; i < self->count; i++) {
        web_stream_reset(self->streams[i]);
    }
}

void web_feed_add(struct web_feed *self, struct web_event *event)
{
    const struct web_vector before = self->at;
    const struct web_audience audience = event->audience;

    assert(event->seq == before.seq[event->producer] + 1);
    self->at.seq[event->producer] = event->seq;
    const uint64_t place = web_ring_add(self->ring, event);
    self->events++;
    if (web_audience_is_empty(&audience)) {
        return;
    }
    for (size_t i = 0; i < self->count; i++) {
        const struct web_listener *listener = &self->listeners[i];

        if (listener->waits && web_audience_has(&audience, listener->user_id, listener->role)) {
            web_stream_arrived(self->streams[i], place, &before);
        }
    }
}

bool web_feed_is_complete(const struct web_feed *self)
{
    for (size_t i = 0; i < self->producer_count; i++) {
        if (!self->producers[i].known) {
            return false;
        }
    }
    return true;
}

static void *resize(void *items, size_t count, size_t size)
{
    void *resized = reallocarray(items, count, size);

    if (resized == NULL) {
        abort(); /* as where an arena has no more memory */
    }
    return resized;
}

size_t web_feed_join(struct web_feed *self, struct web_stream *stream, uint64_t user_id,
                     unsigned role)
{
    if (self->count == self->capacity) {
        self->capacity = self->capacity == 0 ? 64 : 2 * self->capacity;
        self->listeners = resize(self->listeners, self->capacity, sizeof *self->listeners);
        self->streams = resize(self->streams, self->capacity, sizeof(struct web_stream *));
    }
    self->listeners[self->count] =
        (struct web_listener){.user_id = user_id, .role = role, .waits = true};
    self->streams[self->count] = stream;
    return self->count++;
}

void web_feed_leave(struct web_feed *self, size_t index)
{
    assert(index < self->count);
    self->count--;
    if (index < self->count) {
        self->listeners[index] = self->listeners[self->count];
        self->streams[index] = self->streams[self->count];
        web_stream_renumber(self->streams[index], index);
    }
}

void web_feed_mark(const struct web_feed *self, const struct web_vector *at, struct web_mark *mark)
{
    memcpy(mark->tag, self->tag, sizeof mark->tag);
    mark->count = 0;
    for (size_t i = 0; i < self->producer_count; i++) {
        if (self->producers[i].known) {
            snprintf(mark->items[mark->count].producer, sizeof mark->items[0].producer, "%s",
                     self->producers[i].service->name);
            mark->items[mark->count++].seq = at->seq[i];
        }
    }
}

bool web_feed_locate(const struct web_feed *self, const struct web_mark *mark,
                     struct web_vector *at)
{
    struct web_vector found = {{0}};
    size_t n = 0;

    if (strcmp(mark->tag, self->tag) != 0) {
        return false;
    }
    for (size_t i = 0; i < self->producer_count; i++) {
        if (!self->producers[i].known) {
            continue;
        }
        /* They are written in the feed's order. */
        if (n == mark->count ||
            strcmp(mark->items[n].producer, self->producers[i].service->name) != 0) {
            return false;
        }
        found.seq[i] = mark->items[n++].seq;
    }
    if (n != mark->count) {
        return false;
    }
    *at = found;
    return true;
}
