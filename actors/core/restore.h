/* A backup put into an empty data folder, checked in every respect; or only checked.
 *
 * All is made in DATA/restore.new, and moved up as the last step, which begins with the mark
 * DATA/restore.ready: before it there is nothing in DATA, after it what is left of the moves is done by
 * whoever restores there next. While one of the two is there, no program takes DATA for data
 * (datadir.h).
 *
 * The logs keep their ids, as every event names its own and is hashed with it. What was in the logs
 * after the cut is gone, and other events take its seqs: a follower outside that had seen them finds
 * its place beyond the log's end, or, once the log has grown, an event that is not chained to the one
 * it holds; either stops it with an alarm (follower.h). The services of the backup themselves agree. */
#ifndef ATES_RESTORE_H
#define ATES_RESTORE_H

#include "core/backup.h"
#include "core/unpack.h"

struct ates_restore_plan {
    const struct ates_domain *const *domains; /* NULL at the end */
    const struct ates_config *config; /* of data_dir, which is absent or empty, and map_size */
    const char *backup;
    bool verify_only; /* data_dir is only worked in: it is left empty */
    /* Point in time: each log up to this time (Unix ms), less what followed events that came later. */
    bool has_until;
    int64_t until;
    const struct ates_backup_progress *progress; /* may be NULL */
};

struct ates_restore_report {
    struct ates_manifest manifest;
    size_t cut_count;
    struct ates_cut cuts[ATES_DOMAINS_MAX]; /* how much of each log there is now */
    bool kept_keys; /* DATA had keys, which stay; the backup's are not used */
};

/* Checks every byte of the backup (unpack.h), folds each state from its log, has each domain check
 * its rows, and holds each service's place in the logs that it follows against these. Returns 0;
 * -EBADMSG: the backup is damaged; -ENOTEMPTY: DATA holds something; -EBUSY: another restore is
 * under way there; -EALREADY: one that had been interrupted at its last step was of another backup, and
 * is complete now; or another -errno; with one line in error that names the place. After a failure
 * DATA is as it was. */
int ates_restore(const struct ates_restore_plan *plan, struct ates_restore_report *report,
                 char *error, size_t error_size);

#endif
