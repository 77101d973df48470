/* Addresses: as text, as shares, and how many connections each has. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#include <criterion/criterion.h>

#include "web/web_peers.h"

static struct sockaddr_storage address_of(const char *text)
{
    struct sockaddr_storage storage = {0};
    struct sockaddr_in *ipv4 = (struct sockaddr_in *)&storage;
    struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)&storage;

    if (inet_pton(AF_INET, text, &ipv4->sin_addr) == 1) {
        ipv4->sin_family = AF_INET;
    } else {
        cr_assert_eq(inet_pton(AF_INET6, text, &ipv6->sin6_addr), 1, "%s", text);
        ipv6->sin6_family = AF_INET6;
    }
    return storage;
}

Test(web_peers, addresses_as_texts_and_shares)
{
    static const struct {
        const char *address, *text, *share;
        bool is_local;
    } rows[] = {
        {"127.0.0.1", "127.0.0.1", "127.0.0.1", true},
        {"127.255.0.9", "127.255.0.9", "127.255.0.9", true},
        {"192.0.2.7", "192.0.2.7", "192.0.2.7", false},
        {"::1", "::1", "::", true},
        {"::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7", false},
        {"::ffff:127.0.0.1", "127.0.0.1", "127.0.0.1", true},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", false},
        {"2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2:ffff:ffff:ffff:ffff",
         "2001:db8:1:2::", false},
        {"2001:db8:1:3::", "2001:db8:1:3::", "2001:db8:1:3::", false},
    };
    char text[WEB_ADDRESS_SIZE];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct sockaddr_storage storage = address_of(rows[i].address);
        const struct sockaddr *address = (const struct sockaddr *)&storage;
        web_address_text(address, text);
        cr_expect_str_eq(text, rows[i].text);
        web_address_share(address, text);
        cr_expect_str_eq(text, rows[i].share);
        cr_expect_eq(web_address_is_local(address), rows[i].is_local, "%s", rows[i].address);
    }
}

Test(web_peers, are_there_as_long_as_they_have_a_connection)
{
    struct web_peers *peers = web_peers_new();

    cr_assert_not_null(peers);
    cr_expect_null(web_peers_find(peers, "192.0.2.1"));
    struct web_peer *one = web_peers_enter(peers, "192.0.2.1");
    struct web_peer *two = web_peers_enter(peers, "192.0.2.2");
    cr_assert(one != NULL && two != NULL);
    cr_expect_neq(one, two);
    cr_expect_eq(web_peers_enter(peers, "192.0.2.1"), one);
    cr_expect_eq(web_peers_find(peers, "192.0.2.1"), one);
    cr_expect_eq(one->connections, 2);
    cr_expect_eq(two->connections, 1);
    web_peers_leave(peers, one);
    cr_expect_eq(web_peers_find(peers, "192.0.2.1"), one);
    web_peers_leave(peers, one);
    cr_expect_null(web_peers_find(peers, "192.0.2.1"));
    cr_expect_eq(web_peers_find(peers, "192.0.2.2"), two);
    web_peers_free(&peers); /* with the one that is left */
    cr_expect_null(peers);
    web_peers_free(&peers);
}

Test(web_peers, are_many)
{
    struct web_peers *peers = web_peers_new();
    struct web_peer *all[5000];
    char key[WEB_ADDRESS_SIZE];

    for (unsigned i = 0; i < 5000; i++) {
        snprintf(key, sizeof key, "10.0.%u.%u", i / 250, i % 250);
        all[i] = web_peers_enter(peers, key);
        cr_assert_not_null(all[i]);
        cr_assert_str_eq(all[i]->key, key);
    }
    for (unsigned i = 0; i < 5000; i += 2) {
        web_peers_leave(peers, all[i]);
    }
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(key, sizeof key, "10.0.%u.%u", i / 250, i % 250);
        cr_assert_eq(web_peers_find(peers, key), i % 2 == 0 ? NULL : all[i]);
    }
    web_peers_free(&peers);
}
