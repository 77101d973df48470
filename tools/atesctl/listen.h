/* Listening to what services publish: a SUB socket at the broker and, where gaps must not be, a
 * follower for each producer, which reads from its log what was lost on the way. Invariant: with
 * followers every event of a producer is told once, in order, from the place on where it began. */
#ifndef CTL_LISTEN_H
#define CTL_LISTEN_H

#include <zmq.h>

#include "core/record.h"
#include "ctl.h"

struct ctl_listener;

/* Who listens; what is told lives during the call only. */
struct ctl_hearer {
    void *context;
    /* Returns whether it wants more; an event that it does not want comes again. */
    bool (*event)(void *context, const struct ates_envelope *envelope);
    /* A service's announcement of its log's head; NULL: not wanted. */
    void (*head)(void *context, const char *producer, const struct ates_head *head);
};

/* Connects to the broker; events of producers that the topic's prefix allows for are heard ("":
 * all). Returns CTL_OK, or another code with the reason said. */
int ctl_listener_open(struct ctl *ctl, const struct ctl_hearer *hearer, const char *prefix,
                      struct ctl_listener **out);
void ctl_listener_close(struct ctl_listener **self);

/* From now on nothing is lost: each producer's events are followed from where it is first heard of
 * or, for the one named, from seq on, which must be in its log or the next to come. The caller must
 * be allowed to read logs. Codes as above. */
int ctl_listener_follow(struct ctl_listener *self);
int ctl_listener_follow_from(struct ctl_listener *self, const char *producer, uint64_t seq);

/* Waits for what comes, at most wait_ms, or until others (zmq_poll's items; may be NULL) have
 * something, and tells it. *heard: something came from the broker. Returns CTL_OK, or another code
 * with the reason said: a stream that cannot be followed further. */
int ctl_listener_turn(struct ctl_listener *self, int64_t wait_ms, zmq_pollitem_t *others,
                      size_t other_count, bool *heard);

#endif
