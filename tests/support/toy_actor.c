/* See toy_actor.h. */
#include "support/toy_actor.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "core/endpoint.h"
#include "core/random.h"
#include "core/socket.h"

static void sign_tokens(struct toy_actor *self)
{
    const struct ates_source source = ates_source_system();
    const int64_t now = ates_now_ms(&source);
    struct ates_secret_key key;
    char keys[128], error[256] = "";

    snprintf(keys, sizeof keys, "%s/keys", self->fixture.folder);
    cr_assert_eq(ates_keys_load_secret(keys, ATES_KEY_USERS, &key, error, sizeof error), 0, "%s",
                 error);
    for (unsigned role = 0; role < ATES_ROLE_COUNT; role++) {
        struct ates_claims claims = {.user_id = role + 1,
                                     .role = (enum ates_role)role,
                                     .login = "popug",
                                     .sid = "0b4cf1a5-55b6-4d7e-8a44-1f8e1d0f3a77",
                                     .issued_at = now,
                                     .not_before = now,
                                     .expires_at = now + 3600000};

        cr_assert_eq(ates_token_sign(&key, &source, &claims, self->tokens[role]), 0);
    }
}

void toy_actor_open(struct toy_actor *self)
{
    zsys_handler_set(NULL);
    memset(self, 0, sizeof *self);
    fixture_open(&self->fixture, &toy_domain);
    sign_tokens(self);
    self->client = ates_client_new(self->fixture.config.run_dir);
    cr_assert_not_null(self->client);
    ates_client_set_timeout(self->client, 60000);
}

static void expect_word(struct toy_actor *self, const char *expected)
{
    char *word = zstr_recv(ates_actor_pipe(self->actor));

    cr_assert(word != NULL && strcmp(word, expected) == 0, "%s, not %s",
              word != NULL ? word : "nothing", expected);
    zstr_free(&word);
}

void toy_actor_start(struct toy_actor *self)
{
    char error[512] = "";

    ates_engine_close(&self->fixture.engine);
    cr_assert_eq(
        ates_actor_open(&self->actor, &toy_domain, &self->fixture.config, error, sizeof error), 0,
        "%s", error);
    cr_assert_eq(ates_actor_start(self->actor), 0);
    expect_word(self, "READY");
}

void toy_actor_ping(struct toy_actor *self)
{
    zstr_send(ates_actor_pipe(self->actor), "PING");
    expect_word(self, "PONG");
}

void toy_actor_stop(struct toy_actor *self)
{
    ates_actor_close(&self->actor);
    cr_assert_null(self->actor);
}

void toy_actor_close(struct toy_actor *self)
{
    ates_client_free(&self->client);
    toy_actor_stop(self);
    fixture_close(&self->fixture);
}

int toy_call(struct toy_actor *self, unsigned role, const char *command, const char *request_id,
             const void *body, void *result)
{
    const struct ates_empty nothing = {0};
    const struct ates_command *entry = ates_service_command(&toy_service, command, strlen(command));

    cr_assert_not_null(entry);
    ates_client_set_token(self->client, role < ATES_ROLE_COUNT ? self->tokens[role] : NULL);
    const int r = ates_client_invoke(self->client, &toy_service, entry, request_id,
                                     body != NULL ? body : &nothing, self->fixture.arena, result,
                                     &self->reply);
    cr_assert_geq(r, 0, "%s: %s", command, strerror(-r));
    return r;
}

uint64_t toy_put_value(struct toy_actor *self, const char *key, const char *value)
{
    const struct toy_put body = {ates_text_from(key), ates_text_from(value)};
    struct toy_entry entry;

    cr_assert_eq(toy_call(self, ATES_DEVELOPER, "put", NULL, &body, &entry), ATES_OK);
    return entry.version;
}

void *toy_actor_connect(struct toy_actor *self, void *context)
{
    void *socket = ates_socket_open(context, ZMQ_DEALER);
    char endpoint[256];

    cr_assert_eq(ates_endpoint(self->fixture.config.run_dir, "toy", endpoint, sizeof endpoint), 0);
    cr_assert_eq(zmq_connect(socket, endpoint), 0);
    return socket;
}
