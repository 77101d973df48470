/* CURVE key files: what is written is what CZMQ reads, and what may not be used is refused. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <czmq.h>

#include "core/cert.h"
#include "support/temp_folder.h"

static char folder[TEMP_FOLDER_SIZE], path[128], secret[160], error[512];
static struct ates_cert cert;

static void setup(void)
{
    zsys_handler_set(NULL);
    temp_folder_make(folder);
    snprintf(path, sizeof path, "%s/ann.cert", folder);
    snprintf(secret, sizeof secret, "%s_secret", path);
    cr_assert_eq(ates_cert_draw(&cert), 0);
    cr_assert_eq(ates_cert_save(secret, "ann", &cert, true, error, sizeof error), 0, "%s", error);
    cr_assert_eq(ates_cert_save(path, "ann", &cert, false, error, sizeof error), 0, "%s", error);
}

static void teardown(void)
{
    temp_folder_remove(folder);
}

TestSuite(cert, .init = setup, .fini = teardown);

static unsigned mode_of(const char *file)
{
    struct stat status;

    cr_assert_eq(stat(file, &status), 0);
    return (unsigned)status.st_mode & 07777;
}

Test(cert, a_pair_comes_back_and_czmq_reads_it)
{
    struct ates_cert loaded;

    cr_expect_eq(mode_of(secret), 0600);
    cr_expect_eq(mode_of(path), 0644);
    cr_assert_eq(ates_cert_load_secret(secret, false, &loaded, error, sizeof error), 0, "%s",
                 error);
    cr_expect_str_eq(loaded.public_key, cert.public_key);
    cr_expect_str_eq(loaded.secret_key, cert.secret_key);
    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(ates_cert_load_public(i == 0 ? path : secret, &loaded, error, sizeof error),
                     0);
        cr_expect_str_eq(loaded.public_key, cert.public_key);
        cr_expect_str_eq(loaded.secret_key, "");
    }
    zcert_t *theirs = zcert_load(path);
    cr_assert_not_null(theirs);
    cr_expect_str_eq(zcert_public_txt(theirs), cert.public_key);
    cr_expect_str_eq(zcert_secret_txt(theirs), cert.secret_key);
    cr_expect_str_eq(zcert_meta(theirs, "name"), "ann");
    zcert_destroy(&theirs);
}

Test(cert, what_czmq_writes_is_read)
{
    struct ates_cert loaded;
    zcert_t *theirs = zcert_new();
    char other[160], other_secret[176];

    snprintf(other, sizeof other, "%s/bob.cert", folder);
    snprintf(other_secret, sizeof other_secret, "%s_secret", other);
    cr_assert_eq(zcert_save(theirs, other), 0);
    chmod(other, 0644);
    cr_assert_eq(ates_cert_load_public(other, &loaded, error, sizeof error), 0, "%s", error);
    cr_expect_str_eq(loaded.public_key, zcert_public_txt(theirs));
    chmod(other_secret, 0600);
    cr_assert_eq(ates_cert_load_secret(other_secret, false, &loaded, error, sizeof error), 0, "%s",
                 error);
    cr_expect_str_eq(loaded.secret_key, zcert_secret_txt(theirs));
    zcert_destroy(&theirs);
}

Test(cert, nothing_is_replaced)
{
    struct ates_cert other, loaded;

    cr_assert_eq(ates_cert_draw(&other), 0);
    cr_expect_eq(ates_cert_save(path, "ann", &other, false, error, sizeof error), -EEXIST);
    cr_expect_not_null(strstr(error, path));
    cr_assert_eq(ates_cert_load_public(path, &loaded, error, sizeof error), 0);
    cr_expect_str_eq(loaded.public_key, cert.public_key);
}

Test(cert, what_others_may_read_or_write_is_refused)
{
    struct ates_cert loaded;

    chmod(secret, 0640);
    cr_expect_eq(ates_cert_load_secret(secret, false, &loaded, error, sizeof error), -EPERM);
    cr_expect_eq(ates_cert_load_secret(secret, true, &loaded, error, sizeof error), 0,
                 "systemd's access list shows as the group's bits");
    chmod(secret, 0604);
    cr_expect_eq(ates_cert_load_secret(secret, true, &loaded, error, sizeof error), -EPERM);
    chmod(path, 0664);
    cr_expect_eq(ates_cert_load_public(path, &loaded, error, sizeof error), -EPERM);
}

static void write_text(const char *text)
{
    FILE *file = fopen(path, "w");

    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

Test(cert, what_is_none_is_refused)
{
    static const char *const texts[] = {
        "", "curve\n", "curve\n    public-key = \"short\"\n",
        "curve\n    public-key = \"~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\"\n",
        "\x7f\x45\x4c\x46"};
    struct ates_cert loaded;
    char big[8192];

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        write_text(texts[i]);
        cr_expect_eq(ates_cert_load_public(path, &loaded, error, sizeof error), -EINVAL, "%zu", i);
    }
    memset(big, '#', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    write_text(big);
    cr_expect_eq(ates_cert_load_public(path, &loaded, error, sizeof error), -EINVAL);
    cr_expect_eq(ates_cert_load_public(folder, &loaded, error, sizeof error), -EINVAL);
    remove(path);
    cr_expect_eq(ates_cert_load_public(path, &loaded, error, sizeof error), -ENOENT);
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_expect_eq(ates_cert_load_public(path, &loaded, error, sizeof error), -EINVAL,
                 "and does not wait");
}

Test(cert, halves_that_do_not_belong_together_are_refused)
{
    struct ates_cert other, loaded;
    char mixed[160];

    cr_assert_eq(ates_cert_draw(&other), 0);
    strcpy(other.public_key, cert.public_key);
    snprintf(mixed, sizeof mixed, "%s/mixed", folder);
    cr_assert_eq(ates_cert_save(mixed, "mixed", &other, true, error, sizeof error), 0);
    cr_expect_eq(ates_cert_load_secret(mixed, false, &loaded, error, sizeof error), -EINVAL);
    chmod(path, 0600);
    cr_expect_eq(ates_cert_load_secret(path, false, &loaded, error, sizeof error), -EINVAL,
                 "the public half alone");
}

Test(cert, names_stay_in_their_folder)
{
    cr_expect(ates_cert_is_name("ann") && ates_cert_is_name("web-1.example_org"));
    cr_expect_not(ates_cert_is_name("") || ates_cert_is_name("..") || ates_cert_is_name(".ann") ||
                  ates_cert_is_name("a/b") || ates_cert_is_name("a b") ||
                  ates_cert_is_name("a\"b"));
    cr_expect_not(ates_cert_is_name(
        "0123456789012345678901234567890123456789012345678901234567890123456789"));
}
