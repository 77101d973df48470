/* Messages: a command, a result or an event is a C struct with a static table of its fields. The
 * one table drives decoding, validation, encoding, arguments, JSON and documents; there is no
 * second list.
 *
 * On the wire a message is a msgpack map with string keys (PROTOCOL.md section 1). Decoding is
 * bounded: it allocates from an arena only (and, for a map of more than 16 unknown keys, scratch
 * that is freed again), never more than the bytes that are there justify, and refuses by field
 * name. */
#ifndef ATES_MESSAGE_H
#define ATES_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ates/status.h>

#pragma GCC visibility push(default)

#define ATES_FRAME_MAX (256u * 1024u)             /* bytes in one frame */
#define ATES_LIST_MAX 100000                      /* items, where the table sets no limit */
#define ATES_NESTING_MAX 8                        /* maps and arrays within each other */
#define ATES_INTEGER_MAX ((INT64_C(1) << 53) - 1) /* what every language's number can hold */

enum ates_type {
    ATES_BOOL = 1, /* C type bool */
    ATES_UINT,     /* uint64_t */
    ATES_INT,      /* int64_t */
    ATES_ENUM,     /* int: index into .names; a string on the wire */
    ATES_TEXT,     /* struct ates_text: valid UTF-8, not NUL-terminated */
    ATES_BYTES,    /* struct ates_bytes: msgpack bin */
    ATES_RAW, /* struct ates_bytes: one whole encoded msgpack map, carried unopened but checked */
    ATES_STRUCT, /* the nested struct of .message, in place; a map on the wire */
    ATES_LIST    /* struct ates_list of .item; an array on the wire */
};

/* What a text may hold beyond its length. */
enum ates_rule {
    ATES_RULE_TEXT,  /* no control characters but newline and tab */
    ATES_RULE_LINE,  /* no control characters at all */
    ATES_RULE_ASCII, /* printable ASCII, 0x20..0x7e */
    ATES_RULE_LOGIN, /* A-Z a-z 0-9 . _ - */
    ATES_RULE_EMAIL, /* one @ with something on both sides, no control characters, no spaces */
    ATES_RULE_DATE,  /* YYYY-MM-DD, a day that exists, of the years 1970 to 9999 */
    ATES_RULE_TITLE, /* as TEXT, without [ and ]: an issue's id has a field of its own */
    ATES_RULE_ISSUE  /* a tracker's id of an issue, PROJECT-123: A-Z, then A-Z 0-9 _; a number */
};

/* What a number counts; what PROTOCOL.md section 6 says of such fields. */
enum ates_unit {
    ATES_UNIT_NONE,
    ATES_UNIT_ID,          /* of a user, a task, a mail: from 1 */
    ATES_UNIT_CENTS,       /* money */
    ATES_UNIT_TIME,        /* Unix time in milliseconds */
    ATES_UNIT_MILLISECONDS /* a duration */
};

struct ates_text {
    const char *data;
    size_t size; /* bytes */
};

struct ates_bytes {
    const uint8_t *data;
    size_t size;
};

struct ates_list {
    void *items; /* an array of count: structs of .message, or struct ates_bytes / ates_text /
                    uint64_t */
    size_t count;
};

struct ates_message;

struct ates_field {
    const char *name;
    enum ates_type type;
    uint32_t offset;  /* of the value in the struct */
    uint32_t present; /* of the bool that tells whether an optional field is there; see optional */
    bool optional;
    bool secret; /* a password or token: never printed or logged */
    enum ates_rule rule;
    enum ates_unit unit;      /* of a UINT or INT, or of a list's */
    enum ates_type item;      /* of a list: ATES_STRUCT, ATES_BYTES, ATES_TEXT or ATES_UINT */
    int64_t min;              /* UINT, INT: value; TEXT: characters (EMAIL: bytes); BYTES, RAW:
                                 bytes; LIST: items. An INT with min and max 0 has no limits */
    int64_t max;              /* the same; 0 stands for ATES_INTEGER_MAX, in a LIST for
                                 ATES_LIST_MAX, elsewhere for what a frame holds */
    const char *const *names; /* of an ENUM, NULL at the end; an enum that starts at 1 has a
                                 NULL at 0 too */
    const struct ates_message *message; /* of a STRUCT, or of a LIST's items */
    const char *summary;                /* one phrase for help and documents; may be NULL */
};

