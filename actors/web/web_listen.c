/* The socket that listens. Invariant: what accepted connections inherit is set before the first can
 * be accepted. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "web/web_listen.h"

/* A client that acknowledges nothing for so long is gone: its machine or its network went away
 * without a word. */
#define SILENT_MS 60000

union address {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
};

static int parse(const char *text, union address *address)
{
    const char *colon = strrchr(text, ':');
    char host[INET6_ADDRSTRLEN] = "";

    if (colon == NULL || colon[1] == '\0') {
        return -EINVAL;
    }
    char *end = NULL;
    const unsigned long port = strtoul(colon + 1, &end, 10);
    const size_t size = (size_t)(colon - text);
    const bool bracketed = size > 2 && text[0] == '[' && colon[-1] == ']';
    const size_t host_size = bracketed ? size - 2 : size;

    if (*end != '\0' || colon[1] < '0' || colon[1] > '9' || port > UINT16_MAX ||
        host_size >= sizeof host) {
        return -EINVAL;
    }
    memcpy(host, bracketed ? text + 1 : text, host_size);
    *address = (union address){0};
    if (bracketed) {
        address->ipv6.sin6_family = AF_INET6;
        address->ipv6.sin6_port = htons((uint16_t)port);
        return inet_pton(AF_INET6, host, &address->ipv6.sin6_addr) == 1 ? 0 : -EINVAL;
    }
    address->ipv4.sin_family = AF_INET;
    address->ipv4.sin_port = htons((uint16_t)port);
    return inet_pton(AF_INET, host, &address->ipv4.sin_addr) == 1 ? 0 : -EINVAL;
}

static uint16_t port_of(const union address *address)
{
    return ntohs(address->any.sa_family == AF_INET6 ? address->ipv6.sin6_port
                                                    : address->ipv4.sin_port);
}

static int open_socket(union address *address)
{
    const int yes = 1, no = 0, silent_ms = SILENT_MS;
    const bool is_ipv6 = address->any.sa_family == AF_INET6;
    socklen_t size = is_ipv6 ? sizeof address->ipv6 : sizeof address->ipv4;
    const int descriptor =
        socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (descriptor < 0) {
        return -errno;
    }
    /* Not reached by the connections of the last start, which the system may still remember. */
    if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        setsockopt(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &silent_ms, sizeof silent_ms) != 0 ||
        (is_ipv6 && setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no) != 0) ||
        bind(descriptor, &address->any, size) != 0 || listen(descriptor, SOMAXCONN) != 0 ||
        getsockname(descriptor, &address->any, &size) != 0) {
        const int r = -errno;

        close(descriptor);
        return r;
    }
    return descriptor;
}

/* What to do about it, where that is plain. The host is the address up to its last colon. */
static void advise(int r, const char *text, const union address *address, char *error, size_t size)
{
    const int host_size = (int)(strrchr(text, ':') - text);
    const size_t used = strlen(error);

    if (r == -EADDRINUSE) {
        const int next = port_of(address) < UINT16_MAX ? port_of(address) + 1 : 0;
        snprintf(error + used, size - used, "; try: --http %.*s:%d", host_size, text, next);
    } else if (r == -EACCES) {
        snprintf(error + used, size - used, "; try: --http %.*s:8080", host_size, text);
    } else if (r == -EADDRNOTAVAIL) {
        snprintf(error + used, size - used, "; this machine has no such address");
    }
}

int web_listen(const char *text, char *bound, size_t bound_size, char *error, size_t error_size)
{
    char host[INET6_ADDRSTRLEN];
    union address address;

    if (parse(text, &address) != 0) {
        snprintf(error, error_size, "web/listen: \"%s\" is no ADDRESS:PORT or [ADDRESS]:PORT",
                 text);
        return -EINVAL;
    }
    const union address asked = address;
    const int descriptor = open_socket(&address);
    if (descriptor < 0) {
        snprintf(error, error_size, "web/listen: %s: %s", text, strerror(-descriptor));
        advise(descriptor, text, &asked, error, error_size);
        return descriptor;
    }
    if (address.any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &address.ipv6.sin6_addr, host, sizeof host);
        snprintf(bound, bound_size, "http://[%s]:%u", host, port_of(&address));
    } else {
        inet_ntop(AF_INET, &address.ipv4.sin_addr, host, sizeof host);
        snprintf(bound, bound_size, "http://%s:%u", host, port_of(&address));
    }
    return descriptor;
}
