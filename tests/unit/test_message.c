/* The codec: limits at both edges, every refusal by name, round trips and damage. */
#include <criterion/criterion.h>
#include <msgpack.h>

#include "../support/sample.h"

#define BYTES(LITERAL) (const uint8_t *)(LITERAL), sizeof(LITERAL) - 1

static struct ates_arena *arena;
static struct ates_refusal refusal;

static void set_up(void)
{
    arena = ates_arena_new();
    cr_assert_not_null(arena);
}

static void tear_down(void)
{
    ates_arena_free(&arena);
}

TestSuite(message, .init = set_up, .fini = tear_down);

/* Small, so that its bytes can be written by hand. */
struct tiny {
    uint64_t n;
    bool has_t;
    struct ates_text t;
    bool has_e;
    int e;
    bool has_i;
    int64_t i;
    bool has_b;
    struct ates_bytes b;
    bool has_f;
    bool f;
    bool has_r;
    struct ates_bytes r;
    bool has_s;
    struct ates_text s;
    bool has_l;
    struct ates_list l;
    bool has_u;
    struct ates_list u;
    bool has_m;
    struct sample_item m;
};

static const struct ates_field tiny_fields[] = {
    {ATES_FIELD(tiny, n), .type = ATES_UINT, .min = 1, .max = 10},
    {ATES_OPTIONAL(tiny, t), .type = ATES_TEXT, .min = 1, .max = 3},
    {ATES_OPTIONAL(tiny, e), .type = ATES_ENUM, .names = sample_colors},
    {ATES_OPTIONAL(tiny, i), .type = ATES_INT, .min = -5, .max = 5},
    {ATES_OPTIONAL(tiny, b), .type = ATES_BYTES, .min = 1, .max = 2},
    {ATES_OPTIONAL(tiny, f), .type = ATES_BOOL},
    {ATES_OPTIONAL(tiny, r), .type = ATES_RAW, .max = 12},
    {ATES_OPTIONAL(tiny, s), .type = ATES_TEXT, .secret = true, .min = 2, .max = 3},
    {ATES_OPTIONAL(tiny, l), .type = ATES_LIST, .item = ATES_STRUCT, .min = 1, .max = 2,
     .message = &sample_item_message},
    {ATES_OPTIONAL(tiny, u), .type = ATES_LIST, .item = ATES_UINT},
    {ATES_OPTIONAL(tiny, m), .type = ATES_STRUCT, .message = &sample_item_message},
};
static ATES_MESSAGE(tiny, "tiny");

/* Decodes from a block of exactly size bytes that lives as long as the arena. */
static int decode(const struct ates_message *message, const uint8_t *bytes, size_t size,
                  enum ates_unknown unknown, void *out)
{
    memset(&refusal, 0xee, sizeof refusal);
    return ates_message_decode(message, ates_arena_copy(arena, bytes, size), size, unknown, arena,
                               out, &refusal);
}

struct refused {
    const uint8_t *bytes;
    size_t size;
    const char *reason;
    const char *field;
    const char *message; /* the whole of it */
};

