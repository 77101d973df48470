/* A letter as the bytes of an internet message: a text and the same as HTML, both UTF-8.
 *
 * Invariants: the same letter gives the same bytes; nothing in a letter can add a header, an
 * address or a part. */
#ifndef MAIL_LETTER_H
#define MAIL_LETTER_H

#include <ates/message.h>

#define MAIL_ADDRESS_MAX 254u /* bytes: a path of RFC 5321 without its angle brackets */

struct mail_letter {
    struct ates_text from, to;           /* addresses: LOCAL@DOMAIN */
    struct ates_text from_name, to_name; /* whose they are; may be empty */
    struct ates_text subject;
    struct ates_text message_id; /* without its angle brackets: SOMETHING@DOMAIN */
    int64_t date_ms;             /* Unix time, of the years 1970 to 9999 */
    struct ates_text text, html; /* lines may end with LF or CRLF */
};

/* Appends the message (RFC 5322, MIME's multipart/alternative, encoded words of RFC 2047, lines of
 * at most 76 bytes but for addresses and the id, CRLF at their ends). -EINVAL, with out untouched,
 * where a header's value holds a control character (so CR, LF, NUL), is no valid UTF-8, or is no
 * address or id that can stand in a header as it is; where a body is no valid UTF-8; and for other
 * dates. */
int mail_letter_render(const struct mail_letter *letter, struct ates_buffer *out);

/* Whether an address can be written as it is into a header and an SMTP command: one @ with
 * something on both sides, at most MAIL_ADDRESS_MAX bytes of UTF-8, and no control character, space
 * or any of <>()[]\:;,". */
bool mail_address_valid(struct ates_text address);

#endif
