/* What all streams read from: the producers and their logs, the ring of their latest events, and
 * who listens.
 *
 * Invariant: a listener that waits has seen all that came, or may not see it: its position is the
 * feed's. So an event costs each listener one comparison, and those that may see it a wake. */
#ifndef WEB_FEED_H
#define WEB_FEED_H

#include "core/random.h"
#include "web/web_mark.h"
#include "web/web_ring.h"

struct web_stream;

struct web_producer {
    const struct ates_service *service;
    bool known; /* its log was heard of */
    char log_id[ATES_UUID_SIZE];
};

/* What decides whether an event wakes a stream: small, as all are looked at for each event. */
struct web_listener {
    uint64_t user_id;
    unsigned role; /* a set of one */
    bool waits;
};

struct web_feed {
    struct web_producer producers[WEB_PRODUCERS_MAX];
    size_t producer_count;
    char tag[WEB_TAG_SIZE]; /* of their logs */
    struct web_vector at;   /* up to which events came */
    struct web_ring *ring;
    uint64_t events; /* so far */
    struct web_listener *listeners;
    struct web_stream **streams; /* of the listener with the same index */
    size_t count, capacity;
    void (*wake)(struct web_stream *stream); /* it has something to give; must not call back */
};

/* A feed of the services (NULL at the end) that have public events. 0 or -errno. */
int web_feed_open(struct web_feed *self, const struct ates_service *const *services,
                  size_t events_max, size_t bytes_max, void (*wake)(struct web_stream *));
void web_feed_close(struct web_feed *self); /* no stream may be left */

/* A producer's log is followed from here on (seq was its last event): another one than before, or
 * the first that is known. What streams were sent says nothing of it: they are reset. */
void web_feed_begin(struct web_feed *self, unsigned producer, const char *log_id, uint64_t seq);

/* The producer's next event, which is taken over. */
void web_feed_add(struct web_feed *self, struct web_event *event);

/* Whether every producer's log is known. */
bool web_feed_is_complete(const struct web_feed *self);

/* Adds a listener, which waits; returns its index. */
size_t web_feed_join(struct web_feed *self, struct web_stream *stream, uint64_t user_id,
                     unsigned role);
/* Takes one out: the last one gets its index (web_stream_renumber). */
void web_feed_leave(struct web_feed *self, size_t index);

/* A position as a mark. */
void web_feed_mark(const struct web_feed *self, const struct web_vector *at, struct web_mark *mark);
/* The position that a mark tells; false where it is one of other logs. */
bool web_feed_locate(const struct web_feed *self, const struct web_mark *mark,
                     struct web_vector *at);

#endif
