/* The writer's bytes against msgpack-c's, at every edge between two forms. */
#include <string.h>

#include <criterion/criterion.h>
#include <msgpack.h>

#include "../support/sample.h"
#include "core/writer.h"

static struct ates_buffer ours;
static msgpack_sbuffer theirs;
static msgpack_packer packer;

static void set_up(void)
{
    msgpack_sbuffer_init(&theirs);
    msgpack_packer_init(&packer, &theirs, msgpack_sbuffer_write);
}

static void tear_down(void)
{
    msgpack_sbuffer_destroy(&theirs);
    ates_buffer_release(&ours);
}

TestSuite(writer, .init = set_up, .fini = tear_down);

static void check_equal(const char *what, uint64_t value)
{
    cr_assert_eq(ours.size, theirs.size, "%s of %" PRIu64, what, value);
    cr_assert_eq(memcmp(ours.data, theirs.data, ours.size), 0, "%s of %" PRIu64, what, value);
    ours.size = 0;
    msgpack_sbuffer_clear(&theirs);
}

static void check_number(uint64_t value)
{
    ates_write_unsigned(&ours, value);
    msgpack_pack_uint64(&packer, value);
    check_equal("unsigned", value);
    ates_write_signed(&ours, (int64_t)value);
    msgpack_pack_int64(&packer, (int64_t)value);
    check_equal("signed", value);
    ates_write_signed(&ours, (int64_t)-value);
    msgpack_pack_int64(&packer, (int64_t)-value);
    check_equal("negated", value);
}

Test(writer, numbers_are_shortest)
{
    uint64_t state = seed_start();

    for (unsigned bit = 0; bit < 64; bit++) {
        for (uint64_t near = 0; near < 4; near++) {
            check_number((UINT64_C(1) << bit) + near - 2);
        }
    }
    check_number(31);
    check_number(33);
    for (int i = 0; i < 10000; i++) {
        check_number(seed_next(&state) >> sample_below(&state, 64));
    }
}

Test(writer, texts_bytes_and_heads)
{
    static const char zeros[70000];
    static const size_t sizes[] = {0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const size_t size = sizes[i];

        ates_write_text(&ours, zeros, size);
        msgpack_pack_str(&packer, size);
        msgpack_pack_str_body(&packer, zeros, size);
        check_equal("text", size);
        ates_write_bytes(&ours, zeros, size);
        msgpack_pack_bin(&packer, size);
        msgpack_pack_bin_body(&packer, zeros, size);
        check_equal("bytes", size);
        ates_write_list(&ours, size);
        msgpack_pack_array(&packer, size);
        check_equal("list", size);
        ates_write_map(&ours, size);
        msgpack_pack_map(&packer, size);
        check_equal("map", size);
    }
    ates_write_nil(&ours);
    ates_write_bool(&ours, true);
    ates_write_bool(&ours, false);
    ates_write_encoded(&ours, "\x91\x07", 2);
    cr_assert_eq(ours.size, 5u);
    cr_assert_eq(memcmp(ours.data, "\xc0\xc3\xc2\x91\x07", 5), 0);
}
