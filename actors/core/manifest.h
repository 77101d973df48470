/* A backup's manifest: what the backup holds, and where each log was cut. DIR/manifest.json, the
 * last file to be written: a backup without one was interrupted.
 *
 * Its text is the one way in which its values are written, and it holds a digest of itself: a
 * changed byte anywhere in it is found. */
#ifndef ATES_MANIFEST_H
#define ATES_MANIFEST_H

#include "core/log.h"
#include "core/order.h"

#define ATES_BACKUP_FORMAT 1
#define ATES_MANIFEST_KEYS_MAX 8u

struct ates_manifest_log {
    char service[64];
    char log_id[ATES_UUID_SIZE];
    struct ates_log_head head; /* the cut: its last record in the backup */
    uint64_t size;             /* of the file, SERVICE.log (archive.h) */
    uint8_t digest[ATES_HASH_SIZE];
};

struct ates_manifest_key {
    char name[32]; /* of the file below keys/ */
    uint64_t size;
    uint8_t digest[ATES_HASH_SIZE];
};

struct ates_manifest {
    char program[32];   /* aTES's version */
    int64_t taken_at;   /* Unix ms, when the cut was made */
    char time_zone[64]; /* of business days */
    size_t log_count, key_count;
    struct ates_manifest_log logs[ATES_DOMAINS_MAX]; /* consumers first */
    struct ates_manifest_key keys[ATES_MANIFEST_KEYS_MAX];
};

/* Writes it into folder, durably; all else must be on the disk already. 0, or -errno with error. */
int ates_manifest_write(const struct ates_manifest *manifest, const char *folder, char *error,
                        size_t error_size);

/* Reads it. -ENOENT: there is none, the backup was interrupted or is none; -EPROTONOSUPPORT: of a
 * newer format; -EBADMSG: damaged; or another -errno. error names the file. */
int ates_manifest_read(struct ates_manifest *manifest, const char *folder, char *error,
                       size_t error_size);

/* The service's log; NULL where the backup has none. */
const struct ates_manifest_log *ates_manifest_log(const struct ates_manifest *manifest,
                                                  const char *service);

#endif
