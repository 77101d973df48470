/* The loop of an actor's thread: whatever is there is taken into one batch, committed once, and
 * only then shown. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/actor_private.h"
#include "core/catalogue.h"
#include "core/follower.h"
#include "core/warden.h"

/* One batch is bounded, so that its first reply does not wait long for its last command. */
#define BATCH_COMMANDS 512u
#define BATCH_TAKEN                                                                                \
    4096u /* off the socket: more than are dealt with, so that few wait behind many */
/* A batch that several ask for takes no more than that of whoever is left when the others were served,
 * as they wait for its end; and several ask for it where they just did, as what one floods with is
 * there before what the others will say to their replies. */
#define BATCH_ALONE 8u
#define SHARED_US 20000
#define BATCH_FOLLOWED 512u
#define BATCH_US 10000
#define BATCH_REPLY_BYTES (8u << 20)
#define HEAD_INTERVAL_US 1000000
#define HEAD_IDLE_MS 2 /* after the last event of a busy time */
#define STEP_BACKOFF_MIN_US 20000
#define STEP_BACKOFF_MAX_US 10000000
#define UNSETTLED_MAX 1000u
#define SUB_QUIET_US 10000000 /* each producer announces its head every second */
#define ALARM_PERMILLE 700u
#define ALARM_INTERVAL_US 60000000

static void send_head(struct ates_actor *self)
{
    const struct ates_log_head *head = ates_log_head(ates_engine_log(self->engine));
    const struct ates_head data = {
        .log_id = ates_text_from(ates_log_id(ates_engine_log(self->engine))),
        .seq = head->seq,
        .hash = {head->hash, sizeof head->hash},
    };
    char topic[96];
    const int size = snprintf(topic, sizeof topic, "%s.head.v1", self->name);

    self->scratch.size = 0;
    ates_message_encode(&ates_head_message, &data, &self->scratch);
    zmq_send(self->publisher, topic, (size_t)size, ZMQ_DONTWAIT | ZMQ_SNDMORE);
    zmq_send(self->publisher, self->scratch.data, self->scratch.size, ZMQ_DONTWAIT);
    self->head_changed = false;
    self->head_due_us = ates_monotonic_us() + HEAD_INTERVAL_US;
}

/* PUB drops what it cannot send: followers read it from the log. */
static void publish(struct ates_actor *self)
{
    const size_t count = ates_engine_committed_events(self->engine);
    char topic[160];

    for (size_t i = 0; i < count; i++) {
        const struct ates_event_type *type;
        const struct ates_bytes envelope = ates_engine_committed_event(self->engine, i, &type);
        const int size =
            snprintf(topic, sizeof topic, "%s.%s.v%u", self->name, type->data->name, type->version);

        zmq_send(self->publisher, topic, (size_t)size, ZMQ_DONTWAIT | ZMQ_SNDMORE);
        zmq_send(self->publisher, envelope.data, envelope.size, ZMQ_DONTWAIT);
    }
    self->head_changed |= count > 0;
}

static int renew_token(struct ates_actor *self)
{
    if (self->client == NULL) {
        return 0;
    }
    const int r = ates_own_token_keep(&self->token, &self->service_key, &self->source, self->name,
                                      self->config.access_ms);
    if (r > 0) {
        ates_client_set_token(self->client, self->token.text);
    }
    return r < 0 ? r : 0;
}

/* One message of SUB to the follower of its producer. */
static int take_live(struct ates_actor *self, struct ates_bytes topic, struct ates_bytes bytes)
{
    const char *dot = memchr(topic.data, '.', topic.size);
    const struct ates_text producer = {(const char *)topic.data,
                                       dot != NULL ? (size_t)(dot - (const char *)topic.data) : 0};
    static const char head[] = ".head.v1";

    for (size_t i = 0; i < self->follower_count; i++) {
        struct ates_follower *follower = self->followers[i];

        if (ates_text_equal(ates_text_from(ates_follower_producer(follower)), producer)) {
            if (topic.size == producer.size + sizeof head - 1 &&
                memcmp(dot, head, sizeof head - 1) == 0) {
                ates_follower_head(follower, bytes);
                return 0;
            }
            return ates_follower_live(follower, bytes);
        }
    }
    return 0;
}

