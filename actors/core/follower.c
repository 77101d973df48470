/* A follower; see follower.h. */
#include "core/follower_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/catalogue.h"
#include "core/journal.h"

#define READ_TIMEOUT_US 2000000
#define UNANSWERED_MAX 2u /* reads in a row, after which the connection is made anew */
#define BACKOFF_MAX_US 2000000
/* A producer announces its head once a second. Where not even that comes, its log is asked. */
#define QUIET_US 3000000

struct ates_follower *ates_follower_new(const struct ates_follower_sink *sink,
                                        struct ates_client *client, const char *producer)
{
    struct ates_follower *self = calloc(1, sizeof *self);

    if (self == NULL) {
        return NULL;
    }
    self->sink = *sink;
    self->client = client;
    self->producer = producer;
    self->arena = ates_arena_new();
    self->scratch = ates_arena_new();
    self->pipeline = ates_pipeline_new(client, producer);
    self->backoff_us = FOLLOWER_BACKOFF_MIN_US;
    if (self->pipeline == NULL || self->arena == NULL || self->scratch == NULL) {
        ates_follower_free(&self);
    }
    return self;
}

void ates_follower_free(struct ates_follower **follower)
{
    struct ates_follower *self = *follower;

    if (self != NULL) {
        ates_pipeline_free(&self->pipeline);
        ates_arena_free(&self->arena);
        ates_arena_free(&self->scratch);
        free(self);
        *follower = NULL;
    }
}

const char *ates_follower_producer(const struct ates_follower *self)
{
    return self->producer;
}

void *ates_follower_socket(struct ates_follower *self)
{
    return ates_pipeline_socket(self->pipeline);
}

int ates_follower_rewind(struct ates_follower *self)
{
    int r = self->sink.position(self->sink.context, self->producer, &self->position);

    self->settled = self->position.seq;
    self->asked = 0;
    self->event_count = self->next = 0;
    self->snapshot.is_read = false;
    self->behind = true;
    self->due_us = 0;
    self->heard_us = ates_monotonic_us();
    return r;
}

int ates_follower_resume(struct ates_follower *self)
{
    if (!self->stopped) {
        return 0;
    }
    self->stopped = false;
    self->head_seen = 0; /* the producer is asked anew */
    self->backoff_us = FOLLOWER_BACKOFF_MIN_US;
    return ates_follower_rewind(self);
}

void follower_back_off(struct ates_follower *self, int64_t now_us)
{
    self->asked = 0;
    self->event_count = self->next = 0;
    self->behind = true;
    self->due_us = now_us + self->backoff_us;
    self->backoff_us =
        self->backoff_us * 2 > BACKOFF_MAX_US ? BACKOFF_MAX_US : self->backoff_us * 2;
}

void follower_stop(struct ates_follower *self, uint64_t seq, const char *why)
{
    const struct ates_log_field fields[] = {{"producer", self->producer, 0},
                                            {"seq", NULL, (int64_t)seq},
                                            {"reason", why, 0},
                                            {NULL, NULL, 0}};

    if (self->sink.stopped != NULL) {
        self->sink.stopped(self->sink.context, self->producer, why);
    } else {
        ates_say(ATES_SAY_STREAM_STOPPED, self->sink.service, fields,
                 "following %s has stopped: %s; an operator must look", self->producer, why);
    }
    self->stopped = true;
    self->event_count = self->next = 0;
    self->asked = 0;
}

/* Whether an event or head is of the log that is followed; if not, the stream stops. */
static bool check_log(struct ates_follower *self, struct ates_text log_id, uint64_t seq)
{
    if (self->position.known && !ates_text_equal(log_id, ates_text_from(self->position.log_id))) {
        follower_stop(self, seq,
                      "another log_id: the producer's log is not the one followed before");
        return false;
    }
    return true;
}

/* Takes an envelope that is the next one. */
static int take_next(struct ates_follower *self, const struct ates_envelope *envelope,
                     struct ates_bytes bytes)
{
    struct ates_position position = {.known = true, .seq = envelope->seq};
    struct ates_refusal refusal = {.reason = ""};
    bool settled = false;

    if (envelope->log_id.size >= sizeof position.log_id) {
        follower_stop(self, envelope->seq, "a log_id that is none");
        return 0;
    }
    memcpy(position.log_id, envelope->log_id.data, envelope->log_id.size);
    ates_envelope_hash(bytes.data, bytes.size, position.hash);
    int r = self->sink.take(self->sink.context, envelope, bytes, &position, &settled, &refusal);
    if (r == ATES_FAILED_PRECONDITION) {
        follower_stop(self, envelope->seq, refusal.reason);
        return 0;
    }
    if (r < 0 && r != -EAGAIN && self->backoff_us < BACKOFF_MAX_US) {
        const struct ates_log_field fields[] = {{"error", strerror(-r), 0},
                                                {"producer", self->producer, 0},
                                                {"seq", NULL, (int64_t)envelope->seq},
                                                {NULL, NULL, 0}};

        ates_say(ATES_SAY_EVENT_FAILED, self->sink.service, fields,
                 "an event of %s could not be taken in", self->producer);
    }
    if (r == 0) {
        self->backoff_us =
            FOLLOWER_BACKOFF_MIN_US; /* not sooner: an event that cannot be taken is read all the same */
        self->position = position;
        if (settled) {
            self->settled = position.seq;
        }
    }
    return r;
}

