/* A stream that the ring does not cover reads the logs, and gets what it may see: all and once. */
#include "support/seed.h"
#include "support/web_fixture.h"

static struct listener *const it = &listeners[0];

/* A small ring, so that much is beyond it. */
#define RING 8u

static void setup(void)
{
    open_feed(RING, 1u << 20);
    begin_all();
}

TestSuite(web_replay, .init = setup, .fini = close_feed, .timeout = 60);

static void many_tasks(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        say_task(1 + i % 2, 3);
    }
}

/* At the beginning of all logs. */
static void connect_at_start(struct listener *self, uint64_t user_id, enum ates_role role)
{
    char id[WEB_MARK_SIZE];

    snprintf(id, sizeof id, "%s,auth:0,tasks:0,accounting:0,payment:0", feed.tag);
    connect_at(self, user_id, role, id);
}

Test(web_replay, reads_in_pages_until_the_ring_covers_the_rest)
{
    many_tasks(2500);
    append_transfer(1);
    publish(ACCOUNTING);
    connect_at_start(it, 1, ATES_DEVELOPER);
    read_all(it);
    cr_expect_eq(it->hellos, 1);
    cr_expect_eq(it->events, 0);
    read_on(it);
    cr_expect_eq(it->events, 1251);
    cr_expect_eq(reads_asked, 3);
    assert_complete(it);
    many_tasks(2);
    read_all(it);
    cr_expect_eq(it->events, 1252);
    cr_expect_eq(it->resets, 0);
    cr_expect_eq(web_replay_due(replay), INT64_MAX);
}

Test(web_replay, every_producer_that_lacks_something_is_read)
{
    many_tasks(20);
    for (int i = 0; i < 20; i++) {
        append_transfer(1);
        append_user(1);
        append_unknown(ACCOUNTING);
    }
    publish(ACCOUNTING);
    publish(AUTH);
    connect_at_start(it, 1, ATES_DEVELOPER);
    read_on(it);
    cr_expect_eq(it->events, 10 + 20 + 20);
    assert_complete(it);
}

/* A log is read before its latest events arrive: they come when the feed has them, once. */
Test(web_replay, goes_no_further_than_the_feed)
{
    many_tasks(20);
    for (int i = 0; i < 20; i++) {
        append_transfer(1);
    }
    publish(ACCOUNTING);
    append_task(1, 1, "not heard of yet");
    connect_at_start(it, 1, ATES_DEVELOPER);
    read_on(it);
    cr_expect_eq(it->resets, 0);
    cr_expect_eq(it->events, 10 + 20);
    cr_expect_not_null(strstr(it->id, ",tasks:20,"), "%s", it->id);
    publish(TASKS);
    read_all(it);
    cr_expect_eq(it->events, 10 + 20 + 1);
    assert_complete(it);
}

Test(web_replay, a_slow_stream_falls_out_of_the_ring_and_misses_nothing)
{
    connect_at(it, 1, ATES_DEVELOPER, NULL);
    read_all(it);
    say_task(1, 1);
    cr_assert_eq(read_some(it, 20), 20);
    many_tasks(100);
    read_on(it);
    cr_expect_eq(it->events, 51);
    cr_expect_eq(it->hellos, 1);
    cr_expect_eq(it->resets, 0);
    cr_expect_gt(reads_asked, 0);
    assert_complete(it);
}

Test(web_replay, a_page_is_enough_though_the_ring_moves_on_meanwhile)
{
    many_tasks(50);
    connect_at_start(it, 1, ATES_DEVELOPER);
    read_all(it);
    web_replay_advance(replay, now_us);
    many_tasks(100);
    answer_all();
    read_on(it);
    cr_expect_eq(reads_asked, 1);
    assert_complete(it);
}

Test(web_replay, heartbeats_tell_how_far_it_came)
{
    many_tasks(2000);
    connect_at_start(it, 4, ATES_DEVELOPER);
    read_all(it);
    web_replay_advance(replay, now_us);
    cr_assert(answer_all());
    read_all(it);
    web_stream_tick(it->stream, now_us + WEB_BEAT_US);
    read_all(it);
    cr_expect_eq(it->beats, 1);
    cr_expect_not_null(strstr(it->id, ",tasks:1000,"), "%s", it->id);
}

