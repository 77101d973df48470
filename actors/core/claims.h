/* The claims of a token as JSON (PROTOCOL.md section 5). Knows nothing of keys: what is read here
 * must have been verified before. */
#ifndef ATES_CLAIMS_H
#define ATES_CLAIMS_H

#include "core/token.h"

/* Writes the claims, iss and aud among them, as one JSON object. Returns 0 or -EINVAL: no such
 * role, a login that is no UTF-8, a time outside the years 1970-9999, more than capacity bytes. */
int ates_claims_encode(const struct ates_claims *claims, char *json, size_t capacity, size_t *size);

/* Reads them back. Returns 0, or -EINVAL where one is missing, ill-typed, too long or there twice,
 * or iss or aud is not ours. Unknown claims are ignored. */
int ates_claims_decode(const void *json, size_t size, struct ates_claims *claims);

#endif
