/* The data folder; see datadir.h. */
#include "core/datadir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"

static int fail(char *error, size_t error_size, const char *path)
{
    const int fault = -errno;

    snprintf(error, error_size, "%s: %s", path, strerror(-fault));
    return fault;
}

/* The file appears whole or not at all: an interrupted creation can be run again. */
static int write_version(const char *data_dir, const char *version, char *error, size_t error_size)
{
    char fresh[4200], path[4200], line[16];
    const int size = snprintf(line, sizeof line, "%s\n", version);

    snprintf(fresh, sizeof fresh, "%s/version.new", data_dir);
    snprintf(path, sizeof path, "%s/version", data_dir);
    int file = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) {
        return fail(error, error_size, fresh);
    }
    int r = 0;
    if (write(file, line, (size_t)size) != size || fsync(file) != 0) {
        r = fail(error, error_size, fresh);
    }
    close(file);
    if (r == 0 && rename(fresh, path) != 0) {
        r = fail(error, error_size, path);
    }
    return r;
}

/* A folder that a restore has not finished may have some services' data, and not others'. */
static int refuse_half(const char *data_dir, char *error, size_t error_size)
{
    static const char *const names[] = {ATES_RESTORE_FOLDER, ATES_RESTORE_MARK};
    char path[4200];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", data_dir, names[i]);
        if (access(path, F_OK) == 0) {
            snprintf(error, error_size,
                     "%s: a restore into this folder has not ended; if it is not running any more, "
                     "run it again: atesctl admin restore BACKUP --data %s",
                     path, data_dir);
            return -EINPROGRESS;
        }
    }
    return 0;
}

int ates_datadir_create(const char *data_dir, char *error, size_t error_size)
{
    char path[4200];

    if (mkdir(data_dir, 0700) != 0 && errno != EEXIST) {
        return fail(error, error_size, data_dir);
    }
    const int r = refuse_half(data_dir, error, error_size);
    if (r != 0) {
        return r;
    }
    snprintf(path, sizeof path, "%s/version", data_dir);
    return access(path, F_OK) == 0 ? ates_datadir_check(data_dir, error, error_size)
                                   : write_version(data_dir, ATES_DATA_VERSION, error, error_size);
}

static int read_version(const char *data_dir, char version[32], char *error, size_t error_size)
{
    char path[4200];

    snprintf(path, sizeof path, "%s/version", data_dir);
    const int file = ates_file_open(path, error, error_size);
    if (file == -ENOENT || file == -ENOTDIR) {
        snprintf(path, sizeof path, "%s/" ATES_MANIFEST, data_dir);
        if (access(path, F_OK) == 0) {
            snprintf(
                error, error_size,
                "%s: a backup, not data; check it with: atesctl admin restore --verify-only %s",
                data_dir, data_dir);
            return -ENOENT;
        }
        snprintf(error, error_size,
                 "%s: no aTES data here; make it with: atesctl admin init --data %s --login LOGIN "
                 "--email EMAIL",
                 data_dir, data_dir);
        return -ENOENT;
    }
    if (file < 0) {
        return file;
    }
    const ssize_t size = read(file, version, 31);
    close(file);
    if (size < 0) {
        return fail(error, error_size, path);
    }
    version[size] = '\0';
    version[strcspn(version, "\n")] = '\0';
    if (strcmp(version, ATES_DATA_VERSION) != 0 &&
        strcmp(version, ATES_DATA_VERSION_COMPACTED) != 0) {
        const bool is_newer = atol(version) > atol(ATES_DATA_VERSION_COMPACTED);

        snprintf(error, error_size,
                 "%s: data of version '%.16s'%s; this program reads versions '%s' and '%s'%s", path,
                 version, is_newer ? ", which a newer aTES made" : "", ATES_DATA_VERSION,
                 ATES_DATA_VERSION_COMPACTED,
                 is_newer ? ": run that one, or restore a backup from before the upgrade" : "");
        return -EPROTONOSUPPORT;
    }
    return 0;
}

int ates_datadir_check(const char *data_dir, char *error, size_t error_size)
{
    char version[32];
    const int r = refuse_half(data_dir, error, error_size);

    return r == 0 ? read_version(data_dir, version, error, error_size) : r;
}

int ates_datadir_raise(const char *data_dir, char *error, size_t error_size)
{
    char version[32];
    int r = read_version(data_dir, version, error, error_size);

    if (r != 0 || strcmp(version, ATES_DATA_VERSION_COMPACTED) == 0) {
        return r;
    }
    r = write_version(data_dir, ATES_DATA_VERSION_COMPACTED, error, error_size);
    return r == 0 ? ates_sync_folder(data_dir, error, error_size) : r;
}

int ates_sync_folder(const char *path, char *error, size_t error_size)
{
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = folder >= 0 && fsync(folder) == 0 ? 0 : fail(error, error_size, path);

    if (folder >= 0) {
        close(folder);
    }
    return r;
}

int ates_lock_file(const char *path, const char *what, int *lock, char *error, size_t error_size)
{
    char pid[32] = "";
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (file < 0) {
        return fail(error, error_size, path);
    }
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
        const int fault = errno;
        const ssize_t size = read(file, pid, sizeof pid - 1);

        close(file);
        if (fault != EWOULDBLOCK) {
            errno = fault;
            return fail(error, error_size, path);
        }
        snprintf(error, error_size, "%s is in use by another process (pid %.*s)", what,
                 size > 0 ? (int)strcspn(pid, "\n") : 1, size > 0 ? pid : "?");
        return -EBUSY;
    }
    const int size = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(file, 0) != 0 || pwrite(file, pid, (size_t)size, 0) != size) {
        const int r = fail(error, error_size, path);

        close(file);
        return r;
    }
    *lock = file;
    return 0;
}

int ates_datadir_lock(const char *data_dir, const char *service, char *folder, size_t folder_size,
                      int *lock, char *error, size_t error_size)
{
    char path[4200];
    int r = ates_datadir_check(data_dir, error, error_size);

    if (r != 0) {
        return r;
    }
    snprintf(folder, folder_size, "%s/%s", data_dir, service);
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        return fail(error, error_size, folder);
    }
    snprintf(path, sizeof path, "%s/%s/lock", data_dir, service);
    return ates_lock_file(path, folder, lock, error, error_size);
}
