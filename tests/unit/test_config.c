/* Where settings come from, in which order, and that each mistake is named by its place. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "core/config.h"
#include "core/setting.h"
#include "support/seed.h"

static char file[64];
static char error[512];
static struct ates_config config;

static void write_file(const void *data, size_t size)
{
    FILE *stream = fopen(file, "w");
    cr_assert_not_null(stream);
    cr_assert_eq(fwrite(data, 1, size, stream), size);
    cr_assert_eq(fclose(stream), 0);
}

static const char *variable_of(size_t index)
{
    static char variable[128];
    strcpy(variable, "ATES_");
    for (const char *c = ates_setting_types[index].name; *c != '\0'; c++) {
        const char upper[2] = {*c == '/' ? '_' : (char)toupper(*c), '\0'};
        strcat(variable, upper);
    }
    return variable;
}

static void set_up(void)
{
    strcpy(file, "/tmp/ates-config-XXXXXX");
    const int fd = mkstemp(file);
    cr_assert_geq(fd, 0);
    close(fd);
    unsetenv(ATES_CONFIG_VARIABLE);
    for (size_t i = 0; i < ates_setting_count; i++) {
        unsetenv(variable_of(i));
    }
}

static void tear_down(void)
{
    unlink(file);
}

TestSuite(config, .init = set_up, .fini = tear_down);

static int load_flags(const char *text, const struct ates_setting *flags, size_t flag_count)
{
    write_file(text, strlen(text));
    memset(&config, 0x5a, sizeof config);
    strcpy(error, "");
    return ates_config_load(&config, file, flags, flag_count, error, sizeof error);
}

static int load(const char *text)
{
    return load_flags(text, NULL, 0);
}

static void expect_refused(const char *text, const char *why)
{
    char whole[512];
    snprintf(whole, sizeof whole, "%s: %s", file, why);
    cr_expect_eq(load(text), -EINVAL, "%s", text);
    cr_expect_str_eq(error, whole);
    cr_expect_eq(config.data_dir[0], 0x5a, "the output is untouched");
}

Test(config, defaults)
{
    cr_assert_eq(load(""), 0, "%s", error);
    cr_expect_str_eq(config.data_dir, "/var/lib/ates");
    cr_expect_str_eq(config.run_dir, "/run/ates");
    cr_expect_str_eq(config.log_level, "info");
    cr_expect_str_eq(config.time_zone, "Europe/Moscow");
    cr_expect_str_eq(config.open_roles, "developer,other");
    cr_expect_eq(config.access_ms, 15 * 60 * 1000);
    cr_expect_eq(config.session_ms, 12 * 3600 * 1000);
    cr_expect_eq(config.map_size, INT64_C(16) << 30);
    cr_expect_str_empty(error);
}

Test(config, a_whole_file)
{
    cr_assert_eq(load("# aTES\n"
                      "\n"
                      "data = /srv/ates/data   # a comment\n"
                      "run = \"/srv/ates/run # 1\"\r\n"
                      "time_zone = 'Asia/Tokyo'\n"
                      "log\n"
                      "    # of every service\n"
                      "    level = debug\n"
                      "\n"
                      "auth          # who may\n"
                      "    open_roles = \"\"\n"
                      "    access_minutes = 5\n"
                      "    session_hours=1\n"
                      "store/map_gigabytes = 2"),
                 0, "%s", error);
    cr_expect_str_eq(config.data_dir, "/srv/ates/data");
    cr_expect_str_eq(config.run_dir, "/srv/ates/run # 1");
    cr_expect_str_eq(config.time_zone, "Asia/Tokyo");
    cr_expect_str_eq(config.log_level, "debug");
    cr_expect_str_eq(config.open_roles, "");
    cr_expect_eq(config.access_ms, 5 * 60 * 1000);
    cr_expect_eq(config.session_ms, 3600 * 1000);
    cr_expect_eq(config.map_size, INT64_C(2) << 30);
}

Test(config, environment_overrides_the_file_and_flags_both)
{
    const char *text = "data = /file\nrun = /file\nlog\n    level = error\n";
    const struct ates_setting flags[] = {{"data", "/flag"}, {"auth/access_minutes", "7"}};
    setenv("ATES_DATA", "/environment", 1);
    setenv("ATES_RUN", "/environment", 1);
    setenv("ATES_LOG_LEVEL", "notice", 1);
    setenv("ATES_TIME_ZONE", "UTC", 1);
    setenv("ATES_AUTH_ACCESS_MINUTES", "6", 1);
    setenv("ATES_NO_SETTING", "whatever", 1);
    cr_assert_eq(load_flags(text, flags, 2), 0, "%s", error);
    cr_expect_str_eq(config.data_dir, "/flag");
    cr_expect_str_eq(config.run_dir, "/environment");
    cr_expect_str_eq(config.log_level, "notice");
    cr_expect_str_eq(config.time_zone, "UTC");
    cr_expect_eq(config.access_ms, 7 * 60 * 1000);
}

Test(config, every_setting_has_its_variable)
{
    for (size_t i = 0; i < ates_setting_count; i++) {
        const char *variable = variable_of(i);
        setenv(variable,
               ",no value of any setting,"
               "\n"
               "at all,",
               1);
        const int r = load("");
        if (strcmp(ates_setting_types[i].name, "data") == 0 ||
            strcmp(ates_setting_types[i].name, "run") == 0) {
            cr_expect_eq(r, 0, "%s: %s", variable, error); /* any name may be a folder's */
        } else {
            cr_expect_eq(r, -EINVAL, "%s", variable);
            cr_expect_eq(strncmp(error, variable, strlen(variable)), 0, "%s", error);
            cr_expect_eq(error[strlen(variable)], ':', "%s", error);
            cr_expect_null(strchr(error, '\n'), "one line: %s", error);
        }
        unsetenv(variable);
    }
}

