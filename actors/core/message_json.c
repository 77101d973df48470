/* Messages from JSON and command lines. Invariant: a value made here has passed the same
 * checks as one that was decoded from msgpack. */
#include <stdlib.h>
#include <string.h>

#include "core/message_check.h"
#include "core/message_json.h"
#include "core/writer.h"

static const char *json_kind_name(const json_t *json)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "an object",
        [JSON_ARRAY] = "a list",
        [JSON_STRING] = "a text",
        [JSON_INTEGER] = "an integer",
        [JSON_REAL] = "a floating-point number",
        [JSON_TRUE] = "a boolean",
        [JSON_FALSE] = "a boolean",
        [JSON_NULL] = "null",
    };
    return names[json_typeof(json)];
}

static int fields_from_json(const struct ates_message *message, const json_t *json,
                            const struct ates_place *parent, struct ates_arena *arena, uint8_t *out,
                            struct ates_refusal *refusal);

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    if (digit >= 'a' && digit <= 'f') {
        return digit - 'a' + 10;
    }
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

static int bytes_from_hex(const struct ates_place *place, const char *hex, size_t size,
                          struct ates_arena *arena, struct ates_bytes *out,
                          struct ates_refusal *refusal)
{
    uint8_t *bytes = ates_arena_alloc(arena, size / 2 + 1);

    for (size_t i = 0; i < size / 2; i++) {
        const int high = hex_digit(hex[2 * i]);
        const int low = hex_digit(hex[2 * i + 1]);

        if (high < 0 || low < 0) {
            return ates_place_refuse(place, refusal, "FIELD_INVALID", "hex digits are expected");
        }
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    if (size % 2 != 0) {
        return ates_place_refuse(place, refusal, "FIELD_INVALID",
                                 "an even number of hex digits is expected");
    }
    *out = (struct ates_bytes){bytes, size / 2};
    return place->index == ATES_NO_INDEX ? ates_check_size(place, out->size, refusal) : 0;
}

/* Writes any JSON as msgpack, no deeper than a message may be. Returns NULL, or what is wrong. */
static const char *write_json(struct ates_buffer *out, const json_t *json, unsigned depth)
{
    const char *fault = NULL;

    if (depth > ATES_NESTING_MAX) {
        return "maps and lists are nested more than 8 deep";
    }
    switch (json_typeof(json)) {
    case JSON_OBJECT: {
        const char *key;
        size_t size;
        json_t *value;

        ates_write_map(out, json_object_size(json));
        json_object_keylen_foreach((json_t *)json, key, size, value)
        {
            ates_write_text(out, key, size);
            fault = write_json(out, value, depth + 1);
            if (fault != NULL) {
                break;
            }
        }
        return fault;
    }
    case JSON_ARRAY:
        ates_write_list(out, json_array_size(json));
        for (size_t i = 0; i < json_array_size(json) && fault == NULL; i++) {
            fault = write_json(out, json_array_get(json, i), depth + 1);
        }
        return fault;
    case JSON_STRING:
        ates_write_text(out, json_string_value(json), json_string_length(json));
        return NULL;
    case JSON_INTEGER:
        ates_write_signed(out, json_integer_value(json));
        return NULL;
    case JSON_REAL:
        return "floating-point numbers are not allowed";
    case JSON_TRUE:
    case JSON_FALSE:
        ates_write_bool(out, json_is_true(json));
        return NULL;
    case JSON_NULL:
        break;
    }
    ates_write_nil(out);
    return NULL;
}

static int raw_from_json(const struct ates_place *place, const json_t *json,
                         struct ates_arena *arena, struct ates_bytes *out,
                         struct ates_refusal *refusal)
{
    struct ates_buffer encoded = {0};

    const char *fault = write_json(&encoded, json, 1);
    if (fault == NULL) {
        *out =
            (struct ates_bytes){ates_arena_copy(arena, encoded.data, encoded.size), encoded.size};
    }
    ates_buffer_release(&encoded);
    return fault == NULL ? ates_check_raw(place, *out, refusal)
                         : ates_place_refuse(place, refusal, "FIELD_INVALID", "%s", fault);
}

static int text_from_json(const struct ates_place *place, const json_t *json,
                          struct ates_arena *arena, struct ates_text *out,
                          struct ates_refusal *refusal)
{
    const size_t size = json_string_length(json);

