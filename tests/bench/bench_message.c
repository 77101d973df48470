/* Times the codec on what the services do most: a create_task body in, an event's envelope in and
 * out. Prints nanoseconds each, the best of several rounds. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <ates/service.h>

#define CALLS 1000000
#define ROUNDS 5

struct bench_task {
    struct ates_text name;
    struct ates_text description;
};
static const struct ates_field bench_task_fields[] = {
    {ATES_FIELD(bench_task, name), .type = ATES_TEXT, .rule = ATES_RULE_LINE, .min = 1, .max = 200},
    {ATES_FIELD(bench_task, description), .type = ATES_TEXT, .max = 10000},
};
static ATES_MESSAGE(bench_task, "create_task");

static uint8_t hash[32];

static void encode_task(struct ates_buffer *out, const char *name, const char *description)
{
    const struct bench_task task = {ates_text_from(name), ates_text_from(description)};

    ates_message_encode(&bench_task_message, &task, out);
}

static struct ates_envelope make_envelope(struct ates_bytes data)
{
    return (struct ates_envelope){
        .event_id = ates_text_from("0190d7a2-7b1c-7def-8123-456789abcdef"),
        .event_name = ates_text_from("task_created"),
        .event_version = 1,
        .event_time = 1721000000000,
        .producer = ates_text_from("tasks"),
        .log_id = ates_text_from("0f3a9c1db72e4456"),
        .seq = 123456,
        .prev = {hash, sizeof hash},
        .has_cause = true,
        .cause = {.has_command = true,
                  .command = ates_text_from("tasks.create_task"),
                  .has_request_id = true,
                  .request_id = ates_text_from("5f0c2a8e-9d2b-4c7a-8e0f-1234567890ab"),
                  .has_user_id = true,
                  .user_id = 42},
        .data = data,
    };
}

static double now_ns(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static double decode_once(const struct ates_message *message, const struct ates_buffer *body,
                          struct ates_arena *arena, void *out)
{
    const double start = now_ns();

    for (int i = 0; i < CALLS; i++) {
        ates_arena_reset(arena);
        if (ates_message_decode(message, body->data, body->size, ATES_UNKNOWN_REFUSED, arena, out,
                                NULL) != 0) {
            abort();
        }
    }
    return (now_ns() - start) / CALLS;
}

static double encode_once(const struct ates_message *message, const void *value,
                          struct ates_buffer *out)
{
    const double start = now_ns();

    for (int i = 0; i < CALLS; i++) {
        out->size = 0;
        ates_message_encode(message, value, out);
    }
    return (now_ns() - start) / CALLS;
}

static void report(const char *what, const struct ates_message *message, const void *value)
{
    struct ates_arena *arena = ates_arena_new();
    struct ates_buffer body = {0};
    double decode_ns = 1e9;
    double encode_ns = 1e9;

    if (arena == NULL) {
        abort();
    }
    void *out = malloc(message->size);
    for (int i = 0; i < ROUNDS; i++) {
        const double encoded = encode_once(message, value, &body);
        const double decoded = decode_once(message, &body, arena, out);
        encode_ns = encoded < encode_ns ? encoded : encode_ns;
        decode_ns = decoded < decode_ns ? decoded : decode_ns;
    }
    printf("%-28s %5zu bytes  decode %7.1f ns  encode %7.1f ns\n", what, body.size, decode_ns,
           encode_ns);
    free(out);
    ates_buffer_release(&body);
    ates_arena_free(&arena);
}

int main(void)
{
    const struct bench_task task = {ates_text_from("Sweep the yard behind the bar"),
                                    ates_text_from("With the new broom, before noon.")};
    const struct bench_task cyrillic = {ates_text_from("Подмести двор за баром"),
                                        ates_text_from("Новой метлой, до полудня.")};
    struct ates_buffer data = {0};

    encode_task(&data, "Sweep the yard behind the bar", "With the new broom, before noon.");
    const struct ates_envelope envelope = make_envelope((struct ates_bytes){data.data, data.size});
    report("create_task, ASCII", &bench_task_message, &task);
    report("create_task, Cyrillic", &bench_task_message, &cyrillic);
    report("envelope", &ates_envelope_message, &envelope);
    ates_buffer_release(&data);
    return 0;
}
