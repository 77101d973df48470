/* HTTP connections: libmicrohttpd on its epoll descriptor in the web service's own loop, with the
 * limits that keep one client from costing others: connections in all and per address, header and
 * body sizes, the time in which a request must have come and an answer must have been taken. */
#ifndef WEB_SERVER_H
#define WEB_SERVER_H

#include "core/histogram.h"
#include "web/web_request.h"

struct web_server;

/* Listens. address_text gets the bound "http://ADDR:PORT" (port 0 in the setting: any free one).
 * 0, or -errno with one line in error that names the address and the setting. */
int web_server_open(struct web_server **server, struct ates_web *web, char *address_text,
                    size_t address_size, char *error, size_t error_size);
/* Ends every connection, with gone called for each request. NULL-safe. */
void web_server_close(struct web_server **server);

/* The descriptor to poll for reading. */
int web_server_descriptor(const struct web_server *server);

/* Does whatever is there to do: accepts, reads, calls web_handle, writes. */
void web_server_advance(struct web_server *server, int64_t now_us);

/* When advance wants to be called at the latest (ates_monotonic_us); INT64_MAX: never. */
int64_t web_server_due(const struct web_server *server);

/* Takes no new connections from now on; open ones are served on. */
void web_server_quiesce(struct web_server *server);

/* For metrics. */
struct web_server_counts {
    uint64_t connections, streams, suspended; /* now */
    uint64_t accepted, refused_at_limit, cut_for_slowness;
    uint64_t requests[6]; /* by the status's first digit; 0 holds those cut before an answer */
    struct ates_histogram took_us; /* from request to answer */
};
const struct web_server_counts *web_server_counts(const struct web_server *server);

#endif
