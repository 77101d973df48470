/* Listening to services; see listen.h. */
#include "listen.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "core/follower.h"
#include "core/journal.h"
#include "core/socket.h"
#include "place.h"
#include "remote.h"

#define HEAD_SUFFIX ".head.v1"
#define PRODUCERS_MAX 16u
#define OTHERS_MAX 4u
#define TURN_MESSAGES 1000u /* taken at once */
#define RENEW_INTERVAL_US 30000000

struct producer {
    struct ctl_listener *listener;
    const char *name;
    struct ates_follower *follower; /* NULL: not begun */
    struct ates_position from;      /* where it begins */
};

struct ctl_listener {
    struct ctl *ctl;
    struct ctl_hearer hearer;
    void *context, *socket;
    struct ates_arena *arena;
    struct producer producers[PRODUCERS_MAX];
    size_t producer_count;
    bool follows, is_over;
    int code;           /* of a stream that stopped */
    int64_t renewed_us; /* when the token was looked at */
};

/* Whether topics of this service may begin with the prefix. */
static bool is_asked_for(const char *service, const char *prefix)
{
    const size_t size = strlen(service), prefix_size = strlen(prefix);
    const size_t common = size < prefix_size ? size : prefix_size;

    return memcmp(service, prefix, common) == 0 && (prefix_size <= size || prefix[size] == '.');
}

static int subscribe(struct ctl_listener *self, const char *prefix)
{
    const struct ates_service *service;
    char topic[64];
    int r = 0;

    for (size_t i = 0; r == 0 && (service = ctl_service_at(i)) != NULL; i++) {
        /* Every service announces its head once a second: so silence means that nothing can be
         * heard, whatever was asked for. */
        const bool asked = is_asked_for(service->name, prefix);
        const int size =
            snprintf(topic, sizeof topic, "%s%s", service->name, asked ? "." : HEAD_SUFFIX);

        r = zmq_setsockopt(self->socket, ZMQ_SUBSCRIBE, topic, (size_t)size);
        if (asked && self->producer_count < PRODUCERS_MAX) {
            self->producers[self->producer_count++] =
                (struct producer){.listener = self, .name = service->name};
        }
    }
    return r;
}

static int connect_broker(struct ctl_listener *self, const char *prefix)
{
    struct ates_reach reach;

    if (!ctl_is_served(self->ctl, "events")) {
        return ctl_unserved(self->ctl, "events", errno);
    }
    const int code = ctl_take_keys(self->ctl);
    if (code != CTL_OK) {
        return code;
    }
    ates_config_reach(&self->ctl->config, &reach);
    self->socket = ates_socket_open(self->context, ZMQ_SUB);
    int r = self->socket != NULL && subscribe(self, prefix) == 0 ? 0 : -errno;
    if (r == 0) {
        r = ates_reach_connect(&reach, self->socket, "events");
    }
    sodium_memzero(&reach, sizeof reach);
    if (r != 0) {
        return ctl_fail(CTL_UNREACHABLE, NULL, "cannot listen to the broker: %s", strerror(-r));
    }
    return CTL_OK;
}

int ctl_listener_open(struct ctl *ctl, const struct ctl_hearer *hearer, const char *prefix,
                      struct ctl_listener **out)
{
    struct ctl_listener *self = calloc(1, sizeof *self);

    if (self == NULL) {
        return ctl_fail(CTL_REFUSED, NULL, "out of memory");
    }
    *self = (struct ctl_listener){
        .ctl = ctl, .hearer = *hearer, .context = zmq_ctx_new(), .arena = ates_arena_new()};
    const int code = self->context != NULL ? connect_broker(self, prefix)
                                           : ctl_fail(CTL_REFUSED, NULL, "out of memory");
    if (code != CTL_OK) {
        ctl_listener_close(&self);
    }
    *out = self;
    return code;
}

void ctl_listener_close(struct ctl_listener **listener)
{
    struct ctl_listener *self = *listener;

    if (self == NULL) {
        return;
    }
    for (size_t i = 0; i < self->producer_count; i++) {
        ates_follower_free(&self->producers[i].follower);
    }
    if (self->socket != NULL) {
        zmq_close(self->socket);
    }
    if (self->context != NULL) {
        zmq_ctx_term(self->context);
    }
    ates_arena_free(&self->arena);
    free(self);
    *listener = NULL;
}

static int sink_position(void *context, const char *name, struct ates_position *position)
{
    const struct producer *producer = context;

    (void)name;
    *position = producer->from;
    return 0;
}

