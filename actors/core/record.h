/* A log record: everything that one command, one followed event or one step of a job did. The log
 * is the truth; state is the fold of its records and nothing else.
 *
 * Stored as the encoded message followed by an 8-byte SipHash-2-4 of it (zero key), which finds
 * flipped bytes, not forgers. */
#ifndef ATES_RECORD_H
#define ATES_RECORD_H

#include <ates/service.h>

#include "core/random.h"

#define ATES_HASH_SIZE 32u /* BLAKE2b-256 of an envelope */
#define ATES_FINGERPRINT_SIZE 16u

/* Which followed event a record took in: the follower's cursor after it. */
struct ates_followed {
    struct ates_text producer;
    struct ates_text log_id;
    uint64_t seq;
    struct ates_bytes hash;
};

/* The same where it is kept in memory. */
struct ates_position {
    bool known; /* false: nothing was followed yet */
    char log_id[ATES_UUID_SIZE];
    uint64_t seq;
    uint8_t hash[ATES_HASH_SIZE];
};

/* An event kept in the log only. */
struct ates_private_event {
    struct ates_text name;
    uint64_t version;
    struct ates_bytes data;
};

/* A followed event that could not be applied. Where the record has no `followed`, the stream
 * stopped there. */
struct ates_dead {
    struct ates_text producer;
    uint64_t seq;
    struct ates_text event_name;
    struct ates_text reason;
    struct ates_text message;
    struct ates_bytes envelope;
};

/* A dead letter that is none any more, as its event was applied after all. */
struct ates_settled {
    struct ates_text producer;
    uint64_t seq;
};

struct ates_record {
    uint64_t number;    /* 1, 2, 3 ... without gaps */
    int64_t time;       /* Unix ms, never less than the record's before */
    uint64_t first_seq; /* of its first event; where it has none, of the next event to come */
    /* Hash of the log's last envelope after this record; zeros before the first. */
    struct ates_bytes head;
    bool has_user_id;
    uint64_t user_id; /* who called; absent where nobody did */
    bool has_command;
    struct ates_text command;
    bool has_request_id;
    struct ates_text request_id;
    bool has_fingerprint;
    struct ates_bytes fingerprint; /* of command and body, keyed */
    bool has_reply;
    struct ates_bytes reply; /* the encoded result of an OK reply */
    bool has_job;
    uint64_t job; /* the reply comes when this job is done */
    bool has_job_done;
    uint64_t job_done; /* reply is the one that job's callers wait for */
    bool has_followed;
    struct ates_followed followed;
    struct ates_list events;   /* struct ates_bytes: envelopes with dense seq from first_seq */
    struct ates_list privates; /* struct ates_private_event, applied after the events */
    bool has_dead;
    struct ates_dead dead;
    bool has_settled;
    struct ates_settled settled;
};
extern const struct ates_message ates_record_message, ates_followed_message;

/* The seq of the log's head after this record. */
static inline uint64_t ates_record_last_seq(const struct ates_record *record)
{
    return record->first_seq + record->events.count - 1;
}

/* The stored form of any message of the log's. Decoding: texts and bytes point into data; -EBADMSG
 * where it is damaged. */
void ates_stored_encode(const struct ates_message *message, const void *value,
                        struct ates_buffer *out);
int ates_stored_decode(const struct ates_message *message, const void *data, size_t size,
                       struct ates_arena *arena, void *value);

/* Appends the record's stored form to out. */
void ates_record_encode(const struct ates_record *record, struct ates_buffer *out);

/* Decodes a stored record; texts and bytes point into data. -EBADMSG where it is damaged. */
int ates_record_decode(const void *data, size_t size, struct ates_arena *arena,
                       struct ates_record *record);

/* BLAKE2b-256 of an envelope's bytes. */
void ates_envelope_hash(const void *envelope, size_t size, uint8_t hash[ATES_HASH_SIZE]);

#endif
