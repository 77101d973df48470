/* GET /events: who asks for live events, and whether they may still have them.
 *
 * auth says who the caller is: when a stream opens, once a minute while it lasts, and as soon as
 * something of the user changed. Invariant: nothing is shown between such a change and auth's word
 * on it. */
#include <string.h>

#include <ates/auth.h>

#include "core/random.h"
#include "web/web_call.h"
#include "web/web_hub_private.h"
#include "web/web_problem.h"
#include "web/web_session.h"

#define STREAMS_PER_USER 64u
#define CHECK_US 60000000        /* between two checks of a stream's user */
#define CHECK_SPREAD_US 15000000 /* less than that by chance, as many streams open at once */
#define CHECK_AGAIN_US 5000000   /* where auth did not answer */

/* One request for events. In the request's arena. */
struct listening {
    struct web_hub *hub;
    struct web_request *request;
    struct web_stream *stream;         /* NULL: auth has not said yet who asks */
    const struct web_session *session; /* NULL: a bearer's token */
    bool has_mark;
    struct web_mark mark;
    bool is_asking; /* auth is asked */
    int64_t check_us;
    int64_t confirmed_us;
};

static void ask(struct listening *self);

void web_events_wake(struct web_stream *stream)
{
    const struct listening *self = stream->owner;

    web_stream_wake(self->request);
}

static void on_gone(struct web_request *request)
{
    struct listening *self = request->context;

    web_stream_free(&self->stream);
}

static ssize_t read_stream(struct web_request *request, uint8_t *data, size_t size)
{
    const struct listening *self = request->context;

    return web_stream_give(self->stream, data, size);
}

/* The last id that the client had: the header is the browser's own, the parameter a page's. */
static int read_mark(struct listening *self, struct ates_refusal *refusal)
{
    static const char parameter[] = "last_event_id";
    const struct web_uri *uri = &self->request->uri;
    const char *header = web_request_header(self->request, "Last-Event-ID");
    struct ates_text text = ates_text_from(header != NULL ? header : "");

    for (size_t i = 0; i < uri->pair_count; i++) {
        if (!ates_text_equal(uri->pairs[i].name, ates_text_from(parameter))) {
            return ates_refusal_set(refusal, ATES_INVALID_ARGUMENT, "FIELD_UNKNOWN", NULL,
                                    "the only parameter is %s", parameter);
        }
        if (header == NULL) {
            text = uri->pairs[i].value;
        }
    }
    self->has_mark = text.size > 0;
    if (self->has_mark && web_mark_parse(text, &self->mark) != 0) {
        return ates_refusal_set(refusal, ATES_INVALID_ARGUMENT, "FIELD_INVALID",
                                header != NULL ? "Last-Event-ID" : parameter,
                                "this is no id of an event");
    }
    return 0;
}

static size_t streams_of(const struct web_feed *feed, uint64_t user_id)
{
    size_t count = 0;

    for (size_t i = 0; i < feed->count; i++) {
        count += feed->listeners[i].user_id == user_id;
    }
    return count;
}

/* A client that is gone is noticed only when it is sent something: streams that count against the
 * limit but have nobody at their end give way to the next try. */
static void probe_streams(struct web_feed *feed, uint64_t user_id)
{
    for (size_t i = 0; i < feed->count; i++) {
        if (feed->listeners[i].user_id == user_id) {
            web_stream_beat(feed->streams[i]);
        }
    }
}

static void schedule_check(struct listening *self, int64_t now_us)
{
    const struct ates_source *source = &self->request->web->source;

    self->confirmed_us = now_us;
    self->check_us = now_us + CHECK_US - (int64_t)ates_random_uniform(source, CHECK_SPREAD_US);
}

/* Auth has said who asks: the stream begins. */
static void open_stream(struct listening *self, const struct auth_user *user)
{
    struct web_request *request = self->request;
    struct web_hub *hub = self->hub;
    struct web_response head = {.status = 200, .content_type = "text/event-stream"};
    struct ates_refusal refusal = {.status = ATES_OK};
    const int64_t now_us = ates_monotonic_us();

    if (self->session != NULL && web_session_of(request) != self->session) {
        ates_refusal_set(&refusal, ATES_UNAUTHENTICATED, "SESSION_UNKNOWN", NULL,
                         "the session is over");
    } else if (streams_of(&hub->feed, user->id) >= STREAMS_PER_USER) {
        ates_refusal_set(&refusal, ATES_RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS", NULL,
                         "a user has at most %u streams of events at once", STREAMS_PER_USER);
        refusal.retry_after_ms = 5000;
        probe_streams(&hub->feed, user->id);
    }
    if (refusal.status != ATES_OK) {
        web_respond_problem(request, &refusal);
        return;
    }
    web_response_add(&head, "Cache-Control", "no-store");
    web_response_add(&head, "X-Accel-Buffering", "no"); /* a proxy must not hold events up */
    if (request->is_head) {
        web_respond(request, &head);
        return;
    }
    self->stream =
        web_stream_new(&hub->feed, hub->replay, self, user->id, (enum ates_role)user->role,
                       self->has_mark ? &self->mark : NULL, now_us);
    schedule_check(self, now_us);
    hub->tick_us = hub->tick_us < now_us ? hub->tick_us : now_us;
    web_respond_stream(request, &head, read_stream);
}

