/* atesd as those who operate it meet it: what it says when it cannot start, how it stops, and what
 * it tells the service manager. */
#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <sodium.h>

#include <ates/accounting.h>
#include <ates/payment.h>
#include <ates/tasks.h>

#include "support/event_log.h"
#include "support/event_type.h"
#include "support/load.h"

#define COMMANDS 400u
#define WATCHDOG_MS 300
#define MESSAGES_WANTED 3

TestSuite(daemon, .timeout = 300);

/* Runs atesd, which must not start: one line on stderr that holds every one of these words, nothing
 * on stdout, a code that is not 0. */
static void fails(struct flow *flow, const char *const *arguments, const char *const *words)
{
    static struct flow_output output;
    const char *argv[16] = {flow_atesd()};
    size_t count = 1;

    while (*arguments != NULL) {
        cr_assert_lt(count, 15);
        argv[count++] = *arguments++;
    }
    flow_run(flow, argv, NULL, &output);
    cr_assert_gt(output.code, 0, "atesd %s: %d\n%s", argv[1], output.code, output.err);
    cr_assert_str_eq(output.out, "");
    const char *newline = strchr(output.err, '\n');
    cr_assert(newline != NULL && newline[1] == '\0', "one line is expected:\n%s", output.err);
    const char *speaker = strstr(output.err, "atesd: ");
    cr_assert(speaker != NULL && speaker < strchr(output.err, ' '), "it says who speaks: %s",
              output.err);
    for (; *words != NULL; words++) {
        cr_assert_not_null(strstr(output.err, *words), "'%s' is not in: %s", *words, output.err);
    }
}
#define ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static crypto_generichash_state digest_state;

static int digest_file(const char *path, const struct stat *status, int type, struct FTW *place)
{
    static uint8_t bytes[65536];
    const char *name = path + place->base;
    size_t size;

    (void)status;
    /* What a process that looked leaves are its locks. */
    if (type != FTW_F || strcmp(name, "lock") == 0 || strcmp(name, "lock.mdb") == 0) {
        return 0;
    }
    crypto_generichash_update(&digest_state, (const uint8_t *)path, strlen(path));
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file);
    while ((size = fread(bytes, 1, sizeof bytes, file)) > 0) {
        crypto_generichash_update(&digest_state, bytes, size);
    }
    fclose(file);
    return 0;
}

/* Of every file's name and content below the data folder. */
static void digest_data(const struct flow *flow, uint8_t digest[32])
{
    crypto_generichash_init(&digest_state, NULL, 0, 32);
    cr_assert_eq(nftw(flow->data_dir, digest_file, 16, FTW_PHYS), 0);
    crypto_generichash_final(&digest_state, digest, 32);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    cr_assert_not_null(file, "%s", path);
    fputs(text, file);
    fclose(file);
}

/* A flow whose data must be the same at the end. */
static void open_untouched(struct flow *flow, uint8_t digest[32])
{
    flow_open(flow);
    digest_data(flow, digest);
}

static void close_untouched(struct flow *flow, const uint8_t digest[32])
{
    uint8_t now[32];

    digest_data(flow, now);
    cr_assert_arr_eq(digest, now, 32, "a failed start changed the data");
    flow_start(flow, "auth");
    flow_close(flow);
}

Test(daemon, a_wrong_command_line_is_refused)
{
    struct flow flow;
    uint8_t digest[32];

    open_untouched(&flow, digest);
    fails(&flow, ARGUMENTS("auth", "--frobnicate"), WORDS("frobnicate"));
    fails(&flow, ARGUMENTS("auth", "--data"), WORDS("data"));
    fails(&flow,
          ARGUMENTS("nothing", "-c", "/dev/null", "--data", flow.data_dir, "--run", flow.run_dir),
          WORDS("nothing", "--help"));
    fails(&flow, ARGUMENTS("auth", "tasks"), WORDS("--help"));
    fails(&flow, ARGUMENTS("--data", flow.data_dir), WORDS("--help"));
    fails(&flow,
          ARGUMENTS("auth", "-c", "/dev/null", "--data", flow.data_dir, "--run", flow.run_dir,
                    "--log-level", "loud"),
          WORDS("loud", "log"));
    close_untouched(&flow, digest);
}

