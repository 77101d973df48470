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
