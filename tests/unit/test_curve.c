/* Binding to tcp: refused without keys, with the setting named; ipc stays what it was. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <czmq.h>

#include "core/curve.h"
#include "core/journal.h"
#include "core/socket.h"
#include "support/knock.h"
#include "support/temp_folder.h"

static char folder[TEMP_FOLDER_SIZE], error[8192], bound[ATES_ADDRESS_SIZE];
static struct ates_config config;
static void *context, *router;

static void setup(void)
{
    zsys_handler_set(NULL);
    ates_journal_open("error");
    unsetenv("CREDENTIALS_DIRECTORY");
    temp_folder_make(folder);
    const struct ates_setting flags[] = {{"data", folder}, {"run", folder}};
    cr_assert_eq(ates_config_load(&config, "/dev/null", flags, 2, error, sizeof error), 0, "%s",
                 error);
    context = zmq_ctx_new();
    router = ates_socket_open(context, ZMQ_ROUTER);
}

static void teardown(void)
{
    zmq_close(router);
    zmq_ctx_term(context);
    temp_folder_remove(folder);
}

TestSuite(curve, .init = setup, .fini = teardown, .timeout = 60);

static int bind_it(void)
{
    return ates_curve_bind(&config, "tasks", "commands", router, bound, error, sizeof error);
}

static void make_server(struct ates_cert *cert)
{
    char path[160];

    snprintf(path, sizeof path, "%s/curve", folder);
    mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/curve/server.cert_secret", folder);
    cr_assert_eq(ates_cert_draw(cert), 0);
    cr_assert_eq(ates_cert_save(path, "server", cert, true, error, sizeof error), 0, "%s", error);
}

Test(curve, nothing_is_bound_that_is_not_configured)
{
    cr_expect_not(ates_curve_is_used(&config));
    cr_assert_eq(bind_it(), 0);
    cr_expect_str_eq(bound, "");
}

Test(curve, tcp_without_keys_is_refused_by_its_setting)
{
    struct ates_cert cert;
    char path[160];

    strcpy(config.listen_tasks, "tcp://127.0.0.1:0");
    cr_expect(ates_curve_is_used(&config));
    cr_expect_eq(bind_it(), -EINVAL);
    cr_expect_eq(strncmp(error, "listen/tasks: ", 14), 0, "%s", error);
    cr_expect_not_null(strstr(error, "server.cert_secret"), "%s", error);
    make_server(&cert);
    snprintf(path, sizeof path, "%s/curve/server.cert_secret", folder);
    chmod(path, 0644);
    cr_expect_eq(bind_it(), -EINVAL, "others may read it");
    chmod(path, 0600);
    cr_expect_eq(bind_it(), 0, "%s", error);
}

Test(curve, without_curve_only_loopback_is_listened_on)
{
    const struct knock as_nobody = {.mechanism = KNOCK_NULL};

    config.insecure_tcp = 1;
    strcpy(config.listen_tasks, "tcp://0.0.0.0:0");
    cr_expect_not(ates_curve_is_used(&config));
    cr_expect_eq(bind_it(), -EINVAL);
    cr_expect_eq(strncmp(error, "listen/tasks: ", 14), 0, "%s", error);
    strcpy(config.listen_tasks, "tcp://127.0.0.1:0");
    cr_assert_eq(bind_it(), 0, "%s", error);
    cr_expect(knock(ZMQ_DEALER, &as_nobody, bound));
}

Test(curve, ipc_of_the_same_socket_stays_without)
{
    const struct knock as_nobody = {.mechanism = KNOCK_NULL};
    struct ates_cert cert;
    char ipc[160], path[160], line[ATES_ADDRESS_SIZE + 1] = "";

    make_server(&cert);
    snprintf(ipc, sizeof ipc, "ipc://%s/tasks.sock", folder);
    cr_assert_eq(ates_socket_bind(router, ipc), 0);
    strcpy(config.listen_tasks, "tcp://127.0.0.1:0");
    cr_assert_eq(bind_it(), 0, "%s", error);
    cr_expect(knock(ZMQ_DEALER, &as_nobody, ipc));
    cr_expect_not(knock(ZMQ_DEALER, &as_nobody, bound));
    snprintf(path, sizeof path, "%s/tasks.address", folder);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    cr_assert_not_null(fgets(line, sizeof line, file));
    fclose(file);
    line[strcspn(line, "\n")] = '\0';
    cr_expect_str_eq(line, bound);
}

Test(curve, the_secret_may_be_given_by_systemd)
{
    struct ates_cert cert;
    char given[160], path[200];

    cr_assert_eq(ates_cert_draw(&cert), 0);
    snprintf(given, sizeof given, "%s/given", folder);
    mkdir(given, 0700);
    snprintf(path, sizeof path, "%s/server.cert_secret", given);
    cr_assert_eq(ates_cert_save(path, "server", &cert, true, error, sizeof error), 0);
    chmod(path, 0440);
    setenv("CREDENTIALS_DIRECTORY", given, 1);
    strcpy(config.listen_tasks, "tcp://127.0.0.1:0");
    cr_expect_eq(bind_it(), 0, "%s", error);
    unsetenv("CREDENTIALS_DIRECTORY");
}

Test(curve, connecting_needs_both_files)
{
    struct ates_cert cert;
    struct ates_reach reach;

    cr_assert_eq(ates_curve_load(&config, error, sizeof error), 0, "nothing is connected to");
    strcpy(config.connect_events, "tcp://127.0.0.1:5706");
    cr_expect_eq(ates_curve_load(&config, error, sizeof error), -EINVAL);
    cr_expect_eq(strncmp(error, "curve/server_file: ", 19), 0, "%s", error);
    make_server(&cert);
    snprintf(config.curve_server_file, sizeof config.curve_server_file,
             "%s/curve/server.cert_secret", folder);
    cr_expect_eq(ates_curve_load(&config, error, sizeof error), -EINVAL);
    cr_expect_eq(strncmp(error, "curve/client_file: ", 19), 0, "%s", error);
    strcpy(config.curve_client_file, config.curve_server_file);
    cr_assert_eq(ates_curve_load(&config, error, sizeof error), 0, "%s", error);
    ates_config_reach(&config, &reach);
    cr_expect_str_eq(ates_reach_address(&reach, "events"), "tcp://127.0.0.1:5706");
    cr_expect_null(ates_reach_address(&reach, "tasks"));
    cr_expect_str_eq(reach.secret_key, cert.secret_key);
    config.insecure_tcp = 1;
    config.curve_server_file[0] = '\0';
    cr_expect_eq(ates_curve_load(&config, error, sizeof error), 0);
}
