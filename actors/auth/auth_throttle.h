/* Throttles: how often what is guessed at may fail, counted by key (a login, a client) in bounded
 * memory. Knows no clock: times are the caller's, in Unix ms. Not thread-safe: the domain's thread
 * owns it. */
#ifndef AUTH_THROTTLE_H
#define AUTH_THROTTLE_H

#include <stddef.h>
#include <stdint.h>

/* Keys remembered at once; when too many are live, the one nearest to its full allowance is
 * forgotten. */
#define AUTH_THROTTLE_KEYS 32768u

struct auth_throttle;

/* Each key may be charged burst times at once, then once per interval_ms. NULL when out of memory.
 */
struct auth_throttle *auth_throttle_new(uint32_t burst, uint32_t interval_ms);
void auth_throttle_free(struct auth_throttle **self);

/* How long until the key may be charged once more; 0: now. */
uint32_t auth_throttle_wait_ms(const struct auth_throttle *self, const void *key, size_t key_size,
                               int64_t now);
/* Charges the key once, beyond its allowance too: the debt is waited for later. */
void auth_throttle_charge(struct auth_throttle *self, const void *key, size_t key_size,
                          int64_t now);
/* Gives the key its full allowance again. */
void auth_throttle_reset(struct auth_throttle *self, const void *key, size_t key_size);

#endif