static int drain_live(struct ates_actor *self)
{
    int r = 0;

    for (unsigned n = 0; r == 0 && n < BATCH_FOLLOWED && self->follower_count > 0 &&
                         !ates_engine_is_closed(self->engine);
         n++) {
        zmq_msg_t topic, body;

        zmq_msg_init(&topic);
        if (zmq_msg_recv(&topic, self->subscriber, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&topic);
            break;
        }
        zmq_msg_init(&body);
        self->heard_us = ates_monotonic_us();
        bool more = zmq_msg_more(&topic);
        bool whole = more && zmq_msg_recv(&body, self->subscriber, ZMQ_DONTWAIT) >= 0;
        more = whole && zmq_msg_more(&body);
        if (whole && !more) {
            r = take_live(self, (struct ates_bytes){zmq_msg_data(&topic), zmq_msg_size(&topic)},
                          (struct ates_bytes){zmq_msg_data(&body), zmq_msg_size(&body)});
        }
        while (more && zmq_msg_recv(&body, self->subscriber, ZMQ_DONTWAIT) >= 0) {
            more = zmq_msg_more(&body);
        }
        zmq_msg_close(&topic);
        zmq_msg_close(&body);
    }
    return r;
}

/* Whether the batch takes one more command: it is bounded in number, time and bytes. */
static bool takes_more(const struct ates_actor *self, unsigned taken, int64_t until_us,
                       int64_t now_us)
{
    return taken < BATCH_COMMANDS && now_us < until_us &&
           self->reply_bytes.size < BATCH_REPLY_BYTES && !ates_engine_is_closed(self->engine);
}

/* Takes what is there off the socket. Whether more may be. */
static bool take_in(struct ates_actor *self)
{
    const int64_t until_us = ates_monotonic_us() + BATCH_US / 2;
    struct ates_request_message *refused;

    for (unsigned n = 0; n < BATCH_TAKEN; n++) {
        if (ates_intake_fill(self->intake, self->router, &refused) != 0) {
            return false;
        }
        if (refused != NULL) {
            actor_refuse_peer(self, refused);
        }
        if (n % 64 == 63 && ates_monotonic_us() >= until_us) {
            break;
        }
    }
    return true;
}

/* Deals with what was taken in, each peer in its turn; whether there is more. The batch of one peer alone may be large,
 * that of several ends soon after those that ask for little. */
static bool drain_commands(struct ates_actor *self)
{
    const bool more = take_in(self);
    const int64_t now_us = ates_monotonic_us(), until_us = now_us + BATCH_US;

    self->taken_us = now_us;
    ates_warden_listens(now_us);
    unsigned alone = 0;

    if (ates_intake_peers(self->intake) > 1) {
        self->shared_until_us = now_us + SHARED_US;
    }
    const bool is_shared = now_us < self->shared_until_us;

    for (unsigned n = 0; takes_more(self, n, until_us, ates_monotonic_us()); n++) {
        struct ates_request_message *request = ates_intake_next(self->intake);

        if (request == NULL) {
            return more;
        }
        alone += ates_intake_peers(self->intake) <= 1;
        actor_dispatch(self, request, NULL);
        if (is_shared && alone == BATCH_ALONE) {
            break;
        }
    }
    return true;
}

void actor_drain_workers(struct ates_actor *self)
{
    void *owner;
    const void *output;

    while (ates_workers_receive(self->workers, &owner, &output)) {
        if (ates_engine_is_begun(self->engine, owner)) {
            ates_engine_end_begun(self->engine, owner, output);
        } else {
            actor_deferred_done(self, owner, output);
        }
    }
}

/* Work that the committed batch began; what the queue has no room for waits here. */
static void submit_begun(struct ates_actor *self)
{
    while (ates_workers_pending(self->workers) < ATES_WORKER_QUEUE_MAX) {
        struct ates_begun *begun = ates_engine_take_begun(self->engine);

        if (begun == NULL) {
            return;
        }
        if (ates_workers_submit(self->workers, begun->work, begun->input, begun->input_size, 0,
                                begun) != 0) {
            abort(); /* out of memory, as where an arena is */
        }
    }
}

/* One step of the domain's jobs; whether there may be more to do at once. After a fault it is tried
 * again, later each time. */
static bool step(struct ates_actor *self, int64_t now_us)
{
    bool more;

    if (now_us < self->step_due_us) {
        return false;
    }
    const int r = ates_engine_step(self->engine, &more);
    if (r == 0) {
        self->step_due_us = self->step_backoff_us = 0;
    } else {
        const int64_t longer = self->step_backoff_us * 2;

        self->step_backoff_us = longer < STEP_BACKOFF_MIN_US   ? STEP_BACKOFF_MIN_US
                                : longer > STEP_BACKOFF_MAX_US ? STEP_BACKOFF_MAX_US
                                                               : longer;
        self->step_due_us = now_us + self->step_backoff_us;
    }
    if (r < 0 && r != -EAGAIN && r != -ENOSPC) {
        const struct ates_log_field fields[] = {{"error", strerror(-r), 0}, {NULL, NULL, 0}};

        ates_say(ATES_SAY_JOB_FAILED, self->name, fields, "a job cannot go on");
    }
    return r == 0 && ates_engine_has_steps(self->engine);
}

