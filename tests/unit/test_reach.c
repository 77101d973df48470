/* Reaching sockets: over ipc where nothing else is told, and over tcp only with keys. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <zmq.h>

#include "core/cert.h"
#include "core/reach.h"

static struct ates_reach reach;

static int connect_to(const char *name, char endpoint[256])
{
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, ZMQ_DEALER);
    size_t size = 256;

    const int r = ates_reach_connect(&reach, socket, name);
    zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &size);
    zmq_close(socket);
    zmq_ctx_term(context);
    return r;
}

Test(reach, ipc_below_the_run_folder_unless_told)
{
    char endpoint[256], longer[200];

    ates_reach_init(&reach, "/run/ates");
    cr_assert_eq(connect_to("tasks", endpoint), 0);
    cr_expect_str_eq(endpoint, "ipc:///run/ates/tasks.sock");
    cr_assert_eq(connect_to("publish", endpoint), 0);
    cr_expect_str_eq(endpoint, "ipc:///run/ates/private/publish.sock");
    cr_expect_null(ates_reach_address(&reach, "tasks"));
    memset(longer, 'x', sizeof longer);
    longer[0] = '/';
    longer[sizeof longer - 1] = '\0';
    ates_reach_init(&reach, longer);
    cr_expect_eq(connect_to("tasks", endpoint), -ENAMETOOLONG);
}

Test(reach, tcp_needs_all_three_keys)
{
    char endpoint[256];
    struct ates_cert own, server;

    cr_assert(ates_cert_draw(&own) == 0 && ates_cert_draw(&server) == 0);
    ates_reach_init(&reach, "/run/ates");
    cr_assert_eq(ates_reach_add(&reach, "tasks", "tcp://127.0.0.1:5702"), 0);
    cr_expect_eq(connect_to("tasks", endpoint), -ENOKEY);
    cr_expect_eq(ates_reach_set_keys(&reach, server.public_key, own.public_key, ""), -EINVAL);
    cr_expect_eq(ates_reach_set_keys(&reach, "no key", own.public_key, own.secret_key), -EINVAL);
    cr_expect_eq(connect_to("tasks", endpoint), -ENOKEY);
    cr_assert_eq(ates_reach_set_keys(&reach, server.public_key, own.public_key, own.secret_key), 0);
    cr_assert_eq(connect_to("tasks", endpoint), 0);
    cr_expect_str_eq(endpoint, "tcp://127.0.0.1:5702");
    cr_assert_eq(ates_reach_add(&reach, "tasks", "tcp://[::1]:5703"), 0);
    cr_expect_str_eq(ates_reach_address(&reach, "tasks"), "tcp://[::1]:5703");
    cr_expect_eq(connect_to("tasks", endpoint), 0);
}

Test(reach, without_curve_nothing_leaves_the_machine)
{
    char endpoint[256];

    ates_reach_init(&reach, "/run/ates");
    reach.is_open = true;
    cr_assert_eq(ates_reach_add(&reach, "tasks", "tcp://192.0.2.1:5702"), 0);
    cr_assert_eq(ates_reach_add(&reach, "auth", "tcp://127.0.0.1:5701"), 0);
    cr_expect_eq(connect_to("tasks", endpoint), -EPERM);
    cr_expect_eq(connect_to("auth", endpoint), 0);
    cr_expect(ates_reach_is_loopback("tcp://127.8.0.1:1") &&
              ates_reach_is_loopback("tcp://[::1]:1"));
    cr_expect_not(ates_reach_is_loopback("tcp://0.0.0.0:1") ||
                  ates_reach_is_loopback("tcp://[::10]:1") ||
                  ates_reach_is_loopback("tcp://localhost.example.org:1"));
}

Test(reach, places_have_a_limit)
{
    char name[8];

    ates_reach_init(&reach, "/run/ates");
    for (unsigned i = 0; i < ATES_REACH_PLACES; i++) {
        snprintf(name, sizeof name, "s%u", i);
        cr_assert_eq(ates_reach_add(&reach, name, "tcp://127.0.0.1:1"), 0);
    }
    cr_expect_eq(ates_reach_add(&reach, "more", "tcp://127.0.0.1:1"), -EMFILE);
    cr_expect_eq(ates_reach_add(&reach, "s1", "tcp://127.0.0.1:2"), 0);
    cr_expect_eq(ates_reach_add(&reach, "a name that is too long for a service", "tcp://h:1"),
                 -ENAMETOOLONG);
}
