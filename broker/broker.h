/* The event broker: forwards what services publish to whoever has subscribed. It keeps nothing; a
 * follower that missed an event reads it from the producer's log (PROTOCOL.md section 3). */
#ifndef ATES_BROKER_H
#define ATES_BROKER_H

#include <stddef.h>

#include <czmq.h>

/* Starts the broker: publishers connect PUB to RUN/private/publish.sock, subscribers connect SUB to
 * RUN/events.sock. Makes the folders RUN (mode 0750) and RUN/private (0700) or corrects their
 * modes. Called in the main thread: it sets CZMQ's process-wide queue and linger defaults.
 *
 * The actor answers "PING" with "PONG" as soon as the proxy behind it has turned round once; it
 * ends on
 * "$TERM", so zactor_destroy stops it, or with a signal instead of a PONG where the proxy has died.
 *
 * Returns 0; -ENAMETOOLONG, -EADDRINUSE (another broker serves run_dir) or another -errno, with one
 * line in error (size bytes) that says what failed. */
int ates_broker_start(const char *run_dir, zactor_t **broker, char *error, size_t size);

#endif
