/* Many commands in flight, each with a request id, sent again under it until it is answered: the
 * client that PROTOCOL.md section 2 asks for. Invariants: a command is done when a reply accepted
 * or refused it; two accepting replies to one request id are the same byte for byte. */
#ifndef ATES_TEST_LOAD_H
#define ATES_TEST_LOAD_H

#include "support/flow.h"

#define LOAD_SERVICES 2u /* auth and tasks */

struct load_command {
    const struct ates_service *service;
    const struct ates_command *command;
    uint64_t user;    /* who calls */
    uint64_t subject; /* the test's own mark, as it was given */
    char request_id[40];
    struct ates_buffer body;
    int64_t due_ms; /* when it is sent again */
    bool is_done;
    enum ates_status status; /* of the reply, where done */
    char reason[48];
    struct ates_buffer reply; /* frame 4 */
};

struct load {
    struct flow *flow;
    struct ates_client *client;
    struct ates_pipeline *pipelines[LOAD_SERVICES];
    struct load_command *commands; /* in the order in which they were first sent */
    size_t count, capacity, open;  /* open: not done */
    size_t oldest;                 /* all before it are done */
    uint64_t sent, replayed;       /* messages, and replies that were stored ones */
    struct ates_arena *arena;
};

void load_open(struct load *load, struct flow *flow);
void load_close(struct load *load);

/* Sends one command under a fresh request id; returns its index. */
size_t load_send(struct load *load, uint64_t user, const struct ates_service *service,
                 const char *command, const void *body, uint64_t subject);

/* Waits at most timeout_ms for a command to be done, sending again what is due. Returns whether one
 * is. */
bool load_receive(struct load *load, int64_t timeout_ms, size_t *index);
/* Until nothing is open, or at most limit commands are. */
void load_drain(struct load *load, size_t limit);

/* The result of a command that was accepted, decoded into result. */
void load_result(struct load *load, size_t index, void *result);

/* The command with this request id, or NULL. */
struct load_command *load_find(struct load *load, struct ates_text request_id);

#endif
