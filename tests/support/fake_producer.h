/* A producer for tests of followers: a log of chained envelopes that read_events is answered from,
 * in a thread of its own, and that can be made to lie. */
#ifndef ATES_TEST_FAKE_PRODUCER_H
#define ATES_TEST_FAKE_PRODUCER_H

#include <pthread.h>

#include <ates/service.h>

#include "core/record.h"
#include "support/fake_service.h"

#define FAKE_PRODUCER "other"
#define FAKE_EVENTS_MAX 3000u
#define FAKE_LOG_ID "018bcfe5-6800-7000-8000-0000000000aa"
#define FAKE_OTHER_LOG_ID "018bcfe5-6800-7000-8000-0000000000bb"

struct fake_producer {
    struct fake_service service; /* first: the behaviour gets to the rest from it; its
                                     name may be set before the start: NULL: other */
    struct ates_buffer envelopes[FAKE_EVENTS_MAX]; /* the one with seq 1 first */
    size_t count;
    uint8_t hashes[FAKE_EVENTS_MAX + 1][ATES_HASH_SIZE]; /* of the envelope with this seq */

    /* The thread's and the test's: under mutex. */
    pthread_mutex_t mutex;
    const char *log_id; /* that it tells */
    size_t served;      /* events that it owns up to */
    size_t page;        /* events in a reply at most */
    uint64_t skipped;   /* a seq that it leaves out */
    unsigned silences;  /* requests that it holds, before it answers one */
    unsigned refusals;  /* requests that it refuses */
    unsigned nonsense;  /* requests that it answers with an empty map */
    size_t asked;       /* requests so far */
    uint64_t base;      /* events up to this one were compacted away; 0: none */
    size_t items;       /* of its snapshot: each says "hello" */
    size_t item_page;   /* of them in a reply at most */
    const char *item;   /* what they say; NULL: "hello" */
};

void fake_producer_start(struct fake_producer *self);
void fake_producer_stop(struct fake_producer *self);

/* Appends an event `said` of this text to the log; it is served at once. The producer must not be
 * asked meanwhile. Returns its seq. */
uint64_t fake_producer_say(struct fake_producer *self, const char *text);
/* The same for an event of any name and producer. */
uint64_t fake_producer_emit(struct fake_producer *self, const char *producer,
                            const struct ates_message *message, const char *log_id,
                            const void *data);

/* The envelope at seq, as SUB would bring it. */
struct ates_bytes fake_producer_envelope(const struct fake_producer *self, uint64_t seq);
/* A head announcement, into out. */
void fake_producer_head(const struct fake_producer *self, const char *log_id, uint64_t seq,
                        struct ates_buffer *out);

/* Changes one of the settings while the thread runs. */
#define FAKE_PRODUCER_SET(SELF, MEMBER, VALUE)                                                     \
    do {                                                                                           \
        pthread_mutex_lock(&(SELF)->mutex);                                                        \
        (SELF)->MEMBER = (VALUE);                                                                  \
        pthread_mutex_unlock(&(SELF)->mutex);                                                      \
    } while (0)
size_t fake_producer_asked(struct fake_producer *self);

#endif
