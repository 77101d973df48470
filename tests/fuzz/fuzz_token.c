/* Tokens: claims, PASETO, PASERK and traceparents. The first byte of an input chooses what the rest is.
 * Claims are signed here with a key of the keyring, so that what is behind a good signature is reached
 * too; a token is good only if it is the one that its key would have written. */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/claims.h"
#include "core/token.h"
#include "core/trace.h"
#include "support/sample.h"

#define NOW_MS INT64_C(1795355580123) /* 2026-11-22T13:53:00.123Z */
#define SKEW_MS 5000                  /* PROTOCOL.md section 5 */
#define PART_MAX 512u                 /* bytes of a message, footer or assertion to sign */

enum kind { CLAIMS, TOKEN, LAYER, KEYRING, TRACE, KIND_COUNT };

static struct ates_keyring *keyring;
static struct ates_secret_key keys[2]; /* of users, of services */
static char keys_folder[128], read_folder[128];
static int read_keyring = -1; /* the file that KEYRING inputs become */

static void make_key(struct ates_secret_key *key, enum ates_key_purpose purpose, char *line,
                     size_t size)
{
    uint8_t seed[crypto_sign_SEEDBYTES], public_key[crypto_sign_PUBLICKEYBYTES];
    char text[64];

    memset(seed, (int)purpose, sizeof seed);
    crypto_sign_seed_keypair(public_key, key->secret, seed);
    key->purpose = purpose;
    ates_key_id(public_key, key->kid);
    sodium_bin2base64(text, sizeof text, public_key, sizeof public_key,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    snprintf(line, size, "%s %s %s\n", key->kid, ates_key_kinds[purpose].word, text);
}

static int make_file(char *folder, size_t size, const char *name)
{
    char path[256];

    snprintf(folder, size, "%s/%s", fuzz_folder(), name);
    snprintf(path, sizeof path, "%s/keyring", folder);
    fuzz_require(mkdir(folder, 0700) == 0);
    const int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    fuzz_require(descriptor >= 0);
    return descriptor;
}

static void start(void)
{
    char line[256], error[256];

    fuzz_require(sodium_init() >= 0);
    const int descriptor = make_file(keys_folder, sizeof keys_folder, "keys");
    read_keyring = make_file(read_folder, sizeof read_folder, "read");
    for (int i = 0; i < 2; i++) {
        make_key(&keys[i], i == 0 ? ATES_KEY_USERS : ATES_KEY_SERVICES, line, sizeof line);
        fuzz_require(write(descriptor, line, strlen(line)) == (ssize_t)strlen(line));
    }
    close(descriptor);
    keyring = ates_keyring_load(keys_folder, error, sizeof error);
    fuzz_require(keyring != NULL);
}

/* Whether the key may say this, and now is within it: PROTOCOL.md section 5. */
static bool is_good(const struct ates_claims *claims, const struct ates_secret_key *key)
{
    const bool may_say = key->purpose == ATES_KEY_USERS
                             ? claims->user_id != 0
                             : claims->user_id == 0 && claims->role == ATES_INTERNALSERVICE;

    return may_say && claims->not_before <= NOW_MS + SKEW_MS && claims->expires_at > NOW_MS;
}

static void sign(const struct ates_secret_key *key, const void *message, size_t size, char *token,
                 size_t capacity)
{
    char footer[128];
    const int footer_size = snprintf(footer, sizeof footer, "{\"kid\":\"%s\"}", key->kid);

    fuzz_require(ates_paseto_sign(key->secret, message, size, footer, (size_t)footer_size, NULL, 0,
                                  token, capacity) == 0);
}

static void check_same(const struct ates_claims *a, const struct ates_claims *b)
{
    fuzz_require(a->user_id == b->user_id && a->role == b->role);
    fuzz_require(strcmp(a->login, b->login) == 0 && strcmp(a->sid, b->sid) == 0 &&
                 strcmp(a->jti, b->jti) == 0);
    fuzz_require(a->issued_at == b->issued_at && a->not_before == b->not_before &&
                 a->expires_at == b->expires_at);
}

static void run_claims(struct fuzz_input *input)
{
    const struct ates_secret_key *key = &keys[fuzz_byte(input) & 1];
    struct ates_claims claims, again, verified;
    struct ates_refusal refusal = {.status = ATES_OK};
    char json[ATES_TOKEN_MAX], token[2 * ATES_TOKEN_MAX];
    size_t size;

    if (ates_claims_decode(input->at, input->left, &claims) != 0) {
        return;
    }
    fuzz_require(claims.user_id <= (uint64_t)ATES_INTEGER_MAX && claims.role < ATES_ROLE_COUNT);
    /* A time may lie beyond the years that are written. */
    if (ates_claims_encode(&claims, json, sizeof json, &size) == 0) {
        fuzz_require(ates_claims_decode(json, size, &again) == 0);
        check_same(&claims, &again);
    }
    if (input->left > ATES_TOKEN_MAX / 2) {
        return;
    }
    sign(key, input->at, input->left, token, sizeof token);
    const int r =
        ates_token_verify(keyring, token, strlen(token), NOW_MS, false, &verified, &refusal);
    fuzz_require((r == 0) == is_good(&claims, key));
    if (r == 0) {
        check_same(&claims, &verified);
    } else {
        fuzz_check_refusal(&refusal, r);
    }
}

static void run_token(struct fuzz_input *input)
{
    const char *token = (const char *)input->at;
    struct ates_claims claims;
    struct ates_refusal refusal = {.status = ATES_OK};
    uint8_t message[ATES_TOKEN_MAX], footer[ATES_TOKEN_MAX];
    char again[ATES_TOKEN_MAX + 1];
    size_t message_size, footer_size;

    const int r = ates_token_verify(keyring, token, input->left, NOW_MS, false, &claims, &refusal);
    if (r != 0) {
        fuzz_require(r == ATES_UNAUTHENTICATED);
        fuzz_check_refusal(&refusal, r);
        return;
    }
    const struct ates_secret_key *key =
        &keys[claims.role == ATES_INTERNALSERVICE && claims.user_id == 0];
    const uint8_t *public_key = key->secret + crypto_sign_SEEDBYTES;
    fuzz_require(is_good(&claims, key));
    fuzz_require(ates_paseto_verify(public_key, token, input->left, NULL, 0, message, &message_size,
                                    footer, &footer_size) == 0);
    fuzz_require(ates_paseto_sign(key->secret, message, message_size, footer, footer_size, NULL, 0,
                                  again, sizeof again) == 0);
    fuzz_require(strlen(again) == input->left && memcmp(again, token, input->left) == 0);
}

/* The bare layer: what was signed is verified, and nothing else is. */
static void run_layer(struct fuzz_input *input)
{
    const struct ates_secret_key *key = &keys[0];
    const uint8_t *public_key = key->secret + crypto_sign_SEEDBYTES;
    const unsigned flip = fuzz_byte(input) << 8 | fuzz_byte(input);
    const struct ates_bytes message = fuzz_bytes(input, fuzz_byte(input));
    const struct ates_bytes footer = fuzz_bytes(input, fuzz_byte(input));
    const struct ates_bytes implicit = fuzz_bytes(input, PART_MAX);
    char token[2 * ATES_TOKEN_MAX];
    uint8_t out[2 * ATES_TOKEN_MAX], footer_out[2 * ATES_TOKEN_MAX];
    size_t size, footer_size;

    fuzz_require(ates_paseto_sign(key->secret, message.data, message.size, footer.data, footer.size,
                                  implicit.data, implicit.size, token, sizeof token) == 0);
    const size_t token_size = strlen(token);
    fuzz_require(ates_paseto_verify(public_key, token, token_size, implicit.data, implicit.size,
                                    out, &size, footer_out, &footer_size) == 0);
    fuzz_require(size == message.size && footer_size == footer.size);
    fuzz_require(memcmp(out, message.data, size) == 0 &&
                 memcmp(footer_out, footer.data, footer_size) == 0);
    token[flip % token_size] ^= (char)(1u << (flip >> 13));
    fuzz_require(ates_paseto_verify(public_key, token, token_size, implicit.data, implicit.size,
                                    out, &size, footer_out, &footer_size) == -EINVAL);
}

static void run_keyring(struct fuzz_input *input)
{
    struct ates_public_key read[ATES_KEYS_MAX];
    char error[256] = "", kid[ATES_KID_SIZE];
    size_t count = 0;

    fuzz_require(ftruncate(read_keyring, 0) == 0);
    fuzz_require(pwrite(read_keyring, input->at, input->left, 0) == (ssize_t)input->left);
    if (ates_keys_load_public(read_folder, read, &count, error, sizeof error) != 0) {
        fuzz_require(fuzz_is_line(error) && strstr(error, "keyring") != NULL);
        return;
    }
    fuzz_require(count >= 1 && count <= ATES_KEYS_MAX);
    for (size_t i = 0; i < count; i++) {
        ates_key_id(read[i].bytes, kid);
        fuzz_require(strcmp(kid, read[i].kid) == 0);
        fuzz_require(read[i].purpose == ATES_KEY_USERS || read[i].purpose == ATES_KEY_SERVICES);
    }
}

static void run_trace(struct fuzz_input *input)
{
    const struct ates_text text = {(const char *)input->at, input->left};
    char id[ATES_TRACE_ID_SIZE];

    const bool is_valid = ates_trace_is_valid(text);
    fuzz_require(ates_trace_id(text, id) == is_valid);
    fuzz_require(is_valid || (id[0] == '\0' && !ates_trace_is_sampled(text)));
    fuzz_require(!is_valid || (strspn(id, "0123456789abcdef") == 32 && strspn(id, "0") < 32 &&
                               memcmp(text.data + 3, id, 32) == 0));
}

/* Claims that are good, with random ones among them, as an input. */
static size_t make_input(uint64_t *state, uint8_t *data, size_t max_size)
{
    struct ates_claims claims = {.user_id = sample_number(state) >> sample_below(state, 40),
                                 .role = (enum ates_role)sample_below(state, ATES_ROLE_COUNT),
                                 .login = "popug.42",
                                 .sid = "0b4cf1a5-55b6-4d7e-8a44-1f8e1d0f3a77",
                                 .jti = "0b4cf1a5-55b6-4d7e-8a44-1f8e1d0f3a78",
                                 .issued_at = NOW_MS,
                                 .not_before = NOW_MS + (int64_t)sample_below(state, 10000),
                                 .expires_at = NOW_MS + (int64_t)sample_below(state, 900000)};
    const size_t which = sample_below(state, 2);
    char json[ATES_TOKEN_MAX], token[2 * ATES_TOKEN_MAX];
    size_t size;

    if (which == 1) {
        claims.user_id = 0;
        claims.role = ATES_INTERNALSERVICE;
    }
    fuzz_require(ates_claims_encode(&claims, json, sizeof json, &size) == 0);
    sign(&keys[which], json, size, token, sizeof token);
    const bool is_token = sample_coin(state);
    const size_t head = is_token ? 1 : 2;
    const size_t text_size = is_token ? strlen(token) : size;
    if (head + text_size > max_size) {
        return 0;
    }
    data[0] = is_token ? TOKEN : CLAIMS;
    data[1] = (uint8_t)which;
    memcpy(data + head, is_token ? token : json, text_size);
    return head + text_size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    uint64_t state = seed;

    if (keyring == NULL) {
        start();
    }
    if (sample_below(&state, 256) == 0) {
        const size_t made = make_input(&state, data, max_size);

        if (made > 0) {
            return made;
        }
    }
    return LLVMFuzzerMutate(data, size, max_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const runs[KIND_COUNT])(struct fuzz_input *) = {
        [CLAIMS] = run_claims,   [TOKEN] = run_token, [LAYER] = run_layer,
        [KEYRING] = run_keyring, [TRACE] = run_trace,
    };
    struct fuzz_input input = {data, size};

    if (keyring == NULL) {
        start();
    }
    if (size > 0) {
        runs[fuzz_byte(&input) % KIND_COUNT](&input);
    }
    return 0;
}
