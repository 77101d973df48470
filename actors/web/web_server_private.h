/* What the parts of the HTTP server share: the server, its connections, and on each of them at most
 * one exchange of a request and its answer.
 *
 * web_server.c opens and turns it and watches the clock; web_connection.c takes requests from the
 * library; web_answer.c gives it the answers; web_peers.c, web_head.c and web_listen.c know
 * addresses, heads and the socket that listens. */
#ifndef WEB_SERVER_PRIVATE_H
#define WEB_SERVER_PRIVATE_H

#include <microhttpd.h>

#include "web/web_head.h"
#include "web/web_peers.h"
#include "web/web_private.h"
#include "web/web_server.h"

/* What a client may take, in time and memory. Who is late is cut off: the connection ends without a
 * word, as a word would have to be waited for too. */
struct web_limits {
    int64_t first_head_us; /* from the connection to the end of the first head */
    int64_t next_head_us;  /* from an answer's end to the end of the next head, with idle time */
    int64_t body_us;       /* from the head's end to the body's */
    int64_t answer_us;     /* to take an answer; of a stream, each part that is handed out */
    int64_t sweep_us;      /* how often late ones are looked for */
    size_t bodies_size;    /* of all bodies that are held at once; beyond: 503 */
    size_t peer_size;      /* the same, of one address, so that it cannot take all */
};

enum web_phase {
    WEB_HEAD,     /* its first line is there */
    WEB_BODY,     /* its head is */
    WEB_WAITING,  /* web_handle was called */
    WEB_ANSWERED, /* the library has the answer */
    WEB_FAILED    /* no answer could be made: the connection ends */
};

/* The library knows it as the request's context. It comes from the server's pool, with its arena,
 * when the first line of a request is there, and goes back when the request has ended; a connection
 * that idles has none. */
struct web_exchange {
    struct web_request request; /* first: web_exchange_of */
    struct web_connection *connection;
    struct web_exchange *next; /* in the pool */
    enum web_phase phase;
    bool is_suspended; /* the library waits until it is resumed */
    bool is_stream;
    web_stream_read *read;    /* of a stream */
    struct ates_buffer body;  /* what request.body will point to */
    uint64_t received;        /* bytes of the body that came, kept or not */
    unsigned verdict;         /* the HTTP status it is refused with once it is there; 0: none */
    struct web_header header; /* one header of that refusal; name NULL: none */
    struct ates_refusal refusal;
    unsigned status; /* of the answer */
    int64_t begun_us;
};

struct web_connection {
    struct web_server *server;
    struct MHD_Connection *mhd;
    struct web_connection *previous, *next;
    struct web_peer *peer;
    struct web_exchange *exchange; /* NULL between requests */
    int64_t deadline_us;           /* when it is cut; INT64_MAX: never */
    int descriptor;
    bool is_gone; /* at the last sweep the client had ended its side, and had nothing to wait for */
    char address[WEB_ADDRESS_SIZE];
};

struct web_server {
    struct ates_web *web;
    struct MHD_Daemon *daemon;
    struct web_limits limits;
    struct web_connection *connections;
    struct web_peers *peers;
    struct web_exchange *pool;
    size_t pool_count;
    size_t bodies_size; /* held now */
    int64_t now_us;     /* of the last advance */
    int64_t sweep_due_us;
    uint64_t descriptors; /* connections that it may be, for the sake of the process's others */
    int descriptor;
    bool
        is_resumed; /* the library has connections to go on with that its descriptor does not show */
    bool is_quiet;  /* takes no new connections */
    bool is_failing; /* which was said once */
    struct web_server_counts counts;
};

/* How many connections there may be before only this machine may open more. */
uint64_t web_server_connections_max(const struct web_server *server);

/* The limits, for tests to shorten. */
struct web_limits *web_server_limits(struct web_server *server);

static inline struct web_exchange *web_exchange_of(const struct web_request *request)
{
    return (struct web_exchange *)request;
}

/* From the pool; NULL: out of memory. */
struct web_exchange *web_exchange_take(struct web_connection *connection);
/* Ends it: gone is called, what it held is given back. */
void web_exchange_end(struct web_exchange *exchange);
/* No memory stays in the pool. */
void web_exchange_empty_pool(struct web_server *server);

/* Lets the library go on with a request whose answer is there, or with a stream. */
void web_exchange_resume(struct web_exchange *exchange);

/* What the library calls; see web_server_open. */
enum MHD_Result web_on_accept(void *server, const struct sockaddr *address, socklen_t size);
void web_on_connection(void *server, struct MHD_Connection *mhd, void **context,
                       enum MHD_ConnectionNotificationCode code);
void *web_on_target(void *server, const char *target, struct MHD_Connection *mhd);
size_t web_on_unescape(void *server, struct MHD_Connection *mhd, char *text);
enum MHD_Result web_on_request(void *server, struct MHD_Connection *mhd, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *size, void **context);
void web_on_completed(void *server, struct MHD_Connection *mhd, void **context,
                      enum MHD_RequestTerminationCode code);

#endif
