/* The ring of the latest events; see web_ring.h. */
#include "web/web_ring.h"

#include <assert.h>
#include <stdlib.h>

struct web_ring {
    size_t events_max, bytes_max;
    uint64_t first, next;
    size_t bytes;
    struct web_vector before;
    struct web_event *events[]; /* the one at a place: by its remainder */
};

bool web_vector_covers(const struct web_vector *a, const struct web_vector *b)
{
    for (size_t i = 0; i < WEB_PRODUCERS_MAX; i++) {
        if (a->seq[i] < b->seq[i]) {
            return false;
        }
    }
    return true;
}

struct web_ring *web_ring_new(size_t events_max, size_t bytes_max)
{
    struct web_ring *self = calloc(1, sizeof *self + events_max * sizeof self->events[0]);

    if (self != NULL) {
        self->events_max = events_max;
        self->bytes_max = bytes_max;
    }
    return self;
}

static size_t cost(const struct web_event *event)
{
    return sizeof *event + event->size;
}

static void drop_first(struct web_ring *self)
{
    struct web_event **event = &self->events[self->first++ % self->events_max];

    self->before.seq[(*event)->producer] = (*event)->seq;
    self->bytes -= cost(*event);
    web_event_drop(event);
}

void web_ring_free(struct web_ring **ring)
{
    struct web_ring *self = *ring;

    if (self != NULL) {
        while (self->first < self->next) {
            drop_first(self);
        }
        free(self);
        *ring = NULL;
    }
}

uint64_t web_ring_add(struct web_ring *self, struct web_event *event)
{
    while (self->first < self->next && (self->next - self->first == self->events_max ||
                                        self->bytes + cost(event) > self->bytes_max)) {
        drop_first(self);
    }
    self->events[self->next % self->events_max] = event;
    self->bytes += cost(event);
    return self->next++;
}

void web_ring_clear(struct web_ring *self, const struct web_vector *before)
{
    while (self->first < self->next) {
        drop_first(self);
    }
    self->before = *before;
}

uint64_t web_ring_first(const struct web_ring *self)
{
    return self->first;
}

uint64_t web_ring_next(const struct web_ring *self)
{
    return self->next;
}

struct web_event *web_ring_at(const struct web_ring *self, uint64_t place)
{
    assert(place >= self->first && place < self->next);
    return self->events[place % self->events_max];
}

const struct web_vector *web_ring_before(const struct web_ring *self)
{
    return &self->before;
}

size_t web_ring_bytes(const struct web_ring *self)
{
    return self->bytes;
}
