/* Messages to JSON: each type's form, what is left out, and what cannot be shown. */
#include <criterion/criterion.h>

#include "../support/sample.h"
#include "core/message_json.h"

static struct sample make_plain(void)
{
    static struct sample_item items[] = {{.id = 1}, {2, true, {"n", 1}}};
    static struct ates_bytes blobs[] = {{(const uint8_t *)"\x00\xff", 2}, {NULL, 0}};
    static uint64_t numbers[] = {0, (uint64_t)ATES_INTEGER_MAX};
    static struct ates_text words[] = {{"a", 1}, {NULL, 0}};

    return (struct sample){.flag = true,
                           .count = 3,
                           .amount = -4,
                           .color = 2,
                           .name = ates_text_from("Попуг"),
                           .has_password = true,
                           .password = ates_text_from("swordfish"),
                           .hash = {(const uint8_t *)"\xde\xad\xbe\xef", 4},
                           .inner = {.word = ates_text_from("w"), .words = {words, 2}},
                           .items = {items, 2},
                           .blobs = {blobs, 2},
                           .numbers = {numbers, 2}};
}

static void check_json(json_t *json, const char *expected)
{
    cr_assert_not_null(json);
    char *text = json_dumps(json, JSON_COMPACT);
    cr_assert_str_eq(text, expected);
    free(text);
    json_decref(json);
}

#define AROUND(PASSWORD)                                                                           \
    "{\"flag\":true,\"count\":3,\"amount\":-4,\"color\":\"green\",\"name\":\"Попуг\"," PASSWORD    \
    "\"hash\":\"deadbeef\",\"inner\":{\"word\":\"w\",\"words\":[\"a\",\"\"]},"                     \
    "\"items\":[{\"id\":1},{\"id\":2,\"note\":\"n\"}],\"blobs\":[\"00ff\",\"\"],"                  \
    "\"numbers\":[0,9007199254740991]}"

Test(message_to_json, each_type)
{
    const struct sample plain = make_plain();

    check_json(ates_message_to_json(&sample_message, &plain),
               AROUND("\"password\":\"swordfish\","));
}

Test(message_to_json, public_leaves_secrets_out)
{
    const struct sample plain = make_plain();

    check_json(ates_message_to_json_public(&sample_message, &plain), AROUND(""));
}

static json_t *raw_to_json(const char *bytes, size_t size)
{
    struct sample plain = make_plain();

    plain.has_data = true;
    plain.data = (struct ates_bytes){(const uint8_t *)bytes, size};
    json_t *json = ates_message_to_json(&sample_message, &plain);
    json_t *data = json_incref(json_object_get(json, "data"));
    json_decref(json);
    return data;
}

Test(message_to_json, raw_is_nested)
{
    static const char raw[] = "\x85\xa1s\xa1x\xa1i\xd0\x80\xa1l\x94\xc0\xc2\xc3\xc4\x01\x0f"
                              "\xa1m\x81\xa1k\x90\xa1\x65\x80";

    check_json(raw_to_json(raw, sizeof raw - 1),
               "{\"s\":\"x\",\"i\":-128,\"l\":[null,false,true,\"0f\"],"
               "\"m\":{\"k\":[]},\"e\":{}}");
}

Test(message_to_json, what_decode_refuses_is_not_shown)
{
    struct sample plain = make_plain();

    cr_assert_null(raw_to_json("", 0));
    cr_assert_null(raw_to_json("\x81\xa1k", 3));
    cr_assert_null(raw_to_json("\x81\xa1k\xcb\x00\x00\x00\x00\x00\x00\x00\x00", 12));
    cr_assert_null(raw_to_json("\x81\xa1k\x91\x91\x91\x91\x91\x91\x91\x91\x91\x90", 13));
    plain.name = ates_text_from("\xff");
    cr_assert_null(ates_message_to_json(&sample_message, &plain));
}
