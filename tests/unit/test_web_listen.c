/* Listening: what it is called, and what is said where it cannot be. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "web/web_listen.h"

static char bound[160], error[256];

static int open_one(const char *address)
{
    bound[0] = error[0] = '\0';
    return web_listen(address, bound, sizeof bound, error, sizeof error);
}

static int connect_to(unsigned port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int descriptor = socket(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(connect(descriptor, (const struct sockaddr *)&address, sizeof address), 0);
    return descriptor;
}

Test(web_listen, any_free_port)
{
    const int descriptor = open_one("127.0.0.1:0");
    int silent_ms = 0;
    socklen_t size = sizeof silent_ms;

    cr_assert_geq(descriptor, 0, "%s", error);
    cr_assert_eq(strncmp(bound, "http://127.0.0.1:", 17), 0, "%s", bound);
    cr_expect_lt(accept(descriptor, NULL, NULL), 0);
    cr_expect_eq(errno, EAGAIN);
    const int client = connect_to((unsigned)atoi(bound + 17));
    const int accepted = accept(descriptor, NULL, NULL);
    cr_assert_geq(accepted, 0);
    cr_assert_eq(getsockopt(accepted, IPPROTO_TCP, TCP_USER_TIMEOUT, &silent_ms, &size), 0);
    cr_expect_eq(silent_ms, 60000); /* who is silent is forgotten */
    close(accepted);
    close(client);
    close(descriptor);
}

Test(web_listen, ipv6_has_brackets)
{
    const int descriptor = open_one("[::1]:0");

    if (descriptor == -EADDRNOTAVAIL || descriptor == -EAFNOSUPPORT) {
        cr_skip("no IPv6 here");
    }
    cr_assert_geq(descriptor, 0, "%s", error);
    cr_expect_eq(strncmp(bound, "http://[::1]:", 13), 0, "%s", bound);
    close(descriptor);
}

Test(web_listen, wildcard_of_ipv6_takes_ipv4_too)
{
    const int descriptor = open_one("[::]:0");

    if (descriptor == -EAFNOSUPPORT) {
        cr_skip("no IPv6 here");
    }
    cr_assert_geq(descriptor, 0, "%s", error);
    cr_assert_eq(strncmp(bound, "http://[::]:", 12), 0, "%s", bound);
    close(connect_to((unsigned)atoi(bound + 12)));
    close(descriptor);
}

Test(web_listen, address_in_use_comes_with_another)
{
    char address[64], expected[256];
    const int first = open_one("127.0.0.1:0");
    const int port = atoi(bound + 17);

    cr_assert_geq(first, 0);
    snprintf(address, sizeof address, "127.0.0.1:%d", port);
    cr_expect_eq(open_one(address), -EADDRINUSE);
    snprintf(expected, sizeof expected,
             "web/listen: %s: Address already in use; try: --http 127.0.0.1:%d", address,
             port < 65535 ? port + 1 : 0);
    cr_expect_str_eq(error, expected);
    cr_expect_str_eq(bound, "");
    close(first);
    const int again = open_one(address); /* at once, whatever the system remembers */
    cr_expect_geq(again, 0, "%s", error);
    close(again);
}

Test(web_listen, address_of_another_machine)
{
    cr_expect_eq(open_one("192.0.2.1:8080"), -EADDRNOTAVAIL);
    cr_expect_str_eq(error, "web/listen: 192.0.2.1:8080: Cannot assign requested address; "
                            "this machine has no such address");
}

Test(web_listen, what_is_no_address)
{
    static const char *const rows[] = {
        "",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:x",
        "127.0.0.1:80x",
        ":8080",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1: 80",
        "localhost:8080",
        "::1:8080",
        "[::1]",
        "[::1:8080",
        "[127.0.0.1]:80",
        "[]:80",
        "1.2.3:8080",
        "127.0.0.1:+80",
        "[fe80::1%lo]:1",
        "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:80"};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(open_one(rows[i]), -EINVAL, "%s", rows[i]);
        cr_expect_not_null(strstr(error, "web/listen: \""), "%s", error);
        cr_expect_not_null(strstr(error, "is no ADDRESS:PORT"), "%s", error);
    }
}
