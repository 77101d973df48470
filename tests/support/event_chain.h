/* An independent reader of a service's log, written from PROTOCOL.md sections 1 and 3 alone: it
 * shares no code with the services (msgpack-c and libsodium instead), so that what both agree on is
 * the text.
 *
 * Invariant: envelopes are accepted in order only, seq 1, 2, 3 ... of one producer and one log_id,
 * each holding the hash of the one before. */
#ifndef ATES_TEST_EVENT_CHAIN_H
#define ATES_TEST_EVENT_CHAIN_H

#include <stddef.h>
#include <stdint.h>

struct event_chain {
    char producer[32];
    char log_id[40];
    uint64_t seq;     /* of the last envelope taken, 0 before the first */
    int64_t time;     /* its event_time */
    uint8_t hash[32]; /* of its bytes */
};

/* An empty chain: the log of this producer whose id is log_id. */
void event_chain_begin(struct event_chain *chain, const char *producer, const char *log_id);

/* Takes the next envelope. Returns NULL, or what is wrong with it, the chain unchanged. */
const char *event_chain_take(struct event_chain *chain, const void *envelope, size_t size);

#endif
