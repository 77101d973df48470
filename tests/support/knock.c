/* Knocking; see knock.h. What happens is heard from libzmq's monitor, so nothing waits by the clock. */
#include "support/knock.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>
#include <zmq.h>

#define PATIENCE_MS 30000
#define LET_IN ZMQ_EVENT_HANDSHAKE_SUCCEEDED
#define KEPT_OUT                                                                                   \
    (ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |                  \
     ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_DISCONNECTED)

static void set_text(void *socket, int option, const char *text)
{
    cr_assert_eq(zmq_setsockopt(socket, option, text, strlen(text)), 0, "%s", text);
}

void *knock_open(void *context, int type, const struct knock *how)
{
    const int nothing = 0;
    void *socket = zmq_socket(context, type);

    cr_assert_not_null(socket);
    zmq_setsockopt(socket, ZMQ_LINGER, &nothing, sizeof nothing);
    if (how->mechanism == KNOCK_PLAIN) {
        set_text(socket, ZMQ_PLAIN_USERNAME, "ada");
        set_text(socket, ZMQ_PLAIN_PASSWORD, "the password of ada");
    } else if (how->mechanism == KNOCK_CURVE) {
        set_text(socket, ZMQ_CURVE_SERVERKEY, how->server_key);
        set_text(socket, ZMQ_CURVE_PUBLICKEY, how->own->public_key);
        set_text(socket, ZMQ_CURVE_SECRETKEY, how->own->secret_key);
    }
    return socket;
}

/* The next event of a monitor. */
static int next_event(void *monitor)
{
    zmq_pollitem_t item = {monitor, 0, ZMQ_POLLIN, 0};
    uint8_t bytes[6] = "";
    uint16_t event;
    int more = 1;
    size_t size = sizeof more;

    cr_assert_eq(zmq_poll(&item, 1, PATIENCE_MS), 1, "no handshake ended");
    cr_assert_eq(zmq_recv(monitor, bytes, sizeof bytes, 0), (int)sizeof bytes);
    zmq_getsockopt(monitor, ZMQ_RCVMORE, &more, &size);
    if (more) {
        zmq_recv(monitor, NULL, 0, 0); /* the address */
    }
    memcpy(&event, bytes, sizeof event);
    return event;
}

bool knock_connect(void *context, void *socket, const char *address)
{
    static unsigned count;
    char name[64];
    int event = 0;

    snprintf(name, sizeof name, "inproc://knock-%u", count++);
    cr_assert_eq(zmq_socket_monitor(socket, name, LET_IN | KEPT_OUT), 0);
    void *monitor = zmq_socket(context, ZMQ_PAIR);
    cr_assert_eq(zmq_connect(monitor, name), 0);
    cr_assert_eq(zmq_connect(socket, address), 0, "%s", address);
    while ((event & (LET_IN | KEPT_OUT)) == 0) {
        event = next_event(monitor);
    }
    zmq_socket_monitor(socket, NULL, 0);
    zmq_close(monitor);
    return (event & LET_IN) != 0;
}

bool knock(int type, const struct knock *how, const char *address)
{
    void *context = zmq_ctx_new();
    void *socket = knock_open(context, type, how);
    const bool is_in = knock_connect(context, socket, address);

    zmq_close(socket);
    zmq_ctx_term(context);
    return is_in;
}
