/* What each setting takes and refuses, and what it is worth in the configuration. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "core/setting.h"

static char why[256];

/* Reads value as the setting of this name into a configuration of its own. */
static int read_as(const char *name, const char *value, struct ates_config *config)
{
    const size_t index = ates_setting_find(name);
    cr_assert_lt(index, ates_setting_count, "%s", name);
    const struct ates_setting_type *type = &ates_setting_types[index];
    memset(config, 0, sizeof *config);
    strcpy(why, "");
    return type->read(type, value, (char *)config + type->offset, why, sizeof why);
}

Test(setting, names_are_unique_and_found)
{
    for (size_t i = 0; i < ates_setting_count; i++) {
        const char *name = ates_setting_types[i].name;
        cr_expect_eq(ates_setting_find(name), i, "%s", name);
        cr_expect_lt(strlen(name), ATES_SETTING_NAME_SIZE);
        cr_expect_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz_/"), strlen(name), "%s", name);
    }
    cr_expect_eq(ates_setting_find("log"), ates_setting_count);
    cr_expect_eq(ates_setting_find(""), ates_setting_count);
    cr_expect_eq(ates_setting_find("log/level/"), ates_setting_count);
}

Test(setting, members_do_not_overlap)
{
    char used[sizeof(struct ates_config)] = {0};
    for (size_t i = 0; i < ates_setting_count; i++) {
        const struct ates_setting_type *type = &ates_setting_types[i];
        cr_assert_leq(type->offset + type->size, sizeof used);
        for (size_t j = 0; j < type->size; j++) {
            cr_assert_eq(used[type->offset + j]++, 0, "%s", type->name);
        }
    }
}

Test(setting, numbers)
{
    static const struct {
        const char *name;
        const char *lowest, *highest, *below, *above;
        int64_t worth; /* of the lowest */
    } numbers[] = {
        {"auth/access_minutes", "1", "1440", "0", "1441", 60 * 1000},
        {"auth/session_hours", "1", "744", "0", "745", 3600 * 1000},
        {"mail/retry_seconds", "1", "21600", "0", "21601", 1000},
        {"mail/give_up_hours", "1", "744", "0", "745", 3600 * 1000},
        {"store/map_gigabytes", "1", "4096", "0", "4097", INT64_C(1) << 30},
    };
    static const char *const wrong[] = {"",
                                        "-30",
                                        "+30",
                                        "30 ",
                                        " 30",
                                        "0x30",
                                        "30.0",
                                        "3O",
                                        "30m",
                                        "9999999999",
                                        "٣٠",
                                        "1e2",
                                        "18446744073709551646",
                                        "30\n"};
    struct ates_config config;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const char *name = numbers[i].name;
        const size_t offset = ates_setting_types[ates_setting_find(name)].offset;
        cr_expect_eq(read_as(name, numbers[i].below, &config), -EINVAL, "%s", name);
        cr_expect_eq(read_as(name, numbers[i].above, &config), -EINVAL, "%s", name);
        cr_expect_not_null(strstr(why, numbers[i].lowest), "%s", why);
        cr_expect_not_null(strstr(why, numbers[i].highest), "%s", why);
        cr_expect_eq(read_as(name, numbers[i].highest, &config), 0, "%s", name);
        cr_expect_eq(read_as(name, numbers[i].lowest, &config), 0, "%s", name);
        int64_t value;
        memcpy(&value, (char *)&config + offset, sizeof value);
        cr_expect_eq(value, numbers[i].worth, "%s", name);
        for (size_t j = 0; j < sizeof wrong / sizeof wrong[0]; j++) {
            cr_expect_eq(read_as(name, wrong[j], &config), -EINVAL, "%s = %s", name, wrong[j]);
            cr_expect_str_not_empty(why);
        }
    }
}

