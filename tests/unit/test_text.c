/* UTF-8 and the rules of texts, against a decoder of one byte after another. */
#include <criterion/criterion.h>

#include "../support/sample.h"
#include "core/text.h"

/* UTF-8 by the table of RFC 3629, section 4, written as its grammar. */
static bool is_utf8(const uint8_t *at, size_t size)
{
    static const struct {
        uint8_t first_min, first_max, second_min, second_max;
        size_t length;
    } rows[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    for (size_t i = 0; i < size;) {
        size_t length = 0;
        for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
            const size_t n = rows[r].length;
            if (at[i] >= rows[r].first_min && at[i] <= rows[r].first_max && i + n <= size &&
                (n < 2 || (at[i + 1] >= rows[r].second_min && at[i + 1] <= rows[r].second_max)) &&
                (n < 3 || (at[i + 2] & 0xc0) == 0x80) && (n < 4 || (at[i + 3] & 0xc0) == 0x80)) {
                length = n;
            }
        }
        if (length == 0) {
            return false;
        }
        i += length;
    }
    return true;
}

Test(text, utf8_is_rfc_3629_for_every_four_bytes_near_the_edges)
{
    static const uint8_t bytes[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
                                    0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee,
                                    0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf7, 0xf8, 0xff};
    const size_t n = sizeof bytes;

    for (size_t i = 0; i < n * n * n * n; i++) {
        const uint8_t four[] = {bytes[i % n], bytes[i / n % n], bytes[i / n / n % n],
                                bytes[i / n / n / n]};
        for (size_t size = 1; size <= 4; size++) {
            cr_assert_eq(ates_utf8_valid(four, size), is_utf8(four, size),
                         "%02x %02x %02x %02x, %zu", four[0], four[1], four[2], four[3], size);
        }
    }
}

Test(text, utf8_is_checked_wherever_a_bad_byte_stands)
{
    uint8_t *text = malloc(64);

    for (size_t size = 1; size <= 40; size++) {
        for (size_t at = 0; at < size; at++) {
            memset(text, 'a', size);
            cr_assert(ates_utf8_valid(text, size));
            text[at] = 0xff;
            cr_assert_not(ates_utf8_valid(text, size));
        }
    }
    free(text);
    cr_assert(ates_utf8_valid(NULL, 0));
}

static bool allows(enum ates_rule rule, const char *data, size_t size)
{
    size_t characters;

    return ates_text_scan((struct ates_text){data, size}, rule, &characters) == NULL;
}

/* Every character below U+0100 at every place of a block, so that the fast path and the slow one
 * agree. */
Test(text, characters_allowed_by_each_rule)
{
    for (unsigned code = 0; code < 0x100; code++) {
        for (size_t at = 0; at < 9; at++) {
            char text[16] = "aaaaaaaaa";
            size_t size = 9;
            const bool is_control = code < 0x20 || (code >= 0x7f && code < 0xa0);
            const bool is_graphic = code >= 0x20 && code < 0x7f;
            const bool is_alnum = (code >= '0' && code <= '9') || (code >= 'A' && code <= 'Z') ||
                                  (code >= 'a' && code <= 'z');

            text[at] = (char)code;
            if (code >= 0x80) {
                memmove(text + at + 2, text + at + 1, 8 - at);
                text[at] = (char)(0xc0 | code >> 6);
                text[at + 1] = (char)(0x80 | (code & 0x3f));
                size = 10;
            }
            cr_assert_eq(allows(ATES_RULE_TEXT, text, size),
                         !is_control || code == '\n' || code == '\t', "U+%04x", code);
            cr_assert_eq(allows(ATES_RULE_TITLE, text, size),
                         (!is_control || code == '\n' || code == '\t') && code != '[' &&
                             code != ']',
                         "U+%04x", code);
            cr_assert_eq(allows(ATES_RULE_LINE, text, size), !is_control, "U+%04x", code);
            cr_assert_eq(allows(ATES_RULE_ASCII, text, size), is_graphic, "U+%04x", code);
            cr_assert_eq(allows(ATES_RULE_LOGIN, text, size),
                         is_alnum || code == '.' || code == '_' || code == '-', "U+%04x", code);
        }
    }
}

Test(text, emails)
{
    static const char *const good[] = {"a@b", "popug@example.org", "\u043f@\u0440\u0444",
                                       "\"x\"@[::1]"};
    static const char *const bad[] = {"",    "@",     "a@",    "@b",    "ab",
                                      "a@@", "a@b@c", "a b@c", "a@b\n", "a@\xff"};

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cr_assert(allows(ATES_RULE_EMAIL, good[i], strlen(good[i])), "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_not(allows(ATES_RULE_EMAIL, bad[i], strlen(bad[i])), "%s", bad[i]);
    }
}

Test(text, dates)
{
    static const char *const good[] = {"1970-01-01", "2024-02-29", "2000-02-29",
                                       "2023-12-31", "9999-12-31", "2023-04-30"};
    static const char *const bad[] = {
        "",           "2023-02-29",  "2100-02-29", "2023-04-31", "2023-13-01", "2023-00-01",
        "2023-01-00", "2023-01-32",  "1969-12-31", "2023-1-01",  "2023-01-1",  "2023/01/01",
        "20230101",   "2023-01-01 ", " 2023-01-1", "-023-01-01", "2023-+1-01", "abcd-ef-gh"};

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cr_assert(allows(ATES_RULE_DATE, good[i], strlen(good[i])), "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_not(allows(ATES_RULE_DATE, bad[i], strlen(bad[i])), "%s", bad[i]);
    }
}

Test(text, issues)
{
    static const char *const good[] = {"A-1", "JIRA-123", "P2P_X-90", "Z_-1",
                                       "ATES-9007199254740992"};
    static const char *const bad[] = {
        "",     "A",     "A-",   "-1",      "A1",      "a-1",     "JIRA-0", "JIRA-01",  "1A-1",
        "_A-1", "A-1-2", "A--1", "JIRA-1 ", " JIRA-1", "JIRA-1a", "[A-1]",  "\u0410-1", "A-1\n"};

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cr_assert(allows(ATES_RULE_ISSUE, good[i], strlen(good[i])), "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_not(allows(ATES_RULE_ISSUE, bad[i], strlen(bad[i])), "%s", bad[i]);
    }
}

Test(text, characters_are_counted)
{
    const char *text = "abcdefgh\u0416\u20ac\U0001f99c12345678\n";
    size_t characters = 0;

    cr_assert_null(ates_text_scan(ates_text_from(text), ATES_RULE_TEXT, &characters));
    cr_assert_eq(characters, 20u);
}

Test(text, utf8_is_cut_between_characters)
{
    static const char text[] = "aя€😀z"; /* 1, 2, 3, 4, 1 bytes */
    static const size_t ends[] = {0, 1, 3, 6, 10, 11, 11};

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        cr_expect_eq(ates_utf8_cut(text, strlen(text), i), ends[i], "%zu", i);
    }
    cr_expect_eq(ates_utf8_cut(text, 0, 5), 0);
}
