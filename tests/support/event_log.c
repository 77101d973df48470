/* The log of a service; see event_log.h. */
#include "support/event_log.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/event_chain.h"
#include "support/event_type.h"

#define PAGE_EVENTS 1000u

static void take(struct event_log *log, struct event_chain *chain, struct ates_bytes bytes)
{
    const void *copy = ates_arena_copy(log->arena, bytes.data, bytes.size);
    const char *wrong = event_chain_take(chain, copy, bytes.size);

    cr_assert_null(wrong, "%s's log after seq %lu: %s", chain->producer, (unsigned long)chain->seq,
                   wrong);
    cr_assert_eq(ates_message_decode(&ates_envelope_message, copy, bytes.size, ATES_UNKNOWN_IGNORED,
                                     log->arena, &log->events[log->count++], NULL),
                 0);
}

void event_log_read(struct event_log *log, struct flow *flow, const char *service)
{
    const struct ates_service of = {.name = service};
    struct ates_read_events_result page;
    struct ates_read_events body = {.has_limit = true, .limit = PAGE_EVENTS};
    struct event_chain chain = {.seq = 0};
    size_t capacity = 0;

    *log = (struct event_log){.arena = ates_arena_new()};
    do {
        struct ates_arena *kept = flow->arena;

        flow->arena = ates_arena_new();
        flow_do(flow, FLOW_SERVICE, &of, "read_events", &body, &page);
        if (body.after_seq == 0) {
            cr_assert_lt(page.log_id.size, sizeof log->log_id);
            memcpy(log->log_id, page.log_id.data, page.log_id.size);
            event_chain_begin(&chain, service, log->log_id);
        }
        cr_assert(ates_text_equal(page.log_id, ates_text_from(log->log_id)));
        if (log->count + page.events.count > capacity) {
            capacity = 2 * (log->count + page.events.count);
            log->events = realloc(log->events, capacity * sizeof *log->events);
            cr_assert_not_null(log->events);
        }
        for (size_t i = 0; i < page.events.count; i++) {
            take(log, &chain, ((const struct ates_bytes *)page.events.items)[i]);
        }
        cr_assert(page.events.count > 0 || page.head_seq == chain.seq,
                  "the log ends before its head");
        ates_arena_free(&flow->arena);
        flow->arena = kept;
        body.after_seq = chain.seq;
    } while (chain.seq < page.head_seq);
}

void event_log_free(struct event_log *log)
{
    ates_arena_free(&log->arena);
    free(log->events);
    *log = (struct event_log){.events = NULL};
}

bool event_log_is(const struct event_log *log, size_t index, const struct ates_message *message,
                  void *data)
{
    const struct ates_envelope *event = &log->events[index];

    if (!event_is(event, message)) {
        return false;
    }
    cr_assert_eq(ates_message_decode(message, event->data.data, event->data.size,
                                     ATES_UNKNOWN_IGNORED, log->arena, data, NULL),
                 0, "seq %lu holds no %s", (unsigned long)event->seq, message->name);
    return true;
}
