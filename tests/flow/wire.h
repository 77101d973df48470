/* Commands as bare frames, over a DEALER that sends whatever it is told. Invariant: a reply is
 * taken only if all of it is as PROTOCOL.md section 2 says. */
#ifndef ATES_WIRE_H
#define ATES_WIRE_H

#include <zmq.h>

#include <ates/service.h>

#define WIRE_FRAMES_MAX 32u

struct wire {
    void *context, *socket;
    struct ates_arena *arena; /* of the reply in hand */
    zmq_msg_t frames[WIRE_FRAMES_MAX];
    size_t held;
};

struct wire_reply {
    size_t route_count; /* frames before the four of the reply, in wire->frames */
    enum ates_status status;
    struct ates_reply_meta meta;
    struct ates_refusal_body refusal; /* where status is not ATES_OK */
    struct ates_bytes body;
};

void wire_open(struct wire *wire, const char *run_dir, const char *service);
void wire_close(struct wire *wire);

/* One message: the frames as they are, then so many empty ones. */
void wire_send(struct wire *wire, const struct ates_bytes *frames, size_t count,
               size_t empty_count);

/* The next reply, valid until the next one. Fails the test where it is none, or none comes. */
void wire_receive(struct wire *wire, struct wire_reply *reply, const char *what);

/* The i-th frame of the reply's route. */
struct ates_bytes wire_frame(struct wire *wire, size_t i);

#endif
