/* Messages as files: where, how, and under which names. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mail/mail_outbox.h"
#include "support/temp_folder.h"

static char base[TEMP_FOLDER_SIZE], folder[TEMP_FOLDER_SIZE + 8];

static void setup(void)
{
    temp_folder_make(base);
    snprintf(folder, sizeof folder, "%s/mail", base);
}

static void teardown(void)
{
    temp_folder_remove(base);
}

TestSuite(mail_outbox, .init = setup, .fini = teardown);

static void expect_file(const char *name, const char *content)
{
    char path[sizeof folder + 256], found[64] = "";
    struct stat status;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    cr_assert_eq(stat(path, &status), 0, "%s: %s", path, strerror(errno));
    cr_expect_eq(status.st_mode & 07777, 0600);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    found[fread(found, 1, sizeof found - 1, file)] = '\0';
    fclose(file);
    cr_expect_str_eq(found, content);
}

static size_t count_files(void)
{
    DIR *dir = opendir(folder);
    size_t count = 0;

    cr_assert_not_null(dir);
    while (readdir(dir) != NULL) {
        count++;
    }
    closedir(dir);
    return count - 2; /* . and .. */
}

Test(mail_outbox, a_message_is_a_file_that_the_next_of_its_name_replaces)
{
    struct stat status;

    umask(0);
    cr_assert_eq(mail_outbox_write(folder, "payout-2024-02-29-7", "first words", 11), 0);
    cr_assert_eq(stat(folder, &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0700);
    expect_file("payout-2024-02-29-7.eml", "first words");
    cr_assert_eq(mail_outbox_write(folder, "payout-2024-02-29-7", "second", 6), 0);
    expect_file("payout-2024-02-29-7.eml", "second");
    cr_assert_eq(mail_outbox_write(folder, "A_b.c", "", 0), 0);
    expect_file("A_b.c.eml", "");
    cr_expect_eq(count_files(), 2, "something else is left there");
}

Test(mail_outbox, other_names_are_refused)
{
    char longest[MAIL_OUTBOX_NAME_MAX + 2] = "";
    static const char *const names[] = {"",    ".",    "..",    ".a",  "a/b", "../a", "a b",
                                        "a\n", "a\\b", "попуг", "a:b", "a*",  "a@b"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        cr_expect_eq(mail_outbox_write(folder, names[i], "x", 1), -EINVAL, "'%s'", names[i]);
    }
    memset(longest, 'a', sizeof longest - 1);
    cr_expect_eq(mail_outbox_write(folder, longest, "x", 1), -EINVAL);
    cr_expect_eq(access(folder, F_OK), -1, "nothing was made");
    longest[MAIL_OUTBOX_NAME_MAX] = '\0';
    cr_expect_eq(mail_outbox_write(folder, longest, "x", 1), 0);
}

Test(mail_outbox, what_is_in_the_way_is_told_and_nothing_is_left)
{
    char path[sizeof folder + 16];

    snprintf(path, sizeof path, "%s/deeper", folder);
    cr_expect_eq(mail_outbox_write(path, "a", "x", 1), -ENOENT, "no parent");
    cr_assert_eq(mail_outbox_write(folder, "a", "x", 1), 0);
    snprintf(path, sizeof path, "%s/b.eml", folder);
    cr_assert_eq(mkdir(path, 0700), 0);
    cr_expect_eq(mail_outbox_write(folder, "b", "x", 1), -EISDIR);
    cr_expect_eq(count_files(), 2);
    snprintf(path, sizeof path, "%s/a.eml", folder);
    cr_expect_eq(mail_outbox_write(path, "a", "x", 1), -ENOTDIR, "the folder is a file");
}
