/* admin health: whether each part of an installation works, as seen from outside. Needs no token;
 * who may see figures sees how far services are behind each other too. Invariant: exit code 0 means
 * that everything asked for was seen to work. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "figure.h"
#include "listen.h"
#include "operate.h"
#include "output.h"
#include "place.h"
#include "remote.h"
#include "web_probe.h"

#define HEADS_WAIT_MS 2500 /* every service announces its head once a second */
#define SERVICES_MAX 16u
#define NOTE_SIZE 256u

enum state { UP, DOWN, BEHIND };
static const char *const state_names[] = {"up", "down", "stalled", NULL};

struct row {
    struct ates_text service;
    int state;
    bool has_version, has_head, has_lag, has_dead_letters, has_note;
    struct ates_text version;
    uint64_t head;
    uint64_t lag;
    uint64_t dead_letters;
    struct ates_text note;
};
static const struct ates_field row_fields[] = {
    {ATES_FIELD(row, service), .type = ATES_TEXT},
    {ATES_FIELD(row, state), .type = ATES_ENUM, .names = state_names},
    {ATES_OPTIONAL(row, version), .type = ATES_TEXT},
    {ATES_OPTIONAL(row, head), .type = ATES_UINT, .summary = "the log's last event"},
    {ATES_OPTIONAL(row, lag), .type = ATES_UINT, .summary = "events it has yet to take in"},
    {ATES_OPTIONAL(row, dead_letters), .type = ATES_UINT},
    {ATES_OPTIONAL(row, note), .type = ATES_TEXT, .summary = "what is wrong"},
};
static ATES_MESSAGE(row, "health");

struct health {
    struct ctl *ctl;
    struct ates_client *stranger; /* a client without a token: an old one would be refused */
    bool sees_figures;
    bool is_up[SERVICES_MAX], is_heard[SERVICES_MAX];
    size_t up_count, heard_count;
    bool all_up;
    struct ctl_listing *listing;
};

__attribute__((format(printf, 3, 4))) static void note(struct health *self, struct row *row,
                                                       const char *format, ...)
{
    char *text = ates_arena_alloc(self->ctl->arena, NOTE_SIZE);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, NOTE_SIZE, format, arguments);
    va_end(arguments);
    row->has_note = true;
    row->note = ates_text_from(text);
}

static void add(struct health *self, struct row *row)
{
    self->all_up = self->all_up && row->state == UP;
    ctl_listing_add(self->listing, NULL, row);
}

/* What its metrics say of the streams that it follows. */
static void look_at_figures(struct health *self, const struct ates_service *service,
                            struct row *row)
{
    const struct ates_command *command = ctl_command(service, "metrics");
    const struct ates_empty body = {0};
    struct ates_metrics_result metrics;
    struct ates_refusal refusal;

    if (!self->sees_figures || ctl_try(self->ctl, service, command, NULL, &body, self->ctl->arena,
                                       &metrics, &refusal) != CTL_OK) {
        return;
    }
    row->has_lag = row->has_dead_letters = true;
    row->lag = (uint64_t)ctl_figure_sum(&metrics, "ates_follower_lag_events", NULL);
    row->dead_letters = (uint64_t)ctl_figure_sum(&metrics, "ates_dead_letters", NULL);
    if (ctl_figure_sum(&metrics, "ates_follower_stopped", NULL) > 0) {
        row->state = BEHIND;
        note(self, row, "a stream that it follows has stopped: atesctl events dead %s",
             service->name);
    } else if (ctl_figure_sum(&metrics, "ates_disk_has_room", NULL) == 0) {
        row->state = BEHIND;
        note(self, row, "the disk is full");
    }
}

static void look_at_service(struct health *self, size_t index, const struct ates_service *service)
{
    struct row row = {.service = ates_text_from(service->name), .state = DOWN};
    const struct ates_command *command = ctl_command(service, "health");
    const struct ates_empty body = {0};
    struct ates_health_result result;
    struct ates_reply reply;

    if (!ctl_is_served(self->ctl, service->name)) {
        note(self, &row, "%s", ctl_unserved_why(errno));
        add(self, &row);
        return;
    }
    const int r = ates_client_invoke(self->stranger, service, command, NULL, &body,
                                     self->ctl->arena, &result, &reply);
    if (r != 0) {
        note(self, &row, "%s",
             r == -ETIMEDOUT ? "its socket is there, but it does not answer"
             : r < 0         ? strerror(-r)
                             : reply.refusal.message);
    } else {
        row.state = UP;
        row.has_version = row.has_head = true;
        row.version = result.version;
        row.head = result.seq;
        self->is_up[index] = true;
        self->up_count++;
        look_at_figures(self, service, &row);
    }
    add(self, &row);
}

