/* A bounded msgpack reader: one pass over bytes from outside, value by value, no tree.
 *
 * Invariant: it never reads outside of its bytes, and every length and count it hands out is one
 * that the remaining bytes can hold, so nobody reserves more than what was received justifies. */
#ifndef ATES_READER_H
#define ATES_READER_H

#include <ates/message.h>

enum ates_kind {
    ATES_KIND_NIL,
    ATES_KIND_BOOL,
    ATES_KIND_INTEGER,
    ATES_KIND_HUGE, /* an integer beyond +-ATES_INTEGER_MAX */
    ATES_KIND_FLOAT,
    ATES_KIND_TEXT,
    ATES_KIND_BYTES,
    ATES_KIND_LIST,
    ATES_KIND_MAP,
    ATES_KIND_EXTENSION
};

struct ates_token {
    enum ates_kind kind;
    int64_t integer;     /* a BOOL's or INTEGER's value */
    const uint8_t *data; /* of a TEXT or BYTES */
    size_t size;         /* its bytes; items of a LIST, pairs of a MAP */
};

struct ates_reader {
    const uint8_t *at;
    const uint8_t *end;
    /* Maps and lists around `at`; whoever goes into one counts it up and down again. */
    unsigned depth;
};

/* Reads one value's head, and a text's or bytes' content with it. HUGE, FLOAT and EXTENSION are for
 * the caller to refuse: the content of the last is left unread. Returns NULL, or what is wrong. */
const char *ates_reader_next(struct ates_reader *self, struct ates_token *token);

/* Reads a map's next key into token: a text. Returns as ates_reader_next. */
const char *ates_reader_key(struct ates_reader *self, struct ates_token *token);

/* Goes over what belongs to a token just read, checking it by PROTOCOL.md section 1: string keys,
 * none twice in a map, valid UTF-8, integers in range, nesting. Returns as ates_reader_next. */
const char *ates_reader_skip(struct ates_reader *self, const struct ates_token *token);

/* The kind in words: "a text". */
const char *ates_kind_name(enum ates_kind kind);

/* The keys of one map, to find one that comes twice; {0} is an empty set. Cost is n log n for any
 * input. */
struct ates_keys {
    size_t count;
    size_t capacity; /* of many */
    struct ates_text *many;
    struct ates_text few[16];
};

/* Adds a key (not copied). Returns false where it is already known to be there. */
bool ates_keys_add(struct ates_keys *self, const void *data, size_t size);
/* Frees the set; returns whether all its keys were different, else with one that was there twice (twice may be
 * NULL). */
bool ates_keys_close(struct ates_keys *self, struct ates_text *twice);

#endif
