/* Two toys in one data folder, of which one follows the other, and backups of them. */
#ifndef ATES_TEST_BACKUP_FIXTURE_H
#define ATES_TEST_BACKUP_FIXTURE_H

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "core/restore.h"
#include "core/store_compare.h"
#include "support/engine_fixture.h"
#include "support/temp_folder.h"
#include "support/toy_domain.h"

#define NOTES 40u

static struct ates_service other_service;
static struct ates_domain other_domain;
static const struct ates_domain *const both[] = {&toy_domain, &other_domain, NULL};

static struct fixture toy, other; /* in the same folder */
static struct ates_caller ann;
static char backup[128], restored[128], place[TEMP_FOLDER_SIZE];
static char error[2048];
static struct ates_manifest manifest;
static struct ates_restore_report report;

static inline void open_both(void)
{
    other_service = toy_service;
    other_service.name = "other";
    other_domain = toy_domain;
    other_domain.service = &other_service;
    other_domain.follow_count = 0;
    fixture_open(&toy, &toy_domain);
    other = toy;
    other.engine = NULL;
    other.domain = &other_domain;
    other.arena = ates_arena_new();
    fixture_reopen(&other);
    ann = fixture_caller(1, ATES_DEVELOPER);
    temp_folder_make(place);
    snprintf(backup, sizeof backup, "%s/backup", place);
    snprintf(restored, sizeof restored, "%s/data", place);
}

static inline void close_both(void)
{
    ates_engine_close(&other.engine);
    ates_arena_free(&other.arena);
    fixture_close(&toy);
    temp_folder_remove(place);
}

/* The toy has seen what the other said up to here. */
static inline void follow_other(void)
{
    const struct ates_log_head *head = ates_engine_head(other.engine);
    struct ates_position position = {.known = true, .seq = head->seq};

    strcpy(position.log_id, ates_log_id(ates_engine_log(other.engine)));
    memcpy(position.hash, head->hash, sizeof position.hash);
    cr_assert_eq(ates_engine_follow_position(toy.engine, "other", &position), 0);
    fixture_commit(&toy);
}

/* A second of work: the other notes, the toy puts and follows. */
static inline void live(unsigned times)
{
    static unsigned count;

    for (unsigned i = 0; i < times; i++, count++) {
        char key[32], value[96];

        snprintf(key, sizeof key, "key %u", count % 17);
        snprintf(value, sizeof value, "the value that was put by number %u", count);
        const struct toy_put put = {ates_text_from(key), ates_text_from(value)};
        const struct toy_note note = {ates_text_from(value), 1 + count % 3};
        const struct toy_hide hide = {ates_text_from(value)};

        fixture_do(&other, ann, "note", &note, NULL);
        fixture_do(&other, ann, "put", &put, NULL);
        fixture_do(&toy, ann, "put", &put, NULL);
        fixture_do(&toy, ann, "hide", &hide, NULL);
        follow_other();
        toy.now_ms += 1000;
        other.now_ms = toy.now_ms;
    }
}

static inline void stop_both(void)
{
    ates_engine_close(&toy.engine);
    ates_engine_close(&other.engine);
}

static inline int take(bool with_keys)
{
    const struct ates_backup_plan plan = {
        .domains = both, .config = &toy.config, .folder = backup, .with_keys = with_keys};

    stop_both();
    return ates_backup(&plan, &manifest, error, sizeof error);
}

static inline struct ates_config config_of(const char *data_dir)
{
    struct ates_config config = toy.config;

    snprintf(config.data_dir, sizeof config.data_dir, "%s", data_dir);
    return config;
}

static inline int restore_with(struct ates_restore_plan plan)
{
    const struct ates_config config = config_of(restored);

    plan.domains = both;
    plan.config = &config;
    plan.backup = backup;
    return ates_restore(&plan, &report, error, sizeof error);
}

static inline void assert_said(const char *words)
{
    cr_assert_not_null(strstr(error, words), "\"%s\" lacks \"%s\"", error, words);
}

/* Each table of the domain's state is the same in both folders, row by row. */
static inline void assert_same_state(const struct ates_domain *domain, const char *left,
                                     const char *right)
{
    const char *names[ATES_TABLES_MAX], *const folders[2] = {left, right};
    const size_t count = ates_domain_tables(domain, names);
    struct ates_store *stores[2] = {NULL};
    struct ates_txn txns[2] = {{.mdb = NULL}, {.mdb = NULL}};
    struct ates_arena *arena = ates_arena_new();
    char path[256];

    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s/state", folders[i], domain->service->name);
        cr_assert_eq(ates_store_open(&stores[i], path, (size_t)toy.config.map_size, names, count,
                                     error, sizeof error),
                     0, "%s", error);
        cr_assert_eq(ates_txn_begin(&txns[i], stores[i], true, arena), 0);
    }
    for (unsigned table = 0; table < count; table++) {
        struct ates_table_comparison rows;

        cr_assert_eq(ates_store_compare(&txns[0], &txns[1], table, &rows), 0);
        cr_assert_eq(rows.differences, 0, "%s.%s: %lu rows differ, first %s", domain->service->name,
                     names[table], (unsigned long)rows.differences, rows.first_key);
    }
    for (int i = 0; i < 2; i++) {
        ates_txn_abort(&txns[i]);
        ates_store_close(&stores[i]);
    }
    ates_arena_free(&arena);
}

#endif
