/* Who gets a stream, for how long, and what a change of the user does to it. */
#include "support/web_events_fixture.h"

#define CHECK_US 60000000

TestSuite(web_events, .init = setup, .fini = teardown);

Test(web_events, opens_with_auths_word_and_says_hello)
{
    request_events(it);
    cr_expect_not(it->answered);
    cr_expect_eq(web_hub_streams(&hub), 0);
    say_user(it, 7, ATES_DEVELOPER);
    cr_expect_eq(it->http_status, 200);
    cr_expect_not_null(strstr(it->headers, "Cache-Control: no-store\n"));
    cr_expect_not_null(strstr(it->headers, "X-Accel-Buffering: no\n"));
    cr_expect_not_null(strstr(read_text(it), "data: {\"user_id\":7,\"role\":\"developer\"}\n\n"));
    cr_expect_eq(web_hub_streams(&hub), 1);
    say_task(8);
    cr_expect_not(it->was_woken);
    say_task(7);
    cr_expect(it->was_woken);
    cr_expect_not_null(strstr(read_text(it), "\"completed_by\":7"));
    gone(it);
    cr_expect_eq(web_hub_streams(&hub), 0);
}

Test(web_events, of_a_head_only_the_head_is_answered)
{
    it->request.is_head = true;
    request_events(it);
    say_user(it, 7, ATES_DEVELOPER);
    cr_expect_eq(it->http_status, 200);
    cr_expect_null(it->read);
    cr_expect_eq(web_hub_streams(&hub), 0);
}

Test(web_events, who_is_refused_gets_a_problem)
{
    request_events(it);
    say_no(it, ATES_UNAUTHENTICATED, "TOKEN_EXPIRED");
    cr_expect_eq(it->status, ATES_UNAUTHENTICATED);
    cr_expect_str_eq(it->reason, "TOKEN_EXPIRED");
    request_events(&askings[1]);
    say_nothing(&askings[1]);
    cr_expect(askings[1].has_no_reply);
    ates_refusal_set(&caller_refusal, ATES_UNAUTHENTICATED, "TOKEN_INVALID", NULL, "no");
    request_events(&askings[2]);
    cr_expect_str_eq(askings[2].reason, "TOKEN_INVALID");
    cr_expect_eq(askings[2].calls, 0);
    cr_expect_eq(web_hub_streams(&hub), 0);
}

Test(web_events, a_request_that_goes_before_auths_word_leaves_nothing)
{
    request_events(it);
    gone(it);
    cr_expect_eq(web_hub_streams(&hub), 0);
}

static void assert_id_refused(struct asking *self, const char *header, const char *parameter,
                              const char *value, const char *field)
{
    self->last_event_id = header;
    if (parameter != NULL) {
        self->request.uri.pairs[0] =
            (struct web_pair){ates_text_from(parameter), ates_text_from(value)};
        self->request.uri.pair_count = 1;
    }
    request_events(self);
    cr_expect_eq(self->status, ATES_INVALID_ARGUMENT);
    cr_expect_str_eq(self->field, field);
    cr_expect_eq(self->calls, 0);
}

Test(web_events, an_id_that_is_none_is_refused)
{
    assert_id_refused(&askings[0], "nonsense", NULL, NULL, "Last-Event-ID");
    assert_id_refused(&askings[1], NULL, "last_event_id", "nonsense", "last_event_id");
    assert_id_refused(&askings[2], "nonsense", "last_event_id", "00000000", "Last-Event-ID");
    assert_id_refused(&askings[3], NULL, "another", "1", "");
    cr_expect_str_eq(askings[3].reason, "FIELD_UNKNOWN");
}

static void resume(struct asking *self, const char *header, const char *value)
{
    self->last_event_id = header;
    if (value != NULL) {
        self->request.uri.pairs[0] =
            (struct web_pair){ates_text_from("last_event_id"), ates_text_from(value)};
        self->request.uri.pair_count = 1;
    }
    open_stream(self, 7, ATES_DEVELOPER);
}