static const struct refused refused_cases[] = {
    {BYTES(""), "BODY_INVALID", "",
     "the body is not as it should be: it ends in the middle of a value"},
    {BYTES("\x90"), "BODY_INVALID", "", "the body is not as it should be: it is not a map"},
    {BYTES("\xc0"), "BODY_INVALID", "", "the body is not as it should be: it is not a map"},
    {BYTES("\x81\xa1n"), "BODY_INVALID", "",
     "the body is not as it should be: it ends in the middle of a value"},
    {BYTES("\x82\xa1n\x01"), "BODY_INVALID", "",
     "the body is not as it should be: it ends in the middle of a value"},
    {BYTES("\x81\xa1n\x01\x00"), "BODY_INVALID", "",
     "the body is not as it should be: bytes follow after the map"},
    {BYTES("\x81\xa1n\x01\x81\xa1n\x01"), "BODY_INVALID", "",
     "the body is not as it should be: bytes follow after the map"},
    {BYTES("\x81\x01\x01"), "BODY_INVALID", "",
     "the body is not as it should be: a map's key is not a text"},
    {BYTES("\x82\xa1n\x01\xa1\xff\x01"), "BODY_INVALID", "", "a map's key is not valid UTF-8"},
    {BYTES("\x81\xa1n\xc1"), "BODY_INVALID", "",
     "the body is not as it should be: it is not msgpack"},
    {BYTES("\xdf\xff\xff\xff\xff\xa1n\x01"), "BODY_INVALID", "",
     "the body is not as it should be: it ends in the middle of a value"},
    {BYTES("\x80"), "FIELD_MISSING", "n", "n: it is required"},
    {BYTES("\x81\xa1t\xa1x"), "FIELD_MISSING", "n", "n: it is required"},
    {BYTES("\x82\xa1n\x01\xa1n\x01"), "FIELD_DUPLICATE", "n", "n: the field comes twice"},
    {BYTES("\x82\xa1n\x01\xa1z\x01"), "FIELD_UNKNOWN", "z", "z: there is no such field"},
    {BYTES("\x82\xa1n\x01\xa2n\x00\x01"), "FIELD_UNKNOWN", "n?", "n?: there is no such field"},
    {BYTES("\x82\xa1n\x01\xa0\x01"), "FIELD_UNKNOWN", "\"\"", "\"\": there is no such field"},
    {BYTES("\x81\xa1n\x00"), "FIELD_INVALID", "n", "n: 1 to 10, got 0"},
    {BYTES("\x81\xa1n\x0b"), "FIELD_INVALID", "n", "n: 1 to 10, got 11"},
    {BYTES("\x81\xa1n\xff"), "FIELD_INVALID", "n", "n: 1 to 10, got -1"},
    {BYTES("\x81\xa1n\xc0"), "FIELD_INVALID", "n", "n: expected an integer, got nil"},
    {BYTES("\x81\xa1n\xa1\x31"), "FIELD_INVALID", "n", "n: expected an integer, got a text"},
    {BYTES("\x81\xa1n\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00"), "FIELD_INVALID", "n",
     "n: expected an integer, got a floating-point number"},
    {BYTES("\x81\xa1n\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), "FIELD_INVALID", "n",
     "n: expected an integer, got an integer beyond 2^53-1"},
    {BYTES("\x81\xa1n\xd4\x01\x01"), "FIELD_INVALID", "n",
     "n: expected an integer, got an extension type"},
    {BYTES("\x82\xa1n\x01\xa1t\xa0"), "FIELD_INVALID", "t", "t: 1 to 3 characters, got 0"},
    {BYTES("\x82\xa1n\x01\xa1t\xa4"
           "abcd"),
     "FIELD_INVALID", "t", "t: 1 to 3 characters, got 4"},
    {BYTES("\x82\xa1n\x01\xa1t\xa1\xff"), "FIELD_INVALID", "t", "t: it is not valid UTF-8"},
    {BYTES("\x82\xa1n\x01\xa1t\xa1\x07"), "FIELD_INVALID", "t",
     "t: no control characters but newline and tab are allowed"},
    {BYTES("\x82\xa1n\x01\xa1t\xc4\x01x"), "FIELD_INVALID", "t", "t: expected a text, got bytes"},
    {BYTES("\x82\xa1n\x01\xa1t\xc0"), "FIELD_INVALID", "t", "t: expected a text, got nil"},
    {BYTES("\x82\xa1n\x01\xa1\x65\xa3sky"), "FIELD_INVALID", "e",
     "e: one of red, green, blue is expected"},
    {BYTES("\x82\xa1n\x01\xa1\x65\xa0"), "FIELD_INVALID", "e",
     "e: one of red, green, blue is expected"},
    {BYTES("\x82\xa1n\x01\xa1\x65\x01"), "FIELD_INVALID", "e",
     "e: expected a text, got an integer"},
    {BYTES("\x82\xa1n\x01\xa1i\xfa"), "FIELD_INVALID", "i", "i: -5 to 5, got -6"},
    {BYTES("\x82\xa1n\x01\xa1i\x06"), "FIELD_INVALID", "i", "i: -5 to 5, got 6"},
    {BYTES("\x82\xa1n\x01\xa1\x62\xc4\x00"), "FIELD_INVALID", "b", "b: 1 to 2 bytes, got 0"},
    {BYTES("\x82\xa1n\x01\xa1\x62\xc4\x03xxx"), "FIELD_INVALID", "b", "b: 1 to 2 bytes, got 3"},
    {BYTES("\x82\xa1n\x01\xa1\x62\xa1x"), "FIELD_INVALID", "b", "b: expected bytes, got a text"},
    {BYTES("\x82\xa1n\x01\xa1\x66\x01"), "FIELD_INVALID", "f",
     "f: expected true or false, got an integer"},
    {BYTES("\x82\xa1n\x01\xa1r\x90"), "FIELD_INVALID", "r", "r: expected a map, got a list"},
    {BYTES("\x82\xa1n\x01\xa1r\x82\xa0\x00\xa0\x00"), "FIELD_INVALID", "r",
     "r: a map has a key twice"},
    {BYTES("\x82\xa1n\x01\xa1r\x81\xa0\xca\x00\x00\x00\x00"), "FIELD_INVALID", "r",
     "r: floating-point numbers are not allowed"},
    {BYTES("\x82\xa1n\x01\xa1r\x81\xa0\xabxxxxxxxxxxx"), "FIELD_INVALID", "r",
     "r: 0 to 12 bytes, got 14"},
    {BYTES("\x82\xa1n\x01\xa1r\x81\xa0\x81\xa0\x81\xa0\x81\xa0\x81\xa0\x81\xa0\x81\xa0\x80"),
     "FIELD_INVALID", "r", "r: maps and lists are nested more than 8 deep"},
    {BYTES("\x82\xa1n\x01\xa1s\xa1x"), "FIELD_INVALID", "s", "s: 2 to 3 characters"},
    {BYTES("\x82\xa1n\x01\xa1l\x90"), "FIELD_INVALID", "l", "l: 1 to 2 items, got 0"},
    {BYTES("\x82\xa1n\x01\xa1l\x93\x80\x80\x80"), "FIELD_INVALID", "l", "l: 1 to 2 items, got 3"},
    {BYTES("\x82\xa1n\x01\xa1l\x92\x80\x80"), "FIELD_INVALID", "l",
     "l: 2 items do not fit into the bytes that follow"},
    {BYTES("\x82\xa1n\x01\xa1l\x81\xa0\xa0"), "FIELD_INVALID", "l",
     "l: expected a list, got a map"},
    {BYTES("\x82\xa1n\x01\xa1l\x91\x82\xa2id\x01\xa4note\x00"), "FIELD_INVALID", "l[0].note",
     "l[0].note: expected a text, got an integer"},
    {BYTES("\x82\xa1n\x01\xa1l\x92\x81\xa2id\x01\x81\xa2id\x00"), "FIELD_INVALID", "l[1].id",
     "l[1].id: 1 to 9007199254740991, got 0"},
    {BYTES("\x82\xa1n\x01\xa1l\x91\x81\xa4note\xa0"), "FIELD_MISSING", "l[0].id",
     "l[0].id: it is required"},
    {BYTES("\x82\xa1n\x01\xa1l\x91\x82\xa2id\x01\xa2x\x79\x00"), "FIELD_UNKNOWN", "l[0].xy",
     "l[0].xy: there is no such field"},
    {BYTES("\x82\xa1n\x01\xa1l\x91\xa4xxxx"), "FIELD_INVALID", "l[0]",
     "l[0]: expected a map, got a text"},
    {BYTES("\x82\xa1n\x01\xa1u\x92\x00\xff"), "FIELD_INVALID", "u[1]",
     "u[1]: 0 to 9007199254740991, got -1"},
    {BYTES("\x82\xa1n\x01\xa1m\x80"), "FIELD_MISSING", "m.id", "m.id: it is required"},
    {BYTES("\x82\xa1n\x01\xa1m\x82\xa2id\x01\xa2id\x01"), "FIELD_DUPLICATE", "m.id",
     "m.id: the field comes twice"},
};

Test(message, refusals_name_the_field)
{
    for (size_t i = 0; i < sizeof refused_cases / sizeof refused_cases[0]; i++) {
        const struct refused *it = &refused_cases[i];
        struct tiny out, untouched;

        memset(&out, 0x5a, sizeof out);
        memset(&untouched, 0x5a, sizeof untouched);
        cr_assert_eq(decode(&tiny_message, it->bytes, it->size, ATES_UNKNOWN_REFUSED, &out),
                     ATES_INVALID_ARGUMENT, "case %zu", i);
        cr_assert_eq(memcmp(&out, &untouched, sizeof out), 0, "case %zu", i);
        cr_assert_eq(refusal.status, ATES_INVALID_ARGUMENT);
        cr_assert_str_eq(refusal.reason, it->reason, "case %zu: %s", i, refusal.message);
        cr_assert_str_eq(refusal.field, it->field, "case %zu", i);
        cr_assert_str_eq(refusal.message, it->message, "case %zu", i);
        cr_assert_eq(ates_message_decode(&tiny_message, it->bytes, it->size, ATES_UNKNOWN_REFUSED,
                                         arena, &out, NULL),
                     ATES_INVALID_ARGUMENT);
    }
}

Test(message, limits_include_both_edges)
{
    static const struct {
        const uint8_t *bytes;
        size_t size;
    } cases[] = {
        {BYTES("\x81\xa1n\x01")},
        {BYTES("\x81\xa1n\x0a")},
        {BYTES("\x81\xa1n\xcf\x00\x00\x00\x00\x00\x00\x00\x0a")},
        {BYTES("\x81\xa1n\xd3\x00\x00\x00\x00\x00\x00\x00\x0a")},
        {BYTES("\x82\xa1t\xa1x\xa1n\x01")},
        {BYTES("\x82\xa1n\x01\xa1t\xa6\xd0\x96\xd0\x96\xd0\x96")},
        {BYTES("\x82\xa1n\x01\xa1t\xdb\x00\x00\x00\x03\n\t ")},
        {BYTES("\x82\xa1n\x01\xa1\x65\xa3red")},
        {BYTES("\x82\xa1n\x01\xa1\x65\xa4\x62lue")},
        {BYTES("\x82\xa1n\x01\xa1i\xfb")},
        {BYTES("\x82\xa1n\x01\xa1i\x05")},
        {BYTES("\x82\xa1n\x01\xa1\x62\xc4\x01\xff")},
        {BYTES("\x82\xa1n\x01\xa1\x62\xc6\x00\x00\x00\x02\xff\xff")},
        {BYTES("\x82\xa1n\x01\xa1\x66\xc2")},
        {BYTES("\x82\xa1n\x01\xa1r\x80")},
        {BYTES("\x82\xa1n\x01\xa1r\x81\xa0\xa9xxxxxxxxx")},
        {BYTES("\x82\xa1n\x01\xa1s\xa2xx")},
        {BYTES("\x82\xa1n\x01\xa1l\x91\x81\xa2id\x01")},
        {BYTES("\x82\xa1n\x01\xa1l\x92\x81\xa2id\x01\x81\xa2id\x02")},
        {BYTES("\x82\xa1n\x01\xa1u\x90")},
        {BYTES("\x82\xa1n\x01\xa1u\x91\x00")},
        {BYTES("\x82\xa1n\x01\xd9\x01m\xdf\x00\x00\x00\x01\xa2id\x01")},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tiny out;
        cr_assert_eq(
            decode(&tiny_message, cases[i].bytes, cases[i].size, ATES_UNKNOWN_REFUSED, &out), 0,
            "case %zu: %s", i, refusal.message);
    }
}

Test(message, values_arrive)
{
    static const uint8_t bytes[] = "\x8a\xa1n\x07\xa1t\xa2hi\xa1\x65\xa5green\xa1i\xfe"
                                   "\xa1\x62\xc4\x02\x01\x02\xa1\x66\xc3\xa1r\x81\xa1k\x05"
                                   "\xa1l\x91\x81\xa2id\x09\xa1u\x92\x01\x02\xa1m\x82\xa2id\x03"
                                   "\xa4note\xa1x";
    struct tiny out;

    cr_assert_eq(decode(&tiny_message, bytes, sizeof bytes - 1, ATES_UNKNOWN_REFUSED, &out), 0,
                 "%s", refusal.message);
    cr_assert_eq(out.n, 7u);
    cr_assert(out.has_t && ates_text_equal(out.t, ates_text_from("hi")));
    cr_assert(out.has_e && out.e == 2);
    cr_assert(out.has_i && out.i == -2);
    cr_assert(out.has_b && out.b.size == 2 && out.b.data[1] == 2);
    cr_assert(out.has_f && out.f);
    cr_assert(out.has_r && out.r.size == 4 && memcmp(out.r.data, "\x81\xa1k\x05", 4) == 0);
    cr_assert(!out.has_s);
    cr_assert(out.has_l && out.l.count == 1);
    cr_assert_eq(((const struct sample_item *)out.l.items)[0].id, 9u);
    cr_assert(out.has_u && out.u.count == 2 && ((const uint64_t *)out.u.items)[1] == 2);
    cr_assert(out.has_m && out.m.id == 3 && out.m.has_note);
}

Test(message, unknown_fields_are_ignored_but_checked)
{
    static const struct {
        const uint8_t *bytes;
        size_t size;
        const char *reason; /* NULL: taken */
    } cases[] = {
        {BYTES("\x83\xa1x\x81\xa1y\x91\xc0\xa1n\x01\xa1z\xc4\x01\xff"), NULL},
        {BYTES("\x83\xa1n\x01\xa1z\x01\xa1z\x01"), "FIELD_DUPLICATE"},
        {BYTES("\x82\xa1n\x01\xa1z\x82\xa0\x01\xa0\x01"), "BODY_INVALID"},
        {BYTES("\x82\xa1n\x01\xa1z\xcb\x00\x00\x00\x00\x00\x00\x00\x00"), "BODY_INVALID"},
        {BYTES("\x82\xa1n\x01\xa1z\xd4\x00\x00"), "BODY_INVALID"},
        {BYTES("\x82\xa1n\x01\xa1z\xa1\xff"), "BODY_INVALID"},
        {BYTES("\x82\xa1n\x01\xa1\xff\x00"), "BODY_INVALID"},
        {BYTES("\x82\xa1n\x01\xa1z\x92\x00"), "BODY_INVALID"},
        {BYTES("\x82\xa1n\x01\xa1z\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), "BODY_INVALID"},
        {BYTES("\x82\xa1n\x01\xa1z\x91\x91\x91\x91\x91\x91\x91\x90"), "BODY_INVALID"},
        {BYTES("\x82\xa1n\x01\xa1z\x91\x91\x91\x91\x91\x91\x90"), NULL},
        {BYTES("\x82\xa1m\x82\xa2id\x01\xa1q\x02\xa1n\x01"), NULL},
        {BYTES("\x81\xa1z\x01"), "FIELD_MISSING"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tiny out;
        int r = decode(&tiny_message, cases[i].bytes, cases[i].size, ATES_UNKNOWN_IGNORED, &out);
        cr_assert_eq(r == 0, cases[i].reason == NULL, "case %zu: %s", i, refusal.message);
        cr_assert(r == 0 || strcmp(refusal.reason, cases[i].reason) == 0, "case %zu: %s", i,
                  refusal.reason);
    }
}

/* More unknown fields than are compared with each other at once; the last one may repeat the first.
 */
Test(message, an_unknown_field_twice_is_found_among_many)
{
    for (int twice = 0; twice < 2; twice++) {
        struct ates_buffer bytes = {0};
        struct tiny out;

        ates_buffer_append(&bytes, "\xde\x00\x1f\xa1n\x01", 6);
        for (int i = 0; i < 30; i++) {
            const char pair[] = {'\xa2', 'u', (char)('a' + (twice && i == 29 ? 0 : i)), '\xc0'};
            ates_buffer_append(&bytes, pair, sizeof pair);
        }
        cr_assert_eq(decode(&tiny_message, bytes.data, bytes.size, ATES_UNKNOWN_IGNORED, &out) != 0,
                     twice);
        cr_assert(!twice || strcmp(refusal.reason, "FIELD_DUPLICATE") == 0);
        cr_assert(!twice || strcmp(refusal.message, "ua: the field comes twice") == 0);
        ates_buffer_release(&bytes);
    }
}

Test(message, a_long_unknown_name_is_cut_in_the_refusal)
{
    struct ates_buffer bytes = {0};
    struct tiny out;

    ates_buffer_append(&bytes, "\x81\xda\x10\x00", 4);
    for (int i = 0; i < 0x1000 / 2; i++) {
        ates_buffer_append(&bytes, "\u0416", 2);
    }
    ates_buffer_append(&bytes, "\x00", 1);
    cr_assert_eq(decode(&tiny_message, bytes.data, bytes.size, ATES_UNKNOWN_REFUSED, &out),
                 ATES_INVALID_ARGUMENT);
    cr_assert_str_eq(refusal.reason, "FIELD_UNKNOWN");
    cr_assert_eq(strlen(refusal.field), 94u);
    ates_buffer_release(&bytes);
}

/* What a secret field holds is told nowhere, whatever is wrong with it. */
Test(message, secrets_stay_secret)
{
    static const char *const secrets[] = {"swordfish-swordfish", "1234567", "q", "4\x07\x07"};

    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        struct ates_buffer bytes = {0};
        struct tiny out;
        const uint8_t size = (uint8_t)(0xa0 | strlen(secrets[i]));

        ates_buffer_append(&bytes, "\x82\xa1n\x01\xa1s", 6);
        ates_buffer_append(&bytes, &size, 1);
        ates_buffer_append(&bytes, secrets[i], strlen(secrets[i]));
        cr_assert_neq(decode(&tiny_message, bytes.data, bytes.size, ATES_UNKNOWN_REFUSED, &out), 0);
        cr_assert_null(strstr(refusal.message, secrets[i]));
        cr_assert_null(strstr(refusal.message, "got"));
        ates_buffer_release(&bytes);
    }
}

/* Nested array heads, each with a count that would reserve gigabytes: 155 bytes in all. */
Test(message, bombs_reserve_nothing)
{
    static const uint8_t claims[][5] = {{0xdd, 0xff, 0xff, 0xff, 0xff},
                                        {0xdd, 0x00, 0x00, 0x00, 0x96},
                                        {0xdf, 0x7f, 0xff, 0xff, 0xff},
                                        {0xdb, 0xff, 0xff, 0xff, 0xff},
                                        {0xc6, 0xff, 0xff, 0xff, 0xff}};
    struct sample out;

    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
        for (int in_field = 0; in_field < 4; in_field++) {
            static const char *const starts[] = {"", "\x81\xa7numbers", "\x81\xa5items",
                                                 "\x81\xa4\x64\x61ta"};
            struct ates_buffer bomb = {0};

            ates_buffer_append(&bomb, starts[in_field], strlen(starts[in_field]));
            for (int j = 0; j < 31; j++) {
                ates_buffer_append(&bomb, claims[i], 5);
            }
            for (int mode = 0; mode < 2; mode++) {
                ates_arena_reset(arena);
                cr_assert_neq(ates_message_decode(&sample_message, bomb.data, bomb.size,
                                                  (enum ates_unknown)mode, arena, &out, &refusal),
                              0);
                cr_assert_lt(ates_arena_size(arena), sizeof out + 16 * 170);
            }
            ates_buffer_release(&bomb);
        }
    }
}

/* What a decode may take: the struct, and for lists 16 bytes a byte received (struct ates_text in
 * one byte) once for what is there and once for the claim that failed. */
static size_t arena_bound(size_t size)
{
    return sizeof(struct sample) + 2 * 16 * size + 1024;
}

Test(message, random_values_round_trip)
{
    uint64_t state = seed_start();
    struct ates_arena *values = ates_arena_new();

    for (int i = 0; i < 5000; i++) {
        const struct sample in = sample_make(&state, values);
        struct ates_buffer bytes = {0};
        struct ates_buffer again = {0};
        struct sample out;
        msgpack_unpacked unpacked;
        size_t used = 0;

        ates_message_encode(&sample_message, &in, &bytes);
        cr_assert_eq(ates_message_check(&sample_message, &in, &refusal), 0, "%s", refusal.message);
        cr_assert_eq(ates_message_decode(&sample_message, bytes.data, bytes.size,
                                         ATES_UNKNOWN_REFUSED, arena, &out, &refusal),
                     0, "%s", refusal.message);
        cr_assert_leq(ates_arena_size(arena), arena_bound(bytes.size));
        cr_assert_eq(out.count, in.count);
        cr_assert_eq(out.amount, in.amount);
        cr_assert_eq(out.color, in.color);
        cr_assert(ates_text_equal(out.name, in.name));
        cr_assert_eq(out.has_data, in.has_data);
        cr_assert_eq(out.items.count, in.items.count);
        ates_message_encode(&sample_message, &out, &again);
        cr_assert_eq(bytes.size, again.size);
        cr_assert_eq(memcmp(bytes.data, again.data, bytes.size), 0);
        msgpack_unpacked_init(&unpacked);
        cr_assert_eq(msgpack_unpack_next(&unpacked, (const char *)bytes.data, bytes.size, &used),
                     MSGPACK_UNPACK_SUCCESS);
        cr_assert_eq(used, bytes.size);
        msgpack_unpacked_destroy(&unpacked);
        ates_buffer_release(&bytes);
        ates_buffer_release(&again);
        ates_arena_reset(arena);
        ates_arena_reset(values);
    }
    ates_arena_free(&values);
}

/* One damaged message: refused by name with out untouched, or a value that is valid and lasts. */
static void take_damaged(const struct ates_buffer *damaged, enum ates_unknown unknown)
{
    uint8_t *exact = malloc(damaged->size > 0 ? damaged->size : 1);
    struct sample out, untouched;

    memset(&out, 0x5a, sizeof out);
    memset(&untouched, 0x5a, sizeof untouched);
    if (damaged->size > 0) {
        memcpy(exact, damaged->data, damaged->size);
    }
    ates_arena_reset(arena);
    int r =
        ates_message_decode(&sample_message, exact, damaged->size, unknown, arena, &out, &refusal);
    cr_assert_leq(ates_arena_size(arena), arena_bound(damaged->size));
    if (r == 0) {
        struct ates_buffer bytes = {0};

        cr_assert_eq(ates_message_check(&sample_message, &out, &refusal), 0, "%s", refusal.message);
        ates_message_encode(&sample_message, &out, &bytes);
        cr_assert_eq(ates_message_decode(&sample_message, bytes.data, bytes.size,
                                         ATES_UNKNOWN_REFUSED, arena, &out, &refusal),
                     0, "%s", refusal.message);
        ates_buffer_release(&bytes);
    } else {
        cr_assert_eq(r, ATES_INVALID_ARGUMENT);
        cr_assert_neq(refusal.reason[0], '\0');
        cr_assert_eq(memcmp(&out, &untouched, sizeof out), 0);
    }
    free(exact);
}

Test(message, damage_is_refused_or_harmless, .timeout = 120)
{
    uint64_t state = seed_start();
    struct ates_arena *values = ates_arena_new();
    struct ates_buffer bytes = {0};
    struct ates_buffer damaged = {0};

    for (int i = 0; i < 200000; i++) {
        if (i % 20 == 0) {
            const struct sample in = sample_make(&state, values);
            bytes.size = 0;
            ates_message_encode(&sample_message, &in, &bytes);
            ates_arena_reset(values);
        }
        damaged.size = 0;
        ates_buffer_append(&damaged, bytes.data, bytes.size);
        for (size_t n = 1 + sample_below(&state, 4); n > 0; n--) {
            sample_damage(&state, &damaged);
        }
        take_damaged(&damaged, (enum ates_unknown)(i & 1));
    }
    ates_buffer_release(&bytes);
    ates_buffer_release(&damaged);
    ates_arena_free(&values);
}

Test(message, every_prefix_is_refused)
{
    uint64_t state = seed_start();
    const struct sample in = sample_make(&state, arena);
    struct ates_buffer bytes = {0};
    struct sample out;

    ates_message_encode(&sample_message, &in, &bytes);
    for (size_t size = 0; size < bytes.size; size++) {
        cr_assert_neq(decode(&sample_message, bytes.data, size, ATES_UNKNOWN_IGNORED, &out), 0);
    }
    ates_buffer_release(&bytes);
}