Test(config, mistakes_in_a_file_are_named_by_setting)
{
    expect_refused("dta = /x\n", "dta: no such setting");
    expect_refused("log\n    levle = info\n", "log/levle: no such setting");
    expect_refused("level = info\n", "level: no such setting");
    expect_refused("pop3\n    host = example.org\n", "pop3: no such setting");
    expect_refused("log = info\n", "log: no such setting");
    expect_refused("log = x\n    level = info\n", "log: no such setting");
    expect_refused("data = /x\n    deeper = 1\n", "data: no section");
    expect_refused("log\n    level = info\n        deeper = 1\n", "log/level: no section");
    expect_refused("data = /x\nrun = /y\ndata = /x\n", "data: set twice");
    expect_refused("log\n    level = info\nlog/level = info\n", "log/level: set twice");
    expect_refused("data\n", "data: a folder is needed");
    expect_refused("auth\n    access_minutes = 0\n",
                   "auth/access_minutes: \"0\" is no whole number from 1 to 1440");
    expect_refused("auth\n    access_minutes\n",
                   "auth/access_minutes: \"\" is no whole number from 1 to 1440");
    expect_refused("time_zone = Europe/Popugville\n",
                   "time_zone: \"Europe/Popugville\" is no time zone of this machine");
    expect_refused("log\n    level = loud\n",
                   "log/level: \"loud\" is not error, warning, notice, info or debug");
    expect_refused("auth\n    open_roles = developer,administrator\n",
                   "auth/open_roles: \"administrator\" is no role that may be open");
}

Test(config, mistakes_in_the_form_are_named_by_line)
{
    expect_refused("data = /x\n   run = /y\n", "line 2: not indented by fours of spaces");
    expect_refused("log\n\tlevel = info\n", "line 2: neither a setting nor a comment");
    expect_refused("log\n\n        level = info\n", "line 3: indented deeper than by one level");
    expect_refused("    data = /x\n", "line 1: indented deeper than by one level");
    expect_refused("= /x\n", "line 1: neither a setting nor a comment");
    expect_refused("[log]\n", "line 1: neither a setting nor a comment");
    expect_refused("/data = /x\n", "line 1: / at an end of the name");
    expect_refused("data/ = /x\n", "line 1: / at an end of the name");
    expect_refused("data: /x\n", "line 1: = is missing after the name");
    expect_refused("data /x\n", "line 1: = is missing after the name");
    expect_refused("data = \"/x\n", "line 1: the closing quote is missing");
    expect_refused("data = '/x\"\n", "line 1: the closing quote is missing");
    expect_refused("data = \"/x\" /y\n", "line 1: text after the closing quote");
    expect_refused("# one\ndata = # none\n", "line 2: the value is missing");
    expect_refused("data =\r\"/x\n", "line 1: the closing quote is missing");
    expect_refused("дата = /x", "line 1: neither a setting nor a comment");
}

Test(config, bytes_that_zconfig_would_take_silently)
{
    static const char nul[] = "data = /x\nrun = /y\0z\n";
    write_file(nul, sizeof nul - 1);
    cr_expect_eq(ates_config_load(&config, file, NULL, 0, error, sizeof error), -EINVAL);
    cr_expect_not_null(strstr(error, ": line 2: a NUL byte"), "%s", error);

    char text[1200] = "time_zone = UTC\ndata = /";
    memset(text + strlen(text), 'x', sizeof text - strlen(text) - 1);
    text[sizeof text - 1] = '\0';
    expect_refused(text, "line 2: longer than 1024 bytes");
    text[strlen("time_zone = UTC\n") + 1024] = '\0';
    cr_expect_eq(load(text), 0, "%s", error);
    cr_expect_eq(strlen(config.data_dir), 1024 - strlen("data = "));
}

