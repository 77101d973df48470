/* Targets as clients, and those who mean harm, may send them. */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/seed.h"
#include "web/web_uri.h"

static struct ates_arena *arena;
static struct ates_refusal refusal;

static void set_up(void)
{
    arena = ates_arena_new();
}

static void tear_down(void)
{
    ates_arena_free(&arena);
}

TestSuite(web_uri, .init = set_up, .fini = tear_down);

/* A copy that ends where the target ends, so that a sanitizer sees who reads on. */
static int parse(const char *target, size_t size, struct web_uri *uri)
{
    char *exact = malloc(size > 0 ? size : 1);

    cr_assert_not_null(exact);
    memcpy(exact, target, size);
    memset(&refusal, 0, sizeof refusal);
    const int r = web_uri_parse((struct ates_text){exact, size}, arena, uri, &refusal);
    free(exact);
    return r;
}

/* Parts as one text: "api|v1?a=b&c=" stands for two segments and two pairs. */
static void describe(const struct web_uri *uri, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < uri->segment_count; i++) {
        used += (size_t)snprintf(out + used, size - used, "%s%.*s", i > 0 ? "|" : "",
                                 (int)uri->segments[i].size, uri->segments[i].data);
    }
    for (size_t i = 0; i < uri->pair_count; i++) {
        const struct web_pair *pair = &uri->pairs[i];
        used += (size_t)snprintf(out + used, size - used, "%c%.*s=%.*s", i > 0 ? '&' : '?',
                                 (int)pair->name.size, pair->name.data, (int)pair->value.size,
                                 pair->value.data);
    }
}

Test(web_uri, good_targets_are_taken_apart)
{
    static const struct {
        const char *target, *parts;
    } rows[] = {
        {"/", ""},
        {"/?", ""},
        {"/api", "api"},
        {"/api/", "api"},
        {"/api/v1/tasks", "api|v1|tasks"},
        {"/api/v1/tasks?limit=5", "api|v1|tasks?limit=5"},
        {"/api/v1/tasks/?limit=5", "api|v1|tasks?limit=5"},
        {"/1/2/3/4/5/6/7/8", "1|2|3|4|5|6|7|8"},
        {"/1/2/3/4/5/6/7/8/", "1|2|3|4|5|6|7|8"},
        {"/?a", "?a="},
        {"/?a=", "?a="},
        {"/?a=&b", "?a=&b="},
        {"/?a=1&A=2", "?a=1&A=2"},
        {"/?a=1=2", "?a=1=2"},
        {"/?a=?/", "?a=?/"},
        {"/a?b?c=d", "a?b?c=d"},
        {"/?ids=1,2,3", "?ids=1,2,3"},
        {"/?ids=1%2C2", "?ids=1,2"},
        {"/?a=b%26c%3Dd", "?a=b&c=d"},
        {"/?text=one+two%2Bthree%20four", "?text=one two+three four"},
        {"/one+two%20three", "one+two three"},
        {"/%41%7a%7A", "Azz"},
        {"/%D0%BF%d1%80?%D0%B8=%F0%9F%98%80", "\xd0\xbf\xd1\x80?\xd0\xb8=\xf0\x9f\x98\x80"},
        {"/-._~!$&'()*+,;=:@", "-._~!$&'()*+,;=:@"},
        {"/?a=-._~!$'()*,;:@", "?a=-._~!$'()*,;:@"},
        {"/...", "..."},
        {"/.a/b./a..b", ".a|b.|a..b"},
        {"/%252e%252e", "%2e%2e"}, /* decoded once, and never again */
        {"/%252F", "%2F"},
        {"/?a=%2F", "?a=/"},
        {"/a%5Cb", "a\\b"},
        {"/%22%3C%3E", "\"<>"},
        {"/?redirect=https://example.org/", "?redirect=https://example.org/"},
    };
    char parts[256];
    struct web_uri uri;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *target = rows[i].target;
        cr_assert_eq(parse(target, strlen(target), &uri), 0, "%s: %s", target, refusal.message);
        describe(&uri, parts, sizeof parts);
        cr_expect_str_eq(parts, rows[i].parts, "%s: %s", target, parts);
        cr_expect(ates_text_equal(uri.raw, ates_text_from(target)), "%s", target);
    }
}

