/* Commands in flight; see web_backend.h.
 *
 * Invariant: a slot is free, or in flight with its reply function to be called exactly once; its
 * tag (generation and index) tells a late reply to an earlier command of the slot from its own. */
#include "web/web_backend.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ates/accounting.h>
#include <ates/analytics.h>
#include <ates/auth.h>
#include <ates/payment.h>
#include <ates/tasks.h>

#include "core/client_private.h"
#include "core/journal.h"
#include "core/random.h"
#include "core/token.h"
#include "core/trace.h"

#define SLOTS_MAX 8192u
#define SERVICE_SLOTS_MAX (SLOTS_MAX / 4 * 3) /* one that is dead leaves room for the others */
#define KEPT_BYTES_MAX (32u << 20)            /* of tokens and bodies in flight */
#define REPLIES_A_TURN 512u                   /* so that requests and events get theirs */
#define SWEEP_US 50000                        /* how late a deadline may be noticed */
#define ATTEMPTS 3                            /* within the time that a command has */
#define UNANSWERED_MAX 2u /* attempts in a row, after which the connection is made anew */
#define REQUEST_ID_SIZE 65u
#define CLIENT_SIZE 65u
#define TRACE_SIZE 257u

const struct ates_service *const web_services[] = {
    &auth_service, &tasks_service, &accounting_service, &analytics_service, &payment_service, NULL,
};
#define SERVICE_COUNT (sizeof web_services / sizeof web_services[0] - 1)

struct web_pending {
    struct web_pending *next_free;
    web_replied *replied; /* NULL: the slot is free */
    void *owner;
    uint64_t tag;
    size_t service; /* its index */
    const char *command;
    bool is_repeatable;
    char request_id[REQUEST_ID_SIZE], client[CLIENT_SIZE], traceparent[TRACE_SIZE];
    struct ates_buffer bytes; /* the token, then the body */
    size_t token_size;
    int64_t sent_us; /* last */
    int64_t repeat_us, repeat_every_us, deadline_us;
};

struct link {
    struct ates_pipeline *pipeline;
    uint64_t in_flight, given_up;
    unsigned unanswered; /* attempts in a row: each sent after the one before it was given up */
    /* The last reply, or the last attempt that was counted: later ones count. */
    int64_t counted_us;
    bool is_silent; /* connected anew since its last reply, which was said */
};

struct web_backend {
    struct ates_client *client;
    struct link links[SERVICE_COUNT];
    struct web_pending **slots; /* made as they are needed, and kept */
    size_t slot_count;
    struct web_pending *free_slots;
    size_t kept_bytes;
    size_t in_flight;
    int64_t sweep_us;
};

struct web_backend *web_backend_new(void *zmq_context, const struct ates_reach *reach)
{
    struct web_backend *self = calloc(1, sizeof *self);

    if (self == NULL) {
        return NULL;
    }
    self->sweep_us = INT64_MAX;
    self->slots = calloc(SLOTS_MAX, sizeof *self->slots);
    self->client = ates_client_new_in(zmq_context, reach);
    bool made = self->slots != NULL && self->client != NULL;
    for (size_t i = 0; made && i < SERVICE_COUNT; i++) {
        self->links[i].pipeline = ates_pipeline_new(self->client, web_services[i]->name);
        made = self->links[i].pipeline != NULL;
    }
    if (!made) {
        const int fault = errno;

        web_backend_free(&self);
        errno = fault;
    }
    return self;
}

void web_backend_free(struct web_backend **backend)
{
    struct web_backend *self = *backend;

    if (self == NULL) {
        return;
    }
    for (size_t i = 0; i < SERVICE_COUNT; i++) {
        ates_pipeline_free(&self->links[i].pipeline);
    }
    for (size_t i = 0; i < self->slot_count; i++) {
        ates_buffer_release(&self->slots[i]->bytes);
        free(self->slots[i]);
    }
    ates_client_free(&self->client);
    free(self->slots);
    free(self);
    *backend = NULL;
}

static struct web_pending *take_slot(struct web_backend *self)
{
    struct web_pending *slot = self->free_slots;

    if (slot != NULL) {
        self->free_slots = slot->next_free;
        return slot;
    }
    if (self->slot_count == SLOTS_MAX) {
        return NULL;
    }
    slot = calloc(1, sizeof *slot);
    if (slot != NULL) {
        slot->tag = self->slot_count;
        self->slots[self->slot_count++] = slot;
    }
    return slot;
}

