/* Whom a proxy says that a request comes from. */
#include <stdio.h>

#include <criterion/criterion.h>

#include "web/web_proxy.h"

Test(web_proxy, only_configured_ones_are_known)
{
    static const char proxies[] = "127.0.0.1, 2001:DB8::7";

    cr_expect(web_proxy_is_known(proxies, "127.0.0.1"));
    cr_expect(web_proxy_is_known(proxies, "2001:db8::7"));
    cr_expect_not(web_proxy_is_known(proxies, "127.0.0.2"));
    cr_expect_not(web_proxy_is_known(proxies, "2001:db8::"));
    cr_expect_not(web_proxy_is_known("", "127.0.0.1"));
}

Test(web_proxy, the_last_address_is_the_proxys_own_word)
{
    static const struct {
        const char *forwarded, *address;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"203.0.113.9, 192.0.2.1", "192.0.2.1"},
        {"unknown,192.0.2.1 ", "192.0.2.1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"2001:DB8:0::7", "2001:db8::7"},
        /* Nothing that can be believed: the proxy stays who it is. */
        {NULL, "127.0.0.1"},
        {"", "127.0.0.1"},
        {"192.0.2.1,", "127.0.0.1"},
        {"192.0.2.1, unknown", "127.0.0.1"},
        {"192.0.2.1, 192.0.2.2:4711", "127.0.0.1"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char address[WEB_ADDRESS_SIZE] = "127.0.0.1";

        web_proxy_read(rows[i].forwarded, address);
        cr_expect_str_eq(address, rows[i].address, "'%s'", rows[i].forwarded);
    }
}
