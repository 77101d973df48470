/* The independent reader; see event_chain.h. */
#include "support/event_chain.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include <msgpack.h>
#include <sodium.h>

#define HASH_SIZE 32u

static bool is_name(msgpack_object key, const char *name)
{
    return key.type == MSGPACK_OBJECT_STR && key.via.str.size == strlen(name) &&
           memcmp(key.via.str.ptr, name, key.via.str.size) == 0;
}

/* The value of a map's key; NIL where it is absent, EXT where it is there twice. */
static msgpack_object value_of(msgpack_object map, const char *name)
{
    msgpack_object found = {.type = MSGPACK_OBJECT_NIL};
    unsigned count = 0;

    for (uint32_t i = 0; i < map.via.map.size; i++) {
        if (is_name(map.via.map.ptr[i].key, name)) {
            found = map.via.map.ptr[i].val;
            count++;
        }
    }
    if (count > 1) {
        found.type = MSGPACK_OBJECT_EXT;
    }
    return found;
}

static bool is_text(msgpack_object value, const char *text)
{
    return is_name(value, text);
}

/* RFC 9562, section 5.7: 8-4-4-4-12 lower-case hex digits, version 7, variant 10. */
static bool is_uuid7(msgpack_object value)
{
    if (value.type != MSGPACK_OBJECT_STR || value.via.str.size != 36) {
        return false;
    }
    for (uint32_t i = 0; i < 36; i++) {
        const char c = value.via.str.ptr[i];
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? c != '-' : strchr("0123456789abcdef", c) == NULL) {
            return false;
        }
    }
    return value.via.str.ptr[14] == '7' && strchr("89ab", value.via.str.ptr[19]) != NULL;
}

static bool is_integer(msgpack_object value)
{
    return value.type == MSGPACK_OBJECT_POSITIVE_INTEGER ||
           value.type == MSGPACK_OBJECT_NEGATIVE_INTEGER;
}

/* A cause names a command, or a followed event, and nothing that PROTOCOL.md does not. */
static const char *check_cause(msgpack_object cause)
{
    if (cause.type == MSGPACK_OBJECT_NIL) {
        return NULL;
    }
    if (cause.type != MSGPACK_OBJECT_MAP) {
        return "cause is no map";
    }
    for (uint32_t i = 0; i < cause.via.map.size; i++) {
        const msgpack_object key = cause.via.map.ptr[i].key;
        const msgpack_object value = cause.via.map.ptr[i].val;
        const bool is_number = is_name(key, "user_id") || is_name(key, "seq");

        if (!is_number && !is_name(key, "command") && !is_name(key, "request_id") &&
            !is_name(key, "producer")) {
            return "cause has an unknown key";
        }
        if (value.type != (is_number ? MSGPACK_OBJECT_POSITIVE_INTEGER : MSGPACK_OBJECT_STR)) {
            return "cause has a value of another type";
        }
    }
    return NULL;
}

static const char *check_keys(msgpack_object envelope)
{
    static const char *const names[] = {"event_id", "event_name", "event_version", "event_time",
                                        "producer", "log_id",     "seq",           "prev",
                                        "cause",    "data"};

    for (uint32_t i = 0; i < envelope.via.map.size; i++) {
        bool known = false;

        for (size_t j = 0; j < sizeof names / sizeof names[0]; j++) {
            known = known || is_name(envelope.via.map.ptr[i].key, names[j]);
        }
        if (!known) {
            return "an unknown key";
        }
    }
    return NULL;
}

static const char *check_values(const struct event_chain *chain, msgpack_object envelope)
{
    const msgpack_object version = value_of(envelope, "event_version");
    const msgpack_object time = value_of(envelope, "event_time");
    const msgpack_object seq = value_of(envelope, "seq");
    const msgpack_object prev = value_of(envelope, "prev");
    const msgpack_object name = value_of(envelope, "event_name");

    if (!is_uuid7(value_of(envelope, "event_id"))) {
        return "event_id is no UUIDv7";
    }
    if (name.type != MSGPACK_OBJECT_STR || name.via.str.size == 0) {
        return "no event_name";
    }
    if (version.type != MSGPACK_OBJECT_POSITIVE_INTEGER || version.via.u64 == 0) {
        return "no event_version";
    }
    if (!is_integer(time) || time.via.i64 < chain->time) {
        return "no event_time, or one before the last event's";
    }
    if (!is_text(value_of(envelope, "producer"), chain->producer)) {
        return "another producer";
    }
    if (!is_text(value_of(envelope, "log_id"), chain->log_id)) {
        return "another log_id";
    }
    if (seq.type != MSGPACK_OBJECT_POSITIVE_INTEGER || seq.via.u64 != chain->seq + 1) {
        return "seq is not the one after the last";
    }
    if (prev.type != MSGPACK_OBJECT_BIN || prev.via.bin.size != HASH_SIZE ||
        memcmp(prev.via.bin.ptr, chain->hash, HASH_SIZE) != 0) {
        return "prev is not the hash of the envelope before";
    }
    if (value_of(envelope, "data").type != MSGPACK_OBJECT_MAP) {
        return "data is no map";
    }
    return check_cause(value_of(envelope, "cause"));
}

void event_chain_begin(struct event_chain *chain, const char *producer, const char *log_id)
{
    assert(strlen(producer) < sizeof chain->producer && strlen(log_id) < sizeof chain->log_id);
    *chain = (struct event_chain){.seq = 0};
    strcpy(chain->producer, producer);
    strcpy(chain->log_id, log_id);
}

const char *event_chain_take(struct event_chain *chain, const void *envelope, size_t size)
{
    msgpack_unpacked unpacked;
    size_t offset = 0;
    const char *wrong = NULL;

    msgpack_unpacked_init(&unpacked);
    if (msgpack_unpack_next(&unpacked, envelope, size, &offset) != MSGPACK_UNPACK_SUCCESS ||
        offset != size) {
        wrong = "not one msgpack object";
    } else if (unpacked.data.type != MSGPACK_OBJECT_MAP) {
        wrong = "no map";
    } else {
        wrong = check_keys(unpacked.data);
        wrong = wrong != NULL ? wrong : check_values(chain, unpacked.data);
    }
    if (wrong == NULL) {
        chain->seq++;
        chain->time = value_of(unpacked.data, "event_time").via.i64;
        crypto_generichash(chain->hash, HASH_SIZE, envelope, size, NULL, 0);
    }
    msgpack_unpacked_destroy(&unpacked);
    return wrong;
}