/* An event that was taken already is dropped; the last one must be the very same. */
static void check_duplicate(struct ates_follower *self, uint64_t seq, struct ates_bytes bytes)
{
    uint8_t hash[ATES_HASH_SIZE];

    ates_envelope_hash(bytes.data, bytes.size, hash);
    if (seq == self->position.seq && memcmp(hash, self->position.hash, sizeof hash) != 0) {
        follower_stop(self, seq, "the producer's log has another event in this place");
    }
}

/* Takes one envelope, if it is the next; *gap where one before it is missing. */
static int take(struct ates_follower *self, struct ates_bytes bytes, bool *gap)
{
    struct ates_envelope envelope;

    *gap = false;
    ates_arena_reset(self->scratch);
    if (ates_message_decode(&ates_envelope_message, bytes.data, bytes.size, ATES_UNKNOWN_IGNORED,
                            self->scratch, &envelope, NULL) != 0 ||
        !ates_text_equal(envelope.producer, ates_text_from(self->producer))) {
        *gap = true; /* not an envelope of theirs: their log has the right one */
        return 0;
    }
    if (!check_log(self, envelope.log_id, envelope.seq)) {
        return 0;
    }
    self->head_seen = envelope.seq > self->head_seen ? envelope.seq : self->head_seen;
    if (envelope.seq <= self->position.seq) {
        check_duplicate(self, envelope.seq, bytes);
        return 0;
    }
    if (envelope.seq > self->position.seq + 1) {
        *gap = true;
        return 0;
    }
    if (memcmp(envelope.prev.data, self->position.hash, ATES_HASH_SIZE) != 0) {
        follower_stop(self, envelope.seq,
                      "the hash chain is broken: prev is not the hash of the event before");
        return 0;
    }
    return take_next(self, &envelope, bytes);
}

int ates_follower_live(struct ates_follower *self, struct ates_bytes envelope)
{
    bool gap;

    if (self->stopped || self->behind) {
        return 0; /* it will be read */
    }
    self->heard_us = ates_monotonic_us();
    int r = take(self, envelope, &gap);
    if (r != 0) {
        follower_back_off(self, ates_monotonic_us());
    } else if (gap) {
        self->behind = true;
        self->due_us = 0;
    }
    return r;
}

void ates_follower_head(struct ates_follower *self, struct ates_bytes bytes)
{
    struct ates_head head;

    ates_arena_reset(self->scratch);
    if (self->stopped ||
        ates_message_decode(&ates_head_message, bytes.data, bytes.size, ATES_UNKNOWN_IGNORED,
                            self->scratch, &head, NULL) != 0) {
        return;
    }
    if (!check_log(self, head.log_id, head.seq)) {
        return;
    }
    self->heard_us = ates_monotonic_us();
    self->head_seen = head.seq > self->head_seen ? head.seq : self->head_seen;
    if (head.seq != self->position.seq) {
        /* A lower one is late news, or a log that went back: a read tells which. */
        self->due_us = self->behind ? self->due_us : 0;
        self->behind = true;
    } else if (self->position.known &&
               memcmp(head.hash.data, self->position.hash, ATES_HASH_SIZE) != 0) {
        follower_stop(self, head.seq, "the hash of the producer's head is another");
    }
}

static void ask(struct ates_follower *self, uint64_t after_seq, int64_t now_us)
{
    const struct ates_read_events body = {
        .after_seq = after_seq, .has_limit = true, .limit = FOLLOWER_READ_LIMIT};
    const bool is_snapshot = self->snapshot.is_read;
    struct ates_buffer bytes = {0};

    if (is_snapshot) {
        follower_snapshot_ask(&self->snapshot, &bytes);
    } else {
        ates_message_encode(&ates_read_events_message, &body, &bytes);
    }
    if (ates_pipeline_send(self->pipeline, is_snapshot ? "read_snapshot" : "read_events", NULL,
                           bytes.data, bytes.size, self->last_tag + 1) == 0) {
        self->asked = ++self->last_tag;
        self->due_us = now_us + READ_TIMEOUT_US;
    } else {
        follower_back_off(self, now_us);
    }
    ates_buffer_release(&bytes);
}

/* The reply to the read that is under way. Those to reads given up are thrown away: left where they
 * are they would keep the socket readable, and the loop turning. */
static bool receive(struct ates_follower *self, struct ates_reply *reply)
{
    int r;

    do {
        r = ates_pipeline_receive(self->pipeline, 0, reply);
    } while (r == -EPROTO || (r == 0 && reply->tag != self->asked));
    return r == 0;
}

