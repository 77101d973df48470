/* Tokens: every way one can be bad, and the cache of verified tokens. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "core/token.h"
#include "support/seed.h"
#include "support/temp_folder.h"

#define NOW_MS INT64_C(1795355580123) /* 2026-11-22T13:53:00.123Z */
#define MINUTE_MS INT64_C(60000)
#define BASE64_ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/* A folder of fresh keys, its keyring, and a token of each key. */
static char dir[TEMP_FOLDER_SIZE], error[256];
static struct ates_keyring *keyring;
static struct ates_secret_key users_key, services_key;
static struct ates_claims user;
static char token[ATES_TOKEN_MAX + 1];
static size_t token_size;
static struct ates_source source;
static uint64_t seed;

static void setup(void)
{
    cr_assert_geq(sodium_init(), 0);
    seed = seed_start();
    source = ates_source_system();
    temp_folder_make(dir);
    cr_assert_eq(ates_keys_create(dir, error, sizeof error), 0, "%s", error);
    cr_assert_eq(ates_keys_load_secret(dir, ATES_KEY_USERS, &users_key, error, sizeof error), 0);
    cr_assert_eq(ates_keys_load_secret(dir, ATES_KEY_SERVICES, &services_key, error, sizeof error),
                 0);
    users_key.dir[0] = services_key.dir[0] = '\0'; /* forgeries are signed with what is here */
    keyring = ates_keyring_load(dir, error, sizeof error);
    cr_assert_not_null(keyring, "%s", error);
    user = (struct ates_claims){.user_id = 42,
                                .role = ATES_DEVELOPER,
                                .login = "popug.42",
                                .sid = "0b4cf1a5-55b6-4d7e-8a44-1f8e1d0f3a77",
                                .issued_at = NOW_MS,
                                .not_before = NOW_MS,
                                .expires_at = NOW_MS + 15 * MINUTE_MS};
    cr_assert_eq(ates_token_sign(&users_key, &source, &user, token), 0);
    token_size = strlen(token);
}

static void teardown(void)
{
    ates_keyring_free(&keyring);
    cr_assert_null(keyring);
    temp_folder_remove(dir);
}

static void assert_refused(const char *text, size_t size, int64_t now_ms, const char *reason)
{
    struct ates_claims claims, before;
    struct ates_refusal refusal = {0};

    memset(&claims, 0xa5, sizeof claims);
    before = claims;
    const int r = ates_token_verify(keyring, text, size, now_ms, false, &claims, &refusal);
    cr_assert_eq(r, ATES_UNAUTHENTICATED, "accepted: %.*s", (int)size, text);
    cr_assert_eq(refusal.status, ATES_UNAUTHENTICATED);
    cr_assert_str_eq(refusal.reason, reason, "%s instead of %s: %.*s", refusal.reason, reason,
                     (int)size, text);
    cr_assert_str_not_empty(refusal.message);
    cr_assert_eq(memcmp(&claims, &before, sizeof claims), 0, "claims touched by a refused token");
}

static void assert_invalid(const char *text)
{
    assert_refused(text, strlen(text), NOW_MS, "TOKEN_INVALID");
}

static void assert_same_claims(const struct ates_claims *a, const struct ates_claims *b)
{
    cr_assert_eq(a->user_id, b->user_id);
    cr_assert_eq(a->role, b->role);
    cr_assert_str_eq(a->login, b->login);
    cr_assert_str_eq(a->sid, b->sid);
    cr_assert_str_eq(a->jti, b->jti);
    cr_assert_eq(a->issued_at, b->issued_at);
    cr_assert_eq(a->not_before, b->not_before);
    cr_assert_eq(a->expires_at, b->expires_at);
}

static int verify(const char *text, int64_t now_ms, struct ates_claims *claims)
{
    return ates_token_verify(keyring, text, strlen(text), now_ms, false, claims, NULL);
}

/* Signs any message and footer whatever with a key of ours. */
static const char *forge(const struct ates_secret_key *key, const char *message, const char *footer)
{
    static char forged[8192];

    cr_assert_eq(ates_paseto_sign(key->secret, message, strlen(message), footer, strlen(footer),
                                  NULL, 0, forged, sizeof forged),
                 0);
    return forged;
}

static const char *footer_of(const char *kid)
{
    static char footer[128];

    snprintf(footer, sizeof footer, "{\"kid\":\"%s\"}", kid);
    return footer;
}

