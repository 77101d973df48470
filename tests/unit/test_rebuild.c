/* A rebuild gives the state that was there, finds where one differs, and always leaves one that the
 * log bears out. */
#include "core/rebuild.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "support/damage.h"
#include "support/scarce_disk.h"
#include "tasks/tasks.h"
#include "tasks/tasks_state.h"

static struct fixture fixture;
static uint8_t before[ATES_HASH_SIZE]; /* the state, as its log makes it */
static struct ates_rebuild_report report;
static char error[512];

static void open_fixture(void)
{
    fixture_open(&fixture, &tasks_domain);
    fixture_register_user(&fixture, 1, ATES_DEVELOPER);
    fixture_register_user(&fixture, 2, ATES_ACCOUNTANT);
    for (unsigned i = 0; i < 20; i++) {
        char name[32];
        snprintf(name, sizeof name, "Polish perch %u", i);
        const struct tasks_create_task body = {.name = ates_text_from(name)};

        fixture_do(&fixture, fixture_caller(1, ATES_DEVELOPER), "create_task", &body, NULL);
    }
    fixture_state_digest(&fixture, before);
    ates_engine_close(&fixture.engine);
}

static void close_fixture(void)
{
    fixture_close(&fixture);
}

TestSuite(rebuild, .init = open_fixture, .fini = close_fixture, .timeout = 60);

static void in_folder(const char *name, char path[160])
{
    snprintf(path, 160, "%s/tasks/%s", fixture.folder, name);
}

static void rebuild(void)
{
    cr_assert_eq(ates_rebuild(&tasks_domain, &fixture.config, NULL, &report, error, sizeof error),
                 0, "%s", error);
}

/* Whatever was wrong: now the state is the log's, nothing else is left, and the service goes on. */
static void assert_mended(void)
{
    uint8_t now[ATES_HASH_SIZE];
    const struct tasks_create_task body = {.name = ates_text_from("Count the perches")};
    char path[160];

    in_folder("state.new", path);
    cr_expect_eq(access(path, F_OK), -1, "%s is left", path);
    fixture_reopen(&fixture);
    fixture_state_digest(&fixture, now);
    cr_expect_arr_eq(now, before, sizeof now, "the rebuilt state is another");
    fixture_do(&fixture, fixture_caller(1, ATES_DEVELOPER), "create_task", &body, NULL);
    fixture_check_rebuild(&fixture);
}

static const struct ates_rebuilt_table *table(const char *name)
{
    for (size_t i = 0; i < report.table_count; i++) {
        if (strcmp(report.tables[i].name, name) == 0) {
            return &report.tables[i];
        }
    }
    cr_assert_fail("no table %s in the report", name);
    return NULL;
}

static void tell(void *context, uint64_t done, uint64_t total)
{
    uint64_t *told = context;

    told[0] = done;
    told[1] = total;
}

Test(rebuild, of_a_sound_state_gives_the_same)
{
    uint64_t told[2] = {0};
    const struct ates_progress progress = {tell, told};

    cr_assert_eq(
        ates_rebuild(&tasks_domain, &fixture.config, &progress, &report, error, sizeof error), 0,
        "%s", error);
    cr_expect_not(report.differs);
    cr_expect_str_empty(report.unreadable);
    cr_expect_eq(report.records, 22);
    cr_expect_eq(told[0], 22);
    cr_expect_eq(told[1], 22);
    for (size_t i = 0; i < report.table_count; i++) {
        cr_expect_eq(report.tables[i].rows.left_rows, report.tables[i].rows.right_rows);
    }
    cr_expect_eq(table("tasks")->rows.right_rows, 20);
    cr_expect_eq(table("users")->rows.right_rows, 2);
    assert_mended();
}

Test(rebuild, names_a_changed_row_and_mends_it)
{
    const struct ates_key key = ates_key_u64(258);

    damage_row(&fixture, TASKS_TABLE_TASKS, &key, "owl", 3);
    rebuild();
    cr_expect(report.differs);
    cr_expect_eq(table("tasks")->rows.differences, 1);
    cr_expect_eq(table("tasks")->rows.left_rows, 21);
    cr_expect_eq(table("tasks")->rows.right_rows, 20);
    cr_expect_str_eq(table("tasks")->rows.first_key, "0000000000000102");
    cr_expect_eq(table("users")->rows.differences, 0);
    assert_mended();
}