    *out = (struct ates_text){ates_arena_copy(arena, json_string_value(json), size), size};
    return ates_check_text(place, *out, refusal);
}

static int word_to_index(const struct ates_place *place, const char *word, size_t size, int *out,
                         struct ates_refusal *refusal)
{
    const int index = ates_field_index(place->field, word, size);

    if (index < 0) {
        return ates_place_refuse_word(place, refusal);
    }
    *out = index;
    return 0;
}

static bool is_json_of(enum ates_type type, const json_t *json)
{
    switch (type) {
    case ATES_BOOL:
        return json_is_boolean(json);
    case ATES_UINT:
    case ATES_INT:
        return json_is_integer(json);
    case ATES_ENUM:
    case ATES_TEXT:
    case ATES_BYTES:
        return json_is_string(json);
    case ATES_RAW:
    case ATES_STRUCT:
        return json_is_object(json);
    case ATES_LIST:
        break;
    }
    return json_is_array(json);
}

static int list_from_json(struct ates_place *place, const json_t *json, struct ates_arena *arena,
                          struct ates_list *out, struct ates_refusal *refusal);

/* type: of the field, or of an item of its list. */
static int value_from_json(struct ates_place *place, enum ates_type type, const json_t *json,
                           struct ates_arena *arena, uint8_t *member, struct ates_refusal *refusal)
{
    if (!is_json_of(type, json)) {
        return ates_place_refuse_type(place, refusal, json_kind_name(json));
    }
    switch (type) {
    case ATES_BOOL:
        *(bool *)member = json_is_true(json);
        return 0;
    case ATES_UINT:
    case ATES_INT:
        *(int64_t *)member = json_integer_value(json);
        return ates_check_integer(place, json_integer_value(json), refusal);
    case ATES_ENUM:
        return word_to_index(place, json_string_value(json), json_string_length(json),
                             (int *)member, refusal);
    case ATES_TEXT:
        return text_from_json(place, json, arena, (struct ates_text *)member, refusal);
    case ATES_BYTES:
        return bytes_from_hex(place, json_string_value(json), json_string_length(json), arena,
                              (struct ates_bytes *)member, refusal);
    case ATES_RAW:
        return raw_from_json(place, json, arena, (struct ates_bytes *)member, refusal);
    case ATES_STRUCT:
        return fields_from_json(place->field->message, json, place, arena, member, refusal);
    case ATES_LIST:
        break;
    }
    return list_from_json(place, json, arena, (struct ates_list *)member, refusal);
}

static int list_from_json(struct ates_place *place, const json_t *json, struct ates_arena *arena,
                          struct ates_list *out, struct ates_refusal *refusal)
{
    const struct ates_field *field = place->field;
    const size_t size = ates_field_item_size(field);
    const size_t count = json_array_size(json);

    int r = ates_check_size(place, count, refusal);
    if (r != 0 || count == 0) {
        return r;
    }
    out->items = ates_arena_alloc(arena, count * size);
    out->count = count;
    for (size_t i = 0; i < count && r == 0; i++) {
        place->index = i;
        r = value_from_json(place, field->item, json_array_get(json, i), arena,
                            (uint8_t *)out->items + i * size, refusal);
    }
    return r;
}

static int fields_from_json(const struct ates_message *message, const json_t *json,
                            const struct ates_place *parent, struct ates_arena *arena, uint8_t *out,
                            struct ates_refusal *refusal)
{
    const char *key;
    size_t size;
    json_t *value;

    json_object_keylen_foreach((json_t *)json, key, size, value)
    {
        const struct ates_field *field = ates_message_field(message, key, size);

        if (field == NULL) {
            return ates_place_refuse_key(parent, key, size, refusal, "FIELD_UNKNOWN",
                                         "there is no such field");
        }
        struct ates_place place = {parent, field, ATES_NO_INDEX};
        int r = value_from_json(&place, field->type, value, arena, out + field->offset, refusal);
        if (r != 0) {
            return r;
        }
        if (field->optional) {
            *(bool *)(out + field->present) = true;
        }
    }
    for (size_t i = 0; i < message->count; i++) {
        const struct ates_place place = {parent, &message->fields[i], ATES_NO_INDEX};

        if (!place.field->optional && json_object_get(json, place.field->name) == NULL) {
            return ates_place_refuse(&place, refusal, "FIELD_MISSING", "it is required");
        }
    }
    return 0;
}

int ates_message_from_json(const struct ates_message *message, const json_t *json,
                           struct ates_arena *arena, void *out, struct ates_refusal *refusal)
{
    if (!json_is_object(json)) {
        return ates_refusal_set(refusal, ATES_INVALID_ARGUMENT, "BODY_INVALID", NULL,
                                "the body is not a JSON object");
    }
    uint8_t *value = ates_arena_alloc(arena, message->size);
    int r = fields_from_json(message, json, NULL, arena, value, refusal);
    if (r == 0) {
        memcpy(out, value, message->size);
    }
    return r;
}

static int number_from_text(const struct ates_place *place, const char *text, int64_t *out,
                            struct ates_refusal *refusal)
{
    const char *digits = text + (text[0] == '-' ? 1 : 0);

