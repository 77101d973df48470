/* The harness of the flow tests: a folder of its own with data, keys and users, every service a
 * process of its own, and calls on behalf of any user. Invariants: no process outlives the test,
 * and the folder stays only where it failed; nothing waits by the clock: waits end with an event, a
 * reply or a process's end, and fail at a deadline. Every function fails the test where anything
 * goes wrong that its comment does not name. */
#ifndef ATES_TEST_FLOW_H
#define ATES_TEST_FLOW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <ates/client.h>

#include "core/config.h"
#include "core/token.h"
#include "support/temp_folder.h"

/* Who is there: one administrator, manager and accountant, and developers. Tasks are drawn for the
 * last two kinds. Login and password are flow_login's and flow_password's. */
enum flow_user {
    FLOW_NOBODY,
    FLOW_ADMINISTRATOR,
    FLOW_MANAGER,
    FLOW_ACCOUNTANT,
    FLOW_DEVELOPER, /* the first of several */
    FLOW_LAST_USER = 8,
    FLOW_SERVICE /* a service, by a token of its own */
};
#define FLOW_USERS ((uint64_t)FLOW_LAST_USER)
#define FLOW_ELIGIBLE (FLOW_USERS - FLOW_ACCOUNTANT + 1)

#define FLOW_PROCESSES_MAX 8u
#define FLOW_PATIENCE_MS 60000 /* for what takes a moment; scaled */

struct flow_process {
    const char *service;
    pid_t pid; /* 0: it does not run */
};

struct flow {
    char folder[TEMP_FOLDER_SIZE], data_dir[96], run_dir[96];
    char config[96]; /* the services' configuration file: none, until flow_configure */
    struct flow_process processes[FLOW_PROCESSES_MAX];
    size_t process_count;
    struct ates_client *client;
    struct ates_arena *arena; /* of results; the test may reset it */
    struct ates_reply reply;  /* to the last call */
    char tokens[FLOW_SERVICE + 1][ATES_TOKEN_MAX + 1];
    uint64_t seed; /* the state of flow_draw */
};

/* Makes the folder, its data and its users. Draws start from ATES_SEED or the time, which is
 * printed. The time zone, of the test and of what it starts, is ATES_TIME_ZONE's or one in which it
 * is early in the afternoon: the end of the business day, at which payment pays, is hours away. */
void flow_open(struct flow *flow);
/* Stops what runs, as flow_stop does, and removes the folder. */
void flow_close(struct flow *flow);

/* Writes the configuration (ZPL) with which services start from now on. */
__attribute__((format(printf, 2, 3))) void flow_configure(struct flow *flow, const char *format,
                                                          ...);
/* The configuration as the services load it. */
const struct ates_config *flow_load_config(const struct flow *flow);

/* How much slower than a plain build things may be: ATES_TIME_SCALE, or what the sanitizers cost.
 */
int64_t flow_scale(void);
/* A number from the environment, or otherwise. */
uint64_t flow_setting(const char *variable, uint64_t otherwise);
bool flow_is_long(void); /* ATES_LONG: counts that take long are asked for */

/* A number in [0, bound) from the seed. */
uint64_t flow_draw(struct flow *flow, uint64_t bound);

const char *flow_login(uint64_t user);
const char *flow_password(uint64_t user);
/* Signs in; the user's calls use the new token from now on. */
void flow_sign_in(struct flow *flow, uint64_t user);

/* Processes (flow_process.c). service is one of atesd's words. */
extern const char *const flow_services[]; /* all of them, the broker first; NULL at the end */
const char *flow_atesd(void);             /* the daemon's path: ATESD, or the build's */
void flow_spawn(struct flow *flow, const char *service);
pid_t flow_pid(struct flow *flow, const char *service);         /* of one that runs */
long flow_resident_kib(struct flow *flow, const char *service); /* of its memory */
/* Any program in the place of a service; argv ends with NULL. */
void flow_spawn_program(struct flow *flow, const char *service, const char *const *argv);
void flow_start(struct flow *flow, const char *service); /* spawns it and waits until it serves */
void flow_start_all(struct flow *flow); /* and waits until each has followed the others */
void flow_kill(struct flow *flow, const char *service); /* SIGKILL */
void flow_stop(struct flow *flow, const char *service); /* SIGTERM: it ends soon, with 0 */
void flow_stop_all(struct flow *flow);
void flow_await(struct flow *flow, const char *service); /* until it answers */
pid_t flow_fork(void);                                   /* the child ends with its parent */
/* Waits for the end of a child; its status as waitpid's, or -1 at the deadline. */
int flow_wait_for_end(pid_t pid, int64_t patience_ms);

/* What a program printed and how it ended. */
struct flow_output {
    int code; /* its exit code; -1: ended by a signal or the deadline */
    char out[16384], err[16384];
};
/* Runs a program to its end; argv ends with NULL, environment (pairs NAME=VALUE, NULL at the end)
 * may be NULL. */
void flow_run(struct flow *flow, const char *const *argv, const char *const *environment,
              struct flow_output *output);

/* Calls. Returns the status, or the client's fault; flow->reply tells more. request_id, body
 * (without any field) and result may be NULL. */
int flow_call(struct flow *flow, uint64_t caller, const struct ates_service *service,
              const char *command, const char *request_id, const void *body, void *result);
/* The same, where the test expects OK. */
void flow_do(struct flow *flow, uint64_t caller, const struct ates_service *service,
             const char *command, const void *body, void *result);
/* The same, where the test expects this refusal. */
void flow_refused(struct flow *flow, uint64_t caller, const struct ates_service *service,
                  const char *command, const void *body, enum ates_status status,
                  const char *reason);

/* A service's metric, by its name and a part of its labels (NULL: any); -1 where it is absent. */
int64_t flow_metric(struct flow *flow, const char *service, const char *name, const char *labels);
uint64_t flow_head(struct flow *flow, const char *service); /* the seq of its log's head */

/* Whether the follower has got to what is the producer's head now. */
bool flow_has_followed(struct flow *flow, const char *follower, const char *producer);
/* Waits until everybody followed everything, with no command under way but what they do themselves.
 */
void flow_catch_up(struct flow *flow);

/* Waits for a condition, which asks a service anew each time: its reply is the pace. */
#define flow_until(CONDITION)                                                                      \
    do {                                                                                           \
        const int64_t flow_deadline_ms = flow_now_ms() + FLOW_PATIENCE_MS * flow_scale();          \
        while (!(CONDITION)) {                                                                     \
            cr_assert(flow_now_ms() < flow_deadline_ms, "this never came: %s", #CONDITION);        \
        }                                                                                          \
    } while (false)

int64_t flow_now_ms(void); /* monotonic */

#endif
