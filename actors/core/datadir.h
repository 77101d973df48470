/* The data folder: its version, and the lock that gives one process one service's data.
 *
 * DATA/version, DATA/keys/ (token.h), DATA/SERVICE/{lock,log,state}. */
#ifndef ATES_DATADIR_H
#define ATES_DATADIR_H

#include <stddef.h>

#define ATES_DATA_VERSION "1"

/* Makes the folder (mode 0700) and its version file where they are missing. */
int ates_datadir_create(const char *data_dir, char *error, size_t error_size);

/* 0 where the folder is aTES data of this version, else -ENOENT, -EPROTONOSUPPORT or -errno with
 * error. */
int ates_datadir_check(const char *data_dir, char *error, size_t error_size);

/* Takes the lock file path (made where missing) until *lock is closed. -EBUSY, with a line that
 * names what and the process that holds it. */
int ates_lock_file(const char *path, const char *what, int *lock, char *error, size_t error_size);

/* Checks the folder, makes DATA/SERVICE into folder, and locks it until *lock is closed. -EBUSY
 * where another process holds it. */
int ates_datadir_lock(const char *data_dir, const char *service, char *folder, size_t folder_size,
                      int *lock, char *error, size_t error_size);

#endif