Test(daemon, a_bad_configuration_is_refused)
{
    struct flow flow;
    uint8_t digest[32];
    char path[128];

    open_untouched(&flow, digest);
    snprintf(path, sizeof path, "%s/ates.conf", flow.folder);
    const char *const *arguments =
        ARGUMENTS("auth", "-c", path, "--data", flow.data_dir, "--run", flow.run_dir);

    fails(&flow, arguments, WORDS(path, strerror(ENOENT)));
    cr_assert_eq(mkdir(path, 0700), 0);
    fails(&flow, arguments, WORDS(path, strerror(EISDIR)));
    cr_assert_eq(rmdir(path), 0);
    write_file(path, "# a comment\nlog\n  level = debug\n");
    fails(&flow, arguments, WORDS(path, "line 3"));
    write_file(path, "# a comment\n\nauth\n    access_minutes = soon\n");
    fails(&flow, arguments, WORDS(path, "auth/access_minutes", "soon"));
    write_file(path, "# a comment\n\nauth\n    no_such_thing = 1\n");
    fails(&flow, arguments, WORDS(path, "auth/no_such_thing"));
    close_untouched(&flow, digest);
}

Test(daemon, folders_it_cannot_use_are_refused)
{
    struct flow flow;
    uint8_t digest[32];
    char absent[128], long_path[200];

    open_untouched(&flow, digest);
    snprintf(absent, sizeof absent, "%s/absent", flow.folder);
    snprintf(long_path, sizeof long_path, "%s/%0100d", flow.folder, 0);
    fails(&flow, ARGUMENTS("auth", "-c", "/dev/null", "--data", flow.data_dir, "--run", long_path),
          WORDS("run", "too long"));
    fails(&flow, ARGUMENTS("auth", "-c", "/dev/null", "--data", absent, "--run", flow.run_dir),
          WORDS(absent));
    cr_assert_neq(access(absent, F_OK), 0, "it makes no data folder");
    /* Where not even root can make a folder. */
    fails(&flow,
          ARGUMENTS("auth", "-c", "/dev/null", "--data", flow.data_dir, "--run", "/proc/ates"),
          WORDS("/proc/ates"));
    fails(&flow,
          ARGUMENTS("broker", "-c", "/dev/null", "--data", flow.data_dir, "--run", "/proc/ates"),
          WORDS("/proc/ates"));
    close_untouched(&flow, digest);
}

Test(daemon, data_of_another_version_is_refused)
{
    struct flow flow;
    uint8_t digest[32];
    char path[128], text[64] = "";

    open_untouched(&flow, digest);
    snprintf(path, sizeof path, "%s/version", flow.data_dir);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(fgets(text, sizeof text, file));
    fclose(file);
    write_file(path, "99\n");
    fails(&flow,
          ARGUMENTS("auth", "-c", "/dev/null", "--data", flow.data_dir, "--run", flow.run_dir),
          WORDS(path, "99"));
    write_file(path, text);
    close_untouched(&flow, digest);
}

/* Neither on the same data, nor where the first one's sockets are. The first one serves on. */
Test(daemon, a_second_one_is_refused)
{
    struct flow flow, other;
    char elsewhere[128];

    flow_open(&flow);
    flow_open(&other);
    flow_start_all(&flow);
    snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", flow.folder);
    fails(&flow, ARGUMENTS("auth", "-c", "/dev/null", "--data", flow.data_dir, "--run", elsewhere),
          WORDS(flow.data_dir, "in use"));
    fails(&flow,
          ARGUMENTS("auth", "-c", "/dev/null", "--data", other.data_dir, "--run", flow.run_dir),
          WORDS(flow.run_dir, "in use"));
    fails(&flow,
          ARGUMENTS("broker", "-c", "/dev/null", "--data", other.data_dir, "--run", flow.run_dir),
          WORDS(flow.run_dir));
    flow_catch_up(&flow);
    flow_close(&other);
    flow_close(&flow);
}

