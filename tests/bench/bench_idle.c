/* An idle `atesd all`: how soon it is ready, what memory and processor it takes.
 *
 *   bench_idle ATESD */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <sodium.h>

#include "bench.h"

#define IDLE_MS 10000

static int notify_socket(const char *path)
{
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    bench_must(strlen(path) < sizeof address.sun_path, "the path is too long");
    memcpy(address.sun_path, path, strlen(path));
    bench_must(bind(fd, (struct sockaddr *)&address, sizeof address) == 0, "notify socket");
    return fd;
}

/* Clock ticks that the process has used. */
static unsigned long ticks_of(pid_t pid)
{
    char path[64], line[1024] = "";
    unsigned long user = 0, kernel = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    bench_must(file != NULL && fgets(line, sizeof line, file) != NULL, path);
    fclose(file);
    const char *rest = strrchr(line, ')');
    bench_must(rest != NULL &&
                   sscanf(rest + 2, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu %lu", &user,
                          &kernel) == 2,
               path);
    return user + kernel;
}

static long resident_kib(pid_t pid)
{
    char path[64], line[256];
    long kib = 0;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    bench_must(file != NULL, path);
    while (fgets(line, sizeof line, file) != NULL) {
        sscanf(line, "VmRSS: %ld", &kib);
    }
    fclose(file);
    return kib;
}

int main(int argc, char **argv)
{
    struct bench bench;
    char path[128], word[64] = "";

    bench_must(argc > 1 && sodium_init() >= 0, "usage: bench_idle ATESD");
    bench_make_data(&bench);
    snprintf(path, sizeof path, "%s/notify", bench.folder);
    const int notified = notify_socket(path);
    setenv("NOTIFY_SOCKET", path, 1);

    const int64_t start = ates_monotonic_us();
    const pid_t pid = bench_fork();
    if (pid == 0) {
        execl(argv[1], argv[1], "all", "--data", bench.data_dir, "--run", bench.run_dir, "--http",
              "127.0.0.1:0", "--log-level", "error", (char *)NULL);
        _exit(127);
    }
    while (strncmp(word, "READY=1", 7) != 0) { /* it asks for more time first */
        memset(word, 0, sizeof word);
        bench_must(recv(notified, word, sizeof word - 1, 0) > 0, "not ready");
    }
    printf("ready after      %6.1f ms   (wanted: below 300)\n",
           (double)(ates_monotonic_us() - start) / 1000);

    const unsigned long before = ticks_of(pid);
    struct pollfd end = {(int)syscall(SYS_pidfd_open, pid, 0), POLLIN, 0};
    bench_must(poll(&end, 1, IDLE_MS) == 0, "the daemon ended");
    const double used = (double)(ticks_of(pid) - before) / (double)sysconf(_SC_CLK_TCK);
    printf("resident         %6.1f MB   (wanted: below 40)\n", (double)resident_kib(pid) / 1024);
    printf("of a core, idle  %6.2f %%    (wanted: below 1)\n", used * 100 / (IDLE_MS / 1000.0));
    bench_kill(pid);
    bench_stop(&bench);
    return 0;
}
