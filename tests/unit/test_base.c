/* What a compacted log begins with: whole, it stands for the records that were cut; damaged, missing or
 * of a form from which nothing leads on, it is never built on. */
#include "core/base.h"

#include <errno.h>
#include <unistd.h>

#include "core/rebuild.h"
#include "support/compact_fixture.h"
#include "support/damage.h"

static void change_base(void)
{
    struct ates_base_note note;
    char path[256], folder[ATES_BASE_FOLDER_SIZE];
    const char *tables[ATES_TABLES_MAX];
    const size_t table_count = ates_domain_tables(&toy_domain, tables);
    struct ates_txn txn = {.mdb = NULL};
    struct ates_store *store;
    struct ates_key key = {.size = 5, .data = "key 3"};
    struct ates_bytes row;

    fixture_reopen(&fixture);
    note = *base_note();
    ates_engine_close(&fixture.engine);
    ates_base_folder(&note, folder);
    snprintf(path, sizeof path, "%s/toy/%s", fixture.folder, folder);
    cr_assert_eq(ates_store_open(&store, path, (size_t)fixture.config.map_size, tables, table_count,
                                 error, sizeof error),
                 0, "%s", error);
    cr_assert_eq(ates_txn_begin(&txn, store, false, fixture.arena), 0);
    cr_assert_eq(ates_get(&txn, ATES_TABLE_DOMAIN, &key, &row), 0);
    uint8_t *flipped = (uint8_t *)row.data;
    flipped[row.size / 2] ^= 1;
    cr_assert_eq(ates_put(&txn, ATES_TABLE_DOMAIN, &key, flipped, row.size), 0);
    cr_assert_eq(ates_txn_commit(&txn), 0);
    ates_store_close(&store);
}

static void open_base(void)
{
    open_fixture();
    for (unsigned day = 0; day < 3; day++) {
        live_a_day();
    }
    compact(FIXTURE_TIME + DAY_MS);
}

TestSuite(base, .init = open_base, .fini = close_fixture, .timeout = 120);

Test(base, a_flipped_bit_in_the_base_is_found_and_not_built_on)
{
    struct ates_check_report sound;
    struct ates_rebuild_report rebuilt;

    change_base();
    cr_expect_eq(ates_check(&toy_domain, &fixture.config, NULL, &sound, error, sizeof error),
                 -EBADMSG);
    cr_expect_not_null(strstr(error, "its log's base is damaged"), "%s", error);
    cr_expect_eq(ates_rebuild(&toy_domain, &fixture.config, NULL, &rebuilt, error, sizeof error),
                 -EBADMSG);
    cr_expect_eq(compact_with(&toy_domain, alone, FIXTURE_TIME + 2 * DAY_MS, false), -EBADMSG);
    fixture_reopen(&fixture); /* the state needs no base yet */
    live_a_day();
}

Test(base, a_missing_base_is_found)
{
    struct ates_check_report sound;
    char path[128], away[128];

    snprintf(path, sizeof path, "%s/toy/base-%u-v0", fixture.folder, DAY_RECORDS);
    snprintf(away, sizeof away, "%s/toy/elsewhere", fixture.folder);
    cr_assert_eq(rename(path, away), 0);
    cr_expect_eq(ates_check(&toy_domain, &fixture.config, NULL, &sound, error, sizeof error),
                 -EBADMSG);
    cr_expect_not_null(strstr(error, path), "%s", error);
    cr_expect_not_null(strstr(error, "No such file"), "%s", error);
    cr_expect_eq(access(path, F_OK), -1, "looking made one");
}

Test(base, a_state_from_before_the_cut_begins_with_the_base)
{
    uint8_t before[ATES_HASH_SIZE], after[ATES_HASH_SIZE];

    fixture_reopen(&fixture);
    fixture_state_digest(&fixture, before);
    ates_engine_close(&fixture.engine);
    damage_applied(&fixture, 5, 5);
    fixture_reopen(&fixture);
    fixture_state_digest(&fixture, after);
    cr_expect_arr_eq(before, after, sizeof before);
    cr_expect_eq(ates_engine_figures(fixture.engine)->replayed, 2 * DAY_RECORDS);
}

/* What a start that was killed while it took the base over leaves: rows, and no word of how far they
 * go. */
Test(base, a_state_that_was_half_filled_is_filled_anew)
{
    const struct ates_key applied = {.size = 7, .data = "applied"};
    const struct ates_key odd = {.size = 3, .data = "odd"};
    uint8_t before[ATES_HASH_SIZE], after[ATES_HASH_SIZE];

    fixture_reopen(&fixture);
    fixture_state_digest(&fixture, before);
    ates_engine_close(&fixture.engine);
    damage_row(&fixture, ATES_TABLE_META, &applied, NULL, 0);
    damage_row(&fixture, TOY_ENTRIES, &odd, "row", 3);
    fixture_reopen(&fixture);
    fixture_state_digest(&fixture, after);
    cr_expect_arr_eq(before, after, sizeof before);
}

/* Releases in which the toy's rows have another form. */

static uint64_t upgraded_from;

static int upgrade(struct ates_txn *txn, uint64_t from_version)
{
    const struct ates_key key = {.size = 8, .data = "upgraded"};

    upgraded_from = from_version;
    return ates_put(txn, ATES_TABLE_DOMAIN + 2, &key, "12345678", 8);
}

static void open_as(const struct ates_domain *domain, int expected)
{
    const struct ates_source source = ates_source_system();

    cr_assert_eq(
        ates_engine_open(&fixture.engine, domain, &fixture.config, &source, error, sizeof error), 0,
        "%s", error);
    cr_assert_eq(ates_engine_start(fixture.engine), expected);
}

Test(base, a_base_of_an_older_form_needs_a_way_from_it)
{
    struct ates_domain later = toy_domain;
    const struct ates_key key = {.size = 8, .data = "upgraded"};
    struct ates_bytes row;

    later.state_version = 3;
    open_as(&later, -EPROTONOSUPPORT);
    ates_engine_close(&fixture.engine);
    later.upgrade = upgrade;
    open_as(&later, 0);
    cr_expect_eq(upgraded_from, 0);
    cr_expect_eq(ates_engine_figures(fixture.engine)->replayed, 2 * DAY_RECORDS);
    cr_expect_eq(ates_get(ates_engine_txn(fixture.engine), ATES_TABLE_DOMAIN + 2, &key, &row), 0);

    /* The next compaction leaves a base of the new form, though there is nothing to cut. */
    const struct ates_domain *const domains[] = {&later, NULL};
    cr_assert_eq(compact_with(&later, domains, FIXTURE_TIME, false), 0, "%s", error);
    cr_expect(report.is_cut);
    cr_expect_eq(report.cut, 0);
    later.upgrade = NULL;
    fixture.domain = &later;
    fixture_rebuild(&fixture);
    cr_expect_eq(ates_get(ates_engine_txn(fixture.engine), ATES_TABLE_DOMAIN + 2, &key, &row), 0);
    ates_engine_close(&fixture.engine);
    fixture.domain = &toy_domain;
    open_as(&toy_domain, -EPROTONOSUPPORT); /* nothing leads back */
}
