/* The engine: what a batch does is durable as a whole, done once, and the same again from the log.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/engine_fixture.h"
#include "support/toy_domain.h"

#define HOUR_MS (INT64_C(3600) * 1000)

static struct fixture fixture;
static struct ates_caller ann, bob;

static void setup(void)
{
    fixture_open(&fixture, &toy_domain);
    ann = fixture_caller(1, ATES_DEVELOPER);
    bob = fixture_caller(2, ATES_DEVELOPER);
}

static void teardown(void)
{
    fixture_close(&fixture);
}

TestSuite(engine, .init = setup, .fini = teardown, .timeout = 120);

static struct ates_outcome put(struct ates_caller caller, const char *key, const char *value,
                               const char *request_id)
{
    const struct toy_put body = {ates_text_from(key), ates_text_from(value)};

    return fixture_execute(&fixture, caller, "put", &body, request_id);
}

static void put_ok(const char *key, const char *value)
{
    cr_assert_eq(put(ann, key, value, NULL).status, ATES_OK);
}

static struct ates_outcome fail_in(enum toy_place place)
{
    const struct toy_fail body = {.place = place};

    return fixture_execute(&fixture, ann, "fail", &body, "fail-id");
}

/* How often key was put; 0 where it was not. */
static uint64_t version_of(const char *key)
{
    const struct toy_get body = {ates_text_from(key)};
    struct toy_entry entry;

    return fixture_invoke(&fixture, ann, "get", &body, &entry) == ATES_OK ? entry.version : 0;
}

/* A reply's bytes, kept past the engine's next call. */
static struct ates_bytes keep(struct ates_bytes reply)
{
    return (struct ates_bytes){ates_arena_copy(fixture.arena, reply.data, reply.size), reply.size};
}

static void assert_replayed(struct ates_outcome outcome, struct ates_bytes first, uint64_t seq)
{
    cr_assert_eq(outcome.status, ATES_OK);
    cr_assert(outcome.replayed);
    cr_assert_eq(outcome.seq, seq);
    cr_assert_eq(outcome.reply.size, first.size);
    cr_assert_arr_eq(outcome.reply.data, first.data, first.size);
}

Test(engine, a_repeated_request_id_gets_the_stored_reply)
{
    struct ates_outcome outcome = put(ann, "k", "v", "id-1");
    cr_assert(outcome.status == ATES_OK && !outcome.replayed && outcome.seq == 1);
    const struct ates_bytes first = keep(outcome.reply);

    put_ok("k", "w"); /* the stored reply is not made anew from what is there now */
    assert_replayed(put(ann, "k", "v", "id-1"), first, 1);
    fixture_commit(&fixture);
    assert_replayed(put(ann, "k", "v", "id-1"), first, 1);
    fixture_commit(&fixture);
    fixture_reopen(&fixture);
    assert_replayed(put(ann, "k", "v", "id-1"), first, 1);
    fixture_commit(&fixture);
    fixture_rebuild(&fixture);
    assert_replayed(put(ann, "k", "v", "id-1"), first, 1);
    cr_assert_eq(fixture_head(&fixture), 2);
    cr_assert_eq(version_of("k"), 2);
}

Test(engine, an_empty_result_and_no_event_are_stored_too)
{
    const struct toy_note body = {ates_text_from("x"), 0};
    struct ates_outcome outcome = fixture_execute(&fixture, ann, "note", &body, "id-1");

    cr_assert_eq(outcome.status, ATES_OK);
    cr_assert_eq(outcome.reply.size, 1);
    cr_assert_eq(outcome.reply.data[0], 0x80);
    fixture_commit(&fixture);
    cr_assert(fixture_execute(&fixture, ann, "note", &body, "id-1").replayed);
    cr_assert_eq(ates_engine_head(fixture.engine)->number, 1);
    outcome = fixture_execute(&fixture, ann, "note", &body, NULL);
    cr_assert(outcome.status == ATES_OK && !outcome.replayed && outcome.reply.size == 1);
    cr_assert_eq(ates_engine_head(fixture.engine)->number, 1, "nothing to remember, no record");
    fixture_commit(&fixture);
}

static void assert_reused(struct ates_outcome outcome)
{
    cr_assert_eq(outcome.status, ATES_FAILED_PRECONDITION);
    cr_assert_str_eq(outcome.refusal.reason, "REQUEST_ID_REUSED");
}

