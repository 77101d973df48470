/* A screen that is drawn again and again, where stdout is a terminal, and the signals that come
 * meanwhile. Invariant: however it ends by its own, the terminal is as it was before. */
#ifndef CTL_SCREEN_H
#define CTL_SCREEN_H

#include <signal.h>
#include <stdbool.h>

#include <zmq.h>

struct ctl_screen {
    bool is_terminal;
    int signals; /* a signalfd, in whose place is -1 until open */
    sigset_t before;
};

/* Takes the terminal over, if stdout is one and it is to be drawn on, and SIGINT, SIGTERM, SIGHUP and SIGWINCH in any case.
 * Returns CTL_OK, or another code with the reason said. */
int ctl_screen_open(struct ctl_screen *self, bool is_drawn);
void ctl_screen_close(struct ctl_screen *self);

/* Empties the screen for what is written next; nothing where there is no terminal. */
void ctl_screen_clear(const struct ctl_screen *self);

/* What to poll. */
zmq_pollitem_t ctl_screen_item(const struct ctl_screen *self);

/* What came since: the end was asked for; or the size is another. */
enum ctl_screen_news { CTL_SCREEN_NOTHING, CTL_SCREEN_RESIZED, CTL_SCREEN_END };
enum ctl_screen_news ctl_screen_look(const struct ctl_screen *self);

#endif
