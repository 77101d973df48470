/* Prints, for every message of the contract, the id of its schema and random values with what the
 * decoders of MessagePack and of JSON say of them: a line of JSON each, for schema.test.mjs to hold
 * against a validator's word. */
#include <stdlib.h>
#include <string.h>

#include "core/contract.h"
#include "core/message_json.h"
#include "core/message_schema.h"
#include "core/writer.h"
#include "domains.h"
#include "support/sample.h"
#include "support/schema_values.h"

#define VALUES 300 /* of each message */

static uint64_t state;

static json_t *random_integer(void)
{
    static const json_int_t edges[] = {0, 1, 99, 100, 999, 1000, ATES_INTEGER_MAX};
    const json_int_t edge = edges[sample_below(&state, sizeof edges / sizeof edges[0])];
    const json_int_t near = edge + (json_int_t)sample_below(&state, 3) - 1;

    return json_integer(sample_coin(&state) ? near : -near);
}

/* Characters on both sides of what each rule allows. */
static json_t *random_text(void)
{
    static const char *const characters[] = {
        "\x01",     "\x08",     "\t",     "\n",     "\x0b",   "\r",     "\x1f",      " ", "!",
        "-",        ".",        "/",      "0",      "9",      ":",      "@",         "A", "Z",
        "[",        "_",        "`",      "a",      "f",      "g",      "z",         "~", "\x7f",
        "\xc2\x80", "\xc2\x9f", "\u00a0", "\u0416", "\u2028", "\ufeff", "\U0001f99c"};
    static const size_t counts[] = {0, 1, 2, 3, 7, 8, 10, 36, 64, 65, 200, 201, 256, 257};
    const size_t most = sizeof characters / sizeof characters[0];
    const bool plain = sample_below(&state, 3) > 0;
    const size_t count = counts[sample_below(&state, sizeof counts / sizeof counts[0])];
    char text[257 * 4 + 1] = "";

    for (size_t i = 0; i < count; i++) {
        strcat(text, plain ? "a" : characters[sample_below(&state, most)]);
    }
    return json_string(text);
}

static json_t *random_word(void)
{
    static const char *const words[] = {"2024-02-29", "2023-02-29",  "1969-12-31", "1970-01-01",
                                        "9999-12-31", "10000-01-01", "2024-1-1",   "2024-04-31",
                                        "2100-02-29", "2000-02-29",  "0000-00-00", "2024-02-29\n",
                                        "a@b",        "@",           "a@b@c",      "\u0416@\u0416",
                                        "a b@c",      "a@b\n",       "open",       "administrator",
                                        "day",        "00ff",        "0FfA",       "0",
                                        "0x",         "true",        "1"};

    return json_string(words[sample_below(&state, sizeof words / sizeof words[0])]);
}

static json_t *random_value(void)
{
    switch (sample_below(&state, 8)) {
    case 0:
        return json_boolean(sample_coin(&state));
    case 1:
        return json_null();
    case 2:
        return json_pack("[i, s]", 1, "a");
    case 3:
        return json_object();
    case 4:
    case 5:
        return random_text();
    case 6:
        return random_word();
    default:
        return random_integer();
    }
}

/* Some place in value that is no raw's inside: NULL where there is none. */
static json_t *random_object(json_t *value, const json_t *schema)
{
    const json_t *properties = json_object_get(schema, "properties");
    const char *key;
    json_t *property;

    json_object_foreach((json_t *)properties, key, property)
    {
        json_t *at = json_object_get(value, key);
        const json_t *inside = property;

        if (json_is_array(at)) {
            at = json_array_get(at, 0);
            inside = json_object_get(property, "items");
        }
        if (json_is_object(at) && json_object_get(inside, "properties") != NULL &&
            sample_coin(&state)) {
            return random_object(at, inside);
        }
    }
    return value;
}

/* Changes one property, leaves it out, or adds one that is not known. */
static void change(json_t *value, const json_t *schema)
{
    json_t *object = random_object(value, schema);
    size_t at = sample_below(&state, json_object_size(object) + 1);
    const char *key;
    json_t *member;

    json_object_foreach(object, key, member)
    {
        if (at-- == 0) {
            char *name = strdup(key);
            if (sample_below(&state, 6) == 0) {
                json_object_del(object, name);
            } else {
                json_object_set_new(object, name, random_value());
            }
            free(name);
            return;
        }
    }
    if (sample_below(&state, 4) == 0) {
        json_object_set_new(object, "unknown", random_value());
    }
}

static void print(json_t *line)
{
    char *text = json_dumps(line, JSON_COMPACT);

    puts(text);
    free(text);
    json_decref(line);
}

static bool is_hex(const char *text, size_t size)
{
    return size % 2 == 0 && strspn(text, "0123456789abcdefABCDEF") == size;
}

