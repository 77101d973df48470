/* A tiny domain to test core with: it does everything that a domain may do, and fails on demand.
 * Follows auth for its users, and a made-up producer "other". */
#ifndef ATES_TEST_TOY_DOMAIN_H
#define ATES_TEST_TOY_DOMAIN_H

#include "core/domain.h"

#define TOY_VALUE_MAX 200000

/* put: an event, applied, and answered from the state. The key "second" needs a "first". */
struct toy_put {
    struct ates_text key;
    struct ates_text value;
};
/* get: a query. Refuses NOT_FOUND. */
struct toy_get {
    struct ates_text key;
};
/* The result of put and get, and the stored row. */
struct toy_entry {
    struct ates_text key;
    struct ates_text value;
    uint64_t version; /* how often it was put */
    int64_t put_at;
    uint64_t put_by;
};
/* add: deferred to a worker; adds both to the total. */
struct toy_add {
    int64_t a, b;
};
struct toy_add_result {
    int64_t total;
};
/* run: a job of count steps; the reply comes when it is done. */
struct toy_run {
    uint64_t count;
};
struct toy_run_result {
    uint64_t job;
    uint64_t steps;
};
/* fail: faults (or refuses what it allowed, or emits an event that breaks its table) in the place
 * that is named. */
enum toy_place { TOY_DECIDE, TOY_APPLY, TOY_ANSWER, TOY_EVENT };
struct toy_fail {
    int place; /* enum toy_place */
};
/* note: as many events as told, which no applier takes. The result is empty. */
struct toy_note {
    struct ates_text text;
    uint64_t times;
};
/* hide: a private event. */
struct toy_hide {
    struct ates_text secret;
};
/* big: a query with a result of this many bytes. */
struct toy_big {
    uint64_t size;
};
struct toy_big_result {
    struct ates_text text;
};

/* other's event: "refuse" (while toy_refuses) and "missing" can never be applied, "later" not before
 * toy_later is false; "wrong" makes an event that breaks its table. */
struct other_said {
    struct ates_text text;
};

extern const struct ates_message toy_put_message, toy_get_message, toy_entry_message,
    toy_add_message, toy_add_result_message, toy_run_message, toy_run_result_message,
    toy_fail_message, toy_note_message, toy_hide_message, toy_big_message, toy_big_result_message;
extern const struct ates_message toy_stored_message, toy_added_message, toy_noted_message,
    toy_heard_message, toy_hidden_message, toy_failed_message, toy_job_started_message,
    toy_job_stepped_message, toy_job_done_message;
extern const struct ates_message other_said_message;
/* An item of other's snapshot, which says the same. */
extern const struct ates_message other_said_snapshot_message;

enum toy_table { TOY_ENTRIES = ATES_TABLE_DOMAIN, TOY_JOBS, TOY_NUMBERS };

/* The toy's own snapshot: its entries, twice, but for those whose key begins with "hidden". */
#define TOY_SNAPSHOT_PARTS 2u
extern const struct ates_snapshot_part toy_snapshot[TOY_SNAPSHOT_PARTS];

extern const struct ates_service toy_service;
extern const struct ates_domain toy_domain; /* goes on after a dead letter; begins with snapshots */
extern const struct ates_domain toy_stopping_domain; /* stops the stream; needs every event */
extern bool toy_later, toy_refuses;

/* The sum of what was added, the latest secret's length, the number of heard events. */
int64_t toy_total(struct ates_txn *txn);
int64_t toy_secret_size(struct ates_txn *txn);
int64_t toy_heard_count(struct ates_txn *txn);

#endif
