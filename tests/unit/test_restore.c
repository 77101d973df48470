/* What was restored equals what was backed up; what is damaged, contradicts itself, or lands on other
 * data is refused with its place; an interrupted restore leaves nothing that is taken for data. */
#include "core/restore.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "core/check.h"
#include "core/compact.h"
#include "core/datadir.h"
#include "core/token.h"
#include "support/backup_fixture.h"

TestSuite(restore, .init = open_both, .fini = close_both, .timeout = 300);

#define DAMAGES 200u
#define DAMAGES_LONG 5000u

/* Steps after which a kill may find the disk another: interposed, so that a child can end before any
 * of them. */
static unsigned steps_left; /* 0: no end */

static void step(void)
{
    if (steps_left > 0 && --steps_left == 0) {
        kill(getpid(), SIGKILL);
    }
}

#define REAL(NAME) ((__typeof__(&NAME))dlsym(RTLD_NEXT, #NAME))

int mdb_txn_commit(MDB_txn *txn)
{
    step();
    return REAL(mdb_txn_commit)(txn);
}

int renameat2(int from, const char *old, int to, const char *name, unsigned flags)
{
    step();
    return REAL(renameat2)(from, old, to, name, flags);
}

int renameat(int from, const char *old, int to, const char *name)
{
    step();
    return REAL(renameat)(from, old, to, name);
}

int unlinkat(int folder, const char *name, int flags)
{
    step();
    return REAL(unlinkat)(folder, name, flags);
}

int rmdir(const char *path)
{
    step();
    return REAL(rmdir)(path);
}

static void assert_restored(void)
{
    assert_same_state(&toy_domain, toy.folder, restored);
    assert_same_state(&other_domain, toy.folder, restored);
    for (size_t i = 0; both[i] != NULL; i++) {
        const struct ates_config config = config_of(restored);
        struct ates_check_report sound;

        cr_assert_eq(ates_check(both[i], &config, NULL, &sound, error, sizeof error), 0, "%s",
                     error);
    }
}

static bool is_there(const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", restored, name);
    return access(path, F_OK) == 0;
}

static void take_backup(void)
{
    live(NOTES);
    cr_assert_eq(take(true), 0, "%s", error);
}

Test(restore, gives_the_state_that_was_backed_up)
{
    take_backup();
    cr_assert_eq(restore_with((struct ates_restore_plan){0}), 0, "%s", error);
    assert_restored();
    cr_expect_eq(report.cut_count, 2);
    cr_expect_not(report.kept_keys);
    cr_expect(is_there("keys/auth.key") && is_there("keys/keyring"));
    cr_expect_not(is_there(ATES_RESTORE_FOLDER) || is_there(ATES_RESTORE_MARK));
}

Test(restore, goes_on_where_the_backup_ended)
{
    take_backup();
    cr_assert_eq(restore_with((struct ates_restore_plan){0}), 0, "%s", error);
    char folder[sizeof toy.folder];
    strcpy(folder, toy.folder);
    cr_assert_lt(snprintf(toy.folder, sizeof toy.folder, "%s", restored), (int)sizeof toy.folder);
    strcpy(toy.config.data_dir, restored);
    other.config = toy.config;
    fixture_reopen(&toy);
    fixture_reopen(&other);
    live(NOTES);
    fixture_check_rebuild(&toy);
    stop_both();
    strcpy(toy.folder, folder);
}

Test(restore, only_verifies_where_asked)
{
    take_backup();
    cr_assert_eq(restore_with((struct ates_restore_plan){.verify_only = true}), 0, "%s", error);
    cr_expect_eq(access(restored, F_OK), -1, "something was left");
    cr_assert_eq(mkdir(restored, 0700), 0);
    cr_assert_eq(restore_with((struct ates_restore_plan){.verify_only = true}), 0, "%s", error);
    cr_expect_eq(rmdir(restored), 0, "something was left");
}

