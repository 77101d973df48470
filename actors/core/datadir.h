/* The data folder: its version, and the lock that gives one process one service's data.
 *
 * DATA/version, DATA/keys/ (token.h), DATA/SERVICE/{lock,log,state}. */
#ifndef ATES_DATADIR_H
#define ATES_DATADIR_H

#include <stddef.h>

/* The version that a data folder is made with, and the one that it has once a log in it was
 * compacted: programs that know only the first would take such a log for a damaged one. This program
 * reads both; nothing leads back. */
#define ATES_DATA_VERSION "1"
#define ATES_DATA_VERSION_COMPACTED "2"

/* What a restore (restore.h) has within the folder until it has ended: while one of the two is there,
 * the folder holds no data, and all functions here answer -EINPROGRESS. */
#define ATES_RESTORE_FOLDER "restore.new"
#define ATES_RESTORE_MARK "restore.ready"

/* The file that makes a folder a backup (manifest.h). */
#define ATES_MANIFEST "manifest.json"

/* Makes the folder (mode 0700) and its version file where they are missing. */
int ates_datadir_create(const char *data_dir, char *error, size_t error_size);

/* Durably makes the folder one of compacted logs, if it is none yet. */
int ates_datadir_raise(const char *data_dir, char *error, size_t error_size);

/* 0 where the folder is aTES data of a version that this program reads, else -ENOENT, -EPROTONOSUPPORT or -errno with
 * error. */
int ates_datadir_check(const char *data_dir, char *error, size_t error_size);

/* Has the folder's own entries on the disk. 0, or -errno with error. */
int ates_sync_folder(const char *path, char *error, size_t error_size);

/* Takes the lock file path (made where missing) until *lock is closed. -EBUSY, with a line that
 * names what and the process that holds it. */
int ates_lock_file(const char *path, const char *what, int *lock, char *error, size_t error_size);

/* Checks the folder, makes DATA/SERVICE into folder, and locks it until *lock is closed. -EBUSY
 * where another process holds it. */
int ates_datadir_lock(const char *data_dir, const char *service, char *folder, size_t folder_size,
                      int *lock, char *error, size_t error_size);

#endif
