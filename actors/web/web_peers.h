/* Clients by their address, so that no address has more than its share. An IPv6 network of 64 bits
 * counts as one: whoever has one address of it has them all. */
#ifndef WEB_PEERS_H
#define WEB_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define WEB_ADDRESS_SIZE 46u

struct web_peers;

struct web_peer {
    size_t connections;
    size_t body_bytes;          /* of bodies that are held for it */
    char key[WEB_ADDRESS_SIZE]; /* web_address_share */
};

struct web_peers *web_peers_new(void); /* NULL with errno */
void web_peers_free(struct web_peers **self);

/* The peer of this key, or NULL. */
struct web_peer *web_peers_find(struct web_peers *self, const char *key);

/* One connection more or less. enter makes the peer where it is new (NULL: out of memory); leave
 * forgets one that has no connection left. */
struct web_peer *web_peers_enter(struct web_peers *self, const char *key);
void web_peers_leave(struct web_peers *self, struct web_peer *peer);

/* The address as text; an IPv4 address in IPv6's clothes as the IPv4 address that it is. */
void web_address_text(const struct sockaddr *address, char text[WEB_ADDRESS_SIZE]);
/* What its share is counted by. */
void web_address_share(const struct sockaddr *address, char key[WEB_ADDRESS_SIZE]);
/* Whether it is this machine's own. */
bool web_address_is_local(const struct sockaddr *address);

#endif
