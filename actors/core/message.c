/* Messages to and from msgpack by their tables. Invariant: decoding is one pass straight into the
 * struct; what it takes from the arena is bounded by the bytes received times the size of an item
 * over the size of its smallest encoding. */
#include <assert.h>
#include <string.h>

#include <ates/message.h>

#include "core/message_check.h"
#include "core/reader.h"
#include "core/text.h"
#include "core/writer.h"

/* As bits tell which fields have been seen. */
#define FIELDS_MAX 64

struct decoder {
    struct ates_reader reader;
    enum ates_unknown unknown;
    struct ates_arena *arena;
    struct ates_refusal *refusal;
};

static int decode_fields(struct decoder *self, const struct ates_message *message,
                         const struct ates_place *parent, size_t count, uint8_t *out);

static int refuse_body(struct decoder *self, const char *fault)
{
    return ates_refusal_set(self->refusal, ATES_INVALID_ARGUMENT, "BODY_INVALID", NULL,
                            "the body is not as it should be: %s", fault);
}

static int refuse_token(struct decoder *self, const struct ates_place *place,
                        const struct ates_token *token)
{
    return ates_place_refuse_type(place, self->refusal, ates_kind_name(token->kind));
}

/* The bytes of the shortest encoding of a list's item, its required fields' names included. */
static size_t smallest_item(const struct ates_field *field)
{
    size_t size = 1;

    if (field->item == ATES_STRUCT) {
        for (size_t i = 0; i < field->message->count; i++) {
            const struct ates_field *inner = &field->message->fields[i];
            size += inner->optional ? 0 : 2 + strlen(inner->name);
        }
    } else if (field->item == ATES_BYTES) {
        size = 2;
    }
    return size;
}

static int decode_item(struct decoder *self, const struct ates_place *place, uint8_t *item)
{
    struct ates_token token;

    const char *fault = ates_reader_next(&self->reader, &token);
    if (fault != NULL) {
        return refuse_body(self, fault);
    }
    switch (place->field->item) {
    case ATES_STRUCT:
        if (token.kind != ATES_KIND_MAP) {
            break;
        }
        return decode_fields(self, place->field->message, place, token.size, item);
    case ATES_TEXT:
        if (token.kind != ATES_KIND_TEXT) {
            break;
        }
        *(struct ates_text *)item = (struct ates_text){(const char *)token.data, token.size};
        return ates_check_text(place, *(struct ates_text *)item, self->refusal);
    case ATES_BYTES:
        if (token.kind != ATES_KIND_BYTES) {
            break;
        }
        *(struct ates_bytes *)item = (struct ates_bytes){token.data, token.size};
        return 0;
    default:
        if (token.kind != ATES_KIND_INTEGER) {
            break;
        }
        *(uint64_t *)item = (uint64_t)token.integer;
        return ates_check_integer(place, token.integer, self->refusal);
    }
    return refuse_token(self, place, &token);
}

static int decode_list(struct decoder *self, struct ates_place *place, size_t count,
                       struct ates_list *list)
{
    const size_t left = (size_t)(self->reader.end - self->reader.at);
    const size_t size = ates_field_item_size(place->field);

    int r = ates_check_size(place, count, self->refusal);
    if (r != 0 || count == 0) {
        return r;
    }
    if (count > left / smallest_item(place->field)) {
        return ates_place_refuse(place, self->refusal, "FIELD_INVALID",
                                 "%zu items do not fit into the bytes that follow", count);
    }
    list->items = ates_arena_alloc(self->arena, count * size);
    list->count = count;
    self->reader.depth++;
    for (size_t i = 0; i < count && r == 0; i++) {
        place->index = i;
        r = decode_item(self, place, (uint8_t *)list->items + i * size);
    }
    self->reader.depth--;
    return r;
}

static int decode_raw(struct decoder *self, const struct ates_place *place, const uint8_t *start,
                      const struct ates_token *token, struct ates_bytes *raw)
{
    const char *fault = ates_reader_skip(&self->reader, token);
    if (fault != NULL) {
        return ates_place_refuse(place, self->refusal, "FIELD_INVALID", "%s", fault);
    }
    *raw = (struct ates_bytes){start, (size_t)(self->reader.at - start)};
    return ates_check_size(place, raw->size, self->refusal);
}

static int decode_word(struct decoder *self, const struct ates_place *place,
                       const struct ates_token *token, int *value)
{
    const int index = ates_field_index(place->field, (const char *)token->data, token->size);

    if (index < 0) {
        return ates_place_refuse_word(place, self->refusal);
    }
    *value = index;
    return 0;
}

static const enum ates_kind kind_of[] = {
    [ATES_BOOL] = ATES_KIND_BOOL, [ATES_UINT] = ATES_KIND_INTEGER, [ATES_INT] = ATES_KIND_INTEGER,
    [ATES_ENUM] = ATES_KIND_TEXT, [ATES_TEXT] = ATES_KIND_TEXT,    [ATES_BYTES] = ATES_KIND_BYTES,
    [ATES_RAW] = ATES_KIND_MAP,   [ATES_STRUCT] = ATES_KIND_MAP,   [ATES_LIST] = ATES_KIND_LIST,
};

