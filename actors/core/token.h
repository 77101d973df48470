/* Tokens: PASETO v4.public (PROTOCOL.md section 5), verified locally against a keyring by kid.
 * Source of the format: paseto-spec, docs/01-Protocol-Versions/Version4.md; PASERK k4.pid for kid.
 */
#ifndef ATES_TOKEN_H
#define ATES_TOKEN_H

#include <sodium.h>

#include <ates/service.h>

#include "core/random.h"

#define ATES_TOKEN_MAX 2048u /* bytes of an encoded token */
#define ATES_KID_SIZE 52u    /* "k4.pid." and 44 base64url characters, then a NUL */

/* What a key may assert: auth's any user, the services' own only internalservice. */
enum ates_key_purpose { ATES_KEY_USERS = 1, ATES_KEY_SERVICES };

/* By purpose: the file of its secret key, and its word in the keyring. */
struct ates_key_kind {
    const char *file;
    const char *word;
};
extern const struct ates_key_kind ates_key_kinds[];

struct ates_secret_key {
    enum ates_key_purpose purpose;
    char kid[ATES_KID_SIZE];
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    char dir[4096]; /* from where it was loaded; empty: from nowhere */
};

struct ates_public_key {
    enum ates_key_purpose purpose;
    char kid[ATES_KID_SIZE];
    uint8_t bytes[crypto_sign_PUBLICKEYBYTES];
};

struct ates_claims {
    uint64_t user_id; /* 0 in the tokens that services sign themselves, and in no other */
    enum ates_role role;
    char login[65];
    char sid[37];
    char jti[37];
    int64_t issued_at, not_before, expires_at; /* Unix ms */
};

/* The bare PASETO v4.public layer, as the official vectors test it. Key: Ed25519. Returns 0,
 * -ENOMEM or -EINVAL (sign: buffer too small; verify: any failure whatever). token ends with a NUL.
 * message_out needs token_size bytes; footer_out likewise. */
int ates_paseto_sign(const uint8_t secret[crypto_sign_SECRETKEYBYTES], const void *message,
                     size_t message_size, const void *footer, size_t footer_size,
                     const void *implicit, size_t implicit_size, char *token,
                     size_t token_capacity);
int ates_paseto_verify(const uint8_t public_key[crypto_sign_PUBLICKEYBYTES], const char *token,
                       size_t token_size, const void *implicit, size_t implicit_size,
                       uint8_t *message_out, size_t *message_size, uint8_t *footer_out,
                       size_t *footer_size);

/* Where a service's keys are, into out (size bytes; PATH_MAX hold any): in $CREDENTIALS_DIRECTORY
 * where systemd gave it keys (LoadCredential=), else in DATA/keys. */
void ates_keys_folder(const char *data_dir, char *out, size_t size);

/* Keys on disk, below DIR (mode 0700): auth.key and services.key (secret, mode 0600), keyring (the
 * public keys, one a line: KID PURPOSE BASE64URL), fingerprint.key (32 random bytes, keys the
 * hashes of request bodies so that a log alone reveals nothing of a password). Made once, DIR too
 * where it is not there; existing ones are never overwritten (-EEXIST). Writes are atomic and
 * fsynced. What others may read (a keyring or DIR: write) is refused with -EPERM. error (size
 * bytes) names the file. */
int ates_keys_create(const char *dir, char *error, size_t size);

/* The files' names, NULL at the end; the keyring last. */
extern const char *const ates_key_files[];

#define ATES_FINGERPRINT_KEY_SIZE 32u
int ates_keys_load_fingerprint(const char *dir, uint8_t key[ATES_FINGERPRINT_KEY_SIZE], char *error,
                               size_t size);
int ates_keys_load_secret(const char *dir, enum ates_key_purpose purpose,
                          struct ates_secret_key *key, char *error, size_t size);

#define ATES_KEYS_MAX 32u /* public keys in a keyring */
int ates_keys_load_public(const char *dir, struct ates_public_key keys[ATES_KEYS_MAX],
                          size_t *count, char *error, size_t size);

/* Puts a new key in the place of the purpose's. The keyring knows it before anybody can sign with it, and
 * keeps the old one; cut short between, it has a key more that nobody can sign with. Returns 0, -ENOSPC
 * where the keyring is full, or as the others. */
int ates_keys_rotate(const char *dir, enum ates_key_purpose purpose, char *error, size_t size);

/* Takes the purpose's keys but the one in use out of the keyring, once every token of theirs has
 * ended: life_ms after the key in use was made. Returns 0 with *removed filled; -EBUSY where there are some but it
 * is too early, with *wait_ms; or as the others. */
int ates_keys_finish(const char *dir, enum ates_key_purpose purpose, int64_t now_ms,
                     int64_t life_ms, size_t *removed, int64_t *wait_ms, char *error, size_t size);

/* The kid of a public key: its PASERK k4.pid. */
void ates_key_id(const uint8_t public_key[crypto_sign_PUBLICKEYBYTES], char kid[ATES_KID_SIZE]);

/* The keyring of public keys with its cache of verified tokens (bounded; the least recently used of
 * a bucket makes room). Not thread-safe: each actor owns one. */
struct ates_keyring;
/* NULL on failure. A token that names a key which it does not know makes it look whether the file has
 * changed. */
struct ates_keyring *ates_keyring_load(const char *dir, char *error, size_t size);
void ates_keyring_free(struct ates_keyring **self);

/* Signs claims, whose jti is drawn here from source, with the key that lies where this one was loaded
 * from, so that a rotated key is in use at once; where none can be loaded there, with this one. Returns 0, or -EINVAL where the key may not
 * assert them or they have no place in a token; -ENOMEM. */
int ates_token_sign(const struct ates_secret_key *key, const struct ates_source *source,
                    struct ates_claims *claims, char token[ATES_TOKEN_MAX + 1]);

/* A token of the service itself, valid from the source's now for life_ms: it may do what
 * internalservice may. Returns as ates_token_sign. */
int ates_token_sign_service(const struct ates_secret_key *key, const struct ates_source *source,
                            const char *service, int64_t life_ms, char token[ATES_TOKEN_MAX + 1]);

/* The token with which a service asks others, signed anew in time; {0} is none yet. */
struct ates_own_token {
    char text[ATES_TOKEN_MAX + 1];
    int64_t from, until; /* Unix ms: outside of these it wants renewal */
};

/* Sees to it that the token lives for another half of life_ms. Returns 1 where it was signed anew, 0
 * where it is good still, or as ates_token_sign. */
int ates_own_token_keep(struct ates_own_token *self, const struct ates_secret_key *key,
                        const struct ates_source *source, const char *service, int64_t life_ms);

/* Verifies a token as of now_ms. Returns 0 with claims filled; or ATES_UNAUTHENTICATED with reason
 * TOKEN_INVALID (malformed, unknown key, wrong signature, wrong iss/aud, key not allowed to assert
 * this role or user, nbf more than 5 s ahead) or TOKEN_EXPIRED (unless expired_too); -ENOMEM. */
int ates_token_verify(struct ates_keyring *keyring, const char *token, size_t token_size,
                      int64_t now_ms, bool expired_too, struct ates_claims *claims,
                      struct ates_refusal *refusal);

#endif
