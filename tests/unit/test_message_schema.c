/* Schemas of messages say what the decoder takes: every limit of every field of every table, from
 * both of its sides. Invariant: values are made from the schemas alone (support/schema_values.h). */
#include <criterion/criterion.h>

#include "../support/sample.h"
#include "../support/schema_values.h"
#include "core/domain.h"
#include "core/message_json.h"
#include "core/message_schema.h"
#include "domains.h"

/* A value of a message, of which parts are changed and put back. */
struct subject {
    const struct ates_message *message;
    json_t *value;
};

static size_t judged; /* values in all, so that a walk that finds nothing is seen */

static bool is_taken(const struct subject *self)
{
    struct ates_arena *arena = ates_arena_new();
    void *out = ates_arena_alloc(arena, self->message->size);
    struct ates_refusal refusal;

    const bool taken =
        ates_message_from_json(self->message, self->value, arena, out, &refusal) == 0;
    ates_arena_free(&arena);
    judged++;
    return taken;
}

/* Whether the message is taken with this value (stolen; NULL: left out) as the object's key. */
static void judge(const struct subject *self, json_t *object, const char *key, json_t *value,
                  bool expected, const char *what)
{
    json_t *before = json_incref(json_object_get(object, key));

    if (value != NULL) {
        json_object_set_new(object, key, value);
    } else {
        json_object_del(object, key);
    }
    cr_expect_eq(is_taken(self), expected, "%s: %s: %s is %s", self->message->name, key, what,
                 expected ? "refused" : "taken");
    json_object_set_new(object, key, before);
}

static json_int_t limit(const json_t *schema, const char *key, json_int_t otherwise)
{
    const json_t *value = json_object_get(schema, key);

    return value != NULL ? json_integer_value(value) : otherwise;
}

static void judge_integer(const struct subject *self, json_t *object, const char *key,
                          const json_t *schema)
{
    const json_int_t min = limit(schema, "minimum", 0);
    const json_int_t max = limit(schema, "maximum", 0);

    cr_expect_not_null(json_object_get(schema, "minimum"), "%s", key);
    cr_expect_not_null(json_object_get(schema, "maximum"), "%s", key);
    judge(self, object, key, json_integer(min - 1), false, "the minimum - 1");
    judge(self, object, key, json_integer(min), true, "the minimum");
    judge(self, object, key, json_integer(max), true, "the maximum");
    judge(self, object, key, json_integer(max + 1), false, "the maximum + 1");
    judge(self, object, key, json_real(1.5), false, "a fraction");
    judge(self, object, key, json_string("1"), false, "a text");
}

static void judge_words(const struct subject *self, json_t *object, const char *key,
                        const json_t *words)
{
    cr_expect_gt(json_array_size(words), 0);
    for (size_t i = 0; i < json_array_size(words); i++) {
        judge(self, object, key, json_incref(json_array_get(words, i)), true, "a word");
    }
    judge(self, object, key, json_string("no_such_word"), false, "another word");
    judge(self, object, key, json_string(""), false, "no word");
}

