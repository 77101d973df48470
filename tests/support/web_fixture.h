/* A feed whose events are said by the test, logs that replays read, and listeners that remember
 * what they were sent. Users of the events are few, so that most are somebody's. */
#ifndef ATES_TEST_WEB_FIXTURE_H
#define ATES_TEST_WEB_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include <ates/accounting.h>
#include <ates/auth.h>
#include <ates/payment.h>
#include <ates/tasks.h>

#include "web/web_feed.h"
#include "web/web_replay.h"
#include "web/web_stream.h"

#define AUTH 0u
#define TASKS 1u
#define ACCOUNTING 2u
#define PAYMENT 3u
#define PRODUCERS 4u
#define USERS 5u       /* ids 1 to this */
#define SAID_MAX 4000u /* events of a producer */
#define STREAMS_MAX 16u
#define READS_MAX 16u

static const struct ates_service *const web_fixture_services[] = {
    &auth_service, &tasks_service, &accounting_service, &payment_service, NULL};

/* What was said, and who may see it: reckoned here, not by the table under test. */
struct said {
    struct ates_buffer envelope;
    unsigned roles;
    uint64_t users[2];
};

/* A read_events under way. */
struct read {
    struct web_slot *slot; /* NULL: none */
    unsigned producer;
    uint64_t after_seq, limit;
};

/* Who listens, and what came. */
struct listener {
    struct web_stream *stream; /* NULL: not connected */
    uint64_t user_id;
    enum ates_role role;
    bool was_woken;
    bool has_ended;
    struct ates_buffer bytes; /* that came, and make no whole message yet */
    char id[WEB_MARK_SIZE];   /* the last one */
    uint64_t seen[PRODUCERS]; /* seq of the last event */
    struct web_vector from;   /* where it began: visible events after it must come */
    size_t events, hellos, resets, byes, beats;
    char last_name[16]; /* of the last named event */
    char last_data[160];
};

static struct web_feed feed;
static struct web_replay *replay;
static struct said said[PRODUCERS][SAID_MAX];
static size_t said_count[PRODUCERS];
static char log_ids[PRODUCERS][ATES_UUID_SIZE];
static struct read reads[READS_MAX];
static size_t reads_asked, reads_cancelled;
static bool reads_busy; /* asking is refused */
static struct listener listeners[STREAMS_MAX];
static int64_t now_us = 1000000;

static void fixture_wake(struct web_stream *stream)
{
    ((struct listener *)stream->owner)->was_woken = true;
}

static void *fixture_ask(void *context, struct web_slot *slot, unsigned producer,
                         uint64_t after_seq, uint64_t limit)
{
    cr_assert_eq(context, &feed);
    cr_assert(limit >= 1 && limit <= 1000);
    for (size_t i = 0; i < READS_MAX && !reads_busy; i++) {
        if (reads[i].slot == NULL) {
            reads[i] = (struct read){slot, producer, after_seq, limit};
            reads_asked++;
            return &reads[i];
        }
    }
    return NULL;
}

static void fixture_cancel(void *context, void *asked)
{
    cr_assert_eq(context, &feed);
    ((struct read *)asked)->slot = NULL;
    reads_cancelled++;
}

/* Every log of the feed is known, and begins with nothing in it. */
static inline void begin_all(void)
{
    for (unsigned i = 0; i < PRODUCERS; i++) {
        snprintf(log_ids[i], sizeof log_ids[i], "018bcfe5-6800-7000-8000-00000000000%u", i);
        web_feed_begin(&feed, i, log_ids[i], said_count[i]);
    }
}

static inline void open_feed(size_t events_max, size_t bytes_max)
{
    const struct web_replay_source source = {&feed, fixture_ask, fixture_cancel};

    cr_assert_eq(web_feed_open(&feed, web_fixture_services, events_max, bytes_max, fixture_wake),
                 0);
    cr_assert_eq(feed.producer_count, PRODUCERS);
    replay = web_replay_new(&feed, &source);
    cr_assert_not_null(replay);
}

