/* admin top: what the services do at present, from two looks at their metrics. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "figure.h"
#include "operate.h"
#include "output.h"
#include "percentile.h"
#include "remote.h"
#include "screen.h"

#define DURATION "ates_command_duration_microseconds"
#define BUCKETS_MAX 64u
#define SERVICES_MAX 16u
#define COMMANDS_MAX 64u
#define NAME_SIZE 96u

struct row {
    struct ates_text service;
    struct ates_text command;
    uint64_t per_second;
    bool has_p50_us, has_p99_us, has_lag, has_queue;
    uint64_t p50_us;
    uint64_t p99_us;
    uint64_t lag;
    uint64_t queue;
};
static const struct ates_field row_fields[] = {
    {ATES_FIELD(row, service), .type = ATES_TEXT},
    {ATES_FIELD(row, command), .type = ATES_TEXT, .summary = "*: all of the service's"},
    {ATES_FIELD(row, per_second), .type = ATES_UINT},
    {ATES_OPTIONAL(row, p50_us), .type = ATES_UINT, .summary = "half took no longer"},
    {ATES_OPTIONAL(row, p99_us), .type = ATES_UINT, .summary = "99 of 100 took no longer"},
    {ATES_OPTIONAL(row, lag), .type = ATES_UINT, .summary = "events it has yet to take in"},
    {ATES_OPTIONAL(row, queue), .type = ATES_UINT, .summary = "what waits for workers and jobs"},
};
static ATES_MESSAGE(row, "top");

/* One command's times so far. */
struct times {
    char command[NAME_SIZE];
    uint64_t bounds[BUCKETS_MAX], counts[BUCKETS_MAX + 1];
    size_t bound_count;
};

/* What one service said at one look. */
struct look {
    struct times times[COMMANDS_MAX];
    size_t count;
    uint64_t lag, queue;
    int64_t at_us; /* 0: it was not there */
};

struct top {
    struct ctl *ctl;
    struct ates_arena *arena;
    struct look *before, *now; /* of each service */
};

/* SERVICE.COMMAND in labels as the services write them: command="...". */
static void command_of(const struct ates_metric *metric, char out[NAME_SIZE])
{
    static const char mark[] = "command=\"";
    const char *at = memmem(metric->labels.data, metric->labels.size, mark, sizeof mark - 1);
    const char *end = metric->labels.data + metric->labels.size;

    out[0] = '\0';
    if (at != NULL) {
        at += sizeof mark - 1;
        const char *quote = memchr(at, '"', (size_t)(end - at));

        snprintf(out, NAME_SIZE, "%.*s", quote != NULL ? (int)(quote - at) : 0, at);
    }
}

static void take_times(struct look *look, const struct ates_metric *metric)
{
    const struct ates_metric_histogram *histogram = &metric->histogram;
    struct times *times = &look->times[look->count];
    const size_t bounds = histogram->bounds.count;

    if (look->count == COMMANDS_MAX || !metric->has_histogram || bounds > BUCKETS_MAX ||
        histogram->counts.count != bounds + 1) {
        return;
    }
    command_of(metric, times->command);
    times->bound_count = bounds;
    memcpy(times->bounds, histogram->bounds.items, bounds * sizeof *times->bounds);
    memcpy(times->counts, histogram->counts.items, (bounds + 1) * sizeof *times->counts);
    look->count++;
}

static int look_at(struct top *self, const struct ates_service *service, struct look *look)
{
    const struct ates_command *command = ctl_command(service, "metrics");
    const struct ates_empty body = {0};
    struct ates_metrics_result metrics;

    look->count = 0;
    look->at_us = 0;
    if (!ctl_is_served(self->ctl, service->name)) {
        return CTL_OK; /* its row says so */
    }
    ates_arena_reset(self->arena);
    const int code = ctl_call(self->ctl, service, command, NULL, &body, self->arena, &metrics);
    if (code != CTL_OK) {
        return code == CTL_UNREACHABLE ? CTL_OK : code;
    }
    const struct ates_metric *items = metrics.items.items;
    for (size_t i = 0; i < metrics.items.count; i++) {
        if (ctl_figure_is(&items[i], DURATION, NULL)) {
            take_times(look, &items[i]);
        }
    }
    look->lag = (uint64_t)ctl_figure_sum(&metrics, "ates_follower_lag_events", NULL);
    look->queue = (uint64_t)ctl_figure_sum(&metrics, "ates_worker_queue", NULL) +
                  (uint64_t)ctl_figure_sum(&metrics, "ates_waiting_replies", NULL);
    look->at_us = ates_monotonic_us();
    return CTL_OK;
}

