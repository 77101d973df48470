/* A broker that loses, repeats and reorders (lossy_broker.c), in the place of the real one; its
 * draws come from the test's seed. ATES_LOSSY_BROKER: another program. */
#ifndef ATES_TEST_LOSSY_H
#define ATES_TEST_LOSSY_H

#include <stdio.h>
#include <stdlib.h>

#include "support/flow.h"

/* Shares in permille. */
static inline void lossy_start(struct flow *flow, unsigned drop, unsigned repeat, unsigned reorder)
{
    const char *given = getenv("ATES_LOSSY_BROKER");
    char words[4][24];

    snprintf(words[0], sizeof words[0], "%u", drop);
    snprintf(words[1], sizeof words[1], "%u", repeat);
    snprintf(words[2], sizeof words[2], "%u", reorder);
    snprintf(words[3], sizeof words[3], "%lu", (unsigned long)flow_draw(flow, 1u << 30));
    const char *const argv[] = {given != NULL ? given : LOSSY_BROKER_PATH,
                                flow->run_dir,
                                words[0],
                                words[1],
                                words[2],
                                words[3],
                                NULL};
    flow_spawn_program(flow, "broker", argv);
}

#endif