Test(web_events, goes_on_after_the_id_of_header_or_parameter)
{
    char first[64], second[64];

    say_task(7);
    say_task(7);
    snprintf(first, sizeof first, "%s,auth:0,tasks:0", hub.feed.tag);
    snprintf(second, sizeof second, "%s,auth:0,tasks:1", hub.feed.tag);
    resume(&askings[0], first, NULL);
    cr_expect_not_null(strstr(askings[0].text, "\"seq\":1,"));
    resume(&askings[1], NULL, first);
    cr_expect_not_null(strstr(askings[1].text, "\"seq\":1,"));
    resume(&askings[2], second, first); /* the header is the newer one */
    cr_expect_null(strstr(askings[2].text, "\"seq\":1,"));
    cr_expect_not_null(strstr(askings[2].text, "\"seq\":2,"));
    resume(&askings[3], NULL, "");
    cr_expect_null(strstr(askings[3].text, "\"seq\":"));
}

Test(web_events, a_user_has_so_many_streams_at_most)
{
    for (size_t i = 0; i < 64; i++) {
        open_stream(&askings[i], 7, ATES_DEVELOPER);
    }
    request_events(&askings[64]);
    say_user(&askings[64], 7, ATES_DEVELOPER);
    cr_expect_eq(askings[64].status, ATES_RESOURCE_EXHAUSTED);
    cr_expect_str_eq(askings[64].reason, "TOO_MANY_STREAMS");
    cr_expect(askings[0].was_woken && askings[63].was_woken, "to see whether they live");
    cr_expect_not_null(strstr(read_text(&askings[5]), ": heartbeat\n"));
    open_stream(&askings[65], 8, ATES_DEVELOPER);
    gone(&askings[3]);
    open_stream(&askings[66], 7, ATES_DEVELOPER);
}

/* Checks. */

static void tick_at(int64_t now_us)
{
    web_events_tick(&hub, now_us);
}

Test(web_events, its_user_is_checked_once_a_minute)
{
    open_stream(it, 7, ATES_DEVELOPER);
    const int64_t begun_us = ates_monotonic_us();
    cr_expect_leq(hub.tick_us, begun_us, "somebody looks after it");
    tick_at(begun_us + CHECK_US / 2);
    cr_expect_eq(it->calls, 1);
    tick_at(begun_us + CHECK_US);
    cr_expect_eq(it->calls, 2);
    tick_at(begun_us + 2 * CHECK_US); /* one at a time */
    cr_expect_eq(it->calls, 2);
    say_user(it, 7, ATES_DEVELOPER);
    tick_at(ates_monotonic_us());
    cr_expect_eq(it->calls, 2);
    say_task(7);
    cr_expect_not_null(strstr(read_text(it), "\"completed_by\":7"));
}

Test(web_events, checks_are_spread)
{
    size_t asked = 0;

    for (size_t i = 0; i < REQUESTS_MAX; i++) {
        open_stream(&askings[i], 1 + i, ATES_DEVELOPER);
    }
    tick_at(ates_monotonic_us() + CHECK_US - 7000000);
    for (size_t i = 0; i < REQUESTS_MAX; i++) {
        asked += askings[i].calls - 1;
    }
    cr_expect(asked > 0 && asked < REQUESTS_MAX, "%zu at once", asked);
}

Test(web_events, who_is_refused_later_gets_a_bye)
{
    open_stream(it, 7, ATES_DEVELOPER);
    tick_at(ates_monotonic_us() + CHECK_US);
    say_no(it, ATES_UNAUTHENTICATED, "TOKEN_EXPIRED");
    cr_expect(it->was_woken);
    cr_expect_str_eq(read_text(it), "event: bye\ndata: {\"reason\":\"TOKEN_EXPIRED\"}\n\n");
    cr_expect(it->has_ended);
    tick_at(ates_monotonic_us() + 3 * CHECK_US);
    cr_expect_eq(it->calls, 2, "who has left is asked about no more");
}

Test(web_events, another_user_behind_the_token_ends_it)
{
    open_stream(it, 7, ATES_DEVELOPER);
    tick_at(ates_monotonic_us() + CHECK_US);
    say_user(it, 8, ATES_DEVELOPER);
    cr_expect_not_null(strstr(read_text(it), "event: bye\n"));
}

Test(web_events, while_auth_cannot_say_it_goes_on_but_not_for_ever)
{
    const int64_t begun_us = ates_monotonic_us();

    web.config.access_ms = 60;
    open_stream(it, 7, ATES_DEVELOPER);
    tick_at(begun_us + CHECK_US);
    say_nothing(it);
    say_task(7);
    cr_expect_not_null(strstr(read_text(it), "\"completed_by\":7"));
    tick_at(begun_us + 4000000);
    cr_expect_eq(it->calls, 2, "it is not asked at once again");
    while (ates_monotonic_us() < begun_us + 61000) { /* a token's life, shortened to 60 ms */
    }
    tick_at(begun_us + 2 * CHECK_US);
    say_no(it, ATES_RESOURCE_EXHAUSTED, "WEB_BUSY");
    cr_expect_not_null(strstr(read_text(it), "event: bye\ndata: {\"reason\":\"UNCONFIRMED\"}\n\n"));
}

