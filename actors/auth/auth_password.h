/* Passwords: Argon2id through libsodium, hashed and checked as work for a worker thread, as one
 * takes some 0.1 s and 64 MiB. The cost is the same for every password, a guessed login's included.
 */
#ifndef AUTH_PASSWORD_H
#define AUTH_PASSWORD_H

#include <ates/auth.h>

#include "core/domain.h"

#define AUTH_HASH_OPERATIONS 3u
#define AUTH_HASH_MEMORY (64u * 1024u * 1024u) /* bytes */

struct auth_password_input {
    char hash[AUTH_HASH_MAX + 1]; /* to check given against; empty: no check */
    size_t given_size;            /* bytes */
    char given[AUTH_PASSWORD_MAX * 4];
    size_t wanted_size; /* 0: nothing to hash */
    char wanted[AUTH_PASSWORD_MAX * 4];
};

struct auth_password_output {
    int fault;                       /* 0 or -errno: then the rest means nothing */
    bool matches;                    /* given is the password that checked is the hash of */
    char checked[AUTH_HASH_MAX + 1]; /* input's hash */
    char made[AUTH_HASH_MAX + 1];    /* of wanted; empty where a check failed */
};

/* Checks what is given, then hashes what is wanted unless the check failed. */
extern const struct ates_work auth_password_work;

/* Hands the work over, and wipes its own copy of the passwords. Each of the three may be empty.
 * Returns what the handler must return. */
int auth_password_defer(struct ates_call *call, struct ates_text hash, struct ates_text given,
                        struct ates_text wanted);

/* Refuses a password that is guessed first: INVALID_ARGUMENT / PASSWORD_GUESSABLE, with field. */
int auth_password_check(struct ates_call *call, const char *field, struct ates_text password,
                        struct ates_text login, struct ates_text email);

/* A hash that no password is known to have, in the form of the others (PHC string format): checking
 * against it takes as long. It is drawn, not computed: a service need not hash anything to start.
 */
void auth_password_unknown(char hash[AUTH_HASH_MAX + 1]);

#endif
