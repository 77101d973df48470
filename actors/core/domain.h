/* What a domain gives to core: handlers that decide, answers that read, appliers that change.
 *
 * Handlers read state and refuse, or emit events; they own nothing and may draw time and randomness
 * from the call only. Appliers fold one event into state, with no clock, no randomness and no
 * refusal: what they do must depend on the event and the state alone, as a rebuild replays them. */
#ifndef ATES_DOMAIN_H
#define ATES_DOMAIN_H

#include <stdatomic.h>

#include "core/config.h"
#include "core/figures.h"
#include "core/random.h"
#include "core/store.h"
#include "core/token.h"

/* Tables that core keeps in every domain's state; a domain's own begin at ATES_TABLE_DOMAIN. */
enum ates_core_table {
    ATES_TABLE_META,         /* "applied" -> the last record folded in, and of which log */
    ATES_TABLE_REQUESTS,     /* hash of caller and request id -> its record */
    ATES_TABLE_REQUEST_AGES, /* time, record number -> hash, oldest first, for expiry */
    ATES_TABLE_CURSORS,      /* producer -> followed position */
    ATES_TABLE_DEAD_LETTERS, /* producer, seq -> what could not be applied */
    ATES_TABLE_JOBS,         /* job -> whose reply it holds */
    ATES_TABLE_USERS,        /* user id -> what is known of the user (users.h) */
    ATES_TABLE_DOMAIN
};

/* Who calls. A caller without a token has id 0 and is not signed in. */
struct ates_caller {
    bool signed_in;
    uint64_t id;
    enum ates_role role;
    const struct ates_claims *claims; /* NULL where not signed in */
    uint64_t origin;                  /* tells connections apart, for throttling */
};

/* Slow work for a worker thread: run reads input and writes output, which is zeroed; both are
 * wiped after use. Work that may take longer than a second ends early once *stopping is set: the
 * service is about to end. */
struct ates_work {
    const char *name;
    void (*run)(const void *input, void *output, const atomic_bool *stopping);
    size_t input_size; /* that ates_defer copies */
    size_t output_size;
};

/* One command, followed event or job step while it is decided and answered. */
struct ates_call {
    struct ates_txn *txn;
    struct ates_arena *arena;
    const struct ates_source *source;
    const struct ates_config *config;
    void *domain; /* the domain's own memory, from its open */
    struct ates_caller user;
    int64_t time;            /* Unix ms: the time of what this call emits */
    struct ates_cause cause; /* written into the events' envelopes; a job step may set it */
    const void *work_result; /* of the work that the handler deferred to; NULL on its first run */
    uint64_t subject;        /* the id that a handler leaves for its answer */
    struct ates_refusal refusal;
    struct ates_engine *engine;
};

/* An event while it is applied, or a followed one while it is handled. */
struct ates_event {
    const char *name;
    uint64_t seq; /* 0 for a private event */
    int64_t time;
    uint64_t user_id; /* of the cause; 0 where nobody called */
};

/* Returns 0, a refusal, a fault, or ATES_DEFERRED (from ates_defer). */
typedef int ates_decide_fn(struct ates_call *call, const void *body);
/* Fills result, which is zeroed, after the command's events were applied. */
typedef int ates_answer_fn(struct ates_call *call, const void *body, void *result);
typedef int ates_apply_fn(struct ates_txn *txn, const struct ates_event *event, const void *data);
/* Returns 0; a refusal: the event can never be applied (a dead letter); -EAGAIN: later. */
typedef int ates_follow_fn(struct ates_call *call, const struct ates_event *event,
                           const void *data);

struct ates_handler {
    const char *command;
    ates_decide_fn *decide; /* NULL for a query */
    ates_answer_fn *answer; /* NULL where the result is empty, or comes with a job's end */
};

struct ates_applier {
    const struct ates_message *event;
    ates_apply_fn *apply;
};

struct ates_follow {
    const char *producer;
    const struct ates_message *event;
    uint64_t version;
    ates_follow_fn *handle;
};

/* What a snapshot tells: of each row of a table one item, or none. */
#define ATES_SNAPSHOT_MEMORY 64u
struct ates_snapshot_part {
    const struct ates_message *item; /* of the service's snapshots */
    unsigned table;
    /* Fills item, which is zeroed, from a row of the base; ATES_NOT_FOUND: the row tells nothing.
     * memory is what this part's rows before, in the same page, left there: zeroes at first. */
    int (*make)(struct ates_txn *txn, struct ates_bytes key, struct ates_bytes value, void *memory,
                void *item);
};

