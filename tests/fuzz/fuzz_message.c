/* libFuzzer's target for the codec: clang -fsanitize=fuzzer,address,undefined. The first byte
 * chooses table and mode; what is taken must be valid, encode, and decode again to the same bytes.
 */
#include <stdlib.h>

#include <ates/service.h>

#include "../support/sample.h"
#include "core/message_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size); /* libFuzzer's own */

static const struct ates_message *const tables[] = {
    &sample_message,
    &ates_envelope_message,
    &ates_request_meta_message,
    &ates_reply_meta_message,
    &ates_refusal_body_message,
    &ates_metrics_result_message,
    &ates_read_events_result_message,
    &ates_user_changed_message,
};

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void take(const struct ates_message *message, const void *value, struct ates_arena *arena)
{
    struct ates_buffer bytes = {0};
    struct ates_buffer again = {0};
    struct ates_refusal refusal;
    void *out = malloc(message->size);

    require(ates_message_check(message, value, &refusal) == 0);
    ates_message_encode(message, value, &bytes);
    require(ates_message_decode(message, bytes.data, bytes.size, ATES_UNKNOWN_REFUSED, arena, out,
                                &refusal) == 0);
    ates_message_encode(message, out, &again);
    require(bytes.size == again.size && memcmp(bytes.data, again.data, bytes.size) == 0);
    json_t *json = ates_message_to_json(message, value);
    require(json != NULL);
    require(ates_message_from_json(message, json, arena, out, &refusal) == 0);
    json_decref(json);
    ates_buffer_release(&bytes);
    ates_buffer_release(&again);
    free(out);
}

static size_t make_valid(uint64_t *state, struct ates_arena *arena, uint8_t *data, size_t max_size)
{
    const struct sample value = sample_make(state, arena);
    struct ates_buffer bytes = {0};

    ates_message_encode(&sample_message, &value, &bytes);
    const size_t size = bytes.size < max_size ? bytes.size : max_size - 1;
    data[0] = (uint8_t)(seed_next(state) & 1);
    memcpy(data + 1, bytes.data, size);
    ates_buffer_release(&bytes);
    return size + 1;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    uint64_t state = seed;
    struct ates_buffer bytes = {0};
    const size_t choice = sample_below(&state, 32);

    if (choice >= 16 || size < 2) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    if (choice == 0) {
        struct ates_arena *arena = ates_arena_new();
        require(arena != NULL);
        size = make_valid(&state, arena, data, max_size);
        ates_arena_free(&arena);
        return size;
    }
    ates_buffer_append(&bytes, data + 1, size - 1);
    sample_damage(&state, &bytes);
    size = bytes.size < max_size ? bytes.size : max_size - 1;
    if (size > 0) {
        memcpy(data + 1, bytes.data, size);
    }
    ates_buffer_release(&bytes);
    return size + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ates_arena *arena;
    struct ates_refusal refusal;

    if (size == 0) {
        return 0;
    }
    if (arena == NULL) {
        arena = ates_arena_new();
        require(arena != NULL);
    }
    ates_arena_reset(arena);
    const struct ates_message *message =
        tables[(data[0] >> 1) % (sizeof tables / sizeof tables[0])];
    void *out = malloc(message->size);
    int r = ates_message_decode(message, data + 1, size - 1, (enum ates_unknown)(data[0] & 1),
                                arena, out, &refusal);
    require(ates_arena_size(arena) <= message->size + 32 * size + 1024);
    if (r == 0) {
        take(message, out, arena);
    } else {
        require(r == ATES_INVALID_ARGUMENT && refusal.reason[0] != '\0');
    }
    free(out);
    return 0;
}
