/* Backups on real processes: taken again and again under load, each restored elsewhere equals what the
 * logs had come to at its cut, and services go on from there; killed at drawn moments, and on a full
 * disk, backup and restore leave nothing half. ATES_BACKUPS, ATES_KILLS: how many. */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "core/datadir.h"
#include "core/engine_private.h"
#include "core/manifest.h"
#include "core/store_compare.h"
#include "domains.h"
#include "support/mix.h"
#include "support/model.h"
#include "support/temp_folder.h"

#define BACKUPS 6u
#define BACKUPS_LONG 50u
#define KILLS 24u
#define KILLS_LONG 400u
#define IN_FLIGHT 32u
#define BETWEEN 150u /* commands at most from one backup to the next */
#define DURING 3000u /* commands at most while one is made: or a slow machine's disk would fill */
#define AFTER 300u   /* commands on restored data */
#define BYTES_MAX ((uint64_t)6 << 30) /* of all backups: what takes longer fills the disk */
#define PATH_SIZE 192u

TestSuite(backup, .timeout = 3600);

static struct flow flow;
static struct mix mix;
static struct flow_output output;

static const char *ctl(void)
{
    const char *given = getenv("ATESCTL");

    return given != NULL ? given : ATESCTL_PATH;
}

static void path_of(char out[PATH_SIZE], const char *name, uint64_t number)
{
    cr_assert_lt(snprintf(out, PATH_SIZE, "%s/%s-%" PRIu64, flow.folder, name, number),
                 (int)PATH_SIZE);
}

/* Runs atesctl admin; its exit code, with what it said in output. */
static int admin(const char *command, const char *backup, const char *data)
{
    const char *const argv[] = {ctl(),  "--run",  flow.run_dir, "admin", command,
                                backup, "--data", data,         NULL};

    flow_run(&flow, argv, NULL, &output);
    return output.code;
}

/* The same, in the background, without words. */
static pid_t admin_begin(const char *command, const char *backup, const char *data)
{
    const pid_t pid = flow_fork();

    if (pid == 0) {
        const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        execl(ctl(), ctl(), "--run", flow.run_dir, "admin", command, backup, "--data", data, NULL);
        _exit(127);
    }
    return pid;
}

static void open_all(void)
{
    flow_open(&flow);
    flow_start_all(&flow);
    flow_until(flow_has_followed(&flow, "tasks", "auth"));
    mix_open(&mix, &flow);
}

/* A backup while commands are under way; its manifest. Returns the size of its logs. */
static uint64_t back_up_under_load(uint64_t number, struct ates_manifest *manifest)
{
    char backup[PATH_SIZE], error[512] = "";
    uint64_t bytes = 0;
    int status = 0;

    path_of(backup, "backup", number);
    mix_fill(&mix, IN_FLIGHT);
    const size_t until = mix.load.count + DURING;
    const pid_t pid = admin_begin("backup", backup, flow.data_dir);
    pid_t ended;
    while ((ended = waitpid(pid, &status, WNOHANG)) == 0 && mix.load.count < until) {
        mix_fill(&mix, IN_FLIGHT);
        cr_assert(mix_receive(&mix, FLOW_PATIENCE_MS * flow_scale()), "no reply comes any more");
    }
    if (ended == 0) {
        cr_assert_eq(waitpid(pid, &status, 0), pid);
    }
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "backup %" PRIu64 ": %d", number,
              status);
    cr_assert_eq(ates_manifest_read(manifest, backup, error, sizeof error), 0, "%s", error);
    cr_assert_eq(manifest->log_count, 5);
    for (size_t i = 0; i < manifest->log_count; i++) {
        bytes += manifest->logs[i].size;
    }
    return bytes;
}

static void compare_tables(const struct ates_domain *domain, struct ates_txn *expected,
                           struct ates_txn *found, uint64_t number)
{
    const char *names[ATES_TABLES_MAX];
    const size_t count = ates_domain_tables(domain, names);

