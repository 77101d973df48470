/* The hub follows producers over real sockets: from the head that it hears, through losses, into
 * another log. Its streams' requests are not there: see test_web_events.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include <criterion/criterion.h>

#include "core/endpoint.h"
#include "core/socket.h"
#include "support/fake_producer.h"
#include "support/toy_domain.h"
#include "web/web_backend.h"
#include "web/web_hub_private.h"

#define STEP_MS 5000 /* how long a step of the test may take on a busy machine */

static const struct ates_event_type said_types[] = {{.data = &other_said_message, .version = 1}};
static const struct ates_service other_service = {
    .name = FAKE_PRODUCER, .events = said_types, .event_count = 1};
const struct ates_service *const web_services[] = {&other_service, NULL};

static struct fake_producer *producer;
static void *context, *publisher;
static struct ates_web web;
static struct web_hub *hub;
static size_t ticks, wakes;
static struct web_command last_read; /* of a replay; what it points to is gone */
static void *last_owner;
static web_replied *last_replied;
static int64_t skew_us; /* what the test's clock is ahead */

/* The parts around. */

void web_events_tick(struct web_hub *self, int64_t now_us)
{
    ticks++;
    for (size_t i = 0; i < self->feed.count; i++) {
        web_stream_tick(self->feed.streams[i], now_us);
    }
}

void web_events_hold_user(struct web_hub *self, uint64_t user_id, uint64_t seq)
{
    (void)self;
    (void)seq;
    cr_assert_fail("nobody changed: %d", (int)user_id);
}

void web_events_wake(struct web_stream *stream)
{
    (void)stream;
    wakes++;
}

struct web_pending *web_backend_call(struct web_backend *self, const struct web_command *command,
                                     web_replied *replied, void *owner, int64_t now_us)
{
    (void)self;
    (void)now_us;
    last_read = *command;
    last_replied = replied;
    last_owner = owner;
    cr_assert(ates_text_equal(command->token, ates_text_from("own-token")));
    return (struct web_pending *)&last_read;
}

void web_backend_cancel(struct web_backend *self, struct web_pending *pending)
{
    (void)self;
    cr_assert_eq(pending, (struct web_pending *)&last_read);
}

/* The broker's side of events. */

static void open_broker(void)
{
    char endpoint[256];
    const int verbose = 1; /* tells of a subscription that another connection had before */

    publisher = ates_socket_open(context, ZMQ_XPUB);
    zmq_setsockopt(publisher, ZMQ_XPUB_VERBOSE, &verbose, sizeof verbose);
    cr_assert_eq(ates_endpoint(producer->service.run_dir, "events", endpoint, sizeof endpoint), 0);
    cr_assert_eq(ates_socket_bind(publisher, endpoint), 0);
}

/* What is published from here on reaches the hub. */
static void await_subscription(void)
{
    static const char wanted[] = "\1" FAKE_PRODUCER ".";
    zmq_pollitem_t item = {publisher, 0, ZMQ_POLLIN, 0};
    char text[64];
    int size;

    do { /* the end of an older one may come first */
        cr_assert_gt(zmq_poll(&item, 1, STEP_MS), 0);
        size = zmq_recv(publisher, text, sizeof text, 0);
    } while (size > 0 && text[0] == '\0');
    cr_assert_eq(size, (int)sizeof wanted - 1);
    cr_assert_arr_eq(text, wanted, sizeof wanted - 1);
}

static void setup(void)
{
    producer = calloc(1, sizeof *producer);
    fake_producer_start(producer);
    context = zmq_ctx_new();
    open_broker();
    snprintf(web.config.run_dir, sizeof web.config.run_dir, "%s", producer->service.run_dir);
    strcpy(web.token.text, "own-token");
    hub = web_hub_new(&web, context);
    cr_assert_not_null(hub);
    web_hub_set_token(hub, "own-token");
    await_subscription();
}

