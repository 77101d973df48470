/* What the HTTP library calls: connections that come and go, requests as they arrive.
 *
 * A request that is refused for its head or its body is answered when the rest of it has come, so
 * that a client that is still sending reads the answer instead of a reset connection, and can go on
 * with its connection. Where that rest is large, or where it is unclear where it ends, the answer
 * comes at once and the connection ends.
 *
 * Invariant: between the first line of a request and web_on_completed there is one exchange, and
 * gone is called once, there. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "web/web_problem.h"
#include "web/web_proxy.h"
#include "web/web_server_private.h"

/* Of a body that is refused so much is read and forgotten. */
#define DISCARD_MAX ((uint64_t)1024 * 1024)
/* Exchanges kept for the next requests, each with an arena's 64 KiB. */
#define POOL_MAX 64u
/* A body's memory that stays with a kept exchange. */
#define BODY_KEPT_MAX ((size_t)16 * 1024)

#define ALLOWED "GET, HEAD, POST, PUT, DELETE"

enum MHD_Result web_on_accept(void *server, const struct sockaddr *address, socklen_t size)
{
    struct web_server *self = server;
    const struct ates_config *config = &self->web->config;
    char key[WEB_ADDRESS_SIZE], text[WEB_ADDRESS_SIZE];

    (void)size;
    web_address_share(address, key);
    web_address_text(address, text);
    const struct web_peer *peer = web_peers_find(self->peers, key);
    if ((peer != NULL && peer->connections >= (size_t)config->web_connections_per_address &&
         !web_proxy_is_known(config->web_proxies, text)) ||
        (self->counts.connections >= web_server_connections_max(self) &&
         !web_address_is_local(address))) {
        self->counts.refused_at_limit++;
        return MHD_NO;
    }
    return MHD_YES;
}

static struct web_connection *open_connection(struct web_server *server, struct MHD_Connection *mhd)
{
    struct web_connection *self = calloc(1, sizeof *self);
    char key[WEB_ADDRESS_SIZE];

    if (self == NULL) {
        return NULL;
    }
    const struct sockaddr *address =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    web_address_text(address, self->address);
    web_address_share(address, key);
    self->peer = web_peers_enter(server->peers, key);
    if (self->peer == NULL) {
        free(self);
        return NULL;
    }
    self->server = server;
    self->mhd = mhd;
    self->descriptor = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    self->deadline_us = server->now_us + server->limits.first_head_us;
    self->next = server->connections;
    if (self->next != NULL) {
        self->next->previous = self;
    }
    server->connections = self;
    server->counts.connections++;
    server->counts.accepted++;
    return self;
}

static void close_connection(struct web_connection *self)
{
    struct web_server *server = self->server;

    if (self->exchange != NULL) {
        /* The library says nothing of a request's end where a second fault of the request meets
         * its answer to the first. */
        web_exchange_end(self->exchange);
    }
    if (self->previous != NULL) {
        self->previous->next = self->next;
    } else {
        server->connections = self->next;
    }
    if (self->next != NULL) {
        self->next->previous = self->previous;
    }
    web_peers_leave(server->peers, self->peer);
    server->counts.connections--;
    free(self);
}

void web_on_connection(void *server, struct MHD_Connection *mhd, void **context,
                       enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = open_connection(server, mhd);
    } else if (*context != NULL) {
        close_connection(*context);
        *context = NULL;
    }
}

struct web_exchange *web_exchange_take(struct web_connection *connection)
{
    struct web_server *server = connection->server;
    struct web_exchange *self = server->pool;

    if (self != NULL) {
        server->pool = self->next;
        server->pool_count--;
    } else {
        self = calloc(1, sizeof *self);
        if (self == NULL) {
            return NULL;
        }
        self->request.arena = ates_arena_new();
    }
    self->request.web = server->web;
    memcpy(self->request.peer, connection->address, sizeof self->request.peer);
    self->connection = connection;
    connection->exchange = self;
    return self;
}

static void hold_body(struct web_exchange *self, const void *data, size_t size)
{
    ates_buffer_append(&self->body, data, size);
    self->connection->server->bodies_size += size;
    self->connection->peer->body_bytes += size;
}

static void drop_body(struct web_exchange *self)
{
    self->connection->server->bodies_size -= self->body.size;
    self->connection->peer->body_bytes -= self->body.size;
    self->body.size = 0;
    if (self->body.capacity > BODY_KEPT_MAX) {
        ates_buffer_release(&self->body);
    }
}

