/* Prints, for the bodies of all commands, their JSON schema and random values with what the decoder
 * says of them: a line of JSON each, for schema.test.mjs to hold against a validator's word. */
#include <stdlib.h>
#include <string.h>

#include "core/domain.h"
#include "core/message_json.h"
#include "core/message_schema.h"
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

static void print_message(const char *owner, const struct ates_message *message)
{
    json_t *schema = ates_message_schema(message, ATES_UNKNOWN_REFUSED);
    struct ates_arena *arena = ates_arena_new();
    void *out = ates_arena_alloc(arena, message->size);

    print(json_pack("{ss ss sO}", "owner", owner, "name", message->name, "schema", schema));
    for (int i = 0; i < VALUES; i++) {
        json_t *value = sample_coin(&state) ? schema_least(schema) : schema_most(schema);
        struct ates_refusal refusal = {.status = ATES_OK};

        for (size_t changes = sample_below(&state, 3); changes > 0; changes--) {
            change(value, schema);
        }
        const bool taken = ates_message_from_json(message, value, arena, out, &refusal) == 0;
        print(json_pack("{so sb ss}", "value", value, "taken", taken, "why",
                        taken ? "" : refusal.message));
    }
    ates_arena_free(&arena);
    json_decref(schema);
}

int main(void)
{
    state = seed_start();
    print_message("test", &sample_message);
    for (size_t i = 0; ates_domains[i] != NULL; i++) {
        const struct ates_service *service = ates_domains[i]->service;

        for (size_t j = 0; j < service->command_count; j++) {
            print_message(service->name, service->commands[j].body);
            print_message(service->name, service->commands[j].result);
        }
    }
    return 0;
}
