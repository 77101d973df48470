/* The event broker: forwards what services publish to whoever has subscribed. It keeps nothing; a
 * follower that missed an event reads it from the producer's log (PROTOCOL.md section 3). */
#ifndef ATES_BROKER_H
#define ATES_BROKER_H

#include <stddef.h>

#include <czmq.h>

#include "core/config.h"

/* Starts the broker: publishers connect PUB to RUN/private/publish.sock, subscribers connect SUB to
 * RUN/events.sock, or both over tcp where the configuration has listen/publish and listen/events.
 * Makes the folders RUN (mode 0750) and RUN/private (0700) or corrects their modes.
 *
 * The actor answers "PING" with "PONG" between two turns; it ends on "$TERM", so zactor_destroy stops
 * it.
 *
 * Returns 0; -ENAMETOOLONG, -EADDRINUSE (another broker serves run_dir) or another -errno, with one
 * line in error (size bytes) that says what failed. */
int ates_broker_start(const struct ates_config *config, zactor_t **broker, char *error,
                      size_t size);

#endif
