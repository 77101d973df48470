/* Passwords that are guessed first. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "auth/auth_guess.h"
#include "support/temp_folder.h"

static bool finds(const struct auth_guess *guess, const char *password)
{
    return auth_guess_finds(guess, ates_text_from(password), ates_text_from("Vasya1"),
                            ates_text_from("v.popov@uberpopug.example"));
}

static void write_list(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    cr_assert_not_null(file);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
}

Test(auth_guess, without_a_list_what_is_known_here_is_found)
{
    static const char *const found[] = {
        "vasya1vasya1",  "VASYA1-2026!", "v.popov1",  "v.popovV.Popov", "uberpopug",
        "UberPopug2026", "ates-ates",    "12popug34", "$ates$vasya1",
    };
    static const char *const others[] = {
        "correct horse battery",
        "the password of vasya1",
        "vasya2026x",
        "popugs are parrots",
        "12345678",
        "\xd0\xbf\xd0\xbe\xd0\xbf\xd1\x83\xd0\xb3\xd0\xb8\xd1\x87",
    };
    struct auth_guess *guess;
    char error[256] = "";

    cr_assert_eq(auth_guess_open(&guess, "", error, sizeof error), 0, "%s", error);
    for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
        cr_expect(finds(guess, found[i]), "%s", found[i]);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        cr_expect_not(finds(guess, others[i]), "%s", others[i]);
    }
    auth_guess_free(&guess);
    cr_expect_null(guess);
}

Test(auth_guess, a_list_has_a_password_a_line)
{
    struct auth_guess *guess;
    char folder[64], path[96], error[256] = "";

    temp_folder_make(folder);
    snprintf(path, sizeof path, "%s/list", folder);
    write_list(path, "12345678\r\n\nPassWord1\nqwertyuiop");
    cr_assert_eq(auth_guess_open(&guess, path, error, sizeof error), 0, "%s", error);
    cr_expect(finds(guess, "12345678"));
    cr_expect(finds(guess, "password1"));
    cr_expect(finds(guess, "QWERTYUIOP"));
    cr_expect_not(finds(guess, "1234567"));
    cr_expect_not(finds(guess, "password12"));
    cr_expect_not(finds(guess, "qwertyuiop\r"));
    auth_guess_free(&guess);
    temp_folder_remove(folder);
}

Test(auth_guess, what_is_no_list_is_named)
{
    struct auth_guess *guess;
    char folder[64], path[96], error[256];

    temp_folder_make(folder);
    snprintf(path, sizeof path, "%s/list", folder);
    cr_expect_eq(auth_guess_open(&guess, path, error, sizeof error), -ENOENT);
    cr_expect_null(guess);
    cr_expect_not_null(strstr(error, "auth/refused_passwords: "), "%s", error);
    cr_expect_not_null(strstr(error, path), "%s", error);
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_expect_eq(auth_guess_open(&guess, path, error, sizeof error), -EINVAL);
    cr_assert_eq(unlink(path), 0);
    write_list(path, "");
    cr_assert_eq(truncate(path, (off_t)AUTH_GUESS_FILE_MAX + 1), 0);
    cr_expect_eq(auth_guess_open(&guess, path, error, sizeof error), -EFBIG);
    temp_folder_remove(folder);
}
