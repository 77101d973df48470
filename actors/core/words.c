/* Words for search: fold, cut, keep the distinct ones.
 *
 * Invariant: the same texts give the same words on every machine, and a word's prefix stays a
 * prefix after both were cut to ATES_WORD_MAX, since both are cut at the last character that fits.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "core/words.h"

/* Twice the words, so that a free slot is found soon; a power of two. */
#define SLOT_COUNT (2u * ATES_WORDS_MAX)
_Static_assert((SLOT_COUNT & (SLOT_COUNT - 1)) == 0, "slots are found by mask");

/* The distinct words so far, in order of appearance, and a hash table of them: a slot holds a
 * word's index + 1, or 0. */
struct collector {
    struct ates_arena *arena;
    size_t count;
    uint16_t slots[SLOT_COUNT];
    struct ates_text items[ATES_WORDS_MAX];
};

/* FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint32_t hash(const char *data, size_t size)
{
    uint32_t value = 2166136261u;
    for (size_t i = 0; i < size; i++) {
        value = (value ^ (uint8_t)data[i]) * 16777619u;
    }
    return value;
}

static bool is_full(const struct collector *self)
{
    return self->count == ATES_WORDS_MAX;
}

/* Keeps a word, unless it is empty, known already or one too many. */
static void collect(struct collector *self, const char *data, size_t size)
{
    if (size == 0 || is_full(self)) {
        return;
    }
    const struct ates_text word = {data, size};
    uint32_t slot = hash(data, size) % SLOT_COUNT;
    for (; self->slots[slot] != 0; slot = (slot + 1) % SLOT_COUNT) {
        if (ates_text_equal(self->items[self->slots[slot] - 1u], word)) {
            return;
        }
    }
    self->items[self->count].data = ates_arena_copy(self->arena, data, size);
    self->items[self->count].size = size;
    self->count++;
    self->slots[slot] = (uint16_t)self->count;
}

static bool is_ascii(struct ates_text text)
{
    uint8_t bits = 0;
    for (size_t i = 0; i < text.size; i++) {
        bits |= (uint8_t)text.data[i];
    }
    return bits < 0x80;
}

/* What utf8proc would do, for bytes that need no table. */
static void split_ascii(struct collector *self, struct ates_text text)
{
    char word[ATES_WORD_MAX];
    size_t size = 0;

    for (size_t i = 0; i < text.size && !is_full(self); i++) {
        char c = text.data[i];
        if (c >= 'A' && c <= 'Z') {
            c = (char)(c - 'A' + 'a');
        }
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            if (size < sizeof word) {
                word[size++] = c;
            }
            continue;
        }
        collect(self, word, size);
        size = 0;
    }
    collect(self, word, size);
}

static bool is_word_character(utf8proc_int32_t character)
{
    switch (utf8proc_category(character)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return true;
    default:
        return false;
    }
}

/* Cuts folded text, which is valid UTF-8. */
static void split_folded(struct collector *self, const uint8_t *data, size_t size)
{
    size_t start = 0; /* of the word */
    size_t kept = 0;  /* bytes of it within the limit, whole characters */

    for (size_t i = 0; i < size && !is_full(self);) {
        utf8proc_int32_t character;
        const utf8proc_ssize_t width =
            utf8proc_iterate(data + i, (utf8proc_ssize_t)(size - i), &character);
        assert(width > 0);
        if (!is_word_character(character)) {
            collect(self, (const char *)data + start, kept);
            start = i + (size_t)width;
            kept = 0;
        } else if (kept == i - start && kept + (size_t)width <= ATES_WORD_MAX) {
            kept += (size_t)width;
        }
        i += (size_t)width;
    }
    collect(self, (const char *)data + start, kept);
}

static void split(struct collector *self, struct ates_text text)
{
    if (is_ascii(text)) {
        split_ascii(self, text);
        return;
    }
    uint8_t *folded = NULL;
    const utf8proc_ssize_t size = utf8proc_map(
        (const uint8_t *)text.data, (utf8proc_ssize_t)text.size, &folded,
        UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
    if (size == UTF8PROC_ERROR_NOMEM) {
        /* As the arena does: an index with words left out would differ from the one rebuilt. */
        abort();
    }
    if (size >= 0) { /* what is no UTF-8 has no words */
        split_folded(self, folded, (size_t)size);
    }
    free(folded);
}

static int compare(const void *left, const void *right)
{
    const struct ates_text *a = left, *b = right;
    const int order = memcmp(a->data, b->data, a->size < b->size ? a->size : b->size);
    return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

void ates_words_split(const struct ates_text *texts, size_t text_count, struct ates_arena *arena,
                      struct ates_words *words)
{
    struct collector collector;
    collector.arena = arena;
    collector.count = 0;
    memset(collector.slots, 0, sizeof collector.slots);

    for (size_t i = 0; i < text_count; i++) {
        split(&collector, texts[i]);
    }
    qsort(collector.items, collector.count, sizeof collector.items[0], compare);
    words->count = collector.count;
    words->items =
        ates_arena_copy(arena, collector.items, collector.count * sizeof collector.items[0]);
}

/* Whether a word begins with prefix: the first one that is not below it does, if any does. */
static bool has_prefix(const struct ates_words *words, const struct ates_text *prefix)
{
    size_t low = 0, high = words->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compare(&words->items[middle], prefix) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < words->count && words->items[low].size >= prefix->size &&
           memcmp(words->items[low].data, prefix->data, prefix->size) == 0;
}

bool ates_words_match(const struct ates_words *words, const struct ates_words *query)
{
    for (size_t i = 0; i < query->count; i++) {
        if (!has_prefix(words, &query->items[i])) {
            return false;
        }
    }
    return true;
}
