/* events tail: what services publish, as it comes. Invariant: where the user may read logs, no event
 * is left out or told twice, whatever happens to the broker or a service meanwhile. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloudevent.h"
#include "event_lines.h"
#include "events.h"
#include "listen.h"
#include "output.h"
#include "place.h"
#include "remote.h"

#define SILENCE_MIN_MS 2000

struct tail {
    struct ctl *ctl;
    const char *prefix;
    uint64_t left; /* events still to print */
};

/* Where --from begins. */
struct start {
    const struct ates_service *service; /* NULL: not given */
    uint64_t seq;
};

static bool begins_with(const char *topic, const char *prefix)
{
    return strncmp(topic, prefix, strlen(prefix)) == 0;
}

static bool tell_event(void *context, const struct ates_envelope *envelope)
{
    struct tail *self = context;
    char topic[CTL_TOPIC_SIZE];

    if (begins_with(ctl_topic(envelope, topic), self->prefix)) {
        ctl_event_write(self->ctl, stdout, envelope);
        self->left--;
    }
    return self->left > 0;
}

/* Heads are shown only to who asks for them by name. */
static void tell_head(void *context, const char *producer, const struct ates_head *head)
{
    struct tail *self = context;
    char topic[CTL_TOPIC_SIZE];

    snprintf(topic, sizeof topic, "%s.head.v1", producer);
    if (self->left > 0 && strstr(self->prefix, ".head") != NULL &&
        begins_with(topic, self->prefix)) {
        ctl_head_write(self->ctl, stdout, producer, head);
        self->left--;
    }
}

static int follow(struct tail *self, struct ctl_listener *listener)
{
    const int64_t silence_ms =
        self->ctl->timeout_ms > SILENCE_MIN_MS ? self->ctl->timeout_ms : SILENCE_MIN_MS;
    int64_t heard_us = ates_monotonic_us();
    bool silent = false, heard;
    int code = CTL_OK;

    while (self->left > 0 && code == CTL_OK && !ferror(stdout)) {
        code = ctl_listener_turn(listener, silence_ms, NULL, 0, &heard);
        if (heard) {
            heard_us = ates_monotonic_us();
            silent = false;
        } else if (!silent && ates_monotonic_us() >= heard_us + silence_ms * 1000) {
            silent = true;
            ctl_say("no sign of life from the services below %s for %g s; still listening",
                    self->ctl->config.run_dir, (double)silence_ms / 1000);
        }
        const int flushed = ctl_flush();
        code = code != CTL_OK ? code : flushed;
    }
    return code;
}

/* "tasks:12", or "12" where the topic names the service. */
static int parse_from(const char *from, const char *topic, struct start *start)
{
    const char *colon = strchr(from, ':');
    const char *name = colon != NULL ? from : topic != NULL ? topic : "";
    const size_t size = strcspn(name, ":.");

    start->service = ctl_service(name, size);
    if (start->service == NULL) {
        return ctl_fail(CTL_USAGE, "--from tasks:12", "--from %.40s names no service", from);
    }
    if (topic != NULL && (strcspn(topic, ".") != size || memcmp(topic, name, size) != 0)) {
        return ctl_fail(CTL_USAGE, NULL, "--topic %.40s is not of the service of --from %.40s",
                        topic, from);
    }
    return ctl_parse_number(colon != NULL ? colon + 1 : from, "sequence number", 1,
                            ATES_INTEGER_MAX, &start->seq);
}

static int begin(struct tail *self, struct ctl_listener *listener, const struct start *start)
{
    if (start->service != NULL) {
        return ctl_listener_follow_from(listener, start->service->name, start->seq);
    }
    if (ctl_may_read_logs(self->ctl)) {
        return ctl_listener_follow(listener);
    }
    ctl_say("live only: what is lost on the way is not shown; administrators see everything");
    return CTL_OK;
}

static const struct ctl_option options[] = {
    {"topic", "PREFIX", "only topics that begin so: tasks., auth.user_changed"},
    {"from", "SERVICE:SEQ",
     "begin with this event of the service's log, then go on (as an administrator)"},
    {"count", "N", "end after so many events"},
    {NULL, NULL, NULL},
};

static int run(struct ctl *ctl, const struct ctl_input *input)
{
    const char *topic = ctl_value(input, "topic"), *count = ctl_value(input, "count");
    const char *from = ctl_value(input, "from");
    struct tail self = {.ctl = ctl, .prefix = topic ? topic : "", .left = UINT64_MAX};
    const struct ctl_hearer hearer = {&self, tell_event, tell_head};
    struct ctl_listener *listener = NULL;
    struct start start = {.service = NULL};
    char prefix[64];

    int code = count ? ctl_parse_number(count, "count", 1, ATES_INTEGER_MAX, &self.left) : CTL_OK;
    if (code == CTL_OK && from != NULL) {
        code = parse_from(from, topic, &start);
    }
    if (code == CTL_OK && start.service != NULL && topic == NULL) {
        snprintf(prefix, sizeof prefix, "%s.", start.service->name);
        self.prefix = prefix;
    }
    if (code == CTL_OK) {
        code = ctl_listener_open(ctl, &hearer, self.prefix, &listener);
    }
    if (code == CTL_OK) {
        code = begin(&self, listener, &start);
    }
    if (code == CTL_OK) {
        ctl_event_begin(ctl, stdout);
        code = follow(&self, listener);
    }
    ctl_listener_close(&listener);
    return code;
}

const struct ctl_command events_tail_command = {
    .name = "tail",
    .summary = "Print events as they are published, a line each, until interrupted",
    .notes =
        "\nSigned in as an administrator nothing is left out: what is lost on the way, as while\n"
        "the broker restarts, is read from the services' logs.\n",
    .examples = "atesctl events tail\n"
                "atesctl events tail --topic accounting.transfer_recorded -o json\n"
                "atesctl events tail --from tasks:1 -o cloudevents",
    .options = options,
    .tells_events = true,
    .run = run,
};