static inline void hang_up(struct listener *self)
{
    web_stream_free(&self->stream);
    self->bytes.size = 0;
}

static inline void close_feed(void)
{
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        hang_up(&listeners[i]);
        ates_buffer_release(&listeners[i].bytes);
    }
    web_replay_free(&replay);
    web_feed_close(&feed);
    for (size_t i = 0; i < READS_MAX; i++) {
        cr_expect_null(reads[i].slot, "nothing is left under way");
    }
    for (size_t p = 0; p < PRODUCERS; p++) {
        for (size_t i = 0; i < said_count[p]; i++) {
            ates_buffer_release(&said[p][i].envelope);
        }
        said_count[p] = 0;
    }
}

/* Appends to a producer's log, for these roles and users; the feed is not told. */
static inline struct said *append(unsigned producer, const struct ates_message *message,
                                  const void *data, unsigned roles, uint64_t user, uint64_t other)
{
    static const uint8_t prev[32];
    struct ates_buffer bytes = {0};

    ates_message_encode(message, data, &bytes);
    cr_assert_lt(said_count[producer], SAID_MAX);
    struct said *self = &said[producer][said_count[producer]++];
    const struct ates_envelope envelope = {
        .event_id = ates_text_from("018bcfe5-6800-7000-8000-000000000001"),
        .event_name = ates_text_from(message->name),
        .event_version = 1,
        .event_time = 1700000000000,
        .producer = ates_text_from(web_fixture_services[producer]->name),
        .log_id = ates_text_from(log_ids[producer]),
        .seq = said_count[producer],
        .prev = {prev, sizeof prev},
        .data = {bytes.data, bytes.size},
    };
    *self = (struct said){.roles = roles, .users = {user, other}};
    ates_message_encode(&ates_envelope_message, &envelope, &self->envelope);
    ates_buffer_release(&bytes);
    return self;
}

/* Gives the feed what it has not had of the producer's log. */
static inline void publish(unsigned producer)
{
    struct ates_arena *arena = ates_arena_new();

    while (feed.at.seq[producer] < said_count[producer]) {
        const struct said *event = &said[producer][feed.at.seq[producer]];
        struct ates_envelope envelope;

        cr_assert_eq(ates_message_decode(&ates_envelope_message, event->envelope.data,
                                         event->envelope.size, ATES_UNKNOWN_IGNORED, arena,
                                         &envelope, NULL),
                     0);
        web_feed_add(&feed,
                     web_event_new(web_fixture_services[producer], producer, &envelope, arena));
    }
    ates_arena_free(&arena);
}

#define OVER_TASKS (ATES_ROLE(ATES_ADMINISTRATOR) | ATES_ROLE(ATES_MANAGER))
#define OVER_MONEY (ATES_ROLE(ATES_ADMINISTRATOR) | ATES_ROLE(ATES_ACCOUNTANT))

static inline void append_task(uint64_t assigned_to, uint64_t created_by, const char *text)
{
    const struct tasks_task_created data = {.task_id = said_count[TASKS] + 1,
                                            .name = ates_text_from("a task"),
                                            .description = ates_text_from(text),
                                            .assigned_to = assigned_to,
                                            .created_by = created_by};

    append(TASKS, &tasks_task_created_message, &data, OVER_TASKS, assigned_to, created_by);
}

static inline void say_task(uint64_t assigned_to, uint64_t created_by)
{
    append_task(assigned_to, created_by, "to do");
    publish(TASKS);
}

static inline void append_transfer(uint64_t user_id)
{
    const struct accounting_transfer_recorded data = {
        .transfer = {.id = said_count[ACCOUNTING] + 1,
                     .timestamp = 1,
                     .user_id = user_id,
                     .kind = ACCOUNTING_PAYOUT,
                     .business_date = ates_text_from("2024-01-01"),
                     .description = ates_text_from("paid")}};

    append(ACCOUNTING, &accounting_transfer_recorded_message, &data, OVER_MONEY, user_id, 0);
}

static inline void append_run(void)
{
    const struct payment_payment_run data = {.business_date = ates_text_from("2024-01-01")};

    append(PAYMENT, &payment_payment_run_message, &data, OVER_MONEY, 0, 0);
}

