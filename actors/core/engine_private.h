/* What the parts of the engine share. */
#ifndef ATES_ENGINE_PRIVATE_H
#define ATES_ENGINE_PRIVATE_H

#include "core/engine.h"

/* Event types a service may have, user_known included. */
#define ENGINE_TYPES_MAX 32u

#define ENGINE_FULL_PERMILLE 850u /* of the map: commands that write are refused */
#define ENGINE_ROOM_BYTES                                                                          \
    (UINT64_C(64) << 20)              /* of the disk that a batch and a checkpoint may want */
#define ENGINE_BUFFER_KEPT (4u << 20) /* bytes of a buffer kept between batches */
/* Writes within one state transaction: bounds LMDB's list of dirty pages, and a replay's memory. */
#define ENGINE_WRITES_MAX 400000ul
/* Records between two words on a replay's progress. */
#define ENGINE_PROGRESS_STEP 4096u

/* An event emitted by the call in hand: its data in engine->stage. */
struct staged_event {
    const struct ates_event_type *type;
    size_t offset, size;
};

/* A piece of a buffer that may still grow, hence no pointer. */
struct slice {
    size_t offset, size;
};

struct batch_record {
    uint64_t number, first_seq;
    struct slice bytes; /* in engine->records */
};

struct batch_event {
    const struct ates_event_type *type;
    struct slice bytes; /* in engine->envelopes */
};

struct batch_job {
    uint64_t job, seq;
    struct slice reply; /* in engine->replies */
};

struct ates_engine {
    const struct ates_domain *domain;
    struct ates_config config;
    struct ates_source source;
    void *domain_memory;
    int lock;
    struct ates_log *log;
    struct ates_store *store;
    bool started;
    bool sound; /* the open state is the fold of the log and of the batch's records */
    struct ates_txn txn;
    struct ates_arena *arena; /* of the call in hand */
    const struct ates_event_type *types[ENGINE_TYPES_MAX];
    ates_apply_fn *appliers[ENGINE_TYPES_MAX]; /* by the same index; the domain's, may be NULL */
    size_t type_count;

    /* The call in hand. */
    struct staged_event *staged;
    size_t staged_count, staged_capacity;
    int emit_fault; /* an event broke its table: the call must not succeed */
    struct ates_buffer stage;
    uint64_t job, job_done;
    struct slice job_reply; /* in stage */
    const struct ates_work *work;
    const void *work_input;
    struct ates_buffer reply;
    bool has_settled, has_followed; /* of a retry: what its record says beside */
    struct ates_settled settled;
    struct ates_text followed_producer;
    struct ates_position followed; /* by the event that was retried */

    /* The batch: emptied by the first call after its commit. */
    bool committed;
    int lost;    /* why a part of the batch could not be committed early: commit returns it */
    bool closed; /* takes no more calls: a part of it was committed early */
    bool full;   /* the map is too full for commands that write */
    struct ates_log_head head;
    struct ates_buffer records, envelopes, replies;
    struct batch_record *batch_records;
    struct batch_event *batch_events;
    struct batch_job *batch_jobs;
    size_t record_count, record_capacity, event_count, event_capacity, job_count, job_capacity;

    bool steps;      /* the domain's step may have work */
    int64_t wake_at; /* when it wants to look again; 0: no such time */
    struct ates_begun begun[ATES_BEGUN_MAX];
    int64_t checkpointed_us;
    unsigned long write_budget; /* writes that a checkpoint may hold, tuned by how long they take */
    struct ates_engine_figures figures;
    const struct ates_progress *progress; /* of a replay; NULL where nobody watches */
};

/* stage.c */
int64_t engine_time(const struct ates_engine *engine); /* that a call has now */
void engine_call_begin(struct ates_engine *engine);
struct ates_call engine_make_call(struct ates_engine *engine);
/* A refusal that came without a reason (a row that is not there) is named after its status. */
void engine_name_refusal(struct ates_call *call, int status);
/* Turns what the call staged into one record of the batch: seals and applies the events, then has
 * execution's handler (NULL: none) answer. After a fault the call is undone. */
int engine_stage(struct ates_engine *engine, struct ates_call *call, struct ates_record *record,
                 const struct ates_execution *execution);

/* fold.c: what a record does to state. */
int engine_fold_event(struct ates_engine *engine, const struct ates_event_type *type,
                      const struct ates_event *event, struct ates_bytes data);
struct ates_key engine_dead_key(struct ates_text producer, uint64_t seq);
int engine_fold_core(struct ates_engine *engine, const struct ates_record *record);
int engine_fold_record(struct ates_engine *engine, const struct ates_record *record);

/* begun.c */
struct ates_begun *engine_next_ended(struct ates_engine *engine);
/* After a call, and after a batch: done, or undone. */
void engine_settle_call(struct ates_engine *engine, bool done);
void engine_settle_batch(struct ates_engine *engine, bool done);
void engine_release_begun(struct ates_engine *engine);

/* take.c */
const struct ates_follow *engine_find_follow(const struct ates_follow *follows, size_t count,
                                             struct ates_text producer, struct ates_text name,
                                             uint64_t version);
struct ates_followed engine_followed(struct ates_text producer,
                                     const struct ates_position *position);
/* Decides a followed event: sets the call's cause and has the domain handle it. Returns as
 * ates_follow_fn. */
int engine_decide_followed(struct ates_engine *engine, const struct ates_follow *follow,
                           struct ates_call *call, const struct ates_envelope *envelope);

/* replay.c */
int engine_replay(struct ates_engine *engine); /* applies the records that state has not seen */
/* The same up to this head, which a record of the log left. */
int engine_replay_to(struct ates_engine *engine, const struct ates_log_head *head);
int engine_commit_state(struct ates_engine *engine, const struct ates_log_head *applied);

/* engine.c */
void engine_trim(struct ates_buffer *buffer);   /* gives back what one large batch took */
int engine_restore(struct ates_engine *engine); /* drops the open state and replays the log */
int engine_append(struct ates_engine *engine);  /* the batch's records so far to the log, durably */
int engine_read_record(struct ates_engine *engine, uint64_t first_seq, uint64_t number,
                       struct ates_record *record); /* from the batch or the log, into the arena */

/* Grows an array of items of this size so that one more fits. */
void *engine_grow(void *items, size_t count, size_t *capacity, size_t item_size);

#endif
