/* Limits, and the refusals that name a field. Invariant: decode, the command line and JSON judge a
 * value by these same functions. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/message_check.h"
#include "core/reader.h"
#include "core/text.h"

static size_t write_path(const struct ates_place *place, char *out, size_t size)
{
    size_t used = 0;

    if (place->parent != NULL) {
        used = write_path(place->parent, out, size);
        used += (size_t)snprintf(out + (used < size ? used : size - 1),
                                 used < size ? size - used : 1, ".");
    }
    const size_t at = used < size ? used : size - 1;
    if (place->index == ATES_NO_INDEX) {
        return used + (size_t)snprintf(out + at, size - at, "%s", place->field->name);
    }
    return used +
           (size_t)snprintf(out + at, size - at, "%s[%zu]", place->field->name, place->index);
}

int ates_place_refuse(const struct ates_place *place, struct ates_refusal *refusal,
                      const char *reason, const char *format, ...)
{
    char path[sizeof refusal->field];
    char what[sizeof refusal->message];
    va_list arguments;

    if (refusal == NULL) {
        return ATES_INVALID_ARGUMENT;
    }
    (void)write_path(place, path, sizeof path);
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    /* Cuts the path between characters, so that the message begins with whole ones. */
    (void)ates_refusal_set(refusal, ATES_INVALID_ARGUMENT, reason, path, "%s", what);
    return ates_refusal_set(refusal, ATES_INVALID_ARGUMENT, reason, refusal->field, "%s: %s",
                            refusal->field, what);
}

int ates_place_refuse_key(const struct ates_place *parent, const void *key, size_t size,
                          struct ates_refusal *refusal, const char *reason, const char *what)
{
    char name[sizeof refusal->field];

    if (!ates_utf8_valid(key, size)) {
        return ates_refusal_set(refusal, ATES_INVALID_ARGUMENT, "BODY_INVALID", NULL,
                                "a map's key is not valid UTF-8");
    }
    if (size == 0) { /* a field of no name must be named, too */
        key = "\"\"";
        size = 2;
    }
    size = size < sizeof name ? size : sizeof name - 1;
    memcpy(name, key, size);
    name[size] = '\0';
    for (size_t i = 0; i < size; i++) {
        const uint8_t byte = (uint8_t)name[i];

        if (byte == 0xc2 && i + 1 < size && (uint8_t)name[i + 1] < 0xa0) {
            name[i] = name[i + 1] = '?'; /* U+0080 to U+009F */
        } else if (byte < 0x20 || byte == 0x7f) {
            name[i] = '?';
        }
    }
    const struct ates_field field = {.name = name};
    const struct ates_place place = {parent, &field, ATES_NO_INDEX};
    return ates_place_refuse(&place, refusal, reason, "%s", what);
}

int ates_place_refuse_type(const struct ates_place *place, struct ates_refusal *refusal,
                           const char *got)
{
    static const char *const expected[] = {
        [ATES_BOOL] = "true or false", [ATES_UINT] = "an integer", [ATES_INT] = "an integer",
        [ATES_ENUM] = "a text",        [ATES_TEXT] = "a text",     [ATES_BYTES] = "bytes",
        [ATES_RAW] = "a map",          [ATES_STRUCT] = "a map",    [ATES_LIST] = "a list",
    };
    const enum ates_type type =
        place->index == ATES_NO_INDEX ? place->field->type : place->field->item;

    return ates_place_refuse(place, refusal, "FIELD_INVALID", "expected %s, got %s", expected[type],
                             got);
}

int ates_place_refuse_word(const struct ates_place *place, struct ates_refusal *refusal)
{
    char words[sizeof refusal->message];
    size_t used = 0;

    words[0] = '\0';
    for (int i = 0; used < sizeof words; i++) {
        const char *word = ates_field_word(place->field, i);
        if (word == NULL && i > 0) {
            break;
        }
        if (word != NULL) {
            used += (size_t)snprintf(words + used, sizeof words - used, "%s%s",
                                     used > 0 ? ", " : "", word);
        }
    }
    return ates_place_refuse(place, refusal, "FIELD_INVALID", "one of %s is expected", words);
}

unsigned ates_place_depth(const struct ates_place *place)
{
    unsigned depth = 0;

    for (; place != NULL; place = place->parent) {
        depth += place->index == ATES_NO_INDEX ? 1 : 2;
    }
    return depth;
}

