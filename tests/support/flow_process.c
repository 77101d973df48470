/* The harness's processes; see flow.h. */
#include "support/flow.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#define STOP_MS 3000
#define SLICE_MS 250
#define RUN_MS 60000

extern char **environ;

const char *const flow_services[] = {"broker",    "auth",    "tasks", "accounting",
                                     "analytics", "payment", NULL};

const char *flow_atesd(void)
{
    const char *given = getenv("ATESD");

    return given != NULL ? given : ATESD_PATH;
}

pid_t flow_fork(void)
{
    const pid_t parent = getpid();
    const pid_t pid = fork();

    cr_assert_geq(pid, 0, "fork: %s", strerror(errno));
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) {
            _exit(127);
        }
    }
    return pid;
}

/* The settings and the watchdog of whoever runs the tests are not the daemon's, but for the time
 * zone: flow_open has set it, for the test and the daemon alike. */
static void clean_environment(void)
{
    for (size_t i = 0; environ[i] != NULL;) {
        char name[128];
        const size_t size = strcspn(environ[i], "=");

        snprintf(name, sizeof name, "%.*s", (int)size, environ[i]);
        if ((strncmp(name, "ATES_", 5) == 0 && strcmp(name, "ATES_TIME_ZONE") != 0 &&
             strcmp(name, "ATES_WEB_LISTEN") != 0) ||
            strcmp(name, "NOTIFY_SOCKET") == 0 || strncmp(name, "WATCHDOG_", 9) == 0) {
            unsetenv(name);
            i = 0;
        } else {
            i++;
        }
    }
}

static struct flow_process *find_process(struct flow *flow, const char *service)
{
    for (size_t i = 0; i < flow->process_count; i++) {
        if (strcmp(flow->processes[i].service, service) == 0) {
            return &flow->processes[i];
        }
    }
    return NULL;
}

static void log_path(const struct flow *flow, const char *service, char *path, size_t size)
{
    snprintf(path, size, "%s/%s.log", flow->folder, service);
}

void flow_spawn_program(struct flow *flow, const char *service, const char *const *argv)
{
    struct flow_process *process = find_process(flow, service);
    char path[128];

    if (process == NULL) {
        cr_assert_lt(flow->process_count, FLOW_PROCESSES_MAX);
        process = &flow->processes[flow->process_count++];
        *process = (struct flow_process){.service = service};
    }
    cr_assert_eq(process->pid, 0, "%s runs already", service);
    log_path(flow, service, path, sizeof path);
    process->pid = flow_fork();
    if (process->pid == 0) {
        const int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

        dup2(log, STDOUT_FILENO);
        dup2(log, STDERR_FILENO);
        clean_environment();
        execv(argv[0], (char *const *)argv);
        fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
}

void flow_spawn(struct flow *flow, const char *service)
{
    const char *const argv[] = {flow_atesd(),  service,        "-c",    flow->config,
                                "--data",      flow->data_dir, "--run", flow->run_dir,
                                "--log-level", "notice",       NULL};

    flow_spawn_program(flow, service, argv);
}

/* Prints a process's words, for the one who reads of its failure. */
static void show_log(const struct flow *flow, const char *service)
{
    char path[128], line[1024];

    log_path(flow, service, path, sizeof path);
    FILE *log = fopen(path, "r");
    fprintf(stderr, "--- %s:\n", path);
    while (log != NULL && fgets(line, sizeof line, log) != NULL) {
        fputs(line, stderr);
    }
    if (log != NULL) {
        fclose(log);
    }
}

/* A sanitizer's finding fails the test even where the process lived on. */
static void check_log(const struct flow *flow, const char *service)
{
    char path[128], line[1024];
    bool good = true;

    log_path(flow, service, path, sizeof path);
    FILE *log = fopen(path, "r");
    while (log != NULL && fgets(line, sizeof line, log) != NULL) {
        good = good && strstr(line, "Sanitizer") == NULL && strstr(line, "runtime error:") == NULL;
    }
    if (log != NULL) {
        fclose(log);
    }
    if (!good) {
        show_log(flow, service);
    }
    cr_assert(good, "a sanitizer found something in %s", service);
}

int flow_wait_for_end(pid_t pid, int64_t patience_ms)
{
    const int descriptor = pidfd_open(pid, 0);
    const int64_t deadline_ms = flow_now_ms() + patience_ms;
    struct pollfd item = {.fd = descriptor, .events = POLLIN};
    int status = -1, count;

    cr_assert_geq(descriptor, 0, "pidfd_open: %s", strerror(errno));
    do {
        const int64_t left_ms = deadline_ms - flow_now_ms();

        count = poll(&item, 1, left_ms > 0 ? (int)left_ms : 0);
    } while (count < 0 && errno == EINTR);
    close(descriptor);
    if (count == 1) {
        cr_assert_eq(waitpid(pid, &status, 0), pid);
    }
    return status;
}

void flow_await(struct flow *flow, const char *service)
{
    struct flow_process *process = find_process(flow, service);
    const int64_t deadline_ms = flow_now_ms() + FLOW_PATIENCE_MS * flow_scale();
    const uint8_t nothing = 0x80; /* an empty map */
    struct ates_reply reply;
    int status, r;

    /* A client of its own: the first try to connect comes at once. */
    struct ates_client *client = ates_client_new(flow->run_dir);
    cr_assert_not_null(client);
    ates_client_set_timeout(client, SLICE_MS);
    do {
        r = ates_client_call(client, service, "health", NULL, &nothing, 1, &reply);
        if (waitpid(process->pid, &status, WNOHANG) == process->pid) {
            process->pid = 0;
            show_log(flow, service);
            cr_assert_fail("%s ended while it started: wait status %#x", service, status);
        }
        cr_assert_lt(flow_now_ms(), deadline_ms, "%s does not answer", service);
    } while (r == -ETIMEDOUT);
    cr_assert_eq(r, 0, "%s: %s", service, strerror(-r));
    ates_client_free(&client);
}

void flow_start(struct flow *flow, const char *service)
{
    flow_spawn(flow, service);
    if (strcmp(service, "broker") != 0) {
        flow_await(flow, service);
    }
}

void flow_start_all(struct flow *flow)
{
    for (size_t i = 0; flow_services[i] != NULL; i++) {
        flow_spawn(flow, flow_services[i]);
    }
    for (size_t i = 1; flow_services[i] != NULL; i++) {
        flow_await(flow, flow_services[i]);
    }
    flow_catch_up(flow); /* who may be drawn is known only then */
}

/* The process of a service that runs. */
static struct flow_process *running(struct flow *flow, const char *service)
{
    struct flow_process *process = find_process(flow, service);

    cr_assert(process != NULL && process->pid != 0, "%s does not run", service);
    return process;
}

void flow_kill(struct flow *flow, const char *service)
{
    struct flow_process *process = running(flow, service);
    int status;

    kill(process->pid, SIGKILL);
    cr_assert_eq(waitpid(process->pid, &status, 0), process->pid);
    process->pid = 0;
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
        show_log(flow, service);
        cr_assert_fail("%s had ended by itself: wait status %#x", service, status);
    }
    check_log(flow, service);
}

