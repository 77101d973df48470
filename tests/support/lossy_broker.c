/* A broker that loses: takes the place of `atesd broker` below a run folder and drops, repeats and
 * reorders what is published, as its arguments and seed say. Subscriptions pass untouched.
 *
 *   lossy_broker RUN DROP REPEAT REORDER SEED      the three in permille of the messages */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <zmq.h>

#include "core/endpoint.h"
#include "core/socket.h"
#include "support/seed.h"

#define FRAMES 2 /* of an event: topic and envelope */
#define HELD_MAX 64u

struct message {
    zmq_msg_t frames[FRAMES];
};

struct lossy {
    void *publishers, *subscribers; /* XSUB, XPUB */
    uint64_t drop, repeat, reorder, seed;
    struct message held[HELD_MAX]; /* to go out behind later ones */
    size_t held_count;
};

static int fail(const char *what)
{
    fprintf(stderr, "lossy_broker: %s: %s\n", what, zmq_strerror(errno));
    return EXIT_FAILURE;
}

static void *bind_to(void *context, int type, const char *run_dir, const char *name)
{
    char endpoint[256];

    if (ates_endpoint(run_dir, name, endpoint, sizeof endpoint) != 0) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    void *socket = ates_socket_open(context, type);
    return socket != NULL && ates_socket_bind(socket, endpoint) == 0 ? socket : NULL;
}

static bool drawn(struct lossy *self, uint64_t permille)
{
    return seed_draw(&self->seed, 1000) < permille;
}

static void send_message(struct lossy *self, struct message *message)
{
    for (int i = 0; i < FRAMES; i++) {
        zmq_msg_send(&message->frames[i], self->subscribers, i + 1 < FRAMES ? ZMQ_SNDMORE : 0);
    }
}

static void send_copy(struct lossy *self, struct message *message)
{
    struct message copy;

    for (int i = 0; i < FRAMES; i++) {
        zmq_msg_init(&copy.frames[i]);
        zmq_msg_copy(&copy.frames[i], &message->frames[i]);
    }
    send_message(self, &copy);
}

/* One of the held ones, drawn, at a time: they leave in another order than they came. */
static void release(struct lossy *self)
{
    const size_t i = (size_t)seed_draw(&self->seed, self->held_count);

    send_message(self, &self->held[i]);
    self->held[i] = self->held[--self->held_count];
}

static void pass(struct lossy *self, struct message *message)
{
    if (drawn(self, self->drop)) {
        for (int i = 0; i < FRAMES; i++) {
            zmq_msg_close(&message->frames[i]);
        }
        return;
    }
    if (drawn(self, self->repeat)) {
        send_copy(self, message);
    }
    if (drawn(self, self->reorder)) {
        self->held[self->held_count++] = *message;
        if (self->held_count == HELD_MAX) {
            release(self);
        }
        return;
    }
    send_message(self, message);
    if (self->held_count > 0) {
        release(self);
    }
}

/* The next event, whole. */
static bool receive(void *socket, struct message *message)
{
    int i = 0;
    bool more = true;

    while (more && i < FRAMES) {
        zmq_msg_init(&message->frames[i]);
        if (zmq_msg_recv(&message->frames[i], socket, i == 0 ? ZMQ_DONTWAIT : 0) < 0) {
            return false;
        }
        more = zmq_msg_more(&message->frames[i++]);
    }
    return i == FRAMES && !more;
}

static void pass_subscriptions(struct lossy *self)
{
    zmq_msg_t subscription;

    zmq_msg_init(&subscription);
    while (zmq_msg_recv(&subscription, self->subscribers, ZMQ_DONTWAIT) >= 0) {
        zmq_msg_send(&subscription, self->publishers, 0);
        zmq_msg_init(&subscription);
    }
    zmq_msg_close(&subscription);
}

int main(int argc, char **argv)
{
    char folder[256];
    struct message message;

    if (argc != 6) {
        fputs("usage: lossy_broker RUN DROP REPEAT REORDER SEED\n", stderr);
        return 2;
    }
    struct lossy self = {.drop = strtoull(argv[2], NULL, 10),
                         .repeat = strtoull(argv[3], NULL, 10),
                         .reorder = strtoull(argv[4], NULL, 10),
                         .seed = strtoull(argv[5], NULL, 10)};
    snprintf(folder, sizeof folder, "%s/private", argv[1]);
    if ((mkdir(argv[1], 0750) != 0 && errno != EEXIST) ||
        (mkdir(folder, 0700) != 0 && errno != EEXIST)) {
        return fail(folder);
    }
    void *context = zmq_ctx_new();
    self.publishers = bind_to(context, ZMQ_XSUB, argv[1], "private/publish");
    self.subscribers = bind_to(context, ZMQ_XPUB, argv[1], "events");
    if (self.publishers == NULL || self.subscribers == NULL) {
        return fail(argv[1]);
    }
    for (;;) {
        zmq_pollitem_t items[] = {{self.publishers, 0, ZMQ_POLLIN, 0},
                                  {self.subscribers, 0, ZMQ_POLLIN, 0}};

        zmq_poll(items, 2, -1);
        pass_subscriptions(&self);
        while (receive(self.publishers, &message)) {
            pass(&self, &message);
        }
    }
}