struct ates_domain {
    const struct ates_service *service;
    const char *const *tables; /* NULL at the end; numbered from ATES_TABLE_DOMAIN */
    const struct ates_handler *handlers;
    size_t handler_count;
    const struct ates_applier *appliers;
    size_t applier_count;
    const struct ates_follow *follows;
    size_t follow_count;
    /* Items of producers' snapshots, with which the service begins where it has taken nothing of the
     * producer and the first events are no more. Items say how things are: to take one in twice is
     * the same as once. Of a producer without any here every event is needed. */
    const struct ates_follow *snapshot_follows;
    size_t snapshot_follow_count;
    const struct ates_snapshot_part *snapshot;
    size_t snapshot_count;
    /* The form of its state's rows. Where a state on disk has another, it is made anew from the log.
     */
    uint64_t state_version;
    /* Brings the rows of a compacted log's base to this form from an older one, as no record is left
     * to make them of. A table that had rows in that form stays in `tables`. NULL where there is no
     * older form that a log was ever compacted in. */
    int (*upgrade)(struct ates_txn *txn, uint64_t from_version);
    bool stops_at_dead; /* a dead letter stops its stream: money never skips */
    /* One step of unfinished jobs: emits at most a chunk; *more tells whether to call again. May be
     * NULL. */
    int (*step)(struct ates_call *call, bool *more);
    /* What came of work that ates_begin began; output is NULL where it was not run. Emits as a step
     * does; what it returns beyond 0 is a fault, after which it is told again. NULL where the domain
     * begins none. */
    int (*ended)(struct ates_call *call, const struct ates_work *work, uint64_t id,
                 const void *output);
    unsigned worker_threads; /* 0: half as many as the machine has cores, one to four */
    /* Looks for rows that contradict each other; 0, or -EBADMSG with one line in error. May be
     * NULL. */
    int (*check)(struct ates_txn *txn, char *error, size_t error_size);
    /* Adds figures of its own to those of `metrics`; must cost little, as it is asked for every few
     * seconds. 0 or a fault. May be NULL. */
    int (*measure)(struct ates_txn *txn, struct ates_figures *figures);
    /* Makes and frees the domain's own memory (throttles, keys: nothing that state needs). Without
     * keys_dir nothing will be signed. May be NULL. */
    int (*open)(const struct ates_config *config, const char *keys_dir, void **memory, char *error,
                size_t error_size);
    void (*close)(void **memory);
};

#define ATES_DEFERRED ((int)ATES_STATUS_COUNT)

/* Stages an event (of the service's table) for this call. Returns 0; or -EBADMSG where data breaks
 * the event's own field table, which is the handler's fault: it is logged with the field, and the
 * call fails whatever the handler makes of it. */
int ates_emit(struct ates_call *call, const struct ates_message *event, const void *data);

/* Refuses: sets the call's refusal and returns (int)status. */
int ates_refuse(struct ates_call *call, enum ates_status status, const char *reason);
__attribute__((format(printf, 5, 6))) int ates_refuse_field(struct ates_call *call,
                                                            enum ates_status status,
                                                            const char *reason, const char *field,
                                                            const char *format, ...);
/* Refuses with RESOURCE_EXHAUSTED and when to try again. */
int ates_refuse_busy(struct ates_call *call, const char *reason, uint32_t retry_after_ms);

/* Hands input to a worker; the handler must return what this returns, and is run again, from the
 * checks on, with call->work_result set. */
int ates_defer(struct ates_call *call, const struct ates_work *work, const void *input);

/* The reply comes when the domain's step calls ates_finish with the same job (an id of the
 * domain's, unique for ever); also wakes the step. */
void ates_reply_later(struct ates_call *call, uint64_t job);
void ates_finish(struct ates_call *call, uint64_t job, const struct ates_message *message,
                 const void *result);
/* Makes sure that the domain's step runs again: soon; at this time (as call->time), if not sooner.
 * It also runs at the start, and after whatever was followed. */
void ates_wake(struct ates_call *call);
void ates_wake_at(struct ates_call *call, int64_t time);

/* Has work done beside the loop, once the batch is committed; the domain's `ended` hears of it. id,
 * the domain's, tells it from other work of this kind. Begun work is not remembered by a restart:
 * step begins it again. At most ATES_BEGUN_MAX are under way in all. */
#define ATES_BEGUN_MAX 16u
void ates_begin(struct ates_call *call, const struct ates_work *work, uint64_t id,
                const void *input, size_t input_size);
bool ates_is_under_way(const struct ates_call *call, const struct ates_work *work, uint64_t id);
size_t ates_under_way(const struct ates_call *call, const struct ates_work *work);

/* The seq up to which this producer's events were taken in; 0 where none were. */
int ates_followed_seq(struct ates_call *call, const char *producer, uint64_t *seq);

#endif
