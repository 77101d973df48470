/* What benchmarks share; see bench.h. */
#include "bench.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ates/auth.h>
#include <ates/client.h>

#include "auth/auth.h"
#include "core/calendar.h"
#include "core/datadir.h"

#define USERS 8

void bench_must(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "bench: %s\n", what);
        exit(1);
    }
}

static void make_token(struct bench *self, enum ates_key_purpose purpose, struct ates_claims claims,
                       char *token)
{
    struct ates_secret_key key;
    char dir[128], error[512];
    const struct ates_source source = ates_source_system();

    snprintf(dir, sizeof dir, "%s/keys", self->data_dir);
    bench_must(ates_keys_load_secret(dir, purpose, &key, error, sizeof error) == 0, error);
    claims.issued_at = claims.not_before = ates_now_ms(&source);
    claims.expires_at = claims.issued_at + 12 * 3600 * 1000;
    bench_must(ates_token_sign(&key, &source, &claims, token) == 0, "token");
}

void bench_config(const struct bench *self, struct ates_config *config)
{
    const struct ates_setting flags[] = {{"data", self->data_dir}, {"store/map_gigabytes", "32"}};
    char error[512];

    bench_must(ates_config_load(config, "/dev/null", flags, 2, error, sizeof error) == 0, error);
}

/* The users go straight into auth's log, before its process starts. */
static void make_users(struct bench *self)
{
    const struct ates_source source = ates_source_system();
    const struct ates_caller caller = {.signed_in = true, .role = ATES_INTERNALSERVICE};
    static struct ates_config config;
    struct ates_arena *arena = ates_arena_new();
    struct ates_engine *engine;
    char keys[128], error[512];

    bench_config(self, &config);
    snprintf(keys, sizeof keys, "%s/keys", self->data_dir);
    bench_must(ates_datadir_create(self->data_dir, error, sizeof error) == 0, error);
    bench_must(ates_keys_create(keys, error, sizeof error) == 0, error);
    bench_must(ates_engine_open(&engine, &auth_domain, &config, &source, error, sizeof error) == 0,
               error);
    bench_must(ates_engine_start(engine) == 0, "auth's engine");
    for (int i = 1; i <= USERS; i++) {
        char login[16];
        const struct auth_register_user user = {
            .login = {login, (size_t)snprintf(login, sizeof login, "user%d", i)},
            .email = ates_text_from("user@example.org"),
            .password = ates_text_from("a password"),
            .role = i == 1 ? ATES_ADMINISTRATOR : ATES_DEVELOPER,
        };
        struct ates_refusal refusal;

        bench_must(
            ates_engine_invoke(engine, &caller, "register_user", &user, arena, NULL, &refusal) == 0,
            "register_user");
    }
    ates_engine_close(&engine);
    ates_arena_free(&arena);
}

pid_t bench_fork(void)
{
    const pid_t pid = fork();

    bench_must(pid >= 0, "fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    }
    return pid;
}

void bench_kill(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static struct ates_client *connect_client(struct bench *self)
{
    struct ates_client *client = ates_client_new(self->run_dir);

    bench_must(client != NULL, "client");
    ates_client_set_token(client, self->service);
    return client;
}

pid_t bench_spawn(struct bench *self, const char *atesd, const char *service)
{
    const pid_t pid = bench_fork();

    if (pid == 0) {
        execl(atesd, atesd, service, "--data", self->data_dir, "--run", self->run_dir,
              "--log-level", "error", (char *)NULL);
        _exit(127);
    }
    bench_must(self->process_count < BENCH_PROCESSES_MAX, "too many processes");
    self->processes[self->process_count++] = pid;
    if (strcmp(service, "broker") != 0) {
        const uint8_t nothing = 0x80;
        struct ates_client *client = connect_client(self);
        struct ates_reply reply;

        ates_client_set_timeout(client, 20000);
        bench_must(ates_client_call(client, service, "health", NULL, &nothing, 1, &reply) == 0,
                   service);
        ates_client_free(&client);
    }
    return pid;
}

int64_t bench_metric(struct bench *self, const char *service, const char *name, const char *labels)
{
    struct ates_client *client = connect_client(self);
    struct ates_arena *arena = ates_arena_new();
    struct ates_metrics_result metrics;
    struct ates_empty nothing = {0};
    struct ates_reply reply;
    int64_t value = -1;
    const struct ates_service of = {.name = service};

    bench_must(ates_client_invoke(client, &of,
                                  ates_service_command(&ates_common_service, "metrics", 7), NULL,
                                  &nothing, arena, &metrics, &reply) == 0,
               "metrics");
    for (size_t i = 0; i < metrics.items.count; i++) {
        const struct ates_metric *metric = &((const struct ates_metric *)metrics.items.items)[i];

        if (ates_text_equal(metric->name, ates_text_from(name)) &&
            (labels == NULL ||
             memmem(metric->labels.data, metric->labels.size, labels, strlen(labels)) != NULL)) {
            value = metric->value;
        }
    }
    ates_arena_free(&arena);
    ates_client_free(&client);
    return value;
}

void bench_make_data(struct bench *self)
{
    *self = (struct bench){.process_count = 0};
    snprintf(self->folder, sizeof self->folder, "%s/ates-bench-XXXXXX",
             getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/var/tmp");
    bench_must(mkdtemp(self->folder) != NULL, "mkdtemp");
    snprintf(self->data_dir, sizeof self->data_dir, "%s/data", self->folder);
    snprintf(self->run_dir, sizeof self->run_dir, "%s/run", self->folder);
    make_users(self);
    make_token(self, ATES_KEY_USERS,
               (struct ates_claims){
                   .user_id = 1, .role = ATES_ADMINISTRATOR, .login = "user1", .sid = "bench"},
               self->token);
    make_token(self, ATES_KEY_SERVICES,
               (struct ates_claims){.role = ATES_INTERNALSERVICE, .login = "bench"}, self->service);
}

void bench_start(struct bench *self, const char *atesd, const char *services)
{
    bench_make_data(self);
    bench_spawn(self, atesd, "broker");
    bench_spawn(self, atesd, "auth");
    if (services != NULL) {
        bench_spawn(self, atesd, services);
        while (bench_metric(self, services, "ates_log_records", NULL) < USERS) {
        }
    }
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

void bench_stop(struct bench *self)
{
    while (self->process_count > 0) {
        bench_kill(self->processes[--self->process_count]);
    }
    nftw(self->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