Test(config, files_that_cannot_be_read)
{
    char whole[256];
    unlink(file);
    cr_expect_eq(ates_config_load(&config, file, NULL, 0, error, sizeof error), -ENOENT);
    snprintf(whole, sizeof whole, "%s: No such file or directory", file);
    cr_expect_str_eq(error, whole);

    cr_assert_eq(mkdir(file, 0700), 0);
    cr_expect_eq(ates_config_load(&config, file, NULL, 0, error, sizeof error), -EISDIR);
    snprintf(whole, sizeof whole, "%s: Is a directory", file);
    cr_expect_str_eq(error, whole);
    cr_assert_eq(rmdir(file), 0);

    static char text[64 * 1024 + 1];
    memset(text, '\n', sizeof text);
    write_file(text, sizeof text);
    cr_expect_eq(ates_config_load(&config, file, NULL, 0, error, sizeof error), -EFBIG);
    cr_expect_not_null(strstr(error, file));
    write_file(text, sizeof text - 1);
    cr_expect_eq(ates_config_load(&config, file, NULL, 0, error, sizeof error), 0, "%s", error);
}

Test(config, without_a_file)
{
    if (access("/etc/ates/ates.conf", F_OK) == 0) {
        cr_skip_test("skipped: this machine has an /etc/ates/ates.conf");
    }
    cr_assert_eq(ates_config_load(&config, NULL, NULL, 0, error, sizeof error), 0, "%s", error);
    cr_expect_str_eq(config.data_dir, "/var/lib/ates");
}

Test(config, a_variable_names_another_file)
{
    write_file("run = /srv/run\n", strlen("run = /srv/run\n"));
    setenv(ATES_CONFIG_VARIABLE, file, 1);
    cr_expect_eq(ates_config_load(&config, NULL, NULL, 0, error, sizeof error), 0, "%s", error);
    cr_expect_str_eq(config.run_dir, "/srv/run");
    cr_expect_str_eq(ates_config_file(), file);
    cr_expect_eq(load("run = /given\n"), 0, "%s", error);
    cr_expect_str_eq(config.run_dir, "/given");
    setenv(ATES_CONFIG_VARIABLE, "/nowhere/ates.conf", 1);
    cr_expect_eq(ates_config_load(&config, NULL, NULL, 0, error, sizeof error), -ENOENT);
    cr_expect_not_null(strstr(error, "/nowhere/ates.conf: No such file"), "%s", error);
    setenv(ATES_CONFIG_VARIABLE, "", 1);
    cr_expect_str_eq(ates_config_file(), ATES_CONFIG_FILE);
    unsetenv(ATES_CONFIG_VARIABLE);
}

Test(config, mistakes_in_variables_and_flags)
{
    const struct ates_setting unknown = {"colour", "red"}, wrong = {"log/level", "l\noud"};
    cr_expect_eq(load_flags("", &unknown, 1), -EINVAL);
    cr_expect_str_eq(error, "flag colour: no such setting");
    cr_expect_eq(load_flags("", &wrong, 1), -EINVAL);
    cr_expect_str_eq(error,
                     "flag log/level: \"l?oud\" is not error, warning, notice, info or debug");

    setenv("ATES_DATA", "", 1);
    cr_expect_eq(load("data = /x\n"), -EINVAL);
    cr_expect_str_eq(error, "ATES_DATA: a folder is needed");
    unsetenv("ATES_DATA");

    /* a mistake counts even where another source overrides it */
    const struct ates_setting right = {"log/level", "info"};
    cr_expect_eq(load_flags("log\n    level = loud\n", &right, 1), -EINVAL);
}

Test(config, a_session_outlives_its_tokens)
{
    cr_expect_eq(load("auth\n    access_minutes = 61\n    session_hours = 1\n"), -EINVAL);
    cr_expect_str_eq(error, "auth/session_hours: shorter than auth/access_minutes");
    cr_expect_eq(load("auth\n    access_minutes = 60\n    session_hours = 1\n"), 0, "%s", error);
}

Test(config, the_error_fits_its_bytes)
{
    char small[8] = "1234567";
    write_file("colour = red\n", 13);
    cr_expect_eq(ates_config_load(&config, file, NULL, 0, small, 4), -EINVAL);
    cr_expect_str_eq(small, "/tm");
    cr_expect_eq(small[4], '5');
}

