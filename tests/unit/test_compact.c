/* A compacted log begins with a base, and everything goes on as if nothing had been cut: the state, a
 * rebuild of it, stored replies, and what followers have not taken in yet; wherever it was
 * interrupted. */
#include "core/compact.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "core/datadir.h"
#include "support/compact_fixture.h"
#include "support/damage.h"

TestSuite(compact, .init = open_fixture, .fini = close_fixture, .timeout = 120);

/* Steps after which a crash may find the disk another: interposed, so that a child can end before any
 * of them. */

static unsigned steps_left; /* 0: no end */
static bool refuses_exchange;
static pid_t victim; /* what it has a check done in ends by itself */

static void step(void)
{
    if (steps_left > 0 && getpid() == victim && --steps_left == 0) {
        kill(getpid(), SIGKILL);
    }
}

#define REAL(NAME) ((__typeof__(&NAME))dlsym(RTLD_NEXT, #NAME))

int mdb_txn_commit(MDB_txn *txn)
{
    step();
    return REAL(mdb_txn_commit)(txn);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    step();
    return REAL(renameat)(from_folder, from, to_folder, to);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    step();
    if (refuses_exchange) {
        errno = EINVAL;
        return -1;
    }
    return REAL(renameat2)(from_folder, from, to_folder, to, flags);
}

int rename(const char *from, const char *to)
{
    step();
    return REAL(rename)(from, to);
}

int fsync(int file)
{
    step();
    return REAL(fsync)(file);
}

int unlinkat(int folder, const char *path, int flags)
{
    step();
    return REAL(unlinkat)(folder, path, flags);
}

static unsigned count_entries(const char *prefix)
{
    char path[128];
    const struct dirent *entry;
    unsigned count = 0;

    snprintf(path, sizeof path, "%s/toy", fixture.folder);
    DIR *folder = opendir(path);
    cr_assert_not_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0 && entry->d_name[0] != '.';
    }
    closedir(folder);
    return count;
}

Test(compact, leaves_the_state_and_begins_the_log_at_the_cut)
{
    uint8_t before[ATES_HASH_SIZE], after[ATES_HASH_SIZE];

    for (unsigned day = 0; day < 5; day++) {
        live_a_day();
    }
    const struct ates_log_head head = *ates_engine_head(fixture.engine);
    fixture_state_digest(&fixture, before);
    compact(FIXTURE_TIME + 3 * DAY_MS);
    cr_expect(report.is_cut);
    cr_expect_eq(report.cut, 3 * DAY_RECORDS);
    cr_expect_eq(report.kept, 2 * DAY_RECORDS);
    cr_expect_eq(report.cut_time, FIXTURE_TIME + 2 * DAY_MS);
    cr_expect_str_empty(report.limited_by);
    cr_expect_gt(report.bytes_before, 0);
    assert_sound();

    fixture_reopen(&fixture);
    cr_expect_eq(ates_engine_figures(fixture.engine)->replayed, 0, "the state stays as it is");
    fixture_state_digest(&fixture, after);
    cr_expect_arr_eq(before, after, sizeof before);
    cr_assert_not_null(base_note());
    cr_expect_eq(base_note()->head.number, 3 * DAY_RECORDS);
    cr_expect_eq(base_note()->head.seq + 1, report.first_seq);
    cr_expect_eq(memcmp(&head, ates_engine_head(fixture.engine), sizeof head), 0);
    cr_expect_eq(fixture_envelope(&fixture, report.first_seq).seq, report.first_seq);
    fixture_check_rebuild(&fixture);
    cr_expect_eq(ates_engine_figures(fixture.engine)->replayed, 2 * DAY_RECORDS);
    live_a_day();
    fixture_check_rebuild(&fixture);
    cr_expect_eq(count_entries("base"), 1);
    cr_expect_eq(count_entries("log"), 1);
}

Test(compact, again_goes_on_from_the_base_that_was_there)
{
    uint8_t before[ATES_HASH_SIZE], after[ATES_HASH_SIZE];

    for (unsigned day = 0; day < 3; day++) {
        live_a_day();
    }
    compact(FIXTURE_TIME + DAY_MS);
    fixture_reopen(&fixture);
    live_a_day();
    live_a_day();
    fixture_state_digest(&fixture, before);
    compact(FIXTURE_TIME + 3 * DAY_MS);
    cr_expect_eq(report.cut, 2 * DAY_RECORDS);
    cr_expect_eq(report.kept, 2 * DAY_RECORDS);
    compact(FIXTURE_TIME + 3 * DAY_MS);
    cr_expect_not(report.is_cut);
    cr_expect_eq(report.cut, 0);
    assert_sound();
    cr_expect_eq(count_entries("base"), 1);
    fixture_rebuild(&fixture);
    fixture_state_digest(&fixture, after);
    cr_expect_arr_eq(before, after, sizeof before);
}

