/* Checking values that did not come through decode: same limits, same names. */
#include <criterion/criterion.h>

#include "../support/sample.h"
#include "core/message_check.h"

static struct ates_arena *arena;
static struct ates_refusal refusal;
static struct sample value;
static uint64_t state;

static void set_up(void)
{
    arena = ates_arena_new();
    cr_assert_not_null(arena);
    state = 1;
    do {
        value = sample_make(&state, arena);
    } while (value.items.count < 2 || value.numbers.count < 2 || value.inner.words.count < 2 ||
             !value.has_data || !value.has_other);
    cr_assert_eq(ates_message_check(&sample_message, &value, &refusal), 0, "%s", refusal.message);
}

static void tear_down(void)
{
    ates_arena_free(&arena);
}

TestSuite(message_check, .init = set_up, .fini = tear_down);

static void check_refused(const char *reason, const char *message)
{
    cr_assert_eq(ates_message_check(&sample_message, &value, &refusal), ATES_INVALID_ARGUMENT,
                 "not refused: %s", message);
    cr_assert_str_eq(refusal.reason, reason);
    cr_assert_str_eq(refusal.message, message);
    cr_assert_eq(strncmp(refusal.message, refusal.field, strlen(refusal.field)), 0);
    cr_assert_eq(ates_message_check(&sample_message, &value, NULL), ATES_INVALID_ARGUMENT);
}

Test(message_check, numbers)
{
    value.count = (uint64_t)ATES_INTEGER_MAX + 1;
    check_refused("FIELD_INVALID", "count: 0 to 9007199254740991, got 9007199254740992");
    value.count = UINT64_MAX;
    check_refused("FIELD_INVALID", "count: 0 to 9007199254740991, got 9223372036854775807");
    value.count = (uint64_t)ATES_INTEGER_MAX;
    value.amount = -ATES_INTEGER_MAX;
    cr_assert_eq(ates_message_check(&sample_message, &value, &refusal), 0);
    value.amount = -ATES_INTEGER_MAX - 1;
    check_refused("FIELD_INVALID", "amount: -9007199254740991 to 9007199254740991, got "
                                   "-9007199254740992");
}

Test(message_check, words)
{
    value.color = 0;
    check_refused("FIELD_INVALID", "color: one of red, green, blue is expected");
    value.color = 4;
    check_refused("FIELD_INVALID", "color: one of red, green, blue is expected");
    value.color = -1;
    check_refused("FIELD_INVALID", "color: one of red, green, blue is expected");
}

Test(message_check, texts)
{
    value.name = (struct ates_text){NULL, 0};
    check_refused("FIELD_MISSING", "name: it is required");
    value.name = ates_text_from("");
    check_refused("FIELD_INVALID", "name: 1 to 200 characters, got 0");
    value.name = ates_text_from("a\nb");
    check_refused("FIELD_INVALID", "name: no control characters are allowed");
    value.name = ates_text_from("a");
    value.has_login = true;
    value.login = ates_text_from("no spaces");
    check_refused("FIELD_INVALID", "login: only A-Z a-z 0-9 . _ - are allowed");
    value.has_login = false;
    value.has_email = true;
    value.email = ates_text_from("popug");
    check_refused("FIELD_INVALID", "email: an e-mail address with one @ and no spaces is expected");
    value.has_email = false;
    value.has_date = true;
    value.date = ates_text_from("2023-02-29");
    check_refused("FIELD_INVALID",
                  "date: an existing day as YYYY-MM-DD, 1970 or later, is expected");
    value.has_date = false;
    value.has_password = true;
    value.password = ates_text_from("swordfi");
    check_refused("FIELD_INVALID", "password: 8 to 256 characters");
}

/* RFC 5321 counts an address in octets: 127 characters of two bytes are too many. */
Test(message_check, emails_are_counted_in_bytes)
{
    char email[300] = "";

    for (int i = 0; i < 126; i++) {
        strcat(email, "\u0416");
    }
    strcat(email, "@b");
    value.has_email = true;
    value.email = ates_text_from(email);
    cr_assert_eq(ates_message_check(&sample_message, &value, &refusal), 0, "%s", refusal.message);
    strcat(email, "c");
    value.email = ates_text_from(email);
    check_refused("FIELD_INVALID", "email: 3 to 254 bytes, got 255");
}

