/* JSON Schema by message tables. Invariant: every limit here is read from the same members, with
 * the same defaults, as in message_check.c. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/json_make.h"
#include "core/message_schema.h"

#define CONTROLS "\\u0000-\\u001f\\u007f-\\u009f"
#define MAILBOX_PART "[^@\\u0000-\\u0020\\u007f-\\u009f]+"

/* ECMA 262 with the u flag. A day's month and length are format's to say. */
static const char *const patterns[] = {
    [ATES_RULE_TEXT] = "^[^\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f]*$",
    [ATES_RULE_LINE] = "^[^" CONTROLS "]*$",
    [ATES_RULE_ASCII] = "^[ -~]*$",
    [ATES_RULE_LOGIN] = "^[A-Za-z0-9._-]*$",
    [ATES_RULE_EMAIL] = "^" MAILBOX_PART "@" MAILBOX_PART "$",
    [ATES_RULE_DATE] = "^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
    [ATES_RULE_TITLE] = "^[^\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\[\\]]*$",
    [ATES_RULE_ISSUE] = "^[A-Z][A-Z0-9_]*-[1-9][0-9]*$",
};

/* What a value is, where its limits do not say so. */
static const char *unit_of(const struct ates_field *field)
{
    static const char *const units[] = {
        [ATES_UNIT_NONE] = NULL,
        [ATES_UNIT_ID] = NULL,
        [ATES_UNIT_CENTS] = "cents",
        [ATES_UNIT_TIME] = "Unix time in milliseconds",
        [ATES_UNIT_MILLISECONDS] = "milliseconds",
    };

    return units[field->unit];
}

static void describe(json_t *schema, const struct ates_field *field)
{
    const bool is_bytes =
        field->type == ATES_BYTES || (field->type == ATES_LIST && field->item == ATES_BYTES);
    const char *unit =
        is_bytes ? "bytes: bin in MessagePack, hexadecimal digits in JSON" : unit_of(field);
    char limit[64] = "";
    char words[512];

    if (field->type == ATES_TEXT && field->rule == ATES_RULE_EMAIL && field->max > 0) {
        snprintf(limit, sizeof limit, "at most %" PRId64 " bytes in UTF-8", field->max);
        unit = limit;
    }
    if (field->summary == NULL && unit == NULL) {
        return;
    }
    snprintf(words, sizeof words, "%s%s%s", field->summary != NULL ? field->summary : "",
             field->summary != NULL && unit != NULL ? "; " : "", unit != NULL ? unit : "");
    ates_json_set_text(schema, "description", words);
}

static void set_type(json_t *schema, const char *type)
{
    ates_json_set_text(schema, "type", type);
}

static void limit_integer(json_t *schema, const struct ates_field *field)
{
    const bool is_free = field->type == ATES_INT && field->min == 0 && field->max == 0;

    set_type(schema, "integer");
    ates_json_set_text(schema, "format", "int64");
    ates_json_set(schema, "minimum", json_integer(is_free ? -ATES_INTEGER_MAX : field->min));
    ates_json_set(schema, "maximum", json_integer(field->max != 0 ? field->max : ATES_INTEGER_MAX));
}

static void list_words(json_t *schema, const struct ates_field *field)
{
    json_t *words = json_array();

    for (size_t i = 0; i == 0 || field->names[i] != NULL; i++) {
        if (field->names[i] != NULL) {
            ates_json_append(words, json_string(field->names[i]));
        }
    }
    set_type(schema, "string");
    ates_json_set(schema, "enum", words);
}

static void limit_size(json_t *schema, const char *lowest, const char *highest, int64_t min,
                       int64_t max)
{
    if (min > 0) {
        ates_json_set(schema, lowest, json_integer(min));
    }
    if (max > 0) {
        ates_json_set(schema, highest, json_integer(max));
    }
}

static void rule_text(json_t *schema, enum ates_rule rule)
{
    set_type(schema, "string");
    ates_json_set_text(schema, "pattern", patterns[rule]);
    if (rule == ATES_RULE_DATE) {
        ates_json_set_text(schema, "format", "date");
    }
}

