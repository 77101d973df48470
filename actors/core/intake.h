/* Requests on their way from the ROUTER to the batch, a queue for each peer, so that one that sends
 * more than can be dealt with waits for itself and not before others: libzmq takes turns among
 * connections, of which a peer may open any number; here processes (ipc) or addresses (tcp) take
 * turns. Invariants: a peer's requests keep the order in which they came; what is held is bounded,
 * in all and for each peer. One thread. */
#ifndef ATES_INTAKE_H
#define ATES_INTAKE_H

#include "core/request.h"

#define ATES_INTAKE_PEER_MAX 4096u /* requests of one peer, whatever others do */
#define ATES_INTAKE_PEER_BYTES (16u << 20)
#define ATES_INTAKE_MAX 16384u
#define ATES_INTAKE_BYTES (128u << 20)

struct ates_intake;
struct ates_intake *ates_intake_new(void);
/* What is still held is let go without a reply, as what is still in the socket. */
void ates_intake_free(struct ates_intake **self);

/* Takes the next message off the socket without waiting. Returns 0 with *refused NULL where it is
 * held now, or the request where its peer has too many: to be refused, and valid until the next call. -EAGAIN where
 * there is none. */
int ates_intake_fill(struct ates_intake *self, void *socket, struct ates_request_message **refused);

/* The next request, of the peer whose turn it is; NULL: none is held. Valid until the next call. */
struct ates_request_message *ates_intake_next(struct ates_intake *self);

size_t ates_intake_peers(const struct ates_intake *self); /* that have something held */
size_t ates_intake_held(const struct ates_intake *self);

#endif