static int decode_value(struct decoder *self, struct ates_place *place, uint8_t *member)
{
    const struct ates_field *field = place->field;
    const uint8_t *start = self->reader.at;
    struct ates_token token;

    const char *fault = ates_reader_next(&self->reader, &token);
    if (fault != NULL) {
        return refuse_body(self, fault);
    }
    if (token.kind != kind_of[field->type]) {
        return refuse_token(self, place, &token);
    }
    switch (field->type) {
    case ATES_BOOL:
        *(bool *)member = token.integer != 0;
        return 0;
    case ATES_UINT:
    case ATES_INT:
        *(int64_t *)member = token.integer;
        return ates_check_integer(place, token.integer, self->refusal);
    case ATES_ENUM:
        return decode_word(self, place, &token, (int *)member);
    case ATES_TEXT:
        *(struct ates_text *)member = (struct ates_text){(const char *)token.data, token.size};
        return ates_check_text(place, *(struct ates_text *)member, self->refusal);
    case ATES_BYTES:
        *(struct ates_bytes *)member = (struct ates_bytes){token.data, token.size};
        return ates_check_size(place, token.size, self->refusal);
    case ATES_RAW:
        return decode_raw(self, place, start, &token, (struct ates_bytes *)member);
    case ATES_STRUCT:
        return decode_fields(self, field->message, place, token.size, member);
    case ATES_LIST:
        break;
    }
    return decode_list(self, place, token.size, (struct ates_list *)member);
}

/* Fields mostly come in the table's order, so the one after the last is tried first. */
static const struct ates_field *find_field(const struct ates_message *message, size_t expected,
                                           const struct ates_token *key)
{
    const char *name = (const char *)key->data;

    if (expected < message->count &&
        ates_name_is(message->fields[expected].name, name, key->size)) {
        return &message->fields[expected];
    }
    return ates_message_field(message, name, key->size);
}

static int refuse_twice(struct decoder *self, const struct ates_place *parent, struct ates_text key)
{
    return ates_place_refuse_key(parent, key.data, key.size, self->refusal, "FIELD_DUPLICATE",
                                 "the field comes twice");
}

static int decode_unknown(struct decoder *self, const struct ates_place *parent,
                          const struct ates_token *key, struct ates_keys *keys)
{
    struct ates_token token;

    if (self->unknown == ATES_UNKNOWN_REFUSED) {
        return ates_place_refuse_key(parent, key->data, key->size, self->refusal, "FIELD_UNKNOWN",
                                     "there is no such field");
    }
    if (!ates_keys_add(keys, key->data, key->size)) {
        return refuse_twice(self, parent, (struct ates_text){(const char *)key->data, key->size});
    }
    const char *fault =
        ates_utf8_valid(key->data, key->size) ? NULL : "a map's key is not valid UTF-8";
    if (fault == NULL) {
        fault = ates_reader_next(&self->reader, &token);
    }
    if (fault == NULL) {
        fault = ates_reader_skip(&self->reader, &token);
    }
    return fault == NULL ? 0 : refuse_body(self, fault);
}

static int require_fields(struct decoder *self, const struct ates_message *message,
                          const struct ates_place *parent, uint64_t seen)
{
    for (size_t i = 0; i < message->count; i++) {
        if (!message->fields[i].optional && (seen >> i & 1) == 0) {
            const struct ates_place place = {parent, &message->fields[i], ATES_NO_INDEX};
            return ates_place_refuse(&place, self->refusal, "FIELD_MISSING", "it is required");
        }
    }
    return 0;
}

static int decode_pairs(struct decoder *self, const struct ates_message *message,
                        const struct ates_place *parent, size_t count, uint8_t *out,
                        struct ates_keys *keys)
{
    uint64_t seen = 0;
    size_t expected = 0;

    for (size_t i = 0; i < count; i++) {
        struct ates_token key;
        int r;

        const char *fault = ates_reader_key(&self->reader, &key);
        if (fault != NULL) {
            return refuse_body(self, fault);
        }
        const struct ates_field *field = find_field(message, expected, &key);
        if (field == NULL) {
            r = decode_unknown(self, parent, &key, keys);
        } else {
            struct ates_place place = {parent, field, ATES_NO_INDEX};
            const size_t number = (size_t)(field - message->fields);

            if ((seen >> number & 1) != 0) {
                return ates_place_refuse(&place, self->refusal, "FIELD_DUPLICATE",
                                         "the field comes twice");
            }
            seen |= UINT64_C(1) << number;
            expected = number + 1;
            if (field->optional) {
                *(bool *)(out + field->present) = true;
            }
            r = decode_value(self, &place, out + field->offset);
        }
        if (r != 0) {
            return r;
        }
    }
    return require_fields(self, message, parent, seen);
}

