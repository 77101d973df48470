/* Calls: one command at a time, each service through a REQ socket of its own, connected at its
 * first call. Invariant: a call returns by its deadline, and the reply it returns is the reply to
 * it. */
#include "core/client_private.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define TIMEOUT_DEFAULT_MS 5000
#define ATTEMPTS 3 /* in one call, where a request id or a query allows more than one */

/* The bearer token is worth as much as a password while it lives. */
static void forget_token(struct ates_client *self)
{
    if (self->token.capacity > 0) {
        sodium_memzero(self->token.data, self->token.capacity);
    }
    ates_buffer_release(&self->token);
}

struct ates_client *ates_client_new_in(void *context, const struct ates_reach *reach)
{
    struct ates_client *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->timeout_ms = TIMEOUT_DEFAULT_MS;
    self->reach = *reach;
    self->inbox = ates_inbox_new();
    if (!self->inbox) {
        ates_client_free(&self);
        errno = ENOMEM;
        return NULL;
    }
    self->context = context;
    return self;
}

struct ates_client *ates_client_new(const char *run_dir)
{
    struct ates_reach reach;

    ates_reach_init(&reach, run_dir);
    return ates_client_new_at(&reach);
}

struct ates_client *ates_client_new_at(const struct ates_reach *reach)
{
    void *context = zmq_ctx_new();
    struct ates_client *self = context ? ates_client_new_in(context, reach) : NULL;

    if (self) {
        self->owns_context = true;
    } else if (context) {
        zmq_ctx_term(context);
        errno = ENOMEM;
    }
    return self;
}

void ates_client_free(struct ates_client **self)
{
    if (!self || !*self) {
        return;
    }
    struct ates_client *client = *self;
    assert(client->pipeline_count == 0);
    for (size_t i = 0; i < client->link_count; i++) {
        if (client->links[i].socket) {
            zmq_close(client->links[i].socket);
        }
        free(client->links[i].service);
    }
    ates_inbox_free(&client->inbox);
    if (client->owns_context) {
        zmq_ctx_term(client->context);
    }
    forget_token(client);
    if (client->body.capacity > 0) {
        sodium_memzero(client->body.data, client->body.capacity); /* it may have held a password */
    }
    ates_buffer_release(&client->body);
    ates_buffer_release(&client->meta);
    sodium_memzero(&client->reach, sizeof client->reach); /* a secret key */
    free(client);
    *self = NULL;
}

int ates_client_set_address(struct ates_client *self, const char *service, const char *address)
{
    return ates_reach_add(&self->reach, service, address);
}

int ates_client_set_curve(struct ates_client *self, const char *server_key, const char *public_key,
                          const char *secret_key)
{
    return ates_reach_set_keys(&self->reach, server_key, public_key, secret_key);
}

void ates_client_set_token(struct ates_client *self, const char *token)
{
    forget_token(self);
    if (token) {
        ates_buffer_append(&self->token, token, strlen(token));
    }
}

void ates_client_set_timeout(struct ates_client *self, int64_t timeout_ms)
{
    assert(timeout_ms >= 0);
    self->timeout_ms = timeout_ms < INT32_MAX ? timeout_ms : INT32_MAX;
}

/* The link to a service, its socket open. */
static int link_to(struct ates_client *self, const char *service, struct ates_link **link)
{
    struct ates_link *found = NULL;

    for (size_t i = 0; i < self->link_count; i++) {
        if (strcmp(self->links[i].service, service) == 0) {
            found = &self->links[i];
        }
    }
    if (!found) {
        if (self->link_count == ATES_CLIENT_SERVICES) {
            return -EMFILE;
        }
        char *name = strdup(service);
        if (!name) {
            return -ENOMEM;
        }
        found = &self->links[self->link_count++];
        *found = (struct ates_link){.service = name};
    }
    if (!found->socket) {
        int r = ates_client_connect(self, ZMQ_REQ, service, &found->socket);
        if (r != 0) {
            return r;
        }
    }
    *link = found;
    return 0;
}

/* Sends the request, telling the service how much of the call's time is left. A REQ socket whose
 * send failed stays in the middle of its message: a new one is opened by the next attempt. */
