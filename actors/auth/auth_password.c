/* Passwords; see auth_password.h. */
#include "auth/auth_password.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

_Static_assert(sizeof((struct auth_password_output *)NULL)->made >= crypto_pwhash_STRBYTES,
               "a hash fits");

static int make_hash(const char *password, size_t size, char hash[AUTH_HASH_MAX + 1])
{
    return crypto_pwhash_str(hash, password, size, AUTH_HASH_OPERATIONS, AUTH_HASH_MEMORY) == 0
               ? 0
               : -ENOMEM;
}

static void run(const void *work_input, void *work_output)
{
    const struct auth_password_input *input = work_input;
    struct auth_password_output *output = work_output;

    *output = (struct auth_password_output){.matches = true};
    if (input->hash[0] != '\0') {
        memcpy(output->checked, input->hash, sizeof output->checked);
        output->matches =
            crypto_pwhash_str_verify(input->hash, input->given, input->given_size) == 0;
    }
    if (output->matches && input->wanted_size > 0) {
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

void auth_password_unknown(char hash[AUTH_HASH_MAX + 1])
{
    unsigned char salt[16], result[32];
    char salt_text[32], result_text[64];

    randombytes_buf(salt, sizeof salt);
    randombytes_buf(result, sizeof result);
    sodium_bin2base64(salt_text, sizeof salt_text, salt, sizeof salt,
                      sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    sodium_bin2base64(result_text, sizeof result_text, result, sizeof result,
                      sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    snprintf(hash, AUTH_HASH_MAX + 1, "$argon2id$v=19$m=%u,t=%u,p=1$%s$%s", AUTH_HASH_MEMORY / 1024,
             AUTH_HASH_OPERATIONS, salt_text, result_text);
}
