/* What the services publish, and what they could not apply. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <zmq.h>

#include "core/endpoint.h"
#include "core/message_json.h"
#include "core/socket.h"
#include "ctl.h"
#include "output.h"
#include "remote.h"

#define HEAD ".head."

/* A tail that runs. */
struct tail {
    struct ctl *ctl;
    const char *prefix;
    void *socket;
    struct ates_arena *arena;
    uint64_t left; /* events still to print */
};

/* Every service announces its head once a second: so silence means that nothing can be heard. */
static int subscribe(const struct tail *self)
{
    const struct ates_service *service;
    char topic[64];

    int r = zmq_setsockopt(self->socket, ZMQ_SUBSCRIBE, self->prefix, strlen(self->prefix));
    for (size_t i = 0; r == 0 && (service = ctl_service_at(i)) != NULL; i++) {
        const int size = snprintf(topic, sizeof topic, "%s" HEAD, service->name);

        r = zmq_setsockopt(self->socket, ZMQ_SUBSCRIBE, topic, (size_t)size);
    }
    return r == 0 ? 0 : -errno;
}

/* Heads are shown only to who asks for them by name. */
static bool is_wanted(const struct tail *self, const char *topic, size_t size)
{
    const size_t prefix_size = strlen(self->prefix);

    return size >= prefix_size && memcmp(topic, self->prefix, prefix_size) == 0 &&
           (memmem(topic, size, HEAD, strlen(HEAD)) == NULL ||
            strstr(self->prefix, ".head") != NULL);
}

static void print_columns(const struct tail *self, const char *topic, const json_t *json)
{
    const json_t *data = json_object_get(json, "data");
    const int64_t time_ms = json_integer_value(json_object_get(json, "event_time"));
    const json_int_t seq = json_integer_value(json_object_get(json, "seq"));
    char *text = json_dumps(data != NULL ? data : json, JSON_COMPACT);
    char time[CTL_TIME_SIZE] = "-";

    if (self->ctl->format == CTL_TABLE) {
        if (time_ms != 0) {
            ctl_format_moment(time_ms, time);
        }
        printf("%s  %s  %" JSON_INTEGER_FORMAT "  %s\n", time, topic, seq, text ? text : "");
    } else {
        struct ates_buffer field = {0};

        ctl_csv_field(&field, text ? text : "", text ? strlen(text) : 0);
        printf("%" PRId64 ",%s,%" JSON_INTEGER_FORMAT ",%.*s\r\n", time_ms, topic, seq,
               (int)field.size, (const char *)field.data);
        ates_buffer_release(&field);
    }
    free(text);
}

static void print_event(struct tail *self, const char *topic, const void *data, size_t size)
{
    const bool is_head = strstr(topic, HEAD) != NULL;
    const struct ates_message *message = is_head ? &ates_head_message : &ates_envelope_message;
    union {
        struct ates_head head;
        struct ates_envelope envelope;
    } value;

    ates_arena_reset(self->arena);
    if (ates_message_decode(message, data, size, ATES_UNKNOWN_IGNORED, self->arena, &value, NULL) !=
        0) {
        ctl_say("%s: not an event of this protocol", topic);
        return;
    }
    json_t *json = ates_message_to_json_public(message, &value);
    if (self->ctl->format == CTL_JSON || self->ctl->format == CTL_NDJSON) {
        json_t *line = json_pack("{s:s}", "topic", topic);

        json_object_update_new(line, json);
        json_dumpf(line, stdout, JSON_COMPACT);
        fputc('\n', stdout);
        json = line;
    } else {
        print_columns(self, topic, json);
    }
    json_decref(json);
    self->left--;
}

/* One message: two frames, or it is none of ours. Returns 0, -EAGAIN or another -errno. */
static int take(struct tail *self)
{
    zmq_msg_t frames[2];
    char topic[256];
    size_t count = 0;
    int r = 0, more = 1;

    while (r == 0 && more) {
        zmq_msg_t *frame = &frames[count < 2 ? count : 1];

        if (count < 2) {
            zmq_msg_init(frame);
        }
        r = zmq_msg_recv(frame, self->socket, ZMQ_DONTWAIT) < 0 ? -errno : 0;
        more = r == 0 && zmq_msg_more(frame);
        count++;
    }
    const size_t size = zmq_msg_size(&frames[0]);
    if (r == 0 && count == 2 && size < sizeof topic &&
        is_wanted(self, zmq_msg_data(&frames[0]), size)) {
        memcpy(topic, zmq_msg_data(&frames[0]), size);
        topic[size] = '\0';
        print_event(self, topic, zmq_msg_data(&frames[1]), zmq_msg_size(&frames[1]));
    }
    for (size_t i = 0; i < count && i < 2; i++) {
        zmq_msg_close(&frames[i]);
    }
    return r;
}

