/* Where live events come from; see web_hub.h.
 *
 * The hub keeps nothing on disk: it follows each producer from the first head that it hears
 * announced, and once that log is no longer the one it was, from the next, with all streams reset. */
#include "web/web_hub_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/catalogue.h"
#include <ates/auth.h>

#include "core/client_private.h"
#include "core/journal.h"
#include "core/socket.h"
#include "web/web_backend.h"

#define RING_EVENTS 8192u
#define RING_BYTES (8u << 20)
#define EVENTS_A_TURN 512u
#define QUIET_US 10000000 /* each producer announces its head every second */
#define TICK_US 250000
/* A log that was lost is followed anew no sooner than this after it was begun: a reset makes every
 * client read all that it shows. */
#define BEGIN_AGAIN_US 2000000
#define PAGE_TIMEOUT_MS 3000

static const char *name_of(const struct web_follow *self)
{
    return self->hub->feed.producers[self->producer].service->name;
}

/* The follower's sink. */

static int begin_at(void *context, const char *producer, struct ates_position *position)
{
    const struct web_follow *self = context;

    (void)producer;
    *position = self->from;
    return 0;
}

static int take_event(void *context, const struct ates_envelope *envelope, struct ates_bytes bytes,
                      const struct ates_position *position, bool *settled,
                      struct ates_refusal *refusal)
{
    struct web_follow *self = context;
    struct web_hub *hub = self->hub;

    (void)bytes;
    (void)position;
    (void)refusal;
    ates_arena_reset(hub->arena);
    struct web_event *event = web_event_new(hub->feed.producers[self->producer].service,
                                            self->producer, envelope, hub->arena);
    const uint64_t changed_user = event->changed_user;
    web_feed_add(&hub->feed, event);
    if (changed_user != 0) {
        web_events_hold_user(hub, changed_user, envelope->seq);
    }
    *settled = true; /* there is nothing to write down */
    return 0;
}

static int settle(void *context, const char *producer, const struct ates_position *position)
{
    (void)context;
    (void)producer;
    (void)position;
    return 0;
}

static void lose(void *context, const char *producer, const char *reason)
{
    struct web_follow *self = context;
    const struct ates_log_field fields[] = {
        {"producer", producer, 0}, {"reason", reason, 0}, {NULL, NULL, 0}};

    ates_journal(ATES_WARNING, "web", fields,
                 "the events of %s are followed anew: %s; streams are reset", producer, reason);
    self->is_lost = true;
}

/* Follows the producer from the head that it announced. */
static void begin(struct web_follow *self, struct ates_bytes bytes, int64_t now_us)
{
    struct web_hub *hub = self->hub;
    const struct ates_follower_sink sink = {
        .context = self,
        .service = "web",
        .position = begin_at,
        .take = take_event,
        .settle = settle,
        .stopped = lose,
    };
    struct ates_head head;

    ates_arena_reset(hub->arena);
    if (now_us - self->begun_us < BEGIN_AGAIN_US ||
        ates_message_decode(&ates_head_message, bytes.data, bytes.size, ATES_UNKNOWN_IGNORED,
                            hub->arena, &head, NULL) != 0 ||
        head.log_id.size >= sizeof self->from.log_id) {
        return;
    }
    self->from = (struct ates_position){.known = true, .seq = head.seq};
    memcpy(self->from.log_id, head.log_id.data, head.log_id.size);
    memcpy(self->from.hash, head.hash.data, sizeof self->from.hash);
    self->follower = ates_follower_new(&sink, hub->client, name_of(self));
    if (self->follower == NULL) {
        return; /* the next announcement is another try */
    }
    ates_follower_rewind(self->follower);
    self->begun_us = now_us;
    if (hub->feed.producers[self->producer].service == &auth_service) {
        hub->change_count = 0; /* they were of what may be another log now */
    }
    web_feed_begin(&hub->feed, self->producer, self->from.log_id, self->from.seq);
    hub->tick_us = hub->feed.count > 0 ? 0 : hub->tick_us; /* streams may wait to join */
}

static void end_if_lost(struct web_follow *self)
{
    if (self->is_lost) {
        ates_follower_free(&self->follower);
        self->is_lost = false;
    }
}

static void take_head(struct web_follow *self, struct ates_bytes bytes, int64_t now_us)
{
    if (self->follower != NULL) {
        ates_follower_head(self->follower, bytes);
        end_if_lost(self);
    }
    if (self->follower == NULL) {
        begin(self, bytes, now_us);
    }
}

