/* The whole of aTES in one process: the engines of auth, tasks, accounting, analytics and payment
 * on one folder, with one clock that the test sets and one seed. Published envelopes are carried
 * from log to log as a follower would, when the story wants; payment's calls reach accounting, and
 * accounting's question tasks, without sockets.
 *
 * Invariant: what happens to an engine happens to the model (story_model.h) at the same moment, and
 * what an engine answers is what the model foretold. */
#ifndef ATES_TEST_STORY_H
#define ATES_TEST_STORY_H

#include <ates/accounting.h>
#include <ates/analytics.h>
#include <ates/auth.h>
#include <ates/payment.h>
#include <ates/tasks.h>

#include "support/engine_fixture.h"
#include "support/story_model.h"

enum story_service {
    STORY_AUTH,
    STORY_TASKS_SERVICE,
    STORY_ACCOUNTING,
    STORY_ANALYTICS,
    STORY_PAYMENT,
    STORY_SERVICES
};

/* How far a follower has come. */
struct story_stream {
    enum story_service from, to;
    struct ates_position position;
    bool is_settled; /* the follower's engine knows of it */
};
enum { STORY_STREAMS = 8 };

/* What was said of a day that is over. */
struct story_past {
    bool has_income, has_top;
    int64_t income_cents;
    uint64_t top_task_id;
};
enum { STORY_PAST_DAYS = 100 };

struct story {
    struct fixture services[STORY_SERVICES];
    struct story_stream streams[STORY_STREAMS];
    struct story_model model;
    const struct story_zone *zone;
    struct ates_arena *arena; /* of envelopes that are carried */
    char folder[64];
    uint64_t seed;
    int64_t now_ms;       /* as the sun has it */
    int64_t clock_off_ms; /* by how much the machine's clock is wrong */
    int64_t payday_ms;
    story_day first_day;
    uint64_t tasks_seen;  /* seq of tasks' events that the model knows */
    bool payment_is_down; /* until then: */
    int64_t payment_up_at;
    bool is_quiet; /* no faults, and everything is carried at once */
    struct story_past past[STORY_PAST_DAYS];
    /* What the story came through, for the test to see that it was not idle. */
    unsigned late_moves, waits, chunks, catch_ups, hand_payouts, lost_calls, reopens, redraws;
};

/* Opens everything for the seed, and the zone; the clock is at the zone's beginning. */
void story_open(struct story *story, uint64_t seed, const struct story_zone *zone);
void story_close(struct story *story);
/* Removes what a story that failed has left; nothing after story_close. */
void story_discard(struct story *story);

uint64_t story_draw(struct story *story, uint64_t bound);
bool story_chance(struct story *story, uint64_t one_in);

struct fixture *story_fixture(struct story *story, enum story_service service);
/* What the service's calls take for the time: its log's never goes back. */
int64_t story_time(struct story *story, enum story_service service);
/* Sets the clocks; nothing happens. */
void story_set_clock(struct story *story, int64_t now_ms);
/* A follower goes on where its engine says it is. */
void story_rewind(struct story *story, enum story_service service);
/* As a restart of the service. */
void story_reopen(struct story *story, enum story_service service);

/* Carries at most limit events of the stream; how many it did. */
size_t story_carry(struct story *story, struct story_stream *stream, size_t limit);
/* The stream of tasks' events to accounting. */
struct story_stream *story_tasks_to_accounting(struct story *story);
/* Carries a few of some streams. */
void story_carry_some(struct story *story);
/* Carries all of all, and lets every service do what it wants to now. */
void story_settle(struct story *story);

/* Takes what tasks has published since into the model; how many task_assigned there were. */
size_t story_read_tasks(struct story *story);

/* The jobs of tasks, and accounting's mails. No payout may be open. */
void story_run_jobs(struct story *story);

#endif
