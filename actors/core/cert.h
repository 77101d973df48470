/* CURVE key files, in CZMQ's format (zcert): NAME.cert holds the public key, NAME.cert_secret both.
 * Files are made once and never replaced. */
#ifndef ATES_CERT_H
#define ATES_CERT_H

#include <stddef.h>
#include <stdint.h>

#include "core/reach.h"

#define ATES_CERT_ENDING ".cert"
#define ATES_CERT_SECRET_ENDING "_secret" /* after the first */
#define ATES_CERT_NAME_MAX 64u

struct ates_cert {
    char public_key[ATES_CURVE_KEY_SIZE];
    char secret_key[ATES_CURVE_KEY_SIZE]; /* empty: only the public half is known */
};

/* Whether a certificate may be called so: 1 to 64 of A-Z a-z 0-9 . _ -, no dot first. */
bool ates_cert_is_name(const char *name);

/* Draws a new pair. Returns 0 or -errno. */
int ates_cert_draw(struct ates_cert *cert);

/* Loads the public half of a file (either kind) of at most 4 KiB. Returns 0 or -errno, -EINVAL where it is no certificate,
 * -EPERM where others may write it; error (size bytes) names the file. */
int ates_cert_load_public(const char *path, struct ates_cert *cert, char *error, size_t size);

/* Loads both halves, which must belong together. -EPERM where others may read the file: what systemd gives
 * (is_given) the group may. */
int ates_cert_load_secret(const char *path, bool is_given, struct ates_cert *cert, char *error,
                          size_t size);

/* Writes cert to path, synced: both halves with mode 0600 where with_secret, else the public one with
 * 0644. Returns 0, -EEXIST, or -errno. */
int ates_cert_save(const char *path, const char *name, const struct ates_cert *cert,
                   bool with_secret, char *error, size_t size);

/* Forgets the secret half. */
void ates_cert_wipe(struct ates_cert *cert);

#endif
