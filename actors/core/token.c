/* Signing and verifying tokens; see token.h.
 *
 * Invariant: the cache holds only tokens whose signature, claims and key's purpose have been
 * checked in full; the times are checked at every use, cached or not. It is bounded, and a token
 * leaves it wiped. */
#include "core/token.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base64.h"
#include "core/catalogue.h"
#include "core/claims.h"

#define CLOCK_SKEW_MS 5000 /* how far the signer's clock may be ahead of ours */
#define FOOTER_MAX 256u    /* bytes of a decoded footer; ours has 61 */

#define CACHE_BUCKETS 1024u
#define CACHE_WAYS 4u

struct verified {
    uint64_t hash;
    uint64_t last_used;
    char *token; /* NULL where nothing is cached */
    size_t token_size;
    struct ates_claims claims;
};

struct ates_keyring {
    struct ates_public_key keys[ATES_KEYS_MAX];
    size_t key_count;
    uint8_t hash_key[crypto_shorthash_KEYBYTES];
    uint64_t uses;
    struct verified cache[CACHE_BUCKETS][CACHE_WAYS];
    char dir[4096];
    struct stat file; /* when it was read */
};

static void stat_keyring(const struct ates_keyring *self, struct stat *file)
{
    char path[sizeof self->dir + 16];

    snprintf(path, sizeof path, "%s/keyring", self->dir);
    if (stat(path, file) != 0) {
        *file = (struct stat){.st_ino = 0};
    }
}

/* Whether the file is another than was read, and was read anew. */
static bool renew_keyring(struct ates_keyring *self)
{
    struct ates_public_key keys[ATES_KEYS_MAX];
    struct stat file;
    size_t count;
    char error[512];

    stat_keyring(self, &file);
    if ((file.st_ino == self->file.st_ino && file.st_mtim.tv_sec == self->file.st_mtim.tv_sec &&
         file.st_mtim.tv_nsec == self->file.st_mtim.tv_nsec) ||
        ates_keys_load_public(self->dir, keys, &count, error, sizeof error) != 0) {
        return false;
    }
    memcpy(self->keys, keys, count * sizeof keys[0]);
    self->key_count = count;
    self->file = file;
    ates_say(ATES_SAY_KEYS_TAKEN, "keyring", NULL, "the keyring has changed and was read anew");
    return true;
}

struct ates_keyring *ates_keyring_load(const char *dir, char *error, size_t size)
{
    struct ates_keyring *self = calloc(1, sizeof *self);

    if (self == NULL) {
        snprintf(error, size, "%s/keyring: %s", dir, strerror(ENOMEM));
        return NULL;
    }
    crypto_shorthash_keygen(self->hash_key);
    snprintf(self->dir, sizeof self->dir, "%s", dir);
    stat_keyring(self, &self->file);
    if (ates_keys_load_public(dir, self->keys, &self->key_count, error, size) != 0) {
        ates_keyring_free(&self);
    }
    return self;
}

static void cache_drop(struct verified *entry)
{
    if (entry->token != NULL) {
        sodium_memzero(entry->token, entry->token_size);
        free(entry->token);
    }
    *entry = (struct verified){0};
}

void ates_keyring_free(struct ates_keyring **self)
{
    if (*self == NULL) {
        return;
    }
    for (size_t i = 0; i < CACHE_BUCKETS; i++) {
        for (size_t j = 0; j < CACHE_WAYS; j++) {
            cache_drop(&(*self)->cache[i][j]);
        }
    }
    sodium_memzero(*self, sizeof **self);
    free(*self);
    *self = NULL;
}

static const struct ates_public_key *find_key(const struct ates_keyring *keyring, const char *kid)
{
    for (size_t i = 0; i < keyring->key_count; i++) {
        if (strcmp(keyring->keys[i].kid, kid) == 0) {
            return &keyring->keys[i];
        }
    }
    return NULL;
}

/* The hash is keyed with a secret of this keyring, so nobody can aim tokens at one bucket. */
static uint64_t hash_token(const struct ates_keyring *keyring, const char *token, size_t token_size)
{
    uint64_t hash;

    static_assert(sizeof hash == crypto_shorthash_BYTES, "a SipHash-2-4 fills the number");
    crypto_shorthash((uint8_t *)&hash, (const uint8_t *)token, token_size, keyring->hash_key);
    return hash;
}

