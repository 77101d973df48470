/* An LMDB environment; see environment.h. */
#include "core/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <ates/status.h>

int ates_environment_result(int mdb_result)
{
    switch (mdb_result) {
    case MDB_SUCCESS:
        return 0;
    case MDB_NOTFOUND:
        return ATES_NOT_FOUND;
    case MDB_KEYEXIST:
        return -EEXIST;
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
        return -ENOSPC;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_INCOMPATIBLE: /* this and those below: what only pages that contradict each other bring */
    case MDB_CURSOR_FULL:
    case MDB_PAGE_FULL:
        return -EUCLEAN;
    default:
        return mdb_result > 0 ? -mdb_result : -EIO;
    }
}

static int open_files(MDB_env *env, const char *path, size_t map_size, unsigned table_count,
                      unsigned flags)
{
    int dead_readers;
    int r = map_size > 0 ? mdb_env_set_mapsize(env, map_size) : 0;

    if (r == 0 && table_count > 0) {
        r = mdb_env_set_maxdbs(env, table_count);
    }
    if (r == 0) {
        r = mdb_env_open(env, path, flags, 0600);
    }
    if (r == 0) {
        r = mdb_reader_check(env, &dead_readers);
    }
    return r;
}

static int open_environment(MDB_env **env, const char *path, size_t map_size, unsigned table_count,
                            unsigned flags, char *error, size_t error_size)
{
    MDB_env *opened = NULL;
    int r = mdb_env_create(&opened);

    if (r == 0) {
        r = open_files(opened, path, map_size, table_count, flags);
    }
    if (r != 0) {
        snprintf(error, error_size, "%s: %s", path, mdb_strerror(r));
        if (opened != NULL) {
            mdb_env_close(opened);
        }
        return ates_environment_result(r);
    }
    *env = opened;
    return 0;
}

int ates_environment_open(MDB_env **env, const char *path, size_t map_size, unsigned table_count,
                          char *error, size_t error_size)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        const int fault = -errno;

        snprintf(error, error_size, "%s: %s", path, strerror(-fault));
        return fault;
    }
    return open_environment(env, path, map_size, table_count, 0, error, error_size);
}

int ates_environment_open_read(MDB_env **env, const char *path, char *error, size_t error_size)
{
    char lock[4200];

    /* Without a lock file nobody has it open, and none should be made: not on a medium that cannot be
     * written to, and not by root. */
    snprintf(lock, sizeof lock, "%s/lock.mdb", path);
    const unsigned flags = access(lock, F_OK) == 0 ? MDB_RDONLY : MDB_RDONLY | MDB_NOLOCK;
    return open_environment(env, path, 0, 0, flags, error, error_size);
}

int ates_environment_drop_dead_readers(MDB_env *env)
{
    int dead_readers;

    return ates_environment_result(mdb_reader_check(env, &dead_readers));
}

int ates_environment_remove(int folder, const char *name)
{
    static const char *const files[] = {"data.mdb", "lock.mdb"};
    char path[256];

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", name, files[i]);
        if (unlinkat(folder, path, 0) != 0 && errno != ENOENT) {
            return -errno;
        }
    }
    return unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -errno;
}

unsigned ates_environment_used_permille(MDB_env *env, size_t map_size)
{
    MDB_envinfo info;
    MDB_stat stat;

    if (mdb_env_info(env, &info) != 0 || mdb_env_stat(env, &stat) != 0) {
        return 1000;
    }
    return (unsigned)((info.me_last_pgno + 1) * stat.ms_psize / (map_size / 1000));
}

static void explain_fault(int number)
{
    static const char words[] = "ates: a data file is shorter than it should be, or its disk "
                                "fails: restore it from a backup\n";

    (void)number;
    (void)!write(STDERR_FILENO, words, sizeof words - 1);
    _exit(EXIT_FAILURE);
}

void ates_environment_explain_faults(void)
{
    const struct sigaction action = {.sa_handler = explain_fault};

    sigaction(SIGBUS, &action, NULL);
}

bool ates_environment_has_room(const char *path, uint64_t bytes)
{
    struct statvfs disk;

    return statvfs(path, &disk) != 0 || (uint64_t)disk.f_bavail * disk.f_frsize >= bytes;
}