    for (unsigned table = 0; table < count; table++) {
        struct ates_table_comparison rows;

        cr_assert_eq(ates_store_compare(expected, found, table, &rows), 0);
        cr_assert_eq(rows.differences, 0,
                     "backup %" PRIu64 ": %s.%s has %" PRIu64 " rows that differ, first %s", number,
                     domain->service->name, names[table], rows.differences, rows.first_key);
    }
}

/* The state in the folder data is what the original log, not the backup's copy of it, comes to at the
 * cut. */
static void check_state(const struct ates_domain *domain, const struct ates_log_head *cut,
                        const char *data, uint64_t number)
{
    const struct ates_config *config = flow_load_config(&flow);
    const struct ates_source source = ates_source_system();
    const char *names[ATES_TABLES_MAX];
    const size_t count = ates_domain_tables(domain, names);
    struct ates_engine *engine = NULL;
    struct ates_store *store = NULL;
    struct ates_txn found = {.mdb = NULL};
    struct ates_arena *arena = ates_arena_new();
    char path[2 * PATH_SIZE], error[512] = "";

    cr_assert_eq(ates_engine_open_offline(&engine, domain, config, &source, "state.cut", error,
                                          sizeof error),
                 0, "%s", error);
    cr_assert_eq(ates_txn_begin(&engine->txn, engine->store, false, engine->arena), 0);
    cr_assert_eq(ates_txn_clear(&engine->txn), 0);
    cr_assert_eq(engine_replay_to(engine, cut), 0);
    cr_assert_eq(engine_commit_state(engine, cut), 0);

    snprintf(path, sizeof path, "%s/%s/state", data, domain->service->name);
    cr_assert_eq(
        ates_store_open(&store, path, (size_t)config->map_size, names, count, error, sizeof error),
        0, "%s", error);
    cr_assert_eq(ates_txn_begin(&found, store, true, arena), 0);
    compare_tables(domain, &engine->txn, &found, number);
    ates_txn_abort(&found);
    ates_store_close(&store);
    ates_arena_free(&arena);
    ates_txn_abort(&engine->txn);
    ates_engine_close(&engine);
}

static void check_backup(uint64_t number, const struct ates_manifest *manifest,
                         char data[PATH_SIZE])
{
    char backup[PATH_SIZE];

    path_of(backup, "backup", number);
    path_of(data, "restored", number);
    cr_assert_eq(admin("restore", backup, data), 0, "%s", output.err);
    for (size_t i = 0; ates_domains[i] != NULL; i++) {
        const struct ates_manifest_log *log =
            ates_manifest_log(manifest, ates_domains[i]->service->name);

        check_state(ates_domains[i], &log->head, data, number);
    }
}

/* What services are started on from now on. */
static void use_data(const char *data)
{
    cr_assert_lt(snprintf(flow.data_dir, sizeof flow.data_dir, "%s", data),
                 (int)sizeof flow.data_dir);
}

/* The services on the data of a backup go on from it, as if nothing had come after. */
static void go_on_from(const char *data)
{
    use_data(data);
    flow_start_all(&flow);
    flow_catch_up(&flow);
    model_verify(&flow);
    for (unsigned i = 0; i < AFTER; i++) {
        const struct tasks_create_task body = {.name = ates_text_from("after the restore"),
                                               .description = ates_text_from("")};

        flow_do(&flow, FLOW_DEVELOPER, &tasks_service, "create_task", &body, NULL);
    }
    model_verify(&flow);
    flow_stop_all(&flow);
    model_check_rebuild(&flow);
}

