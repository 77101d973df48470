/* JSON and command lines to messages: round trips, and refusals that name the field. */
#include <criterion/criterion.h>

#include "../support/sample.h"
#include "core/message_json.h"

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

TestSuite(message_json, .init = set_up, .fini = tear_down);

Test(message_json, random_values_round_trip)
{
    uint64_t state = seed_start();

    for (int i = 0; i < 1000; i++) {
        const struct sample in = sample_make(&state, arena);
        struct ates_buffer before = {0};
        struct ates_buffer after = {0};
        struct sample out;

        json_t *made = ates_message_to_json(&sample_message, &in);
        cr_assert_not_null(made);
        char *text = json_dumps(made, 0);
        json_t *read = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
        cr_assert_eq(ates_message_from_json(&sample_message, read, arena, &out, &refusal), 0, "%s",
                     refusal.message);
        free(text);
        json_decref(made);
        json_decref(read);
        cr_assert_eq(ates_message_check(&sample_message, &out, &refusal), 0, "%s", refusal.message);
        ates_message_encode(&sample_message, &in, &before);
        ates_message_encode(&sample_message, &out, &after);
        cr_assert_eq(before.size, after.size);
        cr_assert_eq(memcmp(before.data, after.data, before.size), 0);
        ates_buffer_release(&before);
        ates_buffer_release(&after);
        ates_arena_reset(arena);
    }
}

struct tiny {
    uint64_t n;
    bool has_i;
    int64_t i;
    bool has_f;
    bool f;
    bool has_e;
    int e;
    bool has_t;
    struct ates_text t;
    bool has_s;
    struct ates_text s;
    bool has_b;
    struct ates_bytes b;
    bool has_r;
    struct ates_bytes r;
    bool has_l;
    struct ates_list l;
    bool has_x;
    struct ates_list x;
    bool has_m;
    struct sample_item m;
    bool has_u;
    struct ates_list u;
};

static const struct ates_field tiny_fields[] = {
    {ATES_FIELD(tiny, n), .type = ATES_UINT, .min = 1, .max = 10},
    {ATES_OPTIONAL(tiny, i), .type = ATES_INT},
    {ATES_OPTIONAL(tiny, f), .type = ATES_BOOL},
    {ATES_OPTIONAL(tiny, e), .type = ATES_ENUM, .names = sample_colors},
    {ATES_OPTIONAL(tiny, t), .type = ATES_TEXT, .min = 1, .max = 3},
    {ATES_OPTIONAL(tiny, s), .type = ATES_TEXT, .secret = true, .min = 8, .max = 9},
    {ATES_OPTIONAL(tiny, b), .type = ATES_BYTES, .min = 1, .max = 2},
    {ATES_OPTIONAL(tiny, r), .type = ATES_RAW},
    {ATES_OPTIONAL(tiny, l), .type = ATES_LIST, .item = ATES_STRUCT, .max = 2,
     .message = &sample_item_message},
    {ATES_OPTIONAL(tiny, x), .type = ATES_LIST, .item = ATES_BYTES},
    {ATES_OPTIONAL(tiny, u), .type = ATES_LIST, .item = ATES_UINT, .min = 1, .max = 3},
    {ATES_OPTIONAL(tiny, m), .type = ATES_STRUCT, .message = &sample_item_message},
};
static ATES_MESSAGE(tiny, "tiny");

