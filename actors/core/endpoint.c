/* Endpoints: where the ipc sockets are. Part of the client library, so nothing but libc is used
 * here. Invariant: an endpoint that is handed out fits a socket address. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

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

static void address_path(const char *run_dir, const char *name, const char *ending,
                         char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s.address%s", run_dir, name, ending);
}

int ates_endpoint_tell(const char *run_dir, const char *name, const char *address, char *error,
                       size_t size)
{
    char path[PATH_MAX], made[PATH_MAX];

    address_path(run_dir, name, "", path);
    address_path(run_dir, name, ".new", made);
    FILE *file = fopen(made, "we");
    bool written = file != NULL && fprintf(file, "%s\n", address) > 0;
    if (file != NULL) {
        written = fclose(file) == 0 && written;
    }
    if (!written || rename(made, path) != 0) {
        const int r = errno != 0 ? -errno : -EIO;

        snprintf(error, size, "%s: %s", path, strerror(-r));
        return r;
    }
    return 0;
}

void ates_endpoint_forget(const char *run_dir, const char *name)
{
    char path[PATH_MAX];

    address_path(run_dir, name, "", path);
    unlink(path);
}