void flow_stop(struct flow *flow, const char *service)
{
    struct flow_process *process = running(flow, service);

    kill(process->pid, SIGTERM);
    const int status = flow_wait_for_end(process->pid, STOP_MS * flow_scale());
    if (status != 0) {
        show_log(flow, service);
    }
    cr_assert_neq(status, -1, "%s does not stop", service);
    process->pid = 0;
    cr_assert_eq(status, 0, "%s stopped with wait status %#x", service, status);
    check_log(flow, service);
}

void flow_stop_all(struct flow *flow)
{
    for (size_t i = flow->process_count; i > 0; i--) {
        if (flow->processes[i - 1].pid != 0) {
            flow_stop(flow, flow->processes[i - 1].service);
        }
    }
}

static void read_back(int file, char *text, size_t size)
{
    const ssize_t got = pread(file, text, size - 1, 0);

    text[got > 0 ? got : 0] = '\0';
    close(file);
}

void flow_run(struct flow *flow, const char *const *argv, const char *const *environment,
              struct flow_output *output)
{
    const int out = memfd_create("out", MFD_CLOEXEC);
    const int err = memfd_create("err", MFD_CLOEXEC);
    const pid_t pid = flow_fork();

    if (pid == 0) {
        dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
        dup2(out, STDOUT_FILENO);
        dup2(err, STDERR_FILENO);
        clean_environment();
        setenv("HOME", flow->folder, 1);
        for (size_t i = 0; environment != NULL && environment[i] != NULL; i++) {
            putenv((char *)environment[i]);
        }
        execv(argv[0], (char *const *)argv);
        fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    const int status = flow_wait_for_end(pid, RUN_MS * flow_scale());
    if (status == -1) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    output->code = status != -1 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    read_back(out, output->out, sizeof output->out);
    read_back(err, output->err, sizeof output->err);
}

pid_t flow_pid(struct flow *flow, const char *service)
{
    return running(flow, service)->pid;
}

long flow_resident_kib(struct flow *flow, const char *service)
{
    char path[64], line[256];
    long kib = -1;

    snprintf(path, sizeof path, "/proc/%d/status", (int)running(flow, service)->pid);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    while (fgets(line, sizeof line, file) != NULL) {
        sscanf(line, "VmRSS: %ld kB", &kib);
    }
    fclose(file);
    return kib;
}
