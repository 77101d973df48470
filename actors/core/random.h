/* Where time and randomness come from: injected, so that tests can set a clock and repeat a draw.
 */
#ifndef ATES_RANDOM_H
#define ATES_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct ates_source {
    int64_t (*now_ms)(void *context); /* Unix time */
    void (*random)(void *context, void *out, size_t size);
    void *context;
};

/* The machine's clock, and libsodium's random bytes, drawn in blocks. Each thread owns its own. */
struct ates_source ates_source_system(void);

int64_t ates_now_ms(const struct ates_source *source);
int64_t ates_monotonic_us(void); /* for durations and timers, never injected */

/* A uniform number in [0, bound), bound >= 1: every value equally likely (no modulo bias). */
uint64_t ates_random_uniform(const struct ates_source *source, uint64_t bound);

#define ATES_UUID_SIZE 37u
/* A UUIDv7 of this time (RFC 9562, section 5.7) as text. */
void ates_uuid7(const struct ates_source *source, int64_t time_ms, char out[ATES_UUID_SIZE]);

#endif