Test(engine, another_body_under_the_same_id_is_refused)
{
    const struct toy_note note = {ates_text_from("x"), 1};

    cr_assert_eq(put(ann, "k", "v", "id-1").status, ATES_OK);
    for (int turn = 0; turn < 2; turn++) {
        assert_reused(put(ann, "k", "w", "id-1"));
        assert_reused(fixture_execute(&fixture, ann, "note", &note, "id-1"));
        fixture_commit(&fixture);
    }
    cr_assert_not(put(bob, "k", "w", "id-1").replayed, "bob's ids are bob's");
    fixture_commit(&fixture);
    cr_assert_eq(version_of("k"), 2);
}

Test(engine, a_refusal_is_not_stored)
{
    cr_assert_eq(put(ann, "second", "v", "id-1").status, ATES_FAILED_PRECONDITION);
    struct ates_outcome outcome = put(ann, "second", "v", "id-1");
    cr_assert_eq(outcome.status, ATES_FAILED_PRECONDITION);
    cr_assert_not(outcome.replayed);
    cr_assert_str_eq(outcome.refusal.reason, "FIRST_MISSING");
    put_ok("first", "v");
    outcome = put(ann, "second", "v", "id-1");
    cr_assert(outcome.status == ATES_OK && !outcome.replayed);
    fixture_commit(&fixture);
    cr_assert_eq(fixture_head(&fixture), 2);
}

Test(engine, a_refusal_without_a_reason_is_named_after_its_status)
{
    const struct toy_get body = {ates_text_from("none")};
    const struct ates_outcome outcome = fixture_execute(&fixture, ann, "get", &body, NULL);

    cr_assert_eq(outcome.status, ATES_NOT_FOUND);
    cr_assert_str_eq(outcome.refusal.reason, "NOT_FOUND");
    fixture_commit(&fixture);
}

Test(engine, a_stored_reply_expires_by_record_time)
{
    const int64_t start = fixture.now_ms;

    cr_assert_eq(put(ann, "k", "v", "id-1").status, ATES_OK);
    fixture_commit(&fixture);
    fixture.now_ms = start + 25 * HOUR_MS - 1;
    cr_assert(put(ann, "k", "v", "id-1").replayed);
    fixture.now_ms = start + 25 * HOUR_MS;
    cr_assert_not(put(ann, "k", "v", "id-1").replayed);
    cr_assert(put(ann, "k", "v", "id-1").replayed);
    fixture_commit(&fixture);
    cr_assert_eq(version_of("k"), 2);
    fixture_check_rebuild(&fixture);
}

Test(engine, time_never_goes_back)
{
    const int64_t start = fixture.now_ms;
    struct toy_entry entry;
    const struct toy_put body = {ates_text_from("k"), ates_text_from("v")};

    fixture_do(&fixture, ann, "put", &body, &entry);
    cr_assert_eq(entry.put_at, start);
    fixture.now_ms = start - HOUR_MS;
    fixture_do(&fixture, ann, "put", &body, &entry);
    cr_assert_eq(entry.put_at, start);
    fixture_reopen(&fixture);
    fixture_do(&fixture, ann, "put", &body, &entry);
    cr_assert_eq(entry.put_at, start);
    cr_assert_eq(fixture_envelope(&fixture, 3).event_time, start);
    fixture.now_ms = start + 1;
    fixture_do(&fixture, ann, "put", &body, &entry);
    cr_assert_eq(entry.put_at, start + 1);
}

Test(engine, envelopes_are_chained_and_tell_their_cause)
{
    static const uint8_t zeros[ATES_HASH_SIZE];
    const uint8_t *prev = zeros;
    const struct ates_event_type *type;
    const struct toy_note note = {ates_text_from("x"), 3};

    put_ok("k", "v");
    cr_assert_eq(fixture_execute(&fixture, bob, "note", &note, "id-9").status, ATES_OK);
    cr_assert_eq(ates_engine_commit(fixture.engine), 0);
    cr_assert_eq(ates_engine_committed_events(fixture.engine), 4);
    for (uint64_t seq = 1; seq <= 4; seq++) {
        const struct ates_envelope envelope = fixture_envelope(&fixture, seq);
        const struct ates_bytes bytes = ates_engine_committed_event(fixture.engine, seq - 1, &type);
        uint8_t *hash = ates_arena_alloc(fixture.arena, ATES_HASH_SIZE);

        cr_assert_eq(envelope.seq, seq);
        cr_assert_str_eq(type->data->name, seq == 1 ? "toy_stored" : "toy_noted");
        cr_assert(ates_text_equal(envelope.producer, ates_text_from("toy")));
        cr_assert(ates_text_equal(envelope.log_id,
                                  ates_text_from(ates_log_id(ates_engine_log(fixture.engine)))));
        cr_assert_arr_eq(envelope.prev.data, prev, ATES_HASH_SIZE);
        cr_assert(envelope.has_cause && envelope.cause.user_id == (seq == 1 ? 1 : 2));
        cr_assert(ates_text_equal(envelope.cause.command,
                                  ates_text_from(seq == 1 ? "toy.put" : "toy.note")));
        cr_assert_eq(envelope.cause.has_request_id, seq > 1);
        ates_envelope_hash(bytes.data, bytes.size, hash);
        prev = hash;
    }
    cr_assert_arr_eq(ates_engine_head(fixture.engine)->hash, prev, ATES_HASH_SIZE);
    cr_assert_eq(ates_engine_commit(fixture.engine), 0);
    cr_assert_eq(ates_engine_committed_events(fixture.engine), 0, "they are shown once");
}

