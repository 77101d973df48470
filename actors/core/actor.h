/* An actor: one domain's engine behind its sockets, on a thread of its own (a zactor). */
#ifndef ATES_ACTOR_H
#define ATES_ACTOR_H

#include <czmq.h>

#include "core/domain.h"

struct ates_actor;

/* Opens the data, the keys and the sockets of a domain's service. Everything that can fail for the
 * operator's reasons fails here: 0, or -errno with one line in error. */
int ates_actor_open(struct ates_actor **actor, const struct ates_domain *domain,
                    const struct ates_config *config, char *error, size_t error_size);

/* Starts the thread. It replays what state lacks, serves, and then sends "READY" on its pipe;
 * "FAILED" is its last message where it had to stop by itself. It answers "PING" with "PONG"
 * between two batches. */
int ates_actor_start(struct ates_actor *actor);

/* The pipe to the thread, for polling. */
zactor_t *ates_actor_pipe(struct ates_actor *actor);

const char *ates_actor_name(const struct ates_actor *actor);

/* For the thread's own side of a pipe: takes one word, and answers "PING". Whether it is to stop. */
bool ates_actor_hears_stop(zsock_t *pipe);

/* Stops taking in, commits, replies, and ends the thread; frees all. */
void ates_actor_close(struct ates_actor **actor);

#endif
