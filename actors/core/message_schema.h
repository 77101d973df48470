/* Messages as JSON Schema 2020-12, made from their tables: the form of what message_json.h reads
 * and writes. Invariant: a schema's limits are the ones that message_check.h judges by; what a
 * schema cannot say (an address counted in bytes, a raw's size) its description does. */
#ifndef ATES_MESSAGE_SCHEMA_H
#define ATES_MESSAGE_SCHEMA_H

#include <jansson.h>

#include <ates/message.h>

/* What stands in the place of a nested message: a new schema, or a reference to one. */
typedef json_t *ates_schema_nest(const struct ates_message *message, enum ates_unknown unknown,
                                 void *context);

/* The schema of a message, with nested ones in place. Where unknown fields are refused it is a
 * command's: closed, with secrets to be written only; else it is open, as a consumer must ignore
 * what it does not know. A new object, owned by the caller; never NULL, as in ates_arena_alloc. */
json_t *ates_message_schema(const struct ates_message *message, enum ates_unknown unknown);

/* The same with what nest says for nested messages. */
json_t *ates_message_schema_nested(const struct ates_message *message, enum ates_unknown unknown,
                                   ates_schema_nest *nest, void *context);

/* The schema of one field's value. */
json_t *ates_field_schema(const struct ates_field *field, enum ates_unknown unknown,
                          ates_schema_nest *nest, void *context);

#endif
