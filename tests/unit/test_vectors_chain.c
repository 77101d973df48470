/* The vectors of what a follower must do, by the follower that every service has. The producer is the test: it answers
 * what it is asked, and nothing goes by the clock, which stands still. */
#include <string.h>

#include <criterion/criterion.h>
#include <zmq.h>

#include "core/endpoint.h"
#include "core/follower.h"
#include "support/temp_folder.h"
#include "support/vector_file.h"

#define PATH ATES_SOURCE_ROOT "/tests/vectors/chains.json"
#define PRODUCER "tasks"
#define PATIENCE_MS 60000
/* Later than a read or a refusal is waited for, sooner than silence is: nothing is to be read. */
#define IDLE_US 2200000

static char folder[TEMP_FOLDER_SIZE];
static void *context, *router;
static struct ates_client *client;
static struct ates_arena *arena;
static struct ates_follower *follower;
static struct ates_position position; /* what the sink has */
static bool is_told;                  /* that the stream stopped */
static int64_t now_us;

TestSuite(vectors_chain, .timeout = 300);

/* The sink. */
static int tell_position(void *unused, const char *producer, struct ates_position *out)
{
    (void)unused;
    cr_assert_str_eq(producer, PRODUCER);
    *out = position;
    return 0;
}

static int take(void *unused, const struct ates_envelope *envelope, struct ates_bytes bytes,
                const struct ates_position *next, bool *settled, struct ates_refusal *refusal)
{
    (void)unused;
    (void)bytes;
    (void)refusal;
    cr_assert_eq(next->seq, envelope->seq);
    cr_assert_eq(next->seq, position.seq + 1);
    position = *next;
    *settled = true;
    return 0;
}

static int settle(void *unused, const char *producer, const struct ates_position *where)
{
    (void)unused;
    (void)producer;
    (void)where;
    return 0;
}

static void stopped(void *unused, const char *producer, const char *reason)
{
    (void)unused;
    (void)producer;
    cr_assert_gt(strlen(reason), 0);
    is_told = true;
}

/* The producer's side is made anew for each vector too: what an earlier follower still asked goes with it. */
static void begin(const json_t *cursor)
{
    const int no_linger = 0;
    char endpoint[256];
    const struct ates_follower_sink sink = {.service = "vectors",
                                            .position = tell_position,
                                            .take = take,
                                            .settle = settle,
                                            .stopped = stopped};

    temp_folder_make(folder);
    context = zmq_ctx_new();
    router = zmq_socket(context, ZMQ_ROUTER);
    cr_assert_eq(zmq_setsockopt(router, ZMQ_LINGER, &no_linger, sizeof no_linger), 0);
    cr_assert_eq(ates_endpoint(folder, PRODUCER, endpoint, sizeof endpoint), 0);
    cr_assert_eq(zmq_bind(router, endpoint), 0);
    client = ates_client_new(folder);
    arena = ates_arena_new();

    position = (struct ates_position){.seq = 0};
    is_told = false;
    if (cursor != NULL) {
        const struct ates_bytes hash = vector_bytes(json_object_get(cursor, "hash"), arena);

        position.known = true;
        position.seq = (uint64_t)json_integer_value(json_object_get(cursor, "seq"));
        strncpy(position.log_id, vector_text(cursor, "log_id"), sizeof position.log_id - 1);
        cr_assert_eq(hash.size, sizeof position.hash);
        memcpy(position.hash, hash.data, hash.size);
    }
    follower = ates_follower_new(&sink, client, PRODUCER);
    cr_assert_not_null(follower);
    now_us = ates_monotonic_us();
    cr_assert_eq(ates_follower_rewind(follower), 0);
}

static void end(void)
{
    ates_follower_free(&follower);
    ates_client_free(&client);
    ates_arena_free(&arena);
    zmq_close(router);
    zmq_ctx_term(context);
    temp_folder_remove(folder);
}

/* Long enough for all that a page may hold. */
static void turn(void)
{
    bool more;

    for (int i = 0; i < 4; i++) {
        cr_assert_eq(ates_follower_advance(follower, now_us, 1000, &more), 0);
    }
}

static struct ates_buffer encode_refusal(const char *reason)
{
    const struct ates_refusal_body body = {.reason = ates_text_from(reason),
                                           .message = ates_text_from("as the vector says")};
    struct ates_buffer out = {0};

    ates_message_encode(&ates_refusal_body_message, &body, &out);
    return out;
}

