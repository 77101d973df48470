/* Allow lists: who is in the folder now, and nobody else. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/allow.h"
#include "core/cert.h"
#include "core/journal.h"
#include "core/random.h"
#include "support/temp_folder.h"

static char folder[TEMP_FOLDER_SIZE], list[128];
static struct ates_allow *allow;
static struct ates_cert ann, bob;

static void setup(void)
{
    ates_journal_open("error");
    temp_folder_make(folder);
    snprintf(list, sizeof list, "%s/commands", folder);
    cr_assert_eq(mkdir(list, 0755), 0);
    chmod(list, 0755);
    allow = ates_allow_new(folder, "commands");
    cr_assert_not_null(allow);
    cr_assert(ates_cert_draw(&ann) == 0 && ates_cert_draw(&bob) == 0);
}

static void teardown(void)
{
    ates_allow_free(&allow);
    temp_folder_remove(folder);
}

TestSuite(allow, .init = setup, .fini = teardown, .timeout = 60);

static const char *path_of(const char *name)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/%s.cert", list, name);
    return path;
}

static void put(const char *name, const struct ates_cert *cert)
{
    char error[512] = "";

    cr_assert_eq(ates_cert_save(path_of(name), name, cert, false, error, sizeof error), 0, "%s",
                 error);
}

Test(allow, keys_come_and_go_with_their_files)
{
    cr_expect_not(ates_allow_has(allow, ann.public_key));
    for (unsigned i = 1; i <= 100; i++) { /* many within one tick of the folder's clock */
        put("ann", &ann);
        cr_assert(ates_allow_has(allow, ann.public_key), "round %u", i);
        cr_assert_not(ates_allow_has(allow, bob.public_key));
        cr_assert_eq(unlink(path_of("ann")), 0);
        cr_assert_not(ates_allow_has(allow, ann.public_key), "round %u", i);
        cr_assert_eq(ates_allow_revoked(allow), i);
    }
    put("bob", &bob);
    put("ann", &ann);
    cr_expect(ates_allow_has(allow, ann.public_key) && ates_allow_has(allow, bob.public_key));
    cr_expect_eq(ates_allow_revoked(allow), 100, "to be let in is no reason to cut anybody off");
}

Test(allow, a_key_written_into_another_s_file_counts_soon)
{
    const int64_t until_us = ates_monotonic_us() + 30000000;

    put("ann", &ann);
    cr_assert(ates_allow_has(allow, ann.public_key));
    FILE *file = fopen(path_of("ann"), "w");
    fprintf(file, "curve\n    public-key = \"%s\"\n", bob.public_key);
    fclose(file);
    while (ates_allow_has(allow, ann.public_key)) {
        cr_assert_lt(ates_monotonic_us(), until_us);
    }
    cr_expect(ates_allow_has(allow, bob.public_key));
    cr_expect_eq(ates_allow_revoked(allow), 1);
}

Test(allow, what_is_no_certificate_lets_nobody_in_and_nobody_out)
{
    char path[256];

    put("ann", &ann);
    FILE *file = fopen(path_of("garbage"), "w");
    fputs("curve\n    public-key = \n", file);
    fclose(file);
    snprintf(path, sizeof path, "%s/bob.cert.bak", list);
    char error[512];
    cr_assert_eq(ates_cert_save(path, "bob", &bob, false, error, sizeof error), 0);
    cr_assert_eq(symlink("/dev/zero", path_of("zero")), 0);
    cr_expect(ates_allow_has(allow, ann.public_key));
    cr_expect_not(ates_allow_has(allow, bob.public_key), "its name has another ending");
    cr_expect_not(ates_allow_has(allow, ""));
    cr_expect_not(ates_allow_has(allow, "0123456789"));
}

Test(allow, a_folder_that_others_may_write_or_that_is_gone_allows_nobody)
{
    put("ann", &ann);
    cr_assert(ates_allow_has(allow, ann.public_key));
    chmod(list, 0775);
    cr_assert_not(ates_allow_has(allow, ann.public_key));
    chmod(list, 0755);
    cr_assert(ates_allow_has(allow, ann.public_key));
    unlink(path_of("ann"));
    rmdir(list);
    cr_expect_not(ates_allow_has(allow, ann.public_key));
    cr_expect_eq(ates_allow_revoked(allow), 2);
}
