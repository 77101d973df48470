/* bench rpc: one query, asked as often as it is answered. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "bench.h"
#include "core/random.h"
#include "output.h"
#include "remote.h"
#include "session_store.h"

#define CONNECTIONS_MAX 256u
#define IN_FLIGHT_MAX 4096u /* of one connection: what a service's queue holds */
#define ALONE_MS 300
#define QUIET_MS 5000 /* without any reply it is given up */

struct row {
    struct ates_text command;
    uint64_t connections;
    uint64_t in_flight;
    uint64_t replies;
    uint64_t refusals;
    uint64_t per_second;
    uint64_t p50_us;
    uint64_t p90_us;
    uint64_t p99_us;
    uint64_t max_us;
    uint64_t alone_p50_us;
};
static const struct ates_field row_fields[] = {
    {ATES_FIELD(row, command), .type = ATES_TEXT},
    {ATES_FIELD(row, connections), .type = ATES_UINT},
    {ATES_FIELD(row, in_flight), .type = ATES_UINT, .summary = "on each connection"},
    {ATES_FIELD(row, replies), .type = ATES_UINT},
    {ATES_FIELD(row, refusals), .type = ATES_UINT, .summary = "of them"},
    {ATES_FIELD(row, per_second), .type = ATES_UINT},
    {ATES_FIELD(row, p50_us), .type = ATES_UINT},
    {ATES_FIELD(row, p90_us), .type = ATES_UINT},
    {ATES_FIELD(row, p99_us), .type = ATES_UINT},
    {ATES_FIELD(row, max_us), .type = ATES_UINT},
    {ATES_FIELD(row, alone_p50_us), .type = ATES_UINT,
     .summary = "of `health`, one at a time: what the way there and back takes"},
};
static ATES_MESSAGE(row, "bench_rpc");

struct connection {
    struct ates_client *client;
    struct ates_pipeline *pipeline;
    int64_t *sent_us; /* by tag */
};

struct bench {
    struct ctl *ctl;
    const struct ates_service *service;
    const struct ates_command *command;
    struct ates_buffer body;
    uint64_t connection_count, in_flight;
    struct connection connections[CONNECTIONS_MAX];
    struct bench_times times;
    uint64_t replies, refusals;
    char refusal[512]; /* the first one */
};

static int connect_one(struct bench *self, struct connection *connection)
{
    const struct ctl_session *session = self->ctl->session;

    connection->client = ctl_client_new(self->ctl);
    if (connection->client != NULL && session->token[0] != '\0') {
        ates_client_set_token(connection->client, session->token);
    }
    connection->pipeline = connection->client != NULL
                               ? ates_pipeline_new(connection->client, self->service->name)
                               : NULL;
    connection->sent_us = calloc(self->in_flight, sizeof *connection->sent_us);
    return connection->pipeline != NULL && connection->sent_us != NULL
               ? CTL_OK
               : ctl_fail(CTL_REFUSED, NULL, "cannot make a connection: %s", strerror(errno));
}

static void release(struct bench *self)
{
    for (size_t i = 0; i < self->connection_count; i++) {
        ates_pipeline_free(&self->connections[i].pipeline);
        ates_client_free(&self->connections[i].client);
        free(self->connections[i].sent_us);
    }
    bench_times_release(&self->times);
    ates_buffer_release(&self->body);
}

static int send_one(struct bench *self, struct connection *connection, uint64_t tag)
{
    connection->sent_us[tag] = ates_monotonic_us();
    const int r = ates_pipeline_send(connection->pipeline, self->command->name, NULL,
                                     self->body.data, self->body.size, tag);
    return r == 0 ? CTL_OK : ctl_unreached(self->ctl, self->service->name, true, r);
}

