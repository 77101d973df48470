/* The client's side of the wire: a command's frames out, a reply's frames in (PROTOCOL.md section
 * 2). Invariant: a reply is handed out only when all of it is what the protocol says. */
#include "core/client_private.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/socket.h"

int ates_client_connect(struct ates_client *client, int type, const char *service, void **socket)
{
    void *opened = ates_socket_open(client->context, type);
    if (!opened) {
        return -errno;
    }
    const int r = ates_reach_connect(&client->reach, opened, service);
    if (r != 0) {
        zmq_close(opened);
        return r;
    }
    *socket = opened;
    return 0;
}

int ates_request_frames(struct ates_client *client, const struct ates_request *request,
                        struct ates_bytes frames[ATES_COMMAND_FRAMES])
{
    const struct ates_text own = {(const char *)client->token.data, client->token.size};
    const struct ates_text token = request->token.size > 0 ? request->token : own;
    struct ates_request_meta meta = {
        .has_token = token.size > 0,
        .token = token,
        .has_timeout_ms = request->timeout_ms > 0,
        .timeout_ms = (uint64_t)request->timeout_ms,
    };

    if (request->request_id) {
        meta.has_request_id = true;
        meta.request_id = ates_text_from(request->request_id);
    }
    if (request->client) {
        meta.has_client = true;
        meta.client = ates_text_from(request->client);
    }
    if (request->traceparent) {
        meta.has_traceparent = true;
        meta.traceparent = ates_text_from(request->traceparent);
    }
    int length = snprintf(client->command, sizeof client->command, "%s.%s", request->service,
                          request->command);
    client->meta.size = 0;
    ates_message_encode(&ates_request_meta_message, &meta, &client->meta);
    if (length < 0 || (size_t)length >= sizeof client->command ||
        client->meta.size > ATES_FRAME_MAX || request->body_size > ATES_FRAME_MAX) {
        return -EMSGSIZE;
    }
    frames[0] = (struct ates_bytes){(const uint8_t *)ATES_PROTOCOL, strlen(ATES_PROTOCOL)};
    frames[1] = (struct ates_bytes){(const uint8_t *)client->command, (size_t)length};
    frames[2] = (struct ates_bytes){client->meta.data, client->meta.size};
    frames[3] = (struct ates_bytes){request->body, request->body_size};
    return 0;
}

/* Where the connection goes in the middle of a message, libzmq takes back what it has of it and
 * swallows the rest up to the last frame: so the rest is still handed over, or it would swallow the
 * next message. */
int ates_frames_send(void *socket, const struct ates_bytes *frames, size_t count)
{
    int r = 0;

    for (size_t i = 0; i < count; i++) {
        int flags = ZMQ_DONTWAIT | (i + 1 < count ? ZMQ_SNDMORE : 0);
        int sent;
        do {
            sent = zmq_send(socket, frames[i].data, frames[i].size, flags);
        } while (sent < 0 && errno == EINTR);
        if (sent < 0 && r == 0) {
            r = -errno;
            if (i == 0) {
                break;
            }
        }
    }
    return r;
}

struct ates_inbox *ates_inbox_new(void)
{
    struct ates_inbox *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->arena = ates_arena_new();
    if (!self->arena) {
        free(self);
        return NULL;
    }
    return self;
}

static void empty(struct ates_inbox *self)
{
    while (self->held > 0) {
        zmq_msg_close(&self->frames[--self->held]);
    }
    self->count = 0;
    ates_arena_reset(self->arena);
}

void ates_inbox_free(struct ates_inbox **self)
{
    if (!self || !*self) {
        return;
    }
    empty(*self);
    ates_arena_free(&(*self)->arena);
    free(*self);
    *self = NULL;
}

