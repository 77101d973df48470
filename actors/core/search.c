/* The index of words; see search.h. */
#include "core/search.h"

#include <assert.h>
#include <string.h>

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

/* Reads the hits of a segment, from the row in hand on. */
static int read_hits(struct ates_search *self, const struct ates_key *key, struct ates_bytes row)
{
    struct ates_bytes value;
    size_t row_count = 0;
    int r = 0;

    memset(self->hits, 0, sizeof self->hits);
    while (r == 0 && begins_with(&row, key)) {
        const uint8_t *end = row.data + row.size;
        const unsigned place = (unsigned)end[-2] << 8 | end[-1];

        if (++row_count > ATES_SEARCH_ROWS_MAX) {
            return ates_refuse_field(self->call, ATES_INVALID_ARGUMENT, "QUERY_TOO_BROAD", "query",
                                     "too many words begin so; give more of the word");
        }
        assert(place < ATES_SEARCH_SEGMENT);
        self->hits[place / 64] |= UINT64_C(1) << place % 64;
        r = ates_scan_next(&self->scan, &row, &value);
    }
    return r == ATES_NOT_FOUND ? 0 : r;
}

/* Goes to the first segment, from this one on, that has hits. */
static int seek_segment(struct ates_search *self, uint64_t segment)
{
    struct ates_bytes row, value;

    for (;;) {
        const struct ates_key key = prefix_key(segment, self->prefix);

        ates_scan_seek(&self->scan, &key);
        int r = ates_scan_next(&self->scan, &row, &value);
        if (r != 0) {
            self->ended = r == ATES_NOT_FOUND;
            return r;
        }
        if (begins_with(&row, &key)) {
            self->segment = segment;
            self->place = 0;
            return read_hits(self, &key, row);
        }
        const uint64_t found = ates_u64_from(row.data);
        segment = found > segment ? found : segment + 1;
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
                     const struct ates_words *query, uint64_t after_id)
{
    const uint64_t first = after_id + 1;

    *search = (struct ates_search){.call = call, .prefix = longest(query), .ended = true};
    if (query->count == 0 || after_id == UINT64_MAX) {
        return 0;
    }
    int r = ates_scan_open(&search->scan, call->txn, table, NULL, NULL);
    if (r != 0) {
        return r;
    }
    search->ended = false;
    r = seek_segment(search, first / ATES_SEARCH_SEGMENT);
    if (r == 0 && search->segment == first / ATES_SEARCH_SEGMENT) {
        search->place = first % ATES_SEARCH_SEGMENT;
    }
    if (r != 0 && r != ATES_NOT_FOUND) {
        ates_search_close(search);
        return r;
    }
    return 0;
}

/* The place of the first hit that was not given yet; ATES_SEARCH_SEGMENT where there is none. */
static unsigned next_place(const struct ates_search *self)
{
    for (unsigned place = self->place; place < ATES_SEARCH_SEGMENT; place = (place | 63) + 1) {
        const uint64_t hits = self->hits[place / 64] >> place % 64;

        if (hits != 0) {
            return place + (unsigned)__builtin_ctzll(hits);
        }
    }
    return ATES_SEARCH_SEGMENT;
}

int ates_search_next(struct ates_search *search, uint64_t *id)
{
    while (!search->ended) {
        const unsigned place = next_place(search);

        if (place < ATES_SEARCH_SEGMENT) {
            search->place = place + 1;
            *id = search->segment * ATES_SEARCH_SEGMENT + place;
            return 0;
        }
        int r = seek_segment(search, search->segment + 1);
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
