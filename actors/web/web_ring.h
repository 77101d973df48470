/* The latest events of all producers in the order in which they came, bounded in number and bytes.
 * Invariant: of each producer it holds the events after `before`, without a gap. */
#ifndef WEB_RING_H
#define WEB_RING_H

#include "web/web_event.h"

#define WEB_PRODUCERS_MAX 8u

/* Up to which seq each producer's events were seen, by its index. */
struct web_vector {
    uint64_t seq[WEB_PRODUCERS_MAX];
};

/* Whether in every producer a has come as far as b. */
bool web_vector_covers(const struct web_vector *a, const struct web_vector *b);

struct web_ring;

/* NULL with errno. */
struct web_ring *web_ring_new(size_t events_max, size_t bytes_max);
void web_ring_free(struct web_ring **self);

/* Adds the newest event, which is taken over; the oldest ones make room. It holds the newest one
 * whatever its size. Returns its place. */
uint64_t web_ring_add(struct web_ring *self, struct web_event *event);
/* Empties it: what comes next is what comes after `before`. Places go on. */
void web_ring_clear(struct web_ring *self, const struct web_vector *before);

/* The places that it holds: from first, before next. */
uint64_t web_ring_first(const struct web_ring *self);
uint64_t web_ring_next(const struct web_ring *self);
struct web_event *web_ring_at(const struct web_ring *self, uint64_t place);
/* Up to where the events before its first one went. */
const struct web_vector *web_ring_before(const struct web_ring *self);
size_t web_ring_bytes(const struct web_ring *self);

#endif