static void pack_bytes(struct ates_buffer *out, const char *text, size_t size)
{
    uint8_t *bytes = malloc(size / 2 + 1);

    for (size_t i = 0; i < size / 2; i++) {
        const char digits[] = {text[2 * i], text[2 * i + 1], '\0'};
        bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    ates_write_bytes(out, bytes, size / 2);
    free(bytes);
}

static void pack(const json_t *value, enum ates_type type, const struct ates_field *field,
                 struct ates_buffer *out);

/* message is what the map should be, NULL where nothing is known of it. */
static void pack_map(const json_t *object, const struct ates_message *message,
                     struct ates_buffer *out)
{
    const char *key;
    json_t *member;

    ates_write_map(out, json_object_size(object));
    json_object_foreach((json_t *)object, key, member)
    {
        const struct ates_field *field =
            message != NULL ? ates_message_field(message, key, strlen(key)) : NULL;

        ates_write_text(out, key, strlen(key));
        pack(member, field != NULL ? field->type : ATES_RAW, field, out);
    }
}

/* A JSON value as MessagePack; type is what the field, or an item of it, should be. Hexadecimal digits
 * become bytes where bytes belong. */
static void pack(const json_t *value, enum ates_type type, const struct ates_field *field,
                 struct ates_buffer *out)
{
    size_t index;
    json_t *item;

    switch (json_typeof(value)) {
    case JSON_OBJECT:
        pack_map(value, field != NULL ? field->message : NULL, out);
        break;
    case JSON_ARRAY:
        ates_write_list(out, json_array_size(value));
        json_array_foreach(value, index, item)
        {
            pack(item, type == ATES_LIST ? field->item : ATES_RAW, field, out);
        }
        break;
    case JSON_STRING:
        if (type == ATES_BYTES && is_hex(json_string_value(value), json_string_length(value))) {
            pack_bytes(out, json_string_value(value), json_string_length(value));
        } else {
            ates_write_text(out, json_string_value(value), json_string_length(value));
        }
        break;
    case JSON_INTEGER:
        ates_write_signed(out, json_integer_value(value));
        break;
    case JSON_NULL:
        ates_write_nil(out);
        break;
    default: /* no value here has a fraction */
        ates_write_bool(out, json_is_true(value));
        break;
    }
}

/* What the decoder says of the value on the wire. */
static bool is_taken(const struct ates_message *message, const json_t *value,
                     enum ates_unknown unknown, struct ates_arena *arena, void *out,
                     struct ates_refusal *refusal)
{
    struct ates_buffer bytes = {0};

    pack_map(value, message, &bytes);
    const bool taken =
        ates_message_decode(message, bytes.data, bytes.size, unknown, arena, out, refusal) == 0;
    ates_buffer_release(&bytes);
    return taken;
}

/* Random values of what the schema (stolen) describes. */
static void print_values(const struct ates_message *message, enum ates_unknown unknown,
                         json_t *schema)
{
    struct ates_arena *arena = ates_arena_new();
    void *out = ates_arena_alloc(arena, message->size);

    for (int i = 0; i < VALUES; i++) {
        json_t *value = sample_coin(&state) ? schema_least(schema) : schema_most(schema);
        struct ates_refusal refusal = {.status = ATES_OK}, ignored;

        for (size_t changes = sample_below(&state, 3); changes > 0; changes--) {
            change(value, schema);
        }
        const bool taken = is_taken(message, value, unknown, arena, out, &refusal);
        json_t *line = json_pack("{so sb ss}", "value", value, "taken", taken, "why",
                                 taken ? "" : refusal.message);
        /* JSON comes in as commands only. */
        if (unknown == ATES_UNKNOWN_REFUSED) {
            json_object_set_new(
                line, "taken_as_json",
                json_boolean(ates_message_from_json(message, value, arena, out, &ignored) == 0));
        }
        print(line);
    }
    ates_arena_free(&arena);
    json_decref(schema);
}

/* A message whose schema lies in schemas/; schema is stolen. */
static void print_published(const struct ates_message *message, enum ates_unknown unknown,
                            json_t *schema)
{
    print(json_pack("{sO}", "id", json_object_get(schema, "$id")));
    print_values(message, unknown, schema);
}

static void print_service(const struct ates_service *service)
{
    struct ates_contract_entry entry;

    for (size_t i = 0; ates_contract_at(service, i, &entry); i++) {
        print_published(entry.message, ates_contract_unknown(&entry), ates_contract_schema(&entry));
        if (entry.command != NULL) {
            print_published(entry.command->result, ATES_UNKNOWN_IGNORED,
                            ates_contract_result_schema(&entry));
        }
    }
}

int main(void)
{
    const struct ates_message *frame;

    state = seed_start();
    /* Every type there is; it is in no file. */
    print(json_pack("{ss so}", "id", "sample", "schema",
                    ates_message_schema(&sample_message, ATES_UNKNOWN_REFUSED)));
    print_values(&sample_message, ATES_UNKNOWN_REFUSED,
                 ates_message_schema(&sample_message, ATES_UNKNOWN_REFUSED));
    for (size_t i = 0; (frame = ates_contract_frame(i)) != NULL; i++) {
        print_published(frame, ates_contract_frame_unknown(frame),
                        ates_contract_frame_schema(frame));
    }
    print_service(&ates_common_service);
    for (size_t i = 0; ates_domains[i] != NULL; i++) {
        print_service(ates_domains[i]->service);
    }
    return 0;
}