/* The good claims of a user, one member a row; a test swaps one. */
static const char *const members[][2] = {
    {"iss", "\"ates\""},
    {"aud", "\"ates\""},
    {"sub", "\"42\""},
    {"role", "\"developer\""},
    {"login", "\"popug.42\""},
    {"sid", "\"s\""},
    {"jti", "\"j\""},
    {"iat", "\"2026-11-22T13:53:00.123Z\""},
    {"nbf", "\"2026-11-22T13:53:00.123Z\""},
    {"exp", "\"2026-11-22T14:08:00.123Z\""},
};
#define MEMBER_COUNT (sizeof members / sizeof members[0])

/* A token of auth's key with member NAME's JSON swapped (NULL: left out). */
static const char *with_member(const char *name, const char *json)
{
    char message[6144] = "{";
    bool found = false;

    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        const bool swapped = strcmp(members[i][0], name) == 0;
        const char *value = swapped ? json : members[i][1];
        const size_t used = strlen(message);
        found = found || swapped;
        if (value != NULL) {
            snprintf(message + used, sizeof message - used, "%s\"%s\":%s", used > 1 ? "," : "",
                     members[i][0], value);
        }
    }
    cr_assert(found || *name == '\0');
    strcat(message, "}");
    return forge(&users_key, message, footer_of(users_key.kid));
}

TestSuite(token, .init = setup, .fini = teardown);

static void draw_sevens(void *context, void *out, size_t size)
{
    (void)context;
    memset(out, 7, size);
}

Test(token, claims_come_back_as_signed)
{
    const struct ates_source sevens = {.random = draw_sevens};
    char jti[ATES_UUID_SIZE];
    struct ates_claims claims;

    cr_assert_eq(strlen(user.jti), 36);
    cr_assert_eq(verify(token, NOW_MS, &claims), 0);
    assert_same_claims(&claims, &user);

    cr_assert_eq(ates_token_sign(&users_key, &sevens, &user, token), 0);
    ates_uuid7(&sevens, user.issued_at, jti);
    cr_assert_str_eq(user.jti, jti, "drawn from the source");

    struct ates_claims service = {.role = ATES_INTERNALSERVICE,
                                  .login = "payment",
                                  .issued_at = NOW_MS - 1,
                                  .not_before = 0,
                                  .expires_at = INT64_C(253402300799999)};
    cr_assert_eq(ates_token_sign(&services_key, &source, &service, token), 0);
    cr_assert_eq(verify(token, NOW_MS, &claims), 0);
    assert_same_claims(&claims, &service);
}

Test(token, sign_refuses_what_verify_would)
{
    char untouched[ATES_TOKEN_MAX + 1] = "#";
    struct ates_claims claims;

#define ASSERT_UNSIGNED(KEY, CHANGE)                                                               \
    do {                                                                                           \
        claims = user;                                                                             \
        claims.jti[0] = '\0';                                                                      \
        CHANGE;                                                                                    \
        cr_assert_eq(ates_token_sign(KEY, &source, &claims, untouched), -EINVAL, #CHANGE);         \
        cr_assert_eq(untouched[0], '#');                                                           \
        cr_assert_eq(claims.jti[0], '\0');                                                         \
    } while (0)
    ASSERT_UNSIGNED(&users_key, claims.user_id = 0);
    ASSERT_UNSIGNED(&users_key, claims.user_id = UINT64_MAX);
    ASSERT_UNSIGNED(&users_key, claims.role = ATES_ROLE_COUNT);
    ASSERT_UNSIGNED(&users_key, claims.role = (enum ates_role) - 1);
    ASSERT_UNSIGNED(&users_key, claims.issued_at = -1);
    ASSERT_UNSIGNED(&users_key, claims.not_before = INT64_MIN);
    ASSERT_UNSIGNED(&users_key, claims.expires_at = INT64_C(253402300800000));
    ASSERT_UNSIGNED(&users_key, strcpy(claims.login, "\xff"));
    ASSERT_UNSIGNED(&services_key, claims.user_id = 0);
    ASSERT_UNSIGNED(&services_key, claims.role = ATES_INTERNALSERVICE);
}

/* Each position takes a wrong base64url character and two that are none; the last character of each
 * part takes them all, as there the bits that decode to nothing could hide. */
Test(token, altered_at_any_position)
{
    char altered[ATES_TOKEN_MAX + 1];

    for (size_t i = 0; i < token_size; i++) {
        const bool last = i + 1 == token_size || token[i + 1] == '.';
        for (const char *c = BASE64_ALPHABET ".=+/ \n"; *c != '\0'; c++) {
            const bool none = strchr(BASE64_ALPHABET, *c) == NULL;
            if (*c == token[i] || (!last && !none && seed_draw(&seed, 64) != 0)) {
                continue;
            }
            strcpy(altered, token);
            altered[i] = *c;
            assert_invalid(altered);
        }
        strcpy(altered, token);
        altered[i] = '\0';
        assert_refused(altered, token_size, NOW_MS, "TOKEN_INVALID");
    }
}

Test(token, truncated_and_extended)
{
    char longer[2 * ATES_TOKEN_MAX + 8];

    for (size_t size = 0; size < token_size; size++) {
        assert_refused(token, size, NOW_MS, "TOKEN_INVALID");
        assert_refused(token + token_size - size, size, NOW_MS, "TOKEN_INVALID");
    }
    for (const char *c = BASE64_ALPHABET ".= \n"; *c != '\0'; c++) {
        snprintf(longer, sizeof longer, "%s%c", token, *c);
        assert_invalid(longer);
        snprintf(longer, sizeof longer, "%c%s", *c, token);
        assert_invalid(longer);
    }
    assert_refused(token, token_size + 1, NOW_MS, "TOKEN_INVALID");
    snprintf(longer, sizeof longer, "%s.", token);
    assert_invalid(longer);
    snprintf(longer, sizeof longer, "%s.%s", token, token);
    assert_invalid(longer);
}

Test(token, other_headers)
{
    static const char *const headers[] = {"v4.local.",  "v3.public.", "v2.public.", "V4.public.",
                                          "v4.Public.", "v4public.",  "v4.public",  ""};
    char other[ATES_TOKEN_MAX + 16];

    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        snprintf(other, sizeof other, "%s%s", headers[i], token + strlen("v4.public."));
        assert_invalid(other);
    }
}

