/* The bare gateway; see bare_web.h. */
#include "bare_web.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "bench.h"

static void *dealer;
static struct MHD_Response *response;

/* Sends every message back to where it came from. */
static void *serve_echo(void *router)
{
    for (;;) {
        zmq_msg_t frame;

        zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, router, 0) < 0) {
            return NULL;
        }
        zmq_msg_send(&frame, router, zmq_msg_more(&frame) ? ZMQ_SNDMORE : 0);
    }
}

/* Called with the head, then with the whole request: that one goes to the echo. */
static enum MHD_Result take_request(void *context, struct MHD_Connection *connection,
                                    const char *url, const char *method, const char *version,
                                    const char *data, size_t *size, void **state)
{
    static int seen;

    (void)context;
    (void)method;
    (void)version;
    (void)data;
    (void)size;
    if (*state == NULL) {
        *state = &seen;
        return MHD_YES;
    }
    MHD_suspend_connection(connection);
    zmq_send(dealer, &connection, sizeof connection, ZMQ_SNDMORE);
    zmq_send(dealer, url, strlen(url), 0);
    return MHD_YES;
}

static void take_replies(void)
{
    struct MHD_Connection *connection;
    char rest[256];

    while (zmq_recv(dealer, &connection, sizeof connection, ZMQ_DONTWAIT) ==
           (int)sizeof connection) {
        zmq_recv(dealer, rest, sizeof rest, 0);
        MHD_queue_response(connection, MHD_HTTP_OK, response);
        MHD_resume_connection(connection);
    }
}

static struct MHD_Daemon *start(int descriptor)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_TURBO | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, take_request, NULL,
        MHD_OPTION_SOCK_ADDR, (const struct sockaddr *)&address, MHD_OPTION_END);

    bench_must(daemon != NULL, "MHD_start_daemon");
    const int port = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    bench_must(write(descriptor, &port, sizeof port) == (ssize_t)sizeof port, "write");
    return daemon;
}

void bare_web_serve(const char *endpoint, size_t body_size, int descriptor)
{
    void *context = zmq_ctx_new();
    pthread_t thread;

    char *body = calloc(1, body_size + 1);
    bench_must(body != NULL, "memory");
    memset(body, 'x', body_size);
    response = MHD_create_response_from_buffer(body_size, body, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(response, "Content-Type", "application/json");
    void *router = zmq_socket(context, ZMQ_ROUTER);
    bench_must(zmq_bind(router, endpoint) == 0, "bind");
    bench_must(pthread_create(&thread, NULL, serve_echo, router) == 0, "thread");
    dealer = zmq_socket(context, ZMQ_DEALER);
    bench_must(zmq_connect(dealer, endpoint) == 0, "connect");
    struct MHD_Daemon *daemon = start(descriptor);
    zmq_pollitem_t items[] = {
        {.socket = dealer, .events = ZMQ_POLLIN},
        {.fd = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
         .events = ZMQ_POLLIN}};
    for (;;) {
        MHD_UNSIGNED_LONG_LONG left;

        zmq_poll(items, 2, -1);
        take_replies();
        do {
            MHD_run(daemon);
        } while (MHD_get_timeout(daemon, &left) == MHD_YES && left == 0);
    }
}