Test(backup, taken_under_load_and_restored_elsewhere_equals_the_logs_at_its_cut)
{
    const uint64_t wanted = flow_setting("ATES_BACKUPS", flow_is_long() ? BACKUPS_LONG : BACKUPS);
    struct ates_manifest *manifests = calloc(wanted, sizeof *manifests);
    uint64_t events = 0, count = 0;
    char data[PATH_SIZE];

    open_all();
    for (uint64_t bytes = 0; count < wanted && bytes < BYTES_MAX; count++) {
        const size_t until = mix.load.count + 1 + (size_t)flow_draw(&flow, BETWEEN);

        while (mix.load.count < until) {
            mix_fill(&mix, IN_FLIGHT);
            cr_assert(mix_receive(&mix, FLOW_PATIENCE_MS * flow_scale()));
        }
        bytes += back_up_under_load(count, &manifests[count]);
    }
    mix_drain(&mix);
    mix_check(&mix);
    flow_catch_up(&flow);
    model_verify(&flow);
    mix_close(&mix);
    flow_stop_all(&flow);
    for (uint64_t i = 0; i < count; i++) {
        check_backup(i, &manifests[i], data);
        events = ates_manifest_log(&manifests[i], "tasks")->head.seq;
        if (i + 1 < count) {
            temp_folder_remove(data);
        }
    }
    fprintf(stderr, "%" PRIu64 " backups under load, the last with %" PRIu64 " events of tasks\n",
            count, events);
    go_on_from(data);
    free(manifests);
    flow_close(&flow);
}

/* Runs atesctl admin restore --until a moment of the past; its exit code. */
static int restore_until(const char *backup, const char *data, int64_t until_ms)
{
    const time_t seconds = (time_t)(until_ms / 1000);
    char until[32];

    strftime(until, sizeof until, "%Y-%m-%dT%H:%M:%SZ", gmtime(&seconds));
    const char *const argv[] = {ctl(),    "--run", flow.run_dir, "admin", "restore", backup,
                                "--data", data,    "--until",    until,   NULL};

    flow_run(&flow, argv, NULL, &output);
    return output.code;
}

static void create_tasks(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const struct tasks_create_task body = {.name = ates_text_from("before and after"),
                                               .description = ates_text_from("")};

        flow_do(&flow, FLOW_DEVELOPER, &tasks_service, "create_task", &body, NULL);
    }
    flow_catch_up(&flow);
}

/* The next whole second, as --until tells it, once it is over. */
static int64_t next_second(void)
{
    const struct ates_source source = ates_source_system();
    const int64_t until = (ates_now_ms(&source) / 1000 + 1) * 1000;

    flow_until(ates_now_ms(&source) > until);
    return until;
}

/* A point in time: all services agree on it and go on; who has seen what came after it stops with an
 * alarm, whether the log has grown beyond its place meanwhile or not. */
Test(backup, of_a_point_in_time_stops_followers_that_have_seen_more)
{
    char backup[PATH_SIZE], data[PATH_SIZE], copy[4 * PATH_SIZE];

    flow_open(&flow);
    flow_start_all(&flow);
    create_tasks(20);
    const uint64_t head = flow_head(&flow, "tasks");
    const int64_t until_ms = next_second();
    create_tasks(10);
    flow_stop_all(&flow);
    path_of(backup, "backup", 0);
    path_of(data, "restored", 0);
    cr_assert_eq(admin("backup", backup, flow.data_dir), 0, "%s", output.err);
    cr_assert_eq(restore_until(backup, data, until_ms), 0, "%s", output.err);
    snprintf(copy, sizeof copy, "rm -r %s/accounting && cp -r %s/accounting %s/accounting", data,
             flow.data_dir, data);

    use_data(data);
    flow_start_all(&flow);
    flow_catch_up(&flow);
    cr_expect_eq(flow_head(&flow, "tasks"), head);
    model_verify(&flow);
    for (unsigned times = 0; times < 2; times++) {
        flow_stop_all(&flow);
        cr_assert_eq(system(copy), 0);
        for (size_t i = 0; flow_services[i] != NULL; i++) {
            flow_start(&flow, flow_services[i]);
        }
        flow_until(
            flow_metric(&flow, "accounting", "ates_follower_stopped", "producer=\"tasks\"") == 1);
        for (unsigned i = 0; times == 0 && i < 30; i++) {
            const struct tasks_create_task body = {.name = ates_text_from("another history"),
                                                   .description = ates_text_from("")};

            flow_do(&flow, FLOW_DEVELOPER, &tasks_service, "create_task", &body, NULL);
        }
    }
    flow_close(&flow);
}

