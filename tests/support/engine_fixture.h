/* One domain's engine on a folder of its own, with a clock that tests set and randomness that
 * follows from a seed. Invariant: nothing here depends on the machine's time, and the folder is
 * gone after close. */
#ifndef ATES_TEST_ENGINE_FIXTURE_H
#define ATES_TEST_ENGINE_FIXTURE_H

#include "core/engine.h"

/* 2023-11-14T22:13:20Z: where the clock starts. */
#define FIXTURE_TIME INT64_C(1700000000000)

struct fixture {
    struct ates_engine *engine;
    struct ates_arena *arena;    /* of results; the test may reset it */
    struct ates_refusal refusal; /* of the last command or followed event that was refused */
    int64_t now_ms;              /* the clock: set it, or add to it */
    uint64_t seed;               /* the state of the random source */
    const struct ates_domain *domain;
    struct ates_config config;
    char folder[64];
};

/* Starts an engine on a new folder with its keys. The seed comes from ATES_SEED or the time, and is
 * printed. Fails the test where anything goes wrong, as all functions here do. The fixture must
 * stay where it is until its close. */
void fixture_open(struct fixture *fixture, const struct ates_domain *domain);
void fixture_reopen(struct fixture *fixture); /* as a restart does */
/* As a restart without its state: replays the whole log. */
void fixture_rebuild(struct fixture *fixture);
void fixture_close(struct fixture *fixture);

/* A number in [0, bound) from the fixture's seed. */
uint64_t fixture_draw(struct fixture *fixture, uint64_t bound);

/* Callers. */
extern const struct ates_caller fixture_nobody; /* not signed in */
struct ates_caller fixture_caller(uint64_t user_id, enum ates_role role);

/* Executes and commits one command, its jobs run to their ends. result may be NULL. Returns the
 * status. */
int fixture_invoke(struct fixture *fixture, struct ates_caller caller, const char *command,
                   const void *body, void *result);
/* The same, where the test expects OK. */
void fixture_do(struct fixture *fixture, struct ates_caller caller, const char *command,
                const void *body, void *result);
/* The same, where the test expects this refusal. */
void fixture_refused(struct fixture *fixture, struct ates_caller caller, const char *command,
                     const void *body, enum ates_status status, const char *reason);

/* Executes one command within the open batch; no job runs. request_id may be NULL. */
struct ates_outcome fixture_execute(struct fixture *fixture, struct ates_caller caller,
                                    const char *command, const void *body, const char *request_id);
void fixture_commit(struct fixture *fixture);
/* One step of the jobs, committed; whether there may be more. */
bool fixture_step(struct fixture *fixture);

/* Work that the domain began: the next one (NULL: none), run in place, or ended with this output (NULL: not
 * run) in its stead; then told to the domain, and committed. */
struct ates_begun *fixture_take_begun(struct fixture *fixture);
void fixture_run_begun(struct fixture *fixture, struct ates_begun *begun);
void fixture_end_begun(struct fixture *fixture, struct ates_begun *begun, const void *output);

/* Takes in and commits the next event of this producer, chained to the one before. Returns what
 * ates_engine_follow does. */
int fixture_follow(struct fixture *fixture, const char *producer,
                   const struct ates_message *message, uint64_t version, int64_t event_time,
                   const void *data);
/* auth's events of a user with login userID, now. */
void fixture_register_user(struct fixture *fixture, uint64_t user_id, enum ates_role role);
void fixture_change_user(struct fixture *fixture, uint64_t user_id, enum ates_role role,
                         bool disabled);

/* The published log. */
uint64_t fixture_head(const struct fixture *fixture); /* the last event's seq */
struct ates_envelope fixture_envelope(struct fixture *fixture, uint64_t seq);
/* The data of the event at seq, which must be of this message. */
void fixture_event(struct fixture *fixture, uint64_t seq, const struct ates_message *message,
                   void *data);

/* A digest of every row of every table but "meta": equal where two states are the same byte for
 * byte. */
void fixture_state_digest(struct fixture *fixture, uint8_t digest[ATES_HASH_SIZE]);
/* Runs the domain's own check of its rows, and sees that a rebuild from the log gives the same
 * state. */
void fixture_check_rebuild(struct fixture *fixture);

#endif