/* Says what is allowed, and what came unless that would tell about a secret. */
static int refuse_amount(const struct ates_place *place, struct ates_refusal *refusal, int64_t min,
                         int64_t max, int64_t got, const char *unit)
{
    char allowed[64];
    char came[32] = "";

    if (min == max) {
        (void)snprintf(allowed, sizeof allowed, "exactly %" PRId64 "%s", min, unit);
    } else if (max == INT64_MAX) {
        (void)snprintf(allowed, sizeof allowed, "at least %" PRId64 "%s", min, unit);
    } else {
        (void)snprintf(allowed, sizeof allowed, "%" PRId64 " to %" PRId64 "%s", min, max, unit);
    }
    if (!place->field->secret) {
        (void)snprintf(came, sizeof came, ", got %" PRId64, got);
    }
    return ates_place_refuse(place, refusal, "FIELD_INVALID", "%s%s", allowed, came);
}

int ates_check_text(const struct ates_place *place, struct ates_text text,
                    struct ates_refusal *refusal)
{
    const struct ates_field *field = place->field;
    size_t length = 0;

    const char *fault = ates_text_scan(text, field->rule, &length);
    if (fault != NULL) {
        return ates_place_refuse(place, refusal, "FIELD_INVALID", "%s", fault);
    }
    if (place->index == ATES_NO_INDEX) {
        /* RFC 5321's limit on an address counts octets. */
        const bool in_bytes = field->rule == ATES_RULE_EMAIL;
        const int64_t got = (int64_t)(in_bytes ? text.size : length);
        const int64_t max = field->max > 0 ? field->max : INT64_MAX;
        if (got < field->min || got > max) {
            return refuse_amount(place, refusal, field->min, max, got,
                                 in_bytes ? " bytes" : " characters");
        }
    }
    return 0;
}

int ates_check_integer(const struct ates_place *place, int64_t value, struct ates_refusal *refusal)
{
    const struct ates_field *field = place->field;
    int64_t min = 0;
    int64_t max = ATES_INTEGER_MAX;

    if (place->index == ATES_NO_INDEX) {
        const bool is_free = field->type == ATES_INT && field->min == 0 && field->max == 0;
        min = is_free ? -ATES_INTEGER_MAX : field->min;
        max = field->max != 0 ? field->max : ATES_INTEGER_MAX;
    }
    if (value < min || value > max) {
        return refuse_amount(place, refusal, min, max, value, "");
    }
    return 0;
}

int ates_check_size(const struct ates_place *place, size_t size, struct ates_refusal *refusal)
{
    const struct ates_field *field = place->field;
    const bool is_list = field->type == ATES_LIST;
    const int64_t max = field->max > 0 ? field->max : is_list ? ATES_LIST_MAX : INT64_MAX;

    if ((int64_t)size < field->min || (int64_t)size > max) {
        return refuse_amount(place, refusal, field->min, max, (int64_t)size,
                             is_list ? " items" : " bytes");
    }
    return 0;
}

int ates_check_raw(const struct ates_place *place, struct ates_bytes raw,
                   struct ates_refusal *refusal)
{
    struct ates_reader reader = {raw.data, raw.data + raw.size, ates_place_depth(place)};
    struct ates_token token;

    int r = ates_check_size(place, raw.size, refusal);
    if (r != 0) {
        return r;
    }
    const char *fault = ates_reader_next(&reader, &token);
    if (fault == NULL && token.kind != ATES_KIND_MAP) {
        return ates_place_refuse_type(place, refusal, ates_kind_name(token.kind));
    }
    if (fault == NULL) {
        fault = ates_reader_skip(&reader, &token);
    }
    if (fault == NULL && reader.at != reader.end) {
        fault = "bytes follow after the map";
    }
    return fault == NULL ? 0 : ates_place_refuse(place, refusal, "FIELD_INVALID", "%s", fault);
}

int ates_text_check(const struct ates_field *field, struct ates_text text,
                    struct ates_refusal *refusal)
{
    const struct ates_place place = {NULL, field, ATES_NO_INDEX};

    return ates_check_text(&place, text, refusal);
}

const char *ates_field_word(const struct ates_field *field, int index)
{
    for (int i = 0; i == 0 || field->names[i] != NULL; i++) {
        if (i == index) {
            return field->names[i];
        }
    }
    return NULL;
}