Test(web_replay, at_most_so_many_read_at_once_and_the_others_in_turn)
{
    many_tasks(50);
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        connect_at_start(&listeners[i], 1, ATES_DEVELOPER);
        read_all(&listeners[i]);
    }
    cr_expect_leq(web_replay_due(replay), now_us);
    web_replay_advance(replay, now_us);
    cr_expect_eq(reads_asked, WEB_SLOTS);
    web_replay_advance(replay, now_us);
    cr_expect_eq(reads_asked, WEB_SLOTS);
    cr_expect_gt(web_replay_due(replay), now_us);
    answer_all();
    for (size_t i = 0; i < WEB_SLOTS; i++) {
        cr_expect(listeners[i].was_woken);
        cr_expect_not(listeners[i + WEB_SLOTS].was_woken);
        read_all(&listeners[i]);
        assert_complete(&listeners[i]);
    }
    cr_expect_leq(web_replay_due(replay), now_us, "there is room for who waits");
    web_replay_advance(replay, now_us);
    cr_expect_eq(reads_asked, 2 * WEB_SLOTS);
    answer_all();
    for (size_t i = WEB_SLOTS; i < STREAMS_MAX; i++) {
        read_all(&listeners[i]);
        assert_complete(&listeners[i]);
    }
}

Test(web_replay, who_does_not_take_a_page_loses_it_to_who_waits)
{
    many_tasks(50);
    for (size_t i = 0; i <= WEB_SLOTS; i++) {
        connect_at_start(&listeners[i], 1, ATES_DEVELOPER);
        read_all(&listeners[i]);
    }
    web_replay_advance(replay, now_us);
    answer_all();
    cr_assert_eq(read_some(it, 30), 30); /* and it takes no more for long */
    web_replay_advance(replay, now_us + 4999999);
    cr_expect_eq(reads_asked, WEB_SLOTS);
    cr_expect_eq(web_replay_due(replay), now_us + 5000000);
    now_us = web_replay_due(replay);
    web_replay_advance(replay, now_us);
    cr_expect_geq(reads_asked, WEB_SLOTS + 1);
    answer_all();
    read_all(&listeners[WEB_SLOTS]);
    assert_complete(&listeners[WEB_SLOTS]);
    for (size_t i = 0; i < WEB_SLOTS; i++) {
        read_on(&listeners[i]);
        assert_complete(&listeners[i]);
        cr_expect_eq(listeners[i].events, 25);
        cr_expect_eq(listeners[i].resets, 0);
    }
}

Test(web_replay, a_read_that_fails_is_tried_again_and_in_the_end_it_is_reset)
{
    many_tasks(50);
    connect_at_start(it, 1, ATES_DEVELOPER);
    read_all(it);
    for (int failures = 1; failures <= 2; failures++) {
        web_replay_advance(replay, now_us);
        leave_unanswered(&reads[0]);
        web_replay_advance(replay, now_us);
        cr_expect_null(reads[0].slot, "not at once");
        cr_expect_gt(web_replay_due(replay), now_us);
        now_us = web_replay_due(replay);
    }
    web_replay_advance(replay, now_us);
    leave_unanswered(&reads[0]);
    cr_expect(it->was_woken);
    read_all(it);
    cr_expect_eq(it->resets, 1);
    cr_expect_eq(it->events, 0);
    many_tasks(2);
    read_all(it);
    cr_expect_eq(it->events, 1);
    assert_complete(it);
}

Test(web_replay, a_failure_now_and_then_does_not_add_up)
{
    many_tasks(3000);
    connect_at_start(it, 1, ATES_DEVELOPER);
    read_all(it);
    for (int page = 0; page < 5; page++) {
        web_replay_advance(replay, now_us);
        leave_unanswered(&reads[0]);
        web_replay_advance(replay, now_us);
        now_us = web_replay_due(replay);
        web_replay_advance(replay, now_us);
        cr_assert_not_null(reads[0].slot);
        answer(&reads[0], 300);
        read_all(it);
    }
    read_on(it);
    cr_expect_eq(it->resets, 0);
    assert_complete(it);
}

Test(web_replay, a_producer_that_cannot_be_asked_is_asked_later)
{
    many_tasks(50);
    connect_at_start(it, 1, ATES_DEVELOPER);
    read_all(it);
    reads_busy = true;
    web_replay_advance(replay, now_us);
    reads_busy = false;
    cr_expect_gt(web_replay_due(replay), now_us);
    now_us = web_replay_due(replay);
    read_on(it);
    cr_expect_eq(it->events, 25);
    assert_complete(it);
}

