/* Progress on stderr; see progress.h. */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/random.h"
#include "ctl.h"

#define BAR_INTERVAL_MS 100
#define LINE_INTERVAL_MS 2000
#define BAR_MAX 50
#define WORDS_WIDTH 48 /* of what stands beside the bar */

static int64_t now_ms(void)
{
    return ates_monotonic_us() / 1000;
}

static int bar_width(void)
{
    struct winsize size;
    const int columns =
        ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
    const int width = columns - WORDS_WIDTH;

    return width < 0 ? 0 : width > BAR_MAX ? BAR_MAX : width;
}

static void draw(struct ctl_progress *self, uint64_t done)
{
    static const char full[] = "##################################################";
    const int64_t spent_ms = now_ms() - self->begun_ms;
    const uint64_t rate = (done - self->begun_at) * 1000 / (uint64_t)(spent_ms > 0 ? spent_ms : 1);
    const int width = bar_width();
    const int filled = self->total > 0 ? (int)(done * (uint64_t)width / self->total) : width;

    /* \033[K: what was longer before must not stay. */
    fprintf(stderr, "\r[%.*s%*s] %" PRIu64 "/%" PRIu64 " %s, %" PRIu64 "/s\033[K", filled, full,
            width - filled, "", done, self->total, self->what, rate);
    fflush(stderr);
    self->is_drawn = true;
}

void ctl_progress_begin(struct ctl_progress *self, const char *what, uint64_t total, uint64_t done)
{
    *self = (struct ctl_progress){.what = what,
                                  .total = total,
                                  .is_terminal = ctl_is_terminal(stderr),
                                  .begun_ms = now_ms(),
                                  .begun_at = done};
    self->shown_ms = self->begun_ms;
}

void ctl_progress_show(struct ctl_progress *self, uint64_t done)
{
    const int64_t now = now_ms();

    if (now < self->shown_ms + (self->is_terminal ? BAR_INTERVAL_MS : LINE_INTERVAL_MS)) {
        return;
    }
    self->shown_ms = now;
    if (self->is_terminal) {
        draw(self, done);
    } else {
        ctl_say("%" PRIu64 " of %" PRIu64 " %s", done, self->total, self->what);
    }
}

void ctl_progress_end(struct ctl_progress *self, uint64_t done)
{
    if (self->is_drawn) {
        draw(self, done);
        fputc('\n', stderr);
        self->is_drawn = false;
    }
}