struct ates_message {
    const char *name; /* for example "create_task", "task_created" */
    const struct ates_field *fields;
    size_t count;
    size_t size; /* of the C struct */
};

/* The first members of a field's initializer: ATES_FIELD(tasks_task, name) names the wire field and
 * the struct's member alike. An optional one has a companion member `bool has_NAME`. */
#define ATES_FIELD(TYPE, NAME) .name = #NAME, .offset = (uint32_t)offsetof(struct TYPE, NAME)
#define ATES_OPTIONAL(TYPE, NAME)                                                                  \
    ATES_FIELD(TYPE, NAME), .optional = true, .present = (uint32_t)offsetof(struct TYPE, has_##NAME)

/* The message NAME_message of struct NAME, made from the array NAME_fields; WORD is its wire name.
 */
#define ATES_MESSAGE(NAME, WORD)                                                                   \
    const struct ates_message NAME##_message = {.name = WORD,                                      \
                                                .fields = NAME##_fields,                           \
                                                .count = sizeof NAME##_fields /                    \
                                                         sizeof NAME##_fields[0],                  \
                                                .size = sizeof(struct NAME)}

/* A bump allocator: what is taken from it is freed all at once by ates_arena_reset. */
struct ates_arena;
struct ates_arena *ates_arena_new(void);        /* never NULL, as alloc */
void ates_arena_free(struct ates_arena **self); /* NULL-safe, sets *self to NULL */
void ates_arena_reset(struct ates_arena *self);
/* Zeroed and aligned for any type, valid until reset. Never NULL: out of memory ends the process,
 * as its sizes are bounded by what was already received. */
void *ates_arena_alloc(struct ates_arena *self, size_t size);
void *ates_arena_copy(struct ates_arena *self, const void *data, size_t size);
/* Bytes taken since the last reset. */
size_t ates_arena_size(const struct ates_arena *self);

/* Bytes that grow; {0} is an empty one. */
struct ates_buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
};
void ates_buffer_append(struct ates_buffer *self, const void *data, size_t size);
void ates_buffer_release(struct ates_buffer *self); /* frees the bytes, leaves an empty one */

/* How to take fields that the table does not know: a service refuses them in commands, a consumer
 * ignores them in events, results and stored records (PROTOCOL.md section 3). */
enum ates_unknown { ATES_UNKNOWN_REFUSED, ATES_UNKNOWN_IGNORED };

/* Decodes one map of size bytes into out (message->size bytes, untouched unless 0 is returned).
 * Texts, bytes and raws point into data; lists are taken from arena. Returns 0, or
 * ATES_INVALID_ARGUMENT with reason FIELD_MISSING, FIELD_INVALID, FIELD_UNKNOWN, FIELD_DUPLICATE
 * (field named by its dotted path, items[3].name) or BODY_INVALID (not a msgpack map within the
 * limits) in refusal (may be NULL). */
int ates_message_decode(const struct ates_message *message, const void *data, size_t size,
                        enum ates_unknown unknown, struct ates_arena *arena, void *out,
                        struct ates_refusal *refusal);

/* Appends the encoded map to out; absent optional fields are left out. The value is the program's
 * own, so it is not checked here. */
void ates_message_encode(const struct ates_message *message, const void *value,
                         struct ates_buffer *out);

/* Checks a value that did not come through decode (a command line's, a handler's): same refusals.
 */
int ates_message_check(const struct ates_message *message, const void *value,
                       struct ates_refusal *refusal);

/* Checks one field's text against its rule and length. Same refusals. */
int ates_text_check(const struct ates_field *field, struct ates_text text,
                    struct ates_refusal *refusal);

/* The field with this name, or NULL. */
const struct ates_field *ates_message_field(const struct ates_message *message, const char *name,
                                            size_t name_size);

static inline struct ates_text ates_text_from(const char *string)
{
    return (struct ates_text){string, __builtin_strlen(string)};
}

static inline bool ates_text_equal(struct ates_text a, struct ates_text b)
{
    return a.size == b.size && (a.size == 0 || __builtin_memcmp(a.data, b.data, a.size) == 0);
}

#pragma GCC visibility pop

#endif
