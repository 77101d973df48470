/* The server's life and clock. Everything happens inside web_server_advance, on the caller's thread.
 *
 * Invariant: a connection without a deadline is one that waits for us, never one that we wait for.
 *
 * What a client sees at each limit:
 * - too many connections in all, or of its address: it is accepted and closed at once;
 * - no descriptor left: it waits in the system's queue until a connection ends;
 * - a head that does not fit into the connection's memory: 431 (its first line alone: 414), by the
 *   library, and the connection ends;
 * - a body that is larger than WEB_BODY_MAX: 413; see web_connection.c;
 * - bodies that are larger than all may be together: 503 with Retry-After;
 * - a head, body or answer that takes too long: the connection ends. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/journal.h"
#include "web/web_listen.h"
#include "web/web_server_private.h"

#define SECOND_US INT64_C(1000000)
#define MEBIBYTE ((size_t)1024 * 1024)

/* Of a connection's memory the library takes the head, and then the answer's head; what is left
 * is the buffer of bodies and streams. */
#define CONNECTION_MEMORY ((size_t)16 * 1024)
/* Connections beyond the limit that only this machine may open: so that an operator, or whoever
 * asks for health and metrics from here, gets in when clients have taken all others. */
#define LOCAL_RESERVE 16u
/* Of the process's descriptors connections leave half to its other parts, and so many at least: all
 * services in one process have 185 before anybody asks them for anything. */
#define DESCRIPTORS_KEPT 384u
#define CONNECTIONS_MIN 8u /* where there are few more */
/* Turns of the library within one advance: an answer takes three. Whoever sends requests without a
 * pause gets more with the next advance, after the services had theirs. */
#define TURNS_MAX 8

static const struct web_limits limits = {
    .first_head_us = 15 * SECOND_US,
    .next_head_us = 75 * SECOND_US,
    .body_us = 30 * SECOND_US,
    .answer_us = 60 * SECOND_US,
    .sweep_us = SECOND_US,
    .bodies_size = 64 * MEBIBYTE,
    .peer_size = 16 * MEBIBYTE,
};

struct web_limits *web_server_limits(struct web_server *server)
{
    return &server->limits;
}

uint64_t web_server_connections_max(const struct web_server *self)
{
    const uint64_t wanted = (uint64_t)self->web->config.web_connections;

    return wanted < self->descriptors ? wanted : self->descriptors;
}

/* libzmq ends a process whose sockets find no descriptor left, and that is not for whoever opens
 * connections to bring about. */
static void share_descriptors(struct web_server *self)
{
    struct rlimit limit;

    self->descriptors = UINT64_MAX;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return;
    }
    const uint64_t half = limit.rlim_cur / 2;
    const uint64_t kept = half > DESCRIPTORS_KEPT ? half : DESCRIPTORS_KEPT;
    self->descriptors =
        limit.rlim_cur > kept + CONNECTIONS_MIN ? limit.rlim_cur - kept : CONNECTIONS_MIN;
    if (self->descriptors < (uint64_t)self->web->config.web_connections) {
        ates_journal(ATES_WARNING, "web", NULL,
                     "web/connections is %lld, but %llu are taken at most, as the process may have "
                     "%llu open files; try: LimitNOFILE= or ulimit -n",
                     (long long)self->web->config.web_connections,
                     (unsigned long long)self->descriptors, (unsigned long long)limit.rlim_cur);
    }
}

static int start(struct web_server *self, int listening)
{
    share_descriptors(self);
    self->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_TURBO | MHD_ALLOW_SUSPEND_RESUME, 0, web_on_accept, self,
        web_on_request, self, MHD_OPTION_LISTEN_SOCKET, listening, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)web_server_connections_max(self) + LOCAL_RESERVE,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, 0u,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION, web_on_connection, self,
        MHD_OPTION_NOTIFY_COMPLETED, web_on_completed, self, MHD_OPTION_URI_LOG_CALLBACK,
        web_on_target, self, MHD_OPTION_UNESCAPE_CALLBACK, web_on_unescape, self, MHD_OPTION_END);
    if (self->daemon == NULL) {
        return errno != 0 ? -errno : -ENOMEM;
    }
    self->descriptor = MHD_get_daemon_info(self->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    return 0;
}