/* Root gives what it restores to the folder's owner, as the services could not open it otherwise. */
Test(backup, restored_by_root_belongs_to_the_folders_owner)
{
    char backup[PATH_SIZE], data[PATH_SIZE], path[2 * PATH_SIZE];
    static const char *const files[] = {"version", "keys/auth.key", "tasks/log/data.mdb",
                                        "accounting/state/data.mdb", "auth/lock"};

    if (geteuid() != 0) {
        cr_skip_test("only root can give files away");
    }
    flow_open(&flow);
    path_of(backup, "backup", 0);
    path_of(data, "restored", 0);
    flow_start_all(&flow);
    cr_assert_eq(admin("backup", backup, flow.data_dir), 0, "%s", output.err);
    cr_assert(mkdir(data, 0700) == 0 && chown(data, 65534, 65534) == 0);
    cr_assert_eq(admin("restore", backup, data), 0, "%s", output.err);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct stat status;

        snprintf(path, sizeof path, "%s/%s", data, files[i]);
        cr_assert_eq(stat(path, &status), 0, "%s", path);
        cr_expect(status.st_uid == 65534 && status.st_gid == 65534, "%s", path);
    }
    flow_close(&flow);
}

static void wait_us(uint64_t us)
{
    const int64_t until = ates_monotonic_us() + (int64_t)us;

    while (ates_monotonic_us() < until) {
    }
}

/* Kills it somewhere in the time that one takes; whether it had ended by itself. */
static bool kill_somewhere(pid_t pid, uint64_t takes_us)
{
    int status;

    wait_us(flow_draw(&flow, takes_us));
    kill(pid, SIGKILL);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 0, "it failed: %d", status);
    return WIFEXITED(status);
}

static uint64_t timed(const char *command, const char *backup, const char *data)
{
    const int64_t start = ates_monotonic_us();

    cr_assert_eq(admin(command, backup, data), 0, "%s", output.err);
    return (uint64_t)(ates_monotonic_us() - start);
}

static void remove_if_there(const char *path)
{
    if (access(path, F_OK) == 0) {
        temp_folder_remove(path);
    }
}

static void work_a_little(void)
{
    open_all();
    mix_run(&mix, AFTER, IN_FLIGHT);
    mix_drain(&mix);
    flow_catch_up(&flow);
    mix_close(&mix);
}

Test(backup, killed_anywhere_is_whole_or_none)
{
    const uint64_t kills = flow_setting("ATES_KILLS", flow_is_long() ? KILLS_LONG : KILLS);
    uint64_t whole = 0, interrupted = 0;
    char backup[PATH_SIZE], data[PATH_SIZE];

    work_a_little();
    path_of(backup, "backup", 0);
    path_of(data, "restored", 0);
    const uint64_t takes_us = timed("backup", backup, flow.data_dir);
    for (uint64_t i = 0; i < kills; i++) {
        remove_if_there(backup);
        remove_if_there(data);
        const bool ended =
            kill_somewhere(admin_begin("backup", backup, flow.data_dir), 2 * takes_us);
        const int code = admin("restore", backup, data);

        cr_assert(code == 0 || (!ended && code == 3), "%d: %s", code, output.err);
        cr_assert(code == 0 || strstr(output.err, "interrupted") != NULL ||
                      strstr(output.err, "no such folder") != NULL,
                  "%s", output.err);
        cr_assert_eq(access(data, F_OK) == 0, code == 0, "something was left");
        whole += code == 0;
        interrupted += code == 3;
    }
    fprintf(stderr, "backups killed: %" PRIu64 " were whole, %" PRIu64 " refused\n", whole,
            interrupted);
    flow_close(&flow);
}

