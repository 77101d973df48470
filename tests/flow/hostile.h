/* Hostile peers: processes that speak ZMTP 3.1 by hand (https://rfc.zeromq.org/spec/37/), as libzmq
 * does not stall half-way through a handshake or leave a message without its end. */
#ifndef ATES_TEST_HOSTILE_H
#define ATES_TEST_HOSTILE_H

#include "support/flow.h"

enum hostile_greeting { HOSTILE_WHOLE, HOSTILE_HALF };

/* One kind of peer. */
struct hostile {
    const char *what;
    const char *socket; /* of the run folder, without .sock */
    enum hostile_greeting greeting;
    unsigned connections;
    /* Appends what each connection sends over and over; NULL: nothing. */
    void (*say)(struct ates_buffer *out, const struct flow *flow);
    size_t id_offset;   /* of 12 digits in it that are drawn anew each time; 0: none */
    bool once;          /* it is sent once, not over and over */
    bool is_deaf;       /* it reads nothing */
    size_t sip_bytes;   /* it reads no more than this a ms; 0: as much as there is */
    bool is_brief;      /* the short run has it too */
    bool is_undefended; /* what it costs is told, and not held against the bound (SECURITY.md) */
    bool storms;        /* connections close as soon as they were greeted, and come again */
};

struct hostile_process {
    pid_t pid;
    struct hostile_shared *shared;
};

/* Starts it; returns once all its connections were made, or have been refused. */
void hostile_start(struct hostile_process *process, const struct hostile *hostile,
                   const struct flow *flow);
/* Ends it. Returns the CPU time that it took since it had started, in us. */
int64_t hostile_stop(struct hostile_process *process);
/* How often a connection was ended by the other side. */
size_t hostile_cut(const struct hostile_process *process);

/* A process that does nothing but take this share of a core. */
void hostile_burn(struct hostile_process *process, unsigned permille);

/* Appends one ZMTP frame (more: another follows), and a command of four frames behind a route. */
void hostile_frame(struct ates_buffer *out, struct ates_bytes frame, bool more);
void hostile_command(struct ates_buffer *out, const char *token, const char *name,
                     const char *request_id, const struct ates_message *message, const void *body);

#endif
