/* Texts from outside: UTF-8 and the rules of message fields. */
#ifndef ATES_TEXT_H
#define ATES_TEXT_H

#include <ates/message.h>

/* Whether the bytes are UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
 */
bool ates_utf8_valid(const void *data, size_t size);

/* How many bytes the first characters of valid UTF-8 are: size where it has no more. */
size_t ates_utf8_cut(const char *data, size_t size, size_t characters);

/* Holds a text against a rule and counts its characters. Returns NULL, or what is wrong in words
 * that say nothing of the text itself. */
const char *ates_text_scan(struct ates_text text, enum ates_rule rule, size_t *characters);

#endif
