/* The codec. An input is the number of a table, then the bytes of a message. What is taken must be
 * valid by its table, no longer when it is written again, the same when it is read again, and the same
 * through JSON; what is refused must be so with a field, and leave nothing. */
#include "fuzz.h"

#include <ates/service.h>

#include "core/message_json.h"
#include "support/sample.h"
#include "tables.h"

#define VALUE_MAX 1024u /* bytes of a message's struct */

/* As text where need be: json_equal takes a key for over at a NUL in it. */
static bool is_same(const json_t *a, const json_t *b)
{
    if (json_equal(a, b)) {
        return true;
    }
    char *a_text = json_dumps(a, JSON_COMPACT), *b_text = json_dumps(b, JSON_COMPACT);
    const bool same = a_text != NULL && b_text != NULL && strcmp(a_text, b_text) == 0;
    free(a_text);
    free(b_text);
    return same;
}

static void check_json(const struct ates_message *message, const void *value,
                       struct ates_arena *arena)
{
    struct ates_refusal refusal;
    uint64_t out[VALUE_MAX / sizeof(uint64_t)];

    json_t *json = ates_message_to_json(message, value);
    fuzz_require(json != NULL);
    fuzz_require(ates_message_from_json(message, json, arena, out, &refusal) == 0);
    json_t *again = ates_message_to_json(message, out);
    fuzz_require(is_same(json, again));
    json_decref(json);
    json_decref(again);
}

static void check_taken(const struct ates_message *message, const void *value, size_t size,
                        struct ates_arena *arena)
{
    static struct ates_buffer bytes, again;
    struct ates_refusal refusal;
    uint64_t out[VALUE_MAX / sizeof(uint64_t)];

    bytes.size = again.size = 0;
    fuzz_require(ates_message_check(message, value, &refusal) == 0);
    ates_message_encode(message, value, &bytes);
    fuzz_require(bytes.size <= size);
    fuzz_require(ates_message_decode(message, bytes.data, bytes.size, ATES_UNKNOWN_REFUSED, arena,
                                     out, &refusal) == 0);
    ates_message_encode(message, out, &again);
    fuzz_require(bytes.size == again.size && memcmp(bytes.data, again.data, bytes.size) == 0);
    check_json(message, value, arena);
}

/* A random valid message, for the mutator. */
static size_t make_valid(uint64_t *state, uint8_t *data, size_t max_size)
{
    struct ates_arena *arena = ates_arena_new();
    const struct sample value = sample_make(state, arena);
    struct ates_buffer bytes = {0};

    ates_message_encode(&sample_message, &value, &bytes);
    const size_t size = bytes.size < max_size ? bytes.size : max_size - 1;
    data[0] = 0;
    memcpy(data + 1, bytes.data, size);
    ates_buffer_release(&bytes);
    ates_arena_free(&arena);
    return size + 1;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    uint64_t state = seed;
    struct ates_buffer bytes = {0};
    const size_t choice = sample_below(&state, 64);

    if (choice >= 32 || size < 2) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    if (choice == 0) {
        return make_valid(&state, data, max_size);
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
    uint8_t out[VALUE_MAX] __attribute__((aligned(16))), untouched[VALUE_MAX];
    struct ates_refusal refusal, strict;

    if (size == 0) {
        return 0;
    }
    if (arena == NULL) {
        arena = ates_arena_new();
    }
    const struct ates_message *message = fuzz_table(data[0]);
    const size_t growth = fuzz_table_growth(data[0]);
    fuzz_require(message->size <= sizeof out);
    memset(out, 0xa5, message->size);
    memset(untouched, 0xa5, message->size);
    ates_arena_reset(arena);
    const int r = ates_message_decode(message, data + 1, size - 1, ATES_UNKNOWN_IGNORED, arena, out,
                                      &refusal);
    fuzz_require(ates_arena_size(arena) <= growth * size + 1024);
    if (r != 0) {
        fuzz_require(r == ATES_INVALID_ARGUMENT);
        fuzz_check_refusal(&refusal, r);
        fuzz_require(memcmp(out, untouched, message->size) == 0);
        return 0;
    }
    memset(untouched, 0, message->size);
    const int s = ates_message_decode(message, data + 1, size - 1, ATES_UNKNOWN_REFUSED, arena,
                                      untouched, &strict);
    if (s != 0) {
        fuzz_require(strcmp(strict.reason, "FIELD_UNKNOWN") == 0);
        fuzz_check_refusal(&strict, s);
    }
    check_taken(message, out, size - 1, arena);
    return 0;
}
