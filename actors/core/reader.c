/* The bounded msgpack reader. Format: github.com/msgpack/msgpack, spec.md. Invariant: `at` never
 * passes `end`, and a size or count is handed out only after it was held against what is left. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "core/reader.h"
#include "core/text.h"

static const char too_short[] = "it ends in the middle of a value";
static const char too_deep[] = "maps and lists are nested more than 8 deep";

const char *ates_kind_name(enum ates_kind kind)
{
    static const char *const names[] = {
        [ATES_KIND_NIL] = "nil",
        [ATES_KIND_BOOL] = "a boolean",
        [ATES_KIND_INTEGER] = "an integer",
        [ATES_KIND_HUGE] = "an integer beyond 2^53-1",
        [ATES_KIND_FLOAT] = "a floating-point number",
        [ATES_KIND_TEXT] = "a text",
        [ATES_KIND_BYTES] = "bytes",
        [ATES_KIND_LIST] = "a list",
        [ATES_KIND_MAP] = "a map",
        [ATES_KIND_EXTENSION] = "an extension type",
    };
    return names[kind];
}

/* Reads a big-endian number of 1, 2, 4 or 8 bytes. */
static bool take_number(struct ates_reader *self, size_t width, uint64_t *number)
{
    uint16_t two;
    uint32_t four;
    uint64_t eight;

    if (width > (size_t)(self->end - self->at)) {
        return false;
    }
    switch (width) {
    case 1:
        *number = *self->at;
        break;
    case 2:
        memcpy(&two, self->at, sizeof two);
        *number = be16toh(two);
        break;
    case 4:
        memcpy(&four, self->at, sizeof four);
        *number = be32toh(four);
        break;
    default:
        memcpy(&eight, self->at, sizeof eight);
        *number = be64toh(eight);
        break;
    }
    self->at += width;
    return true;
}

static const char *take_content(struct ates_reader *self, struct ates_token *token,
                                enum ates_kind kind, uint64_t size)
{
    if (size > (uint64_t)(self->end - self->at)) {
        return too_short;
    }
    token->kind = kind;
    token->data = self->at;
    token->size = (size_t)size;
    self->at += size;
    return NULL;
}

/* An item takes at least one byte, a pair two. */
static const char *take_container(struct ates_reader *self, struct ates_token *token,
                                  enum ates_kind kind, uint64_t count)
{
    const uint64_t left = (uint64_t)(self->end - self->at);

    if (count > (kind == ATES_KIND_MAP ? left / 2 : left)) {
        return too_short;
    }
    if (self->depth >= ATES_NESTING_MAX) {
        return too_deep;
    }
    token->kind = kind;
    token->size = (size_t)count;
    return NULL;
}

static const char *set_integer(struct ates_token *token, int64_t value)
{
    token->kind = value >= -ATES_INTEGER_MAX && value <= ATES_INTEGER_MAX ? ATES_KIND_INTEGER
                                                                          : ATES_KIND_HUGE;
    token->integer = value;
    return NULL;
}

static const char *take_unsigned(struct ates_reader *self, struct ates_token *token, size_t width)
{
    uint64_t number;

    if (!take_number(self, width, &number)) {
        return too_short;
    }
    return set_integer(token, number > INT64_MAX ? INT64_MAX : (int64_t)number);
}

static const char *take_signed(struct ates_reader *self, struct ates_token *token, size_t width)
{
    uint64_t number;

    if (!take_number(self, width, &number)) {
        return too_short;
    }
    const unsigned unused = 64u - 8u * (unsigned)width;
    return set_integer(token, (int64_t)(number << unused) >> unused);
}

static const char *take_sized(struct ates_reader *self, struct ates_token *token,
                              enum ates_kind kind, size_t width)
{
    uint64_t size;

    if (!take_number(self, width, &size)) {
        return too_short;
    }
    return kind == ATES_KIND_LIST || kind == ATES_KIND_MAP ? take_container(self, token, kind, size)
                                                           : take_content(self, token, kind, size);
}

/* The heads from 0xc0 to 0xdf. */
static const char *take_rest(struct ates_reader *self, struct ates_token *token, uint8_t head)
{
    switch (head) {
    case 0xc0:
        token->kind = ATES_KIND_NIL;
        return NULL;
    case 0xc2:
    case 0xc3:
        token->kind = ATES_KIND_BOOL;
        token->integer = head & 1;
        return NULL;
    case 0xc4:
    case 0xc5:
    case 0xc6:
        return take_sized(self, token, ATES_KIND_BYTES, (size_t)1 << (head - 0xc4));
    case 0xca:
    case 0xcb:
        return take_content(self, token, ATES_KIND_FLOAT, (size_t)4 << (head - 0xca));
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
        return take_unsigned(self, token, (size_t)1 << (head - 0xcc));
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
        return take_signed(self, token, (size_t)1 << (head - 0xd0));
    case 0xd9:
    case 0xda:
    case 0xdb:
        return take_sized(self, token, ATES_KIND_TEXT, (size_t)1 << (head - 0xd9));
    case 0xdc:
    case 0xdd:
        return take_sized(self, token, ATES_KIND_LIST, (size_t)2 << (head - 0xdc));
    case 0xde:
    case 0xdf:
        return take_sized(self, token, ATES_KIND_MAP, (size_t)2 << (head - 0xde));
    case 0xc1:
        return "it is not msgpack";
    default: /* 0xc7 to 0xc9 and 0xd4 to 0xd8 */
        token->kind = ATES_KIND_EXTENSION;
        return NULL;
    }
}

