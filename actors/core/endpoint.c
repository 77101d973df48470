/* Endpoints: where the ipc sockets are. Part of the client library, so nothing but libc is used
 * here. Invariant: an endpoint that is handed out fits a socket address. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "core/endpoint.h"

#define SCHEME "ipc://"

int ates_endpoint(const char *run_dir, const char *name, char *endpoint, size_t size)
{
    const size_t address_size = sizeof((struct sockaddr_un *)NULL)->sun_path;
    const size_t path_size = strlen(run_dir) + strlen("/") + strlen(name) + strlen(".sock") + 1;

    if (path_size > address_size || strlen(SCHEME) + path_size > size) {
        return -ENAMETOOLONG;
    }
    snprintf(endpoint, size, SCHEME "%s/%s.sock", run_dir, name);
    return 0;
}