static bool ignore_event(void *context, const struct ates_envelope *envelope)
{
    (void)context;
    (void)envelope;
    return true;
}

static void hear_head(void *context, const char *producer, const struct ates_head *head)
{
    struct health *self = context;
    const struct ates_service *service;

    (void)head;
    for (size_t i = 0; i < SERVICES_MAX && (service = ctl_service_at(i)) != NULL; i++) {
        if (strcmp(service->name, producer) == 0 && self->is_up[i] && !self->is_heard[i]) {
            self->is_heard[i] = true;
            self->heard_count++;
        }
    }
}

/* Listens until every service that is up was heard through the broker, or too much time is gone. */
static void await_heads(struct health *self, struct ctl_listener *listener)
{
    const int64_t until_us = ates_monotonic_us() + HEADS_WAIT_MS * 1000;
    int64_t left_us = HEADS_WAIT_MS * 1000;
    bool heard;

    while (left_us > 0 && self->heard_count < self->up_count &&
           ctl_listener_turn(listener, left_us / 1000 + 1, NULL, 0, &heard) == CTL_OK) {
        left_us = until_us - ates_monotonic_us();
    }
}

static void look_at_broker(struct health *self)
{
    const struct ctl_hearer hearer = {self, ignore_event, hear_head};
    struct row row = {.service = ates_text_from("broker"), .state = DOWN};
    struct ctl_listener *listener = NULL;
    char missing[NOTE_SIZE] = "";
    const struct ates_service *service;

    if (!ctl_is_served(self->ctl, "events")) {
        note(self, &row, "%s", errno == ENOENT ? "there is no socket" : strerror(errno));
    } else if (ctl_listener_open(self->ctl, &hearer, "", &listener) == CTL_OK) {
        await_heads(self, listener);
        for (size_t i = 0; i < SERVICES_MAX && (service = ctl_service_at(i)) != NULL; i++) {
            if (self->is_up[i] && !self->is_heard[i]) {
                const size_t used = strlen(missing);

                snprintf(missing + used, sizeof missing - used, "%s%s", used > 0 ? ", " : "",
                         service->name);
            }
        }
        row.state = self->heard_count == self->up_count ? UP : DOWN;
        if (row.state == DOWN) {
            note(self, &row, "nothing is heard through it of %s", missing);
        } else if (self->up_count == 0) {
            note(self, &row, "it listens; no service is up that could be heard through it");
        }
    }
    ctl_listener_close(&listener);
    add(self, &row);
}

static void look_at_web(struct health *self)
{
    struct row row = {.service = ates_text_from("web"), .state = UP};
    char why[NOTE_SIZE] = "";

    const int status = ctl_web_probe(&self->ctl->config, self->ctl->timeout_ms, why, sizeof why);
    if (status == 0) {
        return; /* there is none here */
    }
    if (status != 200) {
        row.state = status == 503 ? BEHIND : DOWN;
        note(self, &row,
             status == 503 ? "%s %d: it lacks a service"
             : status > 0  ? "%s %d"
                           : "%s",
             why, status);
    }
    add(self, &row);
}

static int run(struct ctl *ctl, const struct ctl_input *input)
{
    struct health self = {.ctl = ctl, .all_up = true};
    const struct ates_service *service;

    (void)input;
    const int taken = ctl_take_keys(ctl);
    if (taken != CTL_OK) {
        return taken;
    }
    self.stranger = ctl_client_new(ctl);
    self.listing = ctl_listing_new(ctl, &row_message, NULL);
    if (self.stranger == NULL || self.listing == NULL) {
        ates_client_free(&self.stranger);
        ctl_listing_free(&self.listing);
        return ctl_fail(CTL_REFUSED, NULL, "out of memory");
    }
    self.sees_figures = ctl_may_read_logs(ctl);
    for (size_t i = 0; i < SERVICES_MAX && (service = ctl_service_at(i)) != NULL; i++) {
        look_at_service(&self, i, service);
    }
    look_at_broker(&self);
    look_at_web(&self);
    const int code = ctl_listing_end(self.listing, NULL);
    ctl_listing_free(&self.listing);
    ates_client_free(&self.stranger);
    return code != CTL_OK ? code : self.all_up ? CTL_OK : CTL_REFUSED;
}

const struct ctl_command admin_health_command = {
    .name = "health",
    .summary = "Tell whether the services, the broker and the web service work",
    .notes =
        "\nNobody need be signed in; administrators see how far services are behind too. Exit "
        "code\n"
        "0: everything works; 1: something does not, as a service that is down or a stream that\n"
        "has stopped. The web service is looked at where one was started.\n",
    .examples = "atesctl admin health\n"
                "atesctl admin health -o json --timeout 2",
    .run = run,
};