static uint64_t seed;

static uint64_t draw(uint64_t below)
{
    return seed_draw(&seed, below);
}

/* Files made of pieces that matter to ZPL: each is taken, or refused with its place. What passes
 * the check of the lines must pass zconfig too, which says what it refuses only on stdout. */
Test(config, any_file_is_taken_or_refused_by_place)
{
    static const char *const pieces[] = {"data",    "log", "level", "auth", "access_minutes",
                                         " = ",     "=",   "info",  "7",    "    ",
                                         "    ",    "\n",  "\n",    "\n",   "#",
                                         "\"",      "'",   "/",     "\t",   " ",
                                         "store",   "x",   "\r",    "\xff", "$",
                                         "\xd1\x91"};
    seed = seed_start();
    int taken = 0;
    for (int round = 0; round < 10000; round++) {
        char text[400] = "";
        for (uint64_t count = draw(14); count > 0; count--) {
            strcat(text, pieces[draw(sizeof pieces / sizeof pieces[0])]);
        }
        const int r = load(text);
        if (r == 0) {
            taken++;
            continue;
        }
        cr_assert_eq(r, -EINVAL, "%s", text);
        cr_assert_eq(strncmp(error, file, strlen(file)), 0, "%s", error);
        cr_assert_null(strstr(error, "not a configuration"), "%s", text);
        cr_assert_eq(config.data_dir[0], 0x5a);
    }
    cr_expect_gt(taken, 0);
}

/* What README.md shows are the defaults. */
Test(config, the_readmes_settings_are_the_defaults)
{
    static char text[65536];
    FILE *readme = fopen(ATES_SOURCE_ROOT "/README.md", "r");

    cr_assert_not_null(readme);
    text[fread(text, 1, sizeof text - 1, readme)] = '\0';
    fclose(readme);
    char *begin = strstr(text, "```\ndata = ");
    cr_assert_not_null(begin);
    begin += strlen("```\n");
    char *end = strstr(begin, "```");
    cr_assert_not_null(end);
    *end = '\0';
    cr_assert_eq(load(""), 0, "%s", error);
    const struct ates_config defaults = config;
    cr_assert_eq(load(begin), 0, "%s", error);
    for (size_t i = 0; i < ates_setting_count; i++) {
        const struct ates_setting_type *type = &ates_setting_types[i];
        const char *one = (const char *)&config + type->offset;
        const char *other = (const char *)&defaults + type->offset;

        cr_expect_eq(type->size == sizeof(int64_t) ? memcmp(one, other, type->size)
                                                   : strcmp(one, other),
                     0, "%s", type->name);
    }
}

static enum ates_origin origin_of(const enum ates_origin *origins, const char *name)
{
    return origins[ates_setting_find(name)];
}

/* A context is a second file; what it leaves out comes from the first. */
Test(config, tells_where_each_value_came_from)
{
    const struct ates_setting flag = {"ctl/output", "csv"};
    enum ates_origin origins[ATES_SETTING_MAX];
    char context[] = "/tmp/ates-context-XXXXXX";
    const struct ates_config_sources sources = {file, context, &flag, 1};
    const int fd = mkstemp(context);

    cr_assert(fd >= 0 && dprintf(fd, "run = /context\nctl\n    output = json\n") > 0);
    close(fd);
    write_file("run = /file\ndata = /file\nlog/level = debug\n",
               strlen("run = /file\ndata = /file\nlog/level = debug\n"));
    setenv("ATES_LOG_LEVEL", "error", 1);
    cr_assert_eq(ates_config_load_from(&config, &sources, origins, error, sizeof error), 0, "%s",
                 error);
    unlink(context);
    cr_expect_str_eq(config.run_dir, "/context");
    cr_expect_str_eq(config.data_dir, "/file");
    cr_expect_str_eq(config.log_level, "error");
    cr_expect_str_eq(config.ctl_output, "csv");
    cr_expect_eq(origin_of(origins, "run"), ATES_FROM_CONTEXT);
    cr_expect_eq(origin_of(origins, "data"), ATES_FROM_FILE);
    cr_expect_eq(origin_of(origins, "log/level"), ATES_FROM_ENVIRONMENT);
    cr_expect_eq(origin_of(origins, "ctl/output"), ATES_FROM_FLAG);
    cr_expect_eq(origin_of(origins, "time_zone"), ATES_FROM_DEFAULT);
    cr_expect_eq(ates_config_load_from(&config, &sources, origins, error, sizeof error), -ENOENT,
                 "a context must be there");
}
