/* Messages to and from JSON and command lines by their tables, for atesctl and the web.
 *
 * JSON names are the field names; integers are JSON integers, bytes lower-case hex, enums their
 * words, a raw the nested JSON of its map; an absent optional field is left out. */
#ifndef ATES_MESSAGE_JSON_H
#define ATES_MESSAGE_JSON_H

#include <jansson.h>

#include <ates/message.h>

/* The value as a new JSON object, owned by the caller; NULL when out of memory, or where the value
 * holds what decode would have refused (a text that is not UTF-8). */
json_t *ates_message_to_json(const struct ates_message *message, const void *value);

/* The same without its secret fields, for logs and screens. */
json_t *ates_message_to_json_public(const struct ates_message *message, const void *value);

/* Fills out (message->size bytes, untouched unless 0 is returned) from a JSON object and checks it.
 * What out points to is taken from arena; json may go. Refuses as ates_message_decode does, unknown
 * fields included; null is no value. */
int ates_message_from_json(const struct ates_message *message, const json_t *json,
                           struct ates_arena *arena, void *out, struct ates_refusal *refusal);

/* Sets one field of out from a command line's string: a number, true or false, an enum's word, a
 * text, hex for bytes, or numbers or texts by commas for a list of them; an optional field becomes present. The field alone is checked,
 * ates_message_check does the whole. Refuses: FIELD_UNKNOWN; FIELD_INVALID, also where the field is
 * a map or another list. */
int ates_message_set_text(const struct ates_message *message, void *out, const char *field,
                          const char *text, struct ates_arena *arena, struct ates_refusal *refusal);

#endif