Test(message_check, bytes_and_raws)
{
    value.hash = (struct ates_bytes){NULL, 0};
    check_refused("FIELD_MISSING", "hash: it is required");
    value.hash = (struct ates_bytes){(const uint8_t *)"12345", 5};
    check_refused("FIELD_INVALID", "hash: exactly 4 bytes, got 5");
    value.hash.size = 4;
    value.data = (struct ates_bytes){NULL, 0};
    check_refused("FIELD_MISSING", "data: it is required");
    value.data = (struct ates_bytes){(const uint8_t *)"\x90", 1};
    check_refused("FIELD_INVALID", "data: expected a map, got a list");
    value.data = (struct ates_bytes){(const uint8_t *)"\x80\x80", 2};
    check_refused("FIELD_INVALID", "data: bytes follow after the map");
    value.data = (struct ates_bytes){(const uint8_t *)"\x81\xa0\x92\x00", 4};
    check_refused("FIELD_INVALID", "data: it ends in the middle of a value");
    value.data = (struct ates_bytes){(const uint8_t *)"\x81\xa0\x91\x91\x91\x91\x91\x91\x90", 9};
    check_refused("FIELD_INVALID", "data: maps and lists are nested more than 8 deep");
    value.data = (struct ates_bytes){(const uint8_t *)"\x81\xa0\x91\x91\x91\x91\x91\x90", 8};
    cr_assert_eq(ates_message_check(&sample_message, &value, &refusal), 0, "%s", refusal.message);
}

Test(message_check, nested_values_are_named_by_their_path)
{
    struct sample_item *items = value.items.items;
    struct ates_text *words = value.inner.words.items;

    items[1].id = 0;
    check_refused("FIELD_INVALID", "items[1].id: 1 to 9007199254740991, got 0");
    items[1].id = 1;
    words[1] = ates_text_from("\xff");
    check_refused("FIELD_INVALID", "inner.words[1]: it is not valid UTF-8");
    words[1] = ates_text_from("x");
    ((uint64_t *)value.numbers.items)[1] = UINT64_MAX;
    check_refused("FIELD_INVALID", "numbers[1]: 0 to 9007199254740991, got 9223372036854775807");
    value.numbers.count = 0;
    value.other.has_deeper = true;
    value.other.deeper.id = 0;
    check_refused("FIELD_INVALID", "other.deeper.id: 1 to 9007199254740991, got 0");
    value.other.deeper.id = 1;
    value.items.count = ATES_LIST_MAX + 1;
    check_refused("FIELD_INVALID", "items: 0 to 100000 items, got 100001");
}

Test(message_check, absent_fields_are_not_looked_at)
{
    value.has_other = false;
    value.other.word = ates_text_from("\xff");
    cr_assert_eq(ates_message_check(&sample_message, &value, &refusal), 0);
}

Test(message_check, long_paths_and_word_lists_are_cut)
{
    static const char *const many[] = {"a-rather-long-word-number-1",
                                       "a-rather-long-word-number-2",
                                       "a-rather-long-word-number-3",
                                       "a-rather-long-word-number-4",
                                       "a-rather-long-word-number-5",
                                       "a-rather-long-word-number-6",
                                       "a-rather-long-word-number-7",
                                       "a-rather-long-word-number-8",
                                       "a-rather-long-word-number-9",
                                       "a-rather-long-word-number-10",
                                       NULL};
    const struct ates_field field = {
        .name = "a_field_with_a_name_of_forty_characters_", .type = ATES_ENUM, .names = many};
    const struct ates_place top = {NULL, &field, 123456};
    const struct ates_place middle = {&top, &field, 7};
    const struct ates_place place = {&middle, &field, ATES_NO_INDEX};

    cr_assert_eq(ates_place_refuse_word(&place, &refusal), ATES_INVALID_ARGUMENT);
    cr_assert_eq(strlen(refusal.field), sizeof refusal.field - 1);
    cr_assert_eq(strlen(refusal.message), sizeof refusal.message - 1);
    cr_assert_eq(ates_place_depth(&place), 5u);
}

Test(message_check, one_text_by_its_field)
{
    const struct ates_field *name = ates_message_field(&sample_message, "name", 4);

    cr_assert_eq(ates_text_check(name, ates_text_from("ok"), &refusal), 0);
    cr_assert_eq(ates_text_check(name, ates_text_from(""), &refusal), ATES_INVALID_ARGUMENT);
    cr_assert_str_eq(refusal.field, "name");
    cr_assert_null(ates_message_field(&sample_message, "nam", 3));
    cr_assert_null(ates_message_field(&sample_message, "names", 5));
    cr_assert_null(ates_message_field(&sample_message, "name\0x", 6));
    cr_assert_null(ates_message_field(&sample_message, "", 0));
}
