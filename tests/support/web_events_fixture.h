/* Requests for events with all around them faked: auth's word comes when the test gives it. A program
 * that includes this needs none of the parts faked here. */
#ifndef ATES_TEST_WEB_EVENTS_FIXTURE_H
#define ATES_TEST_WEB_EVENTS_FIXTURE_H

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
static uint64_t auth_seq;                  /* what auth's replies reflect */
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

static inline void note_head(struct asking *self, const struct web_response *head)
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

static inline void setup(void)
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
static inline void gone(struct asking *self)
{
    if (self->request.arena != NULL) {
        if (self->request.gone != NULL) {
            self->request.gone(&self->request);
        }
        ates_arena_free(&self->request.arena);
    }
}

static inline void teardown(void)
{
    for (size_t i = 0; i < REQUESTS_MAX; i++) {
        gone(&askings[i]);
    }
    cr_expect_eq(web_hub_streams(&hub), 0);
    web_replay_free(&hub.replay);
    web_feed_close(&hub.feed);
    ates_arena_free(&hub.arena);
}

static inline void request_events(struct asking *self)
{
    const struct web_route route = {.method = WEB_GET};

    self->request.web = &web;
    self->request.arena = ates_arena_new();
    web_handle_events(&self->request, &route);
}

static inline void say_user(struct asking *self, uint64_t user_id, enum ates_role role)
{
    const struct auth_user user = {.id = user_id,
                                   .login = ates_text_from("login"),
                                   .email = ates_text_from("a@b"),
                                   .role = (int)role};
    struct ates_buffer body = {0};
    web_replied *replied = self->replied;

    cr_assert_not_null(replied, "auth is not asked");
    ates_message_encode(&auth_user_message, &user, &body);
    const struct ates_reply reply = {
        .status = ATES_OK, .seq = auth_seq, .body = {body.data, body.size}};
    self->replied = NULL;
    replied(&self->request, &reply);
    ates_buffer_release(&body);
}

static inline void say_no(struct asking *self, enum ates_status status, const char *reason)
{
    struct ates_reply reply = {.status = status};
    web_replied *replied = self->replied;

    cr_assert_not_null(replied, "auth is not asked");
    ates_refusal_set(&reply.refusal, status, reason, NULL, "no");
    self->replied = NULL;
    replied(&self->request, &reply);
}

static inline void say_nothing(struct asking *self)
{
    web_replied *replied = self->replied;

    cr_assert_not_null(replied, "auth is not asked");
    self->replied = NULL;
    replied(&self->request, NULL);
}

/* Reads all that is there; what came before is forgotten. */
static inline const char *read_text(struct asking *self)
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

static inline void open_stream(struct asking *self, uint64_t user_id, enum ates_role role)
{
    request_events(self);
    say_user(self, user_id, role);
    cr_assert_eq(self->http_status, 200);
    cr_assert_not_null(strstr(read_text(self), "event: hello\n"));
}

static inline void say(unsigned producer, const struct ates_message *message, const void *data)
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
        web_events_hold_user(&hub, changed_user, envelope.seq);
    }
    ates_buffer_release(&bytes);
}

static inline void say_task(uint64_t user_id)
{
    say(1, &tasks_task_completed_message,
        &(struct tasks_task_completed){.task_id = 1, .completed_by = user_id});
}

static inline void change_user(uint64_t user_id)
{
    say(0, &ates_user_changed_message,
        &(struct ates_user_changed){.user_id = user_id,
                                    .login = ates_text_from("login"),
                                    .email = ates_text_from("a@b"),
                                    .role = ATES_OTHER});
}

#endif