Test(engine, private_events_take_no_seq_and_are_not_shown)
{
    const struct toy_hide body = {ates_text_from("sesame")};

    cr_assert_eq(fixture_execute(&fixture, ann, "hide", &body, NULL).status, ATES_OK);
    cr_assert_eq(ates_engine_commit(fixture.engine), 0);
    cr_assert_eq(ates_engine_committed_events(fixture.engine), 0);
    cr_assert_eq(fixture_head(&fixture), 0);
    put_ok("k", "v");
    fixture_commit(&fixture);
    cr_assert_eq(fixture_head(&fixture), 1);
    cr_assert_eq(fixture_envelope(&fixture, 1).seq, 1);
    fixture_check_rebuild(&fixture);
    cr_assert_eq(toy_secret_size(ates_engine_txn(fixture.engine)), 6);
}

Test(engine, deferred_work_decides_nothing_before_its_result)
{
    const struct toy_add body = {40, 2};
    struct toy_add_result result;
    struct ates_outcome outcome = fixture_execute(&fixture, ann, "add", &body, "id-1");

    cr_assert_eq(outcome.status, ATES_DEFERRED);
    cr_assert_str_eq(outcome.work->name, "sum");
    cr_assert_arr_eq(outcome.work_input, &body, sizeof body);
    fixture_commit(&fixture);
    cr_assert_eq(ates_engine_head(fixture.engine)->number, 0);
    fixture_do(&fixture, ann, "add", &body, &result);
    fixture_do(&fixture, ann, "add", &body, &result);
    cr_assert_eq(result.total, 84);
    fixture_check_rebuild(&fixture);
}

/* Faults. */

Test(engine, a_fault_undoes_its_call_and_nothing_else)
{
    static const enum toy_place places[] = {TOY_DECIDE, TOY_APPLY, TOY_ANSWER, TOY_EVENT};
    char key[16];

    for (size_t i = 0; i < 4; i++) {
        snprintf(key, sizeof key, "before-%zu", i);
        const struct ates_bytes first = keep(put(ann, key, "v", key).reply);
        struct ates_outcome outcome = fail_in(places[i]);

        cr_assert_eq(outcome.status, ATES_INTERNAL);
        cr_assert_str_eq(outcome.refusal.reason, "INTERNAL");
        cr_assert_eq(toy_total(ates_engine_txn(fixture.engine)), 0);
        assert_replayed(put(ann, key, "v", key), first, 2 * i + 1);
        snprintf(key, sizeof key, "after-%zu", i);
        put_ok(key, "v");
        cr_assert_eq(fail_in(places[i]).status, ATES_INTERNAL, "nothing of it was stored");
        cr_assert_eq(ates_engine_commit(fixture.engine), 0);
        cr_assert_eq(ates_engine_committed_events(fixture.engine), 2, "both puts are shown");
        cr_assert_eq(fixture_head(&fixture), 2 * i + 2);
        cr_assert_eq(version_of(key), 1);
    }
    fixture_check_rebuild(&fixture);
    cr_assert_eq(version_of("before-0"), 1);
    cr_assert_eq(version_of("after-3"), 1);
}

static void use_map_of(int64_t size)
{
    fixture.config.map_size = size;
    fixture_reopen(&fixture);
}

/* Notes touch no table, so it is the log that has no room. */
static enum ates_status note_of(size_t size, const char *request_id)
{
    char *text = ates_arena_alloc(fixture.arena, size);
    const struct toy_note body = {{text, size}, 1};

    memset(text, 'n', size);
    return (enum ates_status)fixture_execute(&fixture, ann, "note", &body, request_id).status;
}

