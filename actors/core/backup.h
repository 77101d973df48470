/* A backup: every service's log up to one cut, taken while the services run, and the keys.
 *
 * BACKUP/SERVICE.log (archive.h), BACKUP/keys/, and last BACKUP/manifest.json (manifest.h). States
 * are not in it: they are made anew from the logs.
 *
 * The cut: the logs' heads are noted consumers first (order.h), so that no effect is in the backup
 * without its cause; what is noted stays, as logs only grow, and is copied in short reads. What a
 * consumer has not taken in yet it takes in after the restore, as after any restart. */
#ifndef ATES_BACKUP_H
#define ATES_BACKUP_H

#include "core/config.h"
#include "core/manifest.h"

/* Who wants to know how far the work on each service has come. */
struct ates_backup_progress {
    void (*tell)(void *context, const char *service, const char *doing, uint64_t done,
                 uint64_t total); /* records */
    void *context;
};

struct ates_backup_plan {
    const struct ates_domain *const *domains; /* NULL at the end */
    const struct ates_config *config;         /* of data_dir and time_zone */
    const char *folder;                       /* absent or empty: it is made with mode 0700 */
    bool with_keys;
    const struct ates_backup_progress *progress; /* NULL: nobody watches */
};

/* Takes a backup. The services' logs are opened for reading only, so the process must have none of
 * them open, and in child processes (guarded.h), which damaged pages may end. Every record is checked
 * on its way (walk.h). Returns 0, with what was taken in manifest, and all of it on the disk;
 * -ENOTEMPTY where the folder has something in it; -EBUSY where another backup is being made there;
 * -EBADMSG where a log is damaged; or another -errno; with one line in error that names the place. After a failure nothing of
 * the backup is left; after a kill it has no manifest. */
int ates_backup(const struct ates_backup_plan *plan, struct ates_manifest *manifest, char *error,
                size_t error_size);

#endif
