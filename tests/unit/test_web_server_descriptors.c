/* The server among the process's other parts: what it leaves them of its descriptors. */
#include <sys/resource.h>

#include "support/web_server_fixture.h"

void web_handle(struct web_request *request)
{
    respond_text(request, 200, "");
}

TestSuite(web_server_descriptors, .init = server_start, .fini = server_stop);

/* Starts it anew in a process that may have so many files open; only for the start, as the peers of a
 * test take some too. */
static void start_with_descriptors(rlim_t count)
{
    struct rlimit limit;

    server_stop();
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const rlim_t before = limit.rlim_cur;
    cr_assert_geq(limit.rlim_max, count);
    limit.rlim_cur = count;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    server_start();
    limit.rlim_cur = before;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

Test(web_server_descriptors, are_left_to_the_rest_of_the_process)
{
    const struct sockaddr_in far = {.sin_family = AF_INET,
                                    .sin_addr.s_addr = htonl(0xc0000201u)}; /* 192.0.2.1 */
    struct peer peers[8];

    web.config.web_connections = 1000;
    start_with_descriptors(1000);
    cr_expect_eq(web_server_connections_max(server), 500);
    web.config.web_connections = 300;
    cr_expect_eq(web_server_connections_max(server), 300);
    start_with_descriptors(400);
    cr_expect_eq(web_server_connections_max(server), 16);
    start_with_descriptors(100);
    for (size_t i = 0; i < 8; i++) {
        cr_expect_eq(web_on_accept(server, (const struct sockaddr *)&far, sizeof far), MHD_YES);
        peers[i] = peer_open_from((int)i + 2);
    }
    cr_expect_eq(web_on_accept(server, (const struct sockaddr *)&far, sizeof far), MHD_NO);
    for (size_t i = 0; i < 8; i++) {
        peer_close(&peers[i]);
    }
}