static void free_exchange(struct web_exchange *self)
{
    ates_buffer_release(&self->body);
    ates_arena_free(&self->request.arena);
    free(self);
}

void web_exchange_end(struct web_exchange *self)
{
    struct web_server *server = self->connection->server;
    struct ates_arena *arena = self->request.arena;

    assert(!self->is_suspended); /* the library ends none that it was not told to go on with */
    if (self->request.gone != NULL) {
        self->request.gone(&self->request);
    }
    if (self->request.caller_gone != NULL) {
        self->request.caller_gone(&self->request);
    }
    server->counts.streams -= self->is_stream;
    server->counts.requests[self->status < 600 ? self->status / 100 : 0]++;
    drop_body(self);
    self->connection->exchange = NULL;
    if (server->pool_count == POOL_MAX) {
        free_exchange(self);
        return;
    }
    const struct ates_buffer body = self->body;
    memset(self, 0, sizeof *self);
    ates_arena_reset(arena);
    self->request.arena = arena;
    self->body = body;
    self->next = server->pool;
    server->pool = self;
    server->pool_count++;
}

void web_exchange_empty_pool(struct web_server *server)
{
    while (server->pool != NULL) {
        struct web_exchange *exchange = server->pool;
        server->pool = exchange->next;
        free_exchange(exchange);
    }
    server->pool_count = 0;
}

static void set_verdict(struct web_exchange *self, unsigned http_status, const char *header,
                        const char *value)
{
    self->verdict = http_status;
    self->header = (struct web_header){header, value};
}

/* The target as it came: the library has looked at nothing of it yet. It would go on to make a
 * header of every parameter, and hang where they do not fit into the connection's memory (as of
 * 0.9.75), so it gets to see no query: the text is its own buffer's, which it is about to cut into
 * pieces itself. */
void *web_on_target(void *server, const char *target, struct MHD_Connection *mhd)
{
    struct web_connection *connection =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    struct web_exchange *self = connection != NULL ? web_exchange_take(connection) : NULL;
    const char *text = target != NULL ? target : "";

    (void)server;
    if (self != NULL && web_uri_parse(ates_text_from(text), self->request.arena, &self->request.uri,
                                      &self->refusal) != 0) {
        set_verdict(self, MHD_HTTP_BAD_REQUEST, NULL, NULL);
    }
    char *question = strchr((char *)text, '?');
    if (question != NULL) {
        question[1] = '\0';
    }
    return self;
}

size_t web_on_unescape(void *server, struct MHD_Connection *mhd, char *text)
{
    (void)server;
    (void)mhd;
    return strlen(text);
}

static void judge_method(struct web_exchange *self, const char *method)
{
    static const char *const names[WEB_METHOD_COUNT] = {
        [WEB_GET] = "GET", [WEB_POST] = "POST", [WEB_PUT] = "PUT", [WEB_DELETE] = "DELETE"};
    static const char *const others[] = {"OPTIONS", "PATCH", "TRACE", "CONNECT"};

    self->request.is_head = strcmp(method, "HEAD") == 0;
    for (int i = 0; i < WEB_METHOD_COUNT; i++) {
        if (strcmp(method, self->request.is_head ? "GET" : names[i]) == 0 ||
            (self->request.is_head && i == WEB_GET)) {
            self->request.method = (enum web_method)i;
            return;
        }
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strcmp(method, others[i]) == 0) {
            ates_refusal_set(&self->refusal, ATES_UNIMPLEMENTED, "METHOD_NOT_ALLOWED", NULL,
                             "%s is done to nothing here", method);
            set_verdict(self, MHD_HTTP_METHOD_NOT_ALLOWED, "Allow", ALLOWED);
            return;
        }
    }
    ates_refusal_set(&self->refusal, ATES_UNIMPLEMENTED, "METHOD_UNKNOWN", NULL,
                     "the method is none that is known here");
    set_verdict(self, MHD_HTTP_NOT_IMPLEMENTED, NULL, NULL);
}

static void judge_size(struct web_exchange *self, uint64_t size)
{
    if (size > WEB_BODY_MAX) {
        ates_refusal_set(&self->refusal, ATES_INVALID_ARGUMENT, "BODY_TOO_LARGE", NULL,
                         "a request's body has at most %u bytes", WEB_BODY_MAX);
        set_verdict(self, MHD_HTTP_CONTENT_TOO_LARGE, NULL, NULL);
        drop_body(self);
    }
}

