/* A follower that has nothing yet of a compacted producer begins with its snapshot, and ends up behind
 * it, whatever comes in between; one that has, or that needs every event, stops. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "core/follower.h"
#include "support/engine_fixture.h"
#include "support/fake_producer.h"
#include "support/toy_domain.h"

#define LONG_US 2200000 /* longer than a read is waited for, shorter than silence is */
#define EVENTS 30u
#define BASE 20u
#define ITEMS 7u

static struct fixture fixture;
static struct fake_producer *producer;
static struct ates_client *client;
static struct ates_follower *follower;

static void open_follower(void)
{
    const struct ates_follower_sink sink = ates_engine_sink(fixture.engine);

    follower = ates_follower_new(&sink, client, FAKE_PRODUCER);
    cr_assert_not_null(follower);
    cr_assert_eq(ates_follower_rewind(follower), 0);
}

static void setup_with(const struct ates_domain *domain)
{
    producer = calloc(1, sizeof *producer);
    fixture_open(&fixture, domain);
    fake_producer_start(producer);
    for (unsigned i = 0; i < EVENTS; i++) {
        fake_producer_say(producer, "hello");
    }
    FAKE_PRODUCER_SET(producer, base, BASE);
    FAKE_PRODUCER_SET(producer, items, ITEMS);
    FAKE_PRODUCER_SET(producer, item_page, 2);
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
    ates_client_free(&client);
    fake_producer_stop(producer);
    fixture_close(&fixture);
    free(producer);
}

TestSuite(follower_snapshot, .init = setup, .fini = teardown, .timeout = 60);
TestSuite(follower_snapshot_stopping, .init = setup_stopping, .fini = teardown, .timeout = 60);

static struct ates_position position(void)
{
    struct ates_position where;

    cr_assert_eq(ates_engine_position(fixture.engine, FAKE_PRODUCER, &where), 0);
    return where;
}

static int64_t heard(void)
{
    return toy_heard_count(ates_engine_txn(fixture.engine));
}

/* One turn as the loop does it; waits for a reply where it is time to. False: there is nothing to do
 * but to look again once the producer was quiet for long. */
static bool turn(void)
{
    zmq_pollitem_t item = {ates_follower_socket(follower), 0, ZMQ_POLLIN, 0};
    const int64_t now_us = ates_monotonic_us();
    bool more;

    cr_assert_eq(ates_follower_advance(follower, now_us, 64, &more), 0);
    fixture_commit(&fixture);
    const int64_t due_us = ates_follower_due(follower);
    if (due_us > now_us + LONG_US) {
        return false;
    }
    if (!more) {
        zmq_poll(&item, 1, due_us > now_us ? (due_us - now_us) / 1000 + 1 : 0);
    }
    return true;
}

static void settle(void)
{
    while (turn()) {
    }
}

static void assert_begun_with_the_snapshot(void)
{
    cr_assert_not(ates_follower_stopped(follower));
    cr_expect(position().known);
    cr_expect_eq(position().seq, EVENTS);
    cr_expect_eq(ates_follower_position(follower), EVENTS);
    cr_expect_eq(ates_follower_lag(follower), 0);
}

Test(follower_snapshot, stands_for_the_events_that_are_no_more)
{
    settle();
    assert_begun_with_the_snapshot();
    cr_expect_eq(heard(), ITEMS + EVENTS - BASE);
    /* Its pages, the events after it, and the read that was refused. */
    cr_expect_eq(fake_producer_asked(producer), 1 + (ITEMS + 1) / 2 + 1);
    ates_follower_free(&follower);
    fixture_check_rebuild(&fixture);
    open_follower();
    settle();
    cr_expect_eq(heard(), ITEMS + EVENTS - BASE, "a restart goes on behind it");
}

Test(follower_snapshot, may_have_no_item_at_all)
{
    FAKE_PRODUCER_SET(producer, items, 0);
    settle();
    assert_begun_with_the_snapshot();
    cr_expect_eq(heard(), EVENTS - BASE);
}

Test(follower_snapshot, is_begun_anew_after_a_restart_between_its_pages)
{
    while (heard() < 4) {
        cr_assert(turn());
    }
    cr_expect_not(position().known, "the position comes with the last page");
    ates_follower_free(&follower);
    fixture_reopen(&fixture);
    open_follower();
    settle();
    assert_begun_with_the_snapshot();
    cr_expect_eq(heard(), 4 + ITEMS + EVENTS - BASE);
}

Test(follower_snapshot, is_begun_anew_where_the_producer_has_another_meanwhile)
{
    while (heard() < 4) {
        cr_assert(turn());
    }
    FAKE_PRODUCER_SET(producer, base, BASE + 5);
    settle();
    assert_begun_with_the_snapshot();
    cr_expect_leq(heard(), 6 + ITEMS + EVENTS - BASE - 5);
    cr_expect_geq(heard(), 4 + ITEMS + EVENTS - BASE - 5);
}

Test(follower_snapshot, is_asked_for_again_where_no_answer_comes)
{
    FAKE_PRODUCER_SET(producer, refusals, 2);
    settle();
    assert_begun_with_the_snapshot();
    ates_follower_free(&follower);
    FAKE_PRODUCER_SET(producer, nonsense, 1);
    fixture_close(&fixture);
    fixture_open(&fixture, &toy_domain);
    open_follower();
    settle();
    assert_begun_with_the_snapshot();
}

Test(follower_snapshot, with_an_item_that_cannot_be_taken_in_stops_the_stream)
{
    FAKE_PRODUCER_SET(producer, item, "refuse");
    settle();
    cr_expect(ates_follower_stopped(follower));
    cr_expect_not(position().known);
    cr_expect_eq(heard(), 0);
}

Test(follower_snapshot, is_not_for_who_has_followed_before)
{
    FAKE_PRODUCER_SET(producer, base, 0);
    FAKE_PRODUCER_SET(producer, served, 10);
    settle();
    cr_expect_eq(position().seq, 10);
    FAKE_PRODUCER_SET(producer, served, EVENTS);
    FAKE_PRODUCER_SET(producer, base, BASE);
    ates_follower_free(&follower);
    open_follower();
    settle();
    cr_expect(ates_follower_stopped(follower));
    cr_expect_eq(position().seq, 10);
    cr_expect_eq(heard(), 10);
}

Test(follower_snapshot_stopping, is_not_for_who_needs_every_event)
{
    settle();
    cr_expect(ates_follower_stopped(follower));
    cr_expect_not(position().known);
    cr_expect_eq(heard(), 0);
}
