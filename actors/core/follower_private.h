/* What the parts of a follower share. */
#ifndef ATES_FOLLOWER_PRIVATE_H
#define ATES_FOLLOWER_PRIVATE_H

#include "core/follower.h"

#define FOLLOWER_READ_LIMIT 1000u /* events or items asked for at once */
#define FOLLOWER_BACKOFF_MIN_US 20000
#define FOLLOWER_AFTER_SIZE 257u /* of a place in a snapshot, with its NUL */

/* A snapshot that is read, page by page, in the place of events that are no more. */
struct follower_snapshot {
    bool is_read;
    uint64_t seq; /* which one it is, by its first page; a later base's is another */
    char after[FOLLOWER_AFTER_SIZE]; /* empty: the first page is the next */
};

struct ates_follower {
    struct ates_follower_sink sink;
    struct ates_client *client;
    unsigned unanswered; /* reads in a row */
    const char *producer;
    struct ates_pipeline *pipeline;
    struct ates_arena *arena;   /* of the events that were read */
    struct ates_arena *scratch; /* of the event in hand */
    struct ates_position position;
    uint64_t settled;   /* seq up to which the position is in the log */
    uint64_t head_seen; /* the highest seq that the producer was heard to have */
    bool behind;        /* events are missing: read them */
    bool stopped;
    uint64_t asked; /* tag of the read that is under way, 0 for none */
    uint64_t last_tag;
    int64_t due_us; /* of its timeout, or of the next try */
    int64_t backoff_us;
    int64_t heard_us; /* when the producer was heard of last */
    struct follower_snapshot snapshot;
    const struct ates_bytes *events; /* read and not yet taken */
    size_t event_count, next;
};

void follower_stop(struct ates_follower *self, uint64_t seq, const char *why);
void follower_back_off(struct ates_follower *self, int64_t now_us);

/* follower_snapshot.c */
/* Encodes the body that asks for the next page. */
void follower_snapshot_ask(const struct follower_snapshot *self, struct ates_buffer *out);
/* Whether the reply says that the events asked for were compacted away: then the snapshot is read in
 * their place, or the stream stops. */
bool follower_snapshot_begin(struct ates_follower *self, const struct ates_reply *reply,
                             int64_t now_us);
/* Takes in the page that the reply brings; after the last one events are read again. */
void follower_snapshot_take(struct ates_follower *self, const struct ates_reply *reply,
                            int64_t now_us);

#endif
