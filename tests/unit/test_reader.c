/* The bounded reader: each head, each edge, what it refuses, and keys that come twice. */
#include <criterion/criterion.h>

#include "../support/sample.h"
#include "core/reader.h"
#include "core/writer.h"

#define BYTES(LITERAL) (const uint8_t *)(LITERAL), sizeof(LITERAL) - 1

/* Reads and checks one whole value from a block of exactly size bytes. */
static const char *check(const uint8_t *bytes, size_t size, struct ates_token *token)
{
    uint8_t *block = malloc(size > 0 ? size : 1);
    memcpy(block, bytes, size);
    struct ates_reader reader = {block, block + size, 0};

    const char *fault = ates_reader_next(&reader, token);
    if (fault == NULL) {
        fault = ates_reader_skip(&reader, token);
    }
    if (fault == NULL && reader.at != reader.end) {
        fault = "trailing";
    }
    cr_assert_leq(reader.at, reader.end);
    cr_assert_eq(reader.depth, 0u);
    free(block);
    return fault;
}

Test(reader, integers_of_every_width)
{
    static const struct {
        const char *bytes;
        size_t size;
        enum ates_kind kind;
        int64_t value;
    } cases[] = {
        {"\x00", 1, ATES_KIND_INTEGER, 0},
        {"\x7f", 1, ATES_KIND_INTEGER, 127},
        {"\xe0", 1, ATES_KIND_INTEGER, -32},
        {"\xff", 1, ATES_KIND_INTEGER, -1},
        {"\xcc\x05", 2, ATES_KIND_INTEGER, 5},
        {"\xcd\xff\xff", 3, ATES_KIND_INTEGER, 65535},
        {"\xce\xff\xff\xff\xff", 5, ATES_KIND_INTEGER, 4294967295},
        {"\xcf\x00\x1f\xff\xff\xff\xff\xff\xff", 9, ATES_KIND_INTEGER, ATES_INTEGER_MAX},
        {"\xcf\x00\x20\x00\x00\x00\x00\x00\x00", 9, ATES_KIND_HUGE, ATES_INTEGER_MAX + 1},
        {"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9, ATES_KIND_HUGE, INT64_MAX},
        {"\xd0\x80", 2, ATES_KIND_INTEGER, -128},
        {"\xd1\x80\x00", 3, ATES_KIND_INTEGER, -32768},
        {"\xd2\x80\x00\x00\x00", 5, ATES_KIND_INTEGER, INT32_MIN},
        {"\xd3\xff\xe0\x00\x00\x00\x00\x00\x01", 9, ATES_KIND_INTEGER, -ATES_INTEGER_MAX},
        {"\xd3\xff\xe0\x00\x00\x00\x00\x00\x00", 9, ATES_KIND_HUGE, -ATES_INTEGER_MAX - 1},
        {"\xd3\x00\x20\x00\x00\x00\x00\x00\x00", 9, ATES_KIND_HUGE, ATES_INTEGER_MAX + 1},
        {"\xd3\x80\x00\x00\x00\x00\x00\x00\x00", 9, ATES_KIND_HUGE, INT64_MIN},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint8_t *at = (const uint8_t *)cases[i].bytes;
        struct ates_reader reader = {at, at + cases[i].size, 0};
        struct ates_token token;

        cr_assert_null(ates_reader_next(&reader, &token));
        cr_assert_eq(token.kind, cases[i].kind, "case %zu", i);
        cr_assert_eq(token.integer, cases[i].value, "case %zu", i);
        cr_assert_eq(check(at, cases[i].size, &token) == NULL, cases[i].kind == ATES_KIND_INTEGER);
    }
}

Test(reader, every_head_is_bounded)
{
    uint8_t bytes[32];
    struct ates_token token;

    for (unsigned head = 0; head < 256; head++) {
        for (unsigned fill = 0; fill < 3; fill++) {
            for (size_t size = 0; size <= sizeof bytes; size++) {
                memset(bytes, fill == 0 ? 0x00 : fill == 1 ? 0xff : 0x01, sizeof bytes);
                bytes[0] = (uint8_t)head;
                (void)check(bytes, size, &token);
            }
        }
    }
}

Test(reader, refuses)
{
    static const struct {
        const uint8_t *bytes;
        size_t size;
        const char *fault;
    } cases[] = {
        {BYTES(""), "middle of a value"},
        {BYTES("\xa1"), "middle of a value"},
        {BYTES("\xc4\x02\x00"), "middle of a value"},
        {BYTES("\x92\x00"), "middle of a value"},
        {BYTES("\x81\xa1k"), "middle of a value"},
        {BYTES("\xdd\xff\xff\xff\xff\x00"), "middle of a value"},
        {BYTES("\xdf\x00\x00\x00\x02\xa0\x00\xa0"), "middle of a value"},
        {BYTES("\xcd\x00"), "middle of a value"},
        {BYTES("\xc1"), "not msgpack"},
        {BYTES("\xca\x00\x00\x00\x00"), "floating-point"},
        {BYTES("\xcb\x00\x00\x00\x00\x00\x00\x00\x00"), "floating-point"},
        {BYTES("\xd4\x00\x00"), "extension"},
        {BYTES("\xd8\x00\x00"), "extension"},
        {BYTES("\xc7\x01\x00\x00"), "extension"},
        {BYTES("\xc9\xff\xff\xff\xff\x00"), "extension"},
        {BYTES("\xa1\xff"), "UTF-8"},
        {BYTES("\x81\xa1\xff\x00"), "UTF-8"},
        {BYTES("\x81\x01\x02"), "not a text"},
        {BYTES("\x81\xc4\x01k\x00"), "not a text"},
        {BYTES("\x82\xa1k\x00\xa1k\x00"), "twice"},
        {BYTES("\x82\xa0\x00\xa0\x00"), "twice"},
        {BYTES("\x82\xa1k\x00\xd9\x01k\x00"), "twice"},
        {BYTES("\x91\x82\xa1k\x00\xa1k\x00"), "twice"},
        {BYTES("\x91\x91\x91\x91\x91\x91\x91\x91\x90"), "nested"},
        {BYTES("\x81\xa0\x81\xa0\x81\xa0\x81\xa0\x81\xa0\x81\xa0\x81\xa0\x81\xa0\x80"), "nested"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ates_token token;
        const char *fault = check(cases[i].bytes, cases[i].size, &token);
        cr_assert_not_null(fault, "case %zu", i);
        cr_assert_not_null(strstr(fault, cases[i].fault), "case %zu: %s", i, fault);
    }
}

Test(reader, passes)
{
    static const struct {
        const uint8_t *bytes;
        size_t size;
    } cases[] = {
        {BYTES("\xc0")},
        {BYTES("\xc2")},
        {BYTES("\x80")},
        {BYTES("\x90")},
        {BYTES("\xde\x00\x00")},
        {BYTES("\xdf\x00\x00\x00\x01\xa0\xc0")},
        {BYTES("\xdc\x00\x01\xc3")},
        {BYTES("\xdb\x00\x00\x00\x01x")},
        {BYTES("\xc6\x00\x00\x00\x01\xff")},
        {BYTES("\x82\xa1k\x00\xa2kk\x00")},
        {BYTES("\x92\x81\xa1k\x00\x81\xa1k\x00")},
        {BYTES("\x91\x91\x91\x91\x91\x91\x91\x90")},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ates_token token;
        cr_assert_null(check(cases[i].bytes, cases[i].size, &token), "case %zu", i);
    }
}

/* Around the count at which keys stop being compared and start being sorted. */
Test(reader, a_key_twice_is_found_among_any_number)
{
    struct ates_token token;

    for (size_t count = 2; count < 200; count++) {
        for (size_t twice = 0; twice <= count - 1; twice += 1 + count / 7) {
            struct ates_buffer map = {0};

            ates_write_map(&map, count);
            for (size_t i = 0; i < count; i++) {
                char key[16];
                snprintf(key, sizeof key, "k%zu", i == count - 1 ? twice : i);
                ates_write_text(&map, key, strlen(key));
                ates_write_nil(&map);
            }
            cr_assert_eq(check(map.data, map.size, &token) == NULL, twice == count - 1,
                         "%zu of %zu", twice, count);
            ates_buffer_release(&map);
        }
    }
}

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* A frame full of keys must not cost their square: that would be seconds. */
Test(reader, many_keys_cost_little)
{
    struct ates_buffer map = {0};
    struct ates_token token;
    const size_t count = ATES_FRAME_MAX / 5;

    ates_write_map(&map, count);
    for (size_t i = 0; i < count; i++) {
        const char key[] = {(char)('!' + i % 90), (char)('!' + i / 90 % 90),
                            (char)('!' + i / 8100)};
        ates_write_text(&map, key, sizeof key);
        ates_write_nil(&map);
    }
    const double start = now_ms();
    cr_assert_null(check(map.data, map.size, &token));
    cr_assert_lt(now_ms() - start, 1000.0);
    ates_buffer_release(&map);
}