Test(web_events, nothing_is_shown_between_a_change_and_auths_word)
{
    open_stream(it, 7, ATES_MANAGER);
    open_stream(&askings[1], 8, ATES_MANAGER);
    hub.tick_us = INT64_MAX;
    change_user(7);
    cr_expect_eq(hub.tick_us, 0, "it is asked for at once");
    tick_at(ates_monotonic_us());
    cr_expect_eq(it->calls, 2);
    cr_expect_eq(askings[1].calls, 1);
    say_task(9);
    cr_expect_str_eq(read_text(it), "");
    cr_expect_not_null(strstr(read_text(&askings[1]), "\"completed_by\":9"));
    auth_seq = 1;
    say_user(it, 7, ATES_OTHER);
    cr_expect(it->was_woken);
    cr_expect_not_null(strstr(read_text(it), "\"event_name\":\"user_changed\""));
    cr_expect_null(strstr(it->text, "\"completed_by\":9"), "the new role counts");
    say_task(9);
    cr_expect_not(it->was_woken);
}

Test(web_events, what_auth_said_before_a_change_is_asked_for_again)
{
    open_stream(it, 7, ATES_MANAGER);
    tick_at(ates_monotonic_us() + CHECK_US);
    cr_expect_eq(it->calls, 2);
    change_user(7);
    tick_at(ates_monotonic_us() + CHECK_US);
    cr_expect_eq(it->calls, 2, "one at a time");
    say_user(it, 7, ATES_MANAGER); /* reflects auth's log before its event 1 */
    cr_expect_null(strstr(read_text(it), "user_changed"));
    cr_expect_eq(it->calls, 3);
    auth_seq = 1;
    say_user(it, 7, ATES_OTHER);
    cr_expect_not_null(strstr(read_text(it), "\"event_name\":\"user_changed\""));
    cr_expect_null(it->replied);
}

Test(web_events, a_change_that_comes_before_auths_first_word_counts_too)
{
    request_events(it);
    change_user(7);
    change_user(8);
    say_user(it, 7, ATES_MANAGER);
    cr_expect_not(it->answered);
    cr_expect_eq(it->calls, 2);
    auth_seq = 1;
    say_user(it, 7, ATES_OTHER);
    cr_expect_eq(it->http_status, 200);
    cr_expect_not_null(strstr(read_text(it), "\"role\":\"other\""));
    auth_seq = 0;
    open_stream(&askings[1], 9, ATES_MANAGER); /* of whom nothing changed */
    for (uint64_t i = 0; i < WEB_CHANGES_MAX; i++) {
        change_user(100 + i);
    }
    auth_seq = 2;
    request_events(&askings[2]);
    say_user(&askings[2], 9, ATES_MANAGER);
    cr_expect_not(askings[2].answered, "so many changes since that it is not known");
    auth_seq = 3;
    say_user(&askings[2], 9, ATES_MANAGER);
    cr_expect_eq(askings[2].http_status, 200);
}

/* The session is a pointer here, and never looked into. */
Test(web_events, ends_with_its_session)
{
    struct web_session *session = (struct web_session *)&web, *other = (struct web_session *)&hub;

    askings[0].session = session;
    askings[1].session = other;
    askings[3].session = session;
    for (size_t i = 0; i < 3; i++) {
        open_stream(&askings[i], 7, ATES_DEVELOPER);
    }
    request_events(&askings[3]); /* auth has not said yet who asks */
    web_hub_end_session(NULL, session);
    web_hub_end_session(&hub, session);
    cr_expect_not_null(strstr(read_text(&askings[0]), "event: bye\n"));
    cr_expect(askings[0].has_ended);
    cr_expect_str_eq(read_text(&askings[1]), "");
    cr_expect_str_eq(read_text(&askings[2]), "");
    cr_expect_not(askings[2].has_ended);
    askings[3].session = NULL; /* what web_session_of says of one that is over */
    say_user(&askings[3], 7, ATES_DEVELOPER);
    cr_expect_str_eq(askings[3].reason, "SESSION_UNKNOWN");
}
