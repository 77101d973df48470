/* Passwords: the work that hashes and checks them, and what it costs an attacker. */
#include "auth/auth_password.h"
#include "core/random.h"
#include "support/scarce_memory.h"

#include <errno.h>
#include <string.h>

#include <inttypes.h>

#include <criterion/criterion.h>
#include <sodium.h>

static void set(size_t *size, char *out, const char *password)
{
    *size = strlen(password);
    memcpy(out, password, *size);
}

Test(auth_password, hashes_at_the_designed_cost_and_checks)
{
    struct auth_password_input input = {.given_size = 0};
    struct auth_password_output output;

    set(&input.wanted_size, input.wanted, "correct horse");
    auth_password_work.run(&input, &output, NULL);
    cr_assert_eq(output.fault, 0);
    cr_assert(output.matches);
    cr_assert_eq(strncmp(output.made, "$argon2id$v=19$m=65536,t=3,p=1$", 31), 0, "%s", output.made);
    cr_assert_eq(output.checked[0], '\0');

    strcpy(input.hash, output.made);
    input.wanted_size = 0;
    set(&input.given_size, input.given, "correct horse");
    auth_password_work.run(&input, &output, NULL);
    cr_assert(output.matches);
    cr_assert_str_eq(output.checked, input.hash);
    cr_assert_eq(output.made[0], '\0');

    set(&input.given_size, input.given, "correct Horse");
    set(&input.wanted_size, input.wanted, "battery staple");
    auth_password_work.run(&input, &output, NULL);
    cr_assert(!output.matches);
    cr_assert_eq(output.made[0], '\0', "a wrong password changes nothing");
}

Test(auth_password, checks_then_hashes_the_longest_passwords)
{
    struct auth_password_input input = {.given_size = sizeof input.given,
                                        .wanted_size = sizeof input.wanted};
    struct auth_password_output output;

    memset(input.given, 0xf0, sizeof input.given);
    memset(input.wanted, 0x9f, sizeof input.wanted);
    cr_assert_eq(crypto_pwhash_str(input.hash, input.given, input.given_size,
                                   crypto_pwhash_OPSLIMIT_MIN, crypto_pwhash_MEMLIMIT_MIN),
                 0);
    auth_password_work.run(&input, &output, NULL);
    cr_assert(output.matches && output.fault == 0);
    cr_assert_eq(crypto_pwhash_str_verify(output.made, input.wanted, input.wanted_size), 0);
}

Test(auth_password, too_little_memory_is_a_fault_not_a_wrong_password)
{
    struct auth_password_input input = {.given_size = 0};
    struct auth_password_output output;

    cr_assert_eq(
        crypto_pwhash_str(input.hash, "correct horse", 13, AUTH_HASH_OPERATIONS, AUTH_HASH_MEMORY),
        0);
    set(&input.given_size, input.given, "correct horse");
    set(&input.wanted_size, input.wanted, "battery staple");
    scarce_memory_begin(AUTH_HASH_MEMORY / 2);
    auth_password_work.run(&input, &output, NULL);
    scarce_memory_end();
    cr_assert_eq(output.fault, -ENOMEM);
    cr_assert_eq(output.made[0], '\0');

    auth_password_work.run(&input, &output, NULL);
    cr_assert(output.fault == 0 && output.matches);
}

Test(auth_password, a_damaged_hash_is_a_fault)
{
    static const char *const damaged[] = {
        "x",
        "$argon2id$v=19$m=8,t=1,p=1$",
        "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA!A",
        "$argon2i$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    };

    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        struct auth_password_input input = {.given_size = 0};
        struct auth_password_output output;

        strcpy(input.hash, damaged[i]);
        auth_password_work.run(&input, &output, NULL);
        cr_expect_eq(output.fault, -EBADMSG, "%s", damaged[i]);
    }
}

static int64_t check_us(const char *hash)
{
    const int64_t start = ates_monotonic_us();

    cr_assert_neq(crypto_pwhash_str_verify(hash, "guess", 5), 0);
    return ates_monotonic_us() - start;
}

Test(auth_password, an_unknown_one_costs_the_same)
{
    char hash[AUTH_HASH_MAX + 1], other[AUTH_HASH_MAX + 1];

    auth_password_unknown(hash);
    auth_password_unknown(other);
    cr_assert_eq(strncmp(hash, "$argon2id$v=19$m=65536,t=3,p=1$", 31), 0, "%s", hash);
    cr_assert_str_neq(hash, other);

    /* One that libsodium could not parse would be refused at once. */
    cr_assert_eq(crypto_pwhash_str(other, "password", 8, AUTH_HASH_OPERATIONS, AUTH_HASH_MEMORY),
                 0);
    const int64_t real_us = check_us(other), unknown_us = check_us(hash);
    cr_assert(unknown_us > real_us / 4, "%" PRId64 " us, a real one %" PRId64, unknown_us, real_us);
}