/* Takes the replies that are there, and asks again for each until the time is over. */
static int take(struct bench *self, struct connection *connection, int64_t until_us)
{
    struct ates_reply reply;
    int code = CTL_OK, r;

    while (code == CTL_OK && (r = ates_pipeline_receive(connection->pipeline, 0, &reply)) == 0) {
        const int64_t now_us = ates_monotonic_us();

        if (reply.tag >= self->in_flight) {
            continue;
        }
        if (reply.status != ATES_OK && self->refusals++ == 0) {
            snprintf(self->refusal, sizeof self->refusal, "%s: %s", reply.refusal.reason,
                     reply.refusal.message);
        }
        self->replies++;
        bench_times_add(&self->times, now_us - connection->sent_us[reply.tag]);
        if (now_us < until_us) {
            code = send_one(self, connection, reply.tag);
        }
    }
    return code != CTL_OK || r == -EAGAIN ? code
                                          : ctl_unreached(self->ctl, self->service->name, true, r);
}

static int run_for(struct bench *self, int64_t seconds)
{
    zmq_pollitem_t items[CONNECTIONS_MAX];
    const int64_t until_us = ates_monotonic_us() + seconds * 1000000;
    int code = CTL_OK;

    for (size_t i = 0; i < self->connection_count && code == CTL_OK; i++) {
        items[i] = (zmq_pollitem_t){.socket = ates_pipeline_socket(self->connections[i].pipeline),
                                    .events = ZMQ_POLLIN};
        for (uint64_t tag = 0; tag < self->in_flight && code == CTL_OK; tag++) {
            code = send_one(self, &self->connections[i], tag);
        }
    }
    while (code == CTL_OK && ates_monotonic_us() < until_us) {
        if (zmq_poll(items, (int)self->connection_count, QUIET_MS) == 0) {
            return ctl_unreached(self->ctl, self->service->name, true, -ETIMEDOUT);
        }
        for (size_t i = 0; i < self->connection_count && code == CTL_OK; i++) {
            if (items[i].revents != 0) {
                code = take(self, &self->connections[i], until_us);
            }
        }
    }
    return code;
}

/* What the way to the service and back takes, with hardly any work at its end. */
static int measure_alone(struct ctl *ctl, const struct ates_service *service, uint64_t *p50_us)
{
    const struct ates_command *command = ctl_command(service, "health");
    const int64_t until_us = ates_monotonic_us() + ALONE_MS * 1000;
    const struct ates_empty body = {0};
    struct bench_times times = {.values = NULL};
    struct ates_arena *arena = ates_arena_new();
    struct ates_health_result result;
    int code = CTL_OK;

    while (code == CTL_OK && ates_monotonic_us() < until_us) {
        ates_arena_reset(arena);
        const int64_t sent_us = ates_monotonic_us();
        struct ates_reply reply;
        const int r =
            ates_client_invoke(ctl->client, service, command, NULL, &body, arena, &result, &reply);

        bench_times_add(&times, ates_monotonic_us() - sent_us);
        code = r == 0  ? CTL_OK
               : r < 0 ? ctl_unreached(ctl, service->name, true, r)
                       : ctl_fail(CTL_REFUSED, NULL, "%s", reply.refusal.message);
    }
    *p50_us = bench_percentiles(&times).p50_us;
    bench_times_release(&times);
    ates_arena_free(&arena);
    return code;
}

/* Only what changes nothing, and needs nothing to be told. */
static int choose(struct bench *self, const char *service, const char *command)
{
    struct ates_refusal refusal;

    self->service = ctl_service(service, strlen(service));
    self->command = self->service != NULL
                        ? ates_service_command(self->service, command, strlen(command))
                        : NULL;
    if (self->command == NULL) {
        return ctl_fail(CTL_USAGE, NULL, "there is no command %.40s.%.60s", service, command);
    }
    if (!self->command->is_query) {
        return ctl_fail(CTL_USAGE, "--command health",
                        "%s.%s changes something: only queries are asked", service, command);
    }
    void *body = ates_arena_alloc(self->ctl->arena, self->command->body->size + 1);
    if (ates_message_check(self->command->body, body, &refusal) != 0) {
        return ctl_fail(CTL_USAGE, "one that needs no fields", "%s.%s: %s", service, command,
                        refusal.message);
    }
    ates_message_encode(self->command->body, body, &self->body);
    return CTL_OK;
}

