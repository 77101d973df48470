/* Log records; see record.h. */
#include "core/record.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

static const struct ates_field ates_followed_fields[] = {
    {ATES_FIELD(ates_followed, producer), .type = ATES_TEXT, .max = 64},
    {ATES_FIELD(ates_followed, log_id), .type = ATES_TEXT, .max = 64},
    {ATES_FIELD(ates_followed, seq), .type = ATES_UINT},
    {ATES_FIELD(ates_followed, hash), .type = ATES_BYTES, .min = 32, .max = 32},
};
ATES_MESSAGE(ates_followed, "followed");

static const struct ates_field ates_private_event_fields[] = {
    {ATES_FIELD(ates_private_event, name), .type = ATES_TEXT, .max = 64},
    {ATES_FIELD(ates_private_event, version), .type = ATES_UINT},
    {ATES_FIELD(ates_private_event, data), .type = ATES_RAW},
};
static ATES_MESSAGE(ates_private_event, "private_event");

static const struct ates_field ates_dead_fields[] = {
    {ATES_FIELD(ates_dead, producer), .type = ATES_TEXT, .max = 64},
    {ATES_FIELD(ates_dead, seq), .type = ATES_UINT},
    {ATES_FIELD(ates_dead, event_name), .type = ATES_TEXT, .max = 64},
    {ATES_FIELD(ates_dead, reason), .type = ATES_TEXT, .max = 64},
    {ATES_FIELD(ates_dead, message), .type = ATES_TEXT, .max = 512},
    {ATES_FIELD(ates_dead, envelope), .type = ATES_BYTES},
};
static ATES_MESSAGE(ates_dead, "dead");

static const struct ates_field ates_settled_fields[] = {
    {ATES_FIELD(ates_settled, producer), .type = ATES_TEXT, .max = 64},
    {ATES_FIELD(ates_settled, seq), .type = ATES_UINT, .min = 1},
};
static ATES_MESSAGE(ates_settled, "settled");

static const struct ates_field ates_record_fields[] = {
    {ATES_FIELD(ates_record, number), .type = ATES_UINT, .min = 1},
    {ATES_FIELD(ates_record, time), .type = ATES_INT},
    {ATES_FIELD(ates_record, first_seq), .type = ATES_UINT, .min = 1},
    {ATES_FIELD(ates_record, head), .type = ATES_BYTES, .min = 32, .max = 32},
    {ATES_OPTIONAL(ates_record, user_id), .type = ATES_UINT},
    {ATES_OPTIONAL(ates_record, command), .type = ATES_TEXT, .max = 64},
    {ATES_OPTIONAL(ates_record, request_id), .type = ATES_TEXT, .max = 64},
    {ATES_OPTIONAL(ates_record, fingerprint), .type = ATES_BYTES, .min = 16, .max = 16},
    {ATES_OPTIONAL(ates_record, reply), .type = ATES_RAW},
    {ATES_OPTIONAL(ates_record, job), .type = ATES_UINT},
    {ATES_OPTIONAL(ates_record, job_done), .type = ATES_UINT},
    {ATES_OPTIONAL(ates_record, followed), .type = ATES_STRUCT, .message = &ates_followed_message},
    {ATES_FIELD(ates_record, events), .type = ATES_LIST, .item = ATES_BYTES},
    {ATES_FIELD(ates_record, privates), .type = ATES_LIST, .item = ATES_STRUCT,
     .message = &ates_private_event_message},
    {ATES_OPTIONAL(ates_record, dead), .type = ATES_STRUCT, .message = &ates_dead_message},
    {ATES_OPTIONAL(ates_record, settled), .type = ATES_STRUCT, .message = &ates_settled_message},
};
ATES_MESSAGE(ates_record, "record");

static const uint8_t check_key[crypto_shorthash_KEYBYTES];

void ates_stored_encode(const struct ates_message *message, const void *value,
                        struct ates_buffer *out)
{
    uint8_t check[crypto_shorthash_BYTES];
    const size_t start = out->size;

    ates_message_encode(message, value, out);
    crypto_shorthash(check, out->data + start, out->size - start, check_key);
    ates_buffer_append(out, check, sizeof check);
}

int ates_stored_decode(const struct ates_message *message, const void *data, size_t size,
                       struct ates_arena *arena, void *value)
{
    uint8_t check[crypto_shorthash_BYTES];

    if (size < sizeof check) {
        return -EBADMSG;
    }
    size -= sizeof check;
    crypto_shorthash(check, data, size, check_key);
    if (memcmp(check, (const uint8_t *)data + size, sizeof check) != 0) {
        return -EBADMSG;
    }
    return ates_message_decode(message, data, size, ATES_UNKNOWN_IGNORED, arena, value, NULL) == 0
               ? 0
               : -EBADMSG;
}

void ates_record_encode(const struct ates_record *record, struct ates_buffer *out)
{
    ates_stored_encode(&ates_record_message, record, out);
}

int ates_record_decode(const void *data, size_t size, struct ates_arena *arena,
                       struct ates_record *record)
{
    return ates_stored_decode(&ates_record_message, data, size, arena, record);
}

void ates_envelope_hash(const void *envelope, size_t size, uint8_t hash[ATES_HASH_SIZE])
{
    crypto_generichash(hash, ATES_HASH_SIZE, envelope, size, NULL, 0);
}