Test(setting, levels_zones_and_roles)
{
    static const struct {
        const char *name, *value;
        int result;
    } values[] = {
        {"log/level", "error", 0},
        {"log/level", "debug", 0},
        {"log/level", "", -EINVAL},
        {"log/level", "Info", -EINVAL},
        {"log/level", "info ", -EINVAL},
        {"time_zone", "UTC", 0},
        {"time_zone", "America/Argentina/Buenos_Aires", 0},
        {"time_zone", "Europe/Popugville", -EINVAL},
        {"time_zone", "", -EINVAL},
        {"time_zone", "../../../etc/passwd", -EINVAL},
        {"auth/open_roles", "", 0},
        {"auth/open_roles", "developer", 0},
        {"auth/open_roles", "other,developer,boss,manager,accountant", 0},
        {"auth/open_roles", "administrator", -EINVAL},
        {"auth/open_roles", "developer,internalservice", -EINVAL},
        {"auth/open_roles", "developer,", -EINVAL},
        {"auth/open_roles", ",", -EINVAL},
        {"auth/open_roles", "developer,,other", -EINVAL},
        {"auth/open_roles", "developer, other", -EINVAL},
        {"auth/open_roles", "devel", -EINVAL},
        {"mail/language", "en", 0},
        {"mail/language", "ru", 0},
        {"mail/language", "de", -EINVAL},
        {"mail/language", "", -EINVAL},
        {"smtp/url", "", 0},
        {"smtp/url", "smtp://127.0.0.1:2525", 0},
        {"smtp/url", "smtps://mail.example.org", 0},
        {"smtp/url", "smtp://", -EINVAL},
        {"smtp/url", "https://mail.example.org", -EINVAL},
        {"smtp/url", "mail.example.org", -EINVAL},
        {"smtp/url", "smtp://user:secret@mail.example.org", -EINVAL},
        {"smtp/url", "file:///etc/passwd", -EINVAL},
        {"smtp/user", "", 0},
        {"smtp/user", "ates@example.org", 0},
        {"smtp/user", "ates\nQUIT", -EINVAL},
        {"smtp/from", "ates@example.org", 0},
        {"smtp/from", "", -EINVAL},
        {"smtp/from", "ates", -EINVAL},
        {"smtp/from", "a@b@c", -EINVAL},
        {"smtp/from", "aTES <ates@example.org>", -EINVAL},
        {"smtp/from", "a@b\r\nBcc: c@d", -EINVAL},
        {"smtp/password_file", "", 0},
        {"smtp/password_file", "/etc/ates/smtp", 0},
        {"smtp/ca_file", "", 0},
        {"web/listen", "127.0.0.1:8080", 0},
        {"web/listen", "0.0.0.0:0", 0},
        {"web/listen", "[::1]:65535", 0},
        {"web/listen", "", -EINVAL},
        {"web/listen", "8080", -EINVAL},
        {"web/listen", ":8080", -EINVAL},
        {"web/listen", "127.0.0.1", -EINVAL},
        {"web/listen", "127.0.0.1:", -EINVAL},
        {"web/listen", "127.0.0.1:65536", -EINVAL},
        {"web/listen", "127.0.0.1:80x", -EINVAL},
        {"web/listen", "localhost:8080", -EINVAL},
        {"web/listen", "::1:8080", -EINVAL},
        {"web/listen", "[127.0.0.1]:8080", -EINVAL},
        {"web/origin", "", 0},
        {"web/origin", "https://ates.example", 0},
        {"web/origin", "http://[::1]:8080", 0},
        {"web/origin", "https://", -EINVAL},
        {"web/origin", "ates.example", -EINVAL},
        {"web/origin", "https://Ates.example", -EINVAL},
        {"web/origin", "https://ates.example/", -EINVAL},
        {"web/origin", "https://ates.example https://evil.example", -EINVAL},
        {"web/proxies", "", 0},
        {"web/proxies", "127.0.0.1", 0},
        {"web/proxies", "192.0.2.1, 2001:db8::7", 0},
        {"web/proxies", "127.0.0.1,", -EINVAL},
        {"web/proxies", "proxy.example.org", -EINVAL},
        {"web/proxies", "192.0.2.0/24", -EINVAL},
        {"web/metrics_token_file", "", 0},
        {"web/metrics_token_file", "/etc/ates/metrics", 0},
    };
    struct ates_config config;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        cr_expect_eq(read_as(values[i].name, values[i].value, &config), values[i].result, "%s = %s",
                     values[i].name, values[i].value);
        const size_t offset = ates_setting_types[ates_setting_find(values[i].name)].offset;
        cr_expect_str_eq((char *)&config + offset, values[i].result == 0 ? values[i].value : "");
    }
}