Test(web_uri, bad_targets_are_refused)
{
    static const struct {
        const char *target, *why;
    } rows[] = {
        {"", "begin with a slash"},
        {"*", "begin with a slash"},
        {"api", "begin with a slash"},
        {"?a=1", "begin with a slash"},
        {"%2Fapi", "begin with a slash"},
        {"http://localhost/api", "begin with a slash"},
        {"localhost:80", "begin with a slash"},
        {"//", "empty, or . or .."},
        {"//localhost", "empty, or . or .."},
        {"/a//b", "empty, or . or .."},
        {"/a//", "empty, or . or .."},
        {"/.", "empty, or . or .."},
        {"/..", "empty, or . or .."},
        {"/../", "empty, or . or .."},
        {"/a/./b", "empty, or . or .."},
        {"/a/../b", "empty, or . or .."},
        {"/%2e", "empty, or . or .."},
        {"/%2E%2e/etc/passwd", "empty, or . or .."},
        {"/.%2E", "empty, or . or .."},
        {"/assets/..?a=1", "empty, or . or .."},
        {"/a%2Fb", "encoded slash"},
        {"/a%2fb", "encoded slash"},
        {"/..%2Fb", "encoded slash"},
        {"/%", "hexadecimal"},
        {"/%4", "hexadecimal"},
        {"/%4/1", "hexadecimal"},
        {"/%4g", "hexadecimal"},
        {"/%g4", "hexadecimal"},
        {"/%%41", "hexadecimal"},
        {"/% 41", "hexadecimal"},
        {"/%+1", "hexadecimal"},
        {"/%0x41", "hexadecimal"},
        {"/?%", "hexadecimal"},
        {"/?a=%", "hexadecimal"},
        {"/?a=%4", "hexadecimal"},
        {"/?a=%4&b=1", "hexadecimal"},
        {"/?a%=1", "hexadecimal"},
        {"/?a%3=1", "hexadecimal"},
        {"/%00", "control"},
        {"/a%00.png", "control"},
        {"/?a=%00", "control"},
        {"/?%00=a", "control"},
        {"/a%0D%0ASet-Cookie:b", "control"},
        {"/?a=%0A", "control"},
        {"/?a=%09", "control"},
        {"/?a=%7F", "control"},
        {"/?a=%C2%85", "control"},
        {"/%80", "UTF-8"},
        {"/%C0%AE%C0%AE", "UTF-8"}, /* overlong dots */
        {"/%C0%AF", "UTF-8"},       /* an overlong slash */
        {"/%ED%A0%80", "UTF-8"},    /* a surrogate */
        {"/%F4%90%80%80", "UTF-8"}, /* above U+10FFFF */
        {"/%D0", "UTF-8"},          /* half a character */
        {"/%D0/%BF", "UTF-8"},      /* halves that meet only in the raw bytes */
        {"/?a=%D0&b=%BF", "UTF-8"},
        {"/?%D0=%BF", "UTF-8"},
        {"/\xd0\xbf", "percent-encoded"}, /* UTF-8, but no URI */
        {"/?a=\xff", "percent-encoded"},
        {"/a b", "percent-encoded"},
        {"/a#b", "percent-encoded"},
        {"/a\\b", "percent-encoded"},
        {"/a\"", "percent-encoded"},
        {"/<a>", "percent-encoded"},
        {"/a|b", "percent-encoded"},
        {"/[a]", "percent-encoded"},
        {"/{a}", "percent-encoded"},
        {"/a^", "percent-encoded"},
        {"/a`", "percent-encoded"},
        {"/a\x7f", "percent-encoded"},
        {"/a\x01", "percent-encoded"},
        {"/?a=b#c", "percent-encoded"},
        {"/?a[0]=1", "percent-encoded"},
        {"/1/2/3/4/5/6/7/8/9", "too many segments"},
        {"/1/2/3/4/5/6/7/8//", "too many segments"},
        {"/?=1", "no name"},
        {"/?&", "no name"},
        {"/?a=1&", "no name"},
        {"/?a=1&&b=2", "no name"},
        {"/?a=1&=2", "no name"},
        {"/?a=1&a=1", "twice"},
        {"/?a=1&b=2&a=3", "twice"},
        {"/?a&a", "twice"},
        {"/?a=1&%61=2", "twice"},
        {"/?a+b=1&a%20b=2", "twice"},
    };
    struct web_uri uri, before;

    memset(&before, 0x5a, sizeof before);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *target = rows[i].target;
        uri = before;
        cr_assert_eq(parse(target, strlen(target), &uri), ATES_INVALID_ARGUMENT, "%s", target);
        cr_expect_not_null(strstr(refusal.message, rows[i].why), "%s: %s", target, refusal.message);
        cr_expect_str_eq(refusal.reason, "URI_INVALID");
        cr_expect_eq(refusal.status, ATES_INVALID_ARGUMENT);
        cr_expect_eq(memcmp(&uri, &before, sizeof uri), 0, "%s: touched", target);
    }
}

