/* One HTTP request and its answer, whatever the library underneath.
 *
 * The server calls web_handle (web_handle.c) once a whole request is there. It is answered by
 * exactly one web_respond..., at once or later from the same thread; until then the connection
 * waits and costs no time. */
#ifndef WEB_REQUEST_H
#define WEB_REQUEST_H

#include <stdbool.h>
#include <sys/types.h>

#include <ates/message.h>

#include "web/web_uri.h"

struct ates_web;

enum web_method { WEB_GET, WEB_POST, WEB_PUT, WEB_DELETE, WEB_METHOD_COUNT };

#define WEB_BODY_MAX (256u * 1024u) /* bytes of a request's body */

struct web_request {
    struct ates_web *web;
    struct ates_arena *arena; /* freed with the request */
    enum web_method method;
    bool is_head;           /* a GET of which only the head is asked */
    struct web_uri uri;     /* path and query, decoded */
    struct ates_bytes body; /* empty where there was none */
    char peer[46];          /* the client's address, as text */

    /* The handler's own. gone is called once when the request ends, answered or not (its connection
     * may break at any time before): whatever is under way for it must be cancelled there. */
    void *context;
    void (*gone)(struct web_request *request);

    /* web_call.c's: who asks, and what is under way for them; ended after gone, in the same way. */
    struct web_caller *caller;
    void (*caller_gone)(struct web_request *request);
};

/* The value of a header of the request, name without regard to case; NULL where it is absent. Valid
 * as long as the request. */
const char *web_request_header(const struct web_request *request, const char *name);

/* The value of a cookie; size 0 where it is absent. */
struct ates_text web_request_cookie(const struct web_request *request, const char *name);

#define WEB_HEADERS_MAX 12u

struct web_header {
    const char *name;
    const char *value;
};

/* An answer. Its bytes and strings are copied by web_respond, but for is_static ones, which must
 * outlive the server. The headers of every response (nosniff, frame-ancestors, Referrer-Policy ...)
 * are the server's to add. */
struct web_response {
    unsigned status;
    const char *content_type; /* NULL: no body */
    struct ates_bytes body;
    bool is_static;
    size_t header_count;
    struct web_header headers[WEB_HEADERS_MAX];
};

void web_response_add(struct web_response *response, const char *name, const char *value);

void web_respond(struct web_request *request, const struct web_response *response);

/* Answers with a stream that lasts: read is asked for up to size bytes each time the client takes
 * some; it returns how many it gave, 0 to wait until web_stream_wake, -1 to end the stream. The
 * request lives until the stream ends: then gone is called. */
typedef ssize_t web_stream_read(struct web_request *request, uint8_t *data, size_t size);
void web_respond_stream(struct web_request *request, const struct web_response *head,
                        web_stream_read *read);
void web_stream_wake(struct web_request *request);

/* Called by the server when a whole request is there (web_handle.c). */
void web_handle(struct web_request *request);

#endif
