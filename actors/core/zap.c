/* The ZAP handler; see zap.h. Invariant: whatever is asked is answered, and the answer is 200 only
 * where a CURVE client proved a key which lies in its domain's folder at this moment. */
#include "core/zap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ates/message.h>

#include "core/actor.h"
#include "core/allow.h"
#include "core/catalogue.h"
#include "core/curve.h"
#include "core/random.h"
#include "core/socket.h"

#define VERSION "1.0"
#define KINDS_MAX 4u
#define KEY_BYTES 32u
#define REQUEST_ID_MAX 255u
#define SAY_INTERVAL_US 1000000

/* A request's frames; one of another mechanism may have one more. */
enum { F_VERSION, F_REQUEST_ID, F_DOMAIN, F_ADDRESS, F_IDENTITY, F_MECHANISM, F_KEY, F_COUNT };
#define FRAMES_MAX (F_COUNT + 1)

struct zap {
    void *socket;
    struct ates_allow *lists[KINDS_MAX]; /* in the order of ates_curve_kinds */
    int64_t said_us;
    int64_t left_out; /* refusals that were not said */
};

struct frames {
    zmq_msg_t held[FRAMES_MAX];
    unsigned count, held_count;
};

struct answer {
    const char *code, *text;
    char user_id[ATES_CURVE_KEY_SIZE];
};

static void free_zap(struct zap *self)
{
    if (self->socket != NULL) {
        zmq_unbind(self->socket, ATES_ZAP_ENDPOINT); /* closing would do so some time later */
        zmq_close(self->socket);
    }
    for (size_t i = 0; i < KINDS_MAX; i++) {
        ates_allow_free(&self->lists[i]);
    }
    free(self);
}

static bool is_text(struct frames *frames, unsigned i, const char *text)
{
    return zmq_msg_size(&frames->held[i]) == strlen(text) &&
           memcmp(zmq_msg_data(&frames->held[i]), text, strlen(text)) == 0;
}

/* Takes one message whole; false where none is there. */
static bool receive(void *socket, struct frames *frames)
{
    bool more = true;

    frames->count = frames->held_count = 0;
    while (more) {
        zmq_msg_t spare;
        zmq_msg_t *frame = frames->count < FRAMES_MAX ? &frames->held[frames->count] : &spare;

        zmq_msg_init(frame);
        if (zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(frame);
            return false;
        }
        more = zmq_msg_more(frame);
        frames->count++;
        if (frame == &spare) {
            zmq_msg_close(frame);
        } else {
            frames->held_count++;
        }
    }
    return true;
}

static void release(struct frames *frames)
{
    while (frames->held_count > 0) {
        zmq_msg_close(&frames->held[--frames->held_count]);
    }
}

static struct ates_allow *find_list(struct zap *self, struct frames *frames)
{
    for (size_t i = 0; ates_curve_kinds[i] != NULL; i++) {
        if (is_text(frames, F_DOMAIN, ates_curve_kinds[i])) {
            return self->lists[i];
        }
    }
    return NULL;
}

static struct answer decide(struct zap *self, struct frames *frames)
{
    if (frames->count <= F_MECHANISM || !is_text(frames, F_VERSION, VERSION) ||
        zmq_msg_size(&frames->held[F_REQUEST_ID]) > REQUEST_ID_MAX) {
        return (struct answer){"500", "no ZAP 1.0 request", ""};
    }
    if (!is_text(frames, F_MECHANISM, "CURVE")) {
        return (struct answer){"400", "CURVE is required", ""};
    }
    if (frames->count != F_COUNT || zmq_msg_size(&frames->held[F_KEY]) != KEY_BYTES) {
        return (struct answer){"500", "no key of 32 bytes", ""};
    }
    struct ates_allow *list = find_list(self, frames);
    if (list == NULL) {
        return (struct answer){"400", "no such domain", ""};
    }
    struct answer answer = {"200", "OK", ""};
    zmq_z85_encode(answer.user_id, zmq_msg_data(&frames->held[F_KEY]), KEY_BYTES);
    return ates_allow_has(list, answer.user_id)
               ? answer
               : (struct answer){"400", "the key is not allowed", ""};
}