static int sink_take(void *context, const struct ates_envelope *envelope, struct ates_bytes bytes,
                     const struct ates_position *position, bool *settled,
                     struct ates_refusal *refusal)
{
    struct producer *producer = context;
    struct ctl_listener *self = producer->listener;

    (void)bytes;
    (void)refusal;
    if (self->is_over) {
        return -EAGAIN;
    }
    self->is_over = !self->hearer.event(self->hearer.context, envelope);
    producer->from = *position;
    *settled = true;
    return 0;
}

static int sink_settle(void *context, const char *name, const struct ates_position *position)
{
    struct producer *producer = context;

    (void)name;
    producer->from = *position;
    return 0;
}

static void sink_stopped(void *context, const char *name, const char *reason)
{
    const struct producer *producer = context;

    producer->listener->code =
        ctl_fail(CTL_REFUSED, NULL, "%s cannot be followed any further than %" PRIu64 ": %s", name,
                 producer->from.seq, reason);
}

static int begin(struct producer *producer)
{
    const struct ates_follower_sink sink = {.context = producer,
                                            .service = "atesctl",
                                            .position = sink_position,
                                            .take = sink_take,
                                            .settle = sink_settle,
                                            .stopped = sink_stopped};

    producer->follower = ates_follower_new(&sink, producer->listener->ctl->client, producer->name);
    return producer->follower != NULL && ates_follower_rewind(producer->follower) == 0
               ? CTL_OK
               : ctl_fail(CTL_REFUSED, NULL, "cannot follow %s: %s", producer->name,
                          strerror(errno));
}

int ctl_listener_follow(struct ctl_listener *self)
{
    const int code = ctl_connect(self->ctl);

    /* Followers tell the daemon's operator in the journal what they wait for; here words are said.
     */
    ates_journal_open("error");
    self->follows = code == CTL_OK;
    self->renewed_us = ates_monotonic_us();
    return code;
}

int ctl_listener_follow_from(struct ctl_listener *self, const char *name, uint64_t seq)
{
    int code = ctl_listener_follow(self);

    for (size_t i = 0; i < self->producer_count && code == CTL_OK; i++) {
        struct producer *producer = &self->producers[i];

        if (strcmp(producer->name, name) == 0) {
            code =
                ctl_place_before(self->ctl, ctl_service(name, strlen(name)), seq, &producer->from);
            code = code == CTL_OK ? begin(producer) : code;
        }
    }
    return code;
}

/* The first that is heard of a producer tells where it is. */
static void begin_at(struct producer *producer, struct ates_text log_id, uint64_t seq,
                     const uint8_t hash[ATES_HASH_SIZE])
{
    struct ates_position position = {.known = seq > 0, .seq = seq};

    if (log_id.size < sizeof position.log_id) {
        memcpy(position.log_id, log_id.data, log_id.size);
        memcpy(position.hash, hash, ATES_HASH_SIZE);
        producer->from = position;
        producer->listener->code = begin(producer);
    }
}

static void hear_head(struct ctl_listener *self, struct producer *producer, struct ates_bytes bytes)
{
    struct ates_head head;

    if (ates_message_decode(&ates_head_message, bytes.data, bytes.size, ATES_UNKNOWN_IGNORED,
                            self->arena, &head, NULL) != 0) {
        return;
    }
    if (self->hearer.head != NULL) {
        self->hearer.head(self->hearer.context, producer->name, &head);
    }
    if (self->follows && producer->follower == NULL) {
        begin_at(producer, head.log_id, head.seq, head.hash.data);
    } else if (self->follows) {
        ates_follower_head(producer->follower, bytes);
    }
}

static void hear_event(struct ctl_listener *self, struct producer *producer,
                       struct ates_bytes bytes)
{
    struct ates_envelope envelope;
    uint8_t hash[ATES_HASH_SIZE];

    if (producer->follower != NULL) {
        ates_follower_live(producer->follower, bytes);
        return;
    }
    if (self->is_over ||
        ates_message_decode(&ates_envelope_message, bytes.data, bytes.size, ATES_UNKNOWN_IGNORED,
                            self->arena, &envelope, NULL) != 0) {
        return;
    }
    self->is_over = !self->hearer.event(self->hearer.context, &envelope);
    if (self->follows) {
        ates_envelope_hash(bytes.data, bytes.size, hash);
        begin_at(producer, envelope.log_id, envelope.seq, hash);
    }
}