Test(restore, lands_on_no_other_data)
{
    char path[256];

    take_backup();
    cr_assert_eq(mkdir(restored, 0700), 0);
    snprintf(path, sizeof path, "%s/letter", restored);
    FILE *file = fopen(path, "w");
    cr_assert(fputs("dear", file) >= 0 && fclose(file) == 0);
    cr_expect_eq(restore_with((struct ates_restore_plan){0}), -ENOTEMPTY);
    assert_said("there is letter in it");
    cr_expect(is_there("letter"));
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(restore_with((struct ates_restore_plan){0}), 0, "%s", error);
    cr_expect_eq(restore_with((struct ates_restore_plan){0}), -ENOTEMPTY);
    assert_restored();
}

Test(restore, keeps_keys_that_are_there)
{
    char keys[160];

    take_backup();
    cr_assert_eq(mkdir(restored, 0700), 0);
    snprintf(keys, sizeof keys, "%s/keys", restored);
    cr_assert_eq(ates_keys_create(keys, error, sizeof error), 0, "%s", error);
    cr_assert_eq(restore_with((struct ates_restore_plan){0}), 0, "%s", error);
    cr_expect(report.kept_keys);
    assert_restored();
}

/* As systemd has it: the keys' place is there before, and empty. */
Test(restore, puts_the_keys_into_their_place)
{
    char keys[160], path[160];

    take_backup();
    cr_assert_eq(mkdir(restored, 0700), 0);
    snprintf(keys, sizeof keys, "%s/etc", place);
    snprintf(path, sizeof path, "%s/keys", restored);
    cr_assert(mkdir(keys, 0700) == 0 && symlink(keys, path) == 0);
    cr_assert_eq(restore_with((struct ates_restore_plan){0}), 0, "%s", error);
    cr_expect_not(report.kept_keys);
    snprintf(path, sizeof path, "%s/etc/keyring", place);
    cr_expect_eq(access(path, F_OK), 0);
}

Test(restore, without_keys_there_are_none)
{
    live(NOTES);
    cr_assert_eq(take(false), 0, "%s", error);
    cr_assert_eq(restore_with((struct ates_restore_plan){0}), 0, "%s", error);
    cr_expect_eq(report.manifest.key_count, 0);
    cr_expect_not(is_there("keys"));
}

/* A point in time between two seconds of work, whatever it is. */
Test(restore, of_a_point_in_time_cuts_followers_by_what_they_followed)
{
    live(10);
    const int64_t until = toy.now_ms - 1;
    const struct ates_log_head toy_head = *ates_engine_head(toy.engine);
    const struct ates_log_head other_head = *ates_engine_head(other.engine);
    take_backup();
    cr_assert_eq(restore_with((struct ates_restore_plan){.has_until = true, .until = until}), 0,
                 "%s", error);
    cr_assert_eq(report.cut_count, 2);
    cr_expect(ates_log_head_equal(&report.cuts[0].head, &other_head));
    cr_expect(ates_log_head_equal(&report.cuts[1].head, &toy_head));

    /* The other's clock was behind: the toy has followed what came "later". */
    temp_folder_remove(restored);
    temp_folder_remove(backup);
    fixture_reopen(&toy);
    fixture_reopen(&other);
    const int64_t behind = toy.now_ms;
    fixture_do(&toy, ann, "hide", &(struct toy_hide){ates_text_from("before")}, NULL);
    const uint64_t kept = ates_engine_head(toy.engine)->number;
    other.now_ms += 5000;
    fixture_do(&other, ann, "note", &(struct toy_note){ates_text_from("later"), 1}, NULL);
    follow_other();
    cr_assert_eq(take(true), 0, "%s", error);
    cr_assert_eq(restore_with((struct ates_restore_plan){.has_until = true, .until = behind}), 0,
                 "%s", error);
    cr_expect_eq(report.cuts[1].head.number, kept);
    cr_expect_eq(report.cuts[1].head.number + 1, manifest.logs[0].head.number);
}

Test(restore, of_a_time_before_all_is_empty)
{
    take_backup();
    cr_assert_eq(restore_with((struct ates_restore_plan){.has_until = true, .until = 1}), 0, "%s",
                 error);
    cr_expect_eq(report.cuts[0].head.number, 0);
    cr_expect_eq(report.cuts[1].head.number, 0);
}

