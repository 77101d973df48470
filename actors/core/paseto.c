/* PASETO v4.public: Ed25519 over the pre-authentication encoding (PAE) of header, message, footer
 * and implicit assertion.
 *
 * Invariant: one message under one key and footer has exactly one accepted spelling. base64url goes
 * without padding and with zero trailing bits, an empty footer without its dot, and libsodium
 * refuses the other encodings of a signature. The cache of verified tokens and every log of them
 * rely on it. */
#include "core/token.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base64.h"

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

static const char header[] = "v4.public.";
#define HEADER_SIZE (sizeof header - 1)

#define PAE_PIECES 4u /* header, message, footer, implicit assertion */
#define PAE_NUMBER 8u /* bytes of its little-endian numbers: the count, and each piece's size */

static uint8_t *put_number(uint8_t *to, uint64_t number)
{
    for (unsigned i = 0; i < PAE_NUMBER; i++) {
        *to++ = (uint8_t)(number >> (8 * i));
    }
    return to;
}

static uint8_t *put_piece(uint8_t *to, const void *data, size_t size)
{
    to = put_number(to, size);
    if (size > 0) {
        memcpy(to, data, size);
    }
    return to + size;
}

static size_t pae_size(size_t pieces_size)
{
    return PAE_NUMBER * (1 + PAE_PIECES) + HEADER_SIZE + pieces_size;
}

static int decode(const char *text, const char *end, uint8_t *out, size_t capacity, size_t *size)
{
    return ates_base64_read(text, (size_t)(end - text), out, capacity, size);
}

int ates_paseto_sign(const uint8_t secret[crypto_sign_SECRETKEYBYTES], const void *message,
                     size_t message_size, const void *footer, size_t footer_size,
                     const void *implicit, size_t implicit_size, char *token, size_t token_capacity)
{
    const size_t body_size = message_size + crypto_sign_BYTES;
    const size_t body_capacity = sodium_base64_encoded_len(body_size, BASE64);
    const size_t footer_capacity =
        footer_size > 0 ? sodium_base64_encoded_len(footer_size, BASE64) : 0;
    uint8_t signature[crypto_sign_BYTES];

    /* Both capacities count a NUL: the footer's dot takes the place of the body's. */
    if (token_capacity < HEADER_SIZE + body_capacity + footer_capacity) {
        return -EINVAL;
    }
    uint8_t *pae = malloc(pae_size(message_size + footer_size + implicit_size) + sizeof signature);
    if (pae == NULL) {
        return -ENOMEM;
    }
    uint8_t *end = put_piece(put_number(pae, PAE_PIECES), header, HEADER_SIZE);
    uint8_t *body = end + PAE_NUMBER;
    end = put_piece(end, message, message_size);
    end = put_piece(end, footer, footer_size);
    end = put_piece(end, implicit, implicit_size);
    crypto_sign_detached(signature, NULL, pae, (size_t)(end - pae), secret);

    /* The message lies there already; what follows it has been signed and may go. */
    memcpy(body + message_size, signature, sizeof signature);
    memcpy(token, header, HEADER_SIZE);
    token += HEADER_SIZE;
    sodium_bin2base64(token, body_capacity, body, body_size, BASE64);
    if (footer_size > 0) {
        token += body_capacity;
        token[-1] = '.';
        sodium_bin2base64(token, footer_capacity, footer, footer_size, BASE64);
    }
    free(pae);
    return 0;
}

int ates_paseto_verify(const uint8_t public_key[crypto_sign_PUBLICKEYBYTES], const char *token,
                       size_t token_size, const void *implicit, size_t implicit_size,
                       uint8_t *message_out, size_t *message_size, uint8_t *footer_out,
                       size_t *footer_size)
{
    const char *const end = token + token_size;
    uint8_t signature[crypto_sign_BYTES];
    size_t body_bytes, footer_bytes = 0;

    if (token_size < HEADER_SIZE || memcmp(token, header, HEADER_SIZE) != 0) {
        return -EINVAL;
    }
    const char *body_text = token + HEADER_SIZE;
    const char *dot = memchr(body_text, '.', (size_t)(end - body_text));
    if (dot != NULL && dot + 1 == end) {
        return -EINVAL;
    }
    /* Decoded in place: base64url takes more room than its bytes, so token_size bounds both parts.
     */
    uint8_t *pae = malloc(pae_size(token_size + implicit_size));
    if (pae == NULL) {
        return -ENOMEM;
    }
    int r = -EINVAL;
    uint8_t *to = put_piece(put_number(pae, PAE_PIECES), header, HEADER_SIZE);
    uint8_t *message = to + PAE_NUMBER;
    if (decode(body_text, dot != NULL ? dot : end, message, token_size, &body_bytes) != 0 ||
        body_bytes < sizeof signature) {
        goto out;
    }
    const size_t message_bytes = body_bytes - sizeof signature;
    memcpy(signature, message + message_bytes, sizeof signature);
    put_number(to, message_bytes);
    to = message + message_bytes;

    uint8_t *footer = to + PAE_NUMBER;
    if (dot != NULL && decode(dot + 1, end, footer, token_size, &footer_bytes) != 0) {
        goto out;
    }
    put_number(to, footer_bytes);
    to = put_piece(footer + footer_bytes, implicit, implicit_size);
    if (crypto_sign_verify_detached(signature, pae, (size_t)(to - pae), public_key) != 0) {
        goto out;
    }
    memcpy(message_out, message, message_bytes);
    memcpy(footer_out, footer, footer_bytes);
    *message_size = message_bytes;
    *footer_size = footer_bytes;
    r = 0;
out:
    free(pae);
    return r;
}