int ates_inbox_receive(struct ates_inbox *self, void *socket)
{
    bool more = true;

    empty(self);
    while (more) {
        zmq_msg_t frame;
        zmq_msg_init(&frame);
        int size;
        do {
            size = zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT);
        } while (size < 0 && errno == EINTR);
        if (size < 0) {
            int r = -errno;
            zmq_msg_close(&frame);
            return r;
        }
        more = zmq_msg_more(&frame);
        self->count++;
        if (self->held < ATES_INBOX_FRAMES) {
            zmq_msg_init(&self->frames[self->held]);
            zmq_msg_move(&self->frames[self->held++], &frame);
        }
        zmq_msg_close(&frame);
    }
    return 0;
}

static struct ates_bytes frame_bytes(struct ates_inbox *self, size_t index)
{
    return (struct ates_bytes){zmq_msg_data(&self->frames[index]),
                               zmq_msg_size(&self->frames[index])};
}

static void copy_text(char *out, size_t size, struct ates_text text)
{
    size_t kept = text.size < size ? text.size : size - 1;

    if (kept > 0) {
        memcpy(out, text.data, kept);
    }
    out[kept] = '\0';
}

static int decode_refusal(struct ates_inbox *self, struct ates_bytes body,
                          struct ates_refusal *refusal)
{
    struct ates_refusal_body decoded;

    if (ates_message_decode(&ates_refusal_body_message, body.data, body.size, ATES_UNKNOWN_IGNORED,
                            self->arena, &decoded, NULL) != 0) {
        return -EPROTO;
    }
    copy_text(refusal->reason, sizeof refusal->reason, decoded.reason);
    copy_text(refusal->message, sizeof refusal->message, decoded.message);
    copy_text(refusal->field, sizeof refusal->field,
              decoded.has_field ? decoded.field : (struct ates_text){"", 0});
    if (decoded.has_retry_after_ms) {
        refusal->retry_after_ms =
            decoded.retry_after_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)decoded.retry_after_ms;
    }
    return 0;
}

int ates_inbox_reply(struct ates_inbox *self, size_t first, struct ates_reply *reply)
{
    struct ates_reply_meta decoded;

    if (self->held != self->count || self->count != first + ATES_COMMAND_FRAMES) {
        return -EPROTO;
    }
    struct ates_bytes protocol = frame_bytes(self, first);
    struct ates_bytes word = frame_bytes(self, first + 1);
    struct ates_bytes meta = frame_bytes(self, first + 2);
    struct ates_bytes body = frame_bytes(self, first + 3);
    int status = ates_status_parse((const char *)word.data, word.size);
    if (protocol.size != strlen(ATES_PROTOCOL) ||
        memcmp(protocol.data, ATES_PROTOCOL, protocol.size) != 0 || status < 0) {
        return -EPROTO;
    }
    if (ates_message_decode(&ates_reply_meta_message, meta.data, meta.size, ATES_UNKNOWN_IGNORED,
                            self->arena, &decoded, NULL) != 0) {
        return -EPROTO;
    }
    struct ates_reply parsed = {.status = (enum ates_status)status,
                                .seq = decoded.seq,
                                .replayed = decoded.has_replayed && decoded.replayed,
                                .body = body,
                                .refusal = {.status = (enum ates_status)status}};
    if (status != ATES_OK) {
        int r = decode_refusal(self, body, &parsed.refusal);
        if (r != 0) {
            return r;
        }
    }
    *reply = parsed;
    return 0;
}

int64_t ates_client_now_ms(void)
{
    struct timespec now;

    int r = clock_gettime(CLOCK_MONOTONIC, &now);
    assert(r == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int ates_client_wait(void *socket, short events, int64_t deadline_ms)
{
    zmq_pollitem_t item = {.socket = socket, .events = events};
    int count;

    do {
        long wait_ms = -1;
        if (deadline_ms != INT64_MAX) {
            int64_t left_ms = deadline_ms - ates_client_now_ms();
            wait_ms = left_ms > 0 ? (long)left_ms : 0;
        }
        count = zmq_poll(&item, 1, wait_ms);
    } while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : item.revents;
}
