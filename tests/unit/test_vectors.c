/* The vectors that every language's client is held against, by the codec and by the client library: values, replies and
 * events. Commands and chains are vectors_service's and vectors_chain's. */
#include <dirent.h>
#include <string.h>

#include <criterion/criterion.h>

#include <ates/service.h>

#include "core/client_private.h"
#include "core/record.h"
#include "support/vector_file.h"

#define FOLDER ATES_SOURCE_ROOT "/tests/vectors/"

static struct ates_arena *arena;

static void set_up(void)
{
    arena = ates_arena_new();
}

static void tear_down(void)
{
    ates_arena_free(&arena);
}

TestSuite(vectors, .init = set_up, .fini = tear_down);

static void expect_equal(const json_t *vector, json_t *found, const char *key)
{
    json_t *expected = json_object_get(vector, key);
    char *text = json_dumps(found, JSON_ENCODE_ANY);

    cr_assert_not_null(expected, "%s", vector_name(vector));
    cr_expect(json_equal(found, expected), "%s: %s", vector_name(vector), text);
    free(text);
}

Test(vectors, every_file_is_one_that_is_looked_at)
{
    static const char *const files[] = {"chains.json",  "events.json",  "meta.json",
                                        "msgpack.json", "replies.json", "requests.json"};
    size_t count = 0;
    struct dirent *entry;
    DIR *folder = opendir(FOLDER);

    cr_assert_not_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        if (strstr(entry->d_name, ".json") != NULL) {
            bool known = false;

            for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
                known |= strcmp(entry->d_name, files[i]) == 0;
            }
            cr_expect(known, "%s", entry->d_name);
            count++;
        }
    }
    closedir(folder);
    cr_assert_eq(count, sizeof files / sizeof files[0]);
}

Test(vectors, msgpack)
{
    json_t *vectors = vector_file_load(FOLDER "msgpack.json",
                                       (const char *const[]){"hex", "value", "reason", NULL});
    size_t i;
    json_t *vector;

    json_array_foreach(vectors, i, vector)
    {
        json_t *value = vector_value(vector_bytes(json_object_get(vector, "hex"), arena));

        cr_expect_eq(value != NULL, vector_is_valid(vector), "%s", vector_name(vector));
        if (value != NULL && vector_is_valid(vector)) {
            expect_equal(vector, value, "value");
        }
        json_decref(value);
    }
    json_decref(vectors);
}

/* A message as if it had been received. */
static void put_frames(struct ates_inbox *inbox, json_t *hex)
{
    size_t i;
    json_t *digits;

    while (inbox->held > 0) {
        zmq_msg_close(&inbox->frames[--inbox->held]);
    }
    inbox->count = 0;
    json_array_foreach(hex, i, digits)
    {
        const struct ates_bytes frame = vector_bytes(digits, arena);

        cr_assert_lt(inbox->held, ATES_INBOX_FRAMES);
        cr_assert_eq(zmq_msg_init_size(&inbox->frames[inbox->held], frame.size), 0);
        memcpy(zmq_msg_data(&inbox->frames[inbox->held++]), frame.data, frame.size);
        inbox->count++;
    }
}

/* What the client library took of a reply, as the file writes it; NULL where it took none. The request id is the only
 * thing that it has no use for. */
static json_t *read_reply(struct ates_inbox *inbox, const json_t *request_id)
{
    struct ates_reply reply;

    if (ates_inbox_reply(inbox, 0, &reply) != 0) {
        return NULL;
    }
    json_t *body = vector_value(reply.body);
    if (!json_is_object(body)) {
        json_decref(body);
        return NULL;
    }
    json_t *found = json_pack("{s:s, s:I}", "status", ates_status_name(reply.status), "seq",
                              (json_int_t)reply.seq);
    if (reply.replayed) {
        json_object_set_new(found, "replayed", json_true());
    }
    if (request_id != NULL) {
        json_object_set_new(found, "request_id", json_deep_copy(request_id));
    }
    if (reply.status == ATES_OK) {
        json_object_set_new(found, "result", body);
        return found;
    }
    json_t *refusal =
        json_pack("{s:s, s:s}", "reason", reply.refusal.reason, "message", reply.refusal.message);
    if (reply.refusal.field[0] != '\0') {
        json_object_set_new(refusal, "field", json_string(reply.refusal.field));
    }
    if (reply.refusal.retry_after_ms != 0) {
        json_object_set_new(refusal, "retry_after_ms", json_integer(reply.refusal.retry_after_ms));
    }
    json_object_set_new(found, "refusal", refusal);
    json_decref(body);
    return found;
}

Test(vectors, replies)
{
    json_t *vectors = vector_file_load(FOLDER "replies.json",
                                       (const char *const[]){"hex", "meaning", "reason", NULL});
    struct ates_inbox *inbox = ates_inbox_new();
    size_t i;
    json_t *vector;

    json_array_foreach(vectors, i, vector)
    {
        put_frames(inbox, json_object_get(vector, "hex"));
        json_t *found =
            read_reply(inbox, json_object_get(json_object_get(vector, "meaning"), "request_id"));

        cr_expect_eq(found != NULL, vector_is_valid(vector), "%s", vector_name(vector));
        if (found != NULL && vector_is_valid(vector)) {
            expect_equal(vector, found, "meaning");
        }
        json_decref(found);
    }
    ates_inbox_free(&inbox);
    json_decref(vectors);
}

static void look_at_event(const json_t *vector)
{
    const struct ates_bytes bytes = vector_bytes(json_object_get(vector, "hex"), arena);
    struct ates_envelope envelope;
    uint8_t hash[ATES_HASH_SIZE];
    char digits[2 * ATES_HASH_SIZE + 1];

    const int r = ates_message_decode(&ates_envelope_message, bytes.data, bytes.size,
                                      ATES_UNKNOWN_IGNORED, arena, &envelope, NULL);
    cr_expect_eq(r == 0, vector_is_valid(vector), "%s", vector_name(vector));
    if (r != 0 || !vector_is_valid(vector)) {
        return;
    }
    json_t *found = vector_value(bytes);
    expect_equal(vector, found, "meaning");
    cr_expect_eq((json_int_t)envelope.seq, json_integer_value(json_object_get(found, "seq")));
    cr_expect_eq(envelope.event_time, json_integer_value(json_object_get(found, "event_time")));
    cr_expect_eq(envelope.has_cause, json_object_get(found, "cause") != NULL);
    json_t *data = vector_value(envelope.data);
    cr_expect(json_equal(data, json_object_get(found, "data")), "%s", vector_name(vector));
    json_decref(data);
    json_decref(found);
    ates_envelope_hash(bytes.data, bytes.size, hash);
    for (size_t i = 0; i < sizeof hash; i++) {
        sprintf(digits + 2 * i, "%02x", hash[i]);
    }
    cr_expect_str_eq(digits, vector_text(vector, "hash"), "%s", vector_name(vector));
}

Test(vectors, events)
{
    json_t *vectors = vector_file_load(
        FOLDER "events.json", (const char *const[]){"hex", "meaning", "hash", "reason", NULL});
    size_t i;
    json_t *vector;

    json_array_foreach(vectors, i, vector)
    {
        look_at_event(vector);
    }
    json_decref(vectors);
}