/* What was done has been told, however much was under way. */
Test(daemon, sigterm_loses_no_reply)
{
    const struct tasks_create_task body = {.name = ates_text_from("just in time"),
                                           .description = ates_text_from("")};
    struct flow flow;
    struct load load;
    struct event_log log;
    size_t index, answered = 0, made = 0, created = 0;

    flow_open(&flow);
    flow_start_all(&flow);
    flow_until(flow_has_followed(&flow, "tasks", "auth"));
    load_open(&load, &flow);
    for (size_t i = 0; i < COMMANDS; i++) {
        load_send(&load, FLOW_MANAGER, &tasks_service, "create_task", &body, 0);
    }
    cr_assert(load_receive(&load, FLOW_PATIENCE_MS, &index));
    flow_stop(&flow, "tasks"); /* in time, with 0 */
    for (size_t i = 0; i < COMMANDS; i++) {
        load.commands[i].due_ms = INT64_MAX; /* nothing is sent again */
    }
    answered = 1;
    while (load_receive(&load, 500, &index)) {
        cr_assert_eq(load.commands[index].status, ATES_OK);
        answered++;
    }
    flow_start(&flow, "tasks");
    event_log_read(&log, &flow, "tasks");
    for (size_t i = 0; i < log.count; i++) {
        if (!event_is(&log.events[i], &tasks_task_created_v2_message)) {
            continue;
        }
        created++;
        made += log.events[i].has_cause && log.events[i].cause.has_request_id &&
                load_find(&load, log.events[i].cause.request_id)->is_done;
    }
    fprintf(stderr, "%zu of %u commands were answered before the end\n", answered, COMMANDS);
    cr_assert_eq(created, answered, "%zu tasks were made, %zu told", created, answered);
    cr_assert_eq(made, answered);
    event_log_free(&log);
    load_close(&load);
    flow_close(&flow);
}

Test(daemon, sighup_ends_it_in_order_too)
{
    struct flow flow;

    flow_open(&flow);
    flow_start(&flow, "auth");
    struct flow_process *process = &flow.processes[0];
    cr_assert_eq(kill(process->pid, SIGHUP), 0);
    cr_assert_eq(flow_wait_for_end(process->pid, FLOW_PATIENCE_MS * flow_scale()), 0);
    process->pid = 0;
    flow_close(&flow);
}

/* In one process services ask each other as they do in several: payment has accounting pay, which
 * asks tasks first. */
Test(daemon, all_in_one_process_pay_what_was_earned)
{
    const struct tasks_create_task create = {.name = ates_text_from("Feed the parrots")};
    struct tasks_task_result made;
    struct payment_run_payment_result paid;
    struct payment_show_schedule_result schedule;
    struct accounting_show_mails_result mails;
    struct accounting_show_balance_result balance;
    struct flow flow;

    flow_open(&flow);
    flow_spawn(&flow, "all");
    flow_catch_up(&flow);
    flow_do(&flow, FLOW_MANAGER, &tasks_service, "create_task", &create, &made);
    const struct tasks_complete_task complete = {.task_id = made.task.id};
    flow_do(&flow, made.task.assigned_to, &tasks_service, "complete_task", &complete, NULL);
    flow_catch_up(&flow); /* before anything is booked, it would be refused */
    flow_do(&flow, FLOW_ACCOUNTANT, &payment_service, "run_payment", NULL, &paid);
    cr_expect_eq(paid.paid_count, 1);
    cr_expect_gt(paid.total_cents, 0);
    flow_do(&flow, made.task.assigned_to, &accounting_service, "show_balance", NULL, &balance);
    cr_expect_eq(balance.balance_cents, 0, "%ld cents are left", (long)balance.balance_cents);
    flow_do(&flow, FLOW_ACCOUNTANT, &accounting_service, "show_mails", NULL, &mails);
    cr_expect_eq(mails.items.count, 1);
    flow_catch_up(&flow);
    flow_do(&flow, FLOW_ACCOUNTANT, &payment_service, "show_schedule", NULL, &schedule);
    cr_expect(schedule.has_last_run && schedule.last_run.status == PAYMENT_PAID);
    cr_expect(ates_text_equal(schedule.last_run.business_date, paid.business_date));
    cr_expect_not(ates_text_equal(schedule.next_business_date, paid.business_date));
    flow_stop(&flow, "all");
    flow_close(&flow);
}

