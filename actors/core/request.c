/* Requests and replies as frames; see request.h. */
#include "core/request.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "core/random.h"
#include "core/warden.h"

#define COMMAND_FRAMES 4u /* after the route */

static void find_route(struct ates_request_message *self)
{
    self->route = 0;
    /* Frame 0 is the peer's identity, which ROUTER put there. */
    for (unsigned i = 1; i < self->count; i++) {
        if (zmq_msg_size(&self->frames[i]) == 0) {
            self->route = i + 1;
            return;
        }
    }
}

int ates_request_receive(void *socket, struct ates_request_message *self)
{
    bool more = true;

    self->count = 0;
    self->cut = false;
    while (more) {
        zmq_msg_t spare;
        zmq_msg_t *frame =
            self->count < ATES_REQUEST_FRAMES_MAX ? &self->frames[self->count] : &spare;

        zmq_msg_init(frame);
        if (zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(frame);
            ates_request_release(self);
            return -EAGAIN;
        }
        more = zmq_msg_more(frame);
        if (frame == &spare) {
            zmq_msg_close(frame);
            self->cut = true;
        } else {
            self->count++;
        }
    }
    self->received_us = ates_monotonic_us();
    if (self->count > 1) { /* the identity is ROUTER's own, and tells of no connection */
        ates_warden_heard(zmq_msg_get(&self->frames[self->count - 1], ZMQ_SRCFD),
                          self->received_us);
    }
    find_route(self);
    return 0;
}

void ates_request_release(struct ates_request_message *self)
{
    for (unsigned i = 0; i < self->count; i++) {
        zmq_msg_close(&self->frames[i]);
    }
    self->count = 0;
}

void ates_request_move(struct ates_request_message *to, struct ates_request_message *from)
{
    to->count = from->count;
    to->route = from->route;
    to->cut = from->cut;
    to->received_us = from->received_us;
    for (unsigned i = 0; i < from->count; i++) {
        zmq_msg_init(&to->frames[i]);
        zmq_msg_move(&to->frames[i], &from->frames[i]);
    }
    ates_request_release(from);
}

void ates_request_wipe(struct ates_request_message *self)
{
    if (self->count > 0 && ates_request_frame_count(self) == COMMAND_FRAMES) {
        zmq_msg_t *body = &self->frames[self->route + COMMAND_FRAMES - 1];

        explicit_bzero(zmq_msg_data(body), zmq_msg_size(body));
    }
}

void ates_request_take_route(struct ates_request_message *self, struct ates_route *route)
{
    route->count = self->route;
    for (unsigned i = 0; i < self->route; i++) {
        zmq_msg_init(&route->frames[i]);
        zmq_msg_move(&route->frames[i], &self->frames[i]);
    }
}

void ates_route_release(struct ates_route *route)
{
    for (unsigned i = 0; i < route->count; i++) {
        zmq_msg_close(&route->frames[i]);
    }
    route->count = 0;
}

const char *ates_request_address(struct ates_request_message *self)
{
    const char *address =
        self->count > 0 ? zmq_msg_gets(&self->frames[self->count - 1], "Peer-Address") : NULL;

    return address != NULL ? address : "";
}

const char *ates_request_key(struct ates_request_message *self)
{
    return self->count > 0 ? zmq_msg_gets(&self->frames[self->count - 1], "User-Id") : NULL;
}

uint64_t ates_request_origin(struct ates_request_message *self, struct ates_text client)
{
    uint8_t key[crypto_shorthash_KEYBYTES] = {0};
    uint8_t hash[crypto_shorthash_BYTES];
    uint64_t origin;
    /* Where that is known, connecting anew does not make a new client of the peer. */
    const char *address = ates_request_address(self);
    const size_t size = strlen(address);

    if (size > 0) {
        crypto_shorthash(hash, (const uint8_t *)address, size, key);
    } else {
        crypto_shorthash(hash, zmq_msg_data(&self->frames[0]), zmq_msg_size(&self->frames[0]), key);
    }
    if (client.size > 0) {
        memcpy(key, hash, sizeof hash); /* each client of this peer, for itself */
        crypto_shorthash(hash, (const uint8_t *)client.data, client.size, key);
    }
    memcpy(&origin, hash, sizeof origin);
    return origin;
}

struct ates_bytes ates_request_frame(struct ates_request_message *self, unsigned i)
{
    assert(self->route + i < self->count);
    zmq_msg_t *frame = &self->frames[self->route + i];

    return (struct ates_bytes){zmq_msg_data(frame), zmq_msg_size(frame)};
}

unsigned ates_request_frame_count(const struct ates_request_message *self)
{
    return self->cut ? ATES_REQUEST_FRAMES_MAX : self->count - self->route;
}

bool ates_reply_send(void *socket, struct ates_route *route, const char *status,
                     struct ates_bytes meta, struct ates_bytes body)
{
    const int flags = ZMQ_DONTWAIT | ZMQ_SNDMORE;
    bool sent = true;

    for (unsigned i = 0; sent && i < route->count; i++) {
        sent = zmq_msg_send(&route->frames[i], socket, flags) >= 0;
    }
    if (sent) {
        zmq_send_const(socket, ATES_PROTOCOL, strlen(ATES_PROTOCOL), flags);
        zmq_send_const(socket, status, strlen(status), flags);
        zmq_send(socket, meta.data, meta.size, flags);
        zmq_send(socket, body.data, body.size, ZMQ_DONTWAIT);
    }
    ates_route_release(route); /* frames that were sent are empty by now */
    return sent;
}
