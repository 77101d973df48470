/* A stranger at a tcp address: what becomes of his handshake. */
#ifndef ATES_TEST_KNOCK_H
#define ATES_TEST_KNOCK_H

#include <stdbool.h>

#include "core/cert.h"

/* How a socket introduces itself. */
struct knock {
    enum { KNOCK_CURVE, KNOCK_NULL, KNOCK_PLAIN } mechanism;
    const struct ates_cert *own; /* of CURVE */
    const char *server_key;
};

/* Opens a bare socket of this type that will introduce itself so; NULL where a key is none. */
void *knock_open(void *context, int type, const struct knock *how);

/* Connects it, and waits for the first handshake's end. Whether the socket was let in. Fails the test
 * where nothing comes of it within a time longer than ATES's own limit for handshakes. */
bool knock_connect(void *context, void *socket, const char *address);

/* Both, and closes it. */
bool knock(int type, const struct knock *how, const char *address);

#endif
