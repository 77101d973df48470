/* Stored replies: found by caller and id, until they expire by record time. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/domain.h"
#include "core/requests.h"
#include "support/temp_folder.h"

static const char *const tables[ATES_TABLE_DOMAIN] = {
    "meta", "requests", "request_ages", "cursors", "dead_letters", "jobs", "users"};
static const uint8_t fingerprint[ATES_FINGERPRINT_SIZE] = {7, 7, 7};

static char folder[TEMP_FOLDER_SIZE];
static struct ates_store *store;
static struct ates_arena *arena;
static struct ates_txn txn;
static uint64_t last_number;

static void setup(void)
{
    char error[256] = "";

    temp_folder_make(folder);
    arena = ates_arena_new();
    cr_assert_eq(ates_store_open(&store, folder, (size_t)64 << 20, tables, ATES_TABLE_DOMAIN, error,
                                 sizeof error),
                 0);
    cr_assert_eq(ates_txn_begin(&txn, store, false, arena), 0);
}

static void teardown(void)
{
    ates_txn_abort(&txn);
    ates_store_close(&store);
    ates_arena_free(&arena);
    temp_folder_remove(folder);
}

TestSuite(requests, .init = setup, .fini = teardown);

static struct ates_record record_at(uint64_t user_id, const char *id, int64_t time, uint64_t job)
{
    return (struct ates_record){
        .number = ++last_number,
        .time = time,
        .first_seq = 10 * last_number,
        .has_user_id = true,
        .user_id = user_id,
        .has_request_id = true,
        .request_id = ates_text_from(id),
        .has_fingerprint = true,
        .fingerprint = {fingerprint, sizeof fingerprint},
        .has_job = job != 0,
        .job = job,
    };
}

/* Folds in a record; returns its number. */
static uint64_t remember(uint64_t user_id, const char *id, int64_t time, uint64_t job)
{
    const struct ates_record record = record_at(user_id, id, time, job);

    cr_assert_eq(ates_requests_fold(&txn, &record), 0);
    return record.number;
}

static int get(uint64_t user_id, const char *id, int64_t time, struct ates_request_row *row)
{
    return ates_requests_get(&txn, user_id, ates_text_from(id), time, row);
}

static size_t count(unsigned table)
{
    struct ates_bytes key, value;
    struct ates_scan scan;
    size_t rows = 0;

    cr_assert_eq(ates_scan_open(&scan, &txn, table, NULL, NULL), 0);
    while (ates_scan_next(&scan, &key, &value) == 0) {
        rows++;
    }
    ates_scan_close(&scan);
    return rows;
}

Test(requests, an_id_is_its_callers_own)
{
    struct ates_request_row row = {.number = 99};

    cr_assert_eq(get(1, "a", 0, &row), ATES_NOT_FOUND);
    cr_assert_eq(row.number, 99);
    const uint64_t number = remember(1, "a", 1000, 0);
    cr_assert_eq(get(2, "a", 1000, &row), ATES_NOT_FOUND);
    cr_assert_eq(get(1, "A", 1000, &row), ATES_NOT_FOUND);
    cr_assert_eq(get(1, "a", 1000, &row), 0);
    cr_assert(row.number == number && row.first_seq == 10 * number && row.time == 1000);
    cr_assert_eq(row.job, 0);
    cr_assert_arr_eq(row.fingerprint, fingerprint, sizeof fingerprint);
}

Test(requests, the_longest_id_counts_in_all_its_characters)
{
    struct ates_request_row row;
    char id[65];

    memset(id, 'i', 64);
    id[64] = '\0';
    remember(1, id, 0, 0);
    cr_assert_eq(get(1, id, 0, &row), 0);
    id[63] = 'j';
    cr_assert_eq(get(1, id, 0, &row), ATES_NOT_FOUND);
}

Test(requests, expire_to_the_millisecond)
{
    struct ates_request_row row;

    remember(1, "a", 1000, 0);
    cr_assert_eq(get(1, "a", 1000 + ATES_REPLY_KEPT_MS - 1, &row), 0);
    cr_assert_eq(get(1, "a", 1000 + ATES_REPLY_KEPT_MS, &row), ATES_NOT_FOUND);
    cr_assert_geq(ATES_REPLY_KEPT_MS, INT64_C(24) * 3600 * 1000);
}