/* Whether a refusal says nothing of the user, only that auth cannot say now. */
static bool is_passing(enum ates_status status)
{
    return status == ATES_RESOURCE_EXHAUSTED || status == ATES_UNAVAILABLE ||
           status == ATES_DEADLINE_EXCEEDED || status == ATES_INTERNAL;
}

/* Auth could not say: the stream goes on, but not for longer than a token would have lived. */
static void check_again(struct listening *self, int64_t now_us)
{
    self->check_us = now_us + CHECK_AGAIN_US;
    if (now_us - self->confirmed_us >= self->request->web->config.access_ms * 1000) {
        web_stream_end(self->stream, "UNCONFIRMED");
    }
}

/* Whether something of the user changed after what auth said, as events and replies come on different
 * ways. */
static bool is_outdated(const struct web_hub *hub, uint64_t user_id, uint64_t seq)
{
    const size_t kept = hub->change_count < WEB_CHANGES_MAX ? hub->change_count : WEB_CHANGES_MAX;

    for (size_t i = 1; i <= kept; i++) {
        const struct web_change *change = &hub->changes[(hub->change_count - i) % WEB_CHANGES_MAX];

        if (change->seq <= seq) {
            return false; /* so are those before it */
        }
        if (change->user_id == user_id) {
            return true;
        }
    }
    return kept == WEB_CHANGES_MAX; /* too many changes since to know */
}

static bool read_user(struct listening *self, const struct ates_reply *reply,
                      struct auth_user *user)
{
    struct ates_arena *arena = self->hub->arena; /* not the request's, which may last for days */

    ates_arena_reset(arena);
    return ates_message_decode(&auth_user_message, reply->body.data, reply->body.size,
                               ATES_UNKNOWN_IGNORED, arena, user, NULL) == 0;
}

static void confirm_stream(struct listening *self, const struct ates_reply *reply)
{
    const int64_t now_us = ates_monotonic_us();
    struct auth_user user;

    if (reply == NULL || is_passing(reply->status)) {
        check_again(self, now_us);
    } else if (reply->status != ATES_OK) {
        web_stream_end(self->stream, reply->refusal.reason);
    } else if (!read_user(self, reply, &user) || user.id != web_stream_user(self->stream)) {
        web_stream_end(self->stream, "USER_CHANGED");
    } else if (is_outdated(self->hub, user.id, reply->seq)) {
        ask(self);
    } else {
        schedule_check(self, now_us);
        web_stream_confirm(self->stream, (enum ates_role)user.role);
    }
}

static void take_user(void *owner, const struct ates_reply *reply)
{
    struct web_request *request = owner;
    struct listening *self = request->context;
    struct ates_refusal refusal;
    struct auth_user user;

    self->is_asking = false;
    if (self->stream != NULL) {
        confirm_stream(self, reply);
    } else if (reply == NULL) {
        web_respond_no_reply(request);
    } else if (reply->status != ATES_OK) {
        web_respond_problem(request, &reply->refusal);
    } else if (read_user(self, reply, &user)) {
        if (is_outdated(self->hub, user.id, reply->seq)) {
            ask(self);
        } else {
            open_stream(self, &user);
        }
    } else {
        ates_refusal_set(&refusal, ATES_INTERNAL, "INTERNAL", NULL, "the service's reply is none");
        web_respond_problem(request, &refusal);
    }
}

static void ask(struct listening *self)
{
    static const char name[] = "show_user";
    static const uint8_t nothing[] = {0x80}; /* an empty map */

    self->is_asking = true;
    web_call(self->request, &auth_service,
             ates_service_command(&auth_service, name, sizeof name - 1), NULL,
             (struct ates_bytes){nothing, sizeof nothing}, take_user);
}

void web_handle_events(struct web_request *request, const struct web_route *route)
{
    struct listening *self = ates_arena_alloc(request->arena, sizeof *self);
    struct ates_refusal refusal;

    (void)route;
    self->hub = request->web->hub;
    self->request = request;
    int r = web_caller_find(request, &refusal);
    if (r == 0) {
        r = read_mark(self, &refusal);
    }
    if (r != 0) {
        web_respond_problem(request, &refusal);
        return;
    }
    self->session = web_caller_session(request);
    request->context = self;
    request->gone = on_gone;
    ask(self);
}

void web_events_tick(struct web_hub *hub, int64_t now_us)
{
    for (size_t i = 0; i < hub->feed.count; i++) {
        struct web_stream *stream = hub->feed.streams[i];
        struct listening *self = stream->owner;

        web_stream_tick(stream, now_us);
        if (now_us >= self->check_us && !self->is_asking && !stream->is_ending) {
            self->check_us = now_us + CHECK_AGAIN_US;
            ask(self);
        }
    }
}

void web_events_hold_user(struct web_hub *hub, uint64_t user_id, uint64_t seq)
{
    hub->changes[hub->change_count++ % WEB_CHANGES_MAX] =
        (struct web_change){.user_id = user_id, .seq = seq};
    for (size_t i = 0; i < hub->feed.count; i++) {
        if (hub->feed.listeners[i].user_id == user_id) {
            struct listening *self = hub->feed.streams[i]->owner;

            web_stream_hold(self->stream);
            self->check_us = 0;
            hub->tick_us = 0;
        }
    }
}

void web_hub_end_session(struct web_hub *self, const struct web_session *session)
{
    for (size_t i = 0; self != NULL && i < self->feed.count; i++) {
        const struct listening *listening = self->feed.streams[i]->owner;

        if (listening->session == session) {
            web_stream_end(listening->stream, "SESSION_OVER");
        }
    }
}