/* Looks at one reply to a read; the events it brought are taken by and by. */
static void read_reply(struct ates_follower *self, const struct ates_reply *reply, int64_t now_us)
{
    struct ates_read_events_result result;

    self->asked = 0;
    self->unanswered = 0;
    self->heard_us = now_us;
    if (follower_snapshot_begin(self, reply, now_us)) {
        return;
    }
    if (reply->status != ATES_OK) {
        const struct ates_log_field fields[] = {{"reason", reply->refusal.reason, 0},
                                                {NULL, NULL, 0}};

        ates_journal(ATES_WARNING, self->sink.service, fields, "reading events of %s was refused",
                     self->producer);
        follower_back_off(self, now_us);
        return;
    }
    if (self->snapshot.is_read) {
        follower_snapshot_take(self, reply, now_us);
        return;
    }
    ates_arena_reset(self->arena);
    if (ates_message_decode(&ates_read_events_result_message, reply->body.data, reply->body.size,
                            ATES_UNKNOWN_IGNORED, self->arena, &result, NULL) != 0) {
        follower_back_off(self, now_us);
        return;
    }
    if (!check_log(self, result.log_id, result.head_seq)) {
        return;
    }
    if (result.head_seq < self->position.seq) {
        follower_stop(self, result.head_seq,
                      "the producer's log ends before what was followed of it");
        return;
    }
    self->head_seen =
        result.head_seq; /* the producer itself says so: what was heard may have been wrong */
    self->events = result.events.items;
    self->event_count = result.events.count;
    self->next = 0;
    const uint64_t last = self->position.seq + self->event_count;
    if (self->event_count == 0) {
        self->backoff_us = FOLLOWER_BACKOFF_MIN_US;
        self->behind = self->head_seen > self->position.seq;
        self->due_us = now_us + self->backoff_us;
    } else if (result.head_seq > last) {
        ask(self, last, now_us); /* the producer reads on while these are taken */
    }
}

static int take_read(struct ates_follower *self, int64_t now_us, size_t limit)
{
    bool gap = false;
    int r = 0;

    while (r == 0 && !self->stopped && self->next < self->event_count && limit-- > 0) {
        r = take(self, self->events[self->next++], &gap);
        if (r != 0) {
            follower_back_off(self, now_us);
        } else if (gap) {
            follower_stop(self, self->position.seq + 1, "read_events skipped an event");
        }
    }
    if (r == 0 && self->next == self->event_count && self->asked == 0) {
        self->behind = self->head_seen > self->position.seq;
        self->due_us = now_us;
    }
    return r;
}

/* libzmq gives a connection up for good once its peer broke a rule, as by a frame above the limit. */
static void connect_anew(struct ates_follower *self)
{
    if (++self->unanswered < UNANSWERED_MAX) {
        return;
    }
    struct ates_pipeline *pipeline = ates_pipeline_new(self->client, self->producer);
    if (pipeline != NULL) {
        ates_pipeline_free(&self->pipeline);
        self->pipeline = pipeline;
        self->unanswered = 0;
        ates_journal(ATES_WARNING, self->sink.service, NULL, "%s does not answer: connecting anew",
                     self->producer);
    }
}

int ates_follower_advance(struct ates_follower *self, int64_t now_us, size_t limit, bool *more)
{
    struct ates_reply reply;

    *more = false;
    /* What was read lies in the reply: the next one is not looked at before all is taken. */
    if (self->next < self->event_count) {
        const int r = take_read(self, now_us, limit);

        *more = r == 0 && !self->stopped && self->behind;
        return r;
    }
    const bool replied = receive(self, &reply);
    if (!self->behind && now_us >= self->heard_us + QUIET_US) {
        self->behind = true;
        self->due_us = now_us;
    }
    if (self->stopped || !self->behind) {
        return 0;
    }
    if (replied) {
        read_reply(self, &reply, now_us);
        *more = self->behind && !self->stopped;
    } else if (self->asked != 0 && now_us >= self->due_us) {
        follower_back_off(self, now_us);
        connect_anew(self);
    } else if (self->asked == 0 && now_us >= self->due_us) {
        ask(self, self->position.seq, now_us);
    }
    return 0;
}

int ates_follower_settle(struct ates_follower *self, uint64_t unsettled_max)
{
    if (self->position.seq - self->settled <= unsettled_max) {
        return 0;
    }
    int r = self->sink.settle(self->sink.context, self->producer, &self->position);
    if (r == 0) {
        self->settled = self->position.seq;
    }
    return r;
}

int64_t ates_follower_due(const struct ates_follower *self)
{
    if (self->stopped) {
        return INT64_MAX;
    }
    return self->behind ? self->due_us : self->heard_us + QUIET_US;
}

uint64_t ates_follower_position(const struct ates_follower *self)
{
    return self->position.seq;
}

uint64_t ates_follower_lag(const struct ates_follower *self)
{
    return self->head_seen > self->position.seq ? self->head_seen - self->position.seq : 0;
}

bool ates_follower_stopped(const struct ates_follower *self)
{
    return self->stopped;
}
