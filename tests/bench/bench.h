/* What benchmarks share: a folder with data and users, the daemon's processes, tokens. */
#ifndef ATES_BENCH_H
#define ATES_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "core/engine.h"
#include "core/token.h"

#define BENCH_PROCESSES_MAX 8u

struct bench {
    char folder[64], data_dir[96], run_dir[96];
    char token[ATES_TOKEN_MAX + 1];   /* of the administrator, user 1 */
    char service[ATES_TOKEN_MAX + 1]; /* of a service */
    pid_t processes[BENCH_PROCESSES_MAX];
    size_t process_count;
};

/* Ends the program with what where good is false. */
void bench_must(bool good, const char *what);

/* The defaults, with these data and room for all of them. */
void bench_config(const struct bench *bench, struct ates_config *config);

/* Makes a folder with keys, an administrator (user 1) and seven developers (2 to 8). */
void bench_make_data(struct bench *bench);

/* The same, and starts the broker, auth and the named service (NULL: none), each a process of its
 * own; returns when they serve and have followed auth. */
void bench_start(struct bench *bench, const char *atesd, const char *services);
void bench_stop(struct bench *bench); /* ends the processes and removes the folder */

/* One more process of the daemon. Waits until it serves. */
pid_t bench_spawn(struct bench *bench, const char *atesd, const char *service);

/* fork, the child ending with its parent. */
pid_t bench_fork(void);
void bench_kill(pid_t pid);

/* The value of a service's metric, by its name and a part of its labels (NULL: any). -1 where
 * absent. */
int64_t bench_metric(struct bench *bench, const char *service, const char *name,
                     const char *labels);

#endif
