/* Values that a schema of core/message_schema.h describes, made from the schema alone, so that what
 * it says can be held against what the decoder takes. */
#ifndef ATES_TEST_SCHEMA_VALUES_H
#define ATES_TEST_SCHEMA_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* The smallest value: required properties only, the shortest texts. */
json_t *schema_least(const json_t *schema);

/* The same with every property, and an item in every list. */
json_t *schema_most(const json_t *schema);

/* A text of so many characters that the schema's pattern takes; NULL where it takes none. */
json_t *schema_text(const json_t *schema, size_t characters, const char *character);

/* What kind of text its pattern tells of. */
bool schema_is_email(const json_t *schema);
bool schema_is_date(const json_t *schema);
bool schema_is_issue(const json_t *schema);
bool schema_is_hex(const json_t *schema);
bool schema_is_ascii(const json_t *schema); /* and nothing beyond */

#endif
