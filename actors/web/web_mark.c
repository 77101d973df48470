/* Positions as ids; see web_mark.h. */
#include "web/web_mark.h"

#include <stdio.h>
#include <string.h>

/* Takes characters of a set: at least one, at most max. Returns how many; 0 where that fails. */
static size_t span(struct ates_text text, const char *set, size_t max)
{
    size_t size = 0;

    while (size < text.size && text.data[size] != '\0' && strchr(set, text.data[size]) != NULL) {
        size++;
    }
    return size <= max ? size : 0;
}

static void skip(struct ates_text *text, size_t size)
{
    text->data += size;
    text->size -= size;
}

static bool take(struct ates_text *text, char c)
{
    if (text->size == 0 || text->data[0] != c) {
        return false;
    }
    skip(text, 1);
    return true;
}

/* A number as it is written here: no sign, no zero before it, not above ATES_INTEGER_MAX. */
static bool take_seq(struct ates_text *text, uint64_t *seq)
{
    const size_t size = span(*text, "0123456789", 16);
    uint64_t value = 0;

    for (size_t i = 0; i < size; i++) {
        value = 10 * value + (uint64_t)(text->data[i] - '0');
    }
    if (size == 0 || (text->data[0] == '0' && size > 1) || value > ATES_INTEGER_MAX) {
        return false;
    }
    skip(text, size);
    *seq = value;
    return true;
}

static bool take_item(struct ates_text *text, struct web_mark *mark)
{
    const size_t size = span(*text, "abcdefghijklmnopqrstuvwxyz", WEB_MARK_NAME_MAX);

    if (size == 0 || mark->count == WEB_PRODUCERS_MAX) {
        return false;
    }
    char *producer = mark->items[mark->count].producer;
    memcpy(producer, text->data, size);
    producer[size] = '\0';
    for (size_t i = 0; i < mark->count; i++) {
        if (strcmp(mark->items[i].producer, producer) == 0) {
            return false;
        }
    }
    skip(text, size);
    return take(text, ':') && take_seq(text, &mark->items[mark->count++].seq);
}

int web_mark_parse(struct ates_text text, struct web_mark *mark)
{
    struct web_mark parsed = {.count = 0};

    if (span(text, "0123456789abcdef", text.size) != WEB_TAG_SIZE - 1) {
        return ATES_INVALID_ARGUMENT;
    }
    memcpy(parsed.tag, text.data, WEB_TAG_SIZE - 1);
    skip(&text, WEB_TAG_SIZE - 1);
    while (text.size > 0) {
        if (!take(&text, ',') || !take_item(&text, &parsed)) {
            return ATES_INVALID_ARGUMENT;
        }
    }
    *mark = parsed;
    return 0;
}

size_t web_mark_format(const struct web_mark *mark, char out[WEB_MARK_SIZE])
{
    size_t size = (size_t)snprintf(out, WEB_MARK_SIZE, "%s", mark->tag);

    for (size_t i = 0; i < mark->count; i++) {
        size += (size_t)snprintf(out + size, WEB_MARK_SIZE - size, ",%s:%llu",
                                 mark->items[i].producer, (unsigned long long)mark->items[i].seq);
    }
    return size;
}
