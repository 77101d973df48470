/* A message that uses every type, random values of it, and random damage to its bytes; for the
 * codec's tests and fuzzer. Everything follows from one seed. */
#ifndef ATES_TEST_SAMPLE_H
#define ATES_TEST_SAMPLE_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ates/message.h>

#include "support/seed.h"

struct sample_item {
    uint64_t id;
    bool has_note;
    struct ates_text note;
};

struct sample_inner {
    struct ates_text word;
    bool has_deeper;
    struct sample_item deeper;
    struct ates_list words; /* struct ates_text */
};

struct sample {
    bool flag;
    uint64_t count;
    int64_t amount;
    int color;
    struct ates_text name;
    bool has_text;
    struct ates_text text;
    bool has_login;
    struct ates_text login;
    bool has_email;
    struct ates_text email;
    bool has_date;
    struct ates_text date;
    bool has_password;
    struct ates_text password;
    struct ates_bytes hash;
    bool has_data;
    struct ates_bytes data;
    struct sample_inner inner;
    bool has_other;
    struct sample_inner other;
    struct ates_list items;   /* struct sample_item */
    struct ates_list blobs;   /* struct ates_bytes */
    struct ates_list numbers; /* uint64_t */
};

static const char *const sample_colors[] = {NULL, "red", "green", "blue", NULL};

static const struct ates_field sample_item_fields[] = {
    {ATES_FIELD(sample_item, id), .type = ATES_UINT, .min = 1},
    {ATES_OPTIONAL(sample_item, note), .type = ATES_TEXT, .max = 20},
};
static ATES_MESSAGE(sample_item, "sample_item");

static const struct ates_field sample_inner_fields[] = {
    {ATES_FIELD(sample_inner, word), .type = ATES_TEXT, .rule = ATES_RULE_ASCII, .max = 10},
    {ATES_OPTIONAL(sample_inner, deeper), .type = ATES_STRUCT, .message = &sample_item_message},
    {ATES_FIELD(sample_inner, words), .type = ATES_LIST, .item = ATES_TEXT},
};
static ATES_MESSAGE(sample_inner, "sample_inner");

static const struct ates_field sample_fields[] = {
    {ATES_FIELD(sample, flag), .type = ATES_BOOL},
    {ATES_FIELD(sample, count), .type = ATES_UINT},
    {ATES_FIELD(sample, amount), .type = ATES_INT},
    {ATES_FIELD(sample, color), .type = ATES_ENUM, .names = sample_colors},
    {ATES_FIELD(sample, name), .type = ATES_TEXT, .rule = ATES_RULE_LINE, .min = 1, .max = 200},
    {ATES_OPTIONAL(sample, text), .type = ATES_TEXT},
    {ATES_OPTIONAL(sample, login), .type = ATES_TEXT, .rule = ATES_RULE_LOGIN, .min = 1, .max = 64},
    {ATES_OPTIONAL(sample, email), .type = ATES_TEXT, .rule = ATES_RULE_EMAIL, .min = 3,
     .max = 254},
    {ATES_OPTIONAL(sample, date), .type = ATES_TEXT, .rule = ATES_RULE_DATE},
    {ATES_OPTIONAL(sample, password), .type = ATES_TEXT, .secret = true, .min = 8, .max = 256},
    {ATES_FIELD(sample, hash), .type = ATES_BYTES, .min = 4, .max = 4},
    {ATES_OPTIONAL(sample, data), .type = ATES_RAW},
    {ATES_FIELD(sample, inner), .type = ATES_STRUCT, .message = &sample_inner_message},
    {ATES_OPTIONAL(sample, other), .type = ATES_STRUCT, .message = &sample_inner_message},
    {ATES_FIELD(sample, items), .type = ATES_LIST, .item = ATES_STRUCT,
     .message = &sample_item_message},
    {ATES_FIELD(sample, blobs), .type = ATES_LIST, .item = ATES_BYTES},
    {ATES_FIELD(sample, numbers), .type = ATES_LIST, .item = ATES_UINT},
};
static ATES_MESSAGE(sample, "sample");

static inline size_t sample_below(uint64_t *state, size_t limit)
{
    return (size_t)(seed_next(state) % limit);
}

/* An integer of any width, up to +-ATES_INTEGER_MAX. */
static inline uint64_t sample_number(uint64_t *state)
{
    return (seed_next(state) & (uint64_t)ATES_INTEGER_MAX) >> sample_below(state, 54);
}

static inline struct ates_text sample_text(uint64_t *state, struct ates_arena *arena, size_t min,
                                           size_t max, bool ascii)
{
    static const char *const characters[] = {
        "a",      "Z",      "0",      " ",      "-",      "~",      "\"",         "\\",
        "\u00e9", "\u0416", "\u07ff", "\u0800", "\u20ac", "\ud7ff", "\U00010000", "\U0010ffff"};
    const size_t kinds = ascii ? 8 : sizeof characters / sizeof characters[0];
    const size_t count = min + sample_below(state, max - min + 1);
    char *text = ates_arena_alloc(arena, 4 * count + 1);
    size_t size = 0;

    for (size_t i = 0; i < count; i++) {
        const char *character = characters[sample_below(state, kinds)];
        memcpy(text + size, character, strlen(character));
        size += strlen(character);
    }
    return (struct ates_text){text, size};
}

static inline struct ates_bytes sample_bytes(uint64_t *state, struct ates_arena *arena, size_t size)
{
    uint8_t *bytes = ates_arena_alloc(arena, size + 1);

    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)seed_next(state);
    }
    return (struct ates_bytes){bytes, size};
}

