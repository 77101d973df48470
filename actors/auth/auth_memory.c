/* The auth domain's memory; see auth_memory.h. */
#include "auth/auth_memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <sodium.h>

/* A person mistypes a few times; a client may be a gateway that many share. */
#define LOGIN_BURST 10u
#define LOGIN_INTERVAL_MS 30000u
#define CLIENT_BURST 30u
#define CLIENT_INTERVAL_MS 5000u

void auth_memory_close(void **memory)
{
    struct auth_memory *self = *memory;

    if (self != NULL) {
        auth_guess_free(&self->guess);
        auth_throttle_free(&self->logins);
        auth_throttle_free(&self->clients);
        auth_throttle_free(&self->registrations);
        sodium_memzero(self, sizeof *self);
        free(self);
        *memory = NULL;
    }
}

int auth_memory_open(const struct ates_config *config, const char *keys_dir, void **memory,
                     char *error, size_t error_size)
{
    struct auth_memory *self = calloc(1, sizeof *self);

    if (self == NULL) {
        return -ENOMEM;
    }
    self->logins = auth_throttle_new(LOGIN_BURST, LOGIN_INTERVAL_MS);
    self->clients = auth_throttle_new(CLIENT_BURST, CLIENT_INTERVAL_MS);
    self->registrations = auth_throttle_new(CLIENT_BURST, CLIENT_INTERVAL_MS);
    int r =
        self->logins != NULL && self->clients != NULL && self->registrations != NULL ? 0 : -ENOMEM;
    if (r == 0 && keys_dir != NULL) {
        r = ates_keys_load_secret(keys_dir, ATES_KEY_USERS, &self->key, error, error_size);
    }
    if (r == 0) {
        /* Without keys a log is only folded: no password is set. */
        r = auth_guess_open(&self->guess, keys_dir != NULL ? config->refused_passwords : "", error,
                            error_size);
    }
    if (r == 0) {
        auth_password_unknown(self->unknown_hash);
    } else if (r == -ENOMEM) {
        snprintf(error, error_size, "out of memory");
    }
    void *made = self;
    if (r != 0) {
        auth_memory_close(&made);
        return r;
    }
    *memory = made;
    return 0;
}
