/* Passwords; see auth_password.h. */
#include "auth/auth_password.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "auth/auth_memory.h"

_Static_assert(sizeof((struct auth_password_output *)NULL)->made >= crypto_pwhash_STRBYTES,
               "a hash fits");

#define RESULT_SIZE 32u /* crypto_pwhash_str's */
#define BASE64 sodium_base64_VARIANT_ORIGINAL_NO_PADDING

static int make_hash(const char *password, size_t size, char hash[AUTH_HASH_MAX + 1])
{
    return crypto_pwhash_str(hash, password, size, AUTH_HASH_OPERATIONS, AUTH_HASH_MEMORY) == 0
               ? 0
               : -ENOMEM;
}

/* A hash as text, taken apart (PHC string format; all of ours are of these sizes and one lane). */
struct parts {
    unsigned memory_kib, operations;
    uint8_t salt[crypto_pwhash_SALTBYTES];
    uint8_t result[RESULT_SIZE];
};

static bool from_base64(const char *text, uint8_t *out, size_t size)
{
    size_t got;

    return sodium_base642bin(out, size, text, strlen(text), NULL, &got, NULL, BASE64) == 0 &&
           got == size;
}

static bool take_apart(const char *hash, struct parts *parts)
{
    char salt[32], result[64];

    return sscanf(hash, "$argon2id$v=19$m=%10u,t=%10u,p=1$%31[^$]$%63s", &parts->memory_kib,
                  &parts->operations, salt, result) == 4 &&
           from_base64(salt, parts->salt, sizeof parts->salt) &&
           from_base64(result, parts->result, sizeof parts->result);
}

/* Whether given is the password that hash was made of. crypto_pwhash_str_verify would tell too
 * little memory as a wrong password. */
static int check_hash(const char *hash, const char *given, size_t size, bool *matches)
{
    struct parts parts;
    uint8_t result[RESULT_SIZE];

    if (!take_apart(hash, &parts)) {
        return -EBADMSG;
    }
    if (crypto_pwhash(result, sizeof result, given, size, parts.salt, parts.operations,
                      (size_t)parts.memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0) {
        return -ENOMEM;
    }
    *matches = sodium_memcmp(result, parts.result, sizeof result) == 0;
    sodium_memzero(result, sizeof result);
    return 0;
}

static void run(const void *work_input, void *work_output, const atomic_bool *stopping)
{
    (void)stopping; /* a hash takes well below a second */
    const struct auth_password_input *input = work_input;
    struct auth_password_output *output = work_output;

    *output = (struct auth_password_output){.matches = true};
    if (input->hash[0] != '\0') {
        memcpy(output->checked, input->hash, sizeof output->checked);
        output->fault = check_hash(input->hash, input->given, input->given_size, &output->matches);
    }
    if (output->fault == 0 && output->matches && input->wanted_size > 0) {
        output->fault = make_hash(input->wanted, input->wanted_size, output->made);
    }
}

const struct ates_work auth_password_work = {
    .name = "password",
    .run = run,
    .input_size = sizeof(struct auth_password_input),
    .output_size = sizeof(struct auth_password_output),
};

/* The message's table bounds a password in characters, of at most four bytes each. */
static size_t copy_password(struct ates_text password, char out[AUTH_PASSWORD_MAX * 4])
{
    assert(password.size <= AUTH_PASSWORD_MAX * 4);
    if (password.size > 0) {
        memcpy(out, password.data, password.size);
    }
    return password.size;
}

int auth_password_defer(struct ates_call *call, struct ates_text hash, struct ates_text given,
                        struct ates_text wanted)
{
    struct auth_password_input input = {.given_size = 0};

    assert(hash.size < sizeof input.hash);
    if (hash.size > 0) {
        memcpy(input.hash, hash.data, hash.size);
    }
    input.given_size = copy_password(given, input.given);
    input.wanted_size = copy_password(wanted, input.wanted);
    int r = ates_defer(call, &auth_password_work, &input);
    sodium_memzero(&input, sizeof input);
    return r;
}

int auth_password_check(struct ates_call *call, const char *field, struct ates_text password,
                        struct ates_text login, struct ates_text email)
{
    const struct auth_memory *memory = call->domain;

    if (!auth_guess_finds(memory->guess, password, login, email)) {
        return 0;
    }
    return ates_refuse_field(call, ATES_INVALID_ARGUMENT, "PASSWORD_GUESSABLE", field,
                             "this password is one of the first to be guessed");
}

void auth_password_unknown(char hash[AUTH_HASH_MAX + 1])
{
    unsigned char salt[crypto_pwhash_SALTBYTES], result[RESULT_SIZE];
    char salt_text[32], result_text[64];

    randombytes_buf(salt, sizeof salt);
    randombytes_buf(result, sizeof result);
    sodium_bin2base64(salt_text, sizeof salt_text, salt, sizeof salt, BASE64);
    sodium_bin2base64(result_text, sizeof result_text, result, sizeof result, BASE64);
    snprintf(hash, AUTH_HASH_MAX + 1, "$argon2id$v=19$m=%u,t=%u,p=1$%s$%s", AUTH_HASH_MEMORY / 1024,
             AUTH_HASH_OPERATIONS, salt_text, result_text);
}