/* Answers what is refused. */
static void answer_verdict(struct web_exchange *self)
{
    web_respond_problem_as(&self->request, self->verdict, &self->refusal, self->header.name,
                           self->header.value);
}

static enum MHD_Result take_head(struct web_exchange *self, const char *method, const char *version)
{
    struct web_connection *connection = self->connection;
    struct web_head head = {0};

    self->phase = WEB_BODY;
    self->begun_us = ates_monotonic_us();
    connection->deadline_us = connection->server->now_us + connection->server->limits.body_us;
    const unsigned unclear = web_head_read(connection->mhd, version, &head, &self->refusal);
    if (unclear != 0) {
        set_verdict(self, unclear, NULL, NULL);
    } else {
        if (web_proxy_is_known(connection->server->web->config.web_proxies, self->request.peer)) {
            web_proxy_read(head.forwarded_for, self->request.peer);
        }
        judge_method(self, method);
        judge_size(self, head.length);
    }
    if (unclear != 0 || head.length > DISCARD_MAX ||
        (self->verdict != 0 && head.expects_continue)) {
        /* Before the body the library takes an answer for the last of its connection. */
        answer_verdict(self);
    }
    return self->phase == WEB_FAILED ? MHD_NO : MHD_YES;
}

static enum MHD_Result take_body(struct web_exchange *self, const char *data, size_t size)
{
    const struct web_server *server = self->connection->server;
    const struct web_limits *limits = &server->limits;

    self->received += size;
    if (self->received > DISCARD_MAX) {
        return MHD_NO; /* chunks without an end: no answer is waited for any more */
    }
    if (self->verdict != 0) {
        return MHD_YES;
    }
    judge_size(self, self->received);
    if (self->verdict == 0 && (server->bodies_size + size > limits->bodies_size ||
                               self->connection->peer->body_bytes + size > limits->peer_size)) {
        ates_refusal_set(&self->refusal, ATES_UNAVAILABLE, "TOO_BUSY", NULL,
                         "too many requests with large bodies are under way");
        self->refusal.retry_after_ms = 1000;
        set_verdict(self, MHD_HTTP_SERVICE_UNAVAILABLE, NULL, NULL);
        drop_body(self);
    }
    if (self->verdict == 0) {
        hold_body(self, data, size);
    }
    return MHD_YES;
}

/* The request is there. Who does not answer at once has the library wait. */
static enum MHD_Result take_whole(struct web_exchange *self)
{
    struct web_server *server = self->connection->server;

    self->phase = WEB_WAITING;
    self->begun_us = ates_monotonic_us();
    self->connection->deadline_us = INT64_MAX;
    self->request.body = (struct ates_bytes){self->body.data, self->body.size};
    if (self->verdict != 0) {
        answer_verdict(self);
    } else {
        web_handle(&self->request);
    }
    if (self->phase == WEB_WAITING) {
        self->is_suspended = true;
        server->counts.suspended++;
        MHD_suspend_connection(self->connection->mhd);
    }
    return self->phase == WEB_FAILED ? MHD_NO : MHD_YES;
}

/* Called with the head, then with each part of the body, then with the whole; and once more after
 * an answer that could not be made. */
enum MHD_Result web_on_request(void *server, struct MHD_Connection *mhd, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *size, void **context)
{
    struct web_exchange *self = *context;

    (void)server;
    (void)mhd;
    (void)url;
    if (self == NULL) {
        return MHD_NO; /* out of memory */
    }
    switch (self->phase) {
    case WEB_HEAD:
        return take_head(self, method, version);
    case WEB_BODY:
        if (*size > 0) {
            const size_t taken = *size;
            *size = 0;
            return take_body(self, data, taken);
        }
        return take_whole(self);
    default:
        return MHD_NO;
    }
}

void web_on_completed(void *server, struct MHD_Connection *mhd, void **context,
                      enum MHD_RequestTerminationCode code)
{
    struct web_server *self = server;
    struct web_exchange *exchange = *context;

    (void)code;
    if (exchange == NULL) {
        return;
    }
    *context = NULL;
    if (exchange->status == 0) { /* the library may have answered, a head that is too large */
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_HTTP_STATUS);
        exchange->status = info != NULL ? info->http_status : 0;
    }
    exchange->connection->deadline_us = self->now_us + self->limits.next_head_us;
    web_exchange_end(exchange);
}
