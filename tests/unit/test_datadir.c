/* The data folder's version, and the lock that keeps a second process out. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/datadir.h"
#include "support/temp_folder.h"

static char base[TEMP_FOLDER_SIZE], data[TEMP_FOLDER_SIZE + 8], error[512];

static void setup(void)
{
    temp_folder_make(base);
    snprintf(data, sizeof data, "%s/data", base);
}

static void teardown(void)
{
    temp_folder_remove(base);
}

TestSuite(datadir, .init = setup, .fini = teardown);

static void write_version(const char *text)
{
    char path[sizeof data + 16];

    snprintf(path, sizeof path, "%s/version", data);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static int take_lock(int *lock)
{
    char folder[128] = "";
    const int r =
        ates_datadir_lock(data, "tasks", folder, sizeof folder, lock, error, sizeof error);

    if (r == 0) {
        struct stat status;
        cr_assert_eq(stat(folder, &status), 0);
        cr_assert_eq(status.st_mode & 0777, 0700);
    }
    return r;
}

Test(datadir, a_missing_folder_says_how_to_make_it)
{
    int lock = -1;

    cr_assert_eq(ates_datadir_check(data, error, sizeof error), -ENOENT);
    cr_assert_not_null(strstr(error, data));
    cr_assert_not_null(strstr(error, "atesctl admin init"));
    cr_assert_eq(take_lock(&lock), -ENOENT);
    cr_assert_eq(lock, -1);
    cr_assert_eq(mkdir(data, 0700), 0);
    cr_assert_eq(ates_datadir_check(data, error, sizeof error), -ENOENT);
}

Test(datadir, create_may_be_done_again)
{
    struct stat status;

    cr_assert_eq(ates_datadir_create(data, error, sizeof error), 0);
    cr_assert_eq(stat(data, &status), 0);
    cr_assert_eq(status.st_mode & 0777, 0700);
    cr_assert_eq(ates_datadir_check(data, error, sizeof error), 0);
    cr_assert_eq(ates_datadir_create(data, error, sizeof error), 0);
}

Test(datadir, another_version_is_refused)
{
    const char *const others[] = {"3\n",   "",     "10\n",
                                  "1.1\n", "1 \n", "a very long line that is no version at all\n"};
    int lock = -1;

    cr_assert_eq(ates_datadir_create(data, error, sizeof error), 0);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        write_version(others[i]);
        cr_assert_eq(ates_datadir_check(data, error, sizeof error), -EPROTONOSUPPORT, "%zu", i);
        cr_assert_not_null(strstr(error, "version"));
        cr_assert_eq(ates_datadir_create(data, error, sizeof error), -EPROTONOSUPPORT);
        cr_assert_eq(take_lock(&lock), -EPROTONOSUPPORT);
    }
}

static void assert_version(const char *expected)
{
    char path[sizeof data + 16], line[8] = "";

    snprintf(path, sizeof path, "%s/version", data);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    cr_assert_not_null(fgets(line, sizeof line, file));
    fclose(file);
    cr_expect_str_eq(line, expected);
}

/* Data of the version before are read as they are; what raises them can be done again. */
Test(datadir, both_versions_are_read_and_the_first_can_be_raised)
{
    cr_expect_eq(ates_datadir_raise(data, error, sizeof error), -ENOENT);
    cr_assert_eq(ates_datadir_create(data, error, sizeof error), 0);
    assert_version("1\n");
    for (int again = 0; again <= 1; again++) {
        cr_expect_eq(ates_datadir_raise(data, error, sizeof error), 0, "%s", error);
        assert_version("2\n");
        cr_expect_eq(ates_datadir_check(data, error, sizeof error), 0);
        cr_expect_eq(ates_datadir_create(data, error, sizeof error), 0);
    }
    write_version("3\n");
    cr_expect_eq(ates_datadir_raise(data, error, sizeof error), -EPROTONOSUPPORT);
    assert_version("3\n");
}

Test(datadir, a_newer_version_says_what_to_do)
{
    cr_assert_eq(ates_datadir_create(data, error, sizeof error), 0);
    write_version("3\n");
    cr_assert_eq(ates_datadir_check(data, error, sizeof error), -EPROTONOSUPPORT);
    cr_expect_not_null(strstr(error, "version '3', which a newer aTES made; this program reads"),
                       "%s", error);
    write_version("0\n");
    cr_assert_eq(ates_datadir_check(data, error, sizeof error), -EPROTONOSUPPORT);
    cr_expect_null(strstr(error, "newer"), "%s", error);
}

static void touch(const char *name)
{
    char path[sizeof data + 32];

    snprintf(path, sizeof path, "%s/%s", data, name);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fclose(file);
}

Test(datadir, a_backup_is_told_from_data)
{
    cr_assert_eq(mkdir(data, 0700), 0);
    touch("manifest.json");
    cr_assert_eq(ates_datadir_check(data, error, sizeof error), -ENOENT);
    cr_expect_not_null(strstr(error, "admin restore --verify-only"), "%s", error);
}

Test(datadir, a_restore_that_has_not_ended_is_no_data)
{
    cr_assert_eq(ates_datadir_create(data, error, sizeof error), 0);
    touch(ATES_RESTORE_MARK);
    cr_assert_eq(ates_datadir_check(data, error, sizeof error), -EINPROGRESS);
    cr_expect_not_null(strstr(error, "run it again"), "%s", error);
    cr_assert_eq(ates_datadir_create(data, error, sizeof error), -EINPROGRESS);
}

Test(datadir, a_parent_that_is_no_folder_is_a_fault)
{
    snprintf(data, sizeof data, "/proc/none/x");
    cr_assert_eq(ates_datadir_create(data, error, sizeof error), -ENOENT);
    cr_assert_not_null(strstr(error, "/proc/none/x"));
}

Test(datadir, a_second_lock_in_the_same_process_is_refused)
{
    int first = -1, second = -1;

    cr_assert_eq(ates_datadir_create(data, error, sizeof error), 0);
    cr_assert_eq(take_lock(&first), 0);
    cr_assert_eq(take_lock(&second), -EBUSY);
    cr_assert_eq(second, -1);
    close(first);
    cr_assert_eq(take_lock(&second), 0);
    close(second);
}

/* A child that holds the lock, until it is killed or told to end. */
Test(datadir, a_lock_ends_with_its_process)
{
    int held[2], end[2], lock = -1;
    char byte, pid[32];

    cr_assert_eq(ates_datadir_create(data, error, sizeof error), 0);
    for (int killed = 0; killed <= 1; killed++) {
        cr_assert(pipe(held) == 0 && pipe(end) == 0);
        const pid_t child = fork();
        if (child == 0) {
            close(held[0]);
            close(end[1]);
            byte = take_lock(&lock) == 0 ? '+' : '-';
            _exit(write(held[1], &byte, 1) == 1 && read(end[0], &byte, 1) == 0 ? 0 : 1);
        }
        close(held[1]);
        close(end[0]);
        cr_assert(read(held[0], &byte, 1) == 1 && byte == '+');
        cr_assert_eq(take_lock(&lock), -EBUSY);
        snprintf(pid, sizeof pid, "pid %ld)", (long)child);
        cr_assert_not_null(strstr(error, pid), "%s", error);
        cr_assert_not_null(strstr(error, "/tasks"), "%s", error);
        if (killed) {
            cr_assert_eq(kill(child, SIGKILL), 0);
        }
        close(end[1]);
        cr_assert_eq(waitpid(child, NULL, 0), child);
        cr_assert_eq(take_lock(&lock), 0, "%s", error);
        close(lock);
        close(held[0]);
    }
}
