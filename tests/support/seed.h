/* The randomness of tests: from ATES_SEED, else from the clock; printed, so that a failure can be
 * had again. */
#ifndef ATES_TEST_SEED_H
#define ATES_TEST_SEED_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* On stderr, not through Criterion: a warning that it logs makes its program fail. */
static inline uint64_t seed_start(void)
{
    const char *given = getenv("ATES_SEED");
    const uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);

    fprintf(stderr, "ATES_SEED=%" PRIu64 "\n", seed);
    return seed;
}

/* The next 64 bits; SplitMix64 (https://prng.di.unimi.it/splitmix64.c). */
static inline uint64_t seed_next(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* In [0, below). */
static inline uint64_t seed_draw(uint64_t *seed, uint64_t below)
{
    return seed_next(seed) % below;
}

#endif
