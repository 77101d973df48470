/* A real HTTP server on the loopback, and clients of it, all turned by the test's one thread. The
 * server's clock is the test's own, so nothing waits for time to pass. */
#ifndef ATES_TEST_WEB_SERVER_FIXTURE_H
#define ATES_TEST_WEB_SERVER_FIXTURE_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "web/web_server_private.h"

#define FIXTURE_SECOND_US INT64_C(1000000)
/* Far beyond what anything here takes; then the test has failed. */
#define FIXTURE_PATIENCE_MS 5000

static struct ates_web web;
static struct web_server *server;
static struct sockaddr_in server_address;
static int64_t clock_us = 1000 * FIXTURE_SECOND_US;

static inline void server_start(void)
{
    char address[160], error[256];

    strcpy(web.config.web_listen, "127.0.0.1:0");
    if (web.config.web_connections == 0) {
        web.config.web_connections = 4096;
        web.config.web_connections_per_address = 256;
    }
    cr_assert_eq(web_server_open(&server, &web, address, sizeof address, error, sizeof error), 0,
                 "%s", error);
    cr_assert_eq(strncmp(address, "http://127.0.0.1:", 17), 0, "%s", address);
    server_address = (struct sockaddr_in){.sin_family = AF_INET,
                                          .sin_port = htons((uint16_t)atoi(address + 17)),
                                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    web_server_advance(server, clock_us);
}

static inline void server_stop(void)
{
    web_server_close(&server);
    cr_assert_null(server);
}

/* Turns the server until it has nothing to do. */
static inline void turn(void)
{
    struct pollfd poll_server = {.fd = web_server_descriptor(server), .events = POLLIN};

    do {
        web_server_advance(server, clock_us);
    } while (web_server_due(server) <= clock_us || poll(&poll_server, 1, 0) > 0);
}

/* Lets time pass, without anything happening meanwhile but what is due. */
static inline void pass_seconds(int seconds)
{
    for (int i = 0; i < seconds; i++) {
        clock_us += FIXTURE_SECOND_US;
        turn();
    }
}

struct peer {
    int descriptor;
    bool is_ended; /* the server closed */
    char *in;
    size_t size, capacity;
};

/* Connects from 127.0.0.LAST. */
static inline struct peer peer_open_from(unsigned last)
{
    struct peer self = {.descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)};
    struct sockaddr_in own = {.sin_family = AF_INET,
                              .sin_addr.s_addr = htonl((INADDR_LOOPBACK & ~0xffu) | last)};

    cr_assert_geq(self.descriptor, 0);
    cr_assert_eq(bind(self.descriptor, (struct sockaddr *)&own, sizeof own), 0);
    const int r =
        connect(self.descriptor, (struct sockaddr *)&server_address, sizeof server_address);
    cr_assert(r == 0 || errno == EINPROGRESS, "%s", strerror(errno));
    turn();
    return self;
}

static inline struct peer peer_open(void)
{
    return peer_open_from(1);
}

static inline void peer_close(struct peer *self)
{
    close(self->descriptor);
    free(self->in);
    *self = (struct peer){.descriptor = -1};
}

/* Takes what is there; whether there was something. */
static inline bool peer_take(struct peer *self)
{
    if (self->is_ended) {
        return false;
    }
    if (self->capacity - self->size < 65536) {
        self->capacity = 2 * self->capacity + 131072;
        self->in = realloc(self->in, self->capacity);
        cr_assert_not_null(self->in);
    }
    const ssize_t got = recv(self->descriptor, self->in + self->size,
                             self->capacity - self->size - 1, MSG_DONTWAIT);
    if (got > 0) {
        self->size += (size_t)got;
        self->in[self->size] = '\0';
    } else if (got == 0 || errno == ECONNRESET) {
        self->is_ended = true;
    }
    return got > 0;
}

/* Sends all of it, while the server turns. */
static inline void peer_send(struct peer *self, const void *data, size_t size)
{
    struct pollfd wait = {.fd = self->descriptor, .events = POLLOUT};
    const char *at = data;

    while (size > 0) {
        const ssize_t sent = send(self->descriptor, at, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EAGAIN) {
            turn();
            peer_take(self);
            cr_assert_geq(poll(&wait, 1, FIXTURE_PATIENCE_MS), 0);
            continue;
        }
        if (sent < 0) {
            self->is_ended = true;
            return;
        }
        at += sent;
        size -= (size_t)sent;
    }
    turn();
}

static inline void peer_say(struct peer *self, const char *text)
{
    peer_send(self, text, strlen(text));
}

