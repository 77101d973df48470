/* Time and randomness; see random.h. */
#include "core/random.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>
#include <time.h>

static int64_t system_now_ms(void *context)
{
    struct timespec now;

    (void)context;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The kernel is asked for 4 KiB at a time: a system call a draw would cost more than the draw. */
static void system_random(void *context, void *out, size_t size)
{
    static _Thread_local uint8_t block[4096];
    static _Thread_local size_t left;

    (void)context;
    assert(size <= sizeof block);
    if (left < size) {
        randombytes_buf(block, sizeof block);
        left = sizeof block;
    }
    left -= size;
    memcpy(out, block + left, size);
    sodium_memzero(block + left, size);
}

struct ates_source ates_source_system(void)
{
    return (struct ates_source){.now_ms = system_now_ms, .random = system_random};
}

int64_t ates_now_ms(const struct ates_source *source)
{
    return source->now_ms(source->context);
}

int64_t ates_monotonic_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

uint64_t ates_random_uniform(const struct ates_source *source, uint64_t bound)
{
    uint64_t value;

    assert(bound >= 1);
    /* Values below 2^64 mod bound would make the small results likelier: draw again. */
    const uint64_t unfair = (0 - bound) % bound;
    do {
        source->random(source->context, &value, sizeof value);
    } while (value < unfair);
    return value % bound;
}

void ates_uuid7(const struct ates_source *source, int64_t time_ms, char out[ATES_UUID_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    uint8_t bytes[16];
    char *to = out;

    source->random(source->context, bytes + 6, 10);
    for (int i = 0; i < 6; i++) {
        bytes[i] = (uint8_t)((uint64_t)time_ms >> (40 - 8 * i));
    }
    bytes[6] = (uint8_t)(0x70 | (bytes[6] & 0x0f));
    bytes[8] = (uint8_t)(0x80 | (bytes[8] & 0x3f));
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *to++ = '-';
        }
        *to++ = hex[bytes[i] >> 4];
        *to++ = hex[bytes[i] & 15];
    }
    *to = '\0';
}
