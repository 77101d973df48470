/* PASETO v4.public against the official vectors, and the one spelling a token has. */
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/token.h"

static void setup(void)
{
    cr_assert_geq(sodium_init(), 0);
}

static void unhex(const char *hex, uint8_t *out, size_t size)
{
    size_t decoded;

    cr_assert_eq(sodium_hex2bin(out, size, hex, strlen(hex), NULL, &decoded, NULL), 0);
    cr_assert_eq(decoded, size);
}

TestSuite(paseto, .init = setup);

static void check_vector(const char *public_hex, const char *secret_hex, const char *payload,
                         const char *footer, const char *implicit, const char *expected)
{
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
    uint8_t message[1024], footer_out[1024];
    char signed_token[1024];
    size_t message_size, footer_size;

    unhex(public_hex, public_key, sizeof public_key);
    unhex(secret_hex, secret, sizeof secret);
    cr_assert_eq(ates_paseto_sign(secret, payload, strlen(payload), footer, strlen(footer),
                                  implicit, strlen(implicit), signed_token, sizeof signed_token),
                 0);
    cr_assert_str_eq(signed_token, expected);
    cr_assert_eq(ates_paseto_verify(public_key, expected, strlen(expected), implicit,
                                    strlen(implicit), message, &message_size, footer_out,
                                    &footer_size),
                 0);
    cr_assert_eq(message_size, strlen(payload));
    cr_assert_eq(memcmp(message, payload, message_size), 0);
    cr_assert_eq(footer_size, strlen(footer));
    cr_assert_eq(memcmp(footer_out, footer, footer_size), 0);
    cr_assert_eq(ates_paseto_verify(public_key, expected, strlen(expected), "other", 5, message,
                                    &message_size, footer_out, &footer_size),
                 -EINVAL, "an implicit assertion that was not signed was accepted");
}

#define VECTOR_PUBLIC "1eb9dbbbbc047c03fd70604e0071f0987e16b28b757225c11f00415d0e20b1a2"
#define VECTOR_SECRET                                                                              \
    "b4cbfb43df4ce210727d953e4a713307fa19bb7d9f85041438d9e11b942a3774" VECTOR_PUBLIC
#define VECTOR_PAYLOAD                                                                             \
    "{\"data\":\"this is a signed message\",\"exp\":\"2022-01-01T00:00:00+00:00\"}"

/* 4-S-1, 4-S-2 and 4-S-3 of the official vectors. */
Test(paseto, vectors_written_here)
{
    static const char footer[] = "{\"kid\":\"zVhMiPBP9fRf2snEcT7gFTioeA9COcNy9DfgL1W60haN\"}";

    check_vector(
        VECTOR_PUBLIC, VECTOR_SECRET, VECTOR_PAYLOAD, "", "",
        "v4.public.eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQw"
        "MDowMDowMCswMDowMCJ9bg_XBBzds8lTZShVlwwKSgeKpLT3yukTw6JUz3W4h_ExsQV-P0V54zemZDcAx"
        "FaSeef1QlXEFtkqxT1ciiQEDA");
    check_vector(
        VECTOR_PUBLIC, VECTOR_SECRET, VECTOR_PAYLOAD, footer, "",
        "v4.public.eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQw"
        "MDowMDowMCswMDowMCJ9v3Jt8mx_TdM2ceTGoqwrh4yDFn0XsHvvV_D0DtwQxVrJEBMl0F2caAdgnpKlt"
        "4p7xBnx1HcO-SPo8FPp214HDw.eyJraWQiOiJ6VmhNaVBCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTl"
        "EZmdMMVc2MGhhTiJ9");
    check_vector(
        VECTOR_PUBLIC, VECTOR_SECRET, VECTOR_PAYLOAD, footer, "{\"test-vector\":\"4-S-3\"}",
        "v4.public.eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQw"
        "MDowMDowMCswMDowMCJ9NPWciuD3d0o5eXJXG5pJy-DiVEoyPYWs1YSTwWHNJq6DZD3je5gf-0M4JR9ip"
        "dUSJbIovzmBECeaWmaqcaP0DQ.eyJraWQiOiJ6VmhNaVBCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTl"
        "EZmdMMVc2MGhhTiJ9");
}

static json_t *load_vectors(void)
{
    const char *shared = getenv("ATES_SHARED");
    char path[4096];

    snprintf(path, sizeof path, "%s/vectors/paseto-v4.json",
             shared != NULL ? shared : ATES_SOURCE_ROOT "/../shared");
    if (access(path, R_OK) != 0) {
        cr_skip_test("skipped: no %s", path);
    }
    json_t *root = json_load_file(path, 0, NULL);
    cr_assert_not_null(root, "%s", path);
    return root;
}

