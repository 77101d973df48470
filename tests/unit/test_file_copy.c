/* A small file copied whole, or not at all. */
#include "core/file_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "support/temp_folder.h"

static char folder[TEMP_FOLDER_SIZE], from[96], to[96], error[256];
static uint8_t digest[ATES_HASH_SIZE];
static uint64_t size;

static void setup(void)
{
    temp_folder_make(folder);
    snprintf(from, sizeof from, "%s/from", folder);
    snprintf(to, sizeof to, "%s/to", folder);
}

static void teardown(void)
{
    temp_folder_remove(folder);
}

TestSuite(file_copy, .init = setup, .fini = teardown);

static void write_from(const char *data, size_t length, mode_t mode)
{
    const int fd = open(from, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    cr_assert_eq(write(fd, data, length), (ssize_t)length);
    cr_assert_eq(fchmod(fd, mode), 0);
    close(fd);
}

Test(file_copy, keeps_bytes_and_mode_and_tells_the_digest)
{
    uint8_t again[ATES_HASH_SIZE];
    struct stat status;

    write_from("a\0b", 3, 0640);
    cr_assert_eq(ates_file_copy(from, to, &size, digest, error, sizeof error), 0, "%s", error);
    cr_expect_eq(size, 3);
    cr_assert_eq(stat(to, &status), 0);
    cr_expect_eq(status.st_mode & 0777, 0640);
    cr_expect_eq(status.st_size, 3);
    cr_assert_eq(ates_file_copy(to, NULL, &size, again, error, sizeof error), 0);
    cr_expect_arr_eq(digest, again, sizeof again);
    write_from("a\0c", 3, 0640);
    cr_assert_eq(ates_file_copy(from, NULL, &size, again, error, sizeof error), 0);
    cr_expect_arr_neq(digest, again, sizeof again);
}

Test(file_copy, replaces_nothing_and_names_what_is_missing)
{
    cr_expect_eq(ates_file_copy(from, to, &size, digest, error, sizeof error), -ENOENT);
    cr_expect_not_null(strstr(error, from));
    write_from("x", 1, 0600);
    cr_assert_eq(ates_file_copy(from, to, &size, digest, error, sizeof error), 0);
    cr_expect_eq(ates_file_copy(from, to, &size, digest, error, sizeof error), -EEXIST);
    cr_expect_not_null(strstr(error, to));
}

Test(file_copy, refuses_what_is_not_small)
{
    const int fd = open(from, O_WRONLY | O_CREAT, 0600);

    cr_assert_eq(ftruncate(fd, (off_t)ATES_FILE_COPY_MAX + 1), 0);
    close(fd);
    cr_expect_eq(ates_file_copy(from, to, &size, digest, error, sizeof error), -EFBIG);
    cr_expect_eq(access(to, F_OK), -1);
}

Test(file_copy, takes_a_fifo_and_a_folder_for_no_file)
{
    cr_assert_eq(mkfifo(from, 0600), 0);
    cr_expect_eq(ates_file_copy(from, to, &size, digest, error, sizeof error), -EINVAL);
    cr_expect_not_null(strstr(error, "not a regular file"), "%s", error);
    cr_expect_eq(ates_file_copy(folder, to, &size, digest, error, sizeof error), -EINVAL);
    cr_expect_eq(access(to, F_OK), -1);
}
