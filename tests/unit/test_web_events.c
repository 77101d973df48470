/* Who gets a stream, for how long, and what a change of the user does to it. The parts around are
 * faked: auth's word comes when the test gives it. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <criterion/criterion.h>

#include <ates/auth.h>
#include <ates/tasks.h>

#include "web/web_call.h"
#include "web/web_hub_private.h"
#include "web/web_problem.h"
#include "web/web_route.h"
#include "web/web_session.h"

#define CHECK_US 60000000
#define REQUESTS_MAX 70u

/* A request and what came of it. */
struct asking {
    struct web_request request; /* first */
    const char *last_event_id;  /* header; NULL: none */
    struct web_session *session;
    web_replied *replied; /* of the call under way; NULL: none */
    size_t calls;
    enum ates_status status; /* of a problem */
    char reason[48], field[96];
    bool answered, has_no_reply, was_woken;
    unsigned http_status;
    char headers[256];
    web_stream_read *read;
    char text[8192]; /* that the stream gave */
    size_t size;
    bool has_ended;
};

static struct ates_web web;
static struct web_hub hub;
static struct asking askings[REQUESTS_MAX];
static struct asking *const it = &askings[0];
static struct ates_refusal caller_refusal; /* what web_caller_find says */

static struct asking *asking_of(const struct web_request *request)
{
    return (struct asking *)(void *)request;
}

/* The parts around. */

const char *web_request_header(const struct web_request *request, const char *name)
{
    return strcasecmp(name, "Last-Event-ID") == 0 ? asking_of(request)->last_event_id : NULL;
}

int web_caller_find(struct web_request *request, struct ates_refusal *refusal)
{
    (void)request;
    *refusal = caller_refusal;
    return (int)caller_refusal.status;
}

struct web_session *web_caller_session(const struct web_request *request)
{
    return asking_of(request)->session;
}

struct web_session *web_session_of(struct web_request *request)
{
    return asking_of(request)->session;
}

void web_call(struct web_request *request, const struct ates_service *service,
              const struct ates_command *command, const char *request_id, struct ates_bytes body,
              web_replied *replied)
{
    struct asking *self = asking_of(request);

    cr_assert_eq(service, &auth_service);
    cr_assert_str_eq(command->name, "show_user");
    cr_assert_null(request_id);
    cr_assert(body.size == 1 && body.data[0] == 0x80);
    cr_assert_null(self->replied, "at most one is under way");
    self->replied = replied;
    self->calls++;
}

void web_response_add(struct web_response *response, const char *name, const char *value)
{
    response->headers[response->header_count++] = (struct web_header){name, value};
}

static void note_head(struct asking *self, const struct web_response *head)
{
    cr_assert_not(self->answered);
    self->answered = true;
    self->http_status = head->status;
    cr_assert_str_eq(head->content_type, "text/event-stream");
    for (size_t i = 0; i < head->header_count; i++) {
        const size_t size = strlen(self->headers);

        snprintf(self->headers + size, sizeof self->headers - size, "%s: %s\n",
                 head->headers[i].name, head->headers[i].value);
    }
}

void web_respond(struct web_request *request, const struct web_response *response)
{
    cr_assert_eq(response->body.size, 0);
    note_head(asking_of(request), response);
}

void web_respond_stream(struct web_request *request, const struct web_response *head,
                        web_stream_read *read)
{
    note_head(asking_of(request), head);
    asking_of(request)->read = read;
}

void web_respond_problem(struct web_request *request, const struct ates_refusal *refusal)
{
    struct asking *self = asking_of(request);

    cr_assert_not(self->answered);
    self->answered = true;
    self->status = refusal->status;
    snprintf(self->reason, sizeof self->reason, "%s", refusal->reason);
    snprintf(self->field, sizeof self->field, "%s", refusal->field);
}

void web_respond_no_reply(struct web_request *request)
{
    asking_of(request)->has_no_reply = asking_of(request)->answered = true;
}

void web_stream_wake(struct web_request *request)
{
    asking_of(request)->was_woken = true;
}

static void *ask_nothing(void *context, struct web_slot *slot, unsigned producer,
                         uint64_t after_seq, uint64_t limit)
{
    (void)context;
    (void)slot;
    (void)producer;
    (void)after_seq;
    (void)limit;
    return NULL;
}

static void cancel_nothing(void *context, void *asked)
{
    (void)context;
    (void)asked;
}

/* Requests. */

static void setup(void)
{
    static const struct ates_service *const services[] = {&auth_service, &tasks_service, NULL};
    const struct web_replay_source source = {NULL, ask_nothing, cancel_nothing};

    web.source = ates_source_system();
    web.config.access_ms = 900000;
    web.hub = &hub;
    hub = (struct web_hub){.web = &web, .arena = ates_arena_new(), .tick_us = INT64_MAX};
    cr_assert_eq(web_feed_open(&hub.feed, services, 100, 1u << 20, web_events_wake), 0);
    hub.replay = web_replay_new(&hub.feed, &source);
    web_feed_begin(&hub.feed, 0, "log-of-auth", 0);
    web_feed_begin(&hub.feed, 1, "log-of-tasks", 0);
}