static void assert_resets(const struct ates_reply *reply)
{
    const size_t resets = it->resets;

    connect_at_start(it, 1, ATES_DEVELOPER);
    read_all(it);
    web_replay_advance(replay, now_us);
    struct web_slot *slot = reads[0].slot;
    cr_assert_not_null(slot);
    reads[0].slot = NULL;
    web_replay_answer(slot, reply, now_us);
    read_all(it);
    cr_expect_eq(it->resets, resets + 1);
    cr_expect_eq(it->events, 0);
    hang_up(it);
}

static void assert_answer_resets(const char *log_id, uint64_t head_seq, size_t first)
{
    struct ates_buffer body = {0};
    struct ates_bytes item = {said[TASKS][first].envelope.data, said[TASKS][first].envelope.size};
    const struct ates_read_events_result result = {
        .log_id = ates_text_from(log_id), .head_seq = head_seq, .events = {&item, 1}};

    ates_message_encode(&ates_read_events_result_message, &result, &body);
    assert_resets(&(struct ates_reply){.status = ATES_OK, .body = {body.data, body.size}});
    ates_buffer_release(&body);
}

Test(web_replay, an_answer_of_another_log_or_with_a_gap_or_that_all_is_gone_resets_it)
{
    many_tasks(50);
    assert_answer_resets("another", 50, 0);
    assert_answer_resets(log_ids[TASKS], 50, 3);
    assert_resets(&(struct ates_reply){.status = ATES_FAILED_PRECONDITION});
}

Test(web_replay, who_leaves_takes_what_is_under_way_along)
{
    many_tasks(50);
    connect_at_start(it, 1, ATES_DEVELOPER);
    read_all(it);
    hang_up(it); /* from the queue */
    connect_at_start(it, 1, ATES_DEVELOPER);
    web_replay_advance(replay, now_us);
    hang_up(it); /* while a page is asked for */
    cr_expect_eq(reads_cancelled, 1);
    connect_at_start(it, 1, ATES_DEVELOPER);
    web_replay_advance(replay, now_us);
    answer_all();
    cr_assert_gt(read_some(it, 600), 0);
    hang_up(it); /* with a page in hand */
    cr_expect_eq(reads_cancelled, 1);
    connect_at_start(it, 1, ATES_DEVELOPER);
    web_replay_advance(replay, now_us);
    web_stream_end(it->stream, "END");
    cr_expect_eq(reads_cancelled, 2);
    read_all(it);
    cr_expect(it->has_ended);
}

Test(web_replay, a_stream_too_far_behind_is_reset)
{
    many_tasks(50);
    connect_at_start(it, 1, ATES_DEVELOPER);
    read_all(it);
    feed.at.seq[AUTH] = WEB_BEHIND_MAX + 1; /* so much was said meanwhile */
    web_ring_clear(feed.ring, &feed.at);
    web_replay_advance(replay, now_us);
    cr_expect_eq(reads_asked, 0);
    read_all(it);
    cr_expect_eq(it->resets, 1);
    cr_expect_eq(it->from.seq[AUTH], WEB_BEHIND_MAX + 1);
}

/* A resume at every position of a story gives exactly the rest of what is visible. */
Test(web_replay, resumes_at_every_position)
{
    static char ids[600][WEB_MARK_SIZE];
    size_t count = 0, all;

    connect_at(it, 1, ATES_DEVELOPER, NULL);
    read_all(it);
    snprintf(ids[count++], WEB_MARK_SIZE, "%s", it->id);
    for (int i = 0; i < 60; i++) {
        append_task(1 + (uint64_t)i % 3, 4, "to do");
        append_transfer(1 + (uint64_t)i % 2);
        append_unknown(ACCOUNTING);
        publish(TASKS);
        publish(ACCOUNTING);
        const size_t events = it->events;
        read_all(it);
        if (it->events != events) {
            snprintf(ids[count++], WEB_MARK_SIZE, "%s", it->id);
        }
    }
    all = it->events;
    cr_assert_eq(all, 20 + 30);
    struct listener *other = &listeners[1];
    for (size_t i = 0; i < count; i++) {
        connect_at(other, 1, ATES_DEVELOPER, ids[i]);
        memcpy(other->id, ids[i], sizeof other->id);
        begin_at_id(other);
        other->events = 0;
        read_on(other);
        cr_expect_eq(other->resets, 0);
        assert_complete(other);
        cr_expect_leq(other->events, all);
        cr_expect(i > 0 || other->events == all);
        cr_expect(i + 1 < count || other->events == 0);
        hang_up(other);
    }
}

