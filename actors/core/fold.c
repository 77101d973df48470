/* What a log record does to state: the domain's appliers, then core's own tables. Depends on the
 * record and the state alone, so that a replay gives the same state byte for byte. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/engine_private.h"
#include "core/requests.h"
#include "core/users.h"

int engine_fold_event(struct ates_engine *engine, const struct ates_event_type *type,
                      const struct ates_event *event, struct ates_bytes data)
{
    size_t index = 0;

    while (engine->types[index] != type) {
        index++;
    }
    if (engine->appliers[index] == NULL && type != &ates_user_known_event) {
        return 0;
    }
    void *decoded = ates_arena_alloc(engine->arena, type->data->size);
    if (ates_message_decode(type->data, data.data, data.size, ATES_UNKNOWN_IGNORED, engine->arena,
                            decoded, NULL) != 0) {
        return -EBADMSG;
    }
    int r = 0;
    if (type == &ates_user_known_event) {
        r = ates_users_apply_known(&engine->txn, event, decoded);
    }
    if (r == 0 && engine->appliers[index] != NULL) {
        r = engine->appliers[index](&engine->txn, event, decoded);
    }
    /* An applier that finds nothing where its handler found something is a broken fold, not a
     * refusal. */
    return r > 0 ? -EUCLEAN : r;
}

struct ates_key engine_dead_key(struct ates_text producer, uint64_t seq)
{
    struct ates_key key = {.size = 0};

    ates_key_add_bytes(&key, producer.data, producer.size);
    ates_key_add_u8(&key, 0);
    ates_key_add_u64(&key, seq);
    return key;
}

static int fold_dead(struct ates_txn *txn, const struct ates_record *record)
{
    const struct ates_dead *dead = &record->dead;
    const struct ates_dead_letter letter = {
        .id = record->number,
        .dead_at = record->time,
        .producer = dead->producer,
        .seq = dead->seq,
        .event_name = dead->event_name,
        .reason = dead->reason,
        .message = dead->message,
        .envelope = dead->envelope,
    };
    const struct ates_key key = engine_dead_key(dead->producer, dead->seq);

    return ates_put_message(txn, ATES_TABLE_DEAD_LETTERS, &key, &ates_dead_letter_message, &letter);
}

int engine_fold_core(struct ates_engine *engine, const struct ates_record *record)
{
    struct ates_txn *txn = &engine->txn;
    int r = 0;

    if (record->has_request_id || record->has_job_done) {
        r = ates_requests_fold(txn, record);
    }
    if (r == 0 && record->has_followed) {
        struct ates_key key = {.size = 0};

        ates_key_add_bytes(&key, record->followed.producer.data, record->followed.producer.size);
        r = ates_put_message(txn, ATES_TABLE_CURSORS, &key, &ates_followed_message,
                             &record->followed);
    }
    if (r == 0 && record->has_dead) {
        r = fold_dead(txn, record);
    }
    if (r == 0 && record->has_settled) {
        const struct ates_key key = engine_dead_key(record->settled.producer, record->settled.seq);

        r = ates_delete(txn, ATES_TABLE_DEAD_LETTERS, &key);
    }
    return r > 0 ? -EUCLEAN : r;
}

static int fold_envelope(struct ates_engine *engine, struct ates_bytes bytes)
{
    struct ates_envelope envelope;

    if (ates_message_decode(&ates_envelope_message, bytes.data, bytes.size, ATES_UNKNOWN_IGNORED,
                            engine->arena, &envelope, NULL) != 0) {
        return -EBADMSG;
    }
    const struct ates_event_type *type =
        ates_event_type(engine->domain->service, envelope.event_name, envelope.event_version);
    if (type == NULL) {
        return -EBADMSG;
    }
    const struct ates_event event = {
        .name = type->data->name,
        .seq = envelope.seq,
        .time = envelope.event_time,
        .user_id = envelope.has_cause && envelope.cause.has_user_id ? envelope.cause.user_id : 0,
    };
    return engine_fold_event(engine, type, &event, envelope.data);
}

int engine_fold_record(struct ates_engine *engine, const struct ates_record *record)
{
    const struct ates_bytes *events = record->events.items;
    const struct ates_private_event *privates = record->privates.items;
    int r = 0;

    for (size_t i = 0; r == 0 && i < record->events.count; i++) {
        r = fold_envelope(engine, events[i]);
    }
    for (size_t i = 0; r == 0 && i < record->privates.count; i++) {
        const struct ates_event_type *type =
            ates_event_type(engine->domain->service, privates[i].name, privates[i].version);
        const struct ates_event event = {
            .name = type != NULL ? type->data->name : NULL,
            .time = record->time,
            .user_id = record->has_user_id ? record->user_id : 0,
        };

        r = type != NULL ? engine_fold_event(engine, type, &event, privates[i].data) : -EBADMSG;
    }
    return r == 0 ? engine_fold_core(engine, record) : r;
}
