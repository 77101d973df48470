/* What an actor makes of messages that are no commands: a refusal that names what is wrong, or
 * nothing, and never an end. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "support/seed.h"
#include "support/toy_actor.h"

#define FRAMES_MAX 40u

struct frame {
    const char *data;
    size_t size;
};
#define FRAME(LITERAL)                                                                             \
    {                                                                                              \
        LITERAL, sizeof(LITERAL) - 1                                                               \
    }
#define EMPTY_MAP FRAME("\x80")
#define GET_K FRAME("\x81\xa3key\xa1k")

static struct toy_actor toy;
static void *context, *dealer;
static struct ates_arena *arena;

static void setup(void)
{
    toy_actor_open(&toy);
    toy_actor_start(&toy);
    context = zmq_ctx_new();
    dealer = toy_actor_connect(&toy, context);
    arena = ates_arena_new();
}

static void teardown(void)
{
    zmq_close(dealer);
    zmq_ctx_term(context);
    ates_arena_free(&arena);
    toy_actor_close(&toy);
}

TestSuite(actor_frames, .init = setup, .fini = teardown, .timeout = 120);

static void send_frames(const struct frame *frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const int more = i + 1 < count ? ZMQ_SNDMORE : 0;

        cr_assert_geq(zmq_send(dealer, frames[i].data, frames[i].size, more), 0);
    }
}

/* A reply's frames after the route, which must be this one and the delimiter. */
struct answer {
    zmq_msg_t frames[4];
};

static void receive(const char *route, struct answer *answer)
{
    zmq_pollitem_t item = {dealer, 0, ZMQ_POLLIN, 0};
    char bytes[64];

    cr_assert_gt(zmq_poll(&item, 1, 60000), 0, "no reply");
    for (size_t i = 0; i < strlen(route); i++) {
        cr_assert_eq(zmq_recv(dealer, bytes, sizeof bytes, 0), 1);
        cr_assert_eq(bytes[0], route[i]);
    }
    cr_assert_eq(zmq_recv(dealer, bytes, sizeof bytes, 0), 0, "the delimiter");
    for (size_t i = 0; i < 4; i++) {
        zmq_msg_init(&answer->frames[i]);
        cr_assert_geq(zmq_msg_recv(&answer->frames[i], dealer, 0), 0);
        cr_assert_eq(zmq_msg_more(&answer->frames[i]), i < 3);
    }
}

static bool frame_is(struct answer *answer, size_t index, const char *text)
{
    zmq_msg_t *frame = &answer->frames[index];

    return zmq_msg_size(frame) == strlen(text) &&
           memcmp(zmq_msg_data(frame), text, strlen(text)) == 0;
}

static void release(struct answer *answer)
{
    for (size_t i = 0; i < 4; i++) {
        zmq_msg_close(&answer->frames[i]);
    }
}

static void expect_refusal(const char *route, const char *status, const char *reason,
                           const char *field)
{
    struct answer answer;
    struct ates_reply_meta meta;
    struct ates_refusal_body refusal;

    receive(route, &answer);
    cr_assert(frame_is(&answer, 0, "ATES/1"));
    cr_assert(frame_is(&answer, 1, status), "%.*s, not %s", (int)zmq_msg_size(&answer.frames[1]),
              (const char *)zmq_msg_data(&answer.frames[1]), status);
    cr_assert_eq(ates_message_decode(&ates_reply_meta_message, zmq_msg_data(&answer.frames[2]),
                                     zmq_msg_size(&answer.frames[2]), ATES_UNKNOWN_REFUSED, arena,
                                     &meta, NULL),
                 0);
    cr_assert_eq(ates_message_decode(&ates_refusal_body_message, zmq_msg_data(&answer.frames[3]),
                                     zmq_msg_size(&answer.frames[3]), ATES_UNKNOWN_REFUSED, arena,
                                     &refusal, NULL),
                 0);
    cr_assert(ates_text_equal(refusal.reason, ates_text_from(reason)), "%.*s, not %s",
              (int)refusal.reason.size, refusal.reason.data, reason);
    cr_assert_eq(refusal.has_field, field != NULL);
    cr_assert(field == NULL || ates_text_equal(refusal.field, ates_text_from(field)),
              "%.*s, not %s", (int)refusal.field.size, refusal.field.data, field);
    cr_assert_gt(refusal.message.size, 0);
    release(&answer);
}

/* A command that is answered shows that the actor is well, and that nothing came before. */
static void expect_health(void)
{
    static const struct frame health[] = {FRAME(""), FRAME("ATES/1"), FRAME("toy.health"),
                                          EMPTY_MAP, EMPTY_MAP};
    struct answer answer;

    send_frames(health, 5);
    receive("", &answer);
    cr_assert(frame_is(&answer, 1, "OK"));
    release(&answer);
}