/* The whole: whatever is said, read, lost and resumed, everybody gets what they may see, once and
 * in each producer's order (the fixture looks at every event), and resets come from failures only. */

static void say_something(uint64_t *seed)
{
    const uint64_t user = 1 + seed_draw(seed, USERS);

    switch (seed_draw(seed, 6)) {
    case 0:
        append_transfer(user);
        break;
    case 1:
        append_user(user);
        break;
    case 2:
        append_run();
        break;
    case 3:
        append_unknown((unsigned)seed_draw(seed, PRODUCERS));
        break;
    default:
        append_task(user, 1 + seed_draw(seed, USERS), "to do");
    }
    for (unsigned p = 0; p < PRODUCERS; p++) {
        publish(p);
    }
}

static void connect_somewhere(struct listener *self, uint64_t *seed)
{
    static const enum ates_role roles[] = {ATES_DEVELOPER, ATES_DEVELOPER, ATES_MANAGER,
                                           ATES_ACCOUNTANT, ATES_ADMINISTRATOR};
    const bool resumes = self->id[0] != '\0' && seed_draw(seed, 8) != 0;

    if (resumes) {
        /* What was read after the last id is not known to the client. */
        begin_at_id(self);
        connect_at(self, self->user_id, self->role, self->id);
    } else {
        self->id[0] = '\0';
        self->hellos = 0;
        connect_at(self, 1 + seed_draw(seed, USERS), roles[seed_draw(seed, 5)], NULL);
    }
}

static void do_something(uint64_t *seed)
{
    struct listener *self = &listeners[seed_draw(seed, STREAMS_MAX)];
    struct read *one = &reads[seed_draw(seed, READS_MAX)];

    switch (seed_draw(seed, 10)) {
    case 0:
        for (uint64_t n = seed_draw(seed, seed_draw(seed, 20) == 0 ? 60 : 4); n > 0; n--) {
            say_something(seed);
        }
        break;
    case 1:
        if (seed_draw(seed, 8) == 0) {
            hang_up(self);
        }
        break;
    case 2:
    case 3:
        if (self->stream == NULL) {
            connect_somewhere(self, seed);
        }
        break;
    case 4:
        now_us += (int64_t)seed_draw(seed, 2000000);
        for (size_t i = 0; i < STREAMS_MAX; i++) {
            if (listeners[i].stream != NULL) {
                web_stream_tick(listeners[i].stream, now_us);
            }
        }
        break;
    case 5:
        web_replay_advance(replay, now_us);
        break;
    case 6:
        if (one->slot != NULL) {
            answer(one, 1 + seed_draw(seed, 40));
        }
        break;
    default:
        if (self->stream != NULL) {
            read_some(self, 1 + seed_draw(seed, seed_draw(seed, 3) == 0 ? 3000 : 60));
        }
    }
}

static void tell_story(uint64_t *seed)
{
    for (int i = 0; i < 12000; i++) {
        do_something(seed);
    }
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        if (listeners[i].stream == NULL) {
            connect_somewhere(&listeners[i], seed);
        }
    }
    bool any = true;
    while (any) { /* everybody reads to the end */
        any = false;
        now_us += 1000;
        for (size_t i = 0; i < STREAMS_MAX; i++) {
            any |= read_some(&listeners[i], 100000) > 0;
        }
        web_replay_advance(replay, now_us);
        any |= answer_all();
    }
}

Test(web_replay, whatever_happens_everybody_gets_all_that_is_theirs_once)
{
    uint64_t seed = seed_start();
    size_t events = 0;

    for (int round = 0; round < 8; round++) {
        close_feed();
        open_feed(2 + seed_draw(&seed, 60), 500 + seed_draw(&seed, 20000));
        begin_all();
        memset(listeners, 0, sizeof listeners);
        tell_story(&seed);
        for (size_t i = 0; i < STREAMS_MAX; i++) {
            cr_assert_eq(listeners[i].resets, 0);
            cr_assert_eq(listeners[i].bytes.size, 0);
            assert_complete(&listeners[i]);
            events += listeners[i].events;
        }
        cr_assert_gt(reads_asked, 0);
    }
    cr_expect_gt(events, 1000);
}
