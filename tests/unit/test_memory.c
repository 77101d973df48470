/* The arena and the growing buffer. */
#include <stdint.h>
#include <string.h>

#include <criterion/criterion.h>

#include <ates/message.h>

Test(memory, arena_gives_zeroed_aligned_bytes_apart_from_each_other)
{
    struct ates_arena *arena = ates_arena_new();
    uint8_t *blocks[300];

    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < 300; i++) {
            blocks[i] = ates_arena_alloc(arena, i * 7);
            cr_assert_eq((uintptr_t)blocks[i] % _Alignof(max_align_t), 0u);
            for (size_t j = 0; j < i * 7; j++) {
                cr_assert_eq(blocks[i][j], 0);
            }
            memset(blocks[i], (int)i, i * 7);
        }
        for (size_t i = 1; i < 300; i++) {
            cr_assert_eq(blocks[i][0], (uint8_t)i);
            cr_assert_eq(blocks[i][i * 7 - 1], (uint8_t)i);
        }
        cr_assert_geq(ates_arena_size(arena), 7u * 299 * 300 / 2);
        ates_arena_reset(arena);
        cr_assert_eq(ates_arena_size(arena), 0u);
    }
    ates_arena_free(&arena);
    cr_assert_null(arena);
    ates_arena_free(&arena);
}

Test(memory, arena_takes_blocks_larger_than_its_chunks)
{
    struct ates_arena *arena = ates_arena_new();

    for (int round = 0; round < 3; round++) {
        uint8_t *large = ates_arena_alloc(arena, 1000000);
        cr_assert_eq(large[0] | large[999999], 0);
        large[999999] = 1;
        const char *copy = ates_arena_copy(arena, "popug", 6);
        cr_assert_str_eq(copy, "popug");
        cr_assert_not_null(ates_arena_copy(arena, NULL, 0));
        ates_arena_reset(arena);
    }
    ates_arena_free(&arena);
}

Test(memory, buffer_grows_and_keeps_its_bytes)
{
    struct ates_buffer buffer = {0};

    ates_buffer_append(&buffer, NULL, 0);
    for (unsigned i = 0; i < 100000; i++) {
        const uint8_t byte = (uint8_t)(i % 251);
        ates_buffer_append(&buffer, &byte, 1);
    }
    cr_assert_eq(buffer.size, 100000u);
    for (unsigned i = 0; i < 100000; i++) {
        cr_assert_eq(buffer.data[i], (uint8_t)(i % 251));
    }
    ates_buffer_release(&buffer);
    cr_assert_null(buffer.data);
    cr_assert_eq(buffer.size + buffer.capacity, 0u);
    ates_buffer_release(&buffer);
}