Test(engine, a_commit_without_room_undoes_the_batch_and_the_engine_goes_on)
{
    uint8_t before[ATES_HASH_SIZE], after[ATES_HASH_SIZE];

    use_map_of(512 * 1024);
    put_ok("k", "v");
    fixture_commit(&fixture);
    fixture_state_digest(&fixture, before);
    cr_assert_eq(put(ann, "k", "w", "id-1").status, ATES_OK);
    for (int i = 0; i < 10; i++) {
        cr_assert_eq(note_of(100000, NULL), ATES_OK);
    }
    cr_assert_eq(ates_engine_commit(fixture.engine), -ENOSPC);
    cr_assert_eq(ates_engine_committed_events(fixture.engine), 0);
    cr_assert_eq(fixture_head(&fixture), 1);
    fixture_state_digest(&fixture, after);
    cr_assert_arr_eq(before, after, sizeof before);

    const struct ates_outcome outcome = put(ann, "k", "w", "id-1");
    cr_assert(outcome.status == ATES_OK && !outcome.replayed);
    fixture_commit(&fixture);
    cr_assert_eq(version_of("k"), 2);
    fixture_check_rebuild(&fixture);
}

/* Values fill the state's map too: the applier's write fails, in the middle of a batch. */
Test(engine, a_state_without_room_undoes_the_call_that_hit_it)
{
    char key[16];
    static char value[30001];
    int done = 0;

    memset(value, 'v', sizeof value - 1);
    use_map_of(512 * 1024);
    struct ates_outcome outcome = {.status = ATES_OK};
    while (outcome.status == ATES_OK && done < 100) {
        snprintf(key, sizeof key, "k%d", done++);
        outcome = put(ann, key, value, NULL);
    }
    cr_assert_eq(outcome.status, ATES_RESOURCE_EXHAUSTED);
    cr_assert_str_eq(outcome.refusal.reason, "STORE_FULL");
    cr_assert_gt(outcome.refusal.retry_after_ms, 0);
    cr_assert_eq(put(ann, "small", "v", NULL).status, ATES_RESOURCE_EXHAUSTED);
    const int r = ates_engine_commit(fixture.engine);
    cr_assert(r == 0 || r == -ENOSPC);
    cr_assert_eq(fixture_head(&fixture), r == 0 ? (uint64_t)done - 1 : 0);
    use_map_of(INT64_C(1) << 30);
    cr_assert_eq(version_of("k0"), r == 0);
    cr_assert_eq(version_of(key), 0);
    fixture_check_rebuild(&fixture);
}

Test(engine, a_nearly_full_store_refuses_what_writes)
{
    use_map_of(512 * 1024);
    cr_assert_eq(put(ann, "k", "v", "id-1").status, ATES_OK);
    fixture_commit(&fixture);
    while (ates_engine_used_permille(fixture.engine) < 850) {
        cr_assert_eq(note_of(20000, NULL), ATES_OK);
        fixture_commit(&fixture);
    }
    const uint64_t head = fixture_head(&fixture);
    const struct ates_outcome outcome = put(ann, "k", "w", NULL);
    cr_assert_eq(outcome.status, ATES_RESOURCE_EXHAUSTED);
    cr_assert_str_eq(outcome.refusal.reason, "STORE_FULL");
    cr_assert(put(ann, "k", "v", "id-1").replayed, "what was done can still be asked for");
    fixture_commit(&fixture);
    cr_assert_eq(fixture_head(&fixture), head);
    cr_assert_eq(version_of("k"), 1);
}

Test(engine, one_process_has_the_data)
{
    struct ates_engine *second = NULL;
    char error[512] = "";

    cr_assert_eq(ates_engine_open(&second, &toy_domain, &fixture.config,
                                  ates_engine_source(fixture.engine), error, sizeof error),
                 -EBUSY);
    cr_assert_null(second);
    cr_assert_not_null(strstr(error, "toy"));
}

/* Does it to the log's environment in a process of its own, and returns how that ended. */
static int in_child(int (*work)(MDB_env *env))
{
    char path[sizeof fixture.folder + 16];
    MDB_env *env;
    int status;

    snprintf(path, sizeof path, "%s/toy/log", fixture.folder);
    const pid_t child = fork();
    if (child == 0) {
        _exit(mdb_env_create(&env) == 0 && mdb_env_open(env, path, MDB_RDONLY, 0) == 0 ? work(env)
                                                                                       : 99);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    return status;
}

static int die_reading(MDB_env *env)
{
    MDB_txn *txn;

    return mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0 ? kill(getpid(), SIGKILL) : 99;
}

static int count_dead(MDB_env *env)
{
    int dead = 0;

    return mdb_reader_check(env, &dead) == 0 ? dead : 99;
}

/* As a backup that was killed would: the log's file would grow with every commit. */
Test(engine, a_checkpoint_drops_the_readers_that_were_killed)
{
    cr_assert_eq(in_child(die_reading), SIGKILL);
    put_ok("k", "v");
    fixture_commit(&fixture);
    cr_assert_gt(ates_engine_checkpoint(fixture.engine, true), 0);
    cr_expect_eq(in_child(count_dead), 0);
}
