/* Request targets. Invariant: every text that leaves here is UTF-8 without control characters and
 * decoded exactly once, so nobody behind needs to look at percent signs again. */
#include <string.h>

#include "core/text.h"
#include "web/web_uri.h"

/* What is being decoded: the bytes of one segment, name or value, and where they go. */
struct decoder {
    const char *at;
    const char *end;
    char *out; /* has room for as many bytes as are left to read */
    bool in_query;
    struct ates_refusal *refusal;
};

static int refuse(struct ates_refusal *refusal, const char *why)
{
    return ates_refusal_set(refusal, ATES_INVALID_ARGUMENT, "URI_INVALID", NULL,
                            "the request's target: %s", why);
}

/* RFC 3986: unreserved, sub-delims, ":" and "@" stand for themselves everywhere, "/" and "?" in a
 * query. "&" and "=" of a query were taken before. */
static bool stands_for_itself(char c, bool in_query)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~!$&'()*+,;=:@", c) != NULL) ||
           (in_query && (c == '/' || c == '?'));
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes one character after "%". */
static int decode_percent(struct decoder *self, char *out)
{
    const int high = self->end - self->at >= 3 ? hex_digit(self->at[1]) : -1;
    const int low = high >= 0 ? hex_digit(self->at[2]) : -1;

    if (low < 0) {
        return refuse(self->refusal, "\"%\" is not followed by two hexadecimal digits");
    }
    *out = (char)(high << 4 | low);
    if (*out == '/' && !self->in_query) {
        return refuse(self->refusal, "an encoded slash stands in its path");
    }
    self->at += 3;
    return 0;
}

/* Decodes all up to end into text. */
static int decode(struct decoder *self, struct ates_text *text)
{
    char *out = self->out;
    size_t characters;

    while (self->at < self->end) {
        const char c = *self->at;
        if (c == '%') {
            int r = decode_percent(self, out);
            if (r != 0) {
                return r;
            }
        } else if (stands_for_itself(c, self->in_query)) {
            *out = c == '+' && self->in_query ? ' ' : c;
            self->at++;
        } else {
            return refuse(self->refusal, "a character must be percent-encoded");
        }
        out++;
    }
    const struct ates_text made = {self->out, (size_t)(out - self->out)};
    /* Newlines and tabs too: no name that a client means has one. */
    if (ates_text_scan(made, ATES_RULE_LINE, &characters) != NULL) {
        return refuse(self->refusal, "it is no UTF-8, or holds a control character");
    }
    self->out = out;
    *text = made;
    return 0;
}

static bool is_dots(struct ates_text segment)
{
    return segment.size <= 2 && memcmp(segment.data, "..", segment.size) == 0;
}

static const char *find(const char *begin, const char *end, char c)
{
    const char *found = begin < end ? memchr(begin, c, (size_t)(end - begin)) : NULL;
    return found != NULL ? found : end;
}

/* begin is behind the first slash. */
static int parse_path(struct web_uri *uri, struct decoder *decoder, const char *begin,
                      const char *end)
{
    while (begin < end) {
        if (uri->segment_count == WEB_SEGMENTS_MAX) {
            return refuse(decoder->refusal, "its path has too many segments");
        }
        struct ates_text *segment = &uri->segments[uri->segment_count];
        decoder->at = begin;
        decoder->end = find(begin, end, '/');
        begin = decoder->end + 1;
        int r = decode(decoder, segment);
        if (r != 0) {
            return r;
        }
        if (is_dots(*segment)) { /* of no dots: an empty one */
            return refuse(decoder->refusal, "a segment of its path is empty, or . or ..");
        }
        uri->segment_count++;
    }
    return 0;
}

static int parse_pair(struct web_uri *uri, struct decoder *decoder, const char *begin,
                      const char *end)
{
    struct web_pair *pair = &uri->pairs[uri->pair_count];
    const char *equals = find(begin, end, '=');

    decoder->at = begin;
    decoder->end = equals;
    int r = decode(decoder, &pair->name);
    if (r == 0) {
        decoder->at = equals < end ? equals + 1 : end;
        decoder->end = end;
        r = decode(decoder, &pair->value);
    }
    if (r != 0) {
        return r;
    }
    if (pair->name.size == 0) {
        return refuse(decoder->refusal, "a parameter has no name");
    }
    for (size_t i = 0; i < uri->pair_count; i++) {
        if (ates_text_equal(uri->pairs[i].name, pair->name)) {
            return refuse(decoder->refusal, "a parameter is given twice");
        }
    }
    uri->pair_count++;
    return 0;
}

static int parse_query(struct web_uri *uri, struct decoder *decoder, const char *begin,
                       const char *end)
{
    for (;;) {
        const char *ampersand = find(begin, end, '&');
        if (uri->pair_count == WEB_PAIRS_MAX) {
            return refuse(decoder->refusal, "it has too many parameters");
        }
        int r = parse_pair(uri, decoder, begin, ampersand);
        if (r != 0 || ampersand == end) {
            return r;
        }
        begin = ampersand + 1;
    }
}

int web_uri_parse(struct ates_text target, struct ates_arena *arena, struct web_uri *uri,
                  struct ates_refusal *refusal)
{
    if (target.size == 0 || target.data[0] != '/') {
        return refuse(refusal, "it does not begin with a slash");
    }
    /* Decoding never makes longer, so one block takes both the target and its texts. */
    char *raw = ates_arena_alloc(arena, 2 * target.size);
    const char *end = memcpy(raw, target.data, target.size) + target.size;
    const char *question = find(raw, end, '?');
    struct web_uri made = {.raw = {raw, target.size}};
    struct decoder decoder = {.out = raw + target.size, .refusal = refusal};

    int r = parse_path(&made, &decoder, raw + 1, question);
    if (r == 0 && end - question > 1) { /* nothing may follow a question mark */
        decoder.in_query = true;
        r = parse_query(&made, &decoder, question + 1, end);
    }
    if (r == 0) {
        *uri = made;
    }
    return r;
}
