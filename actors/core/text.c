/* Texts from outside: UTF-8 and the rules of message fields. Invariant: bytes are judged eight at a
 * time only where all eight are printable ASCII, which every rule that allows it lets pass. */
#include <string.h>

#include "core/text.h"

#define EACH_BYTE(VALUE) (UINT64_C(0x0101010101010101) * (VALUE))

static bool is_tail(uint8_t byte)
{
    return (byte & 0xc0u) == 0x80u;
}

/* Reads a character of two to four bytes. Returns its length, 0 where it is not well-formed. */
static size_t read_character(const uint8_t *at, size_t left, uint32_t *code)
{
    if (at[0] >= 0xc2 && at[0] <= 0xdf && left >= 2 && is_tail(at[1])) {
        *code = (at[0] & 0x1fu) << 6 | (at[1] & 0x3fu);
        return 2;
    }
    if ((at[0] & 0xf0u) == 0xe0u && left >= 3 && is_tail(at[1]) && is_tail(at[2])) {
        *code = (at[0] & 0x0fu) << 12 | (at[1] & 0x3fu) << 6 | (at[2] & 0x3fu);
        return *code < 0x800 || (*code >= 0xd800 && *code <= 0xdfff) ? 0 : 3;
    }
    if ((at[0] & 0xf8u) == 0xf0u && left >= 4 && is_tail(at[1]) && is_tail(at[2]) &&
        is_tail(at[3])) {
        *code =
            (at[0] & 0x07u) << 18 | (at[1] & 0x3fu) << 12 | (at[2] & 0x3fu) << 6 | (at[3] & 0x3fu);
        return *code < 0x10000 || *code > 0x10ffff ? 0 : 4;
    }
    return 0;
}

bool ates_utf8_valid(const void *data, size_t size)
{
    const uint8_t *at = data;
    const uint8_t *end = at + size;
    uint64_t block;
    uint32_t code;

    while (at < end) {
        if (end - at >= 8 && (memcpy(&block, at, sizeof block), (block & EACH_BYTE(0x80)) == 0)) {
            at += 8;
            continue;
        }
        const size_t length = *at < 0x80 ? 1 : read_character(at, (size_t)(end - at), &code);
        if (length == 0) {
            return false;
        }
        at += length;
    }
    return true;
}

/* Whether all eight bytes are printable ASCII. Without a byte above 0x7f the addition carries
 * nowhere, and the subtraction borrows first from the lowest byte below 0x20, whose own top bit
 * shows it. */
static bool is_printable_block(const uint8_t *at)
{
    uint64_t block;

    memcpy(&block, at, sizeof block);
    return ((block | (block - EACH_BYTE(0x20)) | (block + EACH_BYTE(0x01))) & EACH_BYTE(0x80)) == 0;
}

static bool is_login_character(uint32_t code)
{
    return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') ||
           (code >= '0' && code <= '9') || code == '.' || code == '_' || code == '-';
}

static bool is_allowed(enum ates_rule rule, uint32_t code)
{
    const bool is_control = code < 0x20 || (code >= 0x7f && code <= 0x9f);

    switch (rule) {
    case ATES_RULE_TEXT:
    case ATES_RULE_TITLE:
        return !is_control || code == '\n' || code == '\t';
    case ATES_RULE_ASCII:
        return code >= 0x20 && code <= 0x7e;
    case ATES_RULE_LOGIN:
        return is_login_character(code);
    case ATES_RULE_EMAIL:
        return !is_control && code != ' ';
    case ATES_RULE_ISSUE:
        return (code >= 'A' && code <= 'Z') || (code >= '0' && code <= '9') || code == '_' ||
               code == '-';
    case ATES_RULE_LINE:
    case ATES_RULE_DATE:
        break;
    }
    return !is_control;
}