Test(compact, raises_the_folders_version_and_not_before)
{
    char path[128], line[8] = "";

    live_a_day();
    live_a_day();
    live_a_day();
    snprintf(path, sizeof path, "%s/version", fixture.folder);
    for (unsigned dry_run = 2; dry_run-- > 0;) {
        cr_assert_eq(compact_with(&toy_domain, alone, FIXTURE_TIME + DAY_MS, dry_run), 0, "%s",
                     error);
        cr_expect(report.is_cut);
        cr_expect_eq(report.cut, DAY_RECORDS);
        FILE *file = fopen(path, "r");
        cr_assert_not_null(fgets(line, sizeof line, file));
        fclose(file);
        cr_expect_str_eq(line, dry_run ? ATES_DATA_VERSION "\n" : ATES_DATA_VERSION_COMPACTED "\n");
        cr_expect_eq(count_entries("base"), dry_run ? 0 : 1);
    }
    fixture_reopen(&fixture);
    fixture_check_rebuild(&fixture);
}

Test(compact, keeps_the_records_of_stored_replies)
{
    const struct toy_put body = {ates_text_from("first"), ates_text_from("once")};

    live_a_day();
    cr_assert_eq(fixture_execute(&fixture, ann, "put", &body, "some id").status, ATES_OK);
    fixture_commit(&fixture);
    fixture.now_ms += DAY_MS; /* an hour less than replies are kept */
    live_a_day();
    compact(INT64_MAX);
    cr_expect_eq(report.cut, DAY_RECORDS);
    cr_expect_str_eq(report.limited_by, "stored replies");
    fixture_reopen(&fixture);
    fixture.now_ms -= DAY_MS;
    const struct ates_outcome outcome = fixture_execute(&fixture, ann, "put", &body, "some id");
    cr_expect_eq(outcome.status, ATES_OK);
    cr_expect(outcome.replayed);
    fixture_commit(&fixture);
}

/* A domain that follows the toy's. */

static int follow_nothing(struct ates_call *call, const struct ates_event *event, const void *data)
{
    (void)call, (void)event, (void)data;
    return 0;
}

static const char *const no_tables[] = {NULL};
static const struct ates_service reader_service = {.name = "reader"};
static const struct ates_follow reader_follows[] = {
    {"toy", &toy_noted_message, 1, follow_nothing},
};
static const struct ates_domain reader_domain = {
    .service = &reader_service,
    .tables = no_tables,
    .follows = reader_follows,
    .follow_count = 1,
};

static void read_up_to(uint64_t seq)
{
    const struct ates_source source = ates_source_system();
    struct ates_position position = {.known = true, .seq = seq};
    struct ates_engine *engine = NULL;

    strcpy(position.log_id, "a log");
    cr_assert_eq(
        ates_engine_open(&engine, &reader_domain, &fixture.config, &source, error, sizeof error), 0,
        "%s", error);
    cr_assert_eq(ates_engine_start(engine), 0);
    if (seq > 0) {
        cr_assert_eq(ates_engine_follow_position(engine, "toy", &position), 0);
        cr_assert_eq(ates_engine_commit(engine), 0);
    }
    ates_engine_close(&engine);
}

Test(compact, keeps_what_a_follower_has_not_taken_in)
{
    static const struct ates_domain *const domains[] = {&toy_domain, &reader_domain, NULL};

    for (unsigned day = 0; day < 4; day++) {
        live_a_day();
    }
    cr_assert_eq(compact_with(&toy_domain, domains, FIXTURE_TIME + DAY_MS, true), 0);
    cr_expect_eq(report.cut, DAY_RECORDS, "who has no data here is not waited for");
    read_up_to(0);
    cr_assert_eq(compact_with(&toy_domain, domains, FIXTURE_TIME + DAY_MS, false), 0);
    cr_expect_not(report.is_cut);
    cr_expect_str_eq(report.limited_by, "reader");
    read_up_to(30);
    cr_assert_eq(compact_with(&toy_domain, domains, FIXTURE_TIME + 2 * DAY_MS, false), 0, "%s",
                 error);
    cr_expect_eq(report.first_seq, 31);
    cr_expect_str_eq(report.limited_by, "reader");
    assert_sound();
}

