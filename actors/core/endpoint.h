/* Where the sockets are: an ipc socket below the run folder, named here and nowhere else; and, for what
 * listens on tcp, a file beside it that tells its address. */
#ifndef ATES_ENDPOINT_H
#define ATES_ENDPOINT_H

#include <stddef.h>

/* The path of SERVICE's command socket ("tasks"), or "events" / "private/publish", as a ZeroMQ
 * endpoint. Returns 0, or -ENAMETOOLONG where the path does not fit a socket address (sun_path, 107
 * bytes) or the endpoint does not fit size bytes. */
int ates_endpoint(const char *run_dir, const char *name, char *endpoint, size_t size);

/* Writes RUN/NAME.address, for programs, and for tests that let the system choose a port. Returns 0,
 * or -errno with the file in error. */
int ates_endpoint_tell(const char *run_dir, const char *name, const char *address, char *error,
                       size_t size);
/* Removes it, as nothing listens there any more. */
void ates_endpoint_forget(const char *run_dir, const char *name);

#endif
