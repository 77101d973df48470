/* A day at the office, drawn: tasks are created, completed by their assignees and drawn again, and
 * one developer keeps being disabled and enabled. Each command is known by its request id, so that
 * afterwards the logs can be asked what became of it. */
#ifndef ATES_TEST_MIX_H
#define ATES_TEST_MIX_H

#include "support/load.h"

struct mix_task {
    uint64_t id, assigned_to;
};

struct mix {
    struct flow *flow;
    struct load load;
    struct mix_task *known; /* open tasks, as last heard of */
    size_t known_count, known_capacity;
    bool *is_tried; /* by task id: its completion was asked for */
    size_t tried_capacity;
    uint64_t created; /* commands sent, which name the tasks */
    bool is_drawing;  /* a reassignment is under way */
    bool is_listing;  /* the list of open tasks was asked for */
    bool is_toggling; /* disabling or enabling is under way */
    bool is_disabled; /* how the toggled developer ends up */
    size_t accepted, refused;
};

void mix_open(struct mix *mix, struct flow *flow);
void mix_close(struct mix *mix);

/* Sends drawn commands until this many are in flight. */
void mix_fill(struct mix *mix, size_t in_flight);
/* Waits at most timeout_ms for one to be done; whether one was. */
bool mix_receive(struct mix *mix, int64_t timeout_ms);
/* count commands, in_flight at a time, all of them done in the end. */
void mix_run(struct mix *mix, size_t count, size_t in_flight);
/* Until none is in flight. */
void mix_drain(struct mix *mix);

/* Of drained commands: each accepted one has exactly its effect in the logs, once; a refused one
 * has none. */
void mix_check(struct mix *mix);

#endif
