/* The honest clients; see honest.h. */
#include "support/honest.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <zmq.h>

#include <ates/tasks.h>

#include "support/event_log.h"

#define OPEN_MAX 2000u /* a client's messages without a reply: what is due beyond waits */
#define DEBT_US 20000  /* of what was not sent in time no more than this is made up for */
#define NAME "honest %u %zu"

struct honest_shared {
    atomic_size_t rate; /* of each client */
    atomic_bool stopping;
    atomic_size_t answered, created, refused, broken, slowest_us;
};

struct message {
    int64_t sent_us;
    bool is_answered;
};

struct client {
    struct honest_shared *shared;
    unsigned number;
    struct ates_client *client;
    struct ates_pipeline *pipeline;
    struct ates_buffer body;
    struct message *messages; /* by tag */
    size_t count, capacity, open;
    size_t *refused; /* tags to send again */
    size_t refused_count, refused_capacity;
    int64_t due_us; /* of the next message, where there is a rate */
};

static bool is_command(size_t tag)
{
    return tag % 2 == 0;
}

/* Whether the socket took it. */
static bool send_message(struct client *self, size_t tag)
{
    static const struct tasks_show_my_assigned_tasks query = {.has_limit = true, .limit = 10};
    char name[64];

    snprintf(name, sizeof name, NAME, self->number, tag);
    const struct tasks_create_task command = {.name = ates_text_from(name)};

    self->body.size = 0;
    ates_message_encode(is_command(tag) ? &tasks_create_task_message
                                        : &tasks_show_my_assigned_tasks_message,
                        is_command(tag) ? (const void *)&command : &query, &self->body);
    const int r = ates_pipeline_send(
        self->pipeline, is_command(tag) ? "create_task" : "show_my_assigned_tasks",
        is_command(tag) ? name : NULL, self->body.data, self->body.size, tag);
    if (r == -EAGAIN) {
        return false;
    }
    cr_assert_eq(r, 0, "%s", strerror(-r));
    self->messages[tag].sent_us = ates_monotonic_us();
    self->open++;
    return true;
}

static void *grown(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count == *capacity) {
        *capacity = *capacity == 0 ? 1024 : 2 * *capacity;
        items = realloc(items, *capacity * size);
        cr_assert_not_null(items);
    }
    return items;
}

static void send_next(struct client *self)
{
    if (self->refused_count > 0) {
        self->refused_count -= send_message(self, self->refused[self->refused_count - 1]);
        return;
    }
    self->messages = grown(self->messages, self->count, &self->capacity, sizeof self->messages[0]);
    self->messages[self->count] = (struct message){0};
    self->count += send_message(self, self->count);
}

static void send_due(struct client *self)
{
    const size_t rate = atomic_load(&self->shared->rate);
    const int64_t now_us = ates_monotonic_us();

    if (atomic_load(&self->shared->stopping)) {
        return;
    }
    if (rate == 0) {
        self->due_us = now_us;
        for (size_t i = self->open; i < HONEST_IN_FLIGHT; i++) {
            send_next(self);
        }
        return;
    }
    if (self->due_us < now_us - DEBT_US) {
        self->due_us = now_us - DEBT_US;
    }
    while (self->due_us <= now_us && self->open < OPEN_MAX) {
        send_next(self);
        self->due_us += 1000000 / (int64_t)rate;
    }
}

static void take(struct client *self, const struct ates_reply *reply)
{
    struct honest_shared *shared = self->shared;

    if (reply->tag >= self->count || self->messages[reply->tag].is_answered) {
        atomic_fetch_add(&shared->broken, 1);
        return;
    }
    struct message *message = &self->messages[reply->tag];
    const size_t took_us = (size_t)(ates_monotonic_us() - message->sent_us);

    self->open--;
    if (reply->status == ATES_RESOURCE_EXHAUSTED) {
        atomic_fetch_add(&shared->refused, 1);
        self->refused = grown(self->refused, self->refused_count, &self->refused_capacity,
                              sizeof self->refused[0]);
        self->refused[self->refused_count++] = reply->tag;
        return;
    }
    message->is_answered = true;
    if (reply->status != ATES_OK || reply->replayed) {
        atomic_fetch_add(&shared->broken, 1);
        return;
    }
    atomic_fetch_add(&shared->answered, 1);
    atomic_fetch_add(&shared->created, is_command(reply->tag));
    if (took_us > atomic_load(&shared->slowest_us)) {
        atomic_store(&shared->slowest_us, took_us);
    }
}