/* In a time that tells nothing of the bytes. Blocks, the last overlapping the one before, as
 * sodium_memcmp goes byte by byte: 1,030 ns for 532 bytes against 48 ns, more than a cached check
 * may cost. */
static bool equal_tokens(const char *a, const char *b, size_t size)
{
    const size_t block = crypto_verify_64_BYTES;
    const uint8_t *x = (const uint8_t *)a, *y = (const uint8_t *)b;

    assert(size >= block); /* a signature alone takes more */
    int differ = crypto_verify_64(x + size - block, y + size - block);
    for (size_t i = 0; i + block < size; i += block) {
        differ |= crypto_verify_64(x + i, y + i);
    }
    return differ == 0;
}

static struct verified *cache_find(struct ates_keyring *keyring, uint64_t hash, const char *token,
                                   size_t token_size)
{
    struct verified *bucket = keyring->cache[hash % CACHE_BUCKETS];

    for (size_t i = 0; i < CACHE_WAYS; i++) {
        if (bucket[i].hash == hash && bucket[i].token != NULL &&
            bucket[i].token_size == token_size &&
            equal_tokens(bucket[i].token, token, token_size)) {
            bucket[i].last_used = ++keyring->uses;
            return &bucket[i];
        }
    }
    return NULL;
}

/* A token that finds no memory is not cached, which costs time only. */
static void cache_put(struct ates_keyring *keyring, uint64_t hash, const char *token,
                      size_t token_size, const struct ates_claims *claims)
{
    struct verified *bucket = keyring->cache[hash % CACHE_BUCKETS];
    struct verified *oldest = bucket; /* an empty place was last used at 0, before every other */

    for (size_t i = 1; i < CACHE_WAYS; i++) {
        if (bucket[i].last_used < oldest->last_used) {
            oldest = &bucket[i];
        }
    }
    char *copy = malloc(token_size);
    if (copy == NULL) {
        return;
    }
    memcpy(copy, token, token_size);
    cache_drop(oldest);
    *oldest = (struct verified){.hash = hash,
                                .last_used = ++keyring->uses,
                                .token = copy,
                                .token_size = token_size,
                                .claims = *claims};
}

/* Auth's key speaks for users, the services' own for nobody but themselves. */
static bool may_assert(enum ates_key_purpose purpose, const struct ates_claims *claims)
{
    if (purpose == ATES_KEY_SERVICES) {
        return claims->role == ATES_INTERNALSERVICE && claims->user_id == 0;
    }
    return purpose == ATES_KEY_USERS && claims->user_id != 0;
}

int ates_token_sign(const struct ates_secret_key *key, const struct ates_source *source,
                    struct ates_claims *claims, char token[ATES_TOKEN_MAX + 1])
{
    struct ates_claims signed_claims = *claims;
    char message[ATES_TOKEN_MAX], footer[FOOTER_MAX], error[512];
    size_t message_size;

    static_assert(sizeof claims->jti == ATES_UUID_SIZE, "a jti is a UUID");
    if (!may_assert(key->purpose, claims)) {
        return -EINVAL;
    }
    ates_uuid7(source, claims->issued_at, signed_claims.jti);
    int r = ates_claims_encode(&signed_claims, message, sizeof message, &message_size);
    if (r != 0) {
        return r;
    }
    struct ates_secret_key current;
    if (key->dir[0] != '\0' &&
        ates_keys_load_secret(key->dir, key->purpose, &current, error, sizeof error) == 0) {
        key = &current;
    }
    const int footer_size = snprintf(footer, sizeof footer, "{\"kid\":\"%s\"}", key->kid);
    r = ates_paseto_sign(key->secret, message, message_size, footer, (size_t)footer_size, NULL, 0,
                         token, ATES_TOKEN_MAX + 1);
    sodium_memzero(&current, sizeof current);
    if (r == 0) {
        *claims = signed_claims;
    }
    return r;
}

int ates_token_sign_service(const struct ates_secret_key *key, const struct ates_source *source,
                            const char *service, int64_t life_ms, char token[ATES_TOKEN_MAX + 1])
{
    struct ates_claims claims = {.role = ATES_INTERNALSERVICE};

    snprintf(claims.login, sizeof claims.login, "%s", service);
    claims.issued_at = claims.not_before = ates_now_ms(source);
    claims.expires_at = claims.issued_at + life_ms;
    return ates_token_sign(key, source, &claims, token);
}