    if (digits[0] == '\0' || digits[strspn(digits, "0123456789")] != '\0') {
        return ates_place_refuse(place, refusal, "FIELD_INVALID", "an integer is expected");
    }
    const int64_t number = strtoll(text, NULL, 10);
    int r = ates_check_integer(place, number, refusal);
    if (r == 0) {
        *out = number;
    }
    return r;
}

/* A list of numbers or texts, by commas; an empty text is an empty list. */
static int list_from_text(struct ates_place *place, const char *text, struct ates_arena *arena,
                          struct ates_list *out, struct ates_refusal *refusal)
{
    const struct ates_field *field = place->field;
    const size_t item_size = ates_field_item_size(field);
    size_t count = text[0] != '\0';
    int r = 0;

    for (const char *comma = text; (comma = strchr(comma, ',')) != NULL; comma++) {
        count++;
    }
    r = ates_check_size(place, count, refusal);
    if (r != 0 || count == 0) {
        return r;
    }
    const struct ates_list list = {ates_arena_alloc(arena, count * item_size), count};
    for (size_t i = 0; r == 0 && i < count; i++) {
        const size_t size = strcspn(text, ",");
        char *word = ates_arena_alloc(arena, size + 1);
        uint8_t *item = (uint8_t *)list.items + i * item_size;

        memcpy(word, text, size);
        place->index = i;
        if (field->item == ATES_UINT) {
            r = number_from_text(place, word, (int64_t *)item, refusal);
        } else {
            *(struct ates_text *)item = (struct ates_text){word, size};
            r = ates_check_text(place, *(struct ates_text *)item, refusal);
        }
        text += size + (text[size] == ',');
    }
    if (r == 0) {
        *out = list;
    }
    return r;
}

int ates_message_set_text(const struct ates_message *message, void *out, const char *field,
                          const char *text, struct ates_arena *arena, struct ates_refusal *refusal)
{
    const struct ates_field *known = ates_message_field(message, field, strlen(field));

    if (known == NULL) {
        return ates_place_refuse_key(NULL, field, strlen(field), refusal, "FIELD_UNKNOWN",
                                     "there is no such field");
    }
    struct ates_place place = {NULL, known, ATES_NO_INDEX};
    uint8_t *member = (uint8_t *)out + known->offset;
    const size_t size = strlen(text);
    struct ates_text copy;
    struct ates_bytes bytes;
    int r = 0;

    switch (known->type) {
    case ATES_BOOL:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
            return ates_place_refuse(&place, refusal, "FIELD_INVALID", "true or false is expected");
        }
        *(bool *)member = text[0] == 't';
        break;
    case ATES_UINT:
    case ATES_INT:
        r = number_from_text(&place, text, (int64_t *)member, refusal);
        break;
    case ATES_ENUM:
        r = word_to_index(&place, text, size, (int *)member, refusal);
        break;
    case ATES_TEXT:
        copy = (struct ates_text){ates_arena_copy(arena, text, size), size};
        r = ates_check_text(&place, copy, refusal);
        if (r == 0) {
            *(struct ates_text *)member = copy;
        }
        break;
    case ATES_BYTES:
        r = bytes_from_hex(&place, text, size, arena, &bytes, refusal);
        if (r == 0) {
            *(struct ates_bytes *)member = bytes;
        }
        break;
    case ATES_LIST:
        if (known->item == ATES_UINT || known->item == ATES_TEXT) {
            r = list_from_text(&place, text, arena, (struct ates_list *)member, refusal);
            break;
        }
        /* fall through */
    default:
        r = ates_place_refuse(&place, refusal, "FIELD_INVALID",
                              "a map or a list of maps cannot be given as one argument");
        break;
    }
    if (r == 0 && known->optional) {
        *(bool *)((uint8_t *)out + known->present) = true;
    }
    return r;
}