static void release(struct web_backend *self, struct web_pending *slot)
{
    if (slot->bytes.size > 0) {
        explicit_bzero(slot->bytes.data, slot->bytes.size); /* tokens, passwords */
    }
    self->kept_bytes -= slot->bytes.size;
    slot->bytes.size = 0;
    if (slot->bytes.capacity > ATES_TOKEN_MAX * 2) {
        ates_buffer_release(&slot->bytes); /* few are large: their room goes back */
    }
    slot->tag += SLOTS_MAX; /* the next generation */
    slot->replied = NULL;
    slot->next_free = self->free_slots;
    self->free_slots = slot;
    self->links[slot->service].in_flight--;
    self->in_flight--;
}

/* What cannot be sent now, as a service that is away has its queue full, is as good as lost: it is
 * repeated or given up in time. */
static void transmit(struct web_backend *self, struct web_pending *slot, int64_t now_us)
{
    const struct ates_pipeline_command command = {
        .command = slot->command,
        .request_id = slot->request_id[0] != '\0' ? slot->request_id : NULL,
        .token = {(const char *)slot->bytes.data, slot->token_size},
        .client = slot->client[0] != '\0' ? slot->client : NULL,
        .traceparent = slot->traceparent[0] != '\0' ? slot->traceparent : NULL,
        .timeout_ms = (slot->deadline_us - now_us) / 1000,
        .body = slot->bytes.data + slot->token_size,
        .body_size = slot->bytes.size - slot->token_size,
        .tag = slot->tag,
    };
    slot->sent_us = now_us;
    slot->repeat_us = slot->is_repeatable ? now_us + slot->repeat_every_us : INT64_MAX;
    ates_pipeline_send_command(self->links[slot->service].pipeline, &command);
}

static bool copy(char *out, size_t size, const char *text)
{
    const size_t length = text != NULL ? strlen(text) : 0;

    if (length >= size) {
        return false;
    }
    memcpy(out, text != NULL ? text : "", length + 1);
    return true;
}

/* What is none is left out, as the W3C has it, rather than have a service refuse the command. */
static void copy_traceparent(char *out, size_t size, const char *text)
{
    if (text == NULL || !ates_trace_is_valid(ates_text_from(text)) || !copy(out, size, text)) {
        out[0] = '\0';
    }
}

static size_t index_of(const struct ates_service *service)
{
    size_t i = 0;

    while (web_services[i] != service) {
        i++;
    }
    return i;
}

struct web_pending *web_backend_call(struct web_backend *self, const struct web_command *command,
                                     web_replied *replied, void *owner, int64_t now_us)
{
    const size_t size = command->token.size + command->body.size;
    const size_t service = index_of(command->service);

    if (size > KEPT_BYTES_MAX - self->kept_bytes ||
        self->links[service].in_flight >= SERVICE_SLOTS_MAX) {
        return NULL;
    }
    struct web_pending *slot = take_slot(self);
    if (slot == NULL) {
        return NULL;
    }
    slot->service = service;
    slot->command = command->command->name;
    slot->replied = replied;
    slot->owner = owner;
    slot->is_repeatable = command->command->is_query || command->request_id != NULL;
    slot->token_size = command->token.size;
    ates_buffer_append(&slot->bytes, command->token.data, command->token.size);
    ates_buffer_append(&slot->bytes, command->body.data, command->body.size);
    slot->deadline_us = now_us + command->timeout_ms * 1000;
    slot->repeat_every_us = command->timeout_ms * 1000 / ATTEMPTS;
    self->kept_bytes += size;
    self->in_flight++;
    self->links[service].in_flight++;
    copy_traceparent(slot->traceparent, sizeof slot->traceparent, command->traceparent);
    if (!copy(slot->request_id, sizeof slot->request_id, command->request_id) ||
        !copy(slot->client, sizeof slot->client, command->client)) {
        release(self, slot);
        return NULL;
    }
    if (self->sweep_us == INT64_MAX) {
        self->sweep_us = now_us + SWEEP_US;
    }
    transmit(self, slot, now_us);
    return slot;
}

void web_backend_cancel(struct web_backend *self, struct web_pending *pending)
{
    assert(pending->replied != NULL);
    release(self, pending);
}

static void finish(struct web_backend *self, struct web_pending *slot,
                   const struct ates_reply *reply)
{
    web_replied *replied = slot->replied;
    void *owner = slot->owner;

    release(self, slot); /* first: replied may call or cancel others */
    replied(owner, reply);
}

