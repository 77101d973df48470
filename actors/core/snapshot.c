/* A producer's snapshot; see snapshot.h. */
#include "core/snapshot.h"

#include <assert.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "core/base.h"
#include "core/journal.h"
#include "core/page.h"

/* Only services read snapshots, page by page: these may fill most of a frame. */
#define PAGE_BYTES (ATES_FRAME_MAX - 16384u)
#define KEY_MAX 100u /* as hex within `after` */

/* Where a page begins: in this part, at the first key that is not before from. */
struct place {
    size_t part;
    struct ates_key from;
};

struct page {
    const struct ates_domain *domain;
    struct ates_arena *arena;
    struct ates_txn *txn; /* the base's */
    struct ates_snapshot_item *items;
    size_t count, limit, bytes, examined;
    bool is_full;
    struct ates_buffer scratch;
};

/* `after` is PART-KEY, the key of the row looked at last in hex; without one the part's beginning. */
static int read_after(const struct ates_domain *domain, struct ates_text after, struct place *place)
{
    const char *dash = memchr(after.data, '-', after.size);
    const size_t digits = dash != NULL ? (size_t)(dash - after.data) : 0;
    uint64_t part;
    size_t size = 0;

    if (dash == NULL || ates_page_parse((struct ates_text){after.data, digits}, &part) != 0 ||
        part >= domain->snapshot_count) {
        return -1;
    }
    const size_t left = after.size - digits - 1;
    const char *end = NULL;
    if (sodium_hex2bin(place->from.data, KEY_MAX, dash + 1, left, NULL, &size, &end) != 0 ||
        end != after.data + after.size) {
        return -1;
    }
    place->part = (size_t)part;
    place->from.size = size;
    if (size > 0) {
        ates_key_add_u8(&place->from, 0); /* the least key beyond it */
    }
    return 0;
}

static struct ates_text write_after(struct ates_arena *arena, size_t part, struct ates_bytes key)
{
    enum { SIZE = 2 * KEY_MAX + 24 };
    char *text = ates_arena_alloc(arena, SIZE);
    const int size = snprintf(text, SIZE, "%zu-", part);

    assert(key.size <= KEY_MAX);
    sodium_bin2hex(text + size, (size_t)(SIZE - size), key.data, key.size);
    return ates_text_from(text);
}

static const struct ates_event_type *find_type(const struct ates_domain *domain,
                                               const struct ates_message *item)
{
    const struct ates_service *service = domain->service;
    size_t i = 0;

    while (i < service->snapshot_count && service->snapshots[i].data != item) {
        i++;
    }
    assert(i < service->snapshot_count && "an item that the service's table does not have");
    return &service->snapshots[i];
}

/* Adds what the row tells, if it does and the page has room for it. */
static int add_row(struct page *self, const struct ates_snapshot_part *part, struct ates_bytes key,
                   struct ates_bytes value, void *memory)
{
    const struct ates_event_type *type = find_type(self->domain, part->item);
    void *item = ates_arena_alloc(self->txn->arena, part->item->size);

    memset(item, 0, part->item->size);
    int r = part->make(self->txn, key, value, memory, item);
    if (r != 0) {
        return r == ATES_NOT_FOUND ? 0 : r;
    }
    self->scratch.size = 0;
    ates_message_encode(part->item, item, &self->scratch);
    const size_t bytes = self->scratch.size + strlen(part->item->name) + 64;
    if (self->count > 0 && (self->count == self->limit || self->bytes + bytes > PAGE_BYTES)) {
        self->is_full = true;
        return 0;
    }
    self->bytes += bytes;
    self->items[self->count++] = (struct ates_snapshot_item){
        .event_name = ates_text_from(part->item->name),
        .event_version = type->version,
        .data = {ates_arena_copy(self->arena, self->scratch.data, self->scratch.size),
                 self->scratch.size},
    };
    return 0;
}

/* Goes through one part from the place on, to its end or the page's; last is the key of the row that
 * it got to. */
