/* The index of words; see search.h. */
#include "core/search.h"

#include <assert.h>
#include <string.h>

#define HITS_WORDS (ATES_SEARCH_SEGMENT / 64)

static struct ates_key prefix_key(uint64_t segment, struct ates_text prefix)
{
    struct ates_key key = ates_key_u64(segment);

    ates_key_add_bytes(&key, prefix.data, prefix.size);
    return key;
}

static struct ates_key row_key(struct ates_text word, uint64_t id)
{
    const unsigned place = id % ATES_SEARCH_SEGMENT;
    struct ates_key key = prefix_key(id / ATES_SEARCH_SEGMENT, word);

    ates_key_add_u8(&key, 0);
    ates_key_add_u8(&key, (uint8_t)(place >> 8));
    ates_key_add_u8(&key, (uint8_t)place);
    return key;
}

int ates_search_put(struct ates_txn *txn, unsigned table, const struct ates_words *words,
                    uint64_t id)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < words->count; i++) {
        const struct ates_key key = row_key(words->items[i], id);

        r = ates_put(txn, table, &key, "", 0);
    }
    return r;
}

int ates_search_delete(struct ates_txn *txn, unsigned table, const struct ates_words *words,
                       uint64_t id)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < words->count; i++) {
        const struct ates_key key = row_key(words->items[i], id);

        r = ates_delete(txn, table, &key);
    }
    return r;
}

int ates_search_has(struct ates_txn *txn, unsigned table, const struct ates_words *words,
                    uint64_t id)
{
    struct ates_bytes row;
    int r = 0;

    for (size_t i = 0; r == 0 && i < words->count; i++) {
        const struct ates_key key = row_key(words->items[i], id);

        r = ates_get(txn, table, &key, &row);
    }
    return r;
}

static bool begins_with(const struct ates_bytes *row, const struct ates_key *key)
{
    return row->size > key->size && memcmp(row->data, key->data, key->size) == 0;
}

/* Takes one id of the segment in hand, unless it lies before the search's start. */
static void take_hit(struct ates_search *self, unsigned place)
{
    const uint64_t id = self->segment * ATES_SEARCH_SEGMENT + place;

    assert(place < ATES_SEARCH_SEGMENT);
    if ((id < self->from_id) == self->down) {
        self->hits[place / 64] |= UINT64_C(1) << place % 64;
    }
}

/* Reads the hits of the segment in hand, from the row in hand on. */
static int read_hits(struct ates_search *self, const struct ates_key *key, struct ates_bytes row)
{
    struct ates_bytes value;
    size_t row_count = 0;
    int r = 0;

    memset(self->hits, 0, sizeof self->hits);
    self->word = self->down ? HITS_WORDS - 1 : 0;
    while (r == 0 && begins_with(&row, key)) {
        const uint8_t *end = row.data + row.size;

        if (++row_count > ATES_SEARCH_ROWS_MAX) {
            return ates_refuse_field(self->call, ATES_INVALID_ARGUMENT, "QUERY_TOO_BROAD", "query",
                                     "too many words begin so; give more of the word");
        }
        take_hit(self, (unsigned)end[-2] << 8 | end[-1]);
        r = ates_scan_next(&self->scan, &row, &value);
    }
    return r == ATES_NOT_FOUND ? 0 : r;
}

/* Goes on to this segment's neighbour in the search's direction; false where there is none. */
static bool pass_segment(struct ates_search *self, uint64_t *segment)
{
    if (self->down && *segment == 0) {
        self->ended = true;
        return false;
    }
    *segment = self->down ? *segment - 1 : *segment + 1;
    return true;
}

/* Goes to the first segment, from this one on, that has hits. */
static int seek_segment(struct ates_search *self, uint64_t segment)
{
    struct ates_bytes row, value;

    for (;;) {
        const struct ates_key key = prefix_key(segment, self->prefix);
        const struct ates_key from = self->down ? ates_key_past(&key) : key;

        ates_scan_seek(&self->scan, &from);
        int r = ates_scan_next(&self->scan, &row, &value);
        if (r != 0) {
            self->ended = r == ATES_NOT_FOUND;
            return r;
        }
        if (begins_with(&row, &key)) {
            self->segment = segment;
            return read_hits(self, &key, row);
        }
        const uint64_t found = ates_u64_from(row.data);
        if (found != segment) {
            segment = found;
        } else if (!pass_segment(self, &segment)) {
            return ATES_NOT_FOUND;
        }
    }
}

static struct ates_text longest(const struct ates_words *words)
{
    struct ates_text found = {"", 0};

    for (size_t i = 0; i < words->count; i++) {
        if (words->items[i].size > found.size) {
            found = words->items[i];
        }
    }
    return found;
}

int ates_search_open(struct ates_search *search, struct ates_call *call, unsigned table,
                     const struct ates_words *query, uint64_t from_id, bool down)
{
    *search = (struct ates_search){
        .call = call, .prefix = longest(query), .from_id = from_id, .down = down, .ended = true};
    if (query->count == 0 || (down && from_id == 0)) {
        return 0;
    }
    int r = ates_scan_open_ordered(&search->scan, call->txn, table, NULL, NULL, down);
    if (r != 0) {
        return r;
    }
    search->ended = false;
    r = seek_segment(search, (down ? from_id - 1 : from_id) / ATES_SEARCH_SEGMENT);
    if (r != 0 && r != ATES_NOT_FOUND) {
        ates_search_close(search);
        return r;
    }
    return 0;
}

/* Takes the next hit out of the segment in hand; its place, or ATES_SEARCH_SEGMENT where there is
 * none. */
static unsigned next_place(struct ates_search *self)
{
    for (; self->word < HITS_WORDS; self->word += self->down ? -1u : 1u) {
        uint64_t *hits = &self->hits[self->word];

        if (*hits != 0) {
            const int bit = self->down ? 63 - __builtin_clzll(*hits) : __builtin_ctzll(*hits);

            *hits ^= UINT64_C(1) << bit;
            return self->word * 64 + (unsigned)bit;
        }
    }
    return ATES_SEARCH_SEGMENT;
}

int ates_search_next(struct ates_search *search, uint64_t *id)
{
    while (!search->ended) {
        const unsigned place = next_place(search);

        if (place < ATES_SEARCH_SEGMENT) {
            *id = search->segment * ATES_SEARCH_SEGMENT + place;
            return 0;
        }
        uint64_t segment = search->segment;
        int r = pass_segment(search, &segment) ? seek_segment(search, segment) : ATES_NOT_FOUND;
        if (r != 0) {
            return r;
        }
    }
    return ATES_NOT_FOUND;
}

void ates_search_close(struct ates_search *search)
{
    ates_scan_close(&search->scan);
    search->ended = true;
}
