/* A follower whose position is kept elsewhere than in an engine. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "core/follower.h"
#include "support/fake_producer.h"

#define LONG_US 2200000 /* longer than a read is waited for, shorter than silence is */

static struct fake_producer *producer;
static struct ates_client *client;
static struct ates_follower *follower;

static void setup(void)
{
    producer = calloc(1, sizeof *producer);
    fake_producer_start(producer);
    client = ates_client_new(producer->service.run_dir);
    cr_assert_not_null(client);
}

static void teardown(void)
{
    ates_follower_free(&follower);
    ates_client_free(&client);
    fake_producer_stop(producer);
    free(producer);
}

TestSuite(follower_sink, .init = setup, .fini = teardown, .timeout = 60);

static void say(size_t count)
{
    while (count-- > 0) {
        fake_producer_say(producer, "hello");
    }
}

static int live(uint64_t seq)
{
    return ates_follower_live(follower, fake_producer_envelope(producer, seq));
}

static void announce(const char *log_id, uint64_t seq)
{
    struct ates_buffer head = {0};

    fake_producer_head(producer, log_id, seq, &head);
    ates_follower_head(follower, (struct ates_bytes){head.data, head.size});
    ates_buffer_release(&head);
}

/* Turns until there is nothing to do but to look again once the producer was quiet for long. */
static void settle(void)
{
    while (ates_follower_due(follower) <= ates_monotonic_us() + LONG_US) {
        zmq_pollitem_t item = {ates_follower_socket(follower), 0, ZMQ_POLLIN, 0};
        const int64_t now_us = ates_monotonic_us();
        bool more;

        cr_assert_eq(ates_follower_advance(follower, now_us, 64, &more), 0);
        const int64_t due_us = ates_follower_due(follower);
        if (!more && due_us <= now_us + LONG_US) {
            zmq_poll(&item, 1, due_us > now_us ? (due_us - now_us) / 1000 + 1 : 0);
        }
    }
}

/* A sink without an engine: it remembers the events that it was given, and nothing on disk. */
struct listener {
    struct ates_position from;
    uint64_t taken[8];
    size_t count;
    unsigned stops;
    char reason[96];
};

static int listener_position(void *context, const char *name, struct ates_position *where)
{
    const struct listener *self = context;

    cr_assert_str_eq(name, FAKE_PRODUCER);
    *where = self->from;
    return 0;
}

static int listener_take(void *context, const struct ates_envelope *envelope,
                         struct ates_bytes bytes, const struct ates_position *where, bool *settled,
                         struct ates_refusal *refusal)
{
    struct listener *self = context;
    uint8_t hash[ATES_HASH_SIZE];

    (void)refusal;
    ates_envelope_hash(bytes.data, bytes.size, hash);
    cr_assert_eq(where->seq, envelope->seq);
    cr_assert_arr_eq(where->hash, hash, sizeof hash);
    cr_assert_str_eq(where->log_id, FAKE_LOG_ID);
    cr_assert_lt(self->count, 8);
    self->taken[self->count++] = envelope->seq;
    *settled = true;
    return 0;
}

static int listener_settle(void *context, const char *name, const struct ates_position *where)
{
    (void)context;
    (void)name;
    (void)where;
    cr_assert_fail("there is nothing left to write down");
    return 0;
}

static void listener_stopped(void *context, const char *name, const char *reason)
{
    struct listener *self = context;

    cr_assert_str_eq(name, FAKE_PRODUCER);
    self->stops++;
    snprintf(self->reason, sizeof self->reason, "%s", reason);
}

/* Follows from seq on, by a sink that keeps its own place. */
static void listen_from(struct listener *listener, uint64_t seq)
{
    const struct ates_follower_sink sink = {
        .context = listener,
        .service = "listener",
        .position = listener_position,
        .take = listener_take,
        .settle = listener_settle,
        .stopped = listener_stopped,
    };

    *listener = (struct listener){.from = {.known = true, .log_id = FAKE_LOG_ID, .seq = seq}};
    memcpy(listener->from.hash, producer->hashes[seq], ATES_HASH_SIZE);
    ates_follower_free(&follower);
    follower = ates_follower_new(&sink, client, FAKE_PRODUCER);
    cr_assert_not_null(follower);
    cr_assert_eq(ates_follower_rewind(follower), 0);
}

Test(follower_sink, begins_where_its_sink_is)
{
    struct listener listener;

    say(4);
    listen_from(&listener, 2);
    settle();
    say(1);
    cr_assert_eq(live(5), 0);
    cr_assert_eq(listener.count, 3);
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(listener.taken[i], i + 3);
    }
    cr_assert_eq(ates_follower_position(follower), 5);
    cr_assert_eq(ates_follower_settle(follower, 0), 0);
}

Test(follower_sink, tells_its_sink_once_that_it_stopped)
{
    struct listener listener;

    say(2);
    listen_from(&listener, 2);
    settle();
    cr_assert_eq(listener.stops, 0);
    announce(FAKE_OTHER_LOG_ID, 2);
    announce(FAKE_OTHER_LOG_ID, 2);
    cr_assert(ates_follower_stopped(follower));
    cr_assert_eq(listener.stops, 1);
    cr_assert_not_null(strstr(listener.reason, "log_id"), "%s", listener.reason);
}

Test(follower_sink, goes_on_where_its_sink_is_once_the_reason_of_a_stop_is_gone)
{
    struct listener listener;

    say(2);
    listen_from(&listener, 2);
    settle();
    announce(FAKE_OTHER_LOG_ID, 2);
    cr_assert(ates_follower_stopped(follower));
    say(2);
    cr_assert_eq(live(3), 0);
    cr_assert_eq(listener.count, 0, "it has stopped");
    cr_assert_eq(ates_follower_resume(follower), 0);
    cr_assert_not(ates_follower_stopped(follower));
    settle();
    cr_assert_eq(listener.count, 2);
    cr_assert(listener.taken[0] == 3 && listener.taken[1] == 4);
    cr_assert_eq(ates_follower_position(follower), 4);
    cr_assert_eq(ates_follower_resume(follower), 0, "one that follows is left alone");
    cr_assert_eq(ates_follower_position(follower), 4);
}
