/* Events that a service follows: envelopes as they come from the broker, heads, and pages of snapshots. The first
 * byte of an input chooses the service; each item then says how its bytes are brought: as they are, or with the
 * place in the chain put right, so that what is behind the chain's check is reached too. A stream moves on by the
 * one event that is next and by nothing else; what does not move it leaves nothing, but a dead letter. */
#include "fuzz.h"

#include <errno.h>

#include "core/follower_private.h"
#include "service.h"
#include "support/sample.h"
#include "tables.h"

#define ITEMS_MAX 8u
#define FOLLOWERS_MAX 8u

enum kind { EVENT, MENDED, ENVELOPE, HEAD, SNAPSHOT, SNAPSHOT_ITEM, KIND_COUNT };

static struct {
    struct fuzz_service *service;
    struct ates_follower followers[FOLLOWERS_MAX];
    size_t count;
} stream;

static void hear_stopped(void *context, const char *producer, const char *reason)
{
    (void)context, (void)producer;
    fuzz_require(fuzz_is_line(reason));
}

/* Followers of all producers, at the place that the service is at, who need read nothing. */
static void begin(struct fuzz_service *service)
{
    static struct ates_arena *arenas[FOLLOWERS_MAX];
    const struct ates_domain *domain = service->domain;

    stream.service = service;
    stream.count = 0;
    for (size_t i = 0; i < domain->follow_count; i++) {
        const char *producer = domain->follows[i].producer;
        size_t known = 0;

        while (known < stream.count && stream.followers[known].producer != producer &&
               strcmp(stream.followers[known].producer, producer) != 0) {
            known++;
        }
        if (known < stream.count) {
            continue;
        }
        fuzz_require(stream.count < FOLLOWERS_MAX);
        struct ates_follower *self = &stream.followers[stream.count];
        arenas[stream.count] =
            arenas[stream.count] != NULL ? arenas[stream.count] : ates_arena_new();
        *self = (struct ates_follower){.sink = ates_engine_sink(service->engine),
                                       .producer = producer,
                                       .scratch = arenas[stream.count++],
                                       .backoff_us = FOLLOWER_BACKOFF_MIN_US};
        self->sink.stopped = hear_stopped;
        fuzz_require(ates_follower_rewind(self) == 0);
    }
}

static struct ates_follower *find(const char *producer)
{
    for (size_t i = 0; i < stream.count; i++) {
        if (strcmp(stream.followers[i].producer, producer) == 0) {
            return &stream.followers[i];
        }
    }
    return NULL;
}

/* The event was the next one: the follower is behind it. */
static void check_moved(const struct ates_follower *self, const struct ates_position *before,
                        struct ates_bytes bytes)
{
    static struct ates_arena *arena;
    uint8_t hash[ATES_HASH_SIZE];
    struct ates_envelope envelope;

    if (arena == NULL) {
        arena = ates_arena_new();
    }
    ates_arena_reset(arena);
    fuzz_require(self->position.seq == before->seq + 1);
    fuzz_require(ates_message_decode(&ates_envelope_message, bytes.data, bytes.size,
                                     ATES_UNKNOWN_IGNORED, arena, &envelope, NULL) == 0);
    fuzz_require(envelope.seq == self->position.seq);
    fuzz_require(memcmp(envelope.prev.data, before->hash, sizeof before->hash) == 0);
    fuzz_require(ates_text_equal(envelope.producer, ates_text_from(self->producer)));
    fuzz_require(ates_text_equal(envelope.log_id, ates_text_from(self->position.log_id)));
    fuzz_require(!before->known || strcmp(before->log_id, self->position.log_id) == 0);
    ates_envelope_hash(bytes.data, bytes.size, hash);
    fuzz_require(memcmp(hash, self->position.hash, sizeof hash) == 0);
}