Test(token, wrong_key_and_unknown_kid)
{
    struct ates_secret_key stranger = {.purpose = ATES_KEY_USERS};
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
    char foreign[ATES_TOKEN_MAX + 1];

    crypto_sign_keypair(public_key, stranger.secret);
    ates_key_id(public_key, stranger.kid);
    cr_assert_eq(ates_token_sign(&stranger, &source, &user, foreign), 0);
    assert_invalid(foreign);

    strcpy(stranger.kid, users_key.kid);
    cr_assert_eq(ates_token_sign(&stranger, &source, &user, foreign), 0);
    assert_invalid(foreign);

    /* Auth's kid on the services' signature, and the reverse. */
    struct ates_secret_key crossed = services_key;
    strcpy(crossed.kid, users_key.kid);
    crossed.purpose = ATES_KEY_USERS;
    cr_assert_eq(ates_token_sign(&crossed, &source, &user, foreign), 0);
    assert_invalid(foreign);
    crossed = users_key;
    strcpy(crossed.kid, services_key.kid);
    cr_assert_eq(ates_token_sign(&crossed, &source, &user, foreign), 0);
    assert_invalid(foreign);
}

Test(token, services_key_asserts_nobody_else)
{
    char forged[ATES_TOKEN_MAX + 1];
    struct ates_secret_key posing = services_key;

    posing.purpose = ATES_KEY_USERS; /* so that sign does not stop it */
    for (int role = 0; role < ATES_ROLE_COUNT; role++) {
        struct ates_claims claims = user;
        claims.role = (enum ates_role)role;
        cr_assert_eq(ates_token_sign(&posing, &source, &claims, forged), 0);
        assert_invalid(forged);
    }
    posing = users_key;
    posing.purpose = ATES_KEY_SERVICES;
    struct ates_claims nobody = user;
    nobody.role = ATES_INTERNALSERVICE;
    nobody.user_id = 0;
    cr_assert_eq(ates_token_sign(&posing, &source, &nobody, forged), 0);
    assert_invalid(forged);
}

