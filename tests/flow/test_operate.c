/* atesctl for who operates an installation: what it says of services that work and that do not, of
 * settings and of keys. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "support/flow.h"

#define ARGUMENTS_MAX 16

static struct flow flow;
static struct flow_output output;
static const char *const *environment;

static void open_flow(void)
{
    flow_open(&flow);
}

static void close_flow(void)
{
    flow_close(&flow);
}

TestSuite(operate, .init = open_flow, .fini = close_flow, .timeout = 300);

static int run(const char *const *words)
{
    const char *given = getenv("ATESCTL");
    const char *argv[ARGUMENTS_MAX + 1] = {given != NULL ? given : ATESCTL_PATH, "--run",
                                           flow.run_dir, "--no-input"};
    size_t count = 4;

    while (*words != NULL) {
        cr_assert_lt(count, ARGUMENTS_MAX);
        argv[count++] = *words++;
    }
    flow_run(&flow, argv, environment, &output);
    return output.code;
}
#define ATESCTL(...) run((const char *const[]){__VA_ARGS__, NULL})

/* A file in the test's folder that holds this text. */
static const char *file_with(const char *text)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/text", flow.folder);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    cr_assert_eq(fclose(file), 0);
    return path;
}

/* A member of the row whose member key has this value; the text lives until the next call. */
static const char *cell(const char *key, const char *value, const char *member)
{
    static char text[512];
    json_t *rows = json_loads(output.out, 0, NULL), *row;
    size_t i;

    cr_assert_not_null(rows, "%s%s", output.out, output.err);
    snprintf(text, sizeof text, "(none)");
    json_array_foreach(rows, i, row)
    {
        const char *found = json_string_value(json_object_get(row, key));
        const json_t *wanted = json_object_get(row, member);

        if (found != NULL && strcmp(found, value) == 0 && json_is_string(wanted)) {
            snprintf(text, sizeof text, "%s", json_string_value(wanted));
        } else if (found != NULL && strcmp(found, value) == 0 && json_is_integer(wanted)) {
            snprintf(text, sizeof text, "%lld", (long long)json_integer_value(wanted));
        }
    }
    json_decref(rows);
    return text;
}

static void expect_state(const char *service, const char *state)
{
    cr_expect_str_eq(cell("service", service, "state"), state, "%s\n%s", service, output.out);
}

Test(operate, health_tells_what_works_and_what_does_not)
{
    cr_expect_eq(ATESCTL("admin", "health", "-o", "json"), 1, "nothing runs");
    expect_state("tasks", "down");
    expect_state("broker", "down");

    flow_start_all(&flow);
    cr_expect_eq(ATESCTL("admin", "health", "-o", "json"), 0, "%s%s", output.out, output.err);
    for (size_t i = 0; flow_services[i] != NULL; i++) {
        expect_state(flow_services[i], "up");
    }
    cr_expect_str_neq(cell("service", "auth", "head"), "0");
    cr_expect_str_eq(cell("service", "accounting", "lag"), "(none)", "nobody is signed in");

    cr_assert_eq(ATESCTL("login", flow_login(FLOW_ADMINISTRATOR), "--password-file",
                         file_with(flow_password(FLOW_ADMINISTRATOR))),
                 0, "%s", output.err);
    cr_expect_eq(ATESCTL("admin", "health", "-o", "json"), 0);
    cr_expect_str_eq(cell("service", "accounting", "lag"), "0");
    cr_expect_str_eq(cell("service", "accounting", "dead_letters"), "0");

    flow_kill(&flow, "accounting");
    cr_expect_eq(ATESCTL("admin", "health", "-o", "json"), 1);
    expect_state("accounting", "down");
    expect_state("tasks", "up");
    expect_state("broker", "up");
    flow_start(&flow, "accounting");
    flow_kill(&flow, "broker");
    cr_expect_eq(ATESCTL("admin", "health", "-o", "json"), 1);
    expect_state("broker", "down");
    expect_state("accounting", "up");
    cr_expect_eq(ATESCTL("admin", "health"), 1);
    cr_expect_not_null(strstr(output.out, "broker"), "%s", output.out);
}

Test(operate, config_tells_what_set_each_setting)
{
    static const char *const given[] = {"ATES_LOG_LEVEL=debug", NULL};

    environment = given;
    cr_assert_eq(ATESCTL("admin", "config", "-o", "json"), 0, "%s", output.err);
    cr_expect_str_eq(cell("setting", "log/level", "value"), "debug");
    cr_expect_str_eq(cell("setting", "log/level", "source"), "$ATES_LOG_LEVEL");
    cr_expect_str_eq(cell("setting", "run", "value"), flow.run_dir);
    cr_expect_str_eq(cell("setting", "run", "source"), "the command line");
    cr_expect_str_eq(cell("setting", "auth/session_hours", "value"), "12");
    cr_expect_str_eq(cell("setting", "auth/session_hours", "source"), "default");
    cr_expect_str_eq(cell("setting", "payday/time", "value"), "00:00");
    cr_assert_eq(ATESCTL("context", "add", "office", "--data", flow.data_dir, "--use"), 0, "%s",
                 output.err);
    cr_assert_eq(ATESCTL("admin", "config", "-o", "json"), 0, "%s", output.err);
    cr_expect_str_eq(cell("setting", "data", "value"), flow.data_dir);
    cr_expect_not_null(strstr(cell("setting", "data", "source"), "contexts/office, line "), "%s",
                       output.out);
    environment = NULL;
}

Test(operate, config_checks_a_file_before_it_is_used)
{
    cr_expect_eq(ATESCTL("admin", "config", "check",
                         file_with("log\n    level = debug\nauth\n    session_hours = 3\n")),
                 0, "%s", output.err);
    cr_expect_not_null(strstr(output.err, "2 settings, all good"), "%s", output.err);
    cr_expect_eq(ATESCTL("admin", "config", "check", file_with("log\n    levle = debug\n")), 1);
    cr_expect_not_null(strstr(output.err, "log/levle: no such setting"), "%s", output.err);
    cr_expect_eq(ATESCTL("admin", "config", "check", file_with("log\n  level = debug\n")), 1);
    cr_expect_not_null(strstr(output.err, "line 2"), "%s", output.err);
    cr_expect_eq(ATESCTL("admin", "config", "check"), 2);
    cr_expect_eq(ATESCTL("admin", "config", "prove", "it"), 2);
}

Test(operate, keys_are_listed_without_their_secrets)
{
    char path[160], secret[256];

    cr_assert_eq(ATESCTL("admin", "keys", "ls", "--data", flow.data_dir, "-o", "json"), 0, "%s",
                 output.err);
    cr_expect_str_eq(cell("may_sign", "users", "file"), "auth.key");
    cr_expect_str_eq(cell("may_sign", "users", "mode"), "0600");
    cr_expect_str_eq(cell("may_sign", "users", "note"), "(none)");
    cr_expect_str_eq(cell("may_sign", "services", "file"), "services.key");
    cr_expect_eq(strncmp(cell("may_sign", "services", "kid"), "k4.pid.", 7), 0);
    snprintf(path, sizeof path, "%s/keys/auth.key", flow.data_dir);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    cr_assert_not_null(fgets(secret, sizeof secret, file));
    fclose(file);
    secret[strcspn(secret, "\n")] = '\0';
    cr_expect_gt(strlen(secret), 40);
    cr_expect_null(strstr(output.out, secret + strlen("k4.secret.")));
    cr_expect_eq(ATESCTL("admin", "keys", "rotate"), 2);
}
