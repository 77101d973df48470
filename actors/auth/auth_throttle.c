/* Throttles; see auth_throttle.h.
 *
 * A key's token bucket is one number, the time at which it will be full again: a charge moves it
 * one interval on, and a key may be charged while that leaves it at most burst intervals ahead.
 * This is the virtual scheduling form of the generic cell rate algorithm (ITU-T I.371, annex A).
 * Invariant: a bucket whose time is past is full, and its place is free. */
#include "auth/auth_throttle.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

/* A key may live in any place of its set, so that a few sets filled on purpose forget little. */
#define WAYS 8u
#define SETS (AUTH_THROTTLE_KEYS / WAYS)
_Static_assert((SETS & (SETS - 1)) == 0, "sets are found by mask");

struct bucket {
    uint64_t hash;   /* of the key: an accidental match of 64 bits costs somebody a wait, no more */
    int64_t full_at; /* 0: never charged */
};

struct auth_throttle {
    int64_t interval_ms;
    int64_t burst_ms;                          /* what a full bucket is ahead */
    uint8_t secret[crypto_shorthash_KEYBYTES]; /* so that nobody can choose keys of one set */
    struct bucket buckets[SETS][WAYS];
};

struct auth_throttle *auth_throttle_new(uint32_t burst, uint32_t interval_ms)
{
    struct auth_throttle *self = calloc(1, sizeof *self);

    if (self != NULL) {
        self->interval_ms = interval_ms;
        self->burst_ms = (int64_t)burst * interval_ms;
        crypto_shorthash_keygen(self->secret);
    }
    return self;
}

void auth_throttle_free(struct auth_throttle **self)
{
    free(*self);
    *self = NULL;
}

static uint64_t hash_key(const struct auth_throttle *self, const void *key, size_t key_size)
{
    uint64_t hash;

    _Static_assert(sizeof hash == crypto_shorthash_BYTES, "a hash is one number");
    crypto_shorthash((uint8_t *)&hash, key, key_size, self->secret);
    return hash;
}

/* The place of the hash's bucket in its set, or WAYS. */
static size_t find(const struct auth_throttle *self, uint64_t hash)
{
    const struct bucket *set = self->buckets[hash & (SETS - 1)];
    size_t place = 0;

    while (place < WAYS && (set[place].full_at == 0 || set[place].hash != hash)) {
        place++;
    }
    return place;
}

uint32_t auth_throttle_wait_ms(const struct auth_throttle *self, const void *key, size_t key_size,
                               int64_t now)
{
    const uint64_t hash = hash_key(self, key, key_size);
    const size_t place = find(self, hash);

    if (place == WAYS) {
        return 0;
    }
    const int64_t full_at = self->buckets[hash & (SETS - 1)][place].full_at;
    const int64_t wait = full_at + self->interval_ms - self->burst_ms - now;
    return wait <= 0 ? 0 : wait > UINT32_MAX ? UINT32_MAX : (uint32_t)wait;
}

void auth_throttle_charge(struct auth_throttle *self, const void *key, size_t key_size, int64_t now)
{
    const uint64_t hash = hash_key(self, key, key_size);
    struct bucket *set = self->buckets[hash & (SETS - 1)];
    size_t place = find(self, hash);

    if (place == WAYS) {
        place = 0;
        for (size_t i = 1; i < WAYS; i++) {
            place = set[i].full_at < set[place].full_at ? i : place;
        }
        set[place] = (struct bucket){.hash = hash};
    }
    struct bucket *bucket = &set[place];
    bucket->full_at = (bucket->full_at > now ? bucket->full_at : now) + self->interval_ms;
}

void auth_throttle_reset(struct auth_throttle *self, const void *key, size_t key_size)
{
    const uint64_t hash = hash_key(self, key, key_size);
    const size_t place = find(self, hash);

    if (place < WAYS) {
        self->buckets[hash & (SETS - 1)][place].full_at = 0;
    }
}
