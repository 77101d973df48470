/* Lists of addresses. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#include <criterion/criterion.h>

#include "core/address.h"

static const char *next(const char **list, char text[INET6_ADDRSTRLEN])
{
    struct sockaddr_storage address;

    cr_assert_eq(ates_address_next(list, &address), 1);
    const void *bytes = address.ss_family == AF_INET
                            ? (const void *)&((struct sockaddr_in *)&address)->sin_addr
                            : (const void *)&((struct sockaddr_in6 *)&address)->sin6_addr;
    return inet_ntop(address.ss_family, bytes, text, INET6_ADDRSTRLEN);
}

Test(address, lists_are_read_from_the_left)
{
    const char *list = "192.0.2.1, 2001:db8::1\t,::ffff:192.0.2.7";
    struct sockaddr_storage address;
    char text[INET6_ADDRSTRLEN];

    cr_expect_str_eq(next(&list, text), "192.0.2.1");
    cr_expect_str_eq(next(&list, text), "2001:db8::1");
    cr_expect_str_eq(next(&list, text), "::ffff:192.0.2.7");
    cr_expect_eq(ates_address_next(&list, &address), 0);
}

Test(address, what_is_none_is_refused)
{
    static const char *const lists[] = {
        ",",
        " ",
        "x",
        "192.0.2.1:80",
        "[::1]",
        "192.0.2",
        "192.0.2.1 192.0.2.2",
        "localhost",
        "192.0.2.1;",
        "::1%lo",
        "0x7f.1",
        "2001:0db8:0000:0000:0000:0000:0000:0001:0000:0000:0000",
    };

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct sockaddr_storage address;
        const char *list = lists[i];

        cr_expect_eq(ates_address_next(&list, &address), -EINVAL, "'%s'", lists[i]);
        cr_expect_eq(list, lists[i], "'%s'", lists[i]);
    }
}