static const char *rule_words(enum ates_rule rule)
{
    static const char *const words[] = {
        [ATES_RULE_TEXT] = "no control characters but newline and tab are allowed",
        [ATES_RULE_LINE] = "no control characters are allowed",
        [ATES_RULE_ASCII] = "only printable ASCII characters are allowed",
        [ATES_RULE_LOGIN] = "only A-Z a-z 0-9 . _ - are allowed",
        [ATES_RULE_EMAIL] = "an e-mail address with one @ and no spaces is expected",
        [ATES_RULE_DATE] = "an existing day as YYYY-MM-DD, 1970 or later, is expected",
        [ATES_RULE_TITLE] = "no control characters but newline and tab are allowed, and no [ or ]: "
                            "an issue's id belongs in jira_id",
        [ATES_RULE_ISSUE] = "an issue's id like JIRA-123 is expected: capital letters, digits and "
                            "_, a -, a number",
    };
    return words[rule];
}

static bool is_email(struct ates_text text)
{
    const char *at = text.size > 0 ? memchr(text.data, '@', text.size) : NULL;

    if (at == NULL) {
        return false;
    }
    const size_t before = (size_t)(at - text.data);
    const size_t after = text.size - before - 1;
    return before > 0 && after > 0 && memchr(at + 1, '@', after) == NULL;
}

static bool read_digits(const char *text, size_t count, unsigned *number)
{
    *number = 0;
    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        *number = *number * 10 + (unsigned)(text[i] - '0');
    }
    return true;
}

static bool is_date(struct ates_text text)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned year, month, day;

    if (text.size != 10 || text.data[4] != '-' || text.data[7] != '-' ||
        !read_digits(text.data, 4, &year) || !read_digits(text.data + 5, 2, &month) ||
        !read_digits(text.data + 8, 2, &day)) {
        return false;
    }
    if (year < 1970 || month < 1 || month > 12 || day < 1) {
        return false;
    }
    const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= days[month - 1] + (month == 2 && is_leap ? 1u : 0u);
}

static bool is_title(struct ates_text text)
{
    return text.size == 0 ||
           (memchr(text.data, '[', text.size) == NULL && memchr(text.data, ']', text.size) == NULL);
}

/* Its characters are an issue's already. */
static bool is_issue(struct ates_text text)
{
    const char *dash = text.size > 0 ? memchr(text.data, '-', text.size) : NULL;

    if (dash == NULL || text.data[0] < 'A' || text.data[0] > 'Z') {
        return false;
    }
    const char *digit = dash + 1, *end = text.data + text.size;
    if (digit == end || *digit == '0') {
        return false;
    }
    while (digit < end && *digit >= '0' && *digit <= '9') {
        digit++;
    }
    return digit == end;
}

static bool is_formed(enum ates_rule rule, struct ates_text text)
{
    switch (rule) {
    case ATES_RULE_EMAIL:
        return is_email(text);
    case ATES_RULE_DATE:
        return is_date(text);
    case ATES_RULE_TITLE:
        return is_title(text);
    case ATES_RULE_ISSUE:
        return is_issue(text);
    default:
        return true;
    }
}

const char *ates_text_scan(struct ates_text text, enum ates_rule rule, size_t *characters)
{
    const bool in_blocks = rule <= ATES_RULE_ASCII || rule == ATES_RULE_TITLE;
    const uint8_t *at = (const uint8_t *)text.data;
    size_t left = text.size;
    size_t count = 0;

    while (left > 0) {
        if (in_blocks && left >= 8 && is_printable_block(at)) {
            at += 8;
            left -= 8;
            count += 8;
            continue;
        }
        uint32_t code = *at;
        const size_t length = code < 0x80 ? 1 : read_character(at, left, &code);
        if (length == 0) {
            return "it is not valid UTF-8";
        }
        if (!is_allowed(rule, code)) {
            return rule_words(rule);
        }
        at += length;
        left -= length;
        count++;
    }
    if (!is_formed(rule, text)) {
        return rule_words(rule);
    }
    *characters = count;
    return NULL;
}

size_t ates_utf8_cut(const char *data, size_t size, size_t characters)
{
    size_t end = 0;

    for (size_t seen = 0; end < size; end++) {
        seen += ((uint8_t)data[end] & 0xc0u) != 0x80u; /* not a later byte of a character */
        if (seen > characters) {
            break;
        }
    }
    return end;
}