static int add_part(struct page *self, const struct place *place, struct ates_bytes *last)
{
    const struct ates_snapshot_part *part = &self->domain->snapshot[place->part];
    uint64_t memory[ATES_SNAPSHOT_MEMORY / sizeof(uint64_t)] = {0};
    struct ates_bytes key, value;
    struct ates_scan scan;
    int r = ates_scan_open(&scan, self->txn, part->table, NULL, &place->from);

    while (r == 0 && !self->is_full && (r = ates_scan_next(&scan, &key, &value)) == 0) {
        self->is_full = self->examined++ == ATES_PAGE_EXAMINED;
        if (!self->is_full) {
            r = add_row(self, part, key, value, memory);
        }
        if (r == 0 && !self->is_full) {
            *last = key; /* it stays where it is: nobody writes */
        }
        ates_arena_reset(self->txn->arena);
    }
    ates_scan_close(&scan);
    return r == ATES_NOT_FOUND ? 0 : r;
}

static int fill(struct page *self, struct place place, struct ates_read_snapshot_result *result)
{
    int r = 0;

    while (r == 0 && !self->is_full && place.part < self->domain->snapshot_count) {
        struct ates_bytes last = {place.from.data, place.from.size > 0 ? place.from.size - 1 : 0};

        r = add_part(self, &place, &last);
        if (r == 0 && self->is_full) {
            result->has_next = true;
            result->next = write_after(self->arena, place.part, last);
        }
        place = (struct place){.part = place.part + 1};
    }
    result->items = (struct ates_list){self->items, self->count};
    return r;
}

static int refuse(const struct ates_domain *domain, const struct ates_base_note *base,
                  struct ates_refusal *refusal)
{
    if (base == NULL) {
        return ates_refusal_set(refusal, ATES_FAILED_PRECONDITION, "NOT_COMPACTED", NULL,
                                "the log has all its events: read them");
    }
    if (base->state_version != domain->state_version) {
        return ates_refusal_set(refusal, ATES_FAILED_PRECONDITION, "SNAPSHOT_OUTDATED", NULL,
                                "the log's base has an older form: compact it again");
    }
    return 0;
}

int ates_snapshot_page(const struct ates_domain *domain, const struct ates_config *config,
                       const struct ates_log *log, const struct ates_read_snapshot *body,
                       struct ates_arena *arena, struct ates_read_snapshot_result *result,
                       struct ates_refusal *refusal)
{
    const struct ates_base_note *note = ates_log_base(log);
    struct place place = {.part = 0};
    struct ates_base base;
    char why[256] = "";
    int r = refuse(domain, note, refusal);

    if (r == 0 && body->has_after && read_after(domain, body->after, &place) != 0) {
        r = ates_refusal_set(refusal, ATES_INVALID_ARGUMENT, "FIELD_INVALID", "after",
                             "after: take it from the `next` of the page before");
    }
    if (r != 0) {
        return r;
    }
    r = ates_base_open(&base, domain, config, note, why, sizeof why);
    if (r != 0) {
        ates_journal(ATES_ERROR, domain->service->name, NULL, "%s", why);
        return r;
    }
    struct page page = {
        .domain = domain,
        .arena = arena,
        .txn = &base.txn,
        .limit = body->has_limit ? (size_t)body->limit : ATES_PAGE_LIMIT,
    };
    page.items = ates_arena_alloc(arena, page.limit * sizeof *page.items);
    *result = (struct ates_read_snapshot_result){
        .log_id = ates_text_from(ates_log_id(log)),
        .seq = note->head.seq,
        .hash = {note->head.hash, sizeof note->head.hash},
    };
    r = fill(&page, place, result);
    ates_buffer_release(&page.scratch);
    ates_base_close(&base);
    return r;
}

bool ates_snapshot_is_followed(const struct ates_domain *domain, const char *producer)
{
    for (size_t i = 0; i < domain->snapshot_follow_count; i++) {
        if (strcmp(domain->snapshot_follows[i].producer, producer) == 0) {
            return true;
        }
    }
    return false;
}
