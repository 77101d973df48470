/* Socket options. Invariant: no socket of this project gets an option anywhere else. */
#include "core/socket.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <zmq.h>

#include <ates/message.h>

/* Of libzmq since 4.3.0, but told of in its header's drafts only. */
#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93
#endif

#define TYPE(TYPE) (1u << (TYPE))
#define EVERY_TYPE (~0u)
/* What they have queued is worth nothing once nobody waits for an answer, or is only received. */
#define ASKING (TYPE(ZMQ_REQ) | TYPE(ZMQ_DEALER) | TYPE(ZMQ_SUB))

static const struct {
    int option;
    int value;
    unsigned types;
} options[] = {
    {ZMQ_SNDHWM, ATES_SOCKET_HWM, EVERY_TYPE},
    {ZMQ_RCVHWM, ATES_SOCKET_HWM, EVERY_TYPE & ~TYPE(ZMQ_ROUTER)},
    {ZMQ_RCVHWM, ATES_ROUTER_RCVHWM, TYPE(ZMQ_ROUTER)},
    {ZMQ_LINGER, ATES_SOCKET_LINGER_MS, EVERY_TYPE & ~ASKING},
    {ZMQ_LINGER, 0, ASKING},
    {ZMQ_HANDSHAKE_IVL, 5000, EVERY_TYPE},
    /* Whoever comes while a hundred wait to be accepted, libzmq's default, waits a second over tcp. */
    {ZMQ_BACKLOG, 4096, EVERY_TYPE},
    /* None: over ipc the kernel tells that a peer is gone, and libzmq 4.3.4 aborts the process when a heartbeat is
     * due on a connection that ended while its input was held up (an assertion on _io_error). */
    {ZMQ_HEARTBEAT_IVL, 0, EVERY_TYPE},
    /* Over tcp a peer that went without a word is found by the kernel: within two minutes where the
     * connection is idle, after half a minute where something was sent. */
    {ZMQ_TCP_KEEPALIVE, 1, EVERY_TYPE},
    {ZMQ_TCP_KEEPALIVE_IDLE, 60, EVERY_TYPE},
    {ZMQ_TCP_KEEPALIVE_INTVL, 10, EVERY_TYPE},
    {ZMQ_TCP_KEEPALIVE_CNT, 6, EVERY_TYPE},
    {ZMQ_TCP_MAXRT, 30000, EVERY_TYPE},
    {ZMQ_IPV6, 0, EVERY_TYPE}, /* but where an address is one */
    {ZMQ_RECONNECT_IVL, 20, EVERY_TYPE},
    {ZMQ_RECONNECT_IVL_MAX, 1000, EVERY_TYPE},
    /* A call is sent only to a service that is there: otherwise its retries would queue up, to be
     * done long after the caller has given up. */
    {ZMQ_IMMEDIATE, 1, TYPE(ZMQ_REQ)},
    /* The others may start in any order. A DEALER's user counts what is in flight itself. */
    {ZMQ_IMMEDIATE, 0, EVERY_TYPE & ~TYPE(ZMQ_REQ)},
    /* A reply to a peer that is gone or full is an error to see, not one to hide. */
    {ZMQ_ROUTER_MANDATORY, 1, TYPE(ZMQ_ROUTER)},
    /* A retry may follow a lost reply, and a late reply never answers the next call. */
    {ZMQ_REQ_RELAXED, 1, TYPE(ZMQ_REQ)},
    {ZMQ_REQ_CORRELATE, 1, TYPE(ZMQ_REQ)},
};

void *ates_socket_open(void *zmq_context, int type)
{
    const int64_t frame_max = ATES_FRAME_MAX;

    void *socket = zmq_socket(zmq_context, type);
    if (!socket) {
        return NULL;
    }
    int r = zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &frame_max, sizeof frame_max);
    for (size_t i = 0; r == 0 && i < sizeof options / sizeof options[0]; i++) {
        if (options[i].types & TYPE(type)) {
            r = zmq_setsockopt(socket, options[i].option, &options[i].value, sizeof(int));
        }
    }
    if (r != 0) {
        /* A context that is ending refuses any call; anything else is a wrong table. */
        assert(errno == ETERM);
        zmq_close(socket);
        errno = ETERM;
        return NULL;
    }
    return socket;
}

int ates_socket_share(const char *endpoint)
{
    static const char scheme[] = "ipc://";
    const size_t length = sizeof scheme - 1;

    if (strncmp(endpoint, scheme, length) != 0) {
        return 0;
    }
    return chmod(endpoint + length, 0660) == 0 ? 0 : -errno;
}

int ates_socket_bind(void *socket, const char *endpoint)
{
    if (zmq_bind(socket, endpoint) != 0) {
        return -errno;
    }
    return ates_socket_share(endpoint);
}

int ates_socket_serve(void *socket, const char *secret_key, const char *domain)
{
    const int yes = 1;

    return zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &yes, sizeof yes) == 0 &&
                   zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, secret_key, ATES_CURVE_KEY_SIZE) ==
                       0 &&
                   zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, domain, strlen(domain)) == 0 &&
                   /* Without it a handler that is gone would let everybody in. */
                   zmq_setsockopt(socket, ZMQ_ZAP_ENFORCE_DOMAIN, &yes, sizeof yes) == 0
               ? 0
               : -errno;
}

int ates_socket_listen(void *socket, const char *address, char bound[ATES_ADDRESS_SIZE])
{
    const int is_6 = strncmp(address, "tcp://[", 7) == 0;
    size_t size = ATES_ADDRESS_SIZE;

    return zmq_setsockopt(socket, ZMQ_IPV6, &is_6, sizeof is_6) == 0 &&
                   zmq_bind(socket, address) == 0 &&
                   zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound, &size) == 0
               ? 0
               : -errno;
}