Test(restore, of_a_compacted_log_brings_its_base)
{
    const struct ates_domain *const alone[] = {&toy_domain, NULL};
    struct ates_compact_plan plan = {.domains = alone};
    struct ates_compact_report compacted;

    live(NOTES);
    toy.now_ms += 3 * INT64_C(86400000);
    other.now_ms = plan.before = toy.now_ms;
    live(NOTES);
    stop_both();
    cr_assert_eq(
        ates_compact(&toy_domain, &toy.config, &plan, NULL, &compacted, error, sizeof error), 0,
        "%s", error);
    cr_assert(compacted.is_cut && compacted.kept > 0);
    cr_assert_eq(take(true), 0, "%s", error);
    cr_assert_eq(restore_with((struct ates_restore_plan){0}), 0, "%s", error);
    assert_restored();
    temp_folder_remove(restored);
    cr_expect_eq(restore_with((struct ates_restore_plan){.has_until = true, .until = 1}), -ERANGE);
    assert_said("compacted");
}

Test(restore, refuses_a_follower_that_is_ahead_of_its_producer)
{
    live(NOTES);
    struct ates_position position = {.known = true, .seq = ates_engine_head(other.engine)->seq + 1};
    strcpy(position.log_id, ates_log_id(ates_engine_log(other.engine)));
    cr_assert_eq(ates_engine_follow_position(toy.engine, "other", &position), 0);
    fixture_commit(&toy);
    cr_assert_eq(take(true), 0, "%s", error);
    cr_expect_eq(restore_with((struct ates_restore_plan){0}), -EBADMSG);
    assert_said("toy has followed other up to event ");
    cr_expect_eq(access(restored, F_OK), -1);
}

Test(restore, refuses_a_follower_of_another_log)
{
    live(NOTES);
    struct ates_position position = {.known = true, .seq = ates_engine_head(other.engine)->seq};
    strcpy(position.log_id, ates_log_id(ates_engine_log(other.engine)));
    cr_assert_eq(ates_engine_follow_position(toy.engine, "other", &position), 0);
    fixture_commit(&toy);
    cr_assert_eq(take(true), 0, "%s", error);
    cr_expect_eq(restore_with((struct ates_restore_plan){0}), -EBADMSG);
    assert_said("toy has followed another log of other than the backup's");
}

/* Flips one bit; returns what the byte was. */
static void flip(const char *name, long offset, uint8_t bit)
{
    char path[256];
    uint8_t byte;

    snprintf(path, sizeof path, "%s/%s", backup, name);
    FILE *file = fopen(path, "r+");
    cr_assert(fseek(file, offset, SEEK_SET) == 0 && fread(&byte, 1, 1, file) == 1);
    byte ^= bit;
    cr_assert(fseek(file, offset, SEEK_SET) == 0 && fwrite(&byte, 1, 1, file) == 1);
    cr_assert_eq(fclose(file), 0);
}

Test(restore, finds_every_flipped_bit_and_names_file_and_record)
{
    static const char *const files[] = {"toy.log",       "other.log",    "manifest.json",
                                        "keys/auth.key", "keys/keyring", "keys/fingerprint.key"};
    const unsigned damages =
        getenv("ATES_LONG") != NULL && atoi(getenv("ATES_LONG")) > 0 ? DAMAGES_LONG : DAMAGES;

    take_backup();
    for (unsigned i = 0; i < damages; i++) {
        const char *name = files[i % 4 < 2 ? i % 2 : fixture_draw(&toy, 6)];
        char path[256];
        struct stat status;

        snprintf(path, sizeof path, "%s/%s", backup, name);
        cr_assert_eq(stat(path, &status), 0);
        const long offset = (long)fixture_draw(&toy, (uint64_t)status.st_size);
        const uint8_t bit = (uint8_t)(1u << fixture_draw(&toy, 8));
        flip(name, offset, bit);
        const int r = restore_with((struct ates_restore_plan){.verify_only = true});
        cr_assert(r == -EBADMSG || (r == -EPROTONOSUPPORT && i % 4 >= 2),
                  "%s: bit %u of byte %ld was not found: %d, %s", name, bit, offset, r, error);
        assert_said(name);
        if (i % 4 < 2 && offset >= 16) {
            cr_assert(strstr(error, "record ") != NULL || strstr(error, "byte ") != NULL ||
                          strstr(error, "says of itself") != NULL,
                      "no place: %s", error);
        }
        cr_assert_eq(access(restored, F_OK), -1, "something was left");
        flip(name, offset, bit);
    }
    cr_expect_eq(restore_with((struct ates_restore_plan){.verify_only = true}), 0, "%s", error);
}