/* Follows and steps; *busy tells that there is more to do at once. */
static void advance(struct ates_actor *self, bool *busy)
{
    const int64_t now_us = ates_monotonic_us();
    bool more = false;

    const uint64_t unsettled_max = now_us >= self->head_due_us ? 0 : UNSETTLED_MAX;

    drain_live(self);
    for (size_t i = 0; i < self->follower_count && !ates_engine_is_closed(self->engine); i++) {
        ates_follower_advance(self->followers[i], now_us, BATCH_FOLLOWED, &more);
        *busy |= more;
        ates_follower_settle(self->followers[i], unsettled_max);
    }
    if (ates_engine_has_steps(self->engine) && !ates_engine_is_closed(self->engine)) {
        *busy |= step(self, now_us);
    }
}

static int rewind_followers(struct ates_actor *self)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < self->follower_count; i++) {
        r = ates_follower_rewind(self->followers[i]);
    }
    return r;
}

static int finish_batch(struct ates_actor *self)
{
    int r = ates_engine_commit(self->engine);

    if (r == 0 || r == -ENOSPC) {
        actor_send_replies(self, r == -ENOSPC);
        if (r == -ENOSPC) {
            ates_say(ATES_SAY_STORE_FULL, self->name, NULL, "the store or its disk is full");
            return rewind_followers(self);
        }
        publish(self);
        submit_begun(self);
    }
    return r;
}

/* Ends the workers, and keeps what came of their work. */
static int stop_workers(struct ates_actor *self, int fault)
{
    int r = fault;

    self->stopping = true;
    ates_workers_stop(self->workers);
    actor_drain_workers(self);
    while (r == 0 && ates_engine_has_ended(self->engine)) {
        bool more;

        r = ates_engine_step(self->engine, &more);
        if (r == 0) {
            r = ates_engine_commit(self->engine);
        }
        if (r == 0) {
            publish(self);
        }
    }
    return r;
}

/* Before commands that write are refused, and while they are, somebody should know. */
static void warn_when_filling(struct ates_actor *self, int64_t now_us)
{
    const unsigned used = ates_engine_used_permille(self->engine);
    const bool has_room = ates_engine_has_room(self->engine);

    if ((used >= ALARM_PERMILLE || !has_room) && now_us - self->warned_us >= ALARM_INTERVAL_US) {
        if (has_room) {
            const struct ates_log_field fields[] = {{"used_permille", NULL, used}, {NULL, NULL, 0}};

            ates_say(
                ATES_SAY_STORE_FILLING, self->name, fields,
                "the store is filling: raise store/map_gigabytes before it is at 850 permille");
        } else {
            ates_say(ATES_SAY_DISK_NEARLY_FULL, self->name, NULL,
                     "the disk is nearly full: commands that write are refused");
        }
        self->warned_us = now_us;
    }
}

/* libzmq gives a connection up for good once its peer broke a rule, as by a frame above the limit. */
static void subscribe_anew(struct ates_actor *self)
{
    if (self->follower_count > 0 && ates_monotonic_us() - self->heard_us >= SUB_QUIET_US) {
        ates_say(ATES_SAY_NO_EVENTS, self->name, NULL,
                 "no events arrive: connecting to the broker anew");
        actor_open_subscriber(self);
        self->heard_us = ates_monotonic_us();
    }
}

/* Returns the ms until something is due, or a fault. */
static int64_t tick(struct ates_actor *self, bool idle)
{
    const int64_t now_us = ates_monotonic_us();
    int64_t wait_ms = ates_engine_checkpoint(self->engine, false);
    int r = renew_token(self);

    if (wait_ms < 0 || r != 0) {
        return wait_ms < 0 ? wait_ms : r;
    }
    if (now_us >= self->head_due_us || (idle && self->head_changed)) {
        warn_when_filling(self, now_us);
        subscribe_anew(self);
        send_head(self);
    }
    int64_t due_us = self->head_due_us;
    for (size_t i = 0; i < self->follower_count; i++) {
        const int64_t follower_us = ates_follower_due(self->followers[i]);

        due_us = follower_us < due_us ? follower_us : due_us;
    }
    if (ates_engine_has_steps(self->engine) && self->step_due_us < due_us) {
        due_us = self->step_due_us;
    }
    const int64_t wakes_in_ms =
        now_us >= self->step_due_us ? ates_engine_wakes_in(self->engine) : wait_ms;
    if (wakes_in_ms < wait_ms) {
        wait_ms = wakes_in_ms;
    }
    const int64_t due_ms = due_us <= now_us ? 0 : (due_us - now_us) / 1000 + 1;
    return due_ms < wait_ms ? due_ms : wait_ms;
}

