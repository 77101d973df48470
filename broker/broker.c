/* The broker is CZMQ's zproxy between an XSUB and an XPUB socket, within an actor that can be asked
 * for a sign of life. Invariant: one broker serves a run folder, whoever can publish can enter
 * RUN/private.
 *
 * zproxy makes its sockets itself and asserts that binding worked. Everything that can fail is
 * therefore tried before: the folders, the paths' lengths, and binding itself, with sockets of a
 * context of their own that is gone before zproxy binds. Queue limits and linger reach zproxy's
 * sockets through CZMQ's process-wide defaults. The rest of the options (core/socket.c) can't: of
 * those only ZMQ_MAXMSGSIZE matters on a local socket, and who gets through the folders' modes is
 * trusted not to send frames whose only use would be to fill the memory. */
#include "broker/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/endpoint.h"
#include "core/socket.h"
#include "core/warden.h"

#define RUN_MODE 0750
#define PRIVATE_MODE 0700

struct broker {
    char publish[256]; /* endpoints */
    char events[256];
    zactor_t *proxy;
    int private_dir; /* locked while the broker lives */
};

__attribute__((format(printf, 4, 5))) static int fail(int fault, char *error, size_t size,
                                                      const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(error, size, format, arguments);
    va_end(arguments);
    if (length >= 0 && (size_t)length < size) {
        snprintf(error + length, size - (size_t)length, ": %s", strerror(-fault));
    }
    return fault;
}

/* Opens the folder name below parent, made if missing, with exactly these permissions. */
static int open_folder(int parent, const char *name, mode_t mode, int flags, int *folder)
{
    struct stat status;
    int r = 0;

    if (mkdirat(parent, name, mode) != 0 && errno != EEXIST) {
        return -errno;
    }
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
    if (fd < 0) {
        return -errno;
    }
    if (fstat(fd, &status) != 0 || ((status.st_mode & 0777) != mode && fchmod(fd, mode) != 0)) {
        r = -errno;
        close(fd);
        return r;
    }
    *folder = fd;
    return r;
}

/* Makes both folders and locks the private one: libzmq would silently take the socket's path away
 * from a broker that runs already. */
static int open_folders(const char *run_dir, int *private_dir, char *error, size_t size)
{
    int run;
    int private;

    int r = open_folder(AT_FDCWD, run_dir, RUN_MODE, 0, &run);
    if (r != 0) {
        return fail(r, error, size, "run folder %s", run_dir);
    }
    r = open_folder(run, "private", PRIVATE_MODE, O_NOFOLLOW, &private);
    close(run);
    if (r != 0) {
        return fail(r, error, size, "publishers' folder %s/private", run_dir);
    }
    if (flock(private, LOCK_EX | LOCK_NB) != 0) {
        r = errno == EWOULDBLOCK
                ? fail(-EADDRINUSE, error, size, "another broker serves %s", run_dir)
                : fail(-errno, error, size, "cannot lock %s/private", run_dir);
        close(private);
        return r;
    }
    *private_dir = private;
    return 0;
}

/* Whether a socket can be bound there. Ending the context waits until it is unbound again. */
static int try_bind(int type, const char *endpoint, char *error, size_t size)
{
    int r = -ENOMEM;

    void *context = zmq_ctx_new();
    void *socket = context ? ates_socket_open(context, type) : NULL;
    if (socket) {
        r = ates_socket_bind(socket, endpoint);
        zmq_close(socket);
    }
    if (context) {
        zmq_ctx_term(context);
    }
    return r == 0 ? 0 : fail(r, error, size, "cannot bind %s", endpoint);
}

static void attach(zactor_t *proxy, const char *side, const char *type, const char *endpoint)
{
    zstr_sendx(proxy, side, type, endpoint, NULL);
    zsock_wait(proxy);
}

static int start_proxy(struct broker *self, char *error, size_t size)
{
    int r = try_bind(ZMQ_XPUB, self->events, error, size);
    if (r == 0) {
        r = try_bind(ZMQ_XSUB, self->publish, error, size);
    }
    if (r != 0) {
        return r;
    }
    zsys_set_sndhwm(ATES_SOCKET_HWM);
    zsys_set_rcvhwm(ATES_SOCKET_HWM);
    zsys_set_linger(ATES_SOCKET_LINGER_MS);
    self->proxy = zactor_new(zproxy, NULL);
    attach(self->proxy, "FRONTEND", "XSUB", self->publish);
    attach(self->proxy, "BACKEND", "XPUB", self->events);
    r = ates_socket_share(self->events);
    r = r == 0 ? ates_warden_watch(self->events) : r;
    return r == 0 ? 0 : fail(r, error, size, "cannot share %s", self->events);
}

/* Returns whether the broker goes on. A ping is passed on to zproxy as "RESUME", which it answers
 * with a signal after polling its sockets anew; nothing else changes where it wasn't paused. */
static bool handle_command(struct broker *self, zsock_t *pipe, size_t *pings)
{
    char *command = zstr_recv(pipe);
    bool goes_on = command && strcmp(command, "$TERM") != 0;

    if (goes_on && strcmp(command, "PING") == 0) {
        zstr_send(self->proxy, "RESUME");
        (*pings)++;
    }
    zstr_free(&command);
    return goes_on;
}

/* Returns whether the proxy lives: the signal that nobody asked for is its thread's last. */
static bool handle_proxy(struct broker *self, zsock_t *pipe, size_t *pings)
{
    if (zsock_wait(self->proxy) != 0 || *pings == 0) {
        return false;
    }
    (*pings)--;
    return zstr_send(pipe, "PONG") == 0;
}

static void free_broker(struct broker *self)
{
    zactor_destroy(&self->proxy);
    if (self->private_dir >= 0) {
        close(self->private_dir);
    }
    free(self);
}

static void run_broker(zsock_t *pipe, void *args)
{
    struct broker *self = args;
    size_t pings = 0;
    bool goes_on = true;

    zpoller_t *poller = zpoller_new(pipe, self->proxy, NULL);
    assert(poller);
    zpoller_set_nonstop(poller, true);
    zsock_signal(pipe, 0);
    while (goes_on) {
        void *ready = zpoller_wait(poller, -1);
        if (ready == pipe) {
            goes_on = handle_command(self, pipe, &pings);
        } else if (ready == self->proxy) {
            goes_on = handle_proxy(self, pipe, &pings);
        } else {
            goes_on = !zpoller_terminated(poller);
        }
    }
    zpoller_destroy(&poller);
    free_broker(self);
}

int ates_broker_start(const char *run_dir, zactor_t **broker, char *error, size_t size)
{
    struct broker *self = calloc(1, sizeof *self);
    if (!self) {
        return fail(-ENOMEM, error, size, "broker");
    }
    self->private_dir = -1;
    int r = ates_endpoint(run_dir, "events", self->events, sizeof self->events);
    if (r == 0) {
        r = ates_endpoint(run_dir, "private/publish", self->publish, sizeof self->publish);
    }
    if (r != 0) {
        fail(r, error, size, "run folder %s", run_dir);
    } else {
        r = open_folders(run_dir, &self->private_dir, error, size);
    }
    if (r == 0) {
        r = start_proxy(self, error, size);
    }
    if (r != 0) {
        free_broker(self);
        return r;
    }
    *broker = zactor_new(run_broker, self);
    return 0;
}
