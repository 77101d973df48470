/* A stream says hello, sends what its user may see, whole and once, and ends with a bye. */
#include "support/web_fixture.h"

static struct listener *const it = &listeners[0];

static void setup(void)
{
    open_feed(100, 1u << 20);
    begin_all();
}

static void setup_unknown(void)
{
    open_feed(100, 1u << 20);
}

TestSuite(web_stream, .init = setup, .fini = close_feed);
TestSuite(web_stream_joining, .init = setup_unknown, .fini = close_feed);

static void assert_silent(struct listener *self)
{
    cr_assert_eq(read_some(self, 4096), 0);
    cr_assert_not(self->has_ended);
}

Test(web_stream, says_hello_first)
{
    say_task(2, 2);
    connect_at(it, 3, ATES_MANAGER, NULL);
    read_all(it);
    cr_expect_eq(it->hellos, 1);
    cr_expect_str_eq(it->last_data, "{\"user_id\":3,\"role\":\"manager\"}");
    cr_expect_eq(it->from.seq[TASKS], 1, "the id of hello is where it begins");
    cr_expect_eq(it->events, 0);
    assert_silent(it);
}

Test(web_stream, sends_an_event_as_it_is)
{
    uint8_t data[4096];
    char expected[4096];

    connect_at(it, 1, ATES_DEVELOPER, NULL);
    read_all(it);
    say_task(1, 2);
    const ssize_t size = web_stream_give(it->stream, data, sizeof data);
    snprintf(
        expected, sizeof expected,
        "id: %s,auth:0,tasks:1,accounting:0,payment:0\n"
        "data: {\"producer\":\"tasks\",\"seq\":1,\"event_name\":\"task_created\","
        "\"event_version\":1,\"event_time\":1700000000000,\"data\":{\"task_id\":1,"
        "\"name\":\"a task\",\"description\":\"to do\",\"assigned_to\":1,\"created_by\":2}}\n\n",
        feed.tag);
    cr_assert_eq(size, (ssize_t)strlen(expected));
    cr_expect_arr_eq(data, expected, strlen(expected));
    assert_silent(it);
}

Test(web_stream, is_given_in_whatever_pieces_the_client_takes)
{
    char text[5001];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (size_t size = 1; size < 200; size += size < 8 ? 1 : 37) {
        connect_at(it, 1, ATES_DEVELOPER, NULL);
        append_task(1, 1, text); /* larger than any piece */
        say_task(2, 2);
        append_transfer(1);
        publish(ACCOUNTING);
        const size_t events = it->events;
        while (read_some(it, size) > 0) {
        }
        cr_assert_eq(it->bytes.size, 0);
        cr_assert_eq(it->events, events + 2);
        assert_complete(it);
        hang_up(it);
    }
}

/* The event in hand is held by the stream until it is sent, though the ring forgets it. */
Test(web_stream, an_event_half_sent_outlives_the_ring)
{
    connect_at(it, 1, ATES_DEVELOPER, NULL);
    read_all(it);
    say_task(1, 1);
    cr_assert_eq(read_some(it, 100), 100);
    for (int i = 0; i < 99; i++) {
        say_task(2, 2);
    }
    cr_assert_eq(web_ring_first(feed.ring), 0);
    say_task(1, 1); /* makes the first one go */
    read_all(it);
    cr_expect_eq(it->events, 2);
    cr_expect_eq(reads_asked, 0, "the rest was in the ring");
    assert_complete(it);
}

Test(web_stream, heartbeats_tell_how_far_unseen_events_went)
{
    connect_at(it, 1, ATES_DEVELOPER, NULL);
    read_all(it);
    web_stream_tick(it->stream, now_us + WEB_BEAT_US - 1);
    cr_expect_not(it->was_woken);
    assert_silent(it);
    say_task(2, 2);
    cr_expect_not(it->was_woken);
    web_stream_tick(it->stream, now_us + WEB_BEAT_US);
    cr_expect(it->was_woken);
    read_all(it);
    cr_expect_eq(it->beats, 1);
    cr_expect_not_null(strstr(it->id, ",tasks:1,"));
    web_stream_tick(it->stream, now_us + 2 * WEB_BEAT_US - 1);
    assert_silent(it);
    web_stream_tick(it->stream, now_us + 2 * WEB_BEAT_US);
    read_all(it);
    cr_expect_eq(it->beats, 2);
    say_task(1, 1);
    read_all(it);
    cr_expect_eq(it->events, 1);
}

