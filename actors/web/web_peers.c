/* Addresses and what each of them has. Invariant: a peer is there exactly as long as it has a
 * connection, so the table is never larger than the number of connections. */
#include <arpa/inet.h>
#include <assert.h>
#include <czmq.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/web_peers.h"

struct web_peers {
    zhashx_t *table; /* key to struct web_peer */
};

struct web_peers *web_peers_new(void)
{
    struct web_peers *self = calloc(1, sizeof *self);

    if (self == NULL) {
        return NULL;
    }
    self->table = zhashx_new();
    if (self->table == NULL) {
        free(self);
        errno = ENOMEM;
        return NULL;
    }
    return self;
}

void web_peers_free(struct web_peers **self)
{
    if (self == NULL || *self == NULL) {
        return;
    }
    for (void *peer = zhashx_first((*self)->table); peer != NULL;
         peer = zhashx_next((*self)->table)) {
        free(peer);
    }
    zhashx_destroy(&(*self)->table);
    free(*self);
    *self = NULL;
}

struct web_peer *web_peers_find(struct web_peers *self, const char *key)
{
    return zhashx_lookup(self->table, key);
}

struct web_peer *web_peers_enter(struct web_peers *self, const char *key)
{
    struct web_peer *peer = web_peers_find(self, key);

    if (peer == NULL) {
        peer = calloc(1, sizeof *peer);
        if (peer == NULL) {
            return NULL;
        }
        snprintf(peer->key, sizeof peer->key, "%s", key);
        zhashx_insert(self->table, peer->key, peer);
    }
    peer->connections++;
    return peer;
}

void web_peers_leave(struct web_peers *self, struct web_peer *peer)
{
    assert(peer->connections > 0);
    peer->connections--;
    if (peer->connections == 0) {
        zhashx_delete(self->table, peer->key);
        free(peer);
    }
}

/* The IPv4 address that is in there, or NULL where it is none. */
static const void *ipv4_of(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        return &((const struct sockaddr_in *)address)->sin_addr;
    }
    const struct in6_addr *ipv6 = &((const struct sockaddr_in6 *)address)->sin6_addr;
    return IN6_IS_ADDR_V4MAPPED(ipv6) ? ipv6->s6_addr + 12 : NULL;
}

static void write_address(const struct sockaddr *address, size_t network_bytes,
                          char text[WEB_ADDRESS_SIZE])
{
    const void *ipv4 = ipv4_of(address);
    struct in6_addr network = {0};

    if (ipv4 != NULL) {
        inet_ntop(AF_INET, ipv4, text, WEB_ADDRESS_SIZE);
        return;
    }
    memcpy(&network, &((const struct sockaddr_in6 *)address)->sin6_addr, network_bytes);
    inet_ntop(AF_INET6, &network, text, WEB_ADDRESS_SIZE);
}

void web_address_text(const struct sockaddr *address, char text[WEB_ADDRESS_SIZE])
{
    write_address(address, sizeof(struct in6_addr), text);
}

void web_address_share(const struct sockaddr *address, char key[WEB_ADDRESS_SIZE])
{
    write_address(address, sizeof(struct in6_addr) / 2, key);
}

bool web_address_is_local(const struct sockaddr *address)
{
    const uint8_t *ipv4 = ipv4_of(address);

    if (ipv4 != NULL) {
        return ipv4[0] == 127;
    }
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}