Test(token, footers)
{
    static const char good[] =
        "{\"iss\":\"ates\",\"aud\":\"ates\",\"sub\":\"42\",\"role\":\"developer\","
        "\"login\":\"popug.42\",\"sid\":\"s\",\"jti\":\"j\",\"iat\":\"2026-11-22T13:53:00Z\","
        "\"nbf\":\"2026-11-22T13:53:00Z\",\"exp\":\"2026-11-22T14:08:00Z\"}";
    struct ates_claims claims;
    char footer[1024], padding[512];

    snprintf(footer, sizeof footer, "{ \"kid\": \"%s\", \"other\": 1 }", users_key.kid);
    cr_assert_eq(verify(forge(&users_key, good, footer), NOW_MS, &claims), 0);

    assert_invalid(forge(&users_key, good, ""));
    assert_invalid(forge(&users_key, good, users_key.kid));
    assert_invalid(forge(&users_key, good, "{}"));
    assert_invalid(forge(&users_key, good, "{\"kid\":null}"));
    assert_invalid(forge(&users_key, good, "{\"kid\":\"\"}"));
    snprintf(footer, sizeof footer, "[\"%s\"]", users_key.kid);
    assert_invalid(forge(&users_key, good, footer));
    snprintf(footer, sizeof footer, "{\"kid\":\"%s\",\"kid\":\"%s\"}", users_key.kid,
             users_key.kid);
    assert_invalid(forge(&users_key, good, footer));
    snprintf(footer, sizeof footer, "{\"kid\":\"%s\\u0000\"}", users_key.kid);
    assert_invalid(forge(&users_key, good, footer));
    memset(padding, ' ', sizeof padding - 1);
    padding[sizeof padding - 1] = '\0';
    snprintf(footer, sizeof footer, "{\"kid\":\"%s\"%s}", users_key.kid, padding);
    assert_invalid(forge(&users_key, good, footer));
    memset(padding, '[', 200);
    padding[200] = '\0';
    assert_invalid(forge(&users_key, good, padding));
}

/* The whole of what a claim may be is test_claims.c's. */
Test(token, bad_claims)
{
    static const char *const wrong[][2] = {{"iss", "\"other\""}, {"aud", "\"other\""},
                                           {"sub", "\"0\""},     {"sub", "\"-42\""},
                                           {"role", "\"root\""}, {"exp", "\"tomorrow\""}};
    struct ates_claims claims;
    char repeated[256];

    cr_assert_eq(verify(with_member("", NULL), NOW_MS, &claims), 0);
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        assert_invalid(with_member(members[i][0], NULL));
        assert_invalid(with_member(members[i][0], "42"));
        snprintf(repeated, sizeof repeated, "%s,\"%s\":%s", members[i][1], members[i][0],
                 members[i][1]);
        assert_invalid(with_member(members[i][0], repeated));
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_invalid(with_member(wrong[i][0], wrong[i][1]));
    }
    assert_invalid(forge(&users_key, "", footer_of(users_key.kid)));
    assert_invalid(forge(&users_key, "[]", footer_of(users_key.kid)));
}

Test(token, huge)
{
    char *huge = malloc(1u << 20);

    cr_assert_not_null(huge);
    memset(huge, 'A', 1u << 20);
    memcpy(huge, "v4.public.", 10);
    assert_refused(huge, 1u << 20, NOW_MS, "TOKEN_INVALID");
    assert_refused(huge, ATES_TOKEN_MAX + 1, NOW_MS, "TOKEN_INVALID");
    assert_refused(huge, ATES_TOKEN_MAX, NOW_MS, "TOKEN_INVALID");
    free(huge);

    /* Good in all but its size; the longest still taken, too. */
    char claim[4096];
    struct ates_claims claims;
    bool taken = false, refused = false;
    for (size_t padding = 1000; padding < 1400; padding++) {
        snprintf(claim, sizeof claim, "\"j\",\"x\":\"%0*d\"", (int)padding, 0);
        const char *text = with_member("jti", claim);
        if (strlen(text) <= ATES_TOKEN_MAX) {
            cr_assert_eq(verify(text, NOW_MS, &claims), 0);
            taken = true;
        } else {
            assert_invalid(text);
            refused = true;
        }
    }
    cr_assert(taken && refused);
}

/* The same answers on the first check (a miss) and on the later ones (hits), at every edge of time.
 */
