/* The commands that every service has: health, read_events, show_dead_letters; metrics has a file of
 * its own. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/actor_private.h"
#include "core/page.h"
#include "core/snapshot.h"

/* A reply is one frame; what is left over is for the encoding around the items. */
#define PAGE_BYTES (ATES_FRAME_MAX - 16384u)

int actor_health(struct ates_actor *actor, const void *body, struct ates_buffer *reply,
                 struct ates_refusal *refusal)
{
    const struct ates_health_result result = {
        .status = ates_text_from("serving"),
        .version = ates_text_from(ATES_VERSION),
        .seq = ates_engine_head(actor->engine)->seq,
    };

    (void)body;
    (void)refusal;
    ates_message_encode(&ates_health_result_message, &result, reply);
    return 0;
}

/* Copies the record's envelopes after after_seq; false when the page is full. */
static bool add_events(const struct ates_record *record, uint64_t after_seq, size_t limit,
                       size_t *bytes, struct ates_bytes *events, size_t *count,
                       struct ates_arena *arena)
{
    const struct ates_bytes *envelopes = record->events.items;

    for (size_t i = 0; i < record->events.count; i++) {
        if (record->first_seq + i <= after_seq) {
            continue;
        }
        /* The first one always fits: an event came in within one frame. */
        if (*count == limit || (*count > 0 && *bytes + envelopes[i].size + 5 > PAGE_BYTES)) {
            return false;
        }
        events[*count] = (struct ates_bytes){
            ates_arena_copy(arena, envelopes[i].data, envelopes[i].size), envelopes[i].size};
        *bytes += envelopes[i].size + 5;
        ++*count;
    }
    return true;
}

static int collect_events(struct ates_actor *actor, uint64_t after_seq, size_t limit,
                          struct ates_bytes *events, size_t *count)
{
    struct ates_log_reader reader;
    struct ates_stored_record stored;
    struct ates_record record;
    struct ates_arena *arena = ates_arena_new();
    size_t bytes = 0;
    bool room = true;
    int r = ates_log_read_open(&reader, ates_engine_log(actor->engine));

    if (r == 0) {
        r = ates_log_read_seek(&reader, after_seq + 1);
        while (r == 0 && room) {
            r = ates_log_read_next(&reader, &stored);
            if (r == 0) {
                ates_arena_reset(arena);
                r = ates_record_decode(stored.bytes.data, stored.bytes.size, arena, &record);
            }
            if (r == 0) {
                room = add_events(&record, after_seq, limit, &bytes, events, count, actor->arena);
            }
        }
        ates_log_read_close(&reader);
    }
    ates_arena_free(&arena);
    return r == ATES_NOT_FOUND ? 0 : r;
}

int actor_read_events(struct ates_actor *actor, const void *body, struct ates_buffer *reply,
                      struct ates_refusal *refusal)
{
    const struct ates_read_events *command = body;
    const size_t limit = command->has_limit ? (size_t)command->limit : ATES_PAGE_LIMIT;
    struct ates_log *log = ates_engine_log(actor->engine);
    struct ates_bytes *events = ates_arena_alloc(actor->arena, limit * sizeof *events);
    const struct ates_base_note *base = ates_log_base(log);
    size_t count = 0;

    if (base != NULL && command->after_seq < base->head.seq) {
        return ates_refusal_set(refusal, ATES_FAILED_PRECONDITION, "EVENTS_COMPACTED", "after_seq",
                                "events up to %" PRIu64 " were compacted away", base->head.seq);
    }
    int r = collect_events(actor, command->after_seq, limit, events, &count);
    if (r == 0) {
        const struct ates_read_events_result result = {
            .log_id = ates_text_from(ates_log_id(log)),
            .head_seq = ates_log_head(log)->seq,
            .events = {events, count},
        };

        ates_message_encode(&ates_read_events_result_message, &result, reply);
    }
    return r;
}

int actor_read_snapshot(struct ates_actor *actor, const void *body, struct ates_buffer *reply,
                        struct ates_refusal *refusal)
{
    struct ates_read_snapshot_result result = {.has_next = false};
    int r = ates_snapshot_page(actor->domain, &actor->config, ates_engine_log(actor->engine), body,
                               actor->arena, &result, refusal);

    if (r == 0) {
        ates_message_encode(&ates_read_snapshot_result_message, &result, reply);
    }
    return r;
}

/* `after` is PRODUCER/SEQ of the last one seen. */
static int parse_after(struct ates_text after, struct ates_key *key, struct ates_refusal *refusal)
{
    const char *slash = memchr(after.data, '/', after.size);
    const size_t producer_size = slash != NULL ? (size_t)(slash - after.data) : 0;
    uint64_t seq;

    if (producer_size == 0 || producer_size > 64 ||
        ates_page_parse((struct ates_text){slash + 1, after.size - producer_size - 1}, &seq) != 0) {
        return ates_refusal_set(refusal, ATES_INVALID_ARGUMENT, "FIELD_INVALID", "after",
                                "after: take it from the `next` of the page before");
    }
    ates_key_add_bytes(key, after.data, producer_size);
    ates_key_add_u8(key, 0);
    ates_key_add_u64(key, seq + 1);
    return 0;
}

static int add_letter(struct ates_actor *actor, struct ates_bytes row, size_t *bytes,
                      struct ates_dead_letter *letter)
{
    const void *copy = ates_arena_copy(actor->arena, row.data, row.size);

    *bytes += row.size;
    return ates_message_decode(&ates_dead_letter_message, copy, row.size, ATES_UNKNOWN_IGNORED,
                               actor->arena, letter, NULL) != 0
               ? -EBADMSG
               : 0;
}

int actor_show_dead_letters(struct ates_actor *actor, const void *body, struct ates_buffer *reply,
                            struct ates_refusal *refusal)
{
    const struct ates_show_dead_letters *command = body;
    const size_t limit = command->has_limit ? (size_t)command->limit : ATES_PAGE_LIMIT;
    struct ates_dead_letter *items = ates_arena_alloc(actor->arena, limit * sizeof *items);
    struct ates_show_dead_letters_result result = {.items = {items, 0}};
    struct ates_key from = {.size = 0};
    struct ates_scan scan;
    struct ates_bytes key, row;
    size_t bytes = 0;
    int r = command->has_after ? parse_after(command->after, &from, refusal) : 0;

    if (r != 0) {
        return r;
    }
    r = ates_scan_open(&scan, ates_engine_txn(actor->engine), ATES_TABLE_DEAD_LETTERS, NULL, &from);
    if (r != 0) {
        return r;
    }
    while (r == 0) {
        r = ates_scan_next(&scan, &key, &row);
        if (r == 0 && (result.items.count == limit ||
                       (result.items.count > 0 && bytes + row.size > PAGE_BYTES))) {
            const struct ates_dead_letter *last = &items[result.items.count - 1];
            char *next = ates_arena_alloc(actor->arena, 96);

            snprintf(next, 96, "%.*s/%" PRIu64, (int)last->producer.size, last->producer.data,
                     last->seq);
            result.has_next = true;
            result.next = ates_text_from(next);
            break;
        }
        if (r == 0) {
            r = add_letter(actor, row, &bytes, &items[result.items.count++]);
        }
    }
    ates_scan_close(&scan);
    if (r < 0) {
        return r;
    }
    ates_message_encode(&ates_show_dead_letters_result_message, &result, reply);
    return 0;
}
