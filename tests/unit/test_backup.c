/* A backup is whole or is none: what is in it, what it refuses, and what a failure leaves. */
#include "core/backup.h"

#include <fcntl.h>

#include "support/backup_fixture.h"
#include "support/damage.h"

#define SCRAMBLES 60u

TestSuite(backup, .init = open_both, .fini = close_both, .timeout = 60);

static bool is_there(const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", backup, name);
    return access(path, F_OK) == 0;
}

Test(backup, notes_each_head_and_copies_the_keys)
{
    struct stat status;

    live(NOTES);
    const struct ates_log_head toy_head = *ates_engine_head(toy.engine);
    const struct ates_log_head other_head = *ates_engine_head(other.engine);
    cr_assert_eq(take(true), 0, "%s", error);
    cr_assert_eq(stat(backup, &status), 0);
    cr_expect_eq(status.st_mode & 0777, 0700);
    cr_assert_eq(manifest.log_count, 2);
    cr_expect_str_eq(manifest.logs[0].service, "toy", "consumers come first");
    cr_expect(ates_log_head_equal(&manifest.logs[0].head, &toy_head));
    cr_expect(ates_log_head_equal(&manifest.logs[1].head, &other_head));
    cr_expect_str_eq(manifest.time_zone, toy.config.time_zone);
    cr_expect_gt(manifest.taken_at, 0);
    cr_expect(is_there("keys/auth.key") && is_there("keys/services.key") &&
              is_there("keys/fingerprint.key") && is_there("keys/keyring"));
    cr_assert_eq(ates_manifest_read(&report.manifest, backup, error, sizeof error), 0, "%s", error);
    cr_expect_arr_eq(report.manifest.logs[1].digest, manifest.logs[1].digest, ATES_HASH_SIZE);
}

Test(backup, leaves_the_keys_out_where_asked)
{
    live(1);
    cr_assert_eq(take(false), 0, "%s", error);
    cr_expect_eq(manifest.key_count, 0);
    cr_expect_not(is_there("keys"));
}

Test(backup, takes_a_service_that_never_ran_for_none)
{
    static struct ates_service none_service;
    static struct ates_domain none_domain;
    const struct ates_domain *const three[] = {&none_domain, &toy_domain, &other_domain, NULL};
    const struct ates_backup_plan plan = {
        .domains = three, .config = &toy.config, .folder = backup};

    none_service = toy_service;
    none_service.name = "none";
    none_domain = other_domain;
    none_domain.service = &none_service;
    stop_both();
    cr_assert_eq(ates_backup(&plan, &manifest, error, sizeof error), 0, "%s", error);
    cr_expect_eq(manifest.log_count, 2);
    cr_expect_null(ates_manifest_log(&manifest, "none"));
}

Test(backup, refuses_a_folder_with_something_in_it)
{
    live(1);
    cr_assert_eq(take(true), 0, "%s", error);
    cr_expect_eq(take(true), -ENOTEMPTY);
    assert_said(backup);
    cr_expect(is_there("manifest.json"), "the backup that was there is gone");
}

Test(backup, uses_an_empty_folder_and_makes_it_private)
{
    struct stat status;

    cr_assert_eq(mkdir(backup, 0755), 0);
    cr_assert_eq(take(true), 0, "%s", error);
    cr_assert_eq(stat(backup, &status), 0);
    cr_expect_eq(status.st_mode & 0777, 0700);
}

Test(backup, of_a_damaged_log_names_the_record_and_leaves_nothing)
{
    live(NOTES);
    stop_both();
    damage_flip_record(&other, 7);
    cr_expect_eq(take(true), -EBADMSG);
    assert_said("other/log: record 7 (after event ");
    cr_expect_not(is_there(""));
}

Test(backup, needs_a_data_folder_and_a_place)
{
    const struct ates_config nowhere = config_of("/nowhere/at/all");
    struct ates_backup_plan plan = {.domains = both, .config = &nowhere, .folder = backup};

    stop_both();
    cr_expect_eq(ates_backup(&plan, &manifest, error, sizeof error), -ENOENT);
    assert_said("no aTES data here");
    cr_expect_not(is_there(""));
    plan.config = &toy.config;
    plan.folder = "/nowhere/at/all";
    cr_expect_eq(ates_backup(&plan, &manifest, error, sizeof error), -ENOENT);
    assert_said("/nowhere/at/all");
}

static void tell(void *context, const char *service, const char *doing, uint64_t done,
                 uint64_t total)
{
    char *told = context, line[64];

    cr_assert_leq(done, total);
    snprintf(line, sizeof line, "%s %s. ", service, doing);
    if (done == total && strstr(told, line) == NULL) {
        strcat(told, line);
    }
}

