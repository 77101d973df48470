/* Calls one command again and again until SIGTERM, and prints a line for each reply: a program of somebody who has
 * nothing but the installed library and its headers. Returns 1 where a command got no reply or a refusal.
 *   steady RUN LOGIN SERVICE COMMAND, with the password on stdin */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ates/accounting.h>
#include <ates/analytics.h>
#include <ates/auth.h>
#include <ates/client.h>
#include <ates/payment.h>
#include <ates/tasks.h>

#define BODY_SIZE 4096
#define PATIENCE_MS 15000 /* longer than any restart takes; asked again after a third */

static const struct ates_service *const services[] = {
    &accounting_service, &analytics_service, &auth_service, &payment_service, &tasks_service,
};

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

/* Returns 0, or prints why not. */
static int invoke(struct ates_client *client, const struct ates_service *service, const char *name,
                  const void *body, struct ates_arena *arena, void *result)
{
    const struct ates_command *command = ates_service_command(service, name, strlen(name));
    struct ates_reply reply;
    char request_id[37];

    if (command == NULL) {
        fprintf(stderr, "steady: %s has no %s\n", service->name, name);
        return 1;
    }
    ates_request_id_new(request_id);
    const int r =
        ates_client_invoke(client, service, command, request_id, body, arena, result, &reply);
    if (r < 0) {
        fprintf(stderr, "steady: %s.%s: no reply: %s\n", service->name, name, strerror(-r));
    } else if (r > 0) {
        fprintf(stderr, "steady: %s.%s: refused: %s\n", service->name, name, reply.refusal.reason);
    }
    return r != 0;
}

static int sign_in(struct ates_client *client, const char *login, struct ates_arena *arena)
{
    struct auth_auth_user_result result;
    char password[256], token[4096];

    if (fgets(password, sizeof password, stdin) == NULL) {
        return 1;
    }
    password[strcspn(password, "\n")] = '\0';
    const struct auth_auth_user body = {.login = {login, strlen(login)},
                                        .password = {password, strlen(password)}};
    if (invoke(client, &auth_service, "auth_user", &body, arena, &result) != 0) {
        return 1;
    }
    snprintf(token, sizeof token, "%.*s", (int)result.token.size, result.token.data);
    ates_client_set_token(client, token);
    return 0;
}

int main(int argc, char **argv)
{
    static union {
        char bytes[BODY_SIZE]; /* nothing in it: of queries everything is optional */
        struct tasks_create_task task;
        max_align_t aligned;
    } body, result;
    const struct ates_service *service = NULL;

    signal(SIGTERM, stop);
    for (size_t i = 0; argc == 5 && i < sizeof services / sizeof services[0]; i++) {
        service = strcmp(services[i]->name, argv[3]) == 0 ? services[i] : service;
    }
    if (service == NULL) {
        fputs("usage: steady RUN LOGIN SERVICE COMMAND <PASSWORD\n", stderr);
        return 2;
    }
    struct ates_client *client = ates_client_new(argv[1]);
    struct ates_arena *arena = ates_arena_new();
    ates_client_set_timeout(client, PATIENCE_MS);
    int r = sign_in(client, argv[2], arena);
    if (strcmp(argv[4], "create_task") == 0) {
        body.task.name = (struct ates_text){"Feed the parrots", 16};
        body.task.description = (struct ates_text){"", 0};
    }
    for (unsigned long count = 1; r == 0 && !stopped; count++) {
        ates_arena_reset(arena);
        r = invoke(client, service, argv[4], &body, arena, &result);
        if (r == 0) {
            printf("%lu\n", count);
            r = fflush(stdout) != 0;
        }
    }
    ates_arena_free(&arena);
    ates_client_free(&client);
    return r;
}
