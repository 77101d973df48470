/* Who may connect: a folder of public certificates (cert.h), one file a client, looked at again
 * whenever it has changed. */
#ifndef ATES_ALLOW_H
#define ATES_ALLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ATES_ALLOW_MAX 1024u /* files in a folder; more, and nobody is let in */

struct ates_allow;

/* A list of DIR/NAME (copied), read at its first use. NULL when out of memory. Belongs to one thread. */
struct ates_allow *ates_allow_new(const char *dir, const char *name);
void ates_allow_free(struct ates_allow **self);

/* Whether the client of this public key (Z85) may connect now. A folder that is not there, cannot be
 * read, or is open to others for writing allows nobody; a file that is no certificate is passed over. Both
 * are said in the journal. */
bool ates_allow_has(struct ates_allow *self, const char *key);

/* Counts up whenever a key that was allowed is found gone: whoever had let it in must end its
 * connections. */
uint64_t ates_allow_revoked(struct ates_allow *self);

#endif
