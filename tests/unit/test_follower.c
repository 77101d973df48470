/* A follower takes the next event of the known log and nothing else, whatever gets lost on the way.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "core/follower.h"
#include "support/engine_fixture.h"
#include "support/fake_producer.h"
#include "support/toy_domain.h"

/* Longer than a read or a refusal is waited for, shorter than silence is. */
#define LONG_US 2200000

static struct fixture fixture;
static struct fake_producer *producer;
static struct ates_client *client;
static struct ates_follower *follower;
static struct ates_buffer head;
static int64_t skew_us; /* what the test's clock is ahead */

static void open_follower(void)
{
    const struct ates_follower_sink sink = ates_engine_sink(fixture.engine);

    follower = ates_follower_new(&sink, client, FAKE_PRODUCER);
    cr_assert_not_null(follower);
    cr_assert_eq(ates_follower_rewind(follower), 0);
}

static void restart(void)
{
    ates_follower_free(&follower);
    open_follower();
}

static void setup_with(const struct ates_domain *domain)
{
    producer = calloc(1, sizeof *producer);
    fixture_open(&fixture, domain);
    fake_producer_start(producer);
    client = ates_client_new(producer->service.run_dir);
    cr_assert_not_null(client);
    open_follower();
}

static void setup(void)
{
    setup_with(&toy_domain);
}

static void setup_stopping(void)
{
    setup_with(&toy_stopping_domain);
}

static void teardown(void)
{
    ates_follower_free(&follower);
    ates_follower_free(&follower);
    ates_client_free(&client);
    fake_producer_stop(producer);
    fixture_close(&fixture);
    ates_buffer_release(&head);
    free(producer);
}

TestSuite(follower, .init = setup, .fini = teardown, .timeout = 60);
TestSuite(follower_stopping, .init = setup_stopping, .fini = teardown, .timeout = 60);

static uint64_t position(void)
{
    struct ates_position where;

    cr_assert_eq(ates_engine_position(fixture.engine, FAKE_PRODUCER, &where), 0);
    return where.seq;
}

static int64_t heard(void)
{
    return toy_heard_count(ates_engine_txn(fixture.engine));
}

static void say(size_t count)
{
    while (count-- > 0) {
        fake_producer_say(producer, "hello");
    }
}

/* Whether there is nothing to do but to look again once the producer was quiet for long. */
static bool is_idle(void)
{
    return ates_follower_due(follower) > ates_monotonic_us() + skew_us + LONG_US;
}

/* One turn as the loop does it; waits for a reply where it is time to. */
static int turn(void)
{
    zmq_pollitem_t item = {ates_follower_socket(follower), 0, ZMQ_POLLIN, 0};
    const int64_t now_us = ates_monotonic_us() + skew_us;
    bool more;
    int r = ates_follower_advance(follower, now_us, 64, &more);

    fixture_commit(&fixture);
    const int64_t due_us = ates_follower_due(follower);
    if (!more && !is_idle()) {
        zmq_poll(&item, 1, due_us > now_us ? (due_us - now_us) / 1000 + 1 : 0);
    }
    return r;
}

static void settle(void)
{
    while (!is_idle()) {
        cr_assert_eq(turn(), 0);
    }
}

static int live(uint64_t seq)
{
    const int r = ates_follower_live(follower, fake_producer_envelope(producer, seq));

    fixture_commit(&fixture);
    return r;
}

static void announce(const char *log_id, uint64_t seq)
{
    fake_producer_head(producer, log_id, seq, &head);
    ates_follower_head(follower, (struct ates_bytes){head.data, head.size});
}

static void assert_at(uint64_t seq)
{
    cr_assert_not(ates_follower_stopped(follower));
    cr_assert_eq(position(), seq, "at %d", (int)position());
    cr_assert_eq(heard(), (int64_t)seq);
}

static void assert_idle(void)
{
    cr_assert(is_idle());
}

static void assert_stopped_at(uint64_t seq)
{
    cr_assert(ates_follower_stopped(follower));
    cr_assert_eq(ates_follower_due(follower), INT64_MAX);
    cr_assert_eq(position(), seq, "at %d", (int)position());
}

Test(follower, reads_what_was_there_before_it)
{
    bool more;

    say(2500);
    settle();
    assert_at(2500);
    cr_assert_eq(ates_follower_lag(follower), 0);
    cr_assert_eq(fake_producer_asked(producer), 3);
    cr_assert_eq(ates_follower_advance(follower, ates_monotonic_us(), 64, &more), 0);
    cr_assert_not(more);
    fixture_check_rebuild(&fixture);
}

Test(follower, takes_no_more_at_once_than_it_is_told)
{
    say(100);
    while (position() == 0) {
        cr_assert_eq(turn(), 0);
        cr_assert_leq(position(), 64);
    }
    cr_assert_eq(position(), 64);
    cr_assert_eq(ates_follower_lag(follower), 36);
    settle();
    assert_at(100);
}