const char *ates_reader_next(struct ates_reader *self, struct ates_token *token)
{
    if (self->at == self->end) {
        return too_short;
    }
    const uint8_t head = *self->at++;

    if (head < 0x80) {
        return set_integer(token, head);
    }
    if (head < 0x90) {
        return take_container(self, token, ATES_KIND_MAP, head & 0x0fu);
    }
    if (head < 0xa0) {
        return take_container(self, token, ATES_KIND_LIST, head & 0x0fu);
    }
    if (head < 0xc0) {
        return take_content(self, token, ATES_KIND_TEXT, head & 0x1fu);
    }
    if (head >= 0xe0) {
        return set_integer(token, (int8_t)head);
    }
    return take_rest(self, token, head);
}

const char *ates_reader_key(struct ates_reader *self, struct ates_token *token)
{
    const char *fault = ates_reader_next(self, token);

    if (fault == NULL && token->kind != ATES_KIND_TEXT) {
        fault = "a map's key is not a text";
    }
    return fault;
}

static const char *skip_list(struct ates_reader *self, size_t count)
{
    const char *fault = NULL;
    struct ates_token token;

    self->depth++;
    for (size_t i = 0; i < count && fault == NULL; i++) {
        fault = ates_reader_next(self, &token);
        if (fault == NULL) {
            fault = ates_reader_skip(self, &token);
        }
    }
    self->depth--;
    return fault;
}

static const char *skip_pair(struct ates_reader *self, struct ates_keys *keys)
{
    struct ates_token token;

    const char *fault = ates_reader_key(self, &token);
    if (fault != NULL) {
        return fault;
    }
    if (!ates_utf8_valid(token.data, token.size)) {
        return "a map's key is not valid UTF-8";
    }
    if (!ates_keys_add(keys, token.data, token.size)) {
        return "a map has a key twice";
    }
    fault = ates_reader_next(self, &token);
    return fault != NULL ? fault : ates_reader_skip(self, &token);
}

static const char *skip_map(struct ates_reader *self, size_t count)
{
    const char *fault = NULL;
    struct ates_keys keys;

    keys.count = 0;
    keys.capacity = 0;
    keys.many = NULL;
    self->depth++;
    for (size_t i = 0; i < count && fault == NULL; i++) {
        fault = skip_pair(self, &keys);
    }
    self->depth--;
    if (!ates_keys_close(&keys, NULL) && fault == NULL) {
        fault = "a map has a key twice";
    }
    return fault;
}

const char *ates_reader_skip(struct ates_reader *self, const struct ates_token *token)
{
    switch (token->kind) {
    case ATES_KIND_NIL:
    case ATES_KIND_BOOL:
    case ATES_KIND_INTEGER:
    case ATES_KIND_BYTES:
        return NULL;
    case ATES_KIND_TEXT:
        return ates_utf8_valid(token->data, token->size) ? NULL : "a text is not valid UTF-8";
    case ATES_KIND_LIST:
        return skip_list(self, token->size);
    case ATES_KIND_MAP:
        return skip_map(self, token->size);
    case ATES_KIND_HUGE:
        return "an integer is beyond 2^53-1";
    case ATES_KIND_FLOAT:
        return "floating-point numbers are not allowed";
    case ATES_KIND_EXTENSION:
        break;
    }
    return "extension types are not allowed";
}

static int compare_keys(const void *left, const void *right)
{
    const struct ates_text *a = left;
    const struct ates_text *b = right;

    if (a->size != b->size) {
        return a->size < b->size ? -1 : 1;
    }
    return a->size == 0 ? 0 : memcmp(a->data, b->data, a->size);
}

static void grow_keys(struct ates_keys *self)
{
    const size_t few = sizeof self->few / sizeof self->few[0];
    const size_t capacity = self->capacity == 0 ? 4 * few : 2 * self->capacity;
    struct ates_text *many = reallocarray(self->many, capacity, sizeof *many);

    if (many == NULL) {
        abort();
    }
    if (self->capacity == 0) {
        memcpy(many, self->few, sizeof self->few);
    }
    self->many = many;
    self->capacity = capacity;
}

/* A few keys are compared with each other at once; many are sorted in the end. */
bool ates_keys_add(struct ates_keys *self, const void *data, size_t size)
{
    const struct ates_text key = {data, size};

    if (self->count < sizeof self->few / sizeof self->few[0]) {
        for (size_t i = 0; i < self->count; i++) {
            if (ates_text_equal(self->few[i], key)) {
                return false;
            }
        }
        self->few[self->count++] = key;
        return true;
    }
    if (self->count >= self->capacity) {
        grow_keys(self);
    }
    self->many[self->count++] = key;
    return true;
}

bool ates_keys_close(struct ates_keys *self, struct ates_text *twice)
{
    bool different = true;

    if (self->many != NULL) {
        qsort(self->many, self->count, sizeof *self->many, compare_keys);
        for (size_t i = 1; i < self->count && different; i++) {
            different = compare_keys(&self->many[i - 1], &self->many[i]) != 0;
            if (!different && twice != NULL) {
                *twice = self->many[i];
            }
        }
        free(self->many);
    }
    self->count = 0;
    self->capacity = 0;
    self->many = NULL;
    return different;
}