static void take_live(struct ates_follower *self, struct ates_bytes bytes)
{
    const struct ates_position before = self->position;
    const struct ates_log_head *head = ates_engine_head(stream.service->engine);
    const uint64_t records = head->number;
    const uint64_t seq = head->seq;

    self->behind = false;
    const bool was_stopped = self->stopped;
    const int r = ates_follower_live(self, bytes);
    fuzz_require(r == 0 || r == -EAGAIN);
    if (self->position.seq != before.seq) {
        fuzz_require(r == 0 && !was_stopped);
        check_moved(self, &before, bytes);
        return;
    }
    fuzz_require(head->seq == seq);
    fuzz_require(head->number == records ||
                 (head->number == records + 1 && self->stopped && !was_stopped));
}

/* A follow of the domain's table by number, its event's data as they are. */
static void run_event(struct fuzz_input *input)
{
    const struct ates_domain *domain = stream.service->domain;
    const struct ates_follow *follow = &domain->follows[fuzz_byte(input) % domain->follow_count];
    const int64_t days = (int64_t)fuzz_byte(input) - 128;
    struct ates_follower *self = find(follow->producer);

    take_live(self, fuzz_seal(&self->position, follow->producer, follow->event->name,
                              (unsigned)follow->version, FUZZ_TIME + days * 86400000 / 16,
                              fuzz_part(input)));
}

/* A whole envelope whose place in the chain is put right, or left. */
static void run_envelope(struct fuzz_input *input, bool is_mended)
{
    static struct ates_arena *arena;
    static struct ates_buffer mended;
    struct ates_follower *self = &stream.followers[fuzz_byte(input) % stream.count];
    struct ates_bytes bytes = fuzz_part(input);
    struct ates_envelope envelope;

    if (arena == NULL) {
        arena = ates_arena_new();
    }
    ates_arena_reset(arena);
    if (is_mended && ates_message_decode(&ates_envelope_message, bytes.data, bytes.size,
                                         ATES_UNKNOWN_IGNORED, arena, &envelope, NULL) == 0) {
        envelope.producer = ates_text_from(self->producer);
        envelope.seq = self->position.seq + 1;
        envelope.prev = (struct ates_bytes){self->position.hash, sizeof self->position.hash};
        if (self->position.known) {
            envelope.log_id = ates_text_from(self->position.log_id);
        }
        mended.size = 0;
        ates_message_encode(&ates_envelope_message, &envelope, &mended);
        bytes = (struct ates_bytes){mended.data, mended.size};
    }
    take_live(self, bytes);
}

static void run_head(struct fuzz_input *input)
{
    struct ates_follower *self = &stream.followers[fuzz_byte(input) % stream.count];
    const struct ates_log_head *head = ates_engine_head(stream.service->engine);
    const struct ates_log_head before = *head;
    const uint64_t seq = self->position.seq;

    ates_follower_head(self, fuzz_part(input));
    fuzz_require(self->position.seq == seq && ates_log_head_equal(head, &before));
}

static void take_page(const char *producer, const struct ates_read_snapshot_result *page)
{
    struct ates_engine *engine = stream.service->engine;
    const uint64_t records = ates_engine_head(engine)->number;
    const uint64_t seq = ates_engine_head(engine)->seq;
    struct ates_refusal refusal = {.status = ATES_OK};
    struct ates_position before, after;

    fuzz_require(ates_engine_position(engine, producer, &before) == 0);
    if (before.known) {
        return; /* a follower that has taken anything asks for none */
    }
    const int r = ates_engine_follow_snapshot(engine, producer, page, &refusal);
    fuzz_require(r == 0 || r == -EAGAIN || r == ATES_FAILED_PRECONDITION ||
                 (r == -EBADMSG && page->log_id.size >= ATES_UUID_SIZE));
    fuzz_require(ates_engine_position(engine, producer, &after) == 0);
    if (r != 0) {
        fuzz_require(!after.known);
        fuzz_require(ates_engine_head(engine)->seq == seq &&
                     ates_engine_head(engine)->number == records);
        return;
    }
    fuzz_require(ates_engine_head(engine)->number <= records + 1);
    fuzz_require(after.known == !page->has_next && (!after.known || after.seq == page->seq));
    fuzz_require(ates_follower_rewind(find(producer)) == 0);
}

