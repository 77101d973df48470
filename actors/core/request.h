/* Requests and replies as frames on the ROUTER (PROTOCOL.md section 2). */
#ifndef ATES_REQUEST_H
#define ATES_REQUEST_H

#include <zmq.h>

#include <ates/service.h>

#define ATES_REQUEST_FRAMES_MAX 16u

/* A received message. The route is what must go before the reply: the peer's identity and every
 * frame up to and including the first empty one. */
struct ates_request_message {
    zmq_msg_t frames[ATES_REQUEST_FRAMES_MAX];
    unsigned count; /* frames held */
    /* Frames of the route; 0 where there is no delimiter, hence nobody to reply to. */
    unsigned route;
    bool cut; /* it had more frames than are held */
    int64_t received_us;
};

/* A reply's route, taken over from its request. */
struct ates_route {
    zmq_msg_t frames[ATES_REQUEST_FRAMES_MAX];
    unsigned count;
};

/* Takes the next message off the socket without waiting. Returns 0, or -EAGAIN. */
int ates_request_receive(void *socket, struct ates_request_message *request);
void ates_request_release(struct ates_request_message *request);
/* Moves the whole request; from is empty then. */
void ates_request_move(struct ates_request_message *to, struct ates_request_message *from);
/* Overwrites a command's body, where the request has one: it may hold a password. */
void ates_request_wipe(struct ates_request_message *request);

/* Moves the route out of the request. */
void ates_request_take_route(struct ates_request_message *request, struct ates_route *route);
void ates_route_release(struct ates_route *route);

/* The peer's address as the transport tells it, on ipc its user, group and process; empty where it does not. Valid as
 * long as the request's frames. */
const char *ates_request_address(struct ates_request_message *request);
/* The CURVE key (Z85) by which the ZAP handler let the peer in; NULL where it was not asked. */
const char *ates_request_key(struct ates_request_message *request);
/* A number that tells whom the request is from: by the peer's address, and by the client that it speaks for (size 0:
 * none). */
uint64_t ates_request_origin(struct ates_request_message *request, struct ates_text client);

/* The i-th frame after the route, of those that are held. */
struct ates_bytes ates_request_frame(struct ates_request_message *request, unsigned i);
/* How many frames came after the route; more than are held where the message was cut. */
unsigned ates_request_frame_count(const struct ates_request_message *request);

/* Sends the four reply frames along route, which is released. A reply that cannot be sent is
 * dropped: a peer that is gone or takes none must not hold up others. Returns whether it was sent.
 */
bool ates_reply_send(void *socket, struct ates_route *route, const char *status,
                     struct ates_bytes meta, struct ates_bytes body);

#endif