/* Waits until the client can read, or the server has something to do. */
static inline void wait_for(struct peer *self)
{
    struct pollfd waits[] = {{.fd = self->descriptor, .events = POLLIN},
                             {.fd = web_server_descriptor(server), .events = POLLIN}};

    cr_assert_gt(poll(waits, 2, FIXTURE_PATIENCE_MS), 0, "nothing comes");
}

static inline void peer_await_end(struct peer *self)
{
    turn();
    while (!self->is_ended) {
        if (!peer_take(self) && !self->is_ended) {
            wait_for(self);
            turn();
        }
    }
}

static inline void peer_await(struct peer *self, size_t size)
{
    turn();
    while (self->size < size) {
        if (!peer_take(self)) {
            cr_assert(!self->is_ended, "it ended after %zu bytes: %s", self->size,
                      self->size > 0 ? self->in : "");
            wait_for(self);
            turn();
        }
    }
}

/* Nothing was answered, and the connection is open. */
static inline void peer_expect_silence(struct peer *self)
{
    turn();
    cr_expect(!peer_take(self) && self->size == 0, "%s", self->in);
    cr_expect(!self->is_ended, "it ended");
}

static inline void peer_drop(struct peer *self, size_t size)
{
    cr_assert_leq(size, self->size);
    memmove(self->in, self->in + size, self->size - size + 1);
    self->size -= size;
}

struct answer {
    unsigned status;
    char head[4096];
    char *body; /* NUL behind it */
    size_t size;
};

/* The value of a header; "" where it is absent; the test fails where it is there twice. */
static inline const char *answer_header(const struct answer *answer, const char *name)
{
    static char value[1024];
    const size_t name_size = strlen(name);
    unsigned found = 0;

    value[0] = '\0';
    for (const char *line = strstr(answer->head, "\r\n"); line != NULL && line[2] != '\0';
         line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, name_size) == 0 && line[name_size] == ':') {
            const char *begin = line + name_size + 1 + strspn(line + name_size + 1, " ");
            snprintf(value, sizeof value, "%.*s", (int)strcspn(begin, "\r"), begin);
            found++;
        }
    }
    cr_assert_leq(found, 1, "%s twice: %s", name, answer->head);
    return value;
}

/* Receives the head of an answer; one of 100 is left out. */
static inline struct answer peer_head(struct peer *self)
{
    struct answer answer = {0};
    char *end = NULL;

    for (size_t want = 1; end == NULL; want = self->size + 1) {
        peer_await(self, want);
        end = strstr(self->in, "\r\n\r\n");
    }
    const size_t size = (size_t)(end - self->in) + 4;
    cr_assert_lt(size, sizeof answer.head);
    memcpy(answer.head, self->in, size);
    cr_assert_eq(sscanf(answer.head, "HTTP/1.1 %u ", &answer.status), 1, "%s", answer.head);
    peer_drop(self, size);
    return answer;
}

/* Receives an answer with a known length; free its body. */
static inline struct answer peer_answer_of(struct peer *self, bool has_body)
{
    struct answer answer = peer_head(self);

    if (has_body) {
        answer.size = (size_t)atoi(answer_header(&answer, "Content-Length"));
        peer_await(self, answer.size);
    }
    answer.body = calloc(1, answer.size + 1);
    cr_assert_not_null(answer.body);
    if (answer.size > 0) {
        memcpy(answer.body, self->in, answer.size);
        peer_drop(self, answer.size);
    }
    return answer;
}

/* Receives an answer and compares status and body (NULL: any). */
static inline void peer_expect(struct peer *self, unsigned status, const char *body)
{
    struct answer answer = peer_answer_of(self, status != 204 && status != 304);

    cr_expect_eq(answer.status, status, "%s%s", answer.head, answer.body);
    if (body != NULL) {
        cr_expect_str_eq(answer.body, body);
    }
    free(answer.body);
}

static inline void peer_ask(struct peer *self, const char *path)
{
    char text[512];

    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    peer_say(self, text);
}

/* Answers with a text. */
static inline void respond_text(struct web_request *request, unsigned status, const char *text)
{
    struct web_response response = {.status = status,
                                    .content_type = "text/plain",
                                    .body = {(const uint8_t *)text, strlen(text)}};

    web_respond(request, &response);
}

/* Requests that wait for the test to answer them. */
static struct web_request *late[4096];
static size_t late_count;
static size_t gone_count;

static inline void forget_late(struct web_request *request)
{
    gone_count++;
    for (size_t i = 0; i < late_count; i++) {
        if (late[i] == request) {
            late[i] = late[--late_count];
        }
    }
}

static inline void keep_late(struct web_request *request)
{
    request->gone = forget_late;
    late[late_count++] = request;
}

#endif
