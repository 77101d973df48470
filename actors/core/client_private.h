/* What calls and pipelines share: the client itself, and the frames of a command and of its reply.
 */
#ifndef ATES_CLIENT_PRIVATE_H
#define ATES_CLIENT_PRIVATE_H

#include <zmq.h>

#include <ates/client.h>

#include "core/reach.h"

/* PROTOCOL.md section 2: the frames of a command and of a reply. */
#define ATES_COMMAND_FRAMES 4
/* With a pipeline's tag and delimiter before them. */
#define ATES_INBOX_FRAMES (2 + ATES_COMMAND_FRAMES)
#define ATES_COMMAND_NAME_SIZE 128 /* SERVICE.COMMAND with its NUL */
#define ATES_CLIENT_SERVICES 16    /* that one client calls */

/* A REQ socket connected to one service. */
struct ates_link {
    char *service;
    void *socket; /* NULL until the first call, and after a send that failed halfway */
};

struct ates_client {
    struct ates_reach reach;
    void *context;
    bool owns_context;
    int64_t timeout_ms;
    struct ates_buffer token; /* empty: none */
    struct ates_link links[ATES_CLIENT_SERVICES];
    size_t link_count;
    size_t pipeline_count;
    struct ates_inbox *inbox;
    struct ates_buffer body; /* of the command that is being invoked */
    char command[ATES_COMMAND_NAME_SIZE];
    struct ates_buffer meta;
};

/* The frames of one message received. They stay until the next one is. */
struct ates_inbox {
    zmq_msg_t frames[ATES_INBOX_FRAMES];
    size_t held;  /* of frames, initialised */
    size_t count; /* that the message had: more than held where it was too long */
    struct ates_arena *arena;
};

/* A command to send. */
struct ates_request {
    const char *service;
    const char *command;
    const char *request_id; /* NULL: none */
    struct ates_text token; /* size 0: the client's own */
    const char *client;     /* NULL: none */
    const char *traceparent;
    bool is_repeatable; /* may be sent again when no reply comes */
    int64_t timeout_ms; /* 0: not told */
    const void *body;
    size_t body_size;
};

/* A client in a ZeroMQ context that outlives it. NULL when out of memory. */
struct ates_client *ates_client_new_in(void *context, const struct ates_reach *reach);
/* The same in a context of its own. */
struct ates_client *ates_client_new_at(const struct ates_reach *reach);

/* Connects a socket of type to the service. Returns 0, -ENAMETOOLONG or -errno. */
int ates_client_connect(struct ates_client *client, int type, const char *service, void **socket);

/* The four frames of a command; they point into request and client until its next call. Returns 0
 * or -EMSGSIZE. */
int ates_request_frames(struct ates_client *client, const struct ates_request *request,
                        struct ates_bytes frames[ATES_COMMAND_FRAMES]);

/* Sends the frames as one message, without waiting. Returns 0; -EAGAIN or another -errno with
 * nothing sent. */
int ates_frames_send(void *socket, const struct ates_bytes *frames, size_t count);

struct ates_inbox *ates_inbox_new(void); /* NULL when out of memory */
void ates_inbox_free(struct ates_inbox **self);

/* Takes the next message off the socket, without waiting. Returns 0, -EAGAIN or another -errno. */
int ates_inbox_receive(struct ates_inbox *self, void *socket);

/* The reply in the frames from first on, which must be the message's last four. Returns 0 or
 * -EPROTO. */
int ates_inbox_reply(struct ates_inbox *self, size_t first, struct ates_reply *reply);

/* CLOCK_MONOTONIC in ms. */
int64_t ates_client_now_ms(void);

/* Waits for events on the socket until deadline_ms (of that clock; INT64_MAX: for ever), signals
 * notwithstanding. Returns the events that are there (0 at the deadline), or -errno. */
int ates_client_wait(void *socket, short events, int64_t deadline_ms);

#endif
