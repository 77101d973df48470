/* Throttles: how many charges at once, how they come back, what is remembered. */
#include "auth/auth_throttle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/seed.h"
#include <criterion/criterion.h>

#define NOW INT64_C(1700000000000)

static uint32_t wait_ms(const struct auth_throttle *throttle, const char *key, int64_t now)
{
    return auth_throttle_wait_ms(throttle, key, strlen(key), now);
}

static void charge(struct auth_throttle *throttle, const char *key, int64_t now)
{
    auth_throttle_charge(throttle, key, strlen(key), now);
}

Test(auth_throttle, allows_a_burst_then_one_an_interval)
{
    struct auth_throttle *throttle = auth_throttle_new(10, 30000);

    for (int i = 0; i < 10; i++) {
        cr_assert_eq(wait_ms(throttle, "ivan", NOW + i), 0, "charge %d", i);
        charge(throttle, "ivan", NOW + i);
    }
    cr_assert_eq(wait_ms(throttle, "ivan", NOW + 9), 30000 - 9);
    cr_assert_eq(wait_ms(throttle, "ivan", NOW + 29999), 1);
    cr_assert_eq(wait_ms(throttle, "ivan", NOW + 30000), 0);
    charge(throttle, "ivan", NOW + 30000);
    cr_assert_eq(wait_ms(throttle, "ivan", NOW + 30000), 30000);
    cr_assert_eq(wait_ms(throttle, "petr", NOW + 9), 0);
    auth_throttle_free(&throttle);
    cr_assert_null(throttle);
    auth_throttle_free(&throttle);
}

Test(auth_throttle, is_full_again_after_burst_intervals)
{
    struct auth_throttle *throttle = auth_throttle_new(3, 1000);

    for (int round = 0; round < 2; round++) {
        const int64_t now = NOW + round * 3000;

        for (int i = 0; i < 3; i++) {
            cr_assert_eq(wait_ms(throttle, "ivan", now), 0);
            charge(throttle, "ivan", now);
        }
        cr_assert_eq(wait_ms(throttle, "ivan", now), 1000);
    }
    auth_throttle_free(&throttle);
}

Test(auth_throttle, debt_is_waited_for)
{
    struct auth_throttle *throttle = auth_throttle_new(3, 1000);

    for (int i = 0; i < 8; i++) {
        charge(throttle, "ivan", NOW);
    }
    cr_assert_eq(wait_ms(throttle, "ivan", NOW), 6000);
    cr_assert_eq(wait_ms(throttle, "ivan", NOW + 6000), 0);
    auth_throttle_free(&throttle);
}

Test(auth_throttle, reset_gives_the_whole_allowance)
{
    struct auth_throttle *throttle = auth_throttle_new(2, 1000);

    for (int i = 0; i < 5; i++) {
        charge(throttle, "ivan", NOW);
        charge(throttle, "petr", NOW);
    }
    auth_throttle_reset(throttle, "ivan", 4);
    auth_throttle_reset(throttle, "never seen", 10);
    cr_assert_eq(wait_ms(throttle, "ivan", NOW), 0);
    charge(throttle, "ivan", NOW);
    cr_assert_eq(wait_ms(throttle, "ivan", NOW), 0);
    cr_assert_eq(wait_ms(throttle, "petr", NOW), 4000);
    auth_throttle_free(&throttle);
}

/* Many keys that failed once each do not push out one that failed often. */
Test(auth_throttle, a_flood_of_keys_forgets_the_least_charged)
{
    struct auth_throttle *throttle = auth_throttle_new(10, 30000);

    for (int i = 0; i < 10; i++) {
        charge(throttle, "ivan", NOW);
    }
    for (uint64_t key = 0; key < 4 * AUTH_THROTTLE_KEYS; key++) {
        auth_throttle_charge(throttle, &key, sizeof key, NOW);
    }
    cr_assert_eq(wait_ms(throttle, "ivan", NOW), 30000);
    auth_throttle_free(&throttle);
}

/* Against a model that counts allowances instead of times. */
Test(auth_throttle, agrees_with_a_counting_model)
{
    const uint64_t seed = seed_start();
    struct auth_throttle *throttle = auth_throttle_new(5, 700);
    const int64_t capacity = 5 * 700;
    int64_t now = NOW, level = capacity; /* in ms of refilling */
    unsigned short state[3] = {(unsigned short)seed, (unsigned short)(seed >> 16), 7};

    for (int i = 0; i < 20000; i++) {
        const int64_t passed = nrand48(state) % 1200;

        now += passed;
        level = level + passed > capacity ? capacity : level + passed;
        const int64_t expected = level >= 700 ? 0 : 700 - level;
        cr_assert_eq(wait_ms(throttle, "ivan", now), expected, "step %d", i);
        if (expected == 0 || nrand48(state) % 8 == 0) {
            charge(throttle, "ivan", now);
            level -= 700;
        }
        if (nrand48(state) % 50 == 0) {
            auth_throttle_reset(throttle, "ivan", 4);
            level = capacity;
        }
    }
    auth_throttle_free(&throttle);
}