Test(rebuild, names_a_lost_row_and_mends_it)
{
    const struct ates_key key = ates_key_u64(2);

    damage_row(&fixture, ATES_TABLE_USERS, &key, NULL, 0);
    rebuild();
    cr_expect(report.differs);
    cr_expect_eq(table("users")->rows.differences, 1);
    cr_expect_str_eq(table("users")->rows.first_key, "0000000000000002");
    assert_mended();
}

Test(rebuild, replaces_a_state_that_cannot_be_opened)
{
    char path[160];

    in_folder("state/data.mdb", path);
    FILE *file = fopen(path, "r+");
    cr_assert_not_null(file);
    for (unsigned i = 0; i < 8192; i++) {
        fputc(0x5a, file);
    }
    cr_assert_eq(fclose(file), 0);
    rebuild();
    cr_expect(report.differs);
    cr_expect_not_null(strstr(report.unreadable, "state"), "%s", report.unreadable);
    assert_mended();
}

Test(rebuild, replaces_a_state_ahead_of_its_log)
{
    damage_applied(&fixture, 99, 99);
    rebuild();
    cr_expect(report.differs);
    cr_expect_str_not_empty(report.unreadable);
    assert_mended();
}

Test(rebuild, makes_a_state_where_there_is_none)
{
    char path[160];

    in_folder("state/data.mdb", path);
    cr_assert_eq(unlink(path), 0);
    in_folder("state/lock.mdb", path);
    cr_assert_eq(unlink(path), 0);
    in_folder("state", path);
    cr_assert_eq(rmdir(path), 0);
    rebuild();
    cr_expect_not(report.differs);
    assert_mended();
}

Test(rebuild, cleans_what_an_interrupted_one_left)
{
    char path[160];

    in_folder("state.new", path);
    cr_assert_eq(mkdir(path, 0700), 0);
    in_folder("state.new/data.mdb", path);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs("half a state", file);
    cr_assert_eq(fclose(file), 0);
    rebuild();
    cr_expect_not(report.differs);
    assert_mended();
}

Test(rebuild, refuses_while_another_has_the_data)
{
    fixture_reopen(&fixture);
    cr_expect_eq(ates_rebuild(&tasks_domain, &fixture.config, NULL, &report, error, sizeof error),
                 -EBUSY);
    cr_expect_not_null(strstr(error, "in use by another process"), "%s", error);
}

Test(rebuild, leaves_the_state_where_the_log_is_damaged)
{
    uint8_t now[ATES_HASH_SIZE];

    damage_flip_record(&fixture, 9);
    cr_assert_eq(ates_rebuild(&tasks_domain, &fixture.config, NULL, &report, error, sizeof error),
                 -EBADMSG);
    cr_expect_not_null(strstr(error, "admin check"), "%s", error);
    fixture_reopen(&fixture); /* the state has seen the whole log: nothing is replayed */
    fixture_state_digest(&fixture, now);
    cr_expect_arr_eq(now, before, sizeof now);
}

/* A service puts a checkpoint off where there is no room for it; what is made to be kept must not be. */
Test(rebuild, leaves_the_state_where_the_disk_is_full)
{
    uint8_t now[ATES_HASH_SIZE];

    damage_applied(&fixture, 99, 99);
    scarce_disk = true;
    cr_assert_eq(ates_rebuild(&tasks_domain, &fixture.config, NULL, &report, error, sizeof error),
                 -ENOSPC);
    cr_expect_not_null(strstr(error, "the disk has less than 64 MiB left"), "%s", error);
    scarce_disk = false;
    rebuild();
    assert_mended();
    ates_engine_close(&fixture.engine);

    fixture_reopen(&fixture);
    fixture_state_digest(&fixture, before);
    ates_engine_close(&fixture.engine);
    scarce_disk = true;
    cr_assert_eq(ates_rebuild(&tasks_domain, &fixture.config, NULL, &report, error, sizeof error),
                 -ENOSPC);
    scarce_disk = false;
    fixture_reopen(&fixture);
    fixture_state_digest(&fixture, now);
    cr_expect_arr_eq(now, before, sizeof now, "the state was replaced");
}