static int send_request(struct ates_client *self, struct ates_link *link,
                        struct ates_request *request, int64_t left_ms)
{
    struct ates_bytes frames[ATES_COMMAND_FRAMES];

    request->timeout_ms = left_ms;
    int r = ates_request_frames(self, request, frames);
    if (r != 0) {
        return r;
    }
    r = ates_frames_send(link->socket, frames, ATES_COMMAND_FRAMES);
    if (r == -EAGAIN) {
        zmq_close(link->socket);
        link->socket = NULL;
    }
    return r;
}

/* One exchange: sends when due and possible, and waits for the reply. */
static int exchange(struct ates_client *self, struct ates_request *request,
                    struct ates_reply *reply)
{
    struct ates_link *link;
    int64_t now_ms = ates_client_now_ms();
    const int64_t deadline_ms = now_ms + self->timeout_ms;
    int64_t next_send_ms = now_ms;

    do {
        int r = link_to(self, request->service, &link);
        if (r != 0) {
            return r;
        }
        bool due = now_ms >= next_send_ms;
        int events =
            ates_client_wait(link->socket, due ? ZMQ_POLLIN | ZMQ_POLLOUT : ZMQ_POLLIN,
                             due || next_send_ms > deadline_ms ? deadline_ms : next_send_ms);
        if (events < 0) {
            return events;
        }
        now_ms = ates_client_now_ms();
        if (events & ZMQ_POLLIN) {
            r = ates_inbox_receive(self->inbox, link->socket);
            if (r != -EAGAIN) {
                return r == 0 ? ates_inbox_reply(self->inbox, 0, reply) : r;
            }
        } else if ((events & ZMQ_POLLOUT) && now_ms < deadline_ms) {
            r = send_request(self, link, request, deadline_ms - now_ms);
            if (r == 0) {
                next_send_ms = request->is_repeatable
                                   ? now_ms + (self->timeout_ms + ATTEMPTS - 1) / ATTEMPTS
                                   : INT64_MAX;
            } else if (r != -EAGAIN) {
                return r;
            }
        }
    } while (now_ms < deadline_ms);
    return -ETIMEDOUT;
}

int ates_client_call(struct ates_client *self, const char *service, const char *command,
                     const char *request_id, const void *body, size_t body_size,
                     struct ates_reply *reply)
{
    struct ates_request request = {.service = service,
                                   .command = command,
                                   .request_id = request_id,
                                   .is_repeatable = request_id != NULL,
                                   .body = body,
                                   .body_size = body_size};

    return exchange(self, &request, reply);
}

int ates_client_invoke(struct ates_client *self, const struct ates_service *service,
                       const struct ates_command *command, const char *request_id, const void *body,
                       struct ates_arena *arena, void *result, struct ates_reply *reply)
{
    struct ates_reply received;

    self->body.size = 0;
    ates_message_encode(command->body, body, &self->body);
    struct ates_request request = {.service = service->name,
                                   .command = command->name,
                                   .request_id = request_id,
                                   .is_repeatable = request_id != NULL || command->is_query,
                                   .body = self->body.data,
                                   .body_size = self->body.size};
    int r = exchange(self, &request, &received);
    if (r != 0) {
        return r;
    }
    if (received.status == ATES_OK && result) {
        /* Copied, so that the result's texts live as long as its lists. */
        const void *copy = ates_arena_copy(arena, received.body.data, received.body.size);
        if (ates_message_decode(command->result, copy, received.body.size, ATES_UNKNOWN_IGNORED,
                                arena, result, NULL) != 0) {
            return -EPROTO;
        }
    }
    *reply = received;
    return (int)received.status;
}

/* RFC 4122, version 4. */
void ates_request_id_new(char out[37])
{
    uint8_t id[16];

    int r = sodium_init();
    assert(r >= 0);
    randombytes_buf(id, sizeof id);
    id[6] = (uint8_t)((id[6] & 0x0f) | 0x40);
    id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
    for (size_t i = 0, at = 0; i < sizeof id; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            out[at++] = '-';
        }
        snprintf(out + at, 3, "%02x", id[i]);
        at += 2;
    }
}