/* Strangers cause these lines: one a second tells of them all. */
static void say_refusal(struct zap *self, struct frames *frames, const struct answer *answer)
{
    const int64_t now_us = ates_monotonic_us();
    char address[64] = "", domain[32] = "";

    if (self->said_us != 0 && now_us - self->said_us < SAY_INTERVAL_US) {
        self->left_out++;
        return;
    }
    if (frames->count > F_ADDRESS) {
        snprintf(domain, sizeof domain, "%.*s", (int)zmq_msg_size(&frames->held[F_DOMAIN]),
                 (const char *)zmq_msg_data(&frames->held[F_DOMAIN]));
        snprintf(address, sizeof address, "%.*s", (int)zmq_msg_size(&frames->held[F_ADDRESS]),
                 (const char *)zmq_msg_data(&frames->held[F_ADDRESS]));
    }
    const struct ates_log_field fields[] = {{"client", address, 0},
                                            {"reason", answer->text, 0},
                                            {"left_out", NULL, self->left_out},
                                            {NULL, NULL, 0}};
    ates_say(ATES_SAY_KEY_REFUSED, domain, fields, "a client is not let in to %s: %s", domain,
             answer->text);
    self->said_us = now_us;
    self->left_out = 0;
}

static void answer(struct zap *self, struct frames *frames)
{
    const struct answer answer = decide(self, frames);
    const int more = ZMQ_DONTWAIT | ZMQ_SNDMORE;

    if (answer.code[0] != '2') {
        say_refusal(self, frames, &answer);
    }
    zmq_send(self->socket, VERSION, strlen(VERSION), more);
    if (frames->count > F_REQUEST_ID) {
        zmq_send(self->socket, zmq_msg_data(&frames->held[F_REQUEST_ID]),
                 zmq_msg_size(&frames->held[F_REQUEST_ID]), more);
    } else {
        zmq_send(self->socket, "", 0, more);
    }
    zmq_send(self->socket, answer.code, strlen(answer.code), more);
    zmq_send(self->socket, answer.text, strlen(answer.text), more);
    zmq_send(self->socket, answer.user_id, strlen(answer.user_id), more);
    zmq_send(self->socket, "", 0, ZMQ_DONTWAIT); /* no metadata */
}

static void run_zap(zsock_t *pipe, void *argument)
{
    struct zap *self = argument;
    zmq_pollitem_t items[] = {{zsock_resolve(pipe), 0, ZMQ_POLLIN, 0},
                              {self->socket, 0, ZMQ_POLLIN, 0}};
    struct frames frames = {.count = 0};
    bool stops = false;

    zsock_signal(pipe, 0);
    while (!stops) {
        if (zmq_poll(items, 2, -1) < 0 && errno != EINTR) {
            break;
        }
        if (items[1].revents & ZMQ_POLLIN) {
            if (receive(self->socket, &frames)) {
                answer(self, &frames);
            }
            release(&frames);
        }
        if (items[0].revents & ZMQ_POLLIN) {
            stops = ates_actor_hears_stop(pipe);
        }
    }
    free_zap(self);
}

int ates_zap_start(const char *folder, zactor_t **zap, char *error, size_t size)
{
    struct zap *self = calloc(1, sizeof *self);
    bool made = self != NULL;
    char allow[4096 + 16];

    snprintf(allow, sizeof allow, "%s/allow", folder);
    for (size_t i = 0; made && ates_curve_kinds[i] != NULL; i++) {
        assert(i < KINDS_MAX);
        self->lists[i] = ates_allow_new(allow, ates_curve_kinds[i]);
        made = self->lists[i] != NULL;
    }
    errno = ENOMEM;
    if (made) {
        self->socket = ates_socket_open(zsys_init(), ZMQ_REP);
    }
    if (!made || self->socket == NULL || zmq_bind(self->socket, ATES_ZAP_ENDPOINT) != 0) {
        const int r = -errno;

        snprintf(error, size, "the ZAP handler: %s", zmq_strerror(-r));
        if (self != NULL) {
            free_zap(self);
        }
        return r;
    }
    *zap = zactor_new(run_zap, self);
    return 0;
}