static inline bool sample_coin(uint64_t *state)
{
    return (seed_next(state) & 1) != 0;
}

static inline struct sample_item sample_make_item(uint64_t *state, struct ates_arena *arena)
{
    struct sample_item item = {.id = 1 + sample_number(state) / 2, .has_note = sample_coin(state)};

    if (item.has_note) {
        item.note = sample_text(state, arena, 0, 20, false);
    }
    return item;
}

static inline struct sample_inner sample_make_inner(uint64_t *state, struct ates_arena *arena)
{
    struct sample_inner inner = {.word = sample_text(state, arena, 0, 10, true)};
    const size_t count = sample_below(state, 20);
    struct ates_text *words = ates_arena_alloc(arena, count * sizeof *words);

    inner.has_deeper = sample_coin(state);
    if (inner.has_deeper) {
        inner.deeper = sample_make_item(state, arena);
    }
    for (size_t i = 0; i < count; i++) {
        words[i] = sample_text(state, arena, 0, 40, false);
    }
    inner.words = (struct ates_list){count > 0 ? words : NULL, count};
    return inner;
}

static inline void sample_make_lists(uint64_t *state, struct ates_arena *arena,
                                     struct sample *sample)
{
    struct sample_item *items = ates_arena_alloc(arena, 20 * sizeof *items);
    struct ates_bytes *blobs = ates_arena_alloc(arena, 20 * sizeof *blobs);
    uint64_t *numbers = ates_arena_alloc(arena, 20 * sizeof *numbers);

    sample->items = (struct ates_list){items, sample_below(state, 20)};
    sample->blobs = (struct ates_list){blobs, sample_below(state, 20)};
    sample->numbers = (struct ates_list){numbers, sample_below(state, 20)};
    for (size_t i = 0; i < 20; i++) {
        items[i] = sample_make_item(state, arena);
        blobs[i] = sample_bytes(state, arena, sample_below(state, 300));
        numbers[i] = sample_number(state);
    }
}

/* A random valid value; what it points to is in the arena. */
static inline struct sample sample_make(uint64_t *state, struct ates_arena *arena)
{
    struct sample sample = {
        .flag = sample_coin(state),
        .count = sample_number(state),
        .amount =
            sample_coin(state) ? (int64_t)sample_number(state) : -(int64_t)sample_number(state),
        .color = 1 + (int)sample_below(state, 3),
        .name = sample_text(state, arena, 1, 200, false),
        .hash = sample_bytes(state, arena, 4),
        .inner = sample_make_inner(state, arena),
        .has_text = sample_coin(state),
        .has_login = sample_coin(state),
        .has_email = sample_coin(state),
        .has_date = sample_coin(state),
        .has_password = sample_coin(state),
        .has_data = sample_coin(state),
        .has_other = sample_coin(state),
    };

    sample.text = sample_text(state, arena, 0, sample_coin(state) ? 400 : 40, false);
    sample.login = ates_text_from("Popug.the_1st-");
    sample.email = ates_text_from("popug@example.org");
    sample.date = ates_text_from("2024-02-29");
    sample.password = sample_text(state, arena, 8, 256, false);
    sample.other = sample_make_inner(state, arena);
    if (sample.has_data) {
        struct ates_buffer data = {0};
        ates_message_encode(&sample_inner_message, &sample.other, &data);
        sample.data = (struct ates_bytes){ates_arena_copy(arena, data.data, data.size), data.size};
        ates_buffer_release(&data);
    }
    sample_make_lists(state, arena, &sample);
    return sample;
}

/* Damages bytes once: changes, inserts, deletes, repeats or cuts. */
static inline void sample_damage(uint64_t *state, struct ates_buffer *bytes)
{
    static const uint8_t heads[] = {0x00, 0x7f, 0x80, 0x81, 0x90, 0x91, 0xa0, 0xbf,
                                    0xc0, 0xc1, 0xc2, 0xc4, 0xc6, 0xc7, 0xca, 0xcb,
                                    0xcc, 0xcf, 0xd0, 0xd3, 0xd4, 0xd8, 0xd9, 0xda,
                                    0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xe0, 0xff};
    const uint8_t head = heads[sample_below(state, sizeof heads)];
    const size_t at = bytes->size > 0 ? sample_below(state, bytes->size) : 0;

    if (bytes->size == 0) {
        ates_buffer_append(bytes, &head, 1);
        return;
    }
    switch (sample_below(state, 6)) {
    case 0:
        bytes->data[at] ^= (uint8_t)(1u << sample_below(state, 8));
        break;
    case 1:
        bytes->data[at] = head;
        break;
    case 2:
        bytes->data[at] = (uint8_t)seed_next(state);
        break;
    case 3:
        ates_buffer_append(bytes, &head, 1);
        memmove(bytes->data + at + 1, bytes->data + at, bytes->size - at - 1);
        bytes->data[at] = head;
        break;
    case 4:
        memmove(bytes->data + at, bytes->data + at + 1, bytes->size - at - 1);
        bytes->size--;
        break;
    default:
        if (sample_below(state, 4) == 0) {
            bytes->size = at;
        } else {
            const size_t from = sample_below(state, bytes->size);
            const size_t left = bytes->size - (from > at ? from : at);
            memmove(bytes->data + at, bytes->data + from, 1 + sample_below(state, left));
        }
        break;
    }
}

#endif