static void teardown(void)
{
    char path[128];

    web_hub_free(&hub);
    snprintf(path, sizeof path, "%s/events.sock", producer->service.run_dir);
    zmq_close(publisher);
    zmq_ctx_term(context);
    unlink(path);
    fake_producer_stop(producer);
    free(producer);
}

TestSuite(web_hub, .init = setup, .fini = teardown, .timeout = 60);

static void turn(void)
{
    zmq_pollitem_t items[8];
    const size_t count = web_hub_items(hub, items, 8);
    const int64_t left_us = web_hub_due(hub) - ates_monotonic_us() - skew_us;

    zmq_poll(items, (int)count, left_us <= 0 ? 0 : left_us < 50000 ? left_us / 1000 + 1 : 50);
    web_hub_advance(hub, ates_monotonic_us() + skew_us);
}

static void turn_until_at(uint64_t seq)
{
    const int64_t until_us = ates_monotonic_us() + STEP_MS * 1000;

    while (hub->feed.at.seq[0] != seq) {
        cr_assert_lt(ates_monotonic_us(), until_us, "still at %d", (int)hub->feed.at.seq[0]);
        turn();
    }
}

static void publish_head(const char *log_id, uint64_t seq)
{
    struct ates_buffer head = {0};
    static const char topic[] = FAKE_PRODUCER ".head.v1";

    fake_producer_head(producer, log_id, seq, &head);
    zmq_send(publisher, topic, sizeof topic - 1, ZMQ_SNDMORE);
    zmq_send(publisher, head.data, head.size, 0);
    ates_buffer_release(&head);
}

static void publish(uint64_t seq)
{
    const struct ates_bytes envelope = fake_producer_envelope(producer, seq);
    static const char topic[] = FAKE_PRODUCER ".said.v1";

    zmq_send(publisher, topic, sizeof topic - 1, ZMQ_SNDMORE);
    zmq_send(publisher, envelope.data, envelope.size, 0);
}

static void say(size_t count)
{
    while (count-- > 0) {
        fake_producer_say(producer, "hello");
    }
}

static void begin_at(uint64_t seq)
{
    const int64_t until_us = ates_monotonic_us() + STEP_MS * 1000;

    say(seq);
    publish_head(FAKE_LOG_ID, seq);
    while (!web_feed_is_complete(&hub->feed)) {
        cr_assert_lt(ates_monotonic_us(), until_us);
        turn();
    }
    cr_assert_eq(hub->feed.at.seq[0], seq);
}

Test(web_hub, begins_at_the_head_that_is_announced)
{
    cr_expect_not(web_feed_is_complete(&hub->feed));
    begin_at(5);
    cr_expect_eq(web_hub_events(hub), 0, "what was before is not taken in");
    say(2);
    publish(6);
    publish(7);
    turn_until_at(7);
    cr_expect_eq(web_hub_events(hub), 2);
}

Test(web_hub, events_before_the_first_head_are_none_of_its)
{
    say(3);
    publish(1);
    publish(2);
    publish_head(FAKE_LOG_ID, 3);
    turn_until_at(3);
    cr_expect_eq(web_hub_events(hub), 0);
}

Test(web_hub, reads_from_the_log_what_was_lost)
{
    begin_at(2);
    say(5);
    publish(7);
    turn_until_at(7);
    cr_expect_eq(web_hub_events(hub), 5);
    say(4); /* and not even the head comes: the producer is asked after a while */
    skew_us = 3500000;
    turn_until_at(11);
    cr_expect_eq(web_ring_next(hub->feed.ring), 9);
}

/* Reads all that a stream has. */
static const char *read_stream(struct web_stream *stream)
{
    static char text[4096];
    const ssize_t size = web_stream_give(stream, (uint8_t *)text, sizeof text - 1);

    text[size > 0 ? size : 0] = '\0';
    return text;
}