static inline void append_user(uint64_t user_id)
{
    const struct ates_user_changed data = {.user_id = user_id,
                                           .login = ates_text_from("login"),
                                           .email = ates_text_from("a@b"),
                                           .role = ATES_OTHER};

    append(AUTH, &ates_user_changed_message, &data, OVER_TASKS, user_id, 0);
}

/* An event of a kind that is not in the tables yet. */
static inline void append_unknown(unsigned producer)
{
    static const struct ates_message message = {.name = "something_new",
                                                .size = sizeof(struct ates_empty)};

    append(producer, &message, &(struct ates_empty){0}, 0, 0, 0);
}

static inline bool may_see(const struct listener *self, const struct said *event)
{
    return (event->roles & ATES_ROLE(self->role)) != 0 || event->users[0] == self->user_id ||
           event->users[1] == self->user_id;
}

/* Answers one read as its producer would: at most `most` events. */
static inline void answer(struct read *self, size_t most)
{
    struct web_slot *slot = self->slot;
    const size_t count = said_count[self->producer];
    const size_t left = self->after_seq < count ? count - self->after_seq : 0;
    const size_t limit = self->limit < most ? self->limit : most;
    struct ates_read_events_result result = {
        .log_id = ates_text_from(log_ids[self->producer]),
        .head_seq = count,
        .events = {.count = left < limit ? left : limit},
    };
    struct ates_bytes *items = calloc(result.events.count + 1, sizeof *items);
    struct ates_buffer body = {0};

    for (size_t i = 0; i < result.events.count; i++) {
        const struct ates_buffer *envelope = &said[self->producer][self->after_seq + i].envelope;

        items[i] = (struct ates_bytes){envelope->data, envelope->size};
    }
    result.events.items = items;
    ates_message_encode(&ates_read_events_result_message, &result, &body);
    const struct ates_reply reply = {.status = ATES_OK, .body = {body.data, body.size}};
    self->slot = NULL;
    web_replay_answer(slot, &reply, now_us);
    ates_buffer_release(&body); /* a reply's bytes stay only during the call */
    free(items);
}

/* No answer comes to it. */
static inline void leave_unanswered(struct read *self)
{
    struct web_slot *slot = self->slot;

    self->slot = NULL;
    web_replay_answer(slot, NULL, now_us);
}

static inline bool answer_all(void)
{
    bool any = false;

    for (size_t i = 0; i < READS_MAX; i++) {
        if (reads[i].slot != NULL) {
            answer(&reads[i], 1000);
            any = true;
        }
    }
    return any;
}

/* Connects, at mark (NULL: from now on). */
static inline void connect_at(struct listener *self, uint64_t user_id, enum ates_role role,
                              const char *id)
{
    struct web_mark mark;

    cr_assert_null(self->stream);
    if (id != NULL) {
        cr_assert_eq(web_mark_parse(ates_text_from(id), &mark), 0, "%s", id);
    }
    self->user_id = user_id;
    self->role = role;
    self->has_ended = false;
    self->stream =
        web_stream_new(&feed, replay, self, user_id, role, id != NULL ? &mark : NULL, now_us);
}

static inline void take_event(struct listener *self, const char *data)
{
    json_t *json = json_loads(data, 0, NULL);
    const char *producer;
    json_int_t seq;
    unsigned index = 0;
    struct web_mark mark;
    struct web_vector at;

    cr_assert_not_null(json, "%s", data);
    cr_assert_eq(json_unpack(json, "{s:s, s:I}", "producer", &producer, "seq", &seq), 0);
    while (strcmp(web_fixture_services[index]->name, producer) != 0) {
        index++;
    }
    cr_assert_leq((uint64_t)seq, said_count[index]);
    cr_assert_gt((uint64_t)seq, self->seen[index], "events come in order, and once");
    cr_assert(may_see(self, &said[index][seq - 1]));
    for (uint64_t between = self->seen[index] + 1; between < (uint64_t)seq; between++) {
        cr_assert_not(may_see(self, &said[index][between - 1]), "%s:%d is missing", producer,
                      (int)between);
    }
    self->seen[index] = (uint64_t)seq;
    self->events++;
    cr_assert_eq(web_mark_parse(ates_text_from(self->id), &mark), 0);
    cr_assert(web_feed_locate(&feed, &mark, &at));
    cr_assert_eq(at.seq[index], (uint64_t)seq, "the id is the position after the event");
    json_decref(json);
}