Test(restore, refuses_another_log_in_the_place_of_one)
{
    char from[256], to[256];

    take_backup();
    snprintf(from, sizeof from, "%s/other.log", backup);
    snprintf(to, sizeof to, "%s/toy.log", backup);
    cr_assert_eq(rename(from, to), 0);
    cr_expect_eq(restore_with((struct ates_restore_plan){0}), -ENOENT);
    assert_said("other.log");
    cr_assert_eq(symlink(to, from), 0);
    cr_expect_eq(restore_with((struct ates_restore_plan){0}), -EBADMSG);
    assert_said("the copy of another log than the manifest says");
}

Test(restore, refuses_a_service_that_it_does_not_know)
{
    const struct ates_domain *const alone[] = {&toy_domain, NULL};
    const struct ates_config config = config_of(restored);
    const struct ates_restore_plan plan = {.domains = alone, .config = &config, .backup = backup};

    take_backup();
    cr_expect_eq(ates_restore(&plan, &report, error, sizeof error), -EPROTONOSUPPORT);
    assert_said("the log of 'other'");
}

/* A restore in a child that is killed before its step number `at`; whether it got to its end. */
static bool restore_until_step(unsigned at)
{
    const pid_t child = fork();
    int status;

    if (child == 0) {
        steps_left = at;
        const int r = restore_with((struct ates_restore_plan){0});
        _exit(r == 0 ? 0 : 1);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 0, "it failed");
    return WIFEXITED(status);
}

Test(restore, killed_before_any_step_leaves_no_data_and_can_be_run_again)
{
    bool ended = false;
    unsigned at = 0, completed = 0;

    live(3);
    cr_assert_eq(take(true), 0, "%s", error);
    while (!ended) {
        ended = restore_until_step(++at);
        const bool marked = is_there(ATES_RESTORE_MARK);
        const int r = ates_datadir_check(restored, error, sizeof error);

        cr_assert(ended ? r == 0 : r != 0 || is_there("version"), "step %u: %s", at, error);
        if (!ended && r != 0) {
            cr_assert(r == -EINPROGRESS || r == -ENOENT, "step %u: %s", at, error);
            cr_assert_eq(restore_with((struct ates_restore_plan){0}), 0, "step %u: %s", at, error);
            completed += marked;
        }
        assert_restored();
        temp_folder_remove(restored);
    }
    cr_expect_gt(at, 20);
    cr_expect_gt(completed, 3, "no kill hit the last step");
    printf("killed before each of %u steps, %u times within the last one\n", at - 1, completed);
}

Test(restore, completes_one_of_another_backup_and_says_so)
{
    unsigned at = 1;

    live(3);
    cr_assert_eq(take(true), 0, "%s", error);
    while (!restore_until_step(at) && !is_there(ATES_RESTORE_MARK)) {
        temp_folder_remove(restored);
        at++;
    }
    cr_assert(is_there(ATES_RESTORE_MARK));
    cr_expect_eq(restore_with((struct ates_restore_plan){.has_until = true, .until = 5}),
                 -EALREADY);
    assert_said("another restore had been interrupted at its last step");
    assert_restored();
}

static void put_something(void *context, const char *service, const char *doing, uint64_t done,
                          uint64_t total)
{
    (void)context, (void)service, (void)doing, (void)done, (void)total;
    char path[256];

    snprintf(path, sizeof path, "%s/tasks", restored);
    mkdir(path, 0700);
}

Test(restore, what_comes_into_its_folder_meanwhile_is_refused_and_stays)
{
    const struct ates_backup_progress progress = {put_something, NULL};

    take_backup();
    cr_assert_eq(mkdir(restored, 0700), 0);
    cr_expect_eq(restore_with((struct ates_restore_plan){.progress = &progress}), -ENOTEMPTY);
    assert_said("there is tasks in it");
    cr_expect(is_there("tasks"));
    cr_expect_not(is_there("version") || is_there(ATES_RESTORE_FOLDER) ||
                  is_there(ATES_RESTORE_MARK));
}