static int follow(struct tail *self)
{
    const int64_t silence_ms = self->ctl->timeout_ms > 2000 ? self->ctl->timeout_ms : 2000;
    bool silent = false;
    int code = CTL_OK;

    while (self->left > 0 && code == CTL_OK && !ferror(stdout)) {
        zmq_pollitem_t item = {self->socket, 0, ZMQ_POLLIN, 0};
        const int ready = zmq_poll(&item, 1, (long)silence_ms);

        if (ready == 0 && !silent) {
            silent = true;
            ctl_say("no sign of life from the services below %s for %g s; still listening",
                    self->ctl->config.run_dir, (double)silence_ms / 1000);
        }
        int r = 0;
        while (ready > 0 && self->left > 0 && r == 0) {
            silent = false;
            r = take(self);
        }
        if (r < 0 && r != -EAGAIN && r != -EINTR) {
            return ctl_fail(CTL_UNREACHABLE, NULL, "cannot receive events: %s", strerror(-r));
        }
        code = ctl_flush();
    }
    return code;
}

/* Connects and follows. */
static int run_socket(struct tail *self, void *context)
{
    const char *run_dir = self->ctl->config.run_dir;
    char endpoint[256];

    if (ates_endpoint(run_dir, "events", endpoint, sizeof endpoint) != 0) {
        return ctl_unreached(self->ctl, "events", true, -ENAMETOOLONG);
    }
    if (access(endpoint + strlen("ipc://"), W_OK) != 0) {
        return ctl_fail(CTL_UNREACHABLE, "is atesd running? see --run",
                        "cannot reach the broker below %s: %s: %s", run_dir,
                        endpoint + strlen("ipc://"), strerror(errno));
    }
    self->socket = ates_socket_open(context, ZMQ_SUB);
    if (self->socket == NULL || subscribe(self) != 0 || zmq_connect(self->socket, endpoint) != 0) {
        return ctl_fail(CTL_UNREACHABLE, NULL, "cannot listen to %s: %s", endpoint,
                        strerror(errno));
    }
    if (self->ctl->format == CTL_CSV) {
        fputs("time,topic,seq,data\r\n", stdout);
    }
    return follow(self);
}

static const struct ctl_option tail_options[] = {
    {"topic", "PREFIX", "only topics that begin so: tasks., auth.user_changed"},
    {"count", "N", "end after so many events"},
    {NULL, NULL, NULL},
};

static int run_tail(struct ctl *ctl, const struct ctl_input *input)
{
    const char *topic = ctl_value(input, "topic"), *count = ctl_value(input, "count");
    struct tail self = {.ctl = ctl, .prefix = topic ? topic : "", .left = UINT64_MAX};

    int code = count ? ctl_parse_number(count, "count", 1, ATES_INTEGER_MAX, &self.left) : CTL_OK;
    if (code != CTL_OK) {
        return code;
    }
    void *context = zmq_ctx_new();
    self.arena = ates_arena_new();
    if (context == NULL || self.arena == NULL) {
        code = ctl_fail(CTL_REFUSED, NULL, "out of memory");
    } else {
        code = run_socket(&self, context);
    }
    if (self.socket != NULL) {
        zmq_close(self.socket);
    }
    if (context != NULL) {
        zmq_ctx_term(context);
    }
    ates_arena_free(&self.arena);
    return code;
}

static const struct ctl_command tail_command = {
    .name = "tail",
    .summary = "Print events as they are published, a line each, until interrupted",
    .examples = "atesctl events tail\n"
                "atesctl events tail --topic accounting.transfer_recorded -o json",
    .options = tail_options,
    .run = run_tail,
};

static int run_dead(struct ctl *ctl, const struct ctl_input *input)
{
    const char *only = input->count > 0 ? input->arguments[0] : NULL;
    const struct ates_command *command = ctl_command(&ates_common_service, "show_dead_letters");
    const struct ates_service *service;
    int code = CTL_OK;

    if (only != NULL && ctl_service(only, strlen(only)) == NULL) {
        return ctl_fail(CTL_USAGE, NULL, "there is no service '%.40s'", only);
    }
    struct ctl_listing *listing = ctl_listing_new(ctl, ctl_item_message(command), "service");
    if (listing == NULL) {
        return ctl_fail(CTL_REFUSED, NULL, "out of memory");
    }
    for (size_t i = 0;
         (code == CTL_OK || code == CTL_UNREACHABLE) && (service = ctl_service_at(i)) != NULL;
         i++) {
        struct ates_show_dead_letters body = {.has_after = false};
        uint64_t left = UINT64_MAX;

        if (only == NULL || strcmp(only, service->name) == 0) {
            /* The others are shown also where one is not there. */
            const int r =
                ctl_list_pages(ctl, service, command, &body, service->name, listing, &left);
            code = code != CTL_OK ? code : r;
        }
    }
    const int ended = code == CTL_OK || code == CTL_UNREACHABLE
                          ? ctl_listing_end(listing, "no dead letters")
                          : CTL_OK;
    ctl_listing_free(&listing);
    return code != CTL_OK ? code : ended;
}

static void tell_services(const struct ctl_input *input, ctl_word_fn *tell, void *context)
{
    (void)input;
    ctl_tell_services(tell, context);
}

static const struct ctl_command dead_command = {
    .name = "dead",
    .arguments = "[SERVICE]",
    .summary = "List the events that services could not apply",
    .examples = "atesctl events dead\n"
                "atesctl events dead accounting",
    .max = 1,
    .run = run_dead,
    .words = tell_services,
};

static const struct ctl_command *const commands[] = {&tail_command, &dead_command, NULL};
const struct ctl_group events_group = {.name = "events", .summary = "Events", .commands = commands};
