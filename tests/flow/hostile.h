/* Hostile peers: processes that speak ZMTP 3.1 by hand (https://rfc.zeromq.org/spec/37/, CURVE: 26), as libzmq
 * does not stall half-way through a handshake or leave a message without its end. */
#ifndef ATES_TEST_HOSTILE_H
#define ATES_TEST_HOSTILE_H

#include "support/doors.h"

enum hostile_greeting {
    HOSTILE_WHOLE,
    HOSTILE_HALF, /* of the greeting, and no more */
    HOSTILE_HELLO /* CURVE's first step, which the server answers with a WELCOME, and no more */
};

/* One kind of peer. */
struct hostile {
    const char *what;
    const char *socket; /* of the run folder, without .sock or .address */
    enum hostile_greeting greeting;
    unsigned connections;
    /* Appends what each connection sends over and over; NULL: nothing. */
    void (*say)(struct ates_buffer *out, const struct flow *flow);
    size_t id_offset; /* of 12 digits in it that are drawn anew each time; 0: none */
    bool once;        /* it is sent once, not over and over */
    bool is_deaf;     /* it reads nothing */
    size_t sip_bytes; /* it reads no more than this a ms; 0: as much as there is */
    bool is_brief;    /* the short run has it too */
    unsigned keeps;   /* percent that others keep where 80 is not reached (SECURITY.md); 0: 80 */
    bool is_far;      /* it comes over tcp, as a stranger to CURVE; otherwise over ipc */
    bool storms;      /* connections close as soon as they were greeted, and come again */
};

struct hostile_process {
    pid_t pid;
    struct hostile_shared *shared;
};

/* Starts it; returns once all its connections were made, or have been refused. doors: where it comes
 * from afar (otherwise NULL may be). */
void hostile_start(struct hostile_process *process, const struct hostile *hostile,
                   const struct flow *flow, const struct doors *doors);
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
