/* The client library: calls commands of aTES services.
 *
 * Two ways: ates_client_call sends one command and waits (a REQ socket, ZMQ_REQ_RELAXED with
 * ZMQ_REQ_CORRELATE); ates_pipeline keeps many in flight (a DEALER socket). A client and its
 * pipelines belong to one thread. No reply within the deadline means *unknown*, never *failed*:
 * call again with the same request id. */
#ifndef ATES_CLIENT_H
#define ATES_CLIENT_H

#include <ates/message.h>
#include <ates/service.h>

#pragma GCC visibility push(default)

struct ates_client;

/* A reply. Its bytes belong to the client or pipeline and stay until its next call. */
struct ates_reply {
    enum ates_status status;
    uint64_t seq;  /* of the service's log that the reply reflects */
    bool replayed; /* a stored reply to a repeated request id */
    /* The encoded result where status is ATES_OK, else the encoded refusal. */
    struct ates_bytes body;
    struct ates_refusal refusal; /* filled where status is not ATES_OK */
    uint64_t tag;                /* pipeline only: the one that ates_pipeline_send was given */
};

/* Makes a client of the services whose sockets are below run_dir (copied). NULL with errno set. */
struct ates_client *ates_client_new(const char *run_dir);
void ates_client_free(struct ates_client **self);

/* From now on SERVICE is reached at address (tcp://HOST:PORT, copied) instead of below run_dir; to be
 * told before the first call of it, with ates_client_set_curve. Returns 0, -ENAMETOOLONG, or
 * -EMFILE. */
int ates_client_set_address(struct ates_client *self, const char *service, const char *address);

/* The CURVE keys (Z85, 40 characters; copied) for tcp: the server's public one, and the client's own
 * pair, whose public half the server must allow. Returns 0, or -EINVAL where one is no key. */
int ates_client_set_curve(struct ates_client *self, const char *server_key, const char *public_key,
                          const char *secret_key);

/* The bearer token sent with every command from now on (copied); NULL for none. */
void ates_client_set_token(struct ates_client *self, const char *token);

/* How long a call waits in all, its retries included. Default 5000 ms. */
void ates_client_set_timeout(struct ates_client *self, int64_t timeout_ms);

/* Calls SERVICE.COMMAND with an encoded body and waits. With a request_id the command is sent again
 * (same id) each time a third of the timeout has passed without a reply; without one it is sent
 * once. Returns 0 with reply filled, whatever its status; or -ETIMEDOUT, -ENAMETOOLONG (socket
 * path), -EPROTO (the reply is no ATES/1 reply), -EMSGSIZE (a frame over the limit). */
int ates_client_call(struct ates_client *self, const char *service, const char *command,
                     const char *request_id, const void *body, size_t body_size,
                     struct ates_reply *reply);

/* The same by tables: a query is sent again even without a request_id, as it changes nothing. Encodes body by command->body; decodes the result by command->result into
 * result (allocated from arena; may be NULL). Returns as ates_client_call, or the reply's status (>
 * 0) where it is a refusal (reply->refusal says why). */
int ates_client_invoke(struct ates_client *self, const struct ates_service *service,
                       const struct ates_command *command, const char *request_id, const void *body,
                       struct ates_arena *arena, void *result, struct ates_reply *reply);

/* A fresh random request id (a UUID as text) into out[37]. */
void ates_request_id_new(char out[37]);

/* Many commands in flight to one service, replies in any order. */
struct ates_pipeline;
struct ates_pipeline *ates_pipeline_new(struct ates_client *client, const char *service);
void ates_pipeline_free(struct ates_pipeline **self);

/* Sends SERVICE.COMMAND without waiting; tag comes back with the reply. Returns 0, -EAGAIN when the
 * socket takes no more now (receive first), or -EMSGSIZE. */
int ates_pipeline_send(struct ates_pipeline *self, const char *command, const char *request_id,
                       const void *body, size_t body_size, uint64_t tag);

/* The same with everything that may be told of one command; what is left out is as above. */
struct ates_pipeline_command {
    const char *command;
    const char *request_id;  /* NULL: none */
    struct ates_text token;  /* size 0: the client's own */
    const char *client;      /* whom it is sent for, where the sender speaks for many; NULL: none */
    const char *traceparent; /* W3C's; NULL: none */
    int64_t timeout_ms;      /* how long the reply is waited for; 0: not told */
    const void *body;
    size_t body_size;
    uint64_t tag;
};
int ates_pipeline_send_command(struct ates_pipeline *self,
                               const struct ates_pipeline_command *command);

/* The next reply within timeout_ms (0: only what is there, -1: for ever). Returns 0, -EAGAIN,
 * -EPROTO. */
int ates_pipeline_receive(struct ates_pipeline *self, int64_t timeout_ms, struct ates_reply *reply);

/* The ZeroMQ socket (void *, for zmq_poll). */
void *ates_pipeline_socket(struct ates_pipeline *self);

#pragma GCC visibility pop

#endif
