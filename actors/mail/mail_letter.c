/* A letter as the bytes of an internet message; see mail_letter.h. */
#include "mail/mail_letter.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/text.h"

#define LINE_BYTES 76u /* RFC 2045, 6.8 and RFC 2047, 2 */
#define BODY_BYTES 57u /* that make a line of base64 */
#define WORD_BYTES 75u /* of an encoded word: RFC 2047, 2 */
#define WORD_HEAD "=?UTF-8?B?"
#define WORD_TAIL "?="
#define DATE_MAX_MS INT64_C(253402300799999)

/* No line of base64 begins with a hyphen, so that this cannot occur in a part; '=' followed by '_'
 * occurs in no transfer encoding at all (RFC 2045, 6.7). */
#define BOUNDARY "=_aTES_alternative"

/* Which texts may stand in a header unencoded. */
enum plain { PLAIN_SUBJECT, PLAIN_NAME };

static void append(struct ates_buffer *out, const char *string)
{
    ates_buffer_append(out, string, strlen(string));
}

/* UTF-8 without control characters: what can be encoded and read as one line. */
static bool is_line(struct ates_text text)
{
    size_t characters;

    return ates_text_scan(text, ATES_RULE_LINE, &characters) == NULL;
}

bool mail_address_valid(struct ates_text address)
{
    size_t characters;

    if (address.size > MAIL_ADDRESS_MAX ||
        ates_text_scan(address, ATES_RULE_EMAIL, &characters) != NULL) {
        return false;
    }
    for (size_t i = 0; i < address.size; i++) {
        if (strchr(" <>()[]\\:;,\"", address.data[i]) != NULL) {
            return false;
        }
    }
    return true;
}

static bool is_utf8(struct ates_text text)
{
    return text.size == 0 || ates_utf8_valid(text.data, text.size);
}

static bool is_message_id(struct ates_text id)
{
    size_t characters;

    return mail_address_valid(id) && ates_text_scan(id, ATES_RULE_ASCII, &characters) == NULL;
}

static bool is_valid(const struct mail_letter *letter)
{
    return mail_address_valid(letter->from) && mail_address_valid(letter->to) &&
           is_line(letter->from_name) && is_line(letter->to_name) && is_line(letter->subject) &&
           is_message_id(letter->message_id) && letter->date_ms >= 0 &&
           letter->date_ms <= DATE_MAX_MS && is_utf8(letter->text) && is_utf8(letter->html);
}

/* Whether a reader takes the text as it stands: nothing that it would unfold, strip, decode or take
 * for syntax, on a line with room for it. */
static bool is_plain(struct ates_text text, enum plain plain, size_t room)
{
    if (text.size == 0 || text.size > room || text.data[0] == ' ' ||
        text.data[text.size - 1] == ' ') {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        const char byte = text.data[i];
        const bool is_word = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                             (byte >= '0' && byte <= '9') || byte == ' ' || byte == '-';

        if (!is_word && (plain == PLAIN_NAME || byte < ' ' || byte > '~' || byte == '=')) {
            return false;
        }
    }
    return true;
}

/* How many of the next bytes go into one word: whole characters (RFC 2047, 5). */
static size_t take_characters(struct ates_text text, size_t at, size_t limit)
{
    if (text.size - at <= limit) {
        return text.size - at;
    }
    size_t size = limit;
    while (size > 0 && ((uint8_t)text.data[at + size] & 0xc0) == 0x80) {
        size--;
    }
    return size;
}