static int decode_fields(struct decoder *self, const struct ates_message *message,
                         const struct ates_place *parent, size_t count, uint8_t *out)
{
    struct ates_keys keys;
    struct ates_text twice = {.size = 0};

    assert(message->count <= FIELDS_MAX);
    keys.count = 0;
    keys.capacity = 0;
    keys.many = NULL;
    self->reader.depth++;
    int r = decode_pairs(self, message, parent, count, out, &keys);
    self->reader.depth--;
    if (!ates_keys_close(&keys, &twice) && r == 0) {
        r = refuse_twice(self, parent, twice);
    }
    return r;
}

int ates_message_decode(const struct ates_message *message, const void *data, size_t size,
                        enum ates_unknown unknown, struct ates_arena *arena, void *out,
                        struct ates_refusal *refusal)
{
    struct decoder self = {
        .reader = {.at = data, .end = (const uint8_t *)data + size},
        .unknown = unknown,
        .arena = arena,
        .refusal = refusal,
    };
    struct ates_token token;

    const char *fault = ates_reader_next(&self.reader, &token);
    if (fault == NULL && token.kind != ATES_KIND_MAP) {
        fault = "it is not a map";
    }
    if (fault != NULL) {
        return refuse_body(&self, fault);
    }
    uint8_t *value = ates_arena_alloc(arena, message->size);
    int r = decode_fields(&self, message, NULL, token.size, value);
    if (r == 0 && self.reader.at != self.reader.end) {
        r = refuse_body(&self, "bytes follow after the map");
    }
    if (r == 0) {
        memcpy(out, value, message->size);
    }
    return r;
}

const struct ates_field *ates_message_field(const struct ates_message *message, const char *name,
                                            size_t name_size)
{
    for (size_t i = 0; i < message->count; i++) {
        if (ates_name_is(message->fields[i].name, name, name_size)) {
            return &message->fields[i];
        }
    }
    return NULL;
}

static void encode_fields(struct ates_buffer *out, const struct ates_message *message,
                          const uint8_t *value);

static void encode_list(struct ates_buffer *out, const struct ates_field *field,
                        const struct ates_list *list)
{
    const size_t size = ates_field_item_size(field);

    ates_write_list(out, list->count);
    for (size_t i = 0; i < list->count; i++) {
        const uint8_t *item = (const uint8_t *)list->items + i * size;

        if (field->item == ATES_STRUCT) {
            encode_fields(out, field->message, item);
        } else if (field->item == ATES_BYTES) {
            const struct ates_bytes *bytes = (const struct ates_bytes *)item;
            ates_write_bytes(out, bytes->data, bytes->size);
        } else if (field->item == ATES_TEXT) {
            const struct ates_text *text = (const struct ates_text *)item;
            ates_write_text(out, text->data, text->size);
        } else {
            ates_write_unsigned(out, *(const uint64_t *)item);
        }
    }
}

static void encode_value(struct ates_buffer *out, const struct ates_field *field,
                         const void *member)
{
    const struct ates_text *text = member;
    const struct ates_bytes *bytes = member;
    const char *word;

    switch (field->type) {
    case ATES_BOOL:
        ates_write_bool(out, *(const bool *)member);
        break;
    case ATES_UINT:
        ates_write_unsigned(out, *(const uint64_t *)member);
        break;
    case ATES_INT:
        ates_write_signed(out, *(const int64_t *)member);
        break;
    case ATES_ENUM:
        word = ates_field_word(field, *(const int *)member);
        assert(word != NULL);
        ates_write_text(out, word, strlen(word));
        break;
    case ATES_TEXT:
        ates_write_text(out, text->data, text->size);
        break;
    case ATES_BYTES:
        ates_write_bytes(out, bytes->data, bytes->size);
        break;
    case ATES_RAW:
        ates_write_encoded(out, bytes->data, bytes->size);
        break;
    case ATES_STRUCT:
        encode_fields(out, field->message, member);
        break;
    case ATES_LIST:
        encode_list(out, field, member);
        break;
    }
}

static bool is_there(const struct ates_field *field, const uint8_t *value)
{
    return !field->optional || *(const bool *)(value + field->present);
}

static void encode_fields(struct ates_buffer *out, const struct ates_message *message,
                          const uint8_t *value)
{
    size_t count = 0;

    for (size_t i = 0; i < message->count; i++) {
        count += is_there(&message->fields[i], value);
    }
    ates_write_map(out, count);
    for (size_t i = 0; i < message->count; i++) {
        const struct ates_field *field = &message->fields[i];

        if (is_there(field, value)) {
            ates_write_text(out, field->name, strlen(field->name));
            encode_value(out, field, value + field->offset);
        }
    }
}

void ates_message_encode(const struct ates_message *message, const void *value,
                         struct ates_buffer *out)
{
    encode_fields(out, message, value);
}
