/* The engine: one domain's log and state, and the batch in which commands, followed events and job
 * steps are decided, applied and made durable together. Knows no sockets.
 *
 * Invariants: state is never ahead of the log on disk; nothing that a batch did is shown before
 * ates_engine_commit returned 0; one log record holds everything that one call did.
 * All functions but open and close run on the thread that called ates_engine_start. */
#ifndef ATES_ENGINE_H
#define ATES_ENGINE_H

#include "core/domain.h"
#include "core/histogram.h"
#include "core/log.h"

struct ates_engine;

/* The names of all tables of a domain's state, core's first, into tables; returns how many. */
size_t ates_domain_tables(const struct ates_domain *domain, const char *tables[ATES_TABLES_MAX]);

/* Opens log, state, keys and the domain's memory below config->data_dir, and takes the lock that
 * keeps a second process off the same data. Returns 0, or -errno with one line in error. */
int ates_engine_open(struct ates_engine **engine, const struct ates_domain *domain,
                     const struct ates_config *config, const struct ates_source *source,
                     char *error, size_t error_size);
/* The same without keys, for work on the data alone: whoever may do that need not be able to sign.
 * The state is in DATA/SERVICE/STATE_FOLDER, "state" but for a rebuild beside the real one. */
int ates_engine_open_offline(struct ates_engine **engine, const struct ates_domain *domain,
                             const struct ates_config *config, const struct ates_source *source,
                             const char *state_folder, char *error, size_t error_size);
void ates_engine_close(struct ates_engine **engine); /* checkpoints, where it was started */

/* Who wants to know how far long work has come: told now and then, and at its end. */
struct ates_progress {
    void (*tell)(void *context, uint64_t done, uint64_t total);
    void *context;
};
/* Tells of the records that the next start applies. progress must outlive it. */
void ates_engine_on_replay(struct ates_engine *engine, const struct ates_progress *progress);

/* Begins work on this thread: applies the log's records that state has not seen. */
int ates_engine_start(struct ates_engine *engine);

const struct ates_domain *ates_engine_domain(const struct ates_engine *engine);
const struct ates_config *ates_engine_config(const struct ates_engine *engine);
const struct ates_source *ates_engine_source(const struct ates_engine *engine);
struct ates_log *ates_engine_log(struct ates_engine *engine);
struct ates_txn *ates_engine_txn(struct ates_engine *engine);
/* Of the log's map or the state's, of the fuller one; and of the state's. */
unsigned ates_engine_used_permille(const struct ates_engine *engine);
unsigned ates_engine_state_used_permille(const struct ates_engine *engine);
/* Whether the disk has room for a batch and a checkpoint; without it nothing is written. */
bool ates_engine_has_room(const struct ates_engine *engine);
/* The head as the batch so far leaves it. */
const struct ates_log_head *ates_engine_head(const struct ates_engine *engine);

/* A command to execute. */
struct ates_execution {
    const struct ates_handler *handler;
    const struct ates_command *command;
    const void *body; /* decoded by command->body; not read where the reply is a stored one */
    struct ates_caller caller;
    struct ates_text request_id;  /* size 0: none */
    const uint8_t *fingerprint;   /* of command and body, where there is a request id */
    struct ates_text traceparent; /* a valid one (trace.h); size 0: none */
    const void *work_result;      /* NULL on the first run */
};

/* What came of it; what it points to is valid until the engine's next call. */
struct ates_outcome {
    int status;                  /* enum ates_status, or ATES_DEFERRED */
    struct ates_refusal refusal; /* where refused */
    uint64_t seq;                /* that the reply reflects */
    bool replayed;
    uint64_t job;                 /* not 0: the reply comes with this job's end */
    struct ates_bytes reply;      /* encoded result where OK and no job */
    const struct ates_work *work; /* where deferred */
    const void *work_input;
    uint64_t subject; /* the id that the handler left */
};

/* Executes one command within the batch. */
void ates_engine_execute(struct ates_engine *engine, const struct ates_execution *execution,
                         struct ates_outcome *outcome);

/* Followed events. */
int ates_engine_position(struct ates_engine *engine, const char *producer,
                         struct ates_position *position);

/* Takes in one followed event, which must be the next of its producer. position is the one after
 * it. Returns 0 (applied, or of no interest, or a dead letter was recorded and the stream goes on);
 * ATES_FAILED_PRECONDITION: it is dead and the domain stops at that (refusal says why); -EAGAIN:
 * later; other faults: later, after ates_engine_commit. */
int ates_engine_follow(struct ates_engine *engine, const struct ates_envelope *envelope,
                       struct ates_bytes bytes, const struct ates_position *position,
                       struct ates_refusal *refusal);
/* Takes in a page of a producer's snapshot as one record: nothing of this producer may have been
 * followed before. The last page brings the position to the snapshot's end; until then another try
 * begins anew, which changes nothing of what was taken in. Returns as ates_engine_follow, with
 * ATES_FAILED_PRECONDITION also where the domain does not begin with this producer's snapshot; no
 * dead letter is recorded. */
