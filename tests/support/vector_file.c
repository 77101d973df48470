/* See vector_file.h. */
#include "support/vector_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "core/reader.h"

static bool is_known(const char *key, const char *const *keys)
{
    bool known = strcmp(key, "name") == 0 || strcmp(key, "valid") == 0;

    while (!known && *keys != NULL) {
        known = strcmp(key, *keys++) == 0;
    }
    return known;
}

json_t *vector_file_load(const char *path, const char *const *keys)
{
    json_error_t error;
    json_t *file = json_load_file(path, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);

    cr_assert_not_null(file, "%s:%d: %s", path, error.line, error.text);
    json_t *vectors = json_incref(json_object_get(file, "vectors"));
    json_decref(file);
    cr_assert(json_array_size(vectors) > 0, "%s has no vectors", path);

    size_t i;
    json_t *vector;
    json_array_foreach(vectors, i, vector)
    {
        const char *key;
        json_t *value;

        cr_assert_not_null(vector_name(vector));
        cr_assert(json_is_boolean(json_object_get(vector, "valid")), "%s", vector_name(vector));
        json_object_foreach(vector, key, value)
        {
            cr_assert(is_known(key, keys), "%s: nobody looks at %s", vector_name(vector), key);
        }
    }
    printf("%s: %zu vectors\n", strrchr(path, '/') + 1, json_array_size(vectors));
    return vectors;
}

const char *vector_name(const json_t *vector)
{
    return vector_text(vector, "name");
}

bool vector_is_valid(const json_t *vector)
{
    return json_is_true(json_object_get(vector, "valid"));
}

const char *vector_text(const json_t *vector, const char *key)
{
    return json_string_value(json_object_get(vector, key));
}

struct ates_bytes vector_bytes(const json_t *hex, struct ates_arena *arena)
{
    const char *digits = json_string_value(hex);
    char pair[3] = "";

    cr_assert_not_null(digits);
    const size_t size = strlen(digits) / 2;
    uint8_t *data = ates_arena_alloc(arena, size + 1);
    for (size_t i = 0; i < size; i++) {
        char *end;

        memcpy(pair, digits + 2 * i, 2);
        data[i] = (uint8_t)strtoul(pair, &end, 16);
        cr_assert_eq(end, pair + 2, "%s is not hexadecimal", digits);
    }
    cr_assert_eq(digits[2 * size], '\0');
    return (struct ates_bytes){data, size};
}

static json_t *make_bytes(const struct ates_token *token)
{
    char *digits = malloc(2 * token->size + 1);

    cr_assert_not_null(digits);
    for (size_t i = 0; i < token->size; i++) {
        sprintf(digits + 2 * i, "%02x", token->data[i]);
    }
    digits[2 * token->size] = '\0';
    json_t *value = json_pack("{s:s}", "$bin", digits);
    free(digits);
    return value;
}

static json_t *make_value(struct ates_reader *reader);

static json_t *make_map(struct ates_reader *reader, size_t count)
{
    json_t *map = json_object();

    while (count-- > 0) {
        struct ates_token key;

        cr_assert_null(ates_reader_key(reader, &key));
        cr_assert_eq(
            json_object_setn_new(map, (const char *)key.data, key.size, make_value(reader)), 0);
    }
    return map;
}

static json_t *make_list(struct ates_reader *reader, size_t count)
{
    json_t *list = json_array();

    while (count-- > 0) {
        cr_assert_eq(json_array_append_new(list, make_value(reader)), 0);
    }
    return list;
}

/* Of bytes that were checked as a whole. */
static json_t *make_value(struct ates_reader *reader)
{
    struct ates_token token;

    cr_assert_null(ates_reader_next(reader, &token));
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
        return make_bytes(&token);
    case ATES_KIND_LIST:
        return make_list(reader, token.size);
    case ATES_KIND_MAP:
        return make_map(reader, token.size);
    default:
        cr_assert_fail("%s was let through", ates_kind_name(token.kind));
        return NULL;
    }
}

json_t *vector_value(struct ates_bytes bytes)
{
    struct ates_reader reader = {.at = bytes.data, .end = bytes.data + bytes.size};
    struct ates_token token;

    if (ates_reader_next(&reader, &token) != NULL || ates_reader_skip(&reader, &token) != NULL ||
        reader.at != reader.end) {
        return NULL;
    }
    reader = (struct ates_reader){.at = bytes.data, .end = bytes.data + bytes.size};
    return make_value(&reader);
}
