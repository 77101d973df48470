/* Values from schemas; see schema_values.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "support/schema_values.h"

static const char *word(const json_t *schema, const char *key)
{
    const char *text = json_string_value(json_object_get(schema, key));

    return text != NULL ? text : "";
}

static size_t number(const json_t *schema, const char *key)
{
    return (size_t)json_integer_value(json_object_get(schema, key));
}

bool schema_is_email(const json_t *schema)
{
    return strstr(word(schema, "pattern"), "+@") != NULL;
}

bool schema_is_date(const json_t *schema)
{
    return strcmp(word(schema, "format"), "date") == 0;
}

bool schema_is_issue(const json_t *schema)
{
    return strstr(word(schema, "pattern"), "-[1-9]") != NULL;
}

bool schema_is_hex(const json_t *schema)
{
    return strcmp(word(schema, "contentEncoding"), "base16") == 0;
}

bool schema_is_ascii(const json_t *schema)
{
    return schema_is_date(schema) || schema_is_hex(schema) ||
           strstr(word(schema, "pattern"), "[^") == NULL;
}

json_t *schema_text(const json_t *schema, size_t characters, const char *character)
{
    const size_t size = strlen(character);

    if ((schema_is_email(schema) && characters < 3) ||
        (schema_is_date(schema) && characters != 10) ||
        (schema_is_issue(schema) && characters < 3) ||
        (schema_is_hex(schema) && characters % 2 != 0)) {
        return NULL;
    }
    if (schema_is_date(schema)) {
        return json_string("2024-02-29");
    }
    char *text = malloc(characters * size + 1);
    size_t used = 0;
    assert(text != NULL);
    for (size_t i = 0; i < characters; i++) {
        const bool is_at = schema_is_email(schema) && i == 1;

        memcpy(text + used, is_at ? "@" : character, is_at ? 1 : size);
        used += is_at ? 1 : size;
    }
    if (schema_is_issue(schema)) {
        memset(text, 'A', used);
        memcpy(text + used - 2, "-1", 2);
    }
    json_t *json = json_stringn(text, used);
    free(text);
    return json;
}

static json_t *make(const json_t *schema, bool all);

static json_t *make_object(const json_t *schema, bool all)
{
    const json_t *required = json_object_get(schema, "required");
    json_t *object = json_object();
    const char *key;
    json_t *property;

    json_object_foreach(json_object_get(schema, "properties"), key, property)
    {
        bool wanted = all;

        for (size_t i = 0; i < json_array_size(required) && !wanted; i++) {
            wanted = strcmp(json_string_value(json_array_get(required, i)), key) == 0;
        }
        if (wanted) {
            json_object_set_new(object, key, make(property, all));
        }
    }
    return object;
}

static json_t *make_list(const json_t *schema, bool all)
{
    const size_t min = number(schema, "minItems");
    json_t *list = json_array();

    for (size_t i = 0; i < (all && min == 0 ? 1 : min); i++) {
        json_array_append_new(list, make(json_object_get(schema, "items"), all));
    }
    return list;
}

static json_t *make_text(const json_t *schema)
{
    const json_t *words = json_object_get(schema, "enum");

    if (words != NULL) {
        return json_incref(json_array_get(words, 0));
    }
    size_t size = number(schema, "minLength");
    if (schema_is_date(schema)) {
        size = 10;
    } else if (schema_is_email(schema) && size < 3) {
        size = 3;
    }
    return schema_text(schema, size, "a");
}

static json_t *make(const json_t *schema, bool all)
{
    const char *type = word(schema, "type");

    if (strcmp(type, "object") == 0) {
        return make_object(schema, all);
    }
    if (strcmp(type, "array") == 0) {
        return make_list(schema, all);
    }
    if (strcmp(type, "string") == 0) {
        return make_text(schema);
    }
    if (strcmp(type, "integer") == 0) {
        return json_incref(json_object_get(schema, "minimum"));
    }
    assert(strcmp(type, "boolean") == 0);
    return json_true();
}

json_t *schema_least(const json_t *schema)
{
    return make(schema, false);
}

json_t *schema_most(const json_t *schema)
{
    return make(schema, true);
}