Test(message_json, refusals_name_the_field)
{
    static const struct {
        const char *json;
        const char *reason;
        const char *message;
    } cases[] = {
        {"[]", "BODY_INVALID", "the body is not a JSON object"},
        {"{}", "FIELD_MISSING", "n: it is required"},
        {"{\"n\":null}", "FIELD_INVALID", "n: expected an integer, got null"},
        {"{\"n\":1.0}", "FIELD_INVALID", "n: expected an integer, got a floating-point number"},
        {"{\"n\":\"1\"}", "FIELD_INVALID", "n: expected an integer, got a text"},
        {"{\"n\":11}", "FIELD_INVALID", "n: 1 to 10, got 11"},
        {"{\"n\":-1}", "FIELD_INVALID", "n: 1 to 10, got -1"},
        {"{\"n\":1,\"zz\":1}", "FIELD_UNKNOWN", "zz: there is no such field"},
        {"{\"n\":1,\"has_i\":true}", "FIELD_UNKNOWN", "has_i: there is no such field"},
        {"{\"n\":1,\"i\":9007199254740992}", "FIELD_INVALID",
         "i: -9007199254740991 to 9007199254740991, got 9007199254740992"},
        {"{\"n\":1,\"f\":1}", "FIELD_INVALID", "f: expected true or false, got an integer"},
        {"{\"n\":1,\"e\":\"sky\"}", "FIELD_INVALID", "e: one of red, green, blue is expected"},
        {"{\"n\":1,\"t\":\"\"}", "FIELD_INVALID", "t: 1 to 3 characters, got 0"},
        {"{\"n\":1,\"s\":\"swordfish!\"}", "FIELD_INVALID", "s: 8 to 9 characters"},
        {"{\"n\":1,\"b\":\"0\"}", "FIELD_INVALID", "b: an even number of hex digits is expected"},
        {"{\"n\":1,\"b\":\"0g\"}", "FIELD_INVALID", "b: hex digits are expected"},
        {"{\"n\":1,\"b\":\"010203\"}", "FIELD_INVALID", "b: 1 to 2 bytes, got 3"},
        {"{\"n\":1,\"r\":[]}", "FIELD_INVALID", "r: expected a map, got a list"},
        {"{\"n\":1,\"r\":{\"a\":0.5}}", "FIELD_INVALID",
         "r: floating-point numbers are not allowed"},
        {"{\"n\":1,\"r\":{\"a\":9007199254740992}}", "FIELD_INVALID",
         "r: an integer is beyond 2^53-1"},
        {"{\"n\":1,\"r\":{\"a\":[[[[[[[[[[[]]]]]]]]]]]}}", "FIELD_INVALID",
         "r: maps and lists are nested more than 8 deep"},
        {"{\"n\":1,\"r\":{\"a\":[[[[[[[]]]]]]]}}", "FIELD_INVALID",
         "r: maps and lists are nested more than 8 deep"},
        {"{\"n\":1,\"l\":[{\"id\":1},{\"id\":0}]}", "FIELD_INVALID",
         "l[1].id: 1 to 9007199254740991, got 0"},
        {"{\"n\":1,\"l\":[{\"id\":1},{}]}", "FIELD_MISSING", "l[1].id: it is required"},
        {"{\"n\":1,\"l\":[{\"id\":1,\"q\":0}]}", "FIELD_UNKNOWN", "l[0].q: there is no such field"},
        {"{\"n\":1,\"l\":[1]}", "FIELD_INVALID", "l[0]: expected a map, got an integer"},
        {"{\"n\":1,\"l\":[{},{},{}]}", "FIELD_INVALID", "l: 0 to 2 items, got 3"},
        {"{\"n\":1,\"x\":[\"00\",\"z\"]}", "FIELD_INVALID",
         "x[1]: an even number of hex digits is expected"},
        {"{\"n\":1,\"m\":[]}", "FIELD_INVALID", "m: expected a map, got a list"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tiny out, untouched;
        json_t *json = json_loads(cases[i].json, 0, NULL);

        memset(&out, 0x5a, sizeof out);
        memset(&untouched, 0x5a, sizeof untouched);
        cr_assert_not_null(json, "case %zu", i);
        cr_assert_eq(ates_message_from_json(&tiny_message, json, arena, &out, &refusal),
                     ATES_INVALID_ARGUMENT, "case %zu", i);
        cr_assert_str_eq(refusal.reason, cases[i].reason, "case %zu", i);
        cr_assert_str_eq(refusal.message, cases[i].message, "case %zu", i);
        cr_assert_eq(memcmp(&out, &untouched, sizeof out), 0, "case %zu", i);
        json_decref(json);
    }
}

static int set(struct tiny *out, const char *field, const char *text)
{
    return ates_message_set_text(&tiny_message, out, field, text, arena, &refusal);
}

Test(message_json, command_line_strings_are_set)
{
    struct tiny out = {0};

    cr_assert_eq(set(&out, "n", "10"), 0);
    cr_assert_eq(set(&out, "i", "-9007199254740991"), 0);
    cr_assert_eq(set(&out, "f", "true"), 0);
    cr_assert_eq(set(&out, "e", "blue"), 0);
    cr_assert_eq(set(&out, "t", "Жук"), 0);
    cr_assert_eq(set(&out, "b", "0aFF"), 0);
    cr_assert_eq(ates_message_check(&tiny_message, &out, &refusal), 0, "%s", refusal.message);
    cr_assert_eq(out.n, 10u);
    cr_assert(out.has_i && out.i == -ATES_INTEGER_MAX);
    cr_assert(out.has_f && out.f);
    cr_assert(out.has_e && out.e == 3);
    cr_assert(out.has_t && ates_text_equal(out.t, ates_text_from("Жук")));
    cr_assert(out.has_b && out.b.size == 2 && out.b.data[0] == 10 && out.b.data[1] == 255);
    cr_assert(!out.has_s && !out.has_l && !out.has_m);
    cr_assert_eq(set(&out, "f", "false"), 0);
    cr_assert(!out.f);
}

Test(message_json, command_line_refusals)
{
    static const struct {
        const char *field;
        const char *text;
        const char *reason;
        const char *message;
    } cases[] = {
        {"zz", "1", "FIELD_UNKNOWN", "zz: there is no such field"},
        {"n", "", "FIELD_INVALID", "n: an integer is expected"},
        {"n", "-", "FIELD_INVALID", "n: an integer is expected"},
        {"n", "1x", "FIELD_INVALID", "n: an integer is expected"},
        {"n", " 1", "FIELD_INVALID", "n: an integer is expected"},
        {"n", "+1", "FIELD_INVALID", "n: an integer is expected"},
        {"n", "0x1", "FIELD_INVALID", "n: an integer is expected"},
        {"n", "1.5", "FIELD_INVALID", "n: an integer is expected"},
        {"n", "0", "FIELD_INVALID", "n: 1 to 10, got 0"},
        {"n", "99999999999999999999999", "FIELD_INVALID", "n: 1 to 10, got 9223372036854775807"},
        {"i", "-99999999999999999999999", "FIELD_INVALID",
         "i: -9007199254740991 to 9007199254740991, got -9223372036854775808"},
        {"f", "yes", "FIELD_INVALID", "f: true or false is expected"},
        {"e", "Blue", "FIELD_INVALID", "e: one of red, green, blue is expected"},
        {"t", "four", "FIELD_INVALID", "t: 1 to 3 characters, got 4"},
        {"t", "\xff", "FIELD_INVALID", "t: it is not valid UTF-8"},
        {"s", "swordfish!", "FIELD_INVALID", "s: 8 to 9 characters"},
        {"b", "xyz", "FIELD_INVALID", "b: hex digits are expected"},
        {"b", "", "FIELD_INVALID", "b: 1 to 2 bytes, got 0"},
        {"r", "{}", "FIELD_INVALID", "r: a map or a list of maps cannot be given as one argument"},
        {"l", "1", "FIELD_INVALID", "l: a map or a list of maps cannot be given as one argument"},
        {"u", "", "FIELD_INVALID", "u: 1 to 3 items, got 0"},
        {"u", "1,2,3,4", "FIELD_INVALID", "u: 1 to 3 items, got 4"},
        {"u", "1,,2", "FIELD_INVALID", "u[1]: an integer is expected"},
        {"u", "1,", "FIELD_INVALID", "u[1]: an integer is expected"},
        {"m", "1", "FIELD_INVALID", "m: a map or a list of maps cannot be given as one argument"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tiny out, untouched;

        memset(&out, 0x5a, sizeof out);
        memset(&untouched, 0x5a, sizeof untouched);
        cr_assert_eq(set(&out, cases[i].field, cases[i].text), ATES_INVALID_ARGUMENT, "case %zu",
                     i);
        cr_assert_str_eq(refusal.reason, cases[i].reason, "case %zu", i);
        cr_assert_str_eq(refusal.message, cases[i].message, "case %zu", i);
        cr_assert_eq(memcmp(&out, &untouched, sizeof out), 0, "case %zu", i);
    }
}

Test(message_json, a_list_by_commas)
{
    struct tiny out = {.n = 1};

    cr_assert_eq(set(&out, "u", "7,1,9007199254740991"), 0, "%s", refusal.message);
    const uint64_t *items = out.u.items;
    cr_assert(out.has_u && out.u.count == 3);
    cr_assert(items[0] == 7 && items[1] == 1 && items[2] == (uint64_t)ATES_INTEGER_MAX);
}
