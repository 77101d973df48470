/* bench events: from a command to the event that it caused, at a subscriber. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ates/tasks.h>

#include "bench.h"
#include "core/random.h"
#include "listen.h"
#include "output.h"
#include "remote.h"

#define TASKS_MAX 100000u
#define PATIENCE_US 5000000

struct row {
    uint64_t tasks;
    uint64_t reply_p50_us;
    uint64_t reply_p99_us;
    uint64_t event_p50_us;
    uint64_t event_p90_us;
    uint64_t event_p99_us;
    uint64_t event_max_us;
};
static const struct ates_field row_fields[] = {
    {ATES_FIELD(row, tasks), .type = ATES_UINT, .summary = "that were created, one at a time"},
    {ATES_FIELD(row, reply_p50_us), .type = ATES_UINT, .summary = "until the reply"},
    {ATES_FIELD(row, reply_p99_us), .type = ATES_UINT},
    {ATES_FIELD(row, event_p50_us), .type = ATES_UINT,
     .summary = "until the event came through the broker"},
    {ATES_FIELD(row, event_p90_us), .type = ATES_UINT},
    {ATES_FIELD(row, event_p99_us), .type = ATES_UINT},
    {ATES_FIELD(row, event_max_us), .type = ATES_UINT},
};
static ATES_MESSAGE(row, "bench_events");

struct bench {
    struct ctl *ctl;
    struct ctl_listener *listener;
    struct ates_pipeline *pipeline;
    char request_id[37];
    int64_t sent_us;
    bool is_replied, is_heard, is_connected;
    struct bench_times replies, events;
};

static bool hear(void *context, const struct ates_envelope *envelope)
{
    struct bench *self = context;

    if (!self->is_heard && envelope->has_cause && envelope->cause.has_request_id &&
        ates_text_equal(envelope->cause.request_id, ates_text_from(self->request_id))) {
        bench_times_add(&self->events, ates_monotonic_us() - self->sent_us);
        self->is_heard = true;
    }
    return true;
}

static void hear_head(void *context, const char *producer, const struct ates_head *head)
{
    struct bench *self = context;

    (void)producer;
    (void)head;
    self->is_connected = true;
}

static int take_reply(struct bench *self)
{
    struct ates_reply reply;
    const int r = ates_pipeline_receive(self->pipeline, 0, &reply);

    if (r == -EAGAIN) {
        return CTL_OK;
    }
    if (r < 0 || reply.status != ATES_OK) {
        return r < 0 ? ctl_unreached(self->ctl, "tasks", false, r)
                     : ctl_fail(CTL_REFUSED, NULL, "tasks refuses: %s: %s", reply.refusal.reason,
                                reply.refusal.message);
    }
    bench_times_add(&self->replies, ates_monotonic_us() - self->sent_us);
    self->is_replied = true;
    return CTL_OK;
}

static int wait_for(struct bench *self, const bool *first, const bool *second)
{
    const int64_t until_us = ates_monotonic_us() + PATIENCE_US;
    int64_t left_us = PATIENCE_US;
    int code = CTL_OK;
    bool heard;

    while (code == CTL_OK && left_us > 0 && !(*first && *second)) {
        zmq_pollitem_t item = {.socket = ates_pipeline_socket(self->pipeline),
                               .events = ZMQ_POLLIN};

        code = ctl_listener_turn(self->listener, left_us / 1000 + 1, &item, 1, &heard);
        if (code == CTL_OK && !self->is_replied) {
            code = take_reply(self);
        }
        left_us = until_us - ates_monotonic_us();
    }
    return code != CTL_OK || (*first && *second)
               ? code
               : ctl_fail(CTL_UNREACHABLE, "atesctl admin health",
                          "no event of tasks came through the broker within %d s",
                          PATIENCE_US / 1000000);
}

static int create_one(struct bench *self, uint64_t number)
{
    char name[64];
    const int size = snprintf(name, sizeof name, "A task to measure with, %" PRIu64, number);
    const struct tasks_create_task body = {.name = {name, (size_t)size},
                                           .description = ates_text_from("")};
    struct ates_buffer bytes = {0};

    ates_message_encode(&tasks_create_task_message, &body, &bytes);
    ates_request_id_new(self->request_id);
    self->is_replied = self->is_heard = false;
    self->sent_us = ates_monotonic_us();
    const int r = ates_pipeline_send(self->pipeline, "create_task", self->request_id, bytes.data,
                                     bytes.size, number);
    ates_buffer_release(&bytes);
    return r == 0 ? wait_for(self, &self->is_replied, &self->is_heard)
                  : ctl_unreached(self->ctl, "tasks", false, r);
}

static int consent(struct ctl *ctl, uint64_t count)
{
    char question[112];

    int code = ctl_check_consent(ctl, "this creates tasks that stay, for a fee each");
    if (code == CTL_OK) {
        snprintf(question, sizeof question,
                 "%" PRIu64 " tasks will be created and stay, each for a fee. Go on?", count);
        code = ctl_confirm(ctl, question, "no task was created");
    }
    return code;
}

static int measure(struct bench *self, uint64_t count)
{
    const struct ctl_hearer hearer = {self, hear, hear_head};

    int code = ctl_connect(self->ctl);
    if (code == CTL_OK) {
        code = ctl_listener_open(self->ctl, &hearer, "tasks.", &self->listener);
    }
    if (code == CTL_OK) {
        self->pipeline = ates_pipeline_new(self->ctl->client, "tasks");
        self->is_replied = true; /* none is waited for */
        code = self->pipeline != NULL ? wait_for(self, &self->is_connected, &self->is_connected)
                                      : ctl_fail(CTL_REFUSED, NULL, "cannot make a connection");
    }
    for (uint64_t i = 1; i <= count && code == CTL_OK; i++) {
        code = create_one(self, i);
    }
    return code;
}

static const struct ctl_option options[] = {
    {"tasks", "N", "how many are created, at most 100000", .is_needed = true},
    {NULL, NULL, NULL},
};

static int run(struct ctl *ctl, const struct ctl_input *input)
{
    struct bench self = {.ctl = ctl};
    uint64_t count;

    int code = ctl_parse_number(ctl_value(input, "tasks"), "--tasks", 1, TASKS_MAX, &count);
    if (code == CTL_OK) {
        code = consent(ctl, count);
    }
    if (code == CTL_OK) {
        code = measure(&self, count);
    }
    if (code == CTL_OK) {
        const struct bench_percentiles replies = bench_percentiles(&self.replies);
        const struct bench_percentiles events = bench_percentiles(&self.events);
        const struct row row = {count,         replies.p50_us, replies.p99_us, events.p50_us,
                                events.p90_us, events.p99_us,  events.max_us};

        code = ctl_print(ctl, &row_message, &row);
    }
    ates_pipeline_free(&self.pipeline);
    ctl_listener_close(&self.listener);
    bench_times_release(&self.replies);
    bench_times_release(&self.events);
    return code;
}

const struct ctl_command bench_events_command = {
    .name = "events",
    .summary = "Create tasks, and tell how soon the events about them arrive",
    .notes = "\nThe tasks stay, and each charges its assignee a fee: not for an installation that "
             "people\n"
             "work with.\n",
    .examples = "atesctl bench events --tasks 100\n"
                "atesctl bench events --tasks 1000 --yes -o json",
    .look = "atesctl task ls --query measure",
    .options = options,
    .run = run,
};
