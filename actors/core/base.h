/* A base: what the records came to that were cut off a compacted log. DATA/SERVICE/base-NUMBER-vVERSION, an
 * LMDB environment of a state's form; the log's note (log.h) says which one is its own, and what the
 * rows' digest is. A base that its log names never changes. */
#ifndef ATES_BASE_H
#define ATES_BASE_H

#include "core/domain.h"
#include "core/log.h"

#define ATES_BASE_PREFIX "base-"
#define ATES_BASE_FOLDER_SIZE 64u

/* The name of its folder within the service's. */
void ates_base_folder(const struct ates_base_note *note, char folder[ATES_BASE_FOLDER_SIZE]);

/* A base that is open for reading. */
struct ates_base {
    struct ates_store *store;
    struct ates_arena *arena;
    struct ates_txn txn; /* read-only */
};

/* Opens the base of the domain's log below config->data_dir, on the thread that reads it. 0, or
 * -errno with a line in error (-ENOENT: it is missing). */
int ates_base_open(struct ates_base *base, const struct ates_domain *domain,
                   const struct ates_config *config, const struct ates_base_note *note, char *error,
                   size_t error_size);
void ates_base_close(struct ates_base *base); /* does nothing where none is open */

/* Makes the base of note's head and form in its folder, which must not be there, durably but for the
 * folder's own entry: with every row of every table of the state but "meta", as dense as may be.
 * Fills in note->digest, BLAKE2b-256 of the rows. 0, or -errno with a line in error. */
int ates_base_write(const struct ates_domain *domain, const struct ates_config *config,
                    struct ates_txn *state, struct ates_base_note *note, char *error,
                    size_t error_size);

/* Whether the base's rows are those that the note tells of: 0, -EBADMSG, or another fault. */
int ates_base_check(struct ates_base *base, const struct ates_domain *domain,
                    const struct ates_base_note *note);

/* Fills the state that txn has open, whatever it held, with the base's rows, brought to the domain's
 * form where they are of an older one. Commits txn now and then and begins it again; until its
 * owner has written its position down, a start fills it anew. Returns 0 or a fault with a line in
 * error: -EBADMSG where the base is damaged, -EPROTONOSUPPORT where nothing leads from its form to
 * the domain's. */
int ates_base_copy(const struct ates_domain *domain, const struct ates_config *config,
                   const struct ates_base_note *note, struct ates_txn *txn, char *error,
                   size_t error_size);

#endif
