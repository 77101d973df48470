/* What the whole story must come to, as the rules say it: a list of every movement of money, looked
 * through anew for each answer. Invariant: shares nothing with the domains; it is told what was drawn
 * by lot (assignees, prices) and what arrived when, and works out all else. */
#ifndef ATES_TEST_STORY_MODEL_H
#define ATES_TEST_STORY_MODEL_H

#include <stdbool.h>

#include "support/story_zone.h"

enum {
    STORY_USERS = 250,
    STORY_TASKS = 6000,
    STORY_MOVES = 40000,
    STORY_PAYOUTS = 12000,
    STORY_CLOSINGS = 100
};

enum story_kind { STORY_FEE, STORY_REWARD };

struct story_move {
    enum story_kind kind;
    uint64_t user, task;
    int64_t cents;
    int64_t time;
    story_day own; /* on which it happened */
    story_day day; /* for which it counts */
};
struct story_payout {
    story_day day;
    uint64_t user;
    int64_t cents;
};
struct story_closing {
    story_day day;
    uint64_t count;
    int64_t cents;
    bool is_early; /* before its payday had come: by hand, together with any open day before it */
};
struct story_task {
    uint64_t assigned_to; /* as tasks has it */
    bool is_finished;
    int64_t fee, reward;
    bool is_charged; /* for its first assignment */
};
struct story_user {
    bool is_disabled;  /* as auth has it */
    bool may_be_drawn; /* as tasks has been told */
};

struct story_model {
    const struct story_zone *zone;
    struct story_user users[STORY_USERS + 1]; /* from 1 */
    uint64_t user_count;
    struct story_task tasks[STORY_TASKS + 1]; /* from 1 */
    uint64_t task_count;
    struct story_move moves[STORY_MOVES];
    size_t move_count;
    struct story_payout payouts[STORY_PAYOUTS];
    size_t payout_count;
    struct story_closing closings[STORY_CLOSINGS];
    size_t closing_count;
    story_day closed_through; /* -1: none */
    /* A payout that was asked for, and waits until tasks' events up to this seq have arrived. */
    bool is_waiting;
    story_day waiting_day;
    bool waiting_is_early;
    uint64_t waiting_seq;
};

void story_model_begin(struct story_model *model, const struct story_zone *zone);

/* Tasks' side; each NULL, or what is wrong with it. */
const char *story_model_created(struct story_model *model, uint64_t task, uint64_t user);
const char *story_model_assigned(struct story_model *model, uint64_t task, uint64_t from,
                                 uint64_t user);
const char *story_model_completed(struct story_model *model, uint64_t task, uint64_t user);
size_t story_model_open_tasks(const struct story_model *model, uint64_t user); /* 0: everybody's */
size_t story_model_eligible(const struct story_model *model);

/* Accounting's side: what has arrived there. */
const char *story_model_priced(struct story_model *model, uint64_t task, int64_t fee,
                               int64_t reward);
void story_model_move(struct story_model *model, enum story_kind kind, uint64_t task, uint64_t user,
                      int64_t time);

/* What pay_to_workers must say. */
enum story_verdict {
    STORY_FUTURE,
    STORY_RUNNING,
    STORY_CLOSED,
    STORY_UNREACHABLE,
    STORY_BEHIND,
    STORY_NOTHING,
    STORY_PAYS
};
/* now: accounting's time; seq: what tasks answers, has_seq: that it does; arrived: up to which seq
 * its events have. */
enum story_verdict story_model_judge(const struct story_model *model, int64_t now, story_day day,
                                     bool has_seq, uint64_t seq, uint64_t arrived);
void story_model_wait(struct story_model *model, story_day day, uint64_t seq, bool is_early);
/* Pays everybody; the payout that waited is closed. */
void story_model_close(struct story_model *model);

/* Answers. */
int64_t story_model_balance(const struct story_model *model, uint64_t user);
int64_t story_model_day_total(const struct story_model *model, uint64_t user, story_day day);
int64_t story_model_income(const struct story_model *model, story_day day);
/* What closing the day would pay now. */
struct story_closing story_model_dues(const struct story_model *model, story_day day);
/* The most expensive task completed on these days, by the completion's own day. NULL: none. */
const struct story_move *story_model_best(const struct story_model *model, story_day first,
                                          story_day last);
/* Those below 0, the largest debt first. */
size_t story_model_debtors(const struct story_model *model, uint64_t debtors[STORY_USERS]);

#endif
