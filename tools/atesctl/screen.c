/* A screen; see screen.h. */
#include "screen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "ctl.h"
#include "output.h"
#include "table.h"

/* ECMA-48 and xterm: the other screen, so that what was on this one comes back; the cursor hidden. */
#define TAKE "\033[?1049h\033[?25l"
#define GIVE_BACK "\033[?25h\033[?1049l"
/* Line by line over what was there, and nothing below: an empty screen in between would flicker. */
#define HOME "\033[H"
#define LINE_ENDS "\033[K"
#define ALL_ENDS "\033[J"

/* glibc's stdout and stderr are variables that may be set. */
static void keep(struct ctl_kept *self, FILE **standard)
{
    *self = (struct ctl_kept){.real = *standard};
    self->stream = open_memstream(&self->text, &self->size);
    *standard = self->stream != NULL ? self->stream : *standard;
}

/* Puts the stream back, with all that was kept in text: "" where nothing was. */
static const char *kept(struct ctl_kept *self, FILE **standard)
{
    *standard = self->real;
    if (self->stream != NULL) {
        fclose(self->stream);
        self->stream = NULL;
    }
    return self->text != NULL ? self->text : "";
}

static void forget(struct ctl_kept *self)
{
    free(self->text);
    self->text = NULL;
}

static void put(FILE *terminal, const char *sequence)
{
    fputs(sequence, terminal);
    fflush(terminal);
}

int ctl_screen_open(struct ctl_screen *self, bool is_drawn)
{
    const char *terminal = getenv("TERM");
    sigset_t taken;

    sigemptyset(&taken);
    sigaddset(&taken, SIGINT);
    sigaddset(&taken, SIGTERM);
    sigaddset(&taken, SIGHUP);
    sigaddset(&taken, SIGWINCH);
    self->is_terminal = is_drawn && isatty(STDOUT_FILENO) == 1 && terminal != NULL &&
                        terminal[0] != '\0' && strcmp(terminal, "dumb") != 0;
    if (self->is_terminal) {
        sigaddset(&taken, SIGTSTP);
        sigaddset(&taken, SIGCONT);
    }
    sigprocmask(SIG_BLOCK, &taken, &self->before);
    self->signals = signalfd(-1, &taken, SFD_NONBLOCK | SFD_CLOEXEC);
    if (self->signals < 0) {
        sigprocmask(SIG_SETMASK, &self->before, NULL);
        return ctl_fail(CTL_REFUSED, NULL, "cannot take signals: %s", strerror(errno));
    }
    if (self->is_terminal) {
        put(stdout, TAKE);
        keep(&self->out, &stdout);
        keep(&self->err, &stderr);
    }
    return CTL_OK;
}

void ctl_screen_close(struct ctl_screen *self)
{
    if (self->is_terminal) {
        kept(&self->out, &stdout);
        put(stdout, GIVE_BACK);
        const char *said = kept(&self->err, &stderr);
        fputs(said, stderr);
        forget(&self->out);
        forget(&self->err);
    }
    close(self->signals);
    self->signals = -1;
    sigprocmask(SIG_SETMASK, &self->before, NULL);
}

/* The lines of the screen that a text takes, from *text to the end of its own line; *text goes on behind it. */
static size_t next_line(const char **text, size_t width, char *line, size_t size)
{
    const size_t length = strcspn(*text, "\n");

    snprintf(line, size, "%.*s", (int)length, *text);
    *text += length + ((*text)[length] == '\n');
    const size_t taken = ctl_text_width(line);
    return taken > width ? (taken + width - 1) / width : 1;
}

static size_t lines_of(const char *text, size_t width)
{
    char line[4096];
    size_t sum = 0;

    while (*text != '\0') {
        sum += next_line(&text, width, line, sizeof line);
    }
    return sum;
}

static void draw(const char *text, size_t width, size_t room)
{
    char line[4096];

    while (*text != '\0') {
        const size_t lines = next_line(&text, width, line, sizeof line);

        if (lines > room) {
            break;
        }
        room -= lines;
        printf("%s" LINE_ENDS "\n", line);
    }
}

int ctl_screen_show(struct ctl_screen *self, const char *footer)
{
    char cut[64] = "";

    if (!self->is_terminal) {
        return CTL_OK;
    }
    const char *picture = kept(&self->out, &stdout), *said = kept(&self->err, &stderr);
    const size_t width = ctl_terminal_width(), height = ctl_terminal_height();
    const size_t lines = lines_of(picture, width);
    /* Below the last line the cursor has its own, where there is no footer. */
    size_t below = lines_of(said, width) + (footer != NULL ? lines_of(footer, width) : 1);

    if (lines + below > height) {
        snprintf(cut, sizeof cut, "no room for all of it: a taller terminal shows more\n");
        below += lines_of(cut, width);
    }
    fputs(HOME, stdout);
    draw(picture, width, height > below ? height - below : 0);
    draw(cut, width, height);
    draw(said, width, height);
    printf("%s" LINE_ENDS ALL_ENDS, footer != NULL ? footer : "");
    const int code = ctl_flush();
    forget(&self->out);
    forget(&self->err);
    keep(&self->out, &stdout);
    keep(&self->err, &stderr);
    return code;
}

zmq_pollitem_t ctl_screen_item(const struct ctl_screen *self)
{
    return (zmq_pollitem_t){.fd = self->signals, .events = ZMQ_POLLIN};
}

/* As Ctrl-Z does to others, but that the shell gets its own screen back meanwhile. The kernel stops
 * nobody whom no shell could wake: then it goes on at once. */
static void stop(const struct ctl_screen *self)
{
    sigset_t stopping;

    put(self->out.real, GIVE_BACK);
    sigemptyset(&stopping);
    sigaddset(&stopping, SIGTSTP);
    raise(SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &stopping, NULL);
    sigprocmask(SIG_BLOCK, &stopping, NULL);
    put(self->out.real, TAKE);
}

enum ctl_screen_news ctl_screen_look(const struct ctl_screen *self)
{
    enum ctl_screen_news news = CTL_SCREEN_NOTHING;
    struct signalfd_siginfo signal;

    while (read(self->signals, &signal, sizeof signal) == (ssize_t)sizeof signal) {
        const bool is_end =
            signal.ssi_signo == SIGINT || signal.ssi_signo == SIGTERM || signal.ssi_signo == SIGHUP;

        if (signal.ssi_signo == SIGTSTP) {
            stop(self);
        }
        if (is_end || news == CTL_SCREEN_NOTHING) {
            news = is_end ? CTL_SCREEN_END : CTL_SCREEN_DISTURBED;
        }
    }
    return news;
}
