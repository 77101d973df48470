/* Work on what may be damaged; see guarded.h. */
#include "core/guarded.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLICE_MS 100 /* from one word on the progress to the next */

/* What both processes see. */
struct shared {
    _Atomic uint64_t done, total;
    bool ended; /* the work returned */
    int returned;
    char error[8192];
    uint8_t result[ATES_GUARDED_RESULT_MAX];
};

static void note(void *context, uint64_t done, uint64_t total)
{
    struct shared *shared = context;

    atomic_store(&shared->total, total);
    atomic_store(&shared->done, done);
}

/* How LMDB, or what it runs into, ends a process that reads damaged pages. */
static const int faults[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};
#define FAULT_COUNT (sizeof faults / sizeof faults[0])

/* A fault ends the child as a fault does, whatever this program does about them. */
static _Noreturn void run_child(pid_t parent, ates_guarded_fn *run, const void *input,
                                struct shared *shared)
{
    const struct ates_progress progress = {note, shared};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(EXIT_FAILURE);
    }
    prctl(PR_SET_DUMPABLE, 0); /* no core of it: what it held may be anybody's data */
    for (size_t i = 0; i < FAULT_COUNT; i++) {
        signal(faults[i], SIG_DFL);
    }
    shared->returned = run(input, &progress, shared->result, shared->error, sizeof shared->error);
    shared->ended = true;
    _exit(EXIT_SUCCESS);
}

/* Until the child has closed its end, as it does when it ends. */
static void watch(int end, struct shared *shared, const struct ates_progress *progress)
{
    struct pollfd ended = {.fd = end, .events = POLLIN};

    while (poll(&ended, 1, SLICE_MS) <= 0) {
        if (progress != NULL && atomic_load(&shared->done) > 0) {
            progress->tell(progress->context, atomic_load(&shared->done),
                           atomic_load(&shared->total));
        }
    }
}

/* Whether it was ended from outside: by somebody, a limit, or for want of memory. */
static bool was_stopped(int status)
{
    bool is_fault = false;

    for (size_t i = 0; WIFSIGNALED(status) && i < FAULT_COUNT; i++) {
        is_fault = is_fault || WTERMSIG(status) == faults[i];
    }
    return WIFSIGNALED(status) && !is_fault;
}

static int explain(const struct shared *shared, int status, char *error, size_t error_size)
{
    char how[64];

    if (was_stopped(status)) {
        snprintf(error, error_size,
                 "the process that read its files was ended (\"%s\"), after record %" PRIu64
                 " of the log",
                 strsignal(WTERMSIG(status)), atomic_load(&shared->done));
        return -EINTR;
    }
    if (WIFSIGNALED(status)) {
        snprintf(how, sizeof how, "%s", strsignal(WTERMSIG(status)));
    } else {
        snprintf(how, sizeof how, "exit code %d", WEXITSTATUS(status));
    }
    snprintf(
        error, error_size,
        "its files are damaged in their structure: reading them ended with \"%s\", after record "
        "%" PRIu64 " of the log",
        how, atomic_load(&shared->done));
    return -EBADMSG;
}

static int run_guarded(ates_guarded_fn *run, const void *input,
                       const struct ates_progress *progress, struct shared *shared, char *error,
                       size_t error_size)
{
    const pid_t parent = getpid();
    int ends[2], status;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        return -errno;
    }
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        run_child(parent, run, input, shared);
    }
    const int fault = child < 0 ? -errno : 0;
    close(ends[1]);
    if (fault == 0) {
        watch(ends[0], shared, progress);
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
        }
    }
    close(ends[0]);
    if (fault != 0 || !shared->ended) {
        return fault != 0 ? fault : explain(shared, status, error, error_size);
    }
    if (progress != NULL && atomic_load(&shared->total) > 0) {
        progress->tell(progress->context, atomic_load(&shared->done), atomic_load(&shared->total));
    }
    snprintf(error, error_size, "%s", shared->error);
    return shared->returned;
}

int ates_guarded(ates_guarded_fn *run, const void *input, const struct ates_progress *progress,
                 void *result, size_t result_size, char *error, size_t error_size)
{
    assert(result_size <= ATES_GUARDED_RESULT_MAX);
    struct shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        snprintf(error, error_size, "%s", strerror(errno));
        return -ENOMEM;
    }
    error[0] = '\0';
    const int r = run_guarded(run, input, progress, shared, error, error_size);
    if (r == 0) {
        memcpy(result, shared->result, result_size);
    } else if (error[0] == '\0') {
        snprintf(error, error_size, "%s", strerror(r < 0 ? -r : EIO));
    }
    munmap(shared, sizeof *shared);
    return r;
}
