/* Messages to JSON. Invariant: reads a raw through the bounded reader only, and hands out no part
 * of an object that could not be made whole. */
#include <stdlib.h>

#include "core/message_check.h"
#include "core/message_json.h"
#include "core/reader.h"

static json_t *fields_to_json(const struct ates_message *message, const uint8_t *value,
                              bool with_secrets);

static json_t *bytes_to_json(const uint8_t *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char *hex = malloc(2 * size + 1);

    if (hex == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < size; i++) {
        hex[2 * i] = digits[data[i] >> 4];
        hex[2 * i + 1] = digits[data[i] & 15];
    }
    json_t *json = json_stringn_nocheck(hex, 2 * size);
    free(hex);
    return json;
}

static json_t *token_to_json(struct ates_reader *reader);

static json_t *list_to_json(struct ates_reader *reader, size_t count)
{
    json_t *json = json_array();

    reader->depth++;
    for (size_t i = 0; i < count; i++) {
        if (json_array_append_new(json, token_to_json(reader)) != 0) {
            json_decref(json);
            return NULL;
        }
    }
    reader->depth--;
    return json;
}

static json_t *map_to_json(struct ates_reader *reader, size_t count)
{
    json_t *json = json_object();
    struct ates_token key;

    reader->depth++;
    for (size_t i = 0; i < count; i++) {
        if (ates_reader_key(reader, &key) != NULL ||
            json_object_setn_new(json, (const char *)key.data, key.size, token_to_json(reader)) !=
                0) {
            json_decref(json);
            return NULL;
        }
    }
    reader->depth--;
    return json;
}

/* The next value of a raw; NULL where it is not one that decode lets pass. */
static json_t *token_to_json(struct ates_reader *reader)
{
    struct ates_token token;

    if (ates_reader_next(reader, &token) != NULL) {
        return NULL;
    }
    switch (token.kind) {
    case ATES_KIND_NIL:
        return json_null();
    case ATES_KIND_BOOL:
        return json_boolean(token.integer != 0);
    case ATES_KIND_INTEGER:
        return json_integer(token.integer);
    case ATES_KIND_TEXT:
        return json_stringn((const char *)token.data, token.size);
    case ATES_KIND_BYTES:
        return bytes_to_json(token.data, token.size);
    case ATES_KIND_LIST:
        return list_to_json(reader, token.size);
    case ATES_KIND_MAP:
        return map_to_json(reader, token.size);
    default:
        return NULL;
    }
}

static json_t *items_to_json(const struct ates_field *field, const struct ates_list *list,
                             bool with_secrets)
{
    const size_t size = ates_field_item_size(field);
    json_t *json = json_array();

    for (size_t i = 0; i < list->count; i++) {
        const void *item = (const uint8_t *)list->items + i * size;
        const struct ates_text *text = item;
        const struct ates_bytes *bytes = item;
        json_t *made;

        if (field->item == ATES_STRUCT) {
            made = fields_to_json(field->message, item, with_secrets);
        } else if (field->item == ATES_TEXT) {
            made = json_stringn(text->size > 0 ? text->data : "", text->size);
        } else if (field->item == ATES_BYTES) {
            made = bytes_to_json(bytes->data, bytes->size);
        } else {
            made = json_integer(*(const int64_t *)item);
        }
        if (json_array_append_new(json, made) != 0) {
            json_decref(json);
            return NULL;
        }
    }
    return json;
}

static json_t *value_to_json(const struct ates_field *field, const void *member, bool with_secrets)
{
    const struct ates_text *text = member;
    const struct ates_bytes *bytes = member;

    switch (field->type) {
    case ATES_BOOL:
        return json_boolean(*(const bool *)member);
    case ATES_UINT:
    case ATES_INT:
        return json_integer(*(const int64_t *)member);
    case ATES_ENUM:
        return json_string(ates_field_word(field, *(const int *)member));
    case ATES_TEXT:
        return json_stringn(text->size > 0 ? text->data : "", text->size);
    case ATES_BYTES:
        return bytes_to_json(bytes->data, bytes->size);
    case ATES_RAW: {
        struct ates_reader reader = {bytes->data, bytes->data + bytes->size, 0};
        return token_to_json(&reader);
    }
    case ATES_STRUCT:
        return fields_to_json(field->message, member, with_secrets);
    case ATES_LIST:
        break;
    }
    return items_to_json(field, member, with_secrets);
}

static json_t *fields_to_json(const struct ates_message *message, const uint8_t *value,
                              bool with_secrets)
{
    json_t *json = json_object();

    for (size_t i = 0; i < message->count; i++) {
        const struct ates_field *field = &message->fields[i];

        if ((field->optional && !*(const bool *)(value + field->present)) ||
            (field->secret && !with_secrets)) {
            continue;
        }
        if (json_object_set_new(json, field->name,
                                value_to_json(field, value + field->offset, with_secrets)) != 0) {
            json_decref(json);
            return NULL;
        }
    }
    return json;
}

json_t *ates_message_to_json(const struct ates_message *message, const void *value)
{
    return fields_to_json(message, value, true);
}

json_t *ates_message_to_json_public(const struct ates_message *message, const void *value)
{
    return fields_to_json(message, value, false);
}
