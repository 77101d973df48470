/* What the parts of the log share. */
#ifndef ATES_LOG_PRIVATE_H
#define ATES_LOG_PRIVATE_H

#include <endian.h>
#include <string.h>

#include "core/log.h"

struct ates_log {
    MDB_env *env;
    MDB_dbi table;
    size_t map_size;
    char id[ATES_UUID_SIZE];
    struct ates_log_head head;
    bool has_base;
    struct ates_base_note base;
    uint64_t damaged; /* the last record's number, where it does not decode */
};

/* The note as it is stored. */
struct stored_base {
    uint64_t number, seq;
    int64_t time;
    struct ates_bytes hash;
    uint64_t state_version;
    struct ates_bytes digest;
};
extern const struct ates_message stored_base_message;

struct log_key {
    uint8_t bytes[16];
};

static inline struct log_key log_key(uint64_t first_seq, uint64_t number)
{
    struct log_key key;
    const uint64_t big[2] = {htobe64(first_seq), htobe64(number)};

    memcpy(key.bytes, big, sizeof key.bytes);
    return key;
}

#endif