/* What came is of no use any more: from here on all must come. */
static inline void begin_at_id(struct listener *self)
{
    struct web_mark mark;

    cr_assert_eq(web_mark_parse(ates_text_from(self->id), &mark), 0, "%s", self->id);
    cr_assert(web_feed_locate(&feed, &mark, &self->from));
    memcpy(self->seen, self->from.seq, sizeof self->seen);
}

/* One message's lines. */
static inline void take_message(struct listener *self, char *text)
{
    char *rest = NULL, *name = NULL, *data = NULL;
    bool is_comment = false;

    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, "id: ", 4) == 0) {
            snprintf(self->id, sizeof self->id, "%s", line + 4);
        } else if (strncmp(line, "event: ", 7) == 0) {
            name = line + 7;
        } else if (strncmp(line, "data: ", 6) == 0) {
            data = line + 6;
        } else {
            cr_assert_eq(line[0], ':', "%s", line);
            is_comment = true;
        }
    }
    if (name == NULL) {
        self->beats += is_comment;
        cr_assert_neq(is_comment, data != NULL);
        if (data != NULL) {
            take_event(self, data);
        }
        return;
    }
    snprintf(self->last_name, sizeof self->last_name, "%s", name);
    snprintf(self->last_data, sizeof self->last_data, "%s", data);
    self->hellos += strcmp(name, "hello") == 0;
    self->byes += strcmp(name, "bye") == 0;
    if (strcmp(name, "reset") == 0) {
        self->resets++;
        begin_at_id(self);
    } else if (strcmp(name, "hello") == 0 && self->hellos == 1 && self->id[0] != '\0') {
        begin_at_id(self);
    }
}

static inline void take_messages(struct listener *self)
{
    char *end;

    while (self->bytes.size > 0 &&
           (end = memmem(self->bytes.data, self->bytes.size, "\n\n", 2)) != NULL) {
        const size_t size = (size_t)(end + 2 - (char *)self->bytes.data);
        char *text = strndup((char *)self->bytes.data, size);

        take_message(self, text);
        free(text);
        self->bytes.size -= size;
        memmove(self->bytes.data, end + 2, self->bytes.size);
    }
}

/* Reads once, at most size bytes; how many came. */
static inline size_t read_some(struct listener *self, size_t size)
{
    uint8_t *data = malloc(size);

    self->was_woken = false;
    const ssize_t r = web_stream_give(self->stream, data, size);
    cr_assert_leq(r, (ssize_t)size);
    if (r > 0) {
        ates_buffer_append(&self->bytes, data, (size_t)r);
        take_messages(self);
    }
    self->has_ended = r < 0;
    free(data);
    return r > 0 ? (size_t)r : 0;
}

/* Reads all that is there now. */
static inline void read_all(struct listener *self)
{
    while (read_some(self, 4096) > 0) {
    }
    cr_assert_eq(self->bytes.size, 0, "no half message is left");
}

/* The same until replays, which are answered, are over. */
static inline void read_on(struct listener *self)
{
    do {
        read_all(self);
        web_replay_advance(replay, now_us);
    } while (answer_all());
    read_all(self);
}

/* All that its user may see up to now has come. */
static inline void assert_complete(const struct listener *self)
{
    for (unsigned p = 0; p < PRODUCERS; p++) {
        for (size_t seq = self->seen[p] + 1; seq <= said_count[p]; seq++) {
            cr_assert_not(may_see(self, &said[p][seq - 1]), "%s:%d is missing",
                          web_fixture_services[p]->name, (int)seq);
        }
    }
}

#endif