/* Takes what the follower asks, after the frames that lead back to it, which are sent back at once. */
static void take_ask(const json_t *vector, uint64_t after_seq)
{
    zmq_pollitem_t item = {router, 0, ZMQ_POLLIN, 0};
    zmq_msg_t frame;
    struct ates_read_events body;

    turn();
    cr_assert_gt(zmq_poll(&item, 1, PATIENCE_MS), 0, "%s: nothing is asked", vector_name(vector));
    for (bool is_route = true; is_route;) {
        zmq_msg_init(&frame);
        cr_assert_geq(zmq_msg_recv(&frame, router, 0), 0);
        is_route = zmq_msg_size(&frame) > 0;
        cr_assert_geq(zmq_msg_send(&frame, router, ZMQ_SNDMORE), 0);
    }
    for (int i = 0; i < 4; i++) {
        zmq_msg_init(&frame);
        cr_assert_geq(zmq_msg_recv(&frame, router, 0), 0);
        if (i == 1) {
            cr_assert_eq(zmq_msg_size(&frame), strlen(PRODUCER ".read_events"));
            cr_assert_eq(
                memcmp(zmq_msg_data(&frame), PRODUCER ".read_events", zmq_msg_size(&frame)), 0);
        }
        if (i == 3) {
            cr_assert_eq(ates_message_decode(&ates_read_events_message, zmq_msg_data(&frame),
                                             zmq_msg_size(&frame), ATES_UNKNOWN_REFUSED, arena,
                                             &body, NULL),
                         0);
            cr_expect_eq(body.after_seq, after_seq, "%s: asks after %llu", vector_name(vector),
                         (unsigned long long)body.after_seq);
        }
        zmq_msg_close(&frame);
    }
}

static void answer(const json_t *vector, const json_t *step)
{
    const json_t *reply = json_object_get(step, "reply");
    const char *refused = vector_text(reply, "refused");
    struct ates_buffer refusal = encode_refusal(refused != NULL ? refused : "");
    const char *status = refused != NULL ? "FAILED_PRECONDITION" : "OK";
    const struct ates_bytes body = refused != NULL
                                       ? (struct ates_bytes){refusal.data, refusal.size}
                                       : vector_bytes(json_object_get(reply, "hex"), arena);
    zmq_pollitem_t item = {ates_follower_socket(follower), 0, ZMQ_POLLIN, 0};

    take_ask(vector, (uint64_t)json_integer_value(
                         json_object_get(json_object_get(step, "ask"), "after_seq")));
    zmq_send(router, ATES_PROTOCOL, strlen(ATES_PROTOCOL), ZMQ_SNDMORE);
    zmq_send(router, status, strlen(status), ZMQ_SNDMORE);
    zmq_send(router, "\x81\xa3seq\x00", 6, ZMQ_SNDMORE);
    zmq_send(router, body.data, body.size, 0);
    ates_buffer_release(&refusal);
    cr_assert_gt(zmq_poll(&item, 1, PATIENCE_MS), 0, "%s", vector_name(vector));
    turn();
}

/* Whether the follower does what this step says, given where it was before. */
static void look_at_step(const json_t *vector, const json_t *step)
{
    const uint64_t before = position.seq;
    const char *must = vector_text(step, "must");

    if (json_object_get(step, "event") != NULL) {
        cr_assert_eq(
            ates_follower_live(follower, vector_bytes(json_object_get(step, "event"), arena)), 0);
    } else if (json_object_get(step, "head") != NULL) {
        ates_follower_head(follower, vector_bytes(json_object_get(step, "head"), arena));
    } else {
        answer(vector, step);
    }
    cr_expect_eq((json_int_t)position.seq, json_integer_value(json_object_get(step, "seq")),
                 "%s: at %d", vector_name(vector), (int)position.seq);
    cr_expect_eq(is_told, strcmp(must, "stop") == 0, "%s", vector_name(vector));
    cr_expect_eq(ates_follower_stopped(follower), is_told, "%s", vector_name(vector));
    if (strcmp(must, "read") == 0) {
        cr_expect_leq(ates_follower_due(follower), now_us, "%s", vector_name(vector));
        cr_expect_eq(position.seq, before);
    } else if (strcmp(must, "drop") == 0) {
        cr_expect_gt(ates_follower_due(follower), now_us + IDLE_US, "%s", vector_name(vector));
        cr_expect_eq(position.seq, before);
    } else {
        cr_expect(strcmp(must, "take") == 0 || strcmp(must, "stop") == 0, "%s: %s",
                  vector_name(vector), must);
    }
}

Test(vectors_chain, chains)
{
    json_t *vectors = vector_file_load(PATH, (const char *const[]){"cursor", "steps", NULL});
    size_t i, j;
    json_t *vector, *step;

    json_array_foreach(vectors, i, vector)
    {
        begin(json_object_get(vector, "cursor"));
        cr_assert(json_array_size(json_object_get(vector, "steps")) > 0);
        json_array_foreach(json_object_get(vector, "steps"), j, step)
        {
            look_at_step(vector, step);
        }
        cr_expect_eq(ates_follower_stopped(follower), !vector_is_valid(vector), "%s",
                     vector_name(vector));
        end();
    }
    json_decref(vectors);
}
