/* Whether a socket is served; see served.h. */
#include "served.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/endpoint.h"

/* Waits until the connection is made or refused. */
static int finish_connecting(int file, int64_t timeout_ms)
{
    struct pollfd item = {.fd = file, .events = POLLOUT};
    int fault = ETIMEDOUT;
    socklen_t size = sizeof fault;

    if (poll(&item, 1, (int)timeout_ms) == 1) {
        getsockopt(file, SOL_SOCKET, SO_ERROR, &fault, &size);
    }
    return fault;
}

static int try_address(const struct sockaddr *address, socklen_t size, int64_t timeout_ms)
{
    const int file = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (file < 0) {
        return errno;
    }
    int fault = connect(file, address, size) == 0 ? 0 : errno;
    if (fault == EINPROGRESS) {
        fault = finish_connecting(file, timeout_ms);
    }
    close(file);
    return fault;
}

/* tcp://HOST:PORT, as its setting's check has left it. */
static int try_tcp(const char *address, int64_t timeout_ms)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char host[ATES_ADDRESS_SIZE];
    int fault = EHOSTUNREACH;

    snprintf(host, sizeof host, "%s", address + strlen("tcp://"));
    char *colon = strrchr(host, ':');
    *colon = '\0';
    char *name = host;
    if (name[0] == '[') {
        colon[-1] = '\0';
        name++;
    }
    if (getaddrinfo(name, colon + 1, &hints, &found) != 0) {
        return EHOSTUNREACH;
    }
    for (const struct addrinfo *one = found; one != NULL && fault != 0; one = one->ai_next) {
        fault = try_address(one->ai_addr, one->ai_addrlen, timeout_ms);
    }
    freeaddrinfo(found);
    return fault;
}

static int try_ipc(const char *run_dir, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char endpoint[sizeof address.sun_path + 8];

    if (ates_endpoint(run_dir, name, endpoint, sizeof endpoint) != 0) {
        return ENAMETOOLONG;
    }
    strcpy(address.sun_path, endpoint + strlen("ipc://"));
    const int fault = try_address((const struct sockaddr *)&address, sizeof address, 0);
    /* So many connect at this moment that it has to wait. */
    return fault == EAGAIN ? 0 : fault;
}

/* NULL: it is reached over ipc. */
static const char *address_of(const struct ctl *ctl, const char *name, char out[ATES_ADDRESS_SIZE])
{
    struct ates_reach reach;

    ates_config_reach(&ctl->config, &reach);
    const char *address = ates_reach_address(&reach, name);
    return address != NULL ? strcpy(out, address) : NULL;
}

bool ctl_is_served(const struct ctl *ctl, const char *name)
{
    char text[ATES_ADDRESS_SIZE];
    const char *address = address_of(ctl, name, text);

    errno =
        address != NULL ? try_tcp(address, ctl->timeout_ms) : try_ipc(ctl->config.run_dir, name);
    return errno == 0;
}

const char *ctl_unserved_why(int fault)
{
    return fault == ENOENT         ? "there is no socket"
           : fault == ECONNREFUSED ? "nobody serves its socket"
                                   : strerror(fault);
}

int ctl_unserved(const struct ctl *ctl, const char *name, int fault)
{
    char text[ATES_ADDRESS_SIZE];
    const char *address = address_of(ctl, name, text);

    if (address != NULL) {
        return ctl_fail(CTL_UNREACHABLE, "is atesd running there, and the port open?",
                        "cannot reach %s at %s: %s", name, address, ctl_unserved_why(fault));
    }
    if (fault == ENAMETOOLONG) {
        return ctl_fail(CTL_UNREACHABLE, "a run folder with a shorter name",
                        "cannot reach %s below %s: the path is too long for a socket", name,
                        ctl->config.run_dir);
    }
    return ctl_fail(CTL_UNREACHABLE, "is atesd running? see --run", "cannot reach %s below %s: %s",
                    name, ctl->config.run_dir, ctl_unserved_why(fault));
}

bool ctl_is_far(const struct ctl *ctl, const char *name)
{
    char text[ATES_ADDRESS_SIZE];

    return address_of(ctl, name, text) != NULL;
}

const char *ctl_where(const struct ctl *ctl, const char *name, char out[CTL_WHERE_SIZE])
{
    char text[ATES_ADDRESS_SIZE];
    const char *address = address_of(ctl, name, text);

    snprintf(out, CTL_WHERE_SIZE, "%s%s%s", name, address != NULL ? " at " : "",
             address != NULL ? address : "");
    return out;
}
