/* The feed tells logs apart, wakes those who have something to see, and nobody else. */
#include "support/web_fixture.h"

static void setup(void)
{
    open_feed(100, 1u << 20);
    begin_all();
}

TestSuite(web_feed, .init = setup, .fini = close_feed);

Test(web_feed, has_the_producers_that_say_something)
{
    struct web_feed another;
    static const struct ates_service silent = {.name = "silent"};
    const struct ates_service *const services[] = {&silent, &tasks_service, NULL};

    cr_assert_eq(web_feed_open(&another, services, 4, 4, fixture_wake), 0);
    cr_expect_eq(another.producer_count, 1);
    cr_expect_eq(another.producers[0].service, &tasks_service);
    web_feed_close(&another);
}

Test(web_feed, is_complete_once_every_log_is_known)
{
    struct web_feed another;

    cr_assert_eq(web_feed_open(&another, web_fixture_services, 4, 4, fixture_wake), 0);
    for (unsigned i = 0; i < PRODUCERS; i++) {
        cr_expect_not(web_feed_is_complete(&another));
        web_feed_begin(&another, i, log_ids[i], 10 + i);
    }
    cr_expect(web_feed_is_complete(&another));
    cr_expect_eq(another.at.seq[2], 12);
    cr_expect_str_eq(another.tag, feed.tag, "the same logs, whatever their length");
    web_feed_close(&another);
}

Test(web_feed, another_log_makes_another_tag)
{
    char before[WEB_TAG_SIZE];

    memcpy(before, feed.tag, sizeof before);
    cr_expect_eq(strlen(before), 8);
    web_feed_begin(&feed, TASKS, log_ids[TASKS], 5);
    cr_expect_str_eq(feed.tag, before);
    web_feed_begin(&feed, TASKS, "018bcfe5-6800-7000-8000-0000000000ff", 5);
    cr_expect_str_neq(feed.tag, before);
    web_feed_begin(&feed, TASKS, log_ids[TASKS], 5);
    web_feed_begin(&feed, AUTH, log_ids[TASKS], 5);
    web_feed_begin(&feed, TASKS, log_ids[AUTH], 5);
    cr_expect_str_neq(feed.tag, before, "which log is whose counts too");
}

Test(web_feed, a_mark_tells_a_position_of_the_same_logs_only)
{
    const struct web_vector at = {{1, 2, 3, 4}};
    struct web_vector found = {{9}};
    struct web_mark mark;

    web_feed_mark(&feed, &at, &mark);
    cr_assert(web_feed_locate(&feed, &mark, &found));
    cr_expect_arr_eq(found.seq, at.seq, sizeof at.seq);
    mark.count--;
    cr_expect_not(web_feed_locate(&feed, &mark, &found));
    mark.count++;
    mark.items[0].producer[0] = 'x';
    cr_expect_not(web_feed_locate(&feed, &mark, &found));
    web_feed_mark(&feed, &at, &mark);
    mark.count++;
    strcpy(mark.items[4].producer, "more");
    cr_expect_not(web_feed_locate(&feed, &mark, &found));
    mark.count--;
    mark.tag[0] ^= 1;
    cr_expect_not(web_feed_locate(&feed, &mark, &found));
}

Test(web_feed, wakes_those_who_may_see_an_event_and_have_seen_all_before)
{
    static const struct {
        uint64_t user_id;
        enum ates_role role;
    } who[] = {{1, ATES_DEVELOPER}, {2, ATES_DEVELOPER}, {3, ATES_MANAGER}, {4, ATES_ACCOUNTANT}};

    for (size_t i = 0; i < 4; i++) {
        connect_at(&listeners[i], who[i].user_id, who[i].role, NULL);
        read_all(&listeners[i]);
        cr_assert_eq(listeners[i].hellos, 1);
    }
    say_task(1, 1);
    cr_expect(listeners[0].was_woken && !listeners[1].was_woken);
    cr_expect(listeners[2].was_woken && !listeners[3].was_woken);
    listeners[0].was_woken = false;
    say_task(1, 1);
    cr_expect_not(listeners[0].was_woken, "it was woken already, and has not read since");
    append_unknown(TASKS);
    publish(TASKS);
    append_transfer(2);
    publish(ACCOUNTING);
    cr_expect(listeners[1].was_woken && listeners[3].was_woken);
    for (size_t i = 0; i < 4; i++) {
        read_all(&listeners[i]);
        assert_complete(&listeners[i]);
        cr_expect_eq(listeners[i].events, i == 0 || i == 2 ? 2 : 1);
    }
    cr_expect_eq(feed.events, 4);
}

Test(web_feed, those_who_stay_keep_their_streams_when_others_leave)
{
    for (size_t i = 0; i < 10; i++) {
        connect_at(&listeners[i], 1, ATES_DEVELOPER, NULL);
        read_all(&listeners[i]);
    }
    for (size_t i = 0; i < 10; i += 3) {
        hang_up(&listeners[i]);
    }
    cr_expect_eq(feed.count, 6);
    say_task(1, 2);
    for (size_t i = 0; i < 10; i++) {
        cr_expect_eq(listeners[i].was_woken, i % 3 != 0);
        if (i % 3 != 0) {
            read_all(&listeners[i]);
            cr_expect_eq(listeners[i].events, 1);
        }
    }
}

Test(web_feed, a_log_that_begins_anew_resets_every_stream)
{
    say_task(1, 1);
    for (size_t i = 0; i < 3; i++) {
        connect_at(&listeners[i], i + 1, ATES_DEVELOPER, NULL);
        read_all(&listeners[i]);
    }
    strcpy(log_ids[TASKS], "018bcfe5-6800-7000-8000-0000000000ff");
    web_feed_begin(&feed, TASKS, log_ids[TASKS], 0);
    ates_buffer_release(&said[TASKS][0].envelope);
    said_count[TASKS] = 0;
    for (size_t i = 0; i < 3; i++) {
        cr_expect(listeners[i].was_woken);
        read_all(&listeners[i]);
        cr_expect_eq(listeners[i].resets, 1);
    }
    say_task(1, 2); /* seq 1 once more */
    for (size_t i = 0; i < 3; i++) {
        read_all(&listeners[i]);
        cr_expect_eq(listeners[i].events, i < 2 ? 1 : 0);
        assert_complete(&listeners[i]);
    }
}
