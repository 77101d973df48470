/* The commands that every service has: health, metrics, read_events, show_dead_letters. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/actor_private.h"
#include "core/follower.h"
#include "core/page.h"

/* A reply is one frame; what is left over is for the encoding around the items. */
#define PAGE_BYTES (ATES_FRAME_MAX - 16384u)
#define METRICS_MAX 1024u

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

enum family {
    COMMANDS,
    COMMAND_TIME,
    FOLLOWER_POSITION,
    FOLLOWER_LAG,
    FOLLOWER_STOPPED,
    LOG_HEAD,
    LOG_RECORDS,
    BATCHES,
    BATCH_RECORDS,
    COMMIT_TIME,
    CHECKPOINTS,
    CHECKPOINT_TIME,
    REPLAYED,
    STORE_USED,
    DEAD_LETTERS,
    UNKNOWN_COMMANDS,
    UNDELIVERABLE,
    WAITING,
    JOBS,
    WORKER_QUEUE,
    FAMILY_COUNT
};

static const struct {
    const char *name;
    enum ates_metric_type type;
    const char *help;
} families[FAMILY_COUNT] = {
    [COMMANDS] = {"ates_commands_total", ATES_COUNTER,
                  "Commands answered, by their reply's status."},
    [COMMAND_TIME] = {"ates_command_microseconds_total", ATES_COUNTER,
                      "Time from a command's arrival to its reply."},
    [FOLLOWER_POSITION] = {"ates_follower_position", ATES_GAUGE,
                           "Last event taken in from the producer's log."},
    [FOLLOWER_LAG] = {"ates_follower_lag_events", ATES_GAUGE,
                      "Events that the producer has published and that are not yet taken in."},
    [FOLLOWER_STOPPED] = {"ates_follower_stopped", ATES_GAUGE,
                          "1 where following the producer was stopped by an alarm."},
    [LOG_HEAD] = {"ates_log_head_seq", ATES_GAUGE, "Last event of the service's log."},
    [LOG_RECORDS] = {"ates_log_records", ATES_GAUGE, "Records in the service's log."},
    [BATCHES] = {"ates_batches_total", ATES_COUNTER,
                 "Batches written to the log, each with one fsync."},
    [BATCH_RECORDS] = {"ates_batch_records_total", ATES_COUNTER, "Records written in batches."},
    [COMMIT_TIME] = {"ates_commit_microseconds_total", ATES_COUNTER,
                     "Time spent writing batches to the log."},
    [CHECKPOINTS] = {"ates_checkpoints_total", ATES_COUNTER, "Commits of the state's store."},
    [CHECKPOINT_TIME] = {"ates_checkpoint_microseconds_total", ATES_COUNTER,
                         "Time spent committing the state's store."},
    [REPLAYED] = {"ates_replayed_records", ATES_GAUGE, "Records applied anew at the last start."},
    [STORE_USED] = {"ates_store_used_permille", ATES_GAUGE,
                    "Used part of the log's or the state's space, of the fuller one."},
    [DEAD_LETTERS] = {"ates_dead_letters", ATES_GAUGE,
                      "Followed events that could not be applied, at most 1000 counted."},
    [UNKNOWN_COMMANDS] = {"ates_unknown_commands_total", ATES_COUNTER,
                          "Commands refused since there is none of their name."},
    [UNDELIVERABLE] = {"ates_undeliverable_replies_total", ATES_COUNTER,
                       "Replies whose client was gone."},
    [WAITING] = {"ates_waiting_replies", ATES_GAUGE, "Replies that wait for a job's end."},
    [JOBS] = {"ates_jobs_under_way", ATES_GAUGE, "1 while a job has steps left."},
    [WORKER_QUEUE] = {"ates_worker_queue", ATES_GAUGE, "Tasks that wait for a worker thread."},
};

/* The figures in the making. */
struct metrics {
    struct ates_arena *arena;
    struct ates_metric *items;
    size_t count;
    bool told[FAMILY_COUNT]; /* whose type and help a figure has */
};

