/* A screen that is drawn again and again, where stdout is a terminal, and the signals that come
 * meanwhile. What is written to stdout and stderr while it is open is kept: the one until it is shown,
 * as much of it as there is room for, the other below it, or after the screen's end.
 * Invariant: however it ends by its own, the terminal is as it was before. */
#ifndef CTL_SCREEN_H
#define CTL_SCREEN_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

#include <zmq.h>

/* A stream in another's place, into memory. */
struct ctl_kept {
    FILE *real, *stream;
    char *text;
    size_t size;
};

struct ctl_screen {
    bool is_terminal;
    int signals; /* a signalfd, in whose place is -1 until open */
    sigset_t before;
    struct ctl_kept out, err;
};

/* Takes the terminal over, if stdout is one and it is to be drawn on, with SIGTSTP and SIGCONT then; and
 * SIGINT, SIGTERM, SIGHUP and SIGWINCH in any case.
 * Returns CTL_OK, or another code with the reason said. */
int ctl_screen_open(struct ctl_screen *self, bool is_drawn);
void ctl_screen_close(struct ctl_screen *self);

/* Draws what was written since it was shown last: from the first line on what fits above what was said and the footer,
 * which may be NULL. Nothing where there is no terminal. Returns an exit code. */
int ctl_screen_show(struct ctl_screen *self, const char *footer);

/* What to poll. */
zmq_pollitem_t ctl_screen_item(const struct ctl_screen *self);

/* What came since: the end was asked for; or the screen must be drawn anew, as its size is another, or
 * the program was stopped meanwhile (in here, where Ctrl-Z was typed). */
enum ctl_screen_news { CTL_SCREEN_NOTHING, CTL_SCREEN_DISTURBED, CTL_SCREEN_END };
enum ctl_screen_news ctl_screen_look(const struct ctl_screen *self);

#endif
