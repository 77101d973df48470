/* Answers: made for the HTTP library, with the headers that every one has.
 *
 * Invariant: the library has at most one answer of an exchange, and a connection is resumed only
 * when it is suspended. */
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "web/web_server_private.h"

/* What the system holds of a stream that its client does not take; without it that would grow to
 * megabytes each. */
#define STREAM_SOCKET_BYTES (64 * 1024)
/* The library's own buffer of a stream, used for clients of HTTP/1.0 only. */
#define STREAM_BLOCK ((size_t)1024)

/* Referrer-Policy is same-origin, not no-referrer: that one makes browsers send "Origin: null" with
 * the forms of our own pages, so that they could not be told from those of others. Nothing leaves
 * for other sites with either. */
static const struct web_header defaults[] = {
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "same-origin"},
    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
};

static bool has_header(const struct web_response *response, const char *name)
{
    for (size_t i = 0; i < response->header_count; i++) {
        if (strcasecmp(response->headers[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* The library refuses a header whose value is empty or holds a line's end. */
static bool add_headers(const struct web_server *server, struct MHD_Response *made,
                        const struct web_response *response)
{
    bool added = true;

    if (response->content_type != NULL) {
        added = MHD_add_response_header(made, "Content-Type", response->content_type) == MHD_YES;
    }
    for (size_t i = 0; i < response->header_count; i++) {
        const struct web_header *header = &response->headers[i];
        added = MHD_add_response_header(made, header->name, header->value) == MHD_YES && added;
    }
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++) {
        if (!has_header(response, defaults[i].name)) {
            added = MHD_add_response_header(made, defaults[i].name, defaults[i].value) == MHD_YES &&
                    added;
        }
    }
    if (server->is_quiet) {
        added = MHD_add_response_header(made, "Connection", "close") == MHD_YES && added;
    }
    return added;
}

void web_exchange_resume(struct web_exchange *self)
{
    struct web_server *server = self->connection->server;

    self->is_suspended = false;
    server->counts.suspended--;
    server->is_resumed = true;
    MHD_resume_connection(self->connection->mhd);
}

/* Gives made (NULL: out of memory) to the library, which may be done while it is suspended. */
static void queue(struct web_exchange *self, const struct web_response *response,
                  struct MHD_Response *made)
{
    struct web_connection *connection = self->connection;
    struct web_server *server = connection->server;

    self->phase = WEB_ANSWERED;
    if (made == NULL || !add_headers(server, made, response) ||
        MHD_queue_response(connection->mhd, response->status, made) != MHD_YES) {
        self->phase = WEB_FAILED; /* the connection ends when the library asks again */
    } else {
        self->status = response->status;
        ates_histogram_add(&server->counts.took_us, &ates_time_scale,
                           (uint64_t)(ates_monotonic_us() - self->begun_us));
    }
    if (made != NULL) {
        MHD_destroy_response(made); /* the library's own reference stays */
    }
    connection->deadline_us = server->now_us + server->limits.answer_us;
    if (self->is_suspended) {
        web_exchange_resume(self);
    }
}

void web_respond(struct web_request *request, const struct web_response *response)
{
    struct web_exchange *self = web_exchange_of(request);
    const enum MHD_ResponseMemoryMode mode =
        response->is_static ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY;

    queue(self, response,
          MHD_create_response_from_buffer(response->body.size, (void *)response->body.data, mode));
}

/* The library asks for more of a stream: what it got before is with the system. */
static ssize_t read_stream(void *context, uint64_t position, char *data, size_t size)
{
    struct web_exchange *self = context;
    struct web_connection *connection = self->connection;
    struct web_server *server = connection->server;
    const ssize_t got = self->read(&self->request, (uint8_t *)data, size);

    (void)position;
    if (got < 0) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    if (got > 0) {
        connection->deadline_us = server->now_us + server->limits.answer_us;
        return got;
    }
    connection->deadline_us = INT64_MAX;
    self->is_suspended = true;
    server->counts.suspended++;
    MHD_suspend_connection(connection->mhd);
    return 0;
}

void web_respond_stream(struct web_request *request, const struct web_response *head,
                        web_stream_read *read)
{
    struct web_exchange *self = web_exchange_of(request);
    const int bytes = STREAM_SOCKET_BYTES;

    self->is_stream = true;
    self->read = read;
    self->connection->server->counts.streams++;
    /* Where it fails, the stream only costs more. */
    (void)setsockopt(self->connection->descriptor, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    struct MHD_Response *made =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, self, NULL);
    if (made != NULL && request->is_head) {
        /* Else the library would send the end of a chunked body that there is none of, right into
         * the next answer. As HTTP/1.0 has it, the connection ends instead. */
        MHD_set_response_options(made, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    }
    queue(self, head, made);
}

void web_stream_wake(struct web_request *request)
{
    struct web_exchange *self = web_exchange_of(request);

    if (!self->is_stream || !self->is_suspended) {
        return; /* read is asked anyway, once the client has taken what was there before */
    }
    self->connection->deadline_us =
        self->connection->server->now_us + self->connection->server->limits.answer_us;
    web_exchange_resume(self);
}