Test(web_stream, held_it_shows_nothing_until_it_is_confirmed)
{
    connect_at(it, 3, ATES_MANAGER, NULL);
    read_all(it);
    say_task(1, 1);
    web_stream_hold(it->stream);
    say_task(2, 2);
    assert_silent(it);
    web_stream_tick(it->stream, now_us + WEB_BEAT_US);
    read_all(it);
    cr_expect_eq(it->beats, 1, "but that it lives");
    cr_expect_not_null(strstr(it->id, ",tasks:0,"), "%s", it->id);
    cr_expect_eq(it->events, 0);
    web_stream_confirm(it->stream, ATES_MANAGER);
    cr_expect(it->was_woken);
    read_all(it);
    cr_expect_eq(it->events, 2);
    assert_complete(it);
}

Test(web_stream, another_role_counts_from_its_confirmation_on)
{
    connect_at(it, 3, ATES_MANAGER, NULL);
    read_all(it);
    web_stream_hold(it->stream);
    append_transfer(1); /* the manager would not see it */
    publish(ACCOUNTING);
    say_task(1, 1);
    it->role = ATES_ACCOUNTANT;
    web_stream_confirm(it->stream, ATES_ACCOUNTANT);
    read_all(it);
    cr_expect_eq(it->events, 1);
    cr_expect_eq(it->seen[ACCOUNTING], 1);
    say_task(1, 1);
    cr_expect_not(it->was_woken);
    append_run();
    publish(PAYMENT);
    read_all(it);
    cr_expect_eq(it->events, 2);
    assert_complete(it);
}

Test(web_stream, ends_with_a_bye_after_the_message_that_is_on_its_way)
{
    connect_at(it, 1, ATES_DEVELOPER, NULL);
    read_all(it);
    say_task(1, 1);
    say_task(1, 1);
    cr_assert_eq(read_some(it, 50), 50);
    web_stream_end(it->stream, "TOKEN_EXPIRED");
    cr_expect(it->was_woken);
    read_all(it);
    cr_expect_eq(it->events, 1);
    cr_expect_eq(it->byes, 1);
    cr_expect_str_eq(it->last_data, "{\"reason\":\"TOKEN_EXPIRED\"}");
    cr_expect(it->has_ended);
    web_stream_end(it->stream, "SOMETHING");
    say_task(1, 1);
    web_stream_tick(it->stream, now_us + WEB_BEAT_US);
    cr_expect_eq(read_some(it, 100), 0);
    cr_expect(it->has_ended);
    cr_expect_eq(it->byes, 1);
}

Test(web_stream, goes_on_after_its_id)
{
    connect_at(it, 1, ATES_DEVELOPER, NULL);
    read_all(it);
    say_task(1, 1);
    read_all(it);
    hang_up(it);
    say_task(2, 2);
    say_task(1, 2);
    append_transfer(1);
    publish(ACCOUNTING);
    connect_at(it, 1, ATES_DEVELOPER, it->id);
    read_all(it);
    cr_expect_eq(it->hellos, 2);
    cr_expect_eq(it->resets, 0);
    cr_expect_eq(it->events, 3);
    assert_complete(it);
    say_task(2, 2);
    cr_expect_not(it->was_woken);
}

Test(web_stream, the_id_of_hello_is_where_it_resumes)
{
    char id[WEB_MARK_SIZE];
    uint8_t data[64 + WEB_MARK_SIZE];

    snprintf(id, sizeof id, "%s,auth:0,tasks:1,accounting:0,payment:0", feed.tag);
    for (int i = 0; i < 3; i++) {
        say_task(1, 1);
    }
    connect_at(it, 1, ATES_DEVELOPER, id);
    cr_assert_eq(web_stream_give(it->stream, data, 4 + strlen(id)), (ssize_t)(4 + strlen(id)));
    cr_expect_arr_eq(data + 4, id, strlen(id));
}