/* LMDB trusts its pages: reading them may end a process. */
Test(compact, names_a_follower_whose_files_are_damaged_in_their_structure)
{
    static const struct ates_domain *const domains[] = {&toy_domain, &reader_domain, NULL};
    char path[160];

    live_a_day();
    read_up_to(5);
    snprintf(path, sizeof path, "%s/reader/log/data.mdb", fixture.folder);
    cr_assert_eq(truncate(path, 2 * sysconf(_SC_PAGESIZE)), 0);
    cr_expect_eq(compact_with(&toy_domain, domains, FIXTURE_TIME + DAY_MS, false), -EUCLEAN);
    cr_expect_not_null(strstr(error, "reader, which follows toy, cannot be started: its files"),
                       "%s", error);
}

Test(compact, refuses_data_in_use_and_damaged_ones)
{
    live_a_day();
    live_a_day();
    live_a_day();
    const struct ates_compact_plan plan = {.before = FIXTURE_TIME + DAY_MS, .domains = alone};
    cr_expect_eq(
        ates_compact(&toy_domain, &fixture.config, &plan, NULL, &report, error, sizeof error),
        -EBUSY);
    cr_expect_not_null(strstr(error, "in use by another process"), "%s", error);
    ates_engine_close(&fixture.engine);
    damage_flip_record(&fixture, 40);
    cr_expect_eq(compact_with(&toy_domain, alone, FIXTURE_TIME + DAY_MS, false), -EBADMSG);
    cr_expect_not_null(strstr(error, "record 40"), "%s", error);
    cr_expect_eq(count_entries("base"), 0);
}

Test(compact, leaves_nothing_where_the_exchange_is_refused)
{
    for (unsigned day = 0; day < 3; day++) {
        live_a_day();
    }
    refuses_exchange = true;
    cr_expect_eq(compact_with(&toy_domain, alone, FIXTURE_TIME + DAY_MS, false), -EINVAL);
    cr_expect_not_null(strstr(error, "cannot be exchanged"), "%s", error);
    cr_expect_eq(count_entries("base"), 0);
    cr_expect_eq(count_entries("log"), 1);
    refuses_exchange = false;
    assert_sound();
    compact(FIXTURE_TIME + DAY_MS);
    cr_expect(report.is_cut);
}

/* Crashes. */

static bool dies_at(unsigned at)
{
    int status;
    const pid_t child = fork();

    if (child == 0) {
        const struct ates_compact_plan plan = {.before = INT64_MAX, .domains = alone};

        steps_left = at;
        victim = getpid();
        _exit(ates_compact(&toy_domain, &fixture.config, &plan, NULL, &report, error,
                           sizeof error) == 0
                  ? 0
                  : 1);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 0, "step %u: it was refused", at);
    return WIFSIGNALED(status);
}

Test(compact, killed_before_any_step_leaves_the_old_pair_or_the_new)
{
    uint8_t kept[ATES_HASH_SIZE], now[ATES_HASH_SIZE];
    unsigned at = 1, old = 0, new = 0;
    bool died;

    live_a_day();
    do {
        live_a_day();
        fixture_state_digest(&fixture, kept);
        const uint64_t base_before = base_note() != NULL ? base_note()->head.number : 0;
        ates_engine_close(&fixture.engine);
        died = dies_at(at++);
        assert_sound();
        fixture_reopen(&fixture);
        fixture_state_digest(&fixture, now);
        cr_assert_arr_eq(kept, now, sizeof kept, "step %u: another state", at - 1);
        const uint64_t base_after = base_note() != NULL ? base_note()->head.number : 0;
        old += base_after == base_before;
        new += base_after > base_before;
        fixture_rebuild(&fixture);
        fixture_state_digest(&fixture, now);
        cr_assert_arr_eq(kept, now, sizeof kept, "step %u: another rebuild", at - 1);
    } while (died);
    cr_expect_gt(old, 10);
    cr_expect_gt(new, 5);
    compact(INT64_MAX);
    cr_expect_eq(count_entries("base"), 1, "what the others left is gone");
    cr_expect_eq(count_entries("log"), 1);
}