Test(web_hub, another_log_is_followed_from_its_head_and_streams_are_reset)
{
    const struct other_said data = {ates_text_from("hello")};

    begin_at(4);
    struct web_stream *stream = web_stream_new(&hub->feed, hub->replay, NULL, 1, ATES_ADMINISTRATOR,
                                               NULL, ates_monotonic_us());
    cr_assert_not_null(strstr(read_stream(stream), "event: hello\n"));
    char tag[WEB_TAG_SIZE];
    memcpy(tag, hub->feed.tag, sizeof tag);
    hub->change_count = 1; /* in auth's log, which goes on */

    FAKE_PRODUCER_SET(producer, log_id, FAKE_OTHER_LOG_ID);
    const int64_t until_us = ates_monotonic_us() + STEP_MS * 1000;
    while (strcmp(hub->feed.producers[0].log_id, FAKE_OTHER_LOG_ID) != 0) {
        cr_assert_lt(ates_monotonic_us(), until_us);
        publish_head(FAKE_OTHER_LOG_ID, 2);
        turn();
    }
    cr_expect_eq(hub->feed.at.seq[0], 2);
    cr_expect_eq(hub->change_count, 1);
    cr_expect_str_neq(hub->feed.tag, tag);
    cr_expect_gt(wakes, 0);
    cr_expect_not_null(strstr(read_stream(stream), "event: reset\n"));

    /* Its log goes on at 3: the fake one's has four events, of which the last two are told again. */
    for (size_t i = 2; i < 4; i++) {
        ates_buffer_release(&producer->envelopes[i]);
    }
    producer->count = 2;
    fake_producer_emit(producer, FAKE_PRODUCER, &other_said_message, FAKE_OTHER_LOG_ID, &data);
    publish(3);
    turn_until_at(3);
    cr_expect_eq(read_stream(stream)[0], '\0');
    web_stream_free(&stream);
}

Test(web_hub, replays_ask_with_the_services_own_token)
{
    char id[64];
    struct web_mark mark;

    begin_at(9);
    snprintf(id, sizeof id, "%s,%s:3", hub->feed.tag, FAKE_PRODUCER);
    cr_assert_eq(web_mark_parse(ates_text_from(id), &mark), 0);
    struct web_stream *stream = web_stream_new(&hub->feed, hub->replay, NULL, 1, ATES_ADMINISTRATOR,
                                               &mark, ates_monotonic_us());
    cr_expect_leq(web_hub_due(hub), ates_monotonic_us());
    turn();
    cr_assert_not_null(last_replied);
    cr_expect_eq(last_read.service, &other_service);
    cr_expect_str_eq(last_read.command->name, "read_events");
    last_replied(last_owner, NULL);
    turn();
    cr_expect_gt(web_hub_due(hub), ates_monotonic_us(), "it is tried again, not at once");
    web_stream_free(&stream);
}

Test(web_hub, streams_are_looked_after_only_while_there_are_any)
{
    begin_at(1);
    const size_t before = ticks;
    hub->tick_us = INT64_MAX;
    turn();
    cr_expect_eq(ticks, before);
    struct web_stream *stream = web_stream_new(&hub->feed, hub->replay, NULL, 1, ATES_ADMINISTRATOR,
                                               NULL, ates_monotonic_us());
    hub->tick_us = 0;
    turn();
    cr_expect_eq(ticks, before + 1);
    cr_expect_lt(hub->tick_us, ates_monotonic_us() + 1000000);
    cr_expect_eq(web_hub_streams(hub), 1);
    web_stream_free(&stream);
    hub->tick_us = 0;
    turn();
    cr_expect_eq(hub->tick_us, INT64_MAX);
}

Test(web_hub, connects_anew_where_nothing_arrives)
{
    void *before = hub->subscriber;

    begin_at(1);
    say(1);
    web_hub_advance(hub, hub->heard_us + 9999999);
    cr_expect_eq(hub->subscriber, before);
    web_hub_advance(hub, hub->heard_us + 10000000);
    await_subscription();
    skew_us = 10000000;
    turn_until_at(2); /* read from the log, as nothing was heard for long */
    say(1);
    publish(3);
    turn_until_at(3);
}
