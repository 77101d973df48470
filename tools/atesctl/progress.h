/* How far something has come, on stderr: a bar that moves on a terminal, elsewhere a line now and
 * then. */
#ifndef CTL_PROGRESS_H
#define CTL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct ctl_progress {
    const char *what; /* "tasks" */
    uint64_t total;
    bool is_terminal, is_drawn;
    int64_t begun_ms, shown_ms;
    uint64_t begun_at; /* done before it began */
};

void ctl_progress_begin(struct ctl_progress *self, const char *what, uint64_t total, uint64_t done);
void ctl_progress_show(struct ctl_progress *self, uint64_t done);
/* Shows the end, and makes room for other words. */
void ctl_progress_end(struct ctl_progress *self, uint64_t done);

#endif
