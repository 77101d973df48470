/* events wait: until what was published has arrived everywhere. Services tell each other by events,
 * a moment after a command's reply: a script that goes on with another service wants to know when.
 * Changes nothing. */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "core/random.h"
#include "events.h"
#include "figure.h"
#include "remote.h"

#define SERVICES_MAX 16u
#define LOOK_AGAIN_MS 20
#define WAIT_S 60

/* What the services' figures said at one time. */
struct look {
    struct ates_metrics_result metrics[SERVICES_MAX];
    uint64_t heads[SERVICES_MAX];
    size_t count;
};

static int look(struct ctl *ctl, struct ates_arena *arena, struct look *self)
{
    const struct ates_empty nothing = {0};
    const struct ates_service *service;
    int code = CTL_OK;

    for (self->count = 0; code == CTL_OK && (service = ctl_service_at(self->count)) != NULL;
         self->count++) {
        struct ates_metrics_result *metrics = &self->metrics[self->count];

        code =
            ctl_call(ctl, service, ctl_command(service, "metrics"), NULL, &nothing, arena, metrics);
        if (code == CTL_OK) {
            self->heads[self->count] = (uint64_t)ctl_figure_sum(metrics, "ates_log_head_seq", NULL);
        }
    }
    return code;
}

/* How many of the events that there were a service had yet to take in. */
static uint64_t count_missing(const struct look *self, size_t consumer)
{
    const struct ates_metric *items = self->metrics[consumer].items.items;
    uint64_t missing = 0;

    for (size_t i = 0; i < self->metrics[consumer].items.count; i++) {
        for (size_t producer = 0; producer < self->count; producer++) {
            const uint64_t position = (uint64_t)items[i].value;
            char label[96];

            snprintf(label, sizeof label, "producer=\"%s\"", ctl_service_at(producer)->name);
            if (ctl_figure_is(&items[i], "ates_follower_position", label) &&
                self->heads[producer] > position) {
                missing += self->heads[producer] - position;
            }
        }
    }
    return missing;
}

/* The first service that has events to take in; SIZE_MAX where none has. */
static size_t find_late(const struct look *self)
{
    for (size_t i = 0; i < self->count; i++) {
        if (count_missing(self, i) > 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* What a service takes in may make it publish more, which others wait for: so two looks in a row have
 * to find nothing missing, and the same heads. */
static int wait_until(struct ctl *ctl, int64_t until_us)
{
    struct ates_arena *arena = ates_arena_new();
    uint64_t heads[SERVICES_MAX] = {0};
    struct look now = {.count = 0};
    bool is_settled = false;
    int code = arena != NULL ? CTL_OK : ctl_fail(CTL_REFUSED, NULL, "out of memory");

    while (code == CTL_OK && !is_settled) {
        ates_arena_reset(arena);
        code = look(ctl, arena, &now);
        const size_t late = code == CTL_OK ? find_late(&now) : SIZE_MAX;

        is_settled = late == SIZE_MAX && memcmp(heads, now.heads, sizeof heads) == 0;
        memcpy(heads, now.heads, sizeof heads);
        if (code == CTL_OK && !is_settled && ates_monotonic_us() >= until_us) {
            code = late == SIZE_MAX
                       ? ctl_fail(CTL_UNREACHABLE, NULL, "new events come all the time")
                       : ctl_fail(CTL_UNREACHABLE, "atesctl admin health",
                                  "%s has yet to take in %" PRIu64 " events",
                                  ctl_service_at(late)->name, count_missing(&now, late));
        } else if (code == CTL_OK && !is_settled && late != SIZE_MAX) {
            poll(NULL, 0, LOOK_AGAIN_MS);
        }
    }
    ates_arena_free(&arena);
    return code;
}

static int run(struct ctl *ctl, const struct ctl_input *input)
{
    const char *seconds = ctl_value(input, "seconds");
    uint64_t wait_s = WAIT_S;

    const int code =
        seconds != NULL ? ctl_parse_number(seconds, "--seconds", 1, 86400, &wait_s) : CTL_OK;
    return code != CTL_OK ? code : wait_until(ctl, ates_monotonic_us() + (int64_t)wait_s * 1000000);
}

static const struct ctl_option options[] = {
    {"seconds", "N", "give up after N seconds, with exit code 7 (default: 60)"},
    {NULL, NULL, NULL},
};

const struct ctl_command events_wait_command = {
    .name = "wait",
    .summary =
        "Wait until every service has taken in what the others published, as an administrator",
    .notes =
        "\nServices tell each other by events, a moment after a command's reply. A script that\n"
        "creates a user and then wants a task drawn for them waits in between.\n",
    .examples = "atesctl events wait\n"
                "atesctl events wait --seconds 5 && atesctl account all",
    .options = options,
    .run = run,
};