static void take_pipe(struct ates_actor *self)
{
    self->stopping |= ates_actor_hears_stop(self->pipe);
}

/* Which socket is where among those that are polled. */
enum { PIPE, ROUTER, WORKERS, SUBSCRIBER, FOLLOWERS };

static int turn(struct ates_actor *self, zmq_pollitem_t *items, int item_count, int64_t *wait_ms)
{
    bool busy = false;

    items[SUBSCRIBER].socket = self->subscriber;
    for (size_t i = 0; i < self->follower_count; i++) {
        items[FOLLOWERS + i].socket =
            ates_follower_socket(self->followers[i]); /* may be a new one */
    }
    ates_warden_listens(0);
    const int polled = zmq_poll(items, item_count, *wait_ms);
    ates_warden_listens(self->taken_us); /* what came is yet to be taken */
    if (polled < 0 && errno != EINTR) {
        return -errno;
    }
    if (items[PIPE].revents & ZMQ_POLLIN) {
        take_pipe(self);
    }
    actor_drain_workers(self);
    busy = drain_commands(self);
    const bool idle = ates_engine_head(self->engine)->number ==
                      ates_log_head(ates_engine_log(self->engine))->number;
    advance(self, &busy);
    int r = finish_batch(self);
    if (r != 0) {
        return r;
    }
    *wait_ms = tick(self, idle);
    if (*wait_ms < 0) {
        return (int)*wait_ms;
    }
    if (self->head_changed && *wait_ms > HEAD_IDLE_MS) {
        *wait_ms = HEAD_IDLE_MS; /* the next turn, if it finds nothing to do, announces the head */
    }
    *wait_ms = busy ? 0 : *wait_ms;
    return 0;
}

static int serve(struct ates_actor *self)
{
    zmq_pollitem_t items[FOLLOWERS + ACTOR_FOLLOWERS_MAX];
    const int item_count = FOLLOWERS + (int)self->follower_count;
    int64_t wait_ms = 0;
    int r = ates_engine_start(self->engine);

    for (int i = 0; i < item_count; i++) {
        items[i] = (zmq_pollitem_t){.events = ZMQ_POLLIN};
    }
    items[PIPE].socket = zsock_resolve(self->pipe);
    items[ROUTER].socket = self->router;
    items[WORKERS].socket = ates_workers_socket(self->workers);
    if (r == 0) {
        r = renew_token(self);
    }
    if (r == 0) {
        r = rewind_followers(self);
    }
    if (r == 0) {
        const uint64_t head = ates_engine_head(self->engine)->seq;
        const struct ates_log_field fields[] = {{"seq", NULL, (int64_t)head}, {NULL, NULL, 0}};

        ates_say(ATES_SAY_SERVING, self->name, fields, "serving, log head %llu",
                 (unsigned long long)head);
        zstr_send(self->pipe, "READY");
    }
    self->taken_us = ates_monotonic_us();
    while (r == 0 && !self->stopping) {
        r = turn(self, items, item_count, &wait_ms);
    }
    ates_warden_listens(0); /* for good: others are not to wait for this one */
    return r;
}

void actor_run(zsock_t *pipe, void *argument)
{
    struct ates_actor *self = argument;

    self->pipe = pipe;
    zsock_signal(pipe, 0);
    int r = serve(self);
    if (r != 0) {
        const struct ates_log_field fields[] = {{"error", strerror(-r), 0}, {NULL, NULL, 0}};

        ates_say(ATES_SAY_CANNOT_GO_ON, self->name, fields,
                 "the service cannot go on; atesctl admin check may tell what is damaged");
        zstr_send(pipe, "FAILED");
        while (!self->stopping) {
            take_pipe(self);
        }
    }
    stop_workers(self, r);
    actor_release_replies(self);
    ates_engine_close(&self->engine); /* here, as its transaction belongs to this thread */
}
