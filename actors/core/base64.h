/* base64url without padding (RFC 4648, section 5), as tokens and keys are written. Bytes have exactly one
 * spelling: no padding, no blanks, no bits that say nothing. */
#ifndef ATES_BASE64_H
#define ATES_BASE64_H

#include <stddef.h>

/* Reads text_size characters into out, in a time that tells nothing of them. Returns 0 with *size filled, or -EINVAL:
 * they are no base64url, or more than capacity bytes. */
int ates_base64_read(const char *text, size_t text_size, void *out, size_t capacity, size_t *size);

#endif