__attribute__((format(printf, 4, 5))) static void add(struct metrics *self, enum family family,
                                                      int64_t value, const char *labels, ...)
{
    struct ates_metric *item = &self->items[self->count];
    char *text;
    va_list arguments;

    if (self->count == METRICS_MAX) {
        return;
    }
    self->count++;
    item->name = ates_text_from(families[family].name);
    item->value = value;
    if (!self->told[family]) {
        self->told[family] = true;
        item->has_type = item->has_help = true;
        item->type = families[family].type;
        item->help = ates_text_from(families[family].help);
    }
    text = ates_arena_alloc(self->arena, 160);
    va_start(arguments, labels);
    vsnprintf(text, 160, labels, arguments);
    va_end(arguments);
    item->has_labels = true;
    item->labels = ates_text_from(text);
}

static void add_commands(struct metrics *self, const struct ates_actor *actor)
{
    for (size_t i = 0; i < actor->route_count; i++) {
        const struct actor_route *route = &actor->routes[i];

        for (int status = 0; status < ATES_STATUS_COUNT; status++) {
            if (route->count[status] > 0) {
                add(self, COMMANDS, (int64_t)route->count[status],
                    "service=\"%s\",command=\"%s.%s\",status=\"%s\"", actor->name, actor->name,
                    route->command->name, ates_status_name((enum ates_status)status));
            }
        }
        if (route->total_us > 0) {
            add(self, COMMAND_TIME, (int64_t)route->total_us, "service=\"%s\",command=\"%s.%s\"",
                actor->name, actor->name, route->command->name);
        }
    }
}

static void add_followers(struct metrics *self, const struct ates_actor *actor)
{
    for (size_t i = 0; i < actor->follower_count; i++) {
        const struct ates_follower *follower = actor->followers[i];
        const char *producer = ates_follower_producer(follower);

        add(self, FOLLOWER_POSITION, (int64_t)ates_follower_position(follower),
            "service=\"%s\",producer=\"%s\"", actor->name, producer);
        add(self, FOLLOWER_LAG, (int64_t)ates_follower_lag(follower),
            "service=\"%s\",producer=\"%s\"", actor->name, producer);
        add(self, FOLLOWER_STOPPED, ates_follower_stopped(follower),
            "service=\"%s\",producer=\"%s\"", actor->name, producer);
    }
}

static int64_t count_dead_letters(struct ates_actor *actor)
{
    struct ates_scan scan;
    struct ates_bytes key, value;
    int64_t count = 0;

    if (ates_scan_open(&scan, ates_engine_txn(actor->engine), ATES_TABLE_DEAD_LETTERS, NULL,
                       NULL) == 0) {
        while (count < 1000 && ates_scan_next(&scan, &key, &value) == 0) {
            count++;
        }
        ates_scan_close(&scan);
    }
    return count;
}

int actor_metrics(struct ates_actor *actor, const void *body, struct ates_buffer *reply,
                  struct ates_refusal *refusal)
{
    const struct ates_engine_figures *figures = ates_engine_figures(actor->engine);
    struct metrics metrics = {.arena = actor->arena};

    (void)body;
    (void)refusal;
    metrics.items = ates_arena_alloc(actor->arena, METRICS_MAX * sizeof *metrics.items);
    add_commands(&metrics, actor);
    add_followers(&metrics, actor);
    const struct {
        enum family family;
        uint64_t value;
    } plain[] = {
        {LOG_HEAD, ates_engine_head(actor->engine)->seq},
        {LOG_RECORDS, ates_engine_head(actor->engine)->number},
        {BATCHES, figures->batches},
        {BATCH_RECORDS, figures->records},
        {COMMIT_TIME, figures->commit_us},
        {CHECKPOINTS, figures->checkpoints},
        {CHECKPOINT_TIME, figures->checkpoint_us},
        {REPLAYED, figures->replayed},
        {STORE_USED, ates_engine_used_permille(actor->engine)},
        {DEAD_LETTERS, (uint64_t)count_dead_letters(actor)},
        {UNKNOWN_COMMANDS, actor->unknown_commands},
        {UNDELIVERABLE, actor->undeliverable},
        {WAITING, actor->waiter_count},
        {JOBS, ates_engine_has_steps(actor->engine)},
        {WORKER_QUEUE, ates_workers_pending(actor->workers)},
    };

    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        add(&metrics, plain[i].family, (int64_t)plain[i].value, "service=\"%s\"", actor->name);
    }
    const struct ates_metrics_result result = {.items = {metrics.items, metrics.count}};
    ates_message_encode(&ates_metrics_result_message, &result, reply);
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
    size_t count = 0;

    (void)refusal;
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
