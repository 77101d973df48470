/* Replays of many users: none of them keeps the others waiting. */
#include "support/web_fixture.h"

static void setup(void)
{
    open_feed(8, 1u << 20); /* a small ring, so that much is beyond it */
    begin_all();
}

TestSuite(web_replay_share, .init = setup, .fini = close_feed, .timeout = 60);

static void connect_at_start(struct listener *self, uint64_t user_id)
{
    char id[WEB_MARK_SIZE];

    snprintf(id, sizeof id, "%s,auth:0,tasks:0,accounting:0,payment:0", feed.tag);
    connect_at(self, user_id, ATES_DEVELOPER, id);
    read_all(self);
}

Test(web_replay_share, one_users_many_streams_leave_the_others_their_turn)
{
    struct listener *const other = &listeners[STREAMS_MAX - 1];

    for (size_t i = 0; i < 50; i++) {
        say_task(1 + i % 2, 3);
    }
    for (size_t i = 0; i < STREAMS_MAX - 1; i++) {
        connect_at_start(&listeners[i], 1);
    }
    web_replay_advance(replay, now_us);
    answer_all(); /* all pages are user 1's, who takes none, and more of theirs wait */
    connect_at_start(other, 2);
    other->was_woken = false;
    web_replay_advance(replay, now_us);
    cr_expect_eq(reads_asked, WEB_SLOTS);
    read_all(&listeners[0]); /* one page is done with */
    web_replay_advance(replay, now_us);
    cr_expect_eq(reads_asked, WEB_SLOTS + 1);
    answer_all();
    cr_expect(other->was_woken);
    read_all(other);
    assert_complete(other);
    web_replay_advance(replay, now_us); /* with nobody else, the others of user 1 go on */
    cr_expect_eq(reads_asked, WEB_SLOTS + 2);
    answer_all();
    cr_expect(listeners[WEB_SLOTS].was_woken);
}