static void take_live(struct web_hub *self, struct ates_bytes topic, struct ates_bytes bytes,
                      int64_t now_us)
{
    static const char head[] = "head.v1";

    for (size_t i = 0; i < self->feed.producer_count; i++) {
        struct web_follow *follow = &self->follows[i];
        const char *name = name_of(follow);
        const size_t size = strlen(name) + 1; /* with the dot */

        if (topic.size <= size || memcmp(topic.data, name, size - 1) != 0 ||
            topic.data[size - 1] != '.') {
            continue;
        }
        if (topic.size - size == sizeof head - 1 &&
            memcmp(topic.data + size, head, sizeof head - 1) == 0) {
            take_head(follow, bytes, now_us);
        } else if (follow->follower != NULL) {
            ates_follower_live(follow->follower, bytes);
            end_if_lost(follow);
        }
        return;
    }
}

/* Takes one message of SUB; false where there is none. */
static bool receive(struct web_hub *self, int64_t now_us)
{
    zmq_msg_t topic, body;

    zmq_msg_init(&topic);
    if (zmq_msg_recv(&topic, self->subscriber, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&topic);
        return false;
    }
    zmq_msg_init(&body);
    self->heard_us = now_us;
    bool more = zmq_msg_more(&topic);
    const bool whole = more && zmq_msg_recv(&body, self->subscriber, ZMQ_DONTWAIT) >= 0;
    more = whole && zmq_msg_more(&body);
    if (whole && !more) {
        take_live(self, (struct ates_bytes){zmq_msg_data(&topic), zmq_msg_size(&topic)},
                  (struct ates_bytes){zmq_msg_data(&body), zmq_msg_size(&body)}, now_us);
    }
    while (more && zmq_msg_recv(&body, self->subscriber, ZMQ_DONTWAIT) >= 0) {
        more = zmq_msg_more(&body);
    }
    zmq_msg_close(&topic);
    zmq_msg_close(&body);
    return true;
}

static int subscribe(struct web_hub *self, void *subscriber)
{
    struct ates_reach reach;
    int r = 0;

    ates_config_reach(&self->web->config, &reach);
    for (size_t i = 0; r == 0 && i < self->feed.producer_count; i++) {
        char prefix[WEB_MARK_NAME_MAX + 2];
        const int size = snprintf(prefix, sizeof prefix, "%s.", name_of(&self->follows[i]));

        r = zmq_setsockopt(subscriber, ZMQ_SUBSCRIBE, prefix, (size_t)size) == 0 ? 0 : -errno;
    }
    return r == 0 ? ates_reach_connect(&reach, subscriber, "events") : r;
}

/* Opens SUB in the place of one that there may be. */
static int open_subscriber(struct web_hub *self)
{
    void *subscriber = ates_socket_open(self->zmq_context, ZMQ_SUB);
    const int r = subscriber != NULL ? subscribe(self, subscriber) : -errno;

    if (r != 0) {
        if (subscriber != NULL) {
            zmq_close(subscriber);
        }
        return r;
    }
    if (self->subscriber != NULL) {
        zmq_close(self->subscriber);
    }
    self->subscriber = subscriber;
    return 0;
}

/* Pages for replays. */

static void take_page(void *owner, const struct ates_reply *reply)
{
    web_replay_answer(owner, reply, ates_monotonic_us());
}

static void *ask_page(void *context, struct web_slot *slot, unsigned producer, uint64_t after_seq,
                      uint64_t limit)
{
    static const char name[] = "read_events";
    struct web_hub *self = context;
    const struct ates_service *service = self->feed.producers[producer].service;
    const struct ates_read_events body = {
        .after_seq = after_seq, .has_limit = true, .limit = limit};
    struct ates_buffer bytes = {0};

    ates_message_encode(&ates_read_events_message, &body, &bytes);
    const struct web_command command = {
        .service = service,
        .command = ates_service_command(service, name, sizeof name - 1),
        .token = ates_text_from(self->web->token.text),
        .body = {bytes.data, bytes.size},
        .timeout_ms = PAGE_TIMEOUT_MS,
    };
    struct web_pending *pending =
        web_backend_call(self->web->backend, &command, take_page, slot, ates_monotonic_us());
    ates_buffer_release(&bytes);
    return pending;
}

static void cancel_page(void *context, void *asked)
{
    struct web_hub *self = context;

    web_backend_cancel(self->web->backend, asked);
}

struct web_hub *web_hub_new(struct ates_web *web, void *zmq_context)
{
    struct web_hub *self = calloc(1, sizeof *self);
    const struct web_replay_source source = {self, ask_page, cancel_page};

