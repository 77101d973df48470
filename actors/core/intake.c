/* The intake; see intake.h. */
#include "core/intake.h"

#include <stdlib.h>

#define BUCKETS 1024u
#define SPARES_MAX 1024u /* requests' memory that is kept for the next ones */

struct held {
    struct ates_request_message request;
    size_t bytes;
    struct held *next;
};

/* It is there as long as it has something held. */
struct peer {
    uint64_t origin;
    struct held *first, *last;
    size_t count, bytes;
    struct peer *next_in_bucket;
    struct peer *next_turn;
};

struct ates_intake {
    struct peer *buckets[BUCKETS];
    struct peer *turn, *last_turn; /* a queue: whoever had a turn goes to its end */
    size_t count, bytes, peer_count;
    struct held *given; /* to the caller, until the next call */
    struct held *spares;
    size_t spare_count;
};

struct ates_intake *ates_intake_new(void)
{
    return calloc(1, sizeof(struct ates_intake));
}

static struct held *get_held(struct ates_intake *self)
{
    struct held *held = self->spares;

    if (held != NULL) {
        self->spares = held->next;
        self->spare_count--;
    } else {
        held = malloc(sizeof *held);
        if (held == NULL) {
            abort(); /* as where an arena is */
        }
    }
    held->next = NULL;
    return held;
}

static void put_held(struct ates_intake *self, struct held *held)
{
    if (self->spare_count == SPARES_MAX) {
        free(held);
        return;
    }
    held->next = self->spares;
    self->spares = held;
    self->spare_count++;
}

/* The caller is done with what it was given. */
static void take_back(struct ates_intake *self)
{
    if (self->given != NULL) {
        ates_request_release(&self->given->request);
        put_held(self, self->given);
        self->given = NULL;
    }
}

static struct peer **find_peer(struct ates_intake *self, uint64_t origin)
{
    struct peer **place = &self->buckets[origin % BUCKETS];

    while (*place != NULL && (*place)->origin != origin) {
        place = &(*place)->next_in_bucket;
    }
    return place;
}

static void queue_turn(struct ates_intake *self, struct peer *peer)
{
    peer->next_turn = NULL;
    if (self->turn == NULL) {
        self->turn = peer;
    } else {
        self->last_turn->next_turn = peer;
    }
    self->last_turn = peer;
}

static struct peer *add_peer(struct ates_intake *self, struct peer **place, uint64_t origin)
{
    struct peer *peer = calloc(1, sizeof *peer);

    if (peer == NULL) {
        abort();
    }
    peer->origin = origin;
    *place = peer;
    self->peer_count++;
    queue_turn(self, peer);
    return peer;
}

/* A peer may fill what is for one alone, and in all its part of what there is. */
static bool has_room(const struct ates_intake *self, const struct peer *peer, size_t bytes)
{
    const size_t count = peer != NULL ? peer->count : 0;
    const size_t held = (peer != NULL ? peer->bytes : 0) + bytes;
    const size_t peers = self->peer_count + (peer == NULL);

    return count < ATES_INTAKE_PEER_MAX && held <= ATES_INTAKE_PEER_BYTES &&
           (self->count < ATES_INTAKE_MAX || count < ATES_INTAKE_MAX / peers) &&
           (self->bytes + bytes <= ATES_INTAKE_BYTES || held <= ATES_INTAKE_BYTES / peers);
}

static size_t size_of(const struct ates_request_message *request)
{
    size_t bytes = 0;

    for (unsigned i = 0; i < request->count; i++) {
        bytes += zmq_msg_size(&request->frames[i]);
    }
    return bytes;
}

int ates_intake_fill(struct ates_intake *self, void *socket, struct ates_request_message **refused)
{
    const struct ates_text nobody = {.size = 0};

    take_back(self);
    *refused = NULL;
    struct held *held = get_held(self);
    const int r = ates_request_receive(socket, &held->request);
    if (r != 0) {
        put_held(self, held);
        return r;
    }
    const uint64_t origin = ates_request_origin(&held->request, nobody);
    struct peer **place = find_peer(self, origin);
    held->bytes = size_of(&held->request);
    if (!has_room(self, *place, held->bytes)) {
        self->given = held;
        *refused = &held->request;
        return 0;
    }
    struct peer *peer = *place != NULL ? *place : add_peer(self, place, origin);
    if (peer->first == NULL) {
        peer->first = held;
    } else {
        peer->last->next = held;
    }
    peer->last = held;
    peer->count++;
    peer->bytes += held->bytes;
    self->count++;
    self->bytes += held->bytes;
    return 0;
}

struct ates_request_message *ates_intake_next(struct ates_intake *self)
{
    struct peer *peer = self->turn;

    take_back(self);
    if (peer == NULL) {
        return NULL;
    }
    struct held *held = peer->first;
    peer->first = held->next;
    peer->count--;
    peer->bytes -= held->bytes;
    self->count--;
    self->bytes -= held->bytes;
    self->turn = peer->next_turn;
    if (peer->first != NULL) {
        queue_turn(self, peer);
    } else {
        *find_peer(self, peer->origin) = peer->next_in_bucket;
        self->peer_count--;
        free(peer);
    }
    self->given = held;
    return &held->request;
}

size_t ates_intake_peers(const struct ates_intake *self)
{
    return self->peer_count;
}

size_t ates_intake_held(const struct ates_intake *self)
{
    return self->count;
}

void ates_intake_free(struct ates_intake **intake)
{
    struct ates_intake *self = *intake;

    if (self == NULL) {
        return;
    }
    while (ates_intake_next(self) != NULL) {
    }
    while (self->spares != NULL) {
        struct held *next = self->spares->next;

        free(self->spares);
        self->spares = next;
    }
    free(self);
    *intake = NULL;
}