static int look_at_all(struct top *self)
{
    const struct ates_service *service;
    struct look *const before = self->before;
    int code = CTL_OK;

    self->before = self->now;
    self->now = before;
    ctl_renew(self->ctl);
    for (size_t i = 0; i < SERVICES_MAX && (service = ctl_service_at(i)) != NULL && code == CTL_OK;
         i++) {
        code = look_at(self, service, &self->now[i]);
    }
    return code;
}

/* What was added since the look before; a service that was started anew counts from nothing. */
static uint64_t difference(const struct look *before, const struct times *now, uint64_t *counts)
{
    const struct times *then = NULL;
    uint64_t sum = 0;

    for (size_t i = 0; i < before->count; i++) {
        if (strcmp(before->times[i].command, now->command) == 0 &&
            before->times[i].bound_count == now->bound_count) {
            then = &before->times[i];
        }
    }
    for (size_t i = 0; i <= now->bound_count; i++) {
        const uint64_t old =
            then != NULL && then->counts[i] <= now->counts[i] ? then->counts[i] : 0;

        counts[i] = now->counts[i] - old;
        sum += counts[i];
    }
    return sum;
}

static void set_rate(struct row *row, uint64_t count, int64_t spent_us, const uint64_t *bounds,
                     const uint64_t *counts, size_t bound_count)
{
    const uint64_t spent = spent_us > 0 ? (uint64_t)spent_us : 1;

    row->per_second = (count * 1000000 + spent - 1) / spent;
    row->has_p50_us = row->has_p99_us = count > 0;
    row->p50_us = ctl_percentile_of_buckets(bounds, counts, bound_count, 500);
    row->p99_us = ctl_percentile_of_buckets(bounds, counts, bound_count, 990);
}

static void add_service(const struct ates_service *service, const struct look *before,
                        const struct look *now, struct ctl_listing *listing)
{
    uint64_t all[BUCKETS_MAX + 1] = {0}, counts[COMMANDS_MAX][BUCKETS_MAX + 1], sums[COMMANDS_MAX];
    struct row row = {.service = ates_text_from(service->name), .command = ates_text_from("*")};
    const struct times *first = now->count > 0 ? &now->times[0] : NULL;
    const int64_t spent_us = now->at_us - before->at_us;
    uint64_t total = 0;

    if (now->at_us == 0 || before->at_us == 0) {
        row.command = ates_text_from("(down)");
        ctl_listing_add(listing, NULL, &row);
        return;
    }
    for (size_t i = 0; i < now->count; i++) {
        sums[i] = difference(before, &now->times[i], counts[i]);
        total += sums[i];
        for (size_t j = 0; j <= now->times[i].bound_count; j++) {
            all[j] += counts[i][j]; /* all have core's own scale */
        }
    }
    row.has_lag = row.has_queue = true;
    row.lag = now->lag;
    row.queue = now->queue;
    set_rate(&row, total, spent_us, first != NULL ? first->bounds : NULL, all,
             first != NULL ? first->bound_count : 0);
    ctl_listing_add(listing, NULL, &row);
    for (size_t i = 0; i < now->count; i++) {
        const struct times *times = &now->times[i];

        if (sums[i] > 0) {
            row = (struct row){.service = ates_text_from(service->name),
                               .command = ates_text_from(times->command)};
            set_rate(&row, sums[i], spent_us, times->bounds, counts[i], times->bound_count);
            ctl_listing_add(listing, NULL, &row);
        }
    }
}

