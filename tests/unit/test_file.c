/* Files that somebody else has put there: read where they are regular, named where they are not. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "support/temp_folder.h"

static char folder[TEMP_FOLDER_SIZE], path[128], error[512], expected[512];

static void setup(void)
{
    temp_folder_make(folder);
    snprintf(path, sizeof path, "%s/file", folder);
}

static void teardown(void)
{
    temp_folder_remove(folder);
}

TestSuite(file, .init = setup, .fini = teardown);

static void refused(const char *name, int fault, const char *words)
{
    snprintf(expected, sizeof expected, "%s: %s", name, words);
    cr_expect_eq(ates_file_open(name, error, sizeof error), fault);
    cr_expect_str_eq(error, expected);
    snprintf(expected, sizeof expected, "smtp/ca_file: %s: %s", name, words);
    cr_expect_eq(ates_file_open_setting("smtp/ca_file", name, error, sizeof error), fault);
    cr_expect_str_eq(error, expected);
}

Test(file, a_regular_file_is_read)
{
    char text[8] = "";
    const int made = open(path, O_WRONLY | O_CREAT, 0600);

    cr_assert_eq(write(made, "popug", 5), 5);
    close(made);
    for (int i = 0; i < 2; i++) {
        const int fd = i == 0 ? ates_file_open(path, error, sizeof error)
                              : ates_file_open_setting("smtp/ca_file", path, error, sizeof error);

        cr_assert_geq(fd, 0, "%s", error);
        cr_expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
        cr_expect_eq(read(fd, text, sizeof text - 1), 5);
        cr_expect_str_eq(text, "popug");
        close(fd);
    }
}

/* A FIFO that nobody writes to would hold a plain open() for ever. */
Test(file, what_is_none_is_refused, .timeout = 60)
{
    refused(path, -ENOENT, "No such file or directory");
    refused(folder, -EINVAL, "not a regular file");
    refused("/dev/null", -EINVAL, "not a regular file");
    cr_assert_eq(mkfifo(path, 0600), 0);
    refused(path, -EINVAL, "not a regular file");
}

/* What does not fit is cut, never written beyond the end. */
Test(file, a_short_line_is_cut)
{
    char little[8] = "1234567";

    cr_expect_eq(ates_file_open_setting("smtp/ca_file", path, little, 4), -ENOENT);
    cr_expect_eq(strlen(little), 3);
    cr_expect_str_eq(little + 4, "567");
}
