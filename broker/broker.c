/* The broker: an actor that carries events from an XSUB to an XPUB socket, and subscriptions back.
 * Invariant: one broker serves a run folder; whoever can publish can enter RUN/private, or has a key
 * that lies in allow/publish at this moment.
 *
 * CZMQ's zproxy would do the carrying, but makes its sockets itself: without most of their options
 * (core/socket.c), with CURVE for all of their endpoints or none, and blind to whom a message is
 * from. */
#include "broker/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/actor.h"
#include "core/allow.h"
#include "core/catalogue.h"
#include "core/curve.h"
#include "core/endpoint.h"
#include "core/socket.h"
#include "core/warden.h"

#define RUN_MODE 0750
#define PRIVATE_MODE 0700
#define TURN_MESSAGES 1000u /* of a side, before the other has its turn */
#define PUBLISH_FILE "private/publish"
#define LOOK_MS 100 /* how often it is looked whether a key was revoked */

/* A socket, its tcp address (empty: none), and who may connect there. */
struct side {
    const char *kind;
    void *socket;
    char bound[ATES_ADDRESS_SIZE];
    bool is_bound;
    struct ates_allow *allowed;
    uint64_t revoked; /* as far as it was dealt with */
};

struct broker {
    struct side publish, events;
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

/* Opens a socket, on ipc and where it is configured on tcp. */
static int open_side(struct side *side, const struct ates_config *config, int type,
                     const char *file, char *error, size_t size)
{
    char endpoint[256], folder[sizeof config->curve_folder + 16];
    int r = 0;

    ates_endpoint(config->run_dir, file, endpoint, sizeof endpoint); /* the longest one fitted */
    ates_curve_folder(config, folder, sizeof folder);
    strncat(folder, "/allow", sizeof folder - strlen(folder) - 1);
    side->allowed = ates_allow_new(folder, side->kind);
    side->socket = ates_socket_open(zsys_init(), type);
    r = side->allowed == NULL  ? -ENOMEM
        : side->socket == NULL ? -errno
                               : ates_socket_bind(side->socket, endpoint);
    r = r == 0 && type == ZMQ_XPUB ? ates_warden_watch(endpoint) : r; /* what strangers reach */
    if (r != 0) {
        return fail(r, error, size, "cannot bind %s", endpoint);
    }
    r = ates_curve_bind(config, side->kind, side->kind, side->socket, side->bound, error, size);
    if (config->insecure_tcp != 0) {
        side->bound[0] = '\0'; /* there is nobody to cut off */
    }
    side->is_bound = true;
    return r;
}

/* Cuts off whoever is connected over tcp once a key is gone: libzmq can end all connections of an address, but none by
 * its key. Who is allowed connects again at once, and reads what it missed. */
static void look_for_revoked(struct side *side)
{
    if (side->bound[0] == '\0') {
        return;
    }
    const uint64_t revoked = ates_allow_revoked(side->allowed);
    if (revoked != side->revoked && side->is_bound) {
        side->revoked = revoked;
        side->is_bound = zmq_unbind(side->socket, side->bound) != 0;
        ates_say(ATES_SAY_KEY_REVOKED, side->kind, NULL,
                 "a key was revoked: everybody connects to %s anew", side->bound);
    }
    if (!side->is_bound) {
        /* The address is free some moments after it was given up. */
        side->is_bound = zmq_bind(side->socket, side->bound) == 0;
    }
}

/* Whether a message's sender may still send; what came over ipc is from whom the folder lets in. */
static bool may_send(struct side *from, zmq_msg_t *message)
{
    const char *key = zmq_msg_gets(message, "User-Id");

    return key == NULL || ates_allow_has(from->allowed, key);
}

/* Carries one message of any number of frames; false where none is there. */
static bool carry(struct side *from, struct side *to)
{
    bool more = true, passes = true, is_first = true;

    while (more) {
        zmq_msg_t frame;

        zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, from->socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&frame);
            return !is_first;
        }
        more = zmq_msg_more(&frame);
        passes = is_first ? may_send(from, &frame) : passes;
        is_first = false;
        /* Neither side ever waits: what a peer cannot take is dropped, as it reads what it missed. */
        if (!passes || zmq_msg_send(&frame, to->socket, more ? ZMQ_SNDMORE : 0) < 0) {
            zmq_msg_close(&frame);
        }
    }
    return true;
}

static void free_broker(struct broker *self)
{
    struct side *const sides[] = {&self->publish, &self->events};

    for (size_t i = 0; i < 2; i++) {
        if (sides[i]->socket != NULL) {
            zmq_close(sides[i]->socket);
        }
        ates_allow_free(&sides[i]->allowed);
    }
    if (self->private_dir >= 0) {
        close(self->private_dir);
    }
    free(self);
}

static void run_broker(zsock_t *pipe, void *args)
{
    struct broker *self = args;
    struct side *const publish = &self->publish, *const events = &self->events;
    const bool looks = publish->bound[0] != '\0' || events->bound[0] != '\0';
    zmq_pollitem_t items[] = {{zsock_resolve(pipe), 0, ZMQ_POLLIN, 0},
                              {publish->socket, 0, ZMQ_POLLIN, 0},
                              {events->socket, 0, ZMQ_POLLIN, 0}};
    int64_t look_ms = 0;
    bool goes_on = true;

    zsock_signal(pipe, 0);
    while (goes_on) {
        const int got = zmq_poll(items, 3, looks ? LOOK_MS : -1);

        goes_on = got >= 0 || errno == EINTR;
        for (unsigned n = 0; got > 0 && n < TURN_MESSAGES && carry(publish, events); n++) {
        }
        for (unsigned n = 0; got > 0 && n < TURN_MESSAGES && carry(events, publish); n++) {
        }
        if (looks && zclock_mono() >= look_ms) {
            look_for_revoked(publish);
            look_for_revoked(events);
            look_ms = zclock_mono() + LOOK_MS;
        }
        if (got > 0 && (items[0].revents & ZMQ_POLLIN)) {
            goes_on = !ates_actor_hears_stop(pipe);
        }
    }
    free_broker(self);
}

int ates_broker_start(const struct ates_config *config, zactor_t **broker, char *error, size_t size)
{
    struct broker *self = calloc(1, sizeof *self);
    if (!self) {
        return fail(-ENOMEM, error, size, "broker");
    }
    *self = (struct broker){.publish = {.kind = "publish"}, .events = {.kind = "events"}};
    self->private_dir = -1;
    char endpoint[256];
    int r = ates_endpoint(config->run_dir, PUBLISH_FILE, endpoint, sizeof endpoint);
    if (r != 0) {
        fail(r, error, size, "run folder %s", config->run_dir);
    } else {
        r = open_folders(config->run_dir, &self->private_dir, error, size);
    }
    if (r == 0) {
        r = open_side(&self->events, config, ZMQ_XPUB, "events", error, size);
    }
    if (r == 0) {
        r = open_side(&self->publish, config, ZMQ_XSUB, PUBLISH_FILE, error, size);
    }
    if (r != 0) {
        free_broker(self);
        return r;
    }
    *broker = zactor_new(run_broker, self);
    return 0;
}
