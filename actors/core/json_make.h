/* JSON in the making. Values are stolen. What is made so is small, so that running out of memory
 * means that the machine has none left: the process ends, as in memory.c. */
#ifndef ATES_JSON_MAKE_H
#define ATES_JSON_MAKE_H

#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

static inline void ates_json_require(int r)
{
    if (r != 0) {
        (void)fputs("ates: out of memory\n", stderr);
        abort();
    }
}

static inline void ates_json_set(json_t *object, const char *key, json_t *value)
{
    ates_json_require(json_object_set_new(object, key, value));
}

static inline void ates_json_set_text(json_t *object, const char *key, const char *text)
{
    ates_json_set(object, key, json_string(text));
}

static inline void ates_json_append(json_t *array, json_t *value)
{
    ates_json_require(json_array_append_new(array, value));
}

#endif