Test(web_uri, a_nul_inside_is_seen)
{
    struct web_uri uri;

    cr_assert_eq(parse("/a\0b", 4, &uri), ATES_INVALID_ARGUMENT);
    cr_assert_eq(parse("/?a=\0", 5, &uri), ATES_INVALID_ARGUMENT);
    cr_assert_eq(parse("/%4\0", 4, &uri), ATES_INVALID_ARGUMENT);
    cr_assert_eq(parse("\0", 1, &uri), ATES_INVALID_ARGUMENT);
}

Test(web_uri, as_many_pairs_as_there_is_room_for)
{
    char target[1024] = "/?";
    struct web_uri uri;

    for (unsigned i = 0; i <= WEB_PAIRS_MAX; i++) {
        const size_t used = strlen(target);
        const int r = i == 0 ? 0 : parse(target, used, &uri);
        cr_assert_eq(r, 0, "%s", target);
        if (i > 0) {
            cr_assert_eq(uri.pair_count, i);
        }
        snprintf(target + used, sizeof target - used, "%sp%u=%u", i > 0 ? "&" : "", i, i);
    }
    cr_assert_eq(parse(target, strlen(target), &uri), ATES_INVALID_ARGUMENT);
    cr_assert_not_null(strstr(refusal.message, "too many parameters"));
}

static size_t encode(uint64_t *seed, const char *text, char *out)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    size_t size = 0;

    for (; *text != '\0'; text++) {
        const uint8_t byte = (uint8_t)*text;
        const bool plain = (byte >= 'a' && byte <= 'z') && seed_draw(seed, 4) != 0;
        if (plain) {
            out[size++] = (char)byte;
        } else {
            const char *set = digits + 16 * seed_draw(seed, 2);
            out[size++] = '%';
            out[size++] = set[byte >> 4];
            out[size++] = set[byte & 15];
        }
    }
    return size;
}

/* Any text goes through a query and comes out the same, however it was encoded. */
Test(web_uri, what_is_encoded_comes_back)
{
    static const char *const pieces[] = {"a",
                                         "z",
                                         "%",
                                         "&",
                                         "=",
                                         "+",
                                         " ",
                                         "/",
                                         "?",
                                         "#",
                                         "\"",
                                         "\\",
                                         "..",
                                         "\xd0\xbf",
                                         "\xe2\x82\xac",
                                         "\xf0\x9f\x98\x80"};
    uint64_t seed = seed_start();

    for (int round = 0; round < 2000; round++) {
        char text[128] = "", target[512] = "/search?text=";
        struct web_uri uri;
        for (uint64_t n = seed_draw(&seed, 20); n > 0; n--) {
            strcat(text, pieces[seed_draw(&seed, sizeof pieces / sizeof pieces[0])]);
        }
        const size_t begin = strlen(target);
        const size_t size = begin + encode(&seed, text, target + begin);
        cr_assert_eq(parse(target, size, &uri), 0, "%.*s: %s", (int)size, target, refusal.message);
        cr_assert_eq(uri.pair_count, 1);
        cr_assert(ates_text_equal(uri.pairs[0].value, ates_text_from(text)), "%s", text);
        ates_arena_reset(arena);
    }
}

static void expect_clean(struct ates_text text)
{
    for (size_t i = 0; i < text.size; i++) {
        const uint8_t byte = (uint8_t)text.data[i];
        cr_assert(byte >= 0x20 && byte != 0x7f);
    }
}

/* Whatever comes, only clean texts leave, within the limits. */
Test(web_uri, damaged_targets_are_refused_or_clean)
{
    static const char alphabet[] = "/?&=%.+0123456789abcdefABCDEF#\\\x00\x0a\x7f\x80\xd0\xbf\xff";
    uint64_t seed = seed_start();
    int taken = 0;

    for (int round = 0; round < 20000; round++) {
        char target[64] = "/a/%41?b=%D0%BF&c=d+e";
        const size_t size = 1 + seed_draw(&seed, strlen(target));
        struct web_uri uri;
        for (uint64_t n = seed_draw(&seed, 4); n > 0; n--) {
            target[seed_draw(&seed, size)] = alphabet[seed_draw(&seed, sizeof alphabet - 1)];
        }
        if (parse(target, size, &uri) != 0) {
            continue;
        }
        taken++;
        cr_assert_leq(uri.segment_count, WEB_SEGMENTS_MAX);
        cr_assert_leq(uri.pair_count, WEB_PAIRS_MAX);
        for (size_t i = 0; i < uri.segment_count; i++) {
            expect_clean(uri.segments[i]);
            cr_assert_gt(uri.segments[i].size, 0);
            cr_assert_null(memchr(uri.segments[i].data, '/', uri.segments[i].size));
        }
        for (size_t i = 0; i < uri.pair_count; i++) {
            expect_clean(uri.pairs[i].name);
            expect_clean(uri.pairs[i].value);
        }
        ates_arena_reset(arena);
    }
    cr_assert_gt(taken, 1000);
}
