/* Entity tags; see web_etag.h. */
#include "web/web_etag.h"

#include <string.h>

#include <sodium.h>

void web_etag_of(struct ates_bytes bytes, char out[WEB_ETAG_SIZE])
{
    static const uint8_t key[crypto_shorthash_siphashx24_KEYBYTES] = "ates web: etags";
    uint8_t hash[crypto_shorthash_siphashx24_BYTES];

    /* Not a secret: that different bytes have different tags is all that is asked for. */
    crypto_shorthash_siphashx24(hash, bytes.data, bytes.size, key);
    out[0] = '"';
    sodium_bin2hex(out + 1, WEB_ETAG_SIZE - 1, hash, sizeof hash);
    out[WEB_ETAG_SIZE - 2] = '"';
    out[WEB_ETAG_SIZE - 1] = '\0';
}

bool web_etag_matches(const char *if_none_match, const char *etag)
{
    const size_t size = strlen(etag);
    const char *at = if_none_match;

    while (at != NULL && *at != '\0') {
        at += strspn(at, ", \t");
        if (*at == '*') {
            return true;
        }
        if (strncmp(at, "W/", 2) == 0) {
            at += 2;
        }
        if (*at != '"') {
            return false; /* no tag: what follows is none either */
        }
        const char *end = strchr(at + 1, '"');
        if (end == NULL) {
            return false;
        }
        if ((size_t)(end - at) + 1 == size && memcmp(at, etag, size) == 0) {
            return true;
        }
        at = end + 1;
    }
    return false;
}
