/* The keys of a backup, put into place. */
#ifndef ATES_RESTORE_KEYS_H
#define ATES_RESTORE_KEYS_H

#include "core/manifest.h"

struct ates_restore_keys {
    const struct ates_manifest *manifest;
    const char *backup;
    const char *data_dir; /* where they belong, DATA/keys, if that is there already */
    const char *work;     /* else WORK/keys, which is made */
    bool verify_only;     /* they are only held against the manifest */
};

/* Where the keys' place is there before (root's own, from which systemd hands them out), they go
 * there, and become its owner's; keys that are there stay (*kept), as nothing could bring them back.
 * On the disk when 0 is returned; -EBADMSG where one is not what the manifest says; or another -errno;
 * with a line in error that names the file. */
int ates_restore_keys(const struct ates_restore_keys *plan, bool *kept, char *error,
                      size_t error_size);

#endif