Test(actor_frames, what_is_wrong_is_named)
{
    static const struct {
        struct frame version, command, meta, body;
        const char *status, *reason, *field;
    } cases[] = {
        {FRAME("ATES/2"), FRAME("toy.get"), EMPTY_MAP, GET_K, "UNIMPLEMENTED",
         "VERSION_UNSUPPORTED", NULL},
        {FRAME(""), FRAME("toy.get"), EMPTY_MAP, GET_K, "UNIMPLEMENTED", "VERSION_UNSUPPORTED",
         NULL},
        {FRAME("ATES/1"), FRAME("toy.none"), EMPTY_MAP, GET_K, "UNIMPLEMENTED", "COMMAND_UNKNOWN",
         NULL},
        {FRAME("ATES/1"), FRAME("tasks.get"), EMPTY_MAP, GET_K, "UNIMPLEMENTED", "COMMAND_UNKNOWN",
         NULL},
        {FRAME("ATES/1"), FRAME("toy"), EMPTY_MAP, GET_K, "UNIMPLEMENTED", "COMMAND_UNKNOWN", NULL},
        {FRAME("ATES/1"), FRAME("toy."), EMPTY_MAP, GET_K, "UNIMPLEMENTED", "COMMAND_UNKNOWN",
         NULL},
        {FRAME("ATES/1"), FRAME("toy.get\0"), EMPTY_MAP, GET_K, "UNIMPLEMENTED", "COMMAND_UNKNOWN",
         NULL},
        {FRAME("ATES/1"), FRAME("toy.get"), FRAME(""), GET_K, "INVALID_ARGUMENT", "BODY_INVALID",
         "meta"},
        {FRAME("ATES/1"), FRAME("toy.get"), FRAME("\xc1"), GET_K, "INVALID_ARGUMENT",
         "BODY_INVALID", "meta"},
        {FRAME("ATES/1"), FRAME("toy.get"), FRAME("\x81\xa1x\x01"), GET_K, "INVALID_ARGUMENT",
         "FIELD_UNKNOWN", "meta.x"},
        {FRAME("ATES/1"), FRAME("toy.get"), FRAME("\x81\xaarequest_id\xa0"), GET_K,
         "INVALID_ARGUMENT", "FIELD_INVALID", "meta.request_id"},
        {FRAME("ATES/1"), FRAME("toy.get"),
         FRAME("\x81\xaarequest_id\xa2\x01"
               "a"),
         GET_K, "INVALID_ARGUMENT", "FIELD_INVALID", "meta.request_id"},
        {FRAME("ATES/1"), FRAME("toy.get"), FRAME("\x81\xaatimeout_ms\xff"), GET_K,
         "INVALID_ARGUMENT", "FIELD_INVALID", "meta.timeout_ms"},
        {FRAME("ATES/1"), FRAME("toy.get"), EMPTY_MAP, FRAME(""), "INVALID_ARGUMENT",
         "BODY_INVALID", NULL},
        {FRAME("ATES/1"), FRAME("toy.get"), EMPTY_MAP, FRAME("\x90"), "INVALID_ARGUMENT",
         "BODY_INVALID", NULL},
        {FRAME("ATES/1"), FRAME("toy.get"), EMPTY_MAP, FRAME("\x81\xa3key\xa1k\x80"),
         "INVALID_ARGUMENT", "BODY_INVALID", NULL},
        {FRAME("ATES/1"), FRAME("toy.get"), EMPTY_MAP, EMPTY_MAP, "INVALID_ARGUMENT",
         "FIELD_MISSING", "key"},
        {FRAME("ATES/1"), FRAME("toy.get"), EMPTY_MAP, FRAME("\x81\xa3key\x05"), "INVALID_ARGUMENT",
         "FIELD_INVALID", "key"},
        {FRAME("ATES/1"), FRAME("toy.get"), EMPTY_MAP, FRAME("\x82\xa3key\xa1k\xa3yek\xa1k"),
         "INVALID_ARGUMENT", "FIELD_UNKNOWN", "yek"},
        {FRAME("ATES/1"), FRAME("toy.get"), EMPTY_MAP, GET_K, "NOT_FOUND", "NOT_FOUND", NULL},
        {FRAME("ATES/1"), FRAME("toy.hide"), EMPTY_MAP, FRAME("\x81\xa6secret\xa1s"),
         "UNAUTHENTICATED", "TOKEN_MISSING", NULL},
        {FRAME("ATES/1"), FRAME("toy.get"),
         FRAME("\x81\xa5token\xa3"
               "abc"),
         GET_K, "UNAUTHENTICATED", "TOKEN_INVALID", NULL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct frame frames[] = {FRAME("r"),       FRAME(""),     cases[i].version,
                                       cases[i].command, cases[i].meta, cases[i].body};

        send_frames(frames, 6);
        expect_refusal("r", cases[i].status, cases[i].reason, cases[i].field);
    }
    expect_health();
}

Test(actor_frames, a_command_is_four_frames)
{
    static const struct frame frames[] = {FRAME(""), FRAME("ATES/1"), FRAME("toy.health"),
                                          EMPTY_MAP, EMPTY_MAP,       EMPTY_MAP};

    for (size_t count = 1; count <= 6; count++) {
        if (count != 5) {
            send_frames(frames, count);
            expect_refusal("", "INVALID_ARGUMENT", "FRAMES_INVALID", NULL);
        }
    }
    expect_health();
}

/* Whatever length the route has: where a message has more frames than are held, those that are not
 * are never looked at. */
Test(actor_frames, a_message_of_any_length_does_no_harm)
{
    char route[FRAMES_MAX];

    for (size_t length = 0; length + 6 < FRAMES_MAX; length++) {
        struct frame frames[FRAMES_MAX] = {FRAME("")};
        const struct frame command[] = {FRAME(""), FRAME("ATES/1"), FRAME("toy.none"), EMPTY_MAP,
                                        EMPTY_MAP};

        for (size_t i = 0; i < length; i++) {
            frames[i] = (struct frame)FRAME("r");
        }
        memset(route, 'r', length);
        route[length] = '\0';
        memcpy(frames + length, command, sizeof command);
        send_frames(frames, length + 5);
        /* Of 16 frames that are held, one is the peer's identity. */
        if (length + 6 <= 16) {
            expect_refusal(route, "UNIMPLEMENTED", "COMMAND_UNKNOWN", NULL);
        } else if (length + 2 <= 16) {
            expect_refusal(route, "INVALID_ARGUMENT", "FRAMES_INVALID", NULL);
        }
        expect_health();
    }
}

Test(actor_frames, what_has_no_delimiter_is_ignored)
{
    static const struct frame frames[] = {FRAME("ATES/1"), FRAME("toy.health"), EMPTY_MAP,
                                          EMPTY_MAP, EMPTY_MAP};

    for (size_t count = 1; count <= 5; count++) {
        send_frames(frames, count);
    }
    expect_health();
}

/* A frame over the limit costs its sender the connection, and nobody else anything. */
Test(actor_frames, a_frame_over_the_limit_is_not_taken)
{
    static char large[300000];
    const struct frame frames[] = {
        FRAME(""), FRAME("ATES/1"), FRAME("toy.get"), EMPTY_MAP, {large, sizeof large}};
    const struct toy_get body = {ates_text_from("k")};

    send_frames(frames, 5);
    cr_assert_eq(toy_call(&toy, ATES_OTHER, "get", NULL, &body, NULL), ATES_NOT_FOUND);
    expect_health();
}

/* Random frames, among which whole commands turn up too. */
Test(actor_frames, random_messages_do_no_harm)
{
    static const struct frame words[] = {FRAME(""),
                                         FRAME("ATES/1"),
                                         FRAME("toy.get"),
                                         FRAME("toy.put"),
                                         FRAME("toy.health"),
                                         EMPTY_MAP,
                                         GET_K,
                                         FRAME("\xdf\xff\xff\xff\xff"),
                                         FRAME("\x81\xa3key\xdb\xff\xff\xff\xff"),
                                         FRAME("\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81")};
    uint64_t state = seed_start();
    zmq_pollitem_t item = {dealer, 0, ZMQ_POLLIN, 0};
    char bytes[4096];

    for (int i = 0; i < 5000; i++) {
        struct frame frames[FRAMES_MAX];
        const size_t count = 1 + seed_draw(&state, seed_draw(&state, 2) == 0 ? 8 : FRAMES_MAX);

        for (size_t j = 0; j < count; j++) {
            frames[j] = words[seed_draw(&state, sizeof words / sizeof words[0])];
        }
        send_frames(frames, count);
        while (zmq_poll(&item, 1, 0) > 0) {
            zmq_recv(dealer, bytes, sizeof bytes, 0);
        }
    }
    zmq_close(dealer);
    dealer = toy_actor_connect(&toy, context);
    expect_health();
    cr_assert_eq(toy_put_value(&toy, "k", "v"), 1);
}
