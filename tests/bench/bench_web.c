/* The web service under load: GET /api/v1/accounts/me with a bearer's token, over 64 connections
 * that are kept alive, through the services to accounting and back; against the bare gateway in the
 * same run. wrk asks; it shares the processors with what it measures. Prints figures and their
 * ratio; asserts nothing of them, as machines differ.
 *
 *   bench_web ATESD [SECONDS]      ATESD: the daemon's path; SECONDS: of each of the rounds */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sodium.h>

#include "bare_web.h"
#include "bench.h"

#define TARGET "/api/v1/accounts/me"
#define ROUNDS 3
#define PATIENCE_MS 30000

/* Asks once. Returns the status, 0 where nobody answers; size is that of the body. */
static int ask(int port, const char *token, size_t *size)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    char text[16384] = "";
    size_t got = 0;
    int status = 0;

    if (connect(descriptor, (const struct sockaddr *)&address, sizeof address) == 0) {
        dprintf(descriptor,
                "GET " TARGET " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                "Authorization: Bearer %s\r\n\r\n",
                token);
        for (ssize_t n = 1; n > 0 && got < sizeof text - 1; got += (size_t)n) {
            n = read(descriptor, text + got, sizeof text - 1 - got);
            n = n < 0 ? 0 : n;
        }
        sscanf(text, "HTTP/1.1 %d", &status);
    }
    close(descriptor);
    const char *body = strstr(text, "\r\n\r\n");
    *size = body != NULL ? strlen(body + 4) : 0;
    return status;
}

/* Starts all services in one process. Returns the port when the answer is there. */
static int start_all(struct bench *bench, const char *atesd, size_t *body_size)
{
    char path[128], address[64] = "";
    int port = 0, status = 0;
    const pid_t pid = bench_fork();

    if (pid == 0) {
        execl(atesd, atesd, "all", "--data", bench->data_dir, "--run", bench->run_dir, "--http",
              "127.0.0.1:0", "--log-level", "error", (char *)NULL);
        _exit(127);
    }
    bench->processes[bench->process_count++] = pid;
    snprintf(path, sizeof path, "%s/web.address", bench->run_dir);
    for (int waited_ms = 0; status != 200; waited_ms += 20) {
        bench_must(waited_ms < PATIENCE_MS, "the web service does not answer");
        poll(NULL, 0, 20);
        FILE *file = port == 0 ? fopen(path, "re") : NULL;
        if (file != NULL) {
            if (fgets(address, sizeof address, file) != NULL) {
                sscanf(address, "http://127.0.0.1:%d", &port);
            }
            fclose(file);
        }
        status = port != 0 ? ask(port, bench->token, body_size) : 0;
    }
    return port;
}

static int start_bare(struct bench *bench, size_t body_size)
{
    char endpoint[160];
    int ends[2], port = 0;

    bench_must(pipe(ends) == 0, "pipe");
    snprintf(endpoint, sizeof endpoint, "ipc://%s/echo", bench->folder);
    const pid_t pid = bench_fork();
    if (pid == 0) {
        bare_web_serve(endpoint, body_size, ends[1]);
    }
    bench->processes[bench->process_count++] = pid;
    bench_must(read(ends[0], &port, sizeof port) == (ssize_t)sizeof port, "the bare gateway");
    close(ends[0]);
    close(ends[1]);
    return port;
}

/* Requests a second, as wrk finds them. */
static double measure(int port, const char *token, int seconds)
{
    char command[2048], line[256];
    double rate = 0;

    snprintf(command, sizeof command,
             "wrk -c64 -t1 -d%ds -H 'Authorization: Bearer %s' http://127.0.0.1:%d" TARGET, seconds,
             token, port);
    FILE *wrk = popen(command, "re");
    bench_must(wrk != NULL, "popen");
    while (fgets(line, sizeof line, wrk) != NULL) {
        sscanf(line, "Requests/sec: %lf", &rate);
        bench_must(strstr(line, "Non-2xx") == NULL && strstr(line, "Socket errors") == NULL, line);
    }
    bench_must(pclose(wrk) == 0 && rate > 0, "wrk, which must be installed");
    return rate;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    const int seconds = argc > 2 ? atoi(argv[2]) : 5;
    double bare[ROUNDS], real[ROUNDS];
    struct bench bench;
    size_t body_size;

    bench_must(argc > 1 && sodium_init() >= 0, "usage: bench_web ATESD [SECONDS]");
    bench_make_data(&bench);
    const int real_port = start_all(&bench, argv[1], &body_size);
    const int bare_port = start_bare(&bench, body_size);
    for (int i = 0; i < ROUNDS; i++) {
        bare[i] = measure(bare_port, bench.token, seconds);
        real[i] = measure(real_port, bench.token, seconds);
        printf("round %d: bare gateway %8.0f /s   web service %8.0f /s\n", i + 1, bare[i], real[i]);
        fflush(stdout);
    }
    qsort(bare, ROUNDS, sizeof bare[0], compare);
    qsort(real, ROUNDS, sizeof real[0], compare);
    printf("median:  bare gateway %8.0f /s   web service %8.0f /s   (wanted: at least 25,000)\n",
           bare[ROUNDS / 2], real[ROUNDS / 2]);
    printf("ratio web service / bare gateway %5.2f\n", real[ROUNDS / 2] / bare[ROUNDS / 2]);
    bench_stop(&bench);
    return 0;
}
