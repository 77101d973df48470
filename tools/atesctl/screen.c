/* A screen; see screen.h. */
#include "screen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "ctl.h"

/* ECMA-48 and xterm: the other screen, so that what was on this one comes back; the cursor hidden. */
#define TAKE "\033[?1049h\033[?25l"
#define GIVE_BACK "\033[?25h\033[?1049l"
#define CLEAR "\033[H\033[2J"

int ctl_screen_open(struct ctl_screen *self, bool is_drawn)
{
    const char *terminal = getenv("TERM");
    sigset_t taken;

    sigemptyset(&taken);
    sigaddset(&taken, SIGINT);
    sigaddset(&taken, SIGTERM);
    sigaddset(&taken, SIGHUP);
    sigaddset(&taken, SIGWINCH);
    sigprocmask(SIG_BLOCK, &taken, &self->before);
    self->signals = signalfd(-1, &taken, SFD_NONBLOCK | SFD_CLOEXEC);
    self->is_terminal = is_drawn && isatty(STDOUT_FILENO) == 1 && terminal != NULL &&
                        terminal[0] != '\0' && strcmp(terminal, "dumb") != 0;
    if (self->signals < 0) {
        sigprocmask(SIG_SETMASK, &self->before, NULL);
        return ctl_fail(CTL_REFUSED, NULL, "cannot take signals: %s", strerror(errno));
    }
    if (self->is_terminal) {
        fputs(TAKE, stdout);
        fflush(stdout);
    }
    return CTL_OK;
}

void ctl_screen_close(struct ctl_screen *self)
{
    if (self->is_terminal) {
        fputs(GIVE_BACK, stdout);
        fflush(stdout);
    }
    close(self->signals);
    self->signals = -1;
    sigprocmask(SIG_SETMASK, &self->before, NULL);
}

void ctl_screen_clear(const struct ctl_screen *self)
{
    if (self->is_terminal) {
        fputs(CLEAR, stdout);
    }
}

zmq_pollitem_t ctl_screen_item(const struct ctl_screen *self)
{
    return (zmq_pollitem_t){.fd = self->signals, .events = ZMQ_POLLIN};
}

enum ctl_screen_news ctl_screen_look(const struct ctl_screen *self)
{
    enum ctl_screen_news news = CTL_SCREEN_NOTHING;
    struct signalfd_siginfo signal;

    while (read(self->signals, &signal, sizeof signal) == (ssize_t)sizeof signal) {
        if (signal.ssi_signo != SIGWINCH) {
            news = CTL_SCREEN_END;
        } else if (news == CTL_SCREEN_NOTHING) {
            news = CTL_SCREEN_RESIZED;
        }
    }
    return news;
}
