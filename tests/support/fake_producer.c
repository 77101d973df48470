/* See fake_producer.h. */
#include "support/fake_producer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/toy_domain.h"

static void send_events(struct fake_producer *self, const struct fake_request *request)
{
    struct ates_arena *arena = ates_arena_new();
    struct ates_buffer body = {0};
    struct ates_bytes events[1000];
    struct ates_read_events asked;
    size_t count = 0;

    cr_assert_eq(ates_message_decode(&ates_read_events_message, request->data[request->first + 3],
                                     request->size[request->first + 3], ATES_UNKNOWN_REFUSED, arena,
                                     &asked, NULL),
                 0);
    if (asked.after_seq < self->base) {
        const struct ates_refusal_body refusal = {.reason = ates_text_from("EVENTS_COMPACTED"),
                                                  .message = ates_text_from("gone")};

        ates_message_encode(&ates_refusal_body_message, &refusal, &body);
        fake_send_reply(&self->service, request, "FAILED_PRECONDITION", body.data, body.size);
        ates_buffer_release(&body);
        ates_arena_free(&arena);
        return;
    }
    for (uint64_t seq = asked.after_seq + 1; seq <= self->served && count < self->page; seq++) {
        if (seq != self->skipped) {
            events[count++] = fake_producer_envelope(self, seq);
        }
    }
    const struct ates_read_events_result result = {.log_id = ates_text_from(self->log_id),
                                                   .head_seq = self->served,
                                                   .events = {events, count}};
    ates_message_encode(&ates_read_events_result_message, &result, &body);
    fake_send_reply(&self->service, request, "OK", body.data, body.size);
    ates_buffer_release(&body);
    ates_arena_free(&arena);
}

/* `after` is the number of items given. */
static void send_snapshot(struct fake_producer *self, const struct fake_request *request)
{
    struct ates_arena *arena = ates_arena_new();
    const struct other_said said = {ates_text_from(self->item != NULL ? self->item : "hello")};
    struct ates_buffer data = {0}, body = {0};
    struct ates_snapshot_item items[1000];
    struct ates_read_snapshot asked;
    char next[24];

    cr_assert_eq(ates_message_decode(&ates_read_snapshot_message, request->data[request->first + 3],
                                     request->size[request->first + 3], ATES_UNKNOWN_REFUSED, arena,
                                     &asked, NULL),
                 0);
    snprintf(next, sizeof next, "%.*s", (int)asked.after.size,
             asked.has_after ? asked.after.data : "");
    const size_t given = (size_t)strtoul(next, NULL, 10);
    const size_t left = self->items - given;
    const size_t count = left < self->item_page ? left : self->item_page;
    ates_message_encode(&other_said_snapshot_message, &said, &data);
    for (size_t i = 0; i < count; i++) {
        items[i] =
            (struct ates_snapshot_item){ates_text_from("said_snapshot"), 1, {data.data, data.size}};
    }
    snprintf(next, sizeof next, "%zu", given + count);
    const struct ates_read_snapshot_result result = {
        .log_id = ates_text_from(self->log_id),
        .seq = self->base,
        .hash = {self->hashes[self->base], ATES_HASH_SIZE},
        .items = {items, count},
        .has_next = given + count < self->items,
        .next = ates_text_from(next),
    };
    ates_message_encode(&ates_read_snapshot_result_message, &result, &body);
    fake_send_reply(&self->service, request, "OK", body.data, body.size);
    ates_buffer_release(&data);
    ates_buffer_release(&body);
    ates_arena_free(&arena);
}

static void behave(struct fake_service *service, const struct fake_request *request)
{
    struct fake_producer *self = (struct fake_producer *)service;

    pthread_mutex_lock(&self->mutex);
    self->asked++;
    if (self->silences > 0) {
        self->silences--;
        fake_hold(service, request);
    } else if (self->refusals > 0) {
        self->refusals--;
        fake_refuse(service, request);
    } else if (self->nonsense > 0) {
        self->nonsense--;
        fake_send_reply(service, request, "OK", "\x80", 1);
    } else if (fake_is_command(request, "other.read_snapshot")) {
        send_snapshot(self, request);
    } else {
        /* Those that were held get their answers, late. */
        for (size_t i = 0; i < service->held_count; i++) {
            send_events(self, service->held[i]);
            free(service->held[i]);
        }
        service->held_count = 0;
        send_events(self, request);
    }
    pthread_mutex_unlock(&self->mutex);
}

void fake_producer_start(struct fake_producer *self)
{
    pthread_mutex_init(&self->mutex, NULL);
    self->service.name = self->service.name != NULL ? self->service.name : FAKE_PRODUCER;
    self->log_id = FAKE_LOG_ID;
    self->page = self->item_page = 1000;
    fake_service_start(&self->service, behave);
}

void fake_producer_stop(struct fake_producer *self)
{
    fake_service_stop(&self->service);
    fake_service_clean(&self->service);
    pthread_mutex_destroy(&self->mutex);
    for (size_t i = 0; i < self->count; i++) {
        ates_buffer_release(&self->envelopes[i]);
    }
}

uint64_t fake_producer_emit(struct fake_producer *self, const char *producer,
                            const struct ates_message *message, const char *log_id,
                            const void *data)
{
    const uint64_t seq = self->count + 1;
    struct ates_buffer encoded = {0};

    cr_assert_lt(self->count, FAKE_EVENTS_MAX);
    ates_message_encode(message, data, &encoded);
    const struct ates_envelope envelope = {
        .event_id = ates_text_from("018bcfe5-6800-7000-8000-0000000000cc"),
        .event_name = ates_text_from(message->name),
        .event_version = 1,
        .event_time = 1700000000000,
        .producer = ates_text_from(producer),
        .log_id = ates_text_from(log_id),
        .seq = seq,
        .prev = {self->hashes[seq - 1], ATES_HASH_SIZE},
        .data = {encoded.data, encoded.size},
    };
    struct ates_buffer *bytes = &self->envelopes[seq - 1];
    ates_message_encode(&ates_envelope_message, &envelope, bytes);
    ates_buffer_release(&encoded);
    ates_envelope_hash(bytes->data, bytes->size, self->hashes[seq]);
    pthread_mutex_lock(&self->mutex);
    self->served = self->count = seq;
    pthread_mutex_unlock(&self->mutex);
    return seq;
}

uint64_t fake_producer_say(struct fake_producer *self, const char *text)
{
    const struct other_said data = {ates_text_from(text)};

    return fake_producer_emit(self, FAKE_PRODUCER, &other_said_message, FAKE_LOG_ID, &data);
}

struct ates_bytes fake_producer_envelope(const struct fake_producer *self, uint64_t seq)
{
    return (struct ates_bytes){self->envelopes[seq - 1].data, self->envelopes[seq - 1].size};
}

void fake_producer_head(const struct fake_producer *self, const char *log_id, uint64_t seq,
                        struct ates_buffer *out)
{
    const struct ates_head head = {
        .log_id = ates_text_from(log_id), .seq = seq, .hash = {self->hashes[seq], ATES_HASH_SIZE}};

    out->size = 0;
    ates_message_encode(&ates_head_message, &head, out);
}

size_t fake_producer_asked(struct fake_producer *self)
{
    pthread_mutex_lock(&self->mutex);
    const size_t asked = self->asked;
    pthread_mutex_unlock(&self->mutex);
    return asked;
}