static int report(const struct ctl *ctl, struct bench *self, int64_t spent_us, uint64_t alone_us)
{
    const struct bench_percentiles found = bench_percentiles(&self->times);
    char name[128];
    const struct row row = {
        .command = {name, (size_t)snprintf(name, sizeof name, "%s.%s", self->service->name,
                                           self->command->name)},
        .connections = self->connection_count,
        .in_flight = self->in_flight,
        .replies = self->replies,
        .refusals = self->refusals,
        .per_second = self->replies * 1000000 / (uint64_t)(spent_us > 0 ? spent_us : 1),
        .p50_us = found.p50_us,
        .p90_us = found.p90_us,
        .p99_us = found.p99_us,
        .max_us = found.max_us,
        .alone_p50_us = alone_us,
    };

    if (self->refusals > 0) {
        ctl_say("%" PRIu64 " of %" PRIu64 " were refused, the first with %s", self->refusals,
                self->replies, self->refusal);
    }
    return ctl_print(ctl, &row_message, &row);
}

static const struct ctl_option options[] = {
    {"service", "SERVICE", "which one is asked (default: tasks)"},
    {"command", "COMMAND", "a query that needs no fields (default: health)"},
    {"connections", "N", "at once (default: 1)"},
    {"in-flight", "N", "on each connection at once (default: 1)"},
    {"seconds", "N", "for so long (default: 5)"},
    {NULL, NULL, NULL},
};

static int take_number(const struct ctl_input *input, const char *name, uint64_t max, uint64_t *out)
{
    const char *value = ctl_value(input, name);
    char what[32];

    snprintf(what, sizeof what, "--%s", name);
    return value != NULL ? ctl_parse_number(value, what, 1, max, out) : CTL_OK;
}

static int run(struct ctl *ctl, const struct ctl_input *input)
{
    const char *service = ctl_value(input, "service"), *command = ctl_value(input, "command");
    struct bench *self = ates_arena_alloc(ctl->arena, sizeof *self);
    uint64_t seconds = 5, connections = 1, alone_us = 0;

    self->ctl = ctl;
    self->in_flight = 1;
    int code = take_number(input, "connections", CONNECTIONS_MAX, &connections);
    if (code == CTL_OK) {
        code = take_number(input, "in-flight", IN_FLIGHT_MAX, &self->in_flight);
    }
    if (code == CTL_OK) {
        code = take_number(input, "seconds", 3600, &seconds);
    }
    if (code == CTL_OK) {
        code =
            choose(self, service != NULL ? service : "tasks", command != NULL ? command : "health");
    }
    if (code == CTL_OK) {
        const struct ates_empty body = {0};
        struct ates_health_result health;

        code = ctl_query(ctl, self->service, "health", &body, &health); /* says why not */
    }
    if (code == CTL_OK) {
        code = measure_alone(ctl, self->service, &alone_us);
    }
    while (code == CTL_OK && self->connection_count < connections) {
        code = connect_one(self, &self->connections[self->connection_count++]);
    }
    const int64_t begun_us = ates_monotonic_us();
    if (code == CTL_OK) {
        code = run_for(self, (int64_t)seconds);
    }
    if (code == CTL_OK) {
        code = report(ctl, self, ates_monotonic_us() - begun_us, alone_us);
    }
    release(self);
    return code;
}

const struct ctl_command bench_rpc_command = {
    .name = "rpc",
    .summary = "Ask a query again and again, and tell how fast it is answered",
    .notes =
        "\nNothing is changed: only queries are asked. The last line tells what the way to the "
        "service\n"
        "and back takes by itself: no reply can be faster. atesctl and the service share this\n"
        "machine's cores.\n",
    .examples = "atesctl bench rpc\n"
                "atesctl bench rpc --service accounting --command show_balance --in-flight 64\n"
                "atesctl bench rpc --connections 16 --seconds 10 -o json",
    .options = options,
    .run = run,
};