/* A character of an address has at least one byte, so that the limit holds for both. */
static void limit_text(json_t *schema, const struct ates_field *field, enum ates_unknown unknown)
{
    static const char *const examples[] = {
        [ATES_RULE_LOGIN] = "popug",     [ATES_RULE_EMAIL] = "popug@example.org",
        [ATES_RULE_DATE] = "2024-02-29", [ATES_RULE_TITLE] = "Count the toner cartridges",
        [ATES_RULE_ISSUE] = "JIRA-123",
    };

    rule_text(schema, field->rule);
    limit_size(schema, "minLength", "maxLength", field->min, field->max);
    if (field->rule >= ATES_RULE_LOGIN) {
        ates_json_set(schema, "examples", json_pack("[s]", examples[field->rule]));
    }
    if (field->secret && unknown == ATES_UNKNOWN_REFUSED) {
        ates_json_set_text(schema, "format", "password");
        ates_json_set(schema, "writeOnly", json_true());
    }
}

/* Upper-case digits are taken too; what we write is lower-case. */
static void hex(json_t *schema, int64_t min, int64_t max)
{
    set_type(schema, "string");
    ates_json_set_text(schema, "contentEncoding", "base16");
    ates_json_set_text(schema, "pattern", "^([0-9A-Fa-f]{2})*$");
    limit_size(schema, "minLength", "maxLength", 2 * min, 2 * max);
}

/* Items have their rule, but not the list's limits. */
static json_t *item_schema(const struct ates_field *field, enum ates_unknown unknown,
                           ates_schema_nest *nest, void *context)
{
    static const struct ates_field number = {.type = ATES_UINT};

    if (field->item == ATES_STRUCT) {
        return nest(field->message, unknown, context);
    }
    json_t *schema = json_object();
    if (field->item == ATES_TEXT) {
        rule_text(schema, field->rule);
    } else if (field->item == ATES_BYTES) {
        hex(schema, 0, 0);
    } else {
        limit_integer(schema, &number);
    }
    return schema;
}

json_t *ates_field_schema(const struct ates_field *field, enum ates_unknown unknown,
                          ates_schema_nest *nest, void *context)
{
    json_t *schema =
        field->type == ATES_STRUCT ? nest(field->message, unknown, context) : json_object();

    switch (field->type) {
    case ATES_BOOL:
        set_type(schema, "boolean");
        break;
    case ATES_UINT:
    case ATES_INT:
        limit_integer(schema, field);
        break;
    case ATES_ENUM:
        list_words(schema, field);
        break;
    case ATES_TEXT:
        limit_text(schema, field, unknown);
        break;
    case ATES_BYTES:
        hex(schema, field->min, field->max);
        break;
    case ATES_RAW:
        set_type(schema, "object");
        break;
    case ATES_LIST:
        set_type(schema, "array");
        limit_size(schema, "minItems", "maxItems", field->min,
                   field->max > 0 ? field->max : ATES_LIST_MAX);
        ates_json_set(schema, "items", item_schema(field, unknown, nest, context));
        break;
    case ATES_STRUCT:
        break;
    }
    describe(schema, field);
    return schema;
}

json_t *ates_message_schema_nested(const struct ates_message *message, enum ates_unknown unknown,
                                   ates_schema_nest *nest, void *context)
{
    json_t *schema = json_object();
    json_t *properties = json_object();
    json_t *required = json_array();

    for (size_t i = 0; i < message->count; i++) {
        const struct ates_field *field = &message->fields[i];

        ates_json_set(properties, field->name, ates_field_schema(field, unknown, nest, context));
        if (!field->optional) {
            ates_json_append(required, json_string(field->name));
        }
    }
    set_type(schema, "object");
    ates_json_set(schema, "properties", properties);
    if (json_array_size(required) > 0) {
        ates_json_set(schema, "required", json_incref(required));
    }
    json_decref(required);
    ates_json_set(schema, "additionalProperties", json_boolean(unknown == ATES_UNKNOWN_IGNORED));
    return schema;
}

static json_t *in_place(const struct ates_message *message, enum ates_unknown unknown,
                        void *context)
{
    return ates_message_schema_nested(message, unknown, in_place, context);
}

json_t *ates_message_schema(const struct ates_message *message, enum ates_unknown unknown)
{
    return in_place(message, unknown, NULL);
}
