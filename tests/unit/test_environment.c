/* An LMDB environment: opening, how full it is, room on the disk, and LMDB's errors as ours. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include <ates/status.h>

#include "core/environment.h"
#include "support/temp_folder.h"

#define MAP_SIZE ((size_t)1 << 20)
#define TABLES 2u

static char folder[TEMP_FOLDER_SIZE], path[TEMP_FOLDER_SIZE + 8];
static MDB_env *env;

static int open_environment(void)
{
    char error[256] = "";
    const int r = ates_environment_open(&env, path, MAP_SIZE, TABLES, error, sizeof error);

    cr_expect_eq(strstr(error, path) != NULL, r != 0, "%d: %s", r, error);
    return r;
}

static void set_up(void)
{
    temp_folder_make(folder);
    snprintf(path, sizeof path, "%s/env", folder);
}

static void tear_down(void)
{
    if (env != NULL) {
        mdb_env_close(env);
        env = NULL;
    }
    temp_folder_remove(folder);
}

TestSuite(environment, .init = set_up, .fini = tear_down);

static int put(const char *table, const void *data, size_t size)
{
    MDB_val key = {3, "key"}, value = {size, (void *)data};
    MDB_txn *txn;
    MDB_dbi handle;
    int r = mdb_txn_begin(env, NULL, 0, &txn);

    cr_assert_eq(r, 0);
    r = mdb_dbi_open(txn, table, MDB_CREATE, &handle);
    if (r == 0) {
        r = mdb_put(txn, handle, &key, &value, 0);
    }
    if (r != 0) {
        mdb_txn_abort(txn);
        return r;
    }
    return mdb_txn_commit(txn);
}

Test(environment, is_made_for_its_owner_alone_and_opened_again)
{
    struct stat status;

    cr_assert_eq(open_environment(), 0);
    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0700);
    cr_expect_eq(put("first", "1", 1), 0);
    cr_expect_eq(put("second", "2", 1), 0);
    cr_expect_eq(put("third", "3", 1), MDB_DBS_FULL, "as many tables as it was opened for");
    mdb_env_close(env);
    env = NULL;
    cr_assert_eq(open_environment(), 0);
    cr_expect_eq(put("second", "2", 1), 0);
}

Test(environment, what_cannot_be_opened_is_named)
{
    char below[TEMP_FOLDER_SIZE + 32];

    snprintf(path, sizeof path, "/proc/none");
    cr_expect_eq(open_environment(), -ENOENT);
    cr_expect_null(env, "untouched");

    snprintf(path, sizeof path, "%s/env", folder);
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    cr_assert_geq(file, 0);
    close(file);
    cr_expect_eq(open_environment(), -ENOTDIR);
    cr_assert_eq(unlink(path), 0);

    cr_assert_eq(mkdir(path, 0700), 0);
    snprintf(below, sizeof below, "%s/data.mdb", path);
    file = open(below, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    cr_assert_geq(file, 0);
    for (int i = 0; i < 1024; i++) {
        cr_assert_eq(write(file, "not LMDB's pages", 16), 16);
    }
    close(file);
    cr_expect_eq(open_environment(), -EUCLEAN);
    cr_expect_null(env);
}

Test(environment, tells_how_full_it_is)
{
    static const uint8_t much[MAP_SIZE / 2];

    cr_assert_eq(open_environment(), 0);
    const unsigned empty = ates_environment_used_permille(env, MAP_SIZE);
    cr_expect_lt(empty, 100);
    cr_assert_eq(put("first", much, sizeof much), 0);
    const unsigned half = ates_environment_used_permille(env, MAP_SIZE);
    cr_expect(half >= 500 && half < 600, "%u", half);
    cr_expect_eq(ates_environment_result(put("second", much, sizeof much)), -ENOSPC);
}

Test(environment, has_room_where_the_disk_has)
{
    cr_expect(ates_environment_has_room(folder, 0));
    cr_expect(ates_environment_has_room(folder, 1));
    cr_expect_not(ates_environment_has_room(folder, UINT64_MAX));
    snprintf(path, sizeof path, "%s/none", folder);
    cr_expect(ates_environment_has_room(path, UINT64_MAX), "nobody knows");
}

Test(environment, results_of_lmdb)
{
    cr_expect_eq(ates_environment_result(MDB_SUCCESS), 0);
    cr_expect_eq(ates_environment_result(MDB_NOTFOUND), ATES_NOT_FOUND);
    cr_expect_eq(ates_environment_result(MDB_MAP_FULL), -ENOSPC);
    cr_expect_eq(ates_environment_result(EDQUOT), -ENOSPC);
    cr_expect_eq(ates_environment_result(MDB_CORRUPTED), -EUCLEAN);
    cr_expect_eq(ates_environment_result(EACCES), -EACCES);
    cr_expect_eq(ates_environment_result(MDB_BAD_TXN), -EIO);
}