static void judge_length(const struct subject *self, json_t *object, const char *key,
                         const json_t *schema, const char *character)
{
    const json_int_t step = schema_is_hex(schema) ? 2 : 1;
    const json_int_t min = limit(schema, "minLength", 0);
    const json_int_t max = limit(schema, "maxLength", 0);
    const struct {
        json_int_t length;
        bool expected;
        const char *what;
    } cases[] = {
        {min - step, false, "a shorter text"},
        {min, true, "the shortest text"},
        {max > 0 ? max : 5000, true, "the longest text"},
        {max > 0 ? max + step : -1, false, "a longer text"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *text =
            cases[i].length >= 0 ? schema_text(schema, (size_t)cases[i].length, character) : NULL;
        if (text != NULL) {
            judge(self, object, key, text, cases[i].expected, cases[i].what);
        }
    }
}

/* Single characters that tell the rules apart; the pattern says which it takes. */
static const struct {
    const char *pattern;
    const char *taken[8];
    const char *refused[12];
} rules[] = {
    {"^[^\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f]*$",
     {"\t", "\n", " ", "~", "\u00a0", "\u0416", "\U0010ffff"},
     {"\x01", "\x08", "\x0b", "\r", "\x1f", "\x7f", "\xc2\x80", "\xc2\x9f"}},
    {"^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
     {" ", "~", "\u00a0", "\u0416", "\U0010ffff"},
     {"\x01", "\t", "\n", "\r", "\x1f", "\x7f", "\xc2\x80", "\xc2\x9f"}},
    {"^[ -~]*$", {" ", "!", "A", "z", "~"}, {"\x1f", "\t", "\n", "\x7f", "\u00a0", "\u0416"}},
    {"^[^\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\[\\]]*$",
     {" ", "\t", "\n", "(", "\\", "^", "\u00a0", "\u0416"},
     {"\x01", "\r", "\x1f", "\x7f", "\xc2\x80", "\xc2\x9f", "[", "]"}},
    {"^[A-Za-z0-9._-]*$",
     {"A", "Z", "a", "z", "0", "9", ".", "-"},
     {" ", "/", ":", "@", "[", "`", "{", "+", "\n", "\u0416"}},
};

static void judge_rule(const struct subject *self, json_t *object, const char *key,
                       const json_t *schema)
{
    const char *pattern = json_string_value(json_object_get(schema, "pattern"));
    const json_int_t min = limit(schema, "minLength", 0);
    size_t i = 0;

    while (i < sizeof rules / sizeof rules[0] && strcmp(rules[i].pattern, pattern) != 0) {
        i++;
    }
    cr_assert_lt(i, sizeof rules / sizeof rules[0], "%s: the pattern %s is not known here", key,
                 pattern);
    for (size_t j = 0; j < 12; j++) {
        if (j < 8 && rules[i].taken[j] != NULL) {
            judge(self, object, key,
                  schema_text(schema, (size_t)(min > 0 ? min : 1), rules[i].taken[j]), true,
                  "a character of the pattern");
        }
        if (rules[i].refused[j] != NULL) {
            judge(self, object, key,
                  schema_text(schema, (size_t)(min > 0 ? min : 1), rules[i].refused[j]), false,
                  "a character outside of the pattern");
        }
    }
}

static void judge_all(const struct subject *self, json_t *object, const char *key,
                      const char *const *texts, bool expected)
{
    for (size_t i = 0; texts[i] != NULL; i++) {
        judge(self, object, key, json_string(texts[i]), expected, texts[i]);
    }
}

static void judge_text(const struct subject *self, json_t *object, const char *key,
                       const json_t *schema)
{
    static const char *const emails[] = {"a@b", "\u00e9@\u0416", "a.b+c@x-y.z", NULL};
    static const char *const no_emails[] = {"a@", "@a", "aaa", "a@b@c", "a @b", "a@b\n", "", NULL};
    static const char *const dates[] = {"1970-01-01", "2024-02-29", "9999-12-31", NULL};
    static const char *const no_dates[] = {"1969-12-31", "2023-02-29", "2024-13-01",
                                           "2024-00-01", "2024-04-31", "2024-4-1",
                                           "24-04-01",   "",           NULL};
    static const char *const issues[] = {"A-1", "JIRA-123", "P2P_X-90", NULL};
    static const char *const no_issues[] = {"A-0", "A-01",  "a-1",   "1-1",
                                            "A1x", "A-1-1", "A-1\n", NULL};
    static const char *const no_hex[] = {"0", "0g", "000", "0x", NULL};

    if (schema_is_email(schema)) {
        judge_all(self, object, key, emails, true);
        judge_all(self, object, key, no_emails, false);
    } else if (schema_is_date(schema)) {
        judge_all(self, object, key, dates, true);
        judge_all(self, object, key, no_dates, false);
    } else if (schema_is_issue(schema)) {
        judge_all(self, object, key, issues, true);
        judge_all(self, object, key, no_issues, false);
    } else if (schema_is_hex(schema)) {
        judge_all(self, object, key, no_hex, false);
        judge_length(self, object, key, schema, "F");
    } else {
        judge_rule(self, object, key, schema);
    }
    judge_length(self, object, key, schema, "a");
    if (!schema_is_ascii(schema) && !schema_is_email(schema)) {
        judge_length(self, object, key, schema, "\U0001f99c"); /* characters, not bytes */
    }
    judge(self, object, key, json_integer(1), false, "a number");
}

static json_t *repeat(const json_t *items, json_int_t count)
{
    json_t *list = json_array();
    json_t *item = schema_least(items);

    for (json_int_t i = 0; i < count; i++) {
        json_array_append(list, item);
    }
    json_decref(item);
    return list;
}

static void judge_value(const struct subject *self, json_t *object, const char *key,
                        const json_t *schema);

static void judge_properties(const struct subject *self, json_t *object, const json_t *schema);

static void judge_list(const struct subject *self, json_t *object, const char *key,
                       const json_t *schema)
{
    const json_t *items = json_object_get(schema, "items");
    const json_int_t min = limit(schema, "minItems", 0);
    const json_int_t max = limit(schema, "maxItems", 0);

    cr_expect_gt(max, 0, "%s", key);
    judge(self, object, key, repeat(items, min), true, "the shortest list");
    judge(self, object, key, repeat(items, max), true, "the longest list");
    judge(self, object, key, repeat(items, max + 1), false, "a longer list");
    judge(self, object, key, json_object(), false, "an object");
    if (min > 0) {
        judge(self, object, key, repeat(items, min - 1), false, "a shorter list");
    }
    json_t *item = json_array_get(json_object_get(object, key), 0);
    if (json_is_object(item)) {
        judge_properties(self, item, items);
    }
}

static void judge_value(const struct subject *self, json_t *object, const char *key,
                        const json_t *schema)
{
    const char *type = json_string_value(json_object_get(schema, "type"));
    const json_t *words = json_object_get(schema, "enum");

    cr_assert_not_null(type, "%s has no type", key);
    if (words != NULL) {
        judge_words(self, object, key, words);
    } else if (strcmp(type, "integer") == 0) {
        judge_integer(self, object, key, schema);
    } else if (strcmp(type, "string") == 0) {
        judge_text(self, object, key, schema);
    } else if (strcmp(type, "array") == 0) {
        judge_list(self, object, key, schema);
    } else if (strcmp(type, "object") == 0) {
        judge(self, object, key, json_array(), false, "a list");
        if (json_object_get(schema, "properties") != NULL) {
            judge_properties(self, json_object_get(object, key), schema);
        }
    } else {
        cr_expect_str_eq(type, "boolean");
        judge(self, object, key, json_true(), true, "true");
        judge(self, object, key, json_false(), true, "false");
        judge(self, object, key, json_integer(1), false, "a number");
    }
    judge(self, object, key, json_null(), false, "null");
}

static bool is_required(const json_t *schema, const char *key)
{
    const json_t *required = json_object_get(schema, "required");

    for (size_t i = 0; i < json_array_size(required); i++) {
        if (strcmp(json_string_value(json_array_get(required, i)), key) == 0) {
            return true;
        }
    }
    return false;
}

static void judge_properties(const struct subject *self, json_t *object, const json_t *schema)
{
    const char *key;
    json_t *property;

    json_object_foreach(json_object_get(schema, "properties"), key, property)
    {
        judge(self, object, key, NULL, !is_required(schema, key), "its absence");
        judge_value(self, object, key, property);
    }
    json_object_set_new(object, "no_such_field", json_integer(1));
    cr_expect_eq(is_taken(self), json_is_true(json_object_get(schema, "additionalProperties")),
                 "%s: an unknown field", self->message->name);
    json_object_del(object, "no_such_field");
}

static void judge_message(const struct ates_message *message)
{
    json_t *schema = ates_message_schema(message, ATES_UNKNOWN_REFUSED);
    struct subject subject = {message, schema_least(schema)};

    cr_expect_eq(json_object_size(json_object_get(schema, "properties")), message->count);
    cr_expect(is_taken(&subject), "%s: the least value is refused", message->name);
    json_decref(subject.value);
    subject.value = schema_most(schema);
    cr_expect(is_taken(&subject), "%s: the whole value is refused", message->name);
    judge_properties(&subject, subject.value, schema);
    json_decref(subject.value);
    json_decref(schema);
}

static void judge_service(const struct ates_service *service)
{
    for (size_t i = 0; i < service->command_count; i++) {
        judge_message(service->commands[i].body);
        judge_message(service->commands[i].result);
    }
    for (size_t i = 0; i < service->event_count; i++) {
        judge_message(service->events[i].data);
    }
    for (size_t i = 0; i < service->snapshot_count; i++) {
        judge_message(service->snapshots[i].data);
    }
}

Test(message_schema, says_what_is_taken_by_every_service)
{
    size_t before = 0;

    for (size_t i = 0; ates_domains[i] != NULL; i++) {
        judge_service(ates_domains[i]->service);
        cr_expect_gt(judged, before + 100, "%s", ates_domains[i]->service->name);
        before = judged;
    }
    judge_service(&ates_common_service);
    judge_message(&ates_refusal_body_message);
    judge_message(&ates_envelope_message);
}

Test(message_schema, says_what_is_taken_of_every_type)
{
    judge_message(&sample_message);
}

static json_t *property_of(json_t *schema, const char *name)
{
    json_t *property = json_object_get(json_object_get(schema, "properties"), name);

    cr_assert_not_null(property, "%s", name);
    return property;
}

static void check_text(json_t *schema, const char *key, const char *expected)
{
    const char *text = json_string_value(json_object_get(schema, key));

    cr_assert_not_null(text, "%s", key);
    cr_assert_str_eq(text, expected);
}

Test(message_schema, a_commands_secrets_are_written_only)
{
    json_t *closed = ates_message_schema(&sample_message, ATES_UNKNOWN_REFUSED);
    json_t *open = ates_message_schema(&sample_message, ATES_UNKNOWN_IGNORED);

    check_text(property_of(closed, "password"), "format", "password");
    cr_assert(json_is_true(json_object_get(property_of(closed, "password"), "writeOnly")));
    cr_assert_null(json_object_get(property_of(open, "password"), "writeOnly"));
    cr_assert_null(json_object_get(property_of(open, "password"), "format"));
    cr_assert(json_is_false(json_object_get(closed, "additionalProperties")));
    cr_assert(json_is_true(json_object_get(open, "additionalProperties")));
    cr_assert(json_is_true(json_object_get(property_of(open, "inner"), "additionalProperties")));
    json_decref(closed);
    json_decref(open);
}

static const struct ates_field described_fields[] = {
    {.name = "fee_cents", .type = ATES_INT, .unit = ATES_UNIT_CENTS, .summary = "what it costs"},
    {.name = "paid_at", .type = ATES_INT, .unit = ATES_UNIT_TIME},
    {.name = "email", .type = ATES_TEXT, .rule = ATES_RULE_EMAIL, .min = 3, .max = 254},
    {.name = "note", .type = ATES_TEXT, .summary = "one \"phrase\""},
};

Test(message_schema, descriptions_tell_what_limits_cannot)
{
    const struct ates_message message = {
        .name = "described", .fields = described_fields, .count = 4, .size = 64};
    json_t *schema = ates_message_schema(&message, ATES_UNKNOWN_IGNORED);

    check_text(property_of(schema, "fee_cents"), "description", "what it costs; cents");
    check_text(property_of(schema, "paid_at"), "description", "Unix time in milliseconds");
    check_text(property_of(schema, "email"), "description", "at most 254 bytes in UTF-8");
    check_text(property_of(schema, "note"), "description", "one \"phrase\"");
    json_decref(schema);
}

static json_t *refer(const struct ates_message *message, enum ates_unknown unknown, void *context)
{
    cr_assert_eq(unknown, ATES_UNKNOWN_IGNORED);
    ++*(size_t *)context;
    return json_pack("{ss}", "$ref", message->name);
}

Test(message_schema, nested_messages_are_the_callers_to_place)
{
    size_t count = 0;
    json_t *schema =
        ates_message_schema_nested(&sample_message, ATES_UNKNOWN_IGNORED, refer, &count);

    cr_assert_eq(count, 3);
    check_text(property_of(schema, "inner"), "$ref", "sample_inner");
    check_text(property_of(schema, "other"), "$ref", "sample_inner");
    check_text(json_object_get(property_of(schema, "items"), "items"), "$ref", "sample_item");
    json_decref(schema);
}