Test(backup, tells_how_far_it_has_come)
{
    char told[256] = "";
    const struct ates_backup_progress progress = {tell, told};
    const struct ates_backup_plan plan = {
        .domains = both, .config = &toy.config, .folder = backup, .progress = &progress};

    live(NOTES);
    stop_both();
    cr_assert_eq(ates_backup(&plan, &manifest, error, sizeof error), 0, "%s", error);
    cr_expect_str_eq(told, "toy copying. other copying. ");
}

struct second {
    bool is_taken;
    int returned;
    char error[2048];
};

static void take_a_second(void *context, const char *service, const char *doing, uint64_t done,
                          uint64_t total)
{
    struct second *second = context;
    const struct ates_backup_plan plan = {.domains = both, .config = &toy.config, .folder = backup};
    struct ates_manifest other_manifest;

    (void)service, (void)doing, (void)done, (void)total;
    if (!second->is_taken) {
        second->is_taken = true;
        second->returned = ates_backup(&plan, &other_manifest, second->error, sizeof second->error);
    }
}

Test(backup, of_two_into_one_folder_the_second_is_refused_and_the_first_whole)
{
    struct second second = {.is_taken = false};
    const struct ates_backup_progress progress = {take_a_second, &second};
    const struct ates_backup_plan plan = {
        .domains = both, .config = &toy.config, .folder = backup, .progress = &progress};

    live(NOTES);
    stop_both();
    cr_assert_eq(ates_backup(&plan, &manifest, error, sizeof error), 0, "%s", error);
    cr_assert(second.is_taken);
    cr_expect_eq(second.returned, -EBUSY);
    cr_expect_not_null(strstr(second.error, "another backup"), "%s", second.error);
    cr_expect_eq(restore_with((struct ates_restore_plan){.verify_only = true}), 0, "%s", error);
}

static void path_of_log(char path[256])
{
    snprintf(path, 256, "%s/other/log/data.mdb", toy.folder);
}

/* LMDB trusts its pages: reading them may end a process. */
Test(backup, of_a_log_whose_file_was_cut_short_names_the_service_and_leaves_nothing)
{
    char path[256];

    live(NOTES);
    stop_both();
    path_of_log(path);
    cr_assert_eq(truncate(path, 2 * sysconf(_SC_PAGESIZE)), 0);
    cr_expect_eq(take(true), -EBADMSG);
    assert_said("other: its files are damaged in their structure");
    cr_expect_not(is_there(""));
}

Test(backup, of_a_log_with_any_page_scrambled_is_whole_or_none)
{
    const uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE);
    uint8_t before[65536], after[65536];
    struct stat status;
    unsigned found = 0;
    char path[256];

    live(NOTES);
    stop_both();
    path_of_log(path);
    const int file = open(path, O_RDWR);
    cr_assert(file >= 0 && fstat(file, &status) == 0 && page_size <= sizeof before);
    for (unsigned i = 0; i < SCRAMBLES; i++) {
        const uint64_t page = 2 + fixture_draw(&toy, (uint64_t)status.st_size / page_size - 2);
        const off_t at = (off_t)(page * page_size);
        const uint64_t from = fixture_draw(&toy, page_size - 8);

        cr_assert_eq(pread(file, before, page_size, at), (ssize_t)page_size);
        memcpy(after, before, page_size);
        for (uint64_t j = from; j < page_size && j < from + 64; j++) {
            after[j] = (uint8_t)fixture_draw(&toy, 256);
        }
        cr_assert_eq(pwrite(file, after, page_size, at), (ssize_t)page_size);
        error[0] = '\0';
        const int r = take(false);
        cr_expect(r == 0 || error[0] != '\0', "%d without a word", r);
        cr_expect_eq(is_there(""), r == 0, "%d: %s", r, error);
        found += r != 0;
        if (r == 0) {
            temp_folder_remove(backup);
        }
        cr_assert_eq(pwrite(file, before, page_size, at), (ssize_t)page_size);
    }
    close(file);
    cr_expect_gt(found, 0);
    cr_expect_eq(take(false), 0, "what was mended is whole: %s", error);
}

Test(backup, of_a_service_whose_log_is_gone_is_none)
{
    char path[256];

    live(NOTES);
    stop_both();
    snprintf(path, sizeof path, "%s/other/log", toy.folder);
    temp_folder_remove(path);
    cr_expect_eq(take(true), -EBADMSG);
    assert_said("other: ");
    cr_expect_not(is_there(""));
}
