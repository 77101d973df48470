/* One live stream: what a listener has yet to be sent, as server-sent events.
 *
 * It holds a place in the feed's ring, not copies; where it falls out of the ring, or resumes from
 * before it, it reads the producers' logs (web_replay.h) until the ring covers the rest.
 * Invariant: `at` moves past every event exactly once, shown or not, so that what is sent is
 * complete and an id tells where it goes on. Knows no HTTP. */
#ifndef WEB_STREAM_H
#define WEB_STREAM_H

#include <sys/queue.h>
#include <sys/types.h>

#include "web/web_feed.h"

#define WEB_BEAT_US 15000000 /* between two heartbeats */
/* For which a new stream waits to hear of every producer's log, up to where its client has it. */
#define WEB_JOIN_US 5000000
/* A stream that is farther behind in a log is reset rather than replayed. */
#define WEB_BEHIND_MAX 100000u

struct web_replay;
struct web_slot;

enum web_stream_state {
    WEB_STREAM_JOINING,  /* where it begins is not known yet */
    WEB_STREAM_LIVE,     /* reads the ring */
    WEB_STREAM_REPLAYING /* reads the producers' logs */
};

struct web_stream {
    struct web_feed *feed;
    struct web_replay *replay;
    void *owner;  /* whoever made it */
    size_t index; /* among the feed's listeners */
    enum ates_role role;
    enum web_stream_state state;
    bool has_mark;
    struct web_mark mark; /* where it wants to resume */
    struct web_vector at; /* what it is past; where it waits, the feed's is */
    uint64_t place;       /* in the ring */
    int64_t join_until_us, beat_us;
    bool owes_hello, owes_reset, owes_beat;
    bool is_held;   /* sends no events until its user is confirmed */
    bool is_ending; /* owes a bye, then has_ended */
    bool has_ended;
    char reason[48]; /* of its end */

    /* The message that is on its way: first head, then the event's text. */
    char head[WEB_MARK_SIZE + 192];
    size_t head_size, sent; /* sent of both */
    struct web_event *event;

    /* web_replay.c's. */
    TAILQ_ENTRY(web_stream) queue;
    bool is_queued;
    struct web_slot *slot;
    unsigned failures; /* in a row */
};

/* A stream of the feed for this user, which goes on after mark (NULL: from now on). Never NULL. */
struct web_stream *web_stream_new(struct web_feed *feed, struct web_replay *replay, void *owner,
                                  uint64_t user_id, enum ates_role role,
                                  const struct web_mark *mark, int64_t now_us);
void web_stream_free(struct web_stream **self); /* NULL-safe */

/* Writes at most size bytes of what is to be sent; 0: nothing now; -1: it has ended. */
ssize_t web_stream_give(struct web_stream *self, uint8_t *data, size_t size);

/* Joins, heartbeats: to be called several times a second. */
void web_stream_tick(struct web_stream *self, int64_t now_us);
void web_stream_beat(struct web_stream *self); /* a heartbeat now */

/* Its user's role may have changed: nothing more is shown until web_stream_confirm. */
void web_stream_hold(struct web_stream *self);
void web_stream_confirm(struct web_stream *self, enum ates_role role);
/* Says bye and ends. */
void web_stream_end(struct web_stream *self, const char *reason);

uint64_t web_stream_user(const struct web_stream *self);

/* For feed and replay. */
void web_stream_arrived(struct web_stream *self, uint64_t place, const struct web_vector *before);
void web_stream_renumber(struct web_stream *self, size_t index);
/* What it was sent is of no use any more: tells the client so and goes on from now. */
void web_stream_reset(struct web_stream *self);
/* The ring has all that it is not past. */
void web_stream_go_live(struct web_stream *self);

#endif