static void run_snapshot(struct fuzz_input *input)
{
    static struct ates_arena *arena;
    const struct ates_follower *self = &stream.followers[fuzz_byte(input) % stream.count];
    const struct ates_bytes bytes = fuzz_part(input);
    struct ates_read_snapshot_result page;

    if (arena == NULL) {
        arena = ates_arena_new();
    }
    ates_arena_reset(arena);
    if (ates_message_decode(&ates_read_snapshot_result_message, bytes.data, bytes.size,
                            ATES_UNKNOWN_IGNORED, arena, &page, NULL) == 0) {
        take_page(self->producer, &page);
    }
}

/* A page of one item, by number, its data as they are. */
static void run_snapshot_item(struct fuzz_input *input)
{
    static const uint8_t hash[ATES_HASH_SIZE] = {1, 2, 3};
    const struct ates_domain *domain = stream.service->domain;
    const unsigned choice = fuzz_byte(input);
    const struct ates_follow *follow =
        &domain->snapshot_follows[choice % domain->snapshot_follow_count];
    struct ates_snapshot_item item = {.event_name = ates_text_from(follow->event->name),
                                      .event_version = follow->version,
                                      .data = fuzz_part(input)};
    const struct ates_read_snapshot_result page = {
        .log_id = ates_text_from("018bcfe5-6800-7000-8000-000000000001"),
        .seq = 5,
        .hash = {hash, sizeof hash},
        .items = {&item, 1},
        .has_next = choice >= 128,
        .next = ates_text_from(choice >= 128 ? "more" : ""),
    };

    take_page(follow->producer, &page);
}

static void run_item(struct fuzz_input *input)
{
    switch ((enum kind)(fuzz_byte(input) % KIND_COUNT)) {
    case EVENT:
        run_event(input);
        break;
    case MENDED:
        run_envelope(input, true);
        break;
    case ENVELOPE:
        run_envelope(input, false);
        break;
    case HEAD:
        run_head(input);
        break;
    case SNAPSHOT:
        run_snapshot(input);
        break;
    default:
        run_snapshot_item(input);
    }
}

/* One more event or snapshot item behind what there is, with data that are good by themselves. */
static size_t add_item(uint64_t *state, uint8_t *data, size_t size, size_t max_size)
{
    const struct ates_domain *domain = fuzz_service(data[0])->domain;
    const bool is_event = sample_below(state, 4) > 0;
    const struct ates_follow *follows = is_event ? domain->follows : domain->snapshot_follows;
    const size_t count = is_event ? domain->follow_count : domain->snapshot_follow_count;
    struct ates_buffer body = {0};

    if (count == 0) {
        return size;
    }
    const size_t index = sample_below(state, count);
    fuzz_put_value(follows[index].event, sample_coin(state), &body);
    if (size + 5 + body.size <= max_size) {
        data[size++] = is_event ? EVENT : SNAPSHOT_ITEM;
        data[size++] = (uint8_t)index;
        if (is_event) {
            data[size++] = (uint8_t)seed_next(state);
        }
        size = fuzz_put_part(data, size, (struct ates_bytes){body.data, body.size});
    }
    ates_buffer_release(&body);
    return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    uint64_t state = seed;

    return size > 0 && sample_below(&state, 16) == 0 ? add_item(&state, data, size, max_size)
                                                     : LLVMFuzzerMutate(data, size, max_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};

    if (size == 0) {
        return 0;
    }
    struct fuzz_service *service = fuzz_service(fuzz_byte(&input));
    begin(service);
    for (unsigned i = 0; i < ITEMS_MAX && input.left > 0 && stream.count > 0; i++) {
        run_item(&input);
    }
    fuzz_service_end(service);
    return 0;
}