/* The request ends, as it does where its connection breaks. */
static void gone(struct asking *self)
{
    if (self->request.arena != NULL) {
        if (self->request.gone != NULL) {
            self->request.gone(&self->request);
        }
        ates_arena_free(&self->request.arena);
    }
}

static void teardown(void)
{
    for (size_t i = 0; i < REQUESTS_MAX; i++) {
        gone(&askings[i]);
    }
    cr_expect_eq(web_hub_streams(&hub), 0);
    web_replay_free(&hub.replay);
    web_feed_close(&hub.feed);
    ates_arena_free(&hub.arena);
}

TestSuite(web_events, .init = setup, .fini = teardown);

static void request_events(struct asking *self)
{
    const struct web_route route = {.method = WEB_GET};

    self->request.web = &web;
    self->request.arena = ates_arena_new();
    web_handle_events(&self->request, &route);
}

static void say_user(struct asking *self, uint64_t user_id, enum ates_role role)
{
    const struct auth_user user = {.id = user_id,
                                   .login = ates_text_from("login"),
                                   .email = ates_text_from("a@b"),
                                   .role = (int)role};
    struct ates_buffer body = {0};
    web_replied *replied = self->replied;

    cr_assert_not_null(replied, "auth is not asked");
    ates_message_encode(&auth_user_message, &user, &body);
    const struct ates_reply reply = {.status = ATES_OK, .body = {body.data, body.size}};
    self->replied = NULL;
    replied(&self->request, &reply);
    ates_buffer_release(&body);
}

static void say_no(struct asking *self, enum ates_status status, const char *reason)
{
    struct ates_reply reply = {.status = status};
    web_replied *replied = self->replied;

    cr_assert_not_null(replied, "auth is not asked");
    ates_refusal_set(&reply.refusal, status, reason, NULL, "no");
    self->replied = NULL;
    replied(&self->request, &reply);
}

static void say_nothing(struct asking *self)
{
    web_replied *replied = self->replied;

    cr_assert_not_null(replied, "auth is not asked");
    self->replied = NULL;
    replied(&self->request, NULL);
}

/* Reads all that is there; what came before is forgotten. */
static const char *read_text(struct asking *self)
{
    ssize_t got;

    self->size = 0;
    self->was_woken = false;
    while ((got = self->read(&self->request, (uint8_t *)self->text + self->size,
                             sizeof self->text - 1 - self->size)) > 0) {
        self->size += (size_t)got;
    }
    self->has_ended = got < 0;
    self->text[self->size] = '\0';
    return self->text;
}

static void open_stream(struct asking *self, uint64_t user_id, enum ates_role role)
{
    request_events(self);
    say_user(self, user_id, role);
    cr_assert_eq(self->http_status, 200);
    cr_assert_not_null(strstr(read_text(self), "event: hello\n"));
}

static void say(unsigned producer, const struct ates_message *message, const void *data)
{
    struct ates_buffer bytes = {0};

    ates_message_encode(message, data, &bytes);
    const struct ates_envelope envelope = {.event_name = ates_text_from(message->name),
                                           .event_version = 1,
                                           .seq = hub.feed.at.seq[producer] + 1,
                                           .data = {bytes.data, bytes.size}};
    ates_arena_reset(hub.arena);
    struct web_event *event =
        web_event_new(hub.feed.producers[producer].service, producer, &envelope, hub.arena);
    const uint64_t changed_user = event->changed_user;
    web_feed_add(&hub.feed, event);
    if (changed_user != 0) {
        web_events_hold_user(&hub, changed_user);
    }
    ates_buffer_release(&bytes);
}

static void say_task(uint64_t user_id)
{
    say(1, &tasks_task_completed_message,
        &(struct tasks_task_completed){.task_id = 1, .completed_by = user_id});
}

static void change_user(uint64_t user_id)
{
    say(0, &ates_user_changed_message,
        &(struct ates_user_changed){.user_id = user_id,
                                    .login = ates_text_from("login"),
                                    .email = ates_text_from("a@b"),
                                    .role = ATES_OTHER});
}

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
    say_user(it, 7, ATES_OTHER);
    cr_expect(it->was_woken);
    cr_expect_not_null(strstr(read_text(it), "\"event_name\":\"user_changed\""));
    cr_expect_null(strstr(it->text, "\"completed_by\":9"), "the new role counts");
    say_task(9);
    cr_expect_not(it->was_woken);
}

Test(web_events, a_change_while_auth_is_asked_is_asked_for_again)
{
    open_stream(it, 7, ATES_MANAGER);
    tick_at(ates_monotonic_us() + CHECK_US);
    cr_expect_eq(it->calls, 2);
    change_user(7);
    tick_at(ates_monotonic_us() + CHECK_US);
    cr_expect_eq(it->calls, 2);
    say_user(it, 7, ATES_MANAGER); /* of before the change, perhaps */
    cr_expect_null(strstr(read_text(it), "user_changed"));
    tick_at(ates_monotonic_us());
    cr_expect_eq(it->calls, 3);
    say_user(it, 7, ATES_MANAGER);
    cr_expect_not_null(strstr(read_text(it), "\"event_name\":\"user_changed\""));
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