    if (self == NULL) {
        return NULL;
    }
    self->web = web;
    self->zmq_context = zmq_context;
    self->arena = ates_arena_new();
    self->tick_us = INT64_MAX;
    self->heard_us = ates_monotonic_us();
    int r = web_feed_open(&self->feed, web_services, RING_EVENTS, RING_BYTES, web_events_wake);
    for (unsigned i = 0; i < self->feed.producer_count; i++) {
        self->follows[i] =
            (struct web_follow){.hub = self, .producer = i, .begun_us = INT64_MIN / 2};
    }
    if (r == 0) {
        struct ates_reach reach;

        self->replay = web_replay_new(&self->feed, &source);
        ates_config_reach(&web->config, &reach);
        self->client = ates_client_new_in(zmq_context, &reach);
        r = self->replay != NULL && self->client != NULL ? open_subscriber(self) : -ENOMEM;
    }
    if (r != 0) {
        web_hub_free(&self);
        errno = -r;
    }
    return self;
}

void web_hub_free(struct web_hub **hub)
{
    struct web_hub *self = *hub;

    if (self == NULL) {
        return;
    }
    for (size_t i = 0; i < WEB_PRODUCERS_MAX; i++) {
        ates_follower_free(&self->follows[i].follower);
    }
    if (self->subscriber != NULL) {
        zmq_close(self->subscriber);
    }
    ates_client_free(&self->client);
    web_replay_free(&self->replay);
    web_feed_close(&self->feed);
    ates_arena_free(&self->arena);
    free(self);
    *hub = NULL;
}

void web_hub_set_token(struct web_hub *self, const char *token)
{
    ates_client_set_token(self->client, token);
}

/* libzmq gives a connection up for good once its peer broke a rule, as by a frame above the limit. */
static void subscribe_anew(struct web_hub *self, int64_t now_us)
{
    if (now_us - self->heard_us >= QUIET_US) {
        ates_say(ATES_SAY_NO_EVENTS, "web", NULL,
                 "no events arrive: connecting to the broker anew");
        open_subscriber(self); /* where that fails, the old one is left */
        self->heard_us = now_us;
    }
}

bool web_hub_advance(struct web_hub *self, int64_t now_us)
{
    unsigned taken = 0;

    while (taken < EVENTS_A_TURN && receive(self, now_us)) {
        taken++;
    }
    bool busy = taken == EVENTS_A_TURN;
    for (size_t i = 0; i < self->feed.producer_count; i++) {
        struct web_follow *follow = &self->follows[i];
        bool more = false;

        if (follow->follower != NULL) {
            ates_follower_advance(follow->follower, now_us, EVENTS_A_TURN, &more);
            end_if_lost(follow);
        }
        busy |= more;
    }
    subscribe_anew(self, now_us);
    if (now_us >= self->tick_us) {
        web_events_tick(self, now_us);
        self->tick_us = self->feed.count > 0 ? now_us + TICK_US : INT64_MAX;
    }
    web_replay_advance(self->replay, now_us);
    return busy;
}

int64_t web_hub_due(const struct web_hub *self)
{
    int64_t due_us = self->heard_us + QUIET_US;

    due_us = self->tick_us < due_us ? self->tick_us : due_us;
    const int64_t replay_us = web_replay_due(self->replay);
    due_us = replay_us < due_us ? replay_us : due_us;
    for (size_t i = 0; i < self->feed.producer_count; i++) {
        const struct ates_follower *follower = self->follows[i].follower;
        const int64_t follower_us = follower != NULL ? ates_follower_due(follower) : INT64_MAX;

        due_us = follower_us < due_us ? follower_us : due_us;
    }
    return due_us;
}

size_t web_hub_items(struct web_hub *self, zmq_pollitem_t *items, size_t max)
{
    size_t count = 0;

    if (count < max) {
        items[count++] = (zmq_pollitem_t){.socket = self->subscriber, .events = ZMQ_POLLIN};
    }
    for (size_t i = 0; i < self->feed.producer_count && count < max; i++) {
        if (self->follows[i].follower != NULL) { /* its socket may be a new one */
            items[count++] = (zmq_pollitem_t){
                .socket = ates_follower_socket(self->follows[i].follower), .events = ZMQ_POLLIN};
        }
    }
    return count;
}

uint64_t web_hub_streams(const struct web_hub *self)
{
    return self->feed.count;
}

uint64_t web_hub_events(const struct web_hub *self)
{
    return self->feed.events;
}
