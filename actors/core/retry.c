/* A dead letter taken up again: its kept event goes the way of a followed one, within the command
 * that asks for it. Invariant: the letter goes with the one record that holds what the event did. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/engine_private.h"

static int find_letter(struct ates_call *call, const struct ates_retry_event *command,
                       struct ates_dead_letter *letter, struct ates_envelope *envelope)
{
    const struct ates_key key = engine_dead_key(command->producer, command->seq);
    int r = ates_get_message(call->txn, ATES_TABLE_DEAD_LETTERS, &key, &ates_dead_letter_message,
                             letter);

    if (r == 0 &&
        ates_message_decode(&ates_envelope_message, letter->envelope.data, letter->envelope.size,
                            ATES_UNKNOWN_IGNORED, call->arena, envelope, NULL) != 0) {
        r = -EBADMSG;
    }
    return r != ATES_NOT_FOUND
               ? r
               : (int)ates_refusal_set(&call->refusal, ATES_NOT_FOUND, "DEAD_LETTER_UNKNOWN", "seq",
                                       "there is no dead letter of this event");
}

/* Where a stream stopped: the event must be the next one, of the log that is followed. *is_taken: it
 * was applied already, as the stream went on since. */
static int find_place(struct ates_engine *self, struct ates_call *call,
                      const struct ates_dead_letter *letter, const struct ates_envelope *envelope,
                      bool *is_taken)
{
    struct ates_position position;
    char producer[65];

    snprintf(producer, sizeof producer, "%.*s", (int)letter->producer.size, letter->producer.data);
    int r = ates_engine_position(self, producer, &position);
    *is_taken = r == 0 && position.seq >= letter->seq;
    if (r != 0 || *is_taken) {
        return r;
    }
    if (position.seq + 1 != letter->seq ||
        (position.known && !ates_text_equal(envelope->log_id, ates_text_from(position.log_id))) ||
        memcmp(envelope->prev.data, position.hash, sizeof position.hash) != 0 ||
        envelope->log_id.size >= sizeof position.log_id) {
        return ates_refuse(call, ATES_FAILED_PRECONDITION, "EVENT_NOT_NEXT");
    }
    self->has_followed = true;
    self->followed_producer = letter->producer;
    self->followed = (struct ates_position){.known = true, .seq = letter->seq};
    memcpy(self->followed.log_id, envelope->log_id.data, envelope->log_id.size);
    ates_envelope_hash(letter->envelope.data, letter->envelope.size, self->followed.hash);
    return 0;
}

/* What the domain says to it, in words for who asked. */
static int tell(struct ates_call *call, int r)
{
    if (r == -EAGAIN) {
        return ates_refuse(call, ATES_UNAVAILABLE, "EVENT_TOO_EARLY");
    }
    if (r > 0) {
        engine_name_refusal(call, r);
        const struct ates_refusal why = call->refusal;

        return ates_refusal_set(&call->refusal, ATES_FAILED_PRECONDITION, "STILL_DEAD", NULL,
                                "it cannot be applied: %s%s%s", why.reason,
                                why.message[0] != '\0' ? ": " : "", why.message);
    }
    return r;
}

static int decide_retry(struct ates_call *call, const void *body)
{
    const struct ates_retry_event *command = body;
    struct ates_engine *self = call->engine;
    struct ates_dead_letter letter;
    struct ates_envelope envelope;
    bool is_taken = false;

    int r = find_letter(call, command, &letter, &envelope);
    if (r == 0 && self->domain->stops_at_dead) {
        r = find_place(self, call, &letter, &envelope, &is_taken);
    }
    if (r != 0) {
        return r;
    }
    const struct ates_follow *follow =
        engine_find_follow(self->domain->follows, self->domain->follow_count, envelope.producer,
                           envelope.event_name, envelope.event_version);
    self->has_settled = true;
    self->settled = (struct ates_settled){letter.producer, letter.seq};
    self->steps = true; /* a job may have waited for it */
    if (follow == NULL || is_taken) {
        return 0; /* of no interest any more */
    }
    call->user = (struct ates_caller){.id = 0}; /* as when the event came */
    return tell(call, engine_decide_followed(self, follow, call, &envelope));
}

const struct ates_handler ates_retry_handler = {.command = "retry_event", .decide = decide_retry};