/* Appends a text as encoded words; used: how much of the line is taken. */
static void append_words(struct ates_buffer *out, struct ates_text text, size_t used)
{
    const size_t around = sizeof WORD_HEAD - 1 + sizeof WORD_TAIL - 1;
    char word[WORD_BYTES + 1];

    for (size_t at = 0, size; at < text.size; at += size) {
        if (at > 0) {
            append(out, "\r\n ");
            used = 1;
        }
        const size_t room =
            (LINE_BYTES - used < WORD_BYTES ? LINE_BYTES - used : WORD_BYTES) - around;

        size = take_characters(text, at, room / 4 * 3);
        sodium_bin2base64(word, sizeof word, (const uint8_t *)text.data + at, size,
                          sodium_base64_VARIANT_ORIGINAL);
        append(out, WORD_HEAD);
        append(out, word);
        append(out, WORD_TAIL);
    }
}

static void append_text(struct ates_buffer *out, struct ates_text text, enum plain plain,
                        size_t used)
{
    if (is_plain(text, plain, LINE_BYTES - used)) {
        ates_buffer_append(out, text.data, text.size);
    } else {
        append_words(out, text, used);
    }
}

static void append_address(struct ates_buffer *out, const char *header, struct ates_text name,
                           struct ates_text address)
{
    append(out, header);
    if (name.size == 0) {
        ates_buffer_append(out, address.data, address.size);
    } else {
        append_text(out, name, PLAIN_NAME, strlen(header));
        append(out, "\r\n <");
        ates_buffer_append(out, address.data, address.size);
        append(out, ">");
    }
    append(out, "\r\n");
}

/* RFC 5322, 3.3; not strftime, whose names follow the locale. */
static void append_date(struct ates_buffer *out, int64_t date_ms)
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const time_t seconds = (time_t)(date_ms / 1000);
    struct tm at = {0};
    char line[128];

    gmtime_r(&seconds, &at);
    snprintf(line, sizeof line, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n", days[at.tm_wday],
             at.tm_mday, months[at.tm_mon], at.tm_year + 1900, at.tm_hour, at.tm_min, at.tm_sec);
    append(out, line);
}

/* A text's lines end with CRLF before it is encoded (RFC 2045, 6.8). */
static struct ates_buffer canonical(struct ates_text text)
{
    struct ates_buffer lines = {0};
    size_t from = 0;

    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\n' && (i == 0 || text.data[i - 1] != '\r')) {
            ates_buffer_append(&lines, text.data + from, i - from);
            append(&lines, "\r\n");
            from = i + 1;
        }
    }
    if (from < text.size) {
        ates_buffer_append(&lines, text.data + from, text.size - from);
    }
    return lines;
}

static void append_part(struct ates_buffer *out, const char *type, struct ates_text body)
{
    struct ates_buffer lines = canonical(body);
    char line[LINE_BYTES + 1];

    append(out, "--" BOUNDARY "\r\nContent-Type: ");
    append(out, type);
    append(out, "; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n");
    for (size_t at = 0; at < lines.size; at += BODY_BYTES) {
        const size_t left = lines.size - at;

        sodium_bin2base64(line, sizeof line, lines.data + at, left < BODY_BYTES ? left : BODY_BYTES,
                          sodium_base64_VARIANT_ORIGINAL);
        append(out, line);
        append(out, "\r\n");
    }
    ates_buffer_release(&lines);
}

int mail_letter_render(const struct mail_letter *letter, struct ates_buffer *out)
{
    if (!is_valid(letter)) {
        return -EINVAL;
    }
    append_address(out, "From: ", letter->from_name, letter->from);
    append_address(out, "To: ", letter->to_name, letter->to);
    append_date(out, letter->date_ms);
    append(out, "Subject: ");
    append_text(out, letter->subject, PLAIN_SUBJECT, strlen("Subject: "));
    append(out, "\r\nMessage-ID: <");
    ates_buffer_append(out, letter->message_id.data, letter->message_id.size);
    append(out, ">\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                "Content-Type: multipart/alternative; boundary=\"" BOUNDARY "\"\r\n\r\n");
    append_part(out, "text/plain", letter->text);
    append_part(out, "text/html", letter->html);
    append(out, "--" BOUNDARY "--\r\n");
    return 0;
}
