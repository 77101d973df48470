/* A follower of one producer's events: takes the next ones from SUB, reads from the producer's log
 * what SUB lost (PROTOCOL.md section 3). Its position is its sink's; what is not the next event of
 * the known log is never handed on. */
#ifndef ATES_FOLLOWER_H
#define ATES_FOLLOWER_H

#include <ates/client.h>

#include "core/record.h"

struct ates_follower;

/* Who follows: where the events go, and where the position is kept. */
struct ates_follower_sink {
    void *context;
    const char *service; /* its name, for log lines */
    /* The position up to which events were durably taken in. */
    int (*position)(void *context, const char *producer, struct ates_position *position);
    /* Takes in the next event; position is the one after it. *settled: that position was written
     * down with it. Returns as ates_engine_follow. */
    int (*take)(void *context, const struct ates_envelope *envelope, struct ates_bytes bytes,
                const struct ates_position *position, bool *settled, struct ates_refusal *refusal);
    /* Writes down the position reached. */
    int (*settle)(void *context, const char *producer, const struct ates_position *position);
    /* Takes in a page of the snapshot that stands for events which the producer no longer has, asked
     * for only where nothing of the producer was taken yet. With the last page (which has no next)
     * the position is the snapshot's. Returns as ates_engine_follow_snapshot. NULL: such a stream
     * stops. */
    int (*take_snapshot)(void *context, const char *producer,
                         const struct ates_read_snapshot_result *page,
                         struct ates_refusal *refusal);
    /* Told once that the stream stopped, in the place of an alarm in the journal; the follower must
     * not be freed in it. May be NULL. */
    void (*stopped)(void *context, const char *producer, const char *reason);
};

/* sink (copied) says who follows; service, producer and context must outlive the follower. NULL
 * with errno. */
struct ates_follower *ates_follower_new(const struct ates_follower_sink *sink,
                                        struct ates_client *client, const char *producer);
void ates_follower_free(struct ates_follower **self);

const char *ates_follower_producer(const struct ates_follower *self);
void *ates_follower_socket(struct ates_follower *self); /* to poll for read_events' replies */

/* Begins (again) at the position that the sink has durably taken. */
int ates_follower_rewind(struct ates_follower *self);

/* Follows again, from its sink's position, where it has stopped: the reason may be gone. */
int ates_follower_resume(struct ates_follower *self);

/* An event from SUB; or a head announcement. Bytes need to stay only during the call. Faults as
 * ates_engine_follow. */
int ates_follower_live(struct ates_follower *self, struct ates_bytes envelope);
void ates_follower_head(struct ates_follower *self, struct ates_bytes head);

/* Goes on with what was read, at most limit events, and asks for more. *more: there is more to do
 * now. */
int ates_follower_advance(struct ates_follower *self, int64_t now_us, size_t limit, bool *more);

/* Writes the position down, where only events of no interest moved it. To be called now and then.
 */
int ates_follower_settle(struct ates_follower *self, uint64_t unsettled_max);

/* When advance wants to be called at the latest (ates_monotonic_us). */
int64_t ates_follower_due(const struct ates_follower *self);

/* The seq up to which events were taken; how many more the producer is known to have; whether the
 * stream was stopped by an alarm. */
uint64_t ates_follower_position(const struct ates_follower *self);
uint64_t ates_follower_lag(const struct ates_follower *self);
bool ates_follower_stopped(const struct ates_follower *self);

#endif
