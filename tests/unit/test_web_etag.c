/* Entity tags: of bytes, and in If-None-Match. */
#include <string.h>

#include <criterion/criterion.h>

#include "web/web_etag.h"

static void tag_of(const char *text, char out[WEB_ETAG_SIZE])
{
    web_etag_of((struct ates_bytes){(const uint8_t *)text, strlen(text)}, out);
}

Test(web_etag, a_tag_is_of_the_bytes)
{
    char one[WEB_ETAG_SIZE], same[WEB_ETAG_SIZE], other[WEB_ETAG_SIZE], none[WEB_ETAG_SIZE];

    tag_of("{\"a\":1}", one);
    tag_of("{\"a\":1}", same);
    tag_of("{\"a\":2}", other);
    tag_of("", none);
    cr_expect_str_eq(one, same);
    cr_expect_str_neq(one, other);
    cr_expect_str_neq(one, none);
    cr_expect_eq(strlen(one), WEB_ETAG_SIZE - 1);
    cr_expect_eq(strspn(one + 1, "0123456789abcdef"), WEB_ETAG_SIZE - 3);
    cr_expect(one[0] == '"' && one[WEB_ETAG_SIZE - 2] == '"');
}

Test(web_etag, lists_of_tags)
{
    static const struct {
        const char *list;
        bool matches;
    } rows[] = {
        {NULL, false},
        {"", false},
        {"\"abc\"", true},
        {"W/\"abc\"", true},
        {"*", true},
        {" \t*", true},
        {"\"x\", \"abc\"", true},
        {"\"x\",W/\"abc\"", true},
        {"W/\"x\" , \"y\",\"abc\",\"z\"", true},
        {"\"a,b\", \"abc\"", true},
        {"\"abc", false},
        {"abc", false},
        {"\"abcd\"", false},
        {"\"ab\"", false},
        {"\"ABC\"", false},
        {"w/\"abc\"", false},
        {"\"\"", false},
        {"\"x\", abc, \"abc\"", false},
        {",,, ", false},
        {"W/", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(web_etag_matches(rows[i].list, "\"abc\""), rows[i].matches, "%s",
                     rows[i].list);
    }
}
