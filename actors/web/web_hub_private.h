/* What the hub's parts share: where events come from (web_hub.c), and who asked for them
 * (web_events.c). */
#ifndef WEB_HUB_PRIVATE_H
#define WEB_HUB_PRIVATE_H

#include <ates/client.h>

#include "core/follower.h"
#include "web/web_feed.h"
#include "web/web_hub.h"
#include "web/web_private.h"
#include "web/web_replay.h"

/* How one producer is followed. */
struct web_follow {
    struct web_hub *hub;
    unsigned producer;
    struct ates_follower *follower; /* NULL: its head was not heard of yet */
    struct ates_position from;      /* where it begins */
    bool is_lost;                   /* its log is no longer the one that was followed */
    int64_t begun_us;               /* INT64_MIN / 2: never */
};

/* Somebody's user_changed. */
#define WEB_CHANGES_MAX 64u
struct web_change {
    uint64_t user_id;
    uint64_t seq; /* in auth's log */
};

struct web_hub {
    struct ates_web *web;
    void *zmq_context, *subscriber;
    struct ates_client *client;
    struct web_feed feed;
    struct web_replay *replay;
    struct web_follow follows[WEB_PRODUCERS_MAX];
    struct ates_arena *arena;                   /* of what is in hand */
    struct web_change changes[WEB_CHANGES_MAX]; /* the latest, by their number's remainder */
    size_t change_count;                        /* so far, in auth's log as it is followed */
    int64_t heard_us;                           /* when SUB last gave anything */
    int64_t tick_us;                            /* of the streams: INT64_MAX: there are none */
};

/* Heartbeats, joins, and checks whether users may still listen. */
void web_events_tick(struct web_hub *hub, int64_t now_us);
/* What the user may see may have changed, as auth says in its event of this seq. */
void web_events_hold_user(struct web_hub *hub, uint64_t user_id, uint64_t seq);
/* The stream has something to give. */
void web_events_wake(struct web_stream *stream);

#endif