/* Each record forgets up to two, so that the tables follow the traffic of a day. */
Test(requests, expired_ones_are_forgotten)
{
    char id[24];

    for (int i = 0; i < 100; i++) {
        snprintf(id, sizeof id, "old-%d", i);
        remember(1, id, 1000 + i, 0);
    }
    cr_assert_eq(count(ATES_TABLE_REQUESTS), 100);
    for (int i = 0; i < 50; i++) {
        snprintf(id, sizeof id, "new-%d", i);
        remember(1, id, 1099 + ATES_REPLY_KEPT_MS, 0);
    }
    cr_assert_eq(count(ATES_TABLE_REQUESTS), 50);
    cr_assert_eq(count(ATES_TABLE_REQUEST_AGES), 50);
}

Test(requests, an_id_used_again_after_expiry_is_not_forgotten_with_its_first_use)
{
    const int64_t later = 1000 + ATES_REPLY_KEPT_MS;
    struct ates_request_row row;

    remember(1, "a", 1000, 0);
    remember(1, "b", 1000, 0);
    remember(1, "c", 1000, 0);
    const uint64_t again = remember(1, "c", later, 0); /* forgets a and b */
    remember(1, "d", later, 0);                        /* meets c's first age */
    cr_assert_eq(get(1, "c", later, &row), 0);
    cr_assert_eq(row.number, again);
    cr_assert_eq(count(ATES_TABLE_REQUESTS), 2);
    cr_assert_eq(count(ATES_TABLE_REQUEST_AGES), 2);
}

Test(requests, a_job_is_kept_until_it_is_done_and_its_reply_from_then_on)
{
    struct ates_request_row row;
    const int64_t late = 1000 + 3 * ATES_REPLY_KEPT_MS;

    remember(1, "job", 1000, 5);
    remember(1, "x", late, 0);
    cr_assert_eq(get(1, "job", late, &row), 0);
    cr_assert_eq(row.job, 5);
    const struct ates_record done = {.number = ++last_number,
                                     .time = late,
                                     .first_seq = 4711,
                                     .has_job_done = true,
                                     .job_done = 5};
    cr_assert_eq(ates_requests_fold(&txn, &done), 0);
    cr_assert_eq(get(1, "job", late + ATES_REPLY_KEPT_MS - 1, &row), 0);
    cr_assert(row.job == 0 && row.number == done.number && row.first_seq == 4711);
    cr_assert_eq(count(ATES_TABLE_JOBS), 0);
    cr_assert_eq(get(1, "job", late + ATES_REPLY_KEPT_MS, &row), ATES_NOT_FOUND);
    const struct ates_record nobodys = {
        .number = ++last_number, .time = late, .has_job_done = true, .job_done = 6};
    cr_assert_eq(ates_requests_fold(&txn, &nobodys), 0);
}

Test(requests, a_fingerprint_depends_on_key_command_and_body)
{
    const struct {
        const char *key, *command, *body;
    } cases[] = {{"0123456789abcdef", "toy.put", "body"}, {"0123456789abcdeF", "toy.put", "body"},
                 {"0123456789abcdef", "toy.pu", "tbody"}, {"0123456789abcdef", "toy.put", "bodY"},
                 {"0123456789abcdef", "toy.put", ""},     {"0123456789abcdef", "toy.put", "body"}};
    uint8_t prints[6][ATES_FINGERPRINT_SIZE];

    for (size_t i = 0; i < 6; i++) {
        ates_request_fingerprint(
            (const uint8_t *)cases[i].key, 16, ates_text_from(cases[i].command),
            (struct ates_bytes){(const uint8_t *)cases[i].body, strlen(cases[i].body)}, prints[i]);
        for (size_t j = 0; j < i; j++) {
            cr_assert_eq(memcmp(prints[i], prints[j], sizeof prints[i]) == 0, i == 5 && j == 0,
                         "%zu and %zu", i, j);
        }
    }
}