Test(follower, takes_live_events_in_order_without_reading)
{
    settle();
    const size_t asked = fake_producer_asked(producer);
    say(3);
    for (uint64_t seq = 1; seq <= 3; seq++) {
        cr_assert_eq(live(seq), 0);
        assert_at(seq);
    }
    settle();
    cr_assert_eq(fake_producer_asked(producer), asked);
}

Test(follower, drops_duplicates)
{
    say(3);
    settle();
    for (uint64_t seq = 1; seq <= 3; seq++) {
        cr_assert_eq(live(seq), 0);
        cr_assert_eq(live(seq), 0);
    }
    settle();
    assert_at(3);
}

Test(follower, reads_what_a_gap_left_out)
{
    say(2);
    settle();
    say(4);
    cr_assert_eq(live(5), 0);
    cr_assert_eq(ates_follower_lag(follower), 3);
    cr_assert_eq(live(6), 0, "while it is behind it reads");
    settle();
    assert_at(6);
    say(1);
    cr_assert_eq(live(7), 0);
    assert_at(7);
}

Test(follower, puts_reordered_events_right)
{
    settle();
    say(4);
    for (int i = 0; i < 4; i++) {
        static const uint64_t order[] = {2, 1, 4, 3};

        cr_assert_eq(live(order[i]), 0);
    }
    settle();
    assert_at(4);
}

Test(follower, a_head_announcement_shows_what_was_missed)
{
    settle();
    announce(FAKE_LOG_ID, 0);
    assert_idle();
    say(3);
    announce(FAKE_LOG_ID, 3);
    cr_assert_eq(ates_follower_lag(follower), 3);
    settle();
    assert_at(3);
    announce(FAKE_LOG_ID, 3);
    assert_idle();
    announce(FAKE_LOG_ID, 2); /* late news */
    settle();
    assert_at(3);
    ates_follower_head(follower, (struct ates_bytes){(const uint8_t *)"x", 1});
    assert_at(3);
}

Test(follower, what_is_no_envelope_of_the_producers_is_not_taken)
{
    const struct other_said data = {ates_text_from("forged")};

    settle();
    fake_producer_emit(producer, "another", &other_said_message, FAKE_LOG_ID, &data);
    cr_assert_eq(live(1), 0);
    cr_assert_eq(ates_follower_live(follower, (struct ates_bytes){(const uint8_t *)"\x80", 1}), 0);
    cr_assert_eq(position(), 0);
    settle(); /* the producer's own log has it too: that is the end */
    assert_stopped_at(0);
}

/* Streams that must stop. */

Test(follower, another_log_id_stops_it)
{
    const struct other_said data = {ates_text_from("hello")};

    say(2);
    settle();
    announce(FAKE_OTHER_LOG_ID, 2);
    assert_stopped_at(2);
    restart();
    settle();
    fake_producer_emit(producer, FAKE_PRODUCER, &other_said_message, FAKE_OTHER_LOG_ID, &data);
    cr_assert_eq(live(3), 0);
    assert_stopped_at(2);
    announce(FAKE_LOG_ID, 2);
    assert_stopped_at(2);
}

Test(follower, another_log_id_in_a_read_stops_it)
{
    say(2);
    settle();
    FAKE_PRODUCER_SET(producer, log_id, FAKE_OTHER_LOG_ID);
    say(2);
    cr_assert_eq(live(4), 0);
    settle();
    assert_stopped_at(2);
}

Test(follower, a_broken_chain_stops_it)
{
    say(2);
    settle();
    producer->hashes[2][0] ^= 1; /* what the next one gives as prev */
    say(1);
    cr_assert_eq(live(3), 0);
    assert_stopped_at(2);
    restart(); /* and reads it, which makes it no better */
    settle();
    assert_stopped_at(2);
}

Test(follower, another_hash_of_the_same_head_stops_it)
{
    say(2);
    settle();
    producer->hashes[2][0] ^= 1;
    announce(FAKE_LOG_ID, 2);
    assert_stopped_at(2);
}

Test(follower, another_event_in_the_place_of_the_last_stops_it)
{
    say(2);
    settle();
    producer->count = 1;
    ates_buffer_release(&producer->envelopes[1]);
    fake_producer_say(producer, "something else");
    cr_assert_eq(live(2), 0);
    assert_stopped_at(2);
}

Test(follower, a_producer_that_went_back_stops_it)
{
    say(5);
    settle();
    FAKE_PRODUCER_SET(producer, served, 3);
    announce(FAKE_LOG_ID, 3);
    settle();
    assert_stopped_at(5);
    restart(); /* it is no other where it went back meanwhile */
    settle();
    assert_stopped_at(5);
}

Test(follower, a_read_that_skips_an_event_stops_it)
{
    FAKE_PRODUCER_SET(producer, skipped, 3);
    say(5);
    settle();
    assert_stopped_at(2);
}