int ates_engine_follow_snapshot(struct ates_engine *engine, const char *producer,
                                const struct ates_read_snapshot_result *page,
                                struct ates_refusal *refusal);
/* Records the position reached through events of no interest. */
int ates_engine_follow_position(struct ates_engine *engine, const char *producer,
                                const struct ates_position *position);
/* The engine as who takes in what followers find (core/follower.h). */
struct ates_follower_sink ates_engine_sink(struct ates_engine *engine);

/* The handler of `retry_event`, which every domain has: takes the kept event of a dead letter through
 * the domain's own follow, within the command; then the letter is gone. Where the domain stops at
 * dead letters its stream goes on behind the event: the follower must be resumed.
 * Refuses: NOT_FOUND / DEAD_LETTER_UNKNOWN; FAILED_PRECONDITION / STILL_DEAD, EVENT_NOT_NEXT;
 * UNAVAILABLE / EVENT_TOO_EARLY. */
extern const struct ates_handler ates_retry_handler;

/* Work that the domain began, to be run by whoever drives the engine. */
enum ates_begun_state {
    ATES_BEGUN_FREE,
    ATES_BEGUN_FRESH,   /* by the call in hand */
    ATES_BEGUN_STAGED,  /* in this batch */
    ATES_BEGUN_WAITING, /* committed: to be taken */
    ATES_BEGUN_RUNNING,
    ATES_BEGUN_ENDED, /* to be told to the domain */
    ATES_BEGUN_TOLD   /* in this batch */
};
struct ates_begun {
    enum ates_begun_state state;
    const struct ates_work *work;
    uint64_t id;
    void *input;
    size_t input_size;
    void *output; /* NULL where it was not run */
};
/* The next one, NULL where there is none; it stays where it is until it has ended. */
struct ates_begun *ates_engine_take_begun(struct ates_engine *engine);
bool ates_engine_is_begun(const struct ates_engine *engine, const void *owner);
/* Its end; output is copied, NULL: it was not run. The next steps tell the domain. */
void ates_engine_end_begun(struct ates_engine *engine, struct ates_begun *begun,
                           const void *output);
bool ates_engine_has_ended(const struct ates_engine *engine);

/* One step of the domain's jobs, if there may be any; *more tells whether there may be yet more. */
int ates_engine_step(struct ates_engine *engine, bool *more);
bool ates_engine_has_steps(const struct ates_engine *engine);
/* Ms until the domain wants its step to run; INT64_MAX: it does not say. */
int64_t ates_engine_wakes_in(const struct ates_engine *engine);

/* A job that the batch finished, with the reply for those who wait. */
struct ates_finished_job {
    uint64_t job;
    uint64_t seq;
    struct ates_bytes reply;
};

/* Makes the batch durable with one commit, then begins the next. Returns 0; -ENOSPC: the whole
 * batch is undone (nothing of it may be shown); any other fault: end the process without a reply.
 * After 0 the batch's envelopes and finished jobs can be read until the next call that executes. */
int ates_engine_commit(struct ates_engine *engine);
/* Whether the batch should be committed before anything more is executed. */
bool ates_engine_is_closed(const struct ates_engine *engine);
size_t ates_engine_committed_events(const struct ates_engine *engine);
struct ates_bytes ates_engine_committed_event(const struct ates_engine *engine, size_t index,
                                              const struct ates_event_type **type);
size_t ates_engine_finished_jobs(const struct ates_engine *engine);
struct ates_finished_job ates_engine_finished_job(const struct ates_engine *engine, size_t index);

/* Commits the state if enough is dirty or a second has passed; to be called between batches.
 * Returns the number of ms until it wants to be called again, or a fault. */
int64_t ates_engine_checkpoint(struct ates_engine *engine, bool now);

/* Commits the state for those who need it on the disk, where a service would put off what has no room: returns 0,
 * -ENOSPC where it was put off, or -EIO. */
int ates_engine_save(struct ates_engine *engine);

/* How many writes the next checkpoint may hold, as the last one held writes and took took_us: what
 * fits the time for which a checkpoint may hold up the loop. */
unsigned long ates_checkpoint_budget(unsigned long budget, unsigned long writes, int64_t took_us);

struct ates_engine_figures {
    struct ates_histogram commit_us, batch_records; /* of batches, each one fsynced commit */
    struct ates_histogram checkpoint_us;
    uint64_t replayed; /* records, at the last start */
};
const struct ates_engine_figures *ates_engine_figures(const struct ates_engine *engine);

/* One command executed and committed by the program itself, without sockets; deferred work runs in
 * place. result is decoded from the arena's bytes. Returns the status or a fault. */
int ates_engine_invoke(struct ates_engine *engine, const struct ates_caller *caller,
                       const char *command, const void *body, struct ates_arena *arena,
                       void *result, struct ates_refusal *refusal);

#endif