int ates_field_index(const struct ates_field *field, const char *word, size_t size)
{
    for (int i = 0; i == 0 || field->names[i] != NULL; i++) {
        if (field->names[i] != NULL && ates_name_is(field->names[i], word, size)) {
            return i;
        }
    }
    return -EINVAL;
}

size_t ates_field_item_size(const struct ates_field *field)
{
    switch (field->item) {
    case ATES_STRUCT:
        return field->message->size;
    case ATES_BYTES:
        return sizeof(struct ates_bytes);
    case ATES_TEXT:
        return sizeof(struct ates_text);
    case ATES_UINT:
        return sizeof(uint64_t);
    default:
        break;
    }
    assert(false && "a list of such items is no message field");
    return 0;
}

static int check_fields(const struct ates_message *message, const uint8_t *value,
                        const struct ates_place *parent, struct ates_refusal *refusal);

static int check_list(struct ates_place *place, struct ates_list list, struct ates_refusal *refusal)
{
    const struct ates_field *field = place->field;
    const size_t size = ates_field_item_size(field);

    int r = ates_check_size(place, list.count, refusal);
    for (size_t i = 0; i < list.count && r == 0; i++) {
        const void *item = (const uint8_t *)list.items + i * size;

        place->index = i;
        if (field->item == ATES_STRUCT) {
            r = check_fields(field->message, item, place, refusal);
        } else if (field->item == ATES_TEXT) {
            r = ates_check_text(place, *(const struct ates_text *)item, refusal);
        } else if (field->item == ATES_UINT) {
            const uint64_t number = *(const uint64_t *)item;
            r = ates_check_integer(place, number > INT64_MAX ? INT64_MAX : (int64_t)number,
                                   refusal);
        }
    }
    return r;
}

/* A required text or bytes that nobody set is missing rather than too short. */
static bool is_missing(const struct ates_field *field, const void *member)
{
    switch (field->type) {
    case ATES_TEXT:
        return ((const struct ates_text *)member)->data == NULL && field->min > 0;
    case ATES_BYTES:
        return ((const struct ates_bytes *)member)->data == NULL && field->min > 0;
    case ATES_RAW:
        return ((const struct ates_bytes *)member)->data == NULL;
    default:
        return false;
    }
}

static int check_field(struct ates_place *place, const void *member, struct ates_refusal *refusal)
{
    const struct ates_field *field = place->field;

    if (is_missing(field, member)) {
        return ates_place_refuse(place, refusal, "FIELD_MISSING", "it is required");
    }
    switch (field->type) {
    case ATES_BOOL:
        return 0;
    case ATES_UINT: {
        const uint64_t number = *(const uint64_t *)member;
        return ates_check_integer(place, number > INT64_MAX ? INT64_MAX : (int64_t)number, refusal);
    }
    case ATES_INT:
        return ates_check_integer(place, *(const int64_t *)member, refusal);
    case ATES_ENUM:
        return ates_field_word(field, *(const int *)member) != NULL
                   ? 0
                   : ates_place_refuse_word(place, refusal);
    case ATES_TEXT:
        return ates_check_text(place, *(const struct ates_text *)member, refusal);
    case ATES_BYTES:
        return ates_check_size(place, ((const struct ates_bytes *)member)->size, refusal);
    case ATES_RAW:
        return ates_check_raw(place, *(const struct ates_bytes *)member, refusal);
    case ATES_STRUCT:
        return check_fields(field->message, member, place, refusal);
    case ATES_LIST:
        break;
    }
    return check_list(place, *(const struct ates_list *)member, refusal);
}

static int check_fields(const struct ates_message *message, const uint8_t *value,
                        const struct ates_place *parent, struct ates_refusal *refusal)
{
    int r = 0;

    for (size_t i = 0; i < message->count && r == 0; i++) {
        const struct ates_field *field = &message->fields[i];

        if (!field->optional || *(const bool *)(value + field->present)) {
            struct ates_place place = {parent, field, ATES_NO_INDEX};
            r = check_field(&place, value + field->offset, refusal);
        }
    }
    return r;
}

int ates_message_check(const struct ates_message *message, const void *value,
                       struct ates_refusal *refusal)
{
    return check_fields(message, value, NULL, refusal);
}