Test(backup, restores_killed_anywhere_can_be_run_again)
{
    const uint64_t kills = flow_setting("ATES_KILLS", flow_is_long() ? KILLS_LONG : KILLS);
    struct ates_manifest manifest;
    uint64_t ended = 0, again = 0;
    char backup[PATH_SIZE], data[PATH_SIZE], error[512] = "";

    work_a_little();
    flow_stop_all(&flow);
    path_of(backup, "backup", 0);
    path_of(data, "restored", 0);
    cr_assert_eq(admin("backup", backup, flow.data_dir), 0, "%s", output.err);
    cr_assert_eq(ates_manifest_read(&manifest, backup, error, sizeof error), 0, "%s", error);
    const uint64_t takes_us = timed("restore", backup, data);
    for (uint64_t i = 0; i < kills; i++) {
        remove_if_there(data);
        ended += kill_somewhere(admin_begin("restore", backup, data), 2 * takes_us);
        if (ates_datadir_check(data, error, sizeof error) != 0) {
            cr_assert_eq(admin("restore", backup, data), 0, "%s", output.err);
            again++;
        }
        for (size_t j = 0; ates_domains[j] != NULL; j++) {
            const char *service = ates_domains[j]->service->name;

            check_state(ates_domains[j], &ates_manifest_log(&manifest, service)->head, data, i);
        }
    }
    fprintf(stderr, "restores killed: %" PRIu64 " had ended, %" PRIu64 " were run again\n", ended,
            again);
    flow_close(&flow);
}

/* In a mount namespace of its own, with a disk of this size at the first argument. */
static int on_small_disk(const char *size, const char *command, const char *argument)
{
    static const char script[] =
        "mount -t tmpfs -o size=$2 tmpfs \"$1\" || exit 99; \"$3\" --run \"$1\" admin \"$4\" $5; "
        "code=$?; ls -A \"$1\"; exit $code";
    char disk[PATH_SIZE];

    snprintf(disk, sizeof disk, "%s/disk", flow.folder);
    mkdir(disk, 0700);
    const char *const argv[] = {
        "/usr/bin/unshare", "-rm", "sh", "-c", script, "sh", disk, size, ctl(), command,
        argument,           NULL};
    flow_run(&flow, argv, NULL, &output);
    return output.code;
}

Test(backup, a_full_disk_is_told_and_nothing_is_left)
{
    char backup[PATH_SIZE], arguments[4 * PATH_SIZE];

    work_a_little();
    path_of(backup, "backup", 0);
    snprintf(arguments, sizeof arguments, "%s/disk/backup --data %s", flow.folder, flow.data_dir);
    const int code = on_small_disk("128k", "backup", arguments);
    if (code == 99 || strstr(output.err, "unshare failed") != NULL) {
        flow_close(&flow);
        cr_skip("no mount namespace for an ordinary user here");
    }
    cr_expect_eq(code, 1, "%d: %s", code, output.err);
    cr_expect_not_null(strstr(output.err, "No space left on device"), "%s", output.err);
    cr_expect_str_empty(output.out, "left: %s", output.out);

    cr_assert_eq(admin("backup", backup, flow.data_dir), 0, "%s", output.err);
    snprintf(arguments, sizeof arguments, "%s --data %s/disk/data", backup, flow.folder);
    cr_expect_eq(on_small_disk("512k", "restore", arguments), 1, "%s", output.err);
    cr_expect_not_null(strstr(output.err, "the disk is full"), "%s", output.err);
    cr_expect_str_empty(output.out, "left: %s", output.out);
    cr_expect_eq(on_small_disk("256m", "restore", arguments), 0, "%s", output.err);
    flow_close(&flow);
}