/* Ends with 0, 1 where a reply never came, or 2 where one could not be read. */
static int live(struct client *self)
{
    const int64_t patience_us = FLOW_PATIENCE_MS * 1000 * flow_scale();
    int64_t heard_us = ates_monotonic_us();

    while (self->open > 0 || !atomic_load(&self->shared->stopping)) {
        struct ates_reply reply;
        int r;

        send_due(self);
        r = ates_pipeline_receive(self->pipeline, 1, &reply);
        while (r == 0) {
            heard_us = ates_monotonic_us();
            take(self, &reply);
            r = ates_pipeline_receive(self->pipeline, 0, &reply);
        }
        if (r != -EAGAIN) {
            return 2;
        }
        if (self->open > 0 && ates_monotonic_us() - heard_us > patience_us) {
            fprintf(stderr, "client %u: %zu messages never got a reply\n", self->number,
                    self->open);
            return 1;
        }
    }
    return 0;
}

void honest_start(struct honest *honest, struct flow *flow)
{
    honest->shared = mmap(NULL, sizeof *honest->shared, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(honest->shared, MAP_FAILED);
    for (unsigned i = 0; i < HONEST_CLIENTS; i++) {
        honest->pids[i] = flow_fork();
        if (honest->pids[i] == 0) {
            struct client self = {.shared = honest->shared, .number = i};

            self.client = ates_client_new(flow->run_dir);
            ates_client_set_token(self.client, flow->tokens[FLOW_DEVELOPER + i]);
            self.pipeline = ates_pipeline_new(self.client, "tasks");
            self.due_us = ates_monotonic_us();
            _exit(live(&self));
        }
    }
}

void honest_set_rate(struct honest *honest, size_t per_second)
{
    atomic_store(&honest->shared->rate, per_second / HONEST_CLIENTS);
}

struct honest_counts honest_count(const struct honest *honest)
{
    return (struct honest_counts){
        .answered = atomic_load(&honest->shared->answered),
        .created = atomic_load(&honest->shared->created),
        .refused = atomic_load(&honest->shared->refused),
        .broken = atomic_load(&honest->shared->broken),
        .slowest_us = atomic_load(&honest->shared->slowest_us),
    };
}

void honest_forget_slowest(struct honest *honest)
{
    atomic_store(&honest->shared->slowest_us, 0);
}

struct honest_counts honest_stop(struct honest *honest)
{
    atomic_store(&honest->shared->stopping, true);
    for (unsigned i = 0; i < HONEST_CLIENTS; i++) {
        const int status = flow_wait_for_end(honest->pids[i], 2 * FLOW_PATIENCE_MS * flow_scale());

        cr_assert_eq(status, 0, "an honest client lost a reply: wait status %#x", status);
    }
    const struct honest_counts counts = honest_count(honest);
    cr_assert_eq(counts.broken, 0, "%zu replies came twice or were refusals", counts.broken);
    munmap(honest->shared, sizeof *honest->shared);
    *honest = (struct honest){.shared = NULL};
    return counts;
}

void honest_check(const struct honest_counts *counts, struct flow *flow)
{
    struct event_log log;
    size_t found = 0;

    event_log_read(&log, flow, "tasks");
    const size_t size =
        log.count * 2 + 2 * OPEN_MAX + 2; /* tags, one in two of which made an event */
    bool *seen = calloc(HONEST_CLIENTS, size);
    cr_assert_not_null(seen);
    for (size_t i = 0; i < log.count; i++) {
        struct tasks_task_created_v2 created;
        char name[64];
        unsigned client;
        size_t tag;

        if (!event_log_is(&log, i, &tasks_task_created_v2_message, &created) ||
            created.title.size >= sizeof name) {
            continue;
        }
        snprintf(name, sizeof name, "%.*s", (int)created.title.size, created.title.data);
        if (sscanf(name, NAME, &client, &tag) == 2) {
            cr_assert(client < HONEST_CLIENTS && tag < size && is_command(tag), "%s", name);
            cr_assert(!seen[client * size + tag], "%s was created twice", name);
            seen[client * size + tag] = true;
            found++;
        }
    }
    cr_assert_eq(found, counts->created, "%zu tasks were accepted, %zu are there", counts->created,
                 found);
    free(seen);
    event_log_free(&log);
}