Test(setting, times_of_day)
{
    static const struct {
        const char *value;
        int64_t minutes; /* -1: refused */
    } times[] = {{"00:00", 0},  {"23:59", 1439}, {"02:30", 150}, {"24:00", -1},
                 {"12:60", -1}, {"2:30", -1},    {"", -1},       {"02-30", -1},
                 {"02:3", -1},  {"02:300", -1},  {"-1:00", -1},  {"ab:cd", -1}};
    struct ates_config config;

    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        cr_expect_eq(read_as("payday/time", times[i].value, &config),
                     times[i].minutes < 0 ? -EINVAL : 0, "%s", times[i].value);
        cr_expect_eq(config.payday_ms, times[i].minutes < 0 ? 0 : times[i].minutes * 60000);
    }
}

Test(setting, a_list_of_roles_too_long_for_its_place)
{
    char roles[sizeof(((struct ates_config *)NULL)->open_roles) + 8] = "boss";
    struct ates_config config;
    while (strlen(roles) + strlen(",boss") < sizeof(config.open_roles)) {
        strcat(roles, ",boss");
    }
    cr_expect_eq(read_as("auth/open_roles", roles, &config), 0);
    strcat(roles, ",boss");
    cr_expect_eq(read_as("auth/open_roles", roles, &config), -EINVAL);
    cr_expect_eq(config.time_zone[0], '\0');
}

Test(setting, folders_become_absolute)
{
    struct ates_config config;
    cr_assert_eq(chdir("/usr"), 0);
    cr_assert_eq(read_as("data", "lib/ates", &config), 0);
    cr_expect_str_eq(config.data_dir, "/usr/lib/ates");
    cr_assert_eq(read_as("run", "/srv/a b", &config), 0);
    cr_expect_str_eq(config.run_dir, "/srv/a b");
    cr_assert_eq(chdir("/"), 0);
    cr_assert_eq(read_as("data", "lib", &config), 0);
    cr_expect_str_eq(config.data_dir, "/lib");
    cr_expect_eq(read_as("data", "", &config), -EINVAL);
    cr_expect_eq(read_as("run", "", &config), -EINVAL);
}

Test(setting, folders_have_a_longest_name)
{
    struct ates_config config;
    char folder[8192];
    memset(folder, 'a', sizeof folder);
    folder[0] = '/';
    folder[sizeof folder - 1] = '\0';
    cr_expect_eq(read_as("data", folder, &config), -EINVAL);
    folder[sizeof config.data_dir] = '\0';
    cr_expect_eq(read_as("data", folder, &config), -EINVAL);
    folder[sizeof config.data_dir - 1] = '\0';
    cr_expect_eq(read_as("data", folder, &config), 0);
    cr_expect_str_eq(config.data_dir, folder);

    folder[107 - strlen("/private/publish.sock") + 1] = '\0';
    cr_expect_eq(read_as("run", folder, &config), -EINVAL);
    cr_expect_not_null(strstr(why, "socket"), "%s", why);
    folder[strlen(folder) - 1] = '\0';
    cr_expect_eq(read_as("run", folder, &config), 0);
}

Test(setting, is_told_as_a_file_would_write_it)
{
    struct ates_config *config = calloc(1, sizeof *config), *again = calloc(1, sizeof *again);
    char text[ATES_SETTING_TEXT_SIZE], words[256];

    for (size_t i = 0; i < ates_setting_count; i++) {
        const struct ates_setting_type *type = &ates_setting_types[i];

        cr_assert_eq(
            type->read(type, type->fallback, (char *)config + type->offset, words, sizeof words),
            0);
        ates_setting_text(type, config, text);
        cr_assert_eq(type->read(type, text, (char *)again + type->offset, words, sizeof words), 0,
                     "%s: %s", type->name, words);
        cr_expect_arr_eq((char *)again + type->offset, (char *)config + type->offset, type->size,
                         "%s: %s", type->name, text);
    }
    config->payday_ms = (23 * 60 + 5) * INT64_C(60000);
    cr_expect_str_eq(
        ates_setting_text(&ates_setting_types[ates_setting_find("payday/time")], config, text),
        "23:05");
    free(config);
    free(again);
}
