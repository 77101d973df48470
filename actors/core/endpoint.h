/* Where the sockets are: every endpoint is an ipc socket below the run folder, named here and
 * nowhere else. */
#ifndef ATES_ENDPOINT_H
#define ATES_ENDPOINT_H

#include <stddef.h>

/* The path of SERVICE's command socket ("tasks"), or "events" / "private/publish", as a ZeroMQ
 * endpoint. Returns 0, or -ENAMETOOLONG where the path does not fit a socket address (sun_path, 107
 * bytes) or the endpoint does not fit size bytes. */
int ates_endpoint(const char *run_dir, const char *name, char *endpoint, size_t size);

#endif
