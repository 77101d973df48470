/* Bare frames; see wire.h. */
#include "flow/wire.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "core/endpoint.h"
#include "support/flow.h"

#define REPLY_FRAMES 4u

void wire_open(struct wire *wire, const char *run_dir, const char *service)
{
    char endpoint[256];

    *wire = (struct wire){.context = zmq_ctx_new(), .arena = ates_arena_new()};
    wire->socket = zmq_socket(wire->context, ZMQ_DEALER);
    const int patience_ms = (int)(FLOW_PATIENCE_MS * flow_scale());
    cr_assert_eq(zmq_setsockopt(wire->socket, ZMQ_RCVTIMEO, &patience_ms, sizeof patience_ms), 0);
    cr_assert_eq(zmq_setsockopt(wire->socket, ZMQ_LINGER, &(int){0}, sizeof(int)), 0);
    snprintf(endpoint, sizeof endpoint, "ipc://%s/%s.sock", run_dir, service);
    cr_assert_eq(zmq_connect(wire->socket, endpoint), 0, "%s", endpoint);
}

static void release(struct wire *wire)
{
    while (wire->held > 0) {
        zmq_msg_close(&wire->frames[--wire->held]);
    }
}

void wire_close(struct wire *wire)
{
    release(wire);
    zmq_close(wire->socket);
    zmq_ctx_term(wire->context);
    ates_arena_free(&wire->arena);
}

void wire_send(struct wire *wire, const struct ates_bytes *frames, size_t count, size_t empty_count)
{
    for (size_t i = 0; i < count + empty_count; i++) {
        const struct ates_bytes frame = i < count ? frames[i] : (struct ates_bytes){NULL, 0};
        const int more = i + 1 < count + empty_count ? ZMQ_SNDMORE : 0;

        cr_assert_eq(zmq_send(wire->socket, frame.data, frame.size, more), (int)frame.size);
    }
}

struct ates_bytes wire_frame(struct wire *wire, size_t i)
{
    cr_assert_lt(i, wire->held);
    return (struct ates_bytes){zmq_msg_data(&wire->frames[i]), zmq_msg_size(&wire->frames[i])};
}

static void receive_frames(struct wire *wire, const char *what)
{
    bool more = true;

    release(wire);
    while (more) {
        zmq_msg_t *frame = &wire->frames[wire->held];

        cr_assert_lt(wire->held, WIRE_FRAMES_MAX, "%s: the reply has too many frames", what);
        zmq_msg_init(frame);
        wire->held++;
        cr_assert_geq(zmq_msg_recv(frame, wire->socket, 0), 0, "%s: no reply: %s", what,
                      zmq_strerror(zmq_errno()));
        more = zmq_msg_more(frame) != 0;
    }
}

void wire_receive(struct wire *wire, struct wire_reply *reply, const char *what)
{
    struct ates_refusal fault = {.message = ""};

    receive_frames(wire, what);
    cr_assert_gt(wire->held, REPLY_FRAMES, "%s: the reply has too few frames", what);
    *reply = (struct wire_reply){.route_count = wire->held - REPLY_FRAMES};
    const struct ates_bytes version = wire_frame(wire, reply->route_count);
    const struct ates_bytes status = wire_frame(wire, reply->route_count + 1);
    const struct ates_bytes meta = wire_frame(wire, reply->route_count + 2);
    reply->body = wire_frame(wire, reply->route_count + 3);
    cr_assert(version.size == 6 && memcmp(version.data, "ATES/1", 6) == 0, "%s", what);
    const int parsed = ates_status_parse((const char *)status.data, status.size);
    cr_assert_geq(parsed, 0, "%s: the reply has no status", what);
    reply->status = (enum ates_status)parsed;
    ates_arena_reset(wire->arena);
    cr_assert_eq(ates_message_decode(&ates_reply_meta_message, meta.data, meta.size,
                                     ATES_UNKNOWN_REFUSED, wire->arena, &reply->meta, &fault),
                 0, "%s: the reply's meta: %s", what, fault.message);
    if (reply->status != ATES_OK) {
        cr_assert_eq(ates_message_decode(&ates_refusal_body_message, reply->body.data,
                                         reply->body.size, ATES_UNKNOWN_REFUSED, wire->arena,
                                         &reply->refusal, &fault),
                     0, "%s: the refusal: %s", what, fault.message);
    }
}
