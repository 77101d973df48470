/* The line of a file that sets something. */
#include <stdio.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "atesctl/setting_line.h"

static char path[] = "/tmp/ates-setting-line-XXXXXX";

static void setup(void)
{
    const int file = mkstemp(path);
    FILE *out = fdopen(file, "w");

    cr_assert_not_null(out);
    fputs("# log/level = error\n"
          "time_zone = Europe/Moscow\n"
          "\n"
          "log   # what is logged\n"
          "    level = debug\n"
          "web\n"
          "    # listen = 1.2.3.4:5\n"
          "    listen=127.0.0.1:0\n"
          "run = \"/tmp/level\"\n",
          out);
    cr_assert_eq(fclose(out), 0);
}

static void teardown(void)
{
    unlink(path);
}

TestSuite(setting_line, .init = setup, .fini = teardown);

Test(setting_line, finds_what_is_set_and_nothing_else)
{
    cr_expect_eq(ctl_setting_line(path, "time_zone"), 2);
    cr_expect_eq(ctl_setting_line(path, "log/level"), 5);
    cr_expect_eq(ctl_setting_line(path, "web/listen"), 8);
    cr_expect_eq(ctl_setting_line(path, "run"), 9);
    cr_expect_eq(ctl_setting_line(path, "data"), 0);
    cr_expect_eq(ctl_setting_line(path, "level"), 0);
    cr_expect_eq(ctl_setting_line(path, "web/level"), 0);
    cr_expect_eq(ctl_setting_line("/nowhere/ates.conf", "run"), 0);
}