/* What a link of the process in /proc leads to; empty: it is not there. */
static void link_of(const struct flow *flow, const char *service, const char *link, char out[256])
{
    char path[64];

    for (size_t i = 0; i < flow->process_count; i++) {
        if (strcmp(flow->processes[i].service, service) == 0) {
            snprintf(path, sizeof path, "/proc/%d/%s", (int)flow->processes[i].pid, link);
        }
    }
    const ssize_t size = readlink(path, out, 255);
    out[size > 0 ? size : 0] = '\0';
}

/* Whether it is that program by now, and has opened something. */
static bool has_begun(const struct flow *flow, const char *service, const char *program)
{
    char path[256], file[256];

    link_of(flow, service, "exe", path);
    link_of(flow, service, "fd/2", file);
    return strcmp(path, program) == 0 && file[0] != '\0';
}

/* Or words would go into the file that was opened next: a database's. */
Test(daemon, programs_started_without_standard_files_open_nothing_in_their_place)
{
    static const char *const services[] = {"auth", "atesctl"};
    static const char *const closed = "exec \"$@\" <&- >&- 2>&-";
    struct flow flow;
    char file[256], link[16];

    flow_open(&flow);
    flow_start(&flow, "broker");
    flow_spawn_program(&flow, "auth",
                       ARGUMENTS("/bin/sh", "-c", closed, "sh", flow_atesd(), "auth", "-c",
                                 "/dev/null", "--data", flow.data_dir, "--run", flow.run_dir));
    flow_await(&flow, "auth");
    flow_spawn_program(&flow, "atesctl",
                       ARGUMENTS("/bin/sh", "-c", closed, "sh", ATESCTL_PATH, "events", "tail",
                                 "--run", flow.run_dir));
    flow_until(has_begun(&flow, "atesctl", ATESCTL_PATH));
    for (size_t i = 0; i < 2; i++) {
        for (int number = 0; number <= 2; number++) {
            snprintf(link, sizeof link, "fd/%d", number);
            link_of(&flow, services[i], link, file);
            cr_expect_str_eq(file, "/dev/null", "%s has %s as %d", services[i], file, number);
        }
    }
    flow_kill(&flow, "atesctl");
    flow_stop_all(&flow);
    flow_close(&flow);
}

#ifdef ATES_WITH_SYSTEMD
static int open_notify_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    cr_assert_geq(listener, 0);
    cr_assert_eq(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
    return listener;
}

/* The next message that begins with this word; others before it are passed over. */
static void await_message(int listener, const char *word)
{
    char text[512] = "";

    do {
        struct pollfd item = {.fd = listener, .events = POLLIN};

        cr_assert_eq(poll(&item, 1, (int)(10000 * flow_scale())), 1, "no %s", word);
        const ssize_t size = recv(listener, text, sizeof text - 1, 0);
        cr_assert_geq(size, 0);
        text[size] = '\0';
    } while (strstr(text, word) != text);
}
#endif

Test(daemon, it_tells_the_service_manager)
{
#ifdef ATES_WITH_SYSTEMD
    struct flow flow;
    char path[96], notify[128], watchdog[64];

    flow_open(&flow);
    snprintf(path, sizeof path, "%s/notify", flow.folder);
    snprintf(notify, sizeof notify, "NOTIFY_SOCKET=%s", path);
    snprintf(watchdog, sizeof watchdog, "WATCHDOG_USEC=%d", WATCHDOG_MS * 1000);
    const int listener = open_notify_socket(path);
    flow_spawn_program(&flow, "all",
                       ARGUMENTS("/usr/bin/env", notify, watchdog, flow_atesd(), "all", "-c",
                                 "/dev/null", "--data", flow.data_dir, "--run", flow.run_dir));
    await_message(listener, "EXTEND_TIMEOUT_USEC="); /* a log may take long to replay */
    await_message(listener, "READY=1");
    flow_catch_up(&flow); /* it serves: all of it */
    for (int i = 0; i < MESSAGES_WANTED; i++) {
        await_message(listener, "WATCHDOG=1");
    }
    flow_stop(&flow, "all");
    await_message(listener, "STOPPING=1");
    close(listener);
    flow_close(&flow);
#else
    cr_skip_test("built without systemd");
#endif
}
