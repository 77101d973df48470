/* ZeroMQ sockets with every option set in one place, before they are bound or connected. */
#ifndef ATES_SOCKET_H
#define ATES_SOCKET_H

#include "core/reach.h"

/* Messages queued in each direction for each peer. A client may have 4096 commands in flight
 * without taking a reply; as libzmq frees room only half a queue at a time, twice that must fit. */
#define ATES_SOCKET_HWM 8192

/* Messages of each connection that a service has not looked at yet. What a client sends beyond waits with
 * the client: a peer that floods must not have all of it read and kept here. */
#define ATES_ROUTER_RCVHWM 256

/* How long replies and events that are still queued keep a closed socket alive. */
#define ATES_SOCKET_LINGER_MS 2000

/* Opens a socket of type (ZMQ_ROUTER, ...) with its options set. Returns NULL with errno as
 * zmq_socket. */
void *ates_socket_open(void *zmq_context, int type);

/* Binds socket to endpoint, and lets the folder's group connect to it (see ates_socket_share).
 * Returns 0 or -errno. */
int ates_socket_bind(void *socket, const char *endpoint);

/* Gives the socket file of a bound ipc endpoint mode 0660: connecting needs the right to write,
 * which the usual umask denies to the group; the folder's mode says who gets that far. Endpoints of
 * other transports are left alone. Returns 0 or -errno. */
int ates_socket_share(const char *endpoint);

/* What socket is bound to from now on is a CURVE server's with this secret key (Z85), and lets in
 * whom the ZAP handler lets into domain: nobody, where there is no handler. What it was bound to
 * before stays as it is. Returns 0 or -errno. */
int ates_socket_serve(void *socket, const char *secret_key, const char *domain);

/* Binds socket to a tcp address; bound gets the one that it has then. Returns 0 or -errno. */
int ates_socket_listen(void *socket, const char *address, char bound[ATES_ADDRESS_SIZE]);

#endif