static struct web_pending *slot_of(const struct web_backend *self, uint64_t tag)
{
    const size_t index = tag % SLOTS_MAX;
    struct web_pending *slot = index < self->slot_count ? self->slots[index] : NULL;

    return slot != NULL && slot->tag == tag && slot->replied != NULL ? slot : NULL;
}

/* Takes the replies that are there; whether there may be more. */
static bool receive(struct web_backend *self, struct link *link, int64_t now_us)
{
    struct ates_reply reply;

    for (unsigned n = 0; n < REPLIES_A_TURN; n++) {
        const int r = ates_pipeline_receive(link->pipeline, 0, &reply);

        if (r == -EPROTO) {
            continue; /* no reply of the protocol's: it counts as none */
        }
        if (r != 0) {
            return false;
        }
        link->counted_us = now_us;
        link->unanswered = 0;
        link->is_silent = false;
        struct web_pending *slot = slot_of(self, reply.tag);
        if (slot != NULL) {
            finish(self, slot, &reply);
        }
    }
    return true;
}

/* libzmq gives a connection up for good once its peer broke a rule, as by a frame above the limit.
 * What was queued for a service that is away goes with it: nobody waits for most of that by now. */
static bool connect_anew(struct web_backend *self, size_t service)
{
    struct link *link = &self->links[service];
    struct ates_pipeline *pipeline = ates_pipeline_new(self->client, web_services[service]->name);

    if (pipeline == NULL) {
        return false;
    }
    ates_pipeline_free(&link->pipeline);
    link->pipeline = pipeline;
    link->unanswered = 0;
    if (!link->is_silent) {
        link->is_silent = true;
        ates_journal(ATES_WARNING, "web", NULL, "%s does not answer: connecting anew",
                     web_services[service]->name);
    }
    return true;
}

/* Counts attempts that have had their time; sets of each service whether it was connected anew. */
static void count_unanswered(struct web_backend *self, int64_t now_us, bool anew[SERVICE_COUNT])
{
    for (size_t i = 0; i < self->slot_count; i++) {
        const struct web_pending *slot = self->slots[i];
        struct link *link = &self->links[slot->service];

        if (slot->replied != NULL && slot->sent_us >= link->counted_us &&
            (now_us >= slot->repeat_us || now_us >= slot->deadline_us)) {
            link->counted_us = now_us;
            if (++link->unanswered >= UNANSWERED_MAX) {
                anew[slot->service] = connect_anew(self, slot->service);
            }
        }
    }
}

/* Repeats and gives up what has had its time. */
static void sweep(struct web_backend *self, int64_t now_us)
{
    bool anew[SERVICE_COUNT] = {false};

    count_unanswered(self, now_us, anew);
    for (size_t i = 0; i < self->slot_count; i++) {
        struct web_pending *slot = self->slots[i];

        if (slot->replied == NULL) {
            continue;
        }
        if (now_us >= slot->deadline_us) {
            self->links[slot->service].given_up++;
            finish(self, slot, NULL);
        } else if (now_us >= slot->repeat_us ||
                   (anew[slot->service] && slot->is_repeatable && slot->sent_us < now_us)) {
            transmit(self, slot, now_us);
        }
    }
    self->sweep_us = self->in_flight > 0 ? now_us + SWEEP_US : INT64_MAX;
}

bool web_backend_advance(struct web_backend *self, int64_t now_us)
{
    bool more = false;

    for (size_t i = 0; i < SERVICE_COUNT; i++) {
        more |= receive(self, &self->links[i], now_us);
    }
    if (now_us >= self->sweep_us) {
        sweep(self, now_us);
    }
    return more;
}

int64_t web_backend_due(const struct web_backend *self)
{
    return self->sweep_us;
}

size_t web_backend_items(struct web_backend *self, zmq_pollitem_t *items, size_t max)
{
    size_t count = 0;

    for (; count < SERVICE_COUNT && count < max; count++) {
        items[count] = (zmq_pollitem_t){.socket = ates_pipeline_socket(self->links[count].pipeline),
                                        .events = ZMQ_POLLIN};
    }
    return count;
}

uint64_t web_backend_in_flight(const struct web_backend *self, size_t service)
{
    return self->links[service].in_flight;
}

uint64_t web_backend_given_up(const struct web_backend *self, size_t service)
{
    return self->links[service].given_up;
}