static const char *text_of(const json_t *vector, const char *name)
{
    return json_string_value(json_object_get(vector, name));
}

Test(paseto, official_vectors)
{
    json_t *root = load_vectors();
    const json_t *vector;
    size_t i, good = 0, bad = 0, local = 0;

    json_array_foreach(json_object_get(root, "tests"), i, vector)
    {
        uint8_t public_key[crypto_sign_PUBLICKEYBYTES], message[1024], footer[1024];
        size_t message_size, footer_size;
        const char *public_hex = text_of(vector, "public-key");
        const char *text = text_of(vector, "token"),
                   *implicit = text_of(vector, "implicit-assertion");

        if (public_hex != NULL && !json_is_true(json_object_get(vector, "expect-fail"))) {
            check_vector(public_hex, text_of(vector, "secret-key"), text_of(vector, "payload"),
                         text_of(vector, "footer"), implicit, text);
            good++;
            continue;
        }
        /* One of a local key is not ours to open, whatever its token: no public key may accept it.
         */
        unhex(public_hex != NULL ? public_hex : VECTOR_PUBLIC, public_key, sizeof public_key);
        cr_assert_eq(ates_paseto_verify(public_key, text, strlen(text), implicit, strlen(implicit),
                                        message, &message_size, footer, &footer_size),
                     -EINVAL, "%s", text_of(vector, "name"));
        *(public_hex != NULL ? &bad : &local) += 1;
    }
    json_decref(root);
    cr_assert_gt(good, 0);
    cr_assert_gt(bad, 0);
    fprintf(stderr, "PASETO v4 vectors: %zu signed and verified, %zu refused; %zu of local keys\n",
            good, bad, local);
}

Test(paseto, sign_needs_room_for_the_token_and_its_nul)
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    char whole[512], exact[512];

    unhex(VECTOR_SECRET, secret, sizeof secret);
    for (size_t footer_size = 0; footer_size < 5; footer_size++) {
        for (size_t size = 0; size < 5; size++) {
            cr_assert_eq(ates_paseto_sign(secret, "abcd", size, "wxyz", footer_size, NULL, 0, whole,
                                          sizeof whole),
                         0);
            const size_t needed = strlen(whole) + 1;
            memset(exact, '#', sizeof exact);
            cr_assert_eq(ates_paseto_sign(secret, "abcd", size, "wxyz", footer_size, NULL, 0, exact,
                                          needed - 1),
                         -EINVAL);
            cr_assert_eq(exact[0], '#');
            cr_assert_eq(
                ates_paseto_sign(secret, "abcd", size, "wxyz", footer_size, NULL, 0, exact, needed),
                0);
            cr_assert_str_eq(exact, whole);
            cr_assert_eq(exact[needed], '#');
        }
    }
}

/* libsodium's decoder takes any byte beyond ASCII for an underscore: many spellings of one token. */
Test(paseto, a_byte_beyond_ascii_is_no_underscore)
{
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
    uint8_t message[512], footer[512];
    size_t message_size, footer_size;
    char token[512];

    unhex(VECTOR_PUBLIC, public_key, sizeof public_key);
    unhex(VECTOR_SECRET, secret, sizeof secret);
    cr_assert_eq(ates_paseto_sign(secret, "\xff\xff\xff", 3, "", 0, NULL, 0, token, sizeof token),
                 0);
    cr_assert_eq(strncmp(token, "v4.public.____", 14), 0);
    memcpy(token + 10, "\xc2\x80", 2);
    cr_assert_eq(ates_paseto_verify(public_key, token, strlen(token), NULL, 0, message,
                                    &message_size, footer, &footer_size),
                 -EINVAL);
}

/* A dot with nothing behind it would be a second spelling of a token without a footer. */
Test(paseto, empty_footer_has_no_dot)
{
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
    uint8_t message[512] = "untouched", footer[512];
    size_t message_size, footer_size;
    char token[512];

    unhex(VECTOR_PUBLIC, public_key, sizeof public_key);
    unhex(VECTOR_SECRET, secret, sizeof secret);
    cr_assert_eq(ates_paseto_sign(secret, "", 0, "", 0, NULL, 0, token, sizeof token), 0);
    strcat(token, ".");
    cr_assert_eq(ates_paseto_verify(public_key, token, strlen(token), NULL, 0, message,
                                    &message_size, footer, &footer_size),
                 -EINVAL);
    cr_assert_str_eq((char *)message, "untouched");
    token[strlen(token) - 1] = '\0';
    cr_assert_eq(ates_paseto_verify(public_key, token, strlen(token), NULL, 0, message,
                                    &message_size, footer, &footer_size),
                 0);
    cr_assert_eq(message_size, 0);
    cr_assert_eq(footer_size, 0);
}