int web_server_open(struct web_server **server, struct ates_web *web, char *address_text,
                    size_t address_size, char *error, size_t error_size)
{
    const int listening =
        web_listen(web->config.web_listen, address_text, address_size, error, error_size);

    if (listening < 0) {
        return listening;
    }
    struct web_server *self = calloc(1, sizeof *self);
    int r = -ENOMEM;
    if (self != NULL) {
        self->web = web;
        self->limits = limits;
        self->peers = web_peers_new();
        errno = 0;
        r = self->peers != NULL ? start(self, listening) : -ENOMEM;
    }
    if (r != 0) {
        snprintf(error, error_size, "web/listen: %s: %s", web->config.web_listen, strerror(-r));
        close(listening); /* the library's only once it has started */
        web_server_close(&self);
        return r;
    }
    *server = self;
    return 0;
}

void web_server_quiesce(struct web_server *self)
{
    if (self->is_quiet) {
        return;
    }
    const int listening = MHD_quiesce_daemon(self->daemon);
    if (listening >= 0) {
        close(listening);
    }
    self->is_quiet = true;
}

void web_server_close(struct web_server **server)
{
    struct web_server *self = server != NULL ? *server : NULL;

    if (self == NULL) {
        return;
    }
    if (self->daemon != NULL) {
        /* The library ends the process if it is stopped with suspended connections. */
        for (struct web_connection *c = self->connections; c != NULL; c = c->next) {
            if (c->exchange != NULL && c->exchange->is_suspended) {
                web_exchange_resume(c->exchange);
            }
        }
        MHD_stop_daemon(self->daemon);
    }
    web_exchange_empty_pool(self);
    web_peers_free(&self->peers);
    free(self);
    *server = NULL;
}

int web_server_descriptor(const struct web_server *self)
{
    return self->descriptor;
}

const struct web_server_counts *web_server_counts(const struct web_server *self)
{
    return &self->counts;
}

/* Whether the library has something to do that its descriptor does not show. */
static bool is_busy(const struct web_server *self)
{
    MHD_UNSIGNED_LONG_LONG left;

    /* Without timeouts of its own it knows no other time than now. */
    return self->is_resumed || MHD_get_timeout(self->daemon, &left) == MHD_YES;
}

int64_t web_server_due(const struct web_server *self)
{
    if (is_busy(self)) {
        return self->now_us;
    }
    return self->connections != NULL ? self->sweep_due_us : INT64_MAX;
}

/* Whether we wait for a client that has said its last word. The library does not notice that where
 * the end came together with the bytes before it (as of 0.9.75). */
static bool has_hung_up(const struct web_connection *connection)
{
    const struct web_exchange *exchange = connection->exchange;
    char byte;

    return (exchange == NULL || exchange->phase < WEB_WAITING) &&
           recv(connection->descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Cuts those who are late, and those who are gone: seen twice, as the library may have requests
 * left that came before. It sees the shut-down socket as a client that went away. */
static void sweep(struct web_server *self)
{
    for (struct web_connection *c = self->connections; c != NULL; c = c->next) {
        const bool is_late = c->deadline_us <= self->now_us;
        const bool was_gone = c->is_gone;

        c->is_gone = has_hung_up(c);
        if (!is_late && !(was_gone && c->is_gone)) {
            continue;
        }
        c->deadline_us = INT64_MAX; /* once is enough */
        shutdown(c->descriptor, SHUT_RDWR);
        /* Without a request it was only idle. */
        self->counts.cut_for_slowness += is_late && c->exchange != NULL;
    }
}

void web_server_advance(struct web_server *self, int64_t now_us)
{
    self->now_us = now_us;
    if (now_us >= self->sweep_due_us) {
        sweep(self);
        self->sweep_due_us = now_us + self->limits.sweep_us;
    }
    for (int turn = 0; turn == 0 || (turn < TURNS_MAX && is_busy(self)); turn++) {
        self->is_resumed = false;
        if (MHD_run(self->daemon) != MHD_YES && !self->is_failing) {
            self->is_failing = true;
            ates_journal(ATES_ERROR, "web", NULL, "the HTTP library fails: %s", strerror(errno));
        }
    }
}
