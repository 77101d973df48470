/* base64url; see base64.h. */
#include "core/base64.h"

#include <errno.h>
#include <sodium.h>

int ates_base64_read(const char *text, size_t text_size, void *out, size_t capacity, size_t *size)
{
    unsigned char all = 0;

    /* libsodium (1.0.18) takes every byte beyond ASCII for an underscore, where char has a sign. */
    for (size_t i = 0; i < text_size; i++) {
        all |= (unsigned char)text[i];
    }
    return all < 0x80 && sodium_base642bin(out, capacity, text, text_size, NULL, size, NULL,
                                           sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0
               ? 0
               : -EINVAL;
}
