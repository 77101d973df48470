/* Replays: streams whose position lies before the ring read the producers' logs, a page at a time.
 *
 * At most WEB_SLOTS pages are asked for or held at once, whoever wants them: the other streams wait
 * in a queue, where users without a page come first, and a stream that is slow to take its page loses
 * it to who waits. So replays cost bounded memory, and the services a bounded load. */
#ifndef WEB_REPLAY_H
#define WEB_REPLAY_H

#include <ates/client.h>

#include "web/web_stream.h"

#define WEB_SLOTS 8u

struct web_replay;
struct web_slot;

/* Where pages come from. */
struct web_replay_source {
    void *context;
    /* Asks a producer for at most limit events after seq; the reply goes to web_replay_answer, not
     * within this call. Returns what cancel takes; NULL: not now. */
    void *(*ask)(void *context, struct web_slot *slot, unsigned producer, uint64_t after_seq,
                 uint64_t limit);
    void (*cancel)(void *context, void *asked);
};

/* NULL with errno. */
struct web_replay *web_replay_new(struct web_feed *feed, const struct web_replay_source *source);
void web_replay_free(struct web_replay **self); /* no stream may be left in it */

/* Asks for what can be asked for. */
void web_replay_advance(struct web_replay *self, int64_t now_us);
int64_t web_replay_due(const struct web_replay *self);

/* The reply to read_events (NULL: none came). */
void web_replay_answer(struct web_slot *slot, const struct ates_reply *reply, int64_t now_us);

/* For streams: waits for a slot; gives it up, as where it has none; the next event that its user may
 * see, owned by the caller. NULL where there is none now: then it waits, or is live, or reset. */
void web_replay_join(struct web_replay *self, struct web_stream *stream);
void web_replay_leave(struct web_replay *self, struct web_stream *stream);
struct web_event *web_replay_next(struct web_replay *self, struct web_stream *stream);

#endif