int ates_own_token_keep(struct ates_own_token *self, const struct ates_secret_key *key,
                        const struct ates_source *source, const char *service, int64_t life_ms)
{
    const int64_t now = ates_now_ms(source);

    /* A clock that was set back makes it a token of the future. */
    if (now >= self->from && now < self->until) {
        return 0;
    }
    int r = ates_token_sign_service(key, source, service, life_ms, self->text);
    if (r != 0) {
        return r;
    }
    self->from = now;
    self->until = now + life_ms / 2;
    return 1;
}

static int refuse_invalid(struct ates_refusal *refusal, const char *why)
{
    return ates_refusal_set(refusal, ATES_UNAUTHENTICATED, "TOKEN_INVALID", NULL, "%s", why);
}

/* The key that the token's footer names, or NULL. The footer is not verified yet: it only chooses
 * among our keys, and the signature covers it. */
static const struct ates_public_key *choose_key(const struct ates_keyring *keyring,
                                                const char *token, size_t token_size)
{
    const struct ates_public_key *key = NULL;
    char footer[FOOTER_MAX];
    size_t footer_size;
    const char *kid;

    const char *dot = memrchr(token, '.', token_size);
    if (dot == NULL || ates_base64_read(dot + 1, (size_t)(token + token_size - dot - 1), footer,
                                        sizeof footer, &footer_size) != 0) {
        return NULL;
    }
    json_t *root = json_loadb(footer, footer_size, JSON_REJECT_DUPLICATES, NULL);
    if (root != NULL && json_unpack(root, "{s:s}", "kid", &kid) == 0) {
        key = find_key(keyring, kid);
    }
    json_decref(root);
    return key;
}

/* Everything but the times. */
static int verify_in_full(struct ates_keyring *keyring, const char *token, size_t token_size,
                          struct ates_claims *claims, struct ates_refusal *refusal)
{
    uint8_t message[ATES_TOKEN_MAX], footer[ATES_TOKEN_MAX];
    size_t message_size, footer_size;

    const struct ates_public_key *key = choose_key(keyring, token, token_size);
    if (key == NULL && renew_keyring(keyring)) {
        key = choose_key(keyring, token, token_size);
    }
    if (key == NULL) {
        return refuse_invalid(refusal, "the token names no key that is known here");
    }
    int r = ates_paseto_verify(key->bytes, token, token_size, NULL, 0, message, &message_size,
                               footer, &footer_size);
    if (r == -EINVAL) {
        return refuse_invalid(refusal, "the token is malformed or its signature is wrong");
    }
    if (r != 0) {
        return r;
    }
    if (ates_claims_decode(message, message_size, claims) != 0) {
        return refuse_invalid(refusal, "the token's claims are not those of an aTES token");
    }
    if (!may_assert(key->purpose, claims)) {
        return refuse_invalid(refusal, "the token's key may not assert this user and role");
    }
    return 0;
}

static int check_times(const struct ates_claims *claims, int64_t now_ms, bool expired_too,
                       struct ates_refusal *refusal)
{
    if (claims->not_before - CLOCK_SKEW_MS > now_ms) {
        return refuse_invalid(refusal, "the token is not valid yet");
    }
    if (claims->expires_at <= now_ms && !expired_too) {
        return ates_refusal_set(refusal, ATES_UNAUTHENTICATED, "TOKEN_EXPIRED", NULL,
                                "the token has expired");
    }
    return 0;
}

int ates_token_verify(struct ates_keyring *keyring, const char *token, size_t token_size,
                      int64_t now_ms, bool expired_too, struct ates_claims *claims,
                      struct ates_refusal *refusal)
{
    struct ates_claims fresh;
    int r;

    if (token_size == 0 || token_size > ATES_TOKEN_MAX) {
        return refuse_invalid(refusal, "the token is empty or too long");
    }
    const uint64_t hash = hash_token(keyring, token, token_size);
    struct verified *cached = cache_find(keyring, hash, token, token_size);
    if (cached != NULL) {
        r = check_times(&cached->claims, now_ms, expired_too, refusal);
        if (r == 0) {
            *claims = cached->claims;
        } else {
            cache_drop(cached);
        }
        return r;
    }
    r = verify_in_full(keyring, token, token_size, &fresh, refusal);
    if (r == 0) {
        r = check_times(&fresh, now_ms, expired_too, refusal);
    }
    if (r == 0) {
        cache_put(keyring, hash, token, token_size, &fresh);
        *claims = fresh;
    }
    return r;
}
