/* One log of a backup, checked and put into a data folder. */
#ifndef ATES_UNPACK_H
#define ATES_UNPACK_H

#include "core/backup.h"

/* How much of a log is kept. */
struct ates_cut {
    const char *service;
    struct ates_log_head head;
};

struct ates_unpack {
    const char *backup; /* the backup's folder */
    const struct ates_manifest_log *noted;
    const struct ates_domain *domain;
    const struct ates_config *config; /* of the data folder: DATA/SERVICE must not be there */
    /* Keeps the records up to a time (Unix ms), and of those only what followed no more of the
     * producers than was kept of them. */
    bool has_until;
    int64_t until;
    const struct ates_cut *producers;
    size_t producer_count;
    const struct ates_backup_progress *progress; /* may be NULL */
};

/* Reads all of the copy, whatever is kept of it, and holds it against the manifest: every record
 * (walk.h), its base, the cut, the size and the digest. What is kept becomes the log of
 * DATA/SERVICE/log, on the disk when 0 is returned; head is its end. -EBADMSG: the copy is damaged;
 * -ERANGE: until lies before the log's base; or another -errno; with a line in error that names file
 * and record. What was made stays, for the caller to remove. */
int ates_unpack(const struct ates_unpack *plan, struct ates_log_head *head, char *error,
                size_t error_size);

#endif
