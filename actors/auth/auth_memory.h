/* The auth domain's memory: its key, its throttles, and what an unknown login's password is checked
 * against. Nothing that state depends on. */
#ifndef AUTH_MEMORY_H
#define AUTH_MEMORY_H

#include "auth/auth_guess.h"
#include "auth/auth_password.h"
#include "auth/auth_throttle.h"

struct auth_memory {
    struct ates_secret_key key; /* signs users' tokens */
    char unknown_hash[AUTH_HASH_MAX + 1];
    struct auth_guess *guess;            /* passwords that nobody may have */
    struct auth_throttle *logins;        /* wrong passwords by lower-cased login, known or not */
    struct auth_throttle *clients;       /* wrong passwords by where they come from */
    struct auth_throttle *registrations; /* by where they come from, of those not signed in */
};

/* struct ates_domain's open and close. */
int auth_memory_open(const struct ates_config *config, const char *keys_dir, void **memory,
                     char *error, size_t error_size);
void auth_memory_close(void **memory);

#endif