Test(follower_stopping, a_dead_letter_stops_it)
{
    FAKE_PRODUCER_SET(producer, page, 2);
    say(2);
    fake_producer_say(producer, "refuse");
    say(6);
    settle();
    assert_stopped_at(2);
    cr_assert_gt(ates_follower_lag(follower), 0);

    /* The third read was under way and is answered all the same: that must not keep the socket
     * readable. */
    zmq_pollitem_t item = {ates_follower_socket(follower), 0, ZMQ_POLLIN, 0};
    bool more;
    cr_assert_gt(zmq_poll(&item, 1, 20000), 0);
    cr_assert_eq(ates_follower_advance(follower, ates_monotonic_us(), 64, &more), 0);
    cr_assert_not(more);
    cr_assert_eq(zmq_poll(&item, 1, 0), 0);
    assert_stopped_at(2);
    cr_assert_eq(fake_producer_asked(producer), 3);
    restart(); /* it tries again, and stops again */
    settle();
    assert_stopped_at(2);
}

/* Trouble that passes. */

Test(follower, asks_again_when_no_answer_comes)
{
    int64_t now_us = ates_monotonic_us();
    bool more;

    FAKE_PRODUCER_SET(producer, silences, 3);
    say(3);
    for (size_t asked = 1; asked <= 3; asked++) {
        cr_assert_eq(ates_follower_advance(follower, now_us, 64, &more), 0);
        while (fake_producer_asked(producer) < asked) {
            sched_yield();
        }
        const int64_t due_us = ates_follower_due(follower);
        cr_assert_eq(ates_follower_advance(follower, due_us - 1, 64, &more), 0);
        cr_assert_eq(ates_follower_due(follower), due_us, "it is still waited for");
        cr_assert_eq(ates_follower_advance(follower, due_us, 64, &more), 0);
        cr_assert_gt(ates_follower_due(follower), due_us);
        now_us = ates_follower_due(follower);
    }
    skew_us = now_us - ates_monotonic_us();
    settle(); /* the late answers to the first three come first, and do no harm */
    assert_at(3);
}

Test(follower, asks_when_it_has_not_heard_for_long)
{
    settle();
    const size_t asked = fake_producer_asked(producer);
    say(2); /* and SUB brings nothing of it */
    skew_us = ates_follower_due(follower) - ates_monotonic_us();
    settle();
    assert_at(2);
    cr_assert_gt(fake_producer_asked(producer), asked);
}

Test(follower, waits_longer_after_each_refusal)
{
    zmq_pollitem_t item = {ates_follower_socket(follower), 0, ZMQ_POLLIN, 0};
    int64_t waits[10] = {0};
    bool more;

    FAKE_PRODUCER_SET(producer, refusals, 10);
    say(1);
    for (size_t i = 0; i < 10; i++) {
        cr_assert_eq(ates_follower_advance(follower, ates_follower_due(follower), 64, &more), 0);
        cr_assert_gt(zmq_poll(&item, 1, 20000), 0);
        cr_assert_eq(ates_follower_advance(follower, 0, 64, &more), 0);
        waits[i] = ates_follower_due(follower);
        cr_assert(i == 0 || waits[i] == 2 * waits[i - 1] || waits[i] == 2000000);
    }
    cr_assert_eq(waits[9], 2000000);
    settle();
    assert_at(1);
}

Test(follower, an_answer_that_is_none_is_asked_for_again)
{
    FAKE_PRODUCER_SET(producer, nonsense, 2);
    say(1);
    settle();
    assert_at(1);
    cr_assert_eq(fake_producer_asked(producer), 3);
}

Test(follower, what_must_wait_is_tried_again)
{
    int r = 0;

    say(1);
    fake_producer_say(producer, "later");
    say(1);
    while (r == 0) {
        r = turn();
    }
    cr_assert_eq(r, -EAGAIN);
    assert_at(1);
    toy_later = false;
    settle();
    assert_at(3);
    toy_later = true;
    fake_producer_say(producer, "later");
    cr_assert_eq(live(4), -EAGAIN);
    toy_later = false;
    settle();
    assert_at(4);
}

Test(follower, a_position_without_effect_is_written_down_when_told)
{
    const struct other_said data = {ates_text_from("hello")};

    for (int i = 0; i < 5; i++) {
        fake_producer_emit(producer, FAKE_PRODUCER, &toy_noted_message, FAKE_LOG_ID, &data);
    }
    settle();
    cr_assert_eq(position(), 0);
    cr_assert_eq(ates_follower_settle(follower, 5), 0);
    cr_assert_eq(position(), 0);
    cr_assert_eq(ates_follower_settle(follower, 4), 0);
    fixture_commit(&fixture);
    cr_assert_eq(position(), 5);
    cr_assert_eq(ates_follower_settle(follower, 0), 0);
    cr_assert_eq(ates_engine_head(fixture.engine)->number, 1);
    fixture_commit(&fixture);
}

/* After a batch was lost the engine is where it was before; so must the follower be. */
Test(follower, rewinds_to_where_the_engine_is)
{
    say(4);
    settle();
    say(1);
    cr_assert_eq(ates_follower_live(follower, fake_producer_envelope(producer, 5)), 0);
    ates_follower_free(&follower);
    fixture_reopen(&fixture); /* the batch was not committed */
    open_follower();
    settle();
    assert_at(5);
    cr_assert_eq(ates_follower_rewind(follower), 0);
    settle();
    assert_at(5);
}