static void assert_reset(const char *id)
{
    uint8_t data[64];

    connect_at(it, 1, ATES_DEVELOPER, id);
    web_stream_tick(it->stream, now_us + WEB_JOIN_US);
    cr_assert_eq(web_stream_give(it->stream, data, 13), 13);
    cr_expect_arr_eq(data, "event: hello\n", 13, "an id could make the reset be lost");
    hang_up(it);
    const size_t resets = it->resets;
    connect_at(it, 1, ATES_DEVELOPER, id);
    web_stream_tick(it->stream, now_us + WEB_JOIN_US);
    read_all(it);
    cr_expect_eq(it->resets, resets + 1, "%s", id);
    cr_expect_str_eq(it->last_name, "reset");
    cr_expect_str_eq(it->last_data, "{}");
    const size_t events = it->events;
    say_task(1, 1);
    read_all(it);
    cr_expect_eq(it->events, events + 1, "and it goes on from now");
    hang_up(it);
}

Test(web_stream, where_it_cannot_resume_it_says_reset)
{
    char id[WEB_MARK_SIZE];

    say_task(1, 1);
    snprintf(id, sizeof id, "%s,auth:0,tasks:999,accounting:0,payment:0", feed.tag);
    assert_reset(id); /* ahead of the log */
    snprintf(id, sizeof id, "%s,auth:0,tasks:1,accounting:0,payment:1", feed.tag);
    assert_reset(id);
    snprintf(id, sizeof id, "%s,auth:0,tasks:1,accounting:0", feed.tag);
    assert_reset(id); /* not ours */
    assert_reset("00000000,auth:0,tasks:1,accounting:0,payment:0");
    assert_reset("00000000");
    web_feed_begin(&feed, AUTH, log_ids[AUTH], WEB_BEHIND_MAX + 1);
    snprintf(id, sizeof id, "%s,auth:0,tasks:1,accounting:0,payment:0", feed.tag);
    assert_reset(id); /* too far behind */
}

/* The service was started anew, and began at an older head than the one before came to. */
Test(web_stream, waits_for_a_feed_that_is_behind_its_client)
{
    char id[WEB_MARK_SIZE];

    say_task(1, 1);
    snprintf(id, sizeof id, "%s,auth:0,tasks:3,accounting:0,payment:0", feed.tag);
    connect_at(it, 1, ATES_DEVELOPER, id);
    assert_silent(it);
    say_task(1, 1);
    web_stream_tick(it->stream, now_us + WEB_JOIN_US / 2);
    cr_expect_not(it->was_woken);
    assert_silent(it);
    say_task(1, 1);
    web_stream_tick(it->stream, now_us + WEB_JOIN_US - 1);
    cr_expect(it->was_woken);
    read_all(it);
    cr_expect_eq(it->hellos, 1);
    cr_expect_eq(it->events, 0, "the client has them");
    say_task(1, 1);
    read_all(it);
    cr_expect_eq(it->events, 1);
    cr_expect_eq(it->resets, 0);
}

Test(web_stream_joining, waits_until_all_logs_are_known)
{
    connect_at(it, 1, ATES_DEVELOPER, NULL);
    assert_silent(it);
    begin_all();
    web_stream_tick(it->stream, now_us + 1);
    cr_expect(it->was_woken);
    read_all(it);
    cr_expect_eq(it->hellos, 1);
    cr_expect_eq(it->resets, 0);
    say_task(1, 1);
    read_all(it);
    assert_complete(it);
}

Test(web_stream_joining, waits_no_longer_than_it_must)
{
    web_feed_begin(&feed, AUTH, "an-id", 4);
    connect_at(it, 1, ATES_DEVELOPER, NULL);
    web_stream_tick(it->stream, now_us + WEB_JOIN_US - 1);
    assert_silent(it);
    web_stream_tick(it->stream, now_us + WEB_JOIN_US);
    read_all(it);
    cr_expect_eq(it->hellos, 1);
    cr_expect_not_null(strstr(it->id, ",auth:4"));
    cr_expect_null(strstr(it->id, "tasks"));
    said_count[TASKS] = 0;
    begin_all(); /* what it did not know is there */
    read_all(it);
    cr_expect_geq(it->resets, 1);
    say_task(1, 1);
    read_all(it);
    assert_complete(it);
}

Test(web_stream_joining, may_end_before)
{
    connect_at(it, 1, ATES_DEVELOPER, NULL);
    web_stream_end(it->stream, "SESSION_UNKNOWN");
    read_all(it);
    cr_expect_eq(it->byes, 1);
    cr_expect_eq(it->hellos, 0);
    cr_expect(it->has_ended);
}