Test(token, times_are_checked_cached_or_not)
{
    const int64_t end = user.expires_at;
    struct ates_claims claims;

    for (int round = 0; round < 3; round++) {
        for (int hits = 0; hits < 2; hits++) {
            cr_assert_eq(verify(token, NOW_MS - 5000, &claims), 0);
            cr_assert_eq(verify(token, NOW_MS, &claims), 0);
            cr_assert_eq(verify(token, end - 1, &claims), 0);
            assert_same_claims(&claims, &user);
        }
        assert_refused(token, token_size, end, "TOKEN_EXPIRED");
        assert_refused(token, token_size, end, "TOKEN_EXPIRED");
        assert_refused(token, token_size, INT64_MAX, "TOKEN_EXPIRED");
        cr_assert_eq(verify(token, NOW_MS, &claims), 0);
        assert_refused(token, token_size, NOW_MS - 5001, "TOKEN_INVALID");
        assert_refused(token, token_size, NOW_MS - 5001, "TOKEN_INVALID");
        assert_refused(token, token_size, INT64_MIN, "TOKEN_INVALID");
    }
    cr_assert_eq(verify(with_member("nbf", "\"2026-11-22T13:53:05.123Z\""), NOW_MS, &claims), 0);
    assert_invalid(with_member("nbf", "\"2026-11-22T13:53:05.124Z\""));
    /* iat is the issuer's log time, which stands still while its clock is behind. */
    cr_assert_eq(verify(with_member("iat", "\"2026-11-23T13:53:05.123Z\""), NOW_MS, &claims), 0);
}

/* A cached token must not let its altered kin in. */
Test(token, cached_token_altered)
{
    char altered[ATES_TOKEN_MAX + 1];
    struct ates_claims claims;

    cr_assert_eq(verify(token, NOW_MS, &claims), 0);
    for (size_t i = 0; i < token_size; i += 7) {
        strcpy(altered, token);
        altered[i] = altered[i] == 'A' ? 'B' : 'A';
        assert_invalid(altered);
        cr_assert_eq(verify(token, NOW_MS, &claims), 0);
    }
}

/* Three times more tokens than the cache holds, in random order: an evicted one is verified anew,
 * and every one brings its own claims. */
Test(token, eviction_stays_correct, .timeout = 120)
{
    enum { TOKENS = 3 * 4096, CHECKS = 2 * TOKENS };
    char **tokens = calloc(TOKENS, sizeof *tokens);

    for (size_t i = 0; i < TOKENS; i++) {
        struct ates_claims claims = user;
        claims.user_id = i + 1;
        claims.role = i % 2 == 0 ? ATES_MANAGER : ATES_BOSS;
        claims.expires_at = NOW_MS + (i % 3 == 0 ? 1 : MINUTE_MS);
        cr_assert_eq(ates_token_sign(&users_key, &source, &claims, token), 0);
        tokens[i] = strdup(token);
    }
    for (size_t n = 0; n < CHECKS; n++) {
        /* Most draws fall on a few, so that there are hits among the misses. */
        const size_t i = seed_draw(&seed, 2) == 0 ? seed_draw(&seed, 64) : seed_draw(&seed, TOKENS);
        struct ates_claims claims;
        const bool late = seed_draw(&seed, 8) == 0;
        if (late && i % 3 == 0) {
            assert_refused(tokens[i], strlen(tokens[i]), NOW_MS + 1, "TOKEN_EXPIRED");
            continue;
        }
        cr_assert_eq(verify(tokens[i], NOW_MS + late, &claims), 0);
        cr_assert_eq(claims.user_id, i + 1);
        cr_assert_eq(claims.role, i % 2 == 0 ? ATES_MANAGER : ATES_BOSS);
    }
    for (size_t i = 0; i < TOKENS; i++) {
        free(tokens[i]);
    }
    free(tokens);
}

/* The figure is printed; only that hits skip the signature is asserted, as that holds on any
 * machine. */
Test(token, second_check_is_cheap)
{
    enum { RUNS = 20000 };
    struct ates_claims claims;

    int64_t start = ates_monotonic_us();
    for (int i = 0; i < 20; i++) {
        assert_refused(token, token_size, user.expires_at, "TOKEN_EXPIRED");
    }
    const double miss_ns = (double)(ates_monotonic_us() - start) * 1000 / 20;
    cr_assert_eq(verify(token, NOW_MS, &claims), 0);
    start = ates_monotonic_us();
    for (int i = 0; i < RUNS; i++) {
        if (ates_token_verify(keyring, token, token_size, NOW_MS, false, &claims, NULL) != 0) {
            cr_assert_fail("a cached token was refused");
        }
    }
    const double hit_ns = (double)(ates_monotonic_us() - start) * 1000 / RUNS;
    fprintf(stderr, "a token of %zu bytes: first check %.0f ns, later ones %.0f ns\n", token_size,
            miss_ns, hit_ns);
    cr_assert_lt(hit_ns * 5, miss_ns);
}