static int show(struct top *self)
{
    const struct ates_service *service;
    struct ctl_listing *listing = ctl_listing_new(self->ctl, &row_message, NULL);

    if (listing == NULL) {
        return ctl_fail(CTL_REFUSED, NULL, "out of memory");
    }
    for (size_t i = 0; i < SERVICES_MAX && (service = ctl_service_at(i)) != NULL; i++) {
        add_service(service, &self->before[i], &self->now[i], listing);
    }
    const int code = ctl_listing_end(listing, NULL);
    ctl_listing_free(&listing);
    return code;
}

static int draw(struct top *self, struct ctl_screen *screen)
{
    const int code = show(self);

    return code == CTL_OK ? ctl_screen_show(screen, "Ctrl-C ends") : code;
}

/* Waits out the interval; what is on the screen already is drawn anew where it must be. */
static int pass(struct top *self, struct ctl_screen *screen, int64_t interval_ms, bool is_drawn)
{
    const int64_t until_us = ates_monotonic_us() + interval_ms * 1000;
    int64_t left_us = interval_ms * 1000;
    int code = CTL_OK;

    while (left_us > 0 && code == CTL_OK) {
        zmq_pollitem_t item = ctl_screen_item(screen);

        zmq_poll(&item, 1, (long)(left_us / 1000 + 1));
        const enum ctl_screen_news news = ctl_screen_look(screen);
        if (news == CTL_SCREEN_END) {
            code = CTL_INTERRUPTED;
        } else if (news == CTL_SCREEN_DISTURBED && is_drawn) {
            code = draw(self, screen);
        }
        left_us = until_us - ates_monotonic_us();
    }
    return code;
}

static int run_loop(struct top *self, int64_t interval_ms)
{
    struct ctl_screen screen;
    int code = ctl_connect(self->ctl);

    if (code == CTL_OK) {
        code = look_at_all(self);
    }
    if (code != CTL_OK) {
        return code;
    }
    code = ctl_screen_open(&screen, self->ctl->format == CTL_TABLE);
    if (code != CTL_OK) {
        return code;
    }
    bool is_drawn = false;
    do {
        code = pass(self, &screen, interval_ms, is_drawn);
        if (code == CTL_OK) {
            code = look_at_all(self);
        }
        if (code == CTL_OK) {
            code = draw(self, &screen);
        }
        is_drawn = screen.is_terminal;
    } while (code == CTL_OK && screen.is_terminal);
    ctl_screen_close(&screen);
    return code;
}

static const struct ctl_option options[] = {
    {"interval", "SECONDS", "between two looks (default: 2)"},
    {NULL, NULL, NULL},
};

static int run(struct ctl *ctl, const struct ctl_input *input)
{
    const char *interval = ctl_value(input, "interval");
    struct top self = {.ctl = ctl};
    uint64_t seconds = 2;

    int code =
        interval != NULL ? ctl_parse_number(interval, "--interval", 1, 3600, &seconds) : CTL_OK;
    if (code != CTL_OK) {
        return code;
    }
    self.arena = ates_arena_new();
    self.before = calloc(SERVICES_MAX, sizeof *self.before);
    self.now = calloc(SERVICES_MAX, sizeof *self.now);
    code = self.before != NULL && self.now != NULL ? run_loop(&self, (int64_t)seconds * 1000)
                                                   : ctl_fail(CTL_REFUSED, NULL, "out of memory");
    free(self.before);
    free(self.now);
    ates_arena_free(&self.arena);
    return code;
}

const struct ctl_command admin_top_command = {
    .name = "top",
    .summary = "Show what the services do: commands, times, lag, queues; as an administrator",
    .notes = "\nOn a terminal it is drawn again and again, until Ctrl-C; elsewhere once, after one "
             "interval.\n"
             "Times are read from histograms, so they are as exact as their buckets.\n",
    .examples = "atesctl admin top\n"
                "atesctl admin top --interval 10 -o json > now.json",
    .options = options,
    .run = run,
};