static void hear(struct ctl_listener *self, struct ates_text topic, struct ates_bytes bytes)
{
    ates_arena_reset(self->arena);
    for (size_t i = 0; i < self->producer_count; i++) {
        struct producer *producer = &self->producers[i];
        const size_t size = strlen(producer->name);

        if (topic.size > size && memcmp(topic.data, producer->name, size) == 0 &&
            topic.data[size] == '.') {
            if (topic.size == size + strlen(HEAD_SUFFIX) &&
                memcmp(topic.data + size, HEAD_SUFFIX, strlen(HEAD_SUFFIX)) == 0) {
                hear_head(self, producer, bytes);
            } else {
                hear_event(self, producer, bytes);
            }
            return;
        }
    }
}

/* One message: two frames, or it is none of ours. Returns 0, -EAGAIN or another -errno. */
static int receive(struct ctl_listener *self)
{
    zmq_msg_t frames[2];
    size_t count = 0;
    int r = 0, more = 1;

    while (r == 0 && more) {
        zmq_msg_t *frame = &frames[count < 2 ? count : 1];

        if (count < 2) {
            zmq_msg_init(frame);
        }
        r = zmq_msg_recv(frame, self->socket, ZMQ_DONTWAIT) < 0 ? -errno : 0;
        more = r == 0 && zmq_msg_more(frame);
        count++;
    }
    if (r == 0 && count == 2) {
        hear(self, (struct ates_text){zmq_msg_data(&frames[0]), zmq_msg_size(&frames[0])},
             (struct ates_bytes){zmq_msg_data(&frames[1]), zmq_msg_size(&frames[1])});
    }
    for (size_t i = 0; i < count && i < 2; i++) {
        zmq_msg_close(&frames[i]);
    }
    return r;
}

/* Goes on with what followers read; returns whether there is more to do at once. */
static bool advance(struct ctl_listener *self)
{
    const int64_t now_us = ates_monotonic_us();
    bool busy = false;

    for (size_t i = 0; i < self->producer_count; i++) {
        bool more = false;

        if (self->producers[i].follower != NULL && !self->is_over && self->code == CTL_OK) {
            ates_follower_advance(self->producers[i].follower, now_us, TURN_MESSAGES, &more);
            busy |= more;
        }
    }
    if (self->follows && now_us >= self->renewed_us + RENEW_INTERVAL_US) {
        self->renewed_us = now_us;
        ctl_renew(self->ctl);
    }
    return busy;
}

/* How long may be waited, with followers that want to look again. */
static int64_t wait_of(const struct ctl_listener *self, int64_t wait_ms)
{
    const int64_t now_us = ates_monotonic_us();

    for (size_t i = 0; i < self->producer_count; i++) {
        if (self->producers[i].follower != NULL) {
            const int64_t due_us = ates_follower_due(self->producers[i].follower);
            const int64_t due_ms = due_us <= now_us ? 0 : (due_us - now_us) / 1000 + 1;

            wait_ms = due_ms < wait_ms ? due_ms : wait_ms;
        }
    }
    return wait_ms;
}

int ctl_listener_turn(struct ctl_listener *self, int64_t wait_ms, zmq_pollitem_t *others,
                      size_t other_count, bool *heard)
{
    zmq_pollitem_t items[1 + PRODUCERS_MAX + OTHERS_MAX];
    size_t count = 0;
    int r = 0;

    const bool busy = advance(self);
    items[count++] = (zmq_pollitem_t){.socket = self->socket, .events = ZMQ_POLLIN};
    for (size_t i = 0; i < self->producer_count; i++) {
        if (self->producers[i].follower != NULL) {
            items[count++] = (zmq_pollitem_t){
                .socket = ates_follower_socket(self->producers[i].follower), .events = ZMQ_POLLIN};
        }
    }
    for (size_t i = 0; i < other_count && i < OTHERS_MAX; i++) {
        items[count + i] = others[i];
    }
    *heard = false;
    if (!self->is_over && self->code == CTL_OK) {
        zmq_poll(items, (int)(count + other_count), busy ? 0 : (long)wait_of(self, wait_ms));
        for (size_t i = 0; i < other_count && i < OTHERS_MAX; i++) {
            others[i].revents = items[count + i].revents;
        }
    }
    for (size_t n = 0; r == 0 && n < TURN_MESSAGES && !self->is_over && self->code == CTL_OK; n++) {
        r = receive(self);
        *heard |= r == 0;
    }
    if (r < 0 && r != -EAGAIN && r != -EINTR) {
        return ctl_fail(CTL_UNREACHABLE, NULL, "cannot receive events: %s", strerror(-r));
    }
    return self->code;
}
