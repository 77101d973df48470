/* What decoding, checking and JSON share: where a value is, and whether it is within its field's
 * limits.
 *
 * The check functions return 0, or ATES_INVALID_ARGUMENT with FIELD_INVALID and the field's dotted
 * path in refusal (may be NULL). No message ever holds what a secret field held, not even its
 * length. */
#ifndef ATES_MESSAGE_CHECK_H
#define ATES_MESSAGE_CHECK_H

#include <ates/message.h>

#define ATES_NO_INDEX SIZE_MAX

/* Where a value is: a chain from the value to the message's top. */
struct ates_place {
    const struct ates_place *parent; /* NULL at the top */
    const struct ates_field *field;
    size_t index; /* in the field's list; ATES_NO_INDEX for the field itself */
};

/* A refusal that names the place: its message is the path, ": " and what format says. */
__attribute__((format(printf, 4, 5))) int ates_place_refuse(const struct ates_place *place,
                                                            struct ates_refusal *refusal,
                                                            const char *reason, const char *format,
                                                            ...);

/* A refusal that names a key which is no field, below parent (NULL at the top). */
int ates_place_refuse_key(const struct ates_place *parent, const void *key, size_t size,
                          struct ates_refusal *refusal, const char *reason, const char *what);

/* What kind of value was expected here and what came, in words: "a list". */
int ates_place_refuse_type(const struct ates_place *place, struct ates_refusal *refusal,
                           const char *got);

/* The words that this ENUM knows. */
int ates_place_refuse_word(const struct ates_place *place, struct ates_refusal *refusal);

/* How many maps and lists are around a value at this place. */
unsigned ates_place_depth(const struct ates_place *place);

int ates_check_text(const struct ates_place *place, struct ates_text text,
                    struct ates_refusal *refusal);
int ates_check_integer(const struct ates_place *place, int64_t value, struct ates_refusal *refusal);
/* The size of BYTES or a RAW, or the count of a LIST. */
int ates_check_size(const struct ates_place *place, size_t size, struct ates_refusal *refusal);
/* A RAW's whole content. */
int ates_check_raw(const struct ates_place *place, struct ates_bytes raw,
                   struct ates_refusal *refusal);

/* An ENUM's index for a word, or -EINVAL; and its word for an index, or NULL. */
int ates_field_index(const struct ates_field *field, const char *word, size_t size);
const char *ates_field_word(const struct ates_field *field, int index);

/* The size of one item of a LIST in memory. */
size_t ates_field_item_size(const struct ates_field *field);

/* Whether size bytes at key are this NUL-terminated name. */
static inline bool ates_name_is(const char *name, const char *key, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (name[i] != key[i] || name[i] == '\0') {
            return false;
        }
    }
    return name[size] == '\0';
}

#endif
