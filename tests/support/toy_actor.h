/* The toy domain's actor, serving on a folder of its own. Everything here fails the test where
 * anything goes wrong. */
#ifndef ATES_TEST_TOY_ACTOR_H
#define ATES_TEST_TOY_ACTOR_H

#include <ates/client.h>

#include "core/actor.h"
#include "core/token.h"
#include "support/engine_fixture.h"
#include "support/toy_domain.h"

struct toy_actor {
    struct fixture fixture; /* its engine is open between open and the first start */
    struct ates_actor *actor;
    struct ates_client *client;
    struct ates_reply reply;                          /* to the last call */
    char tokens[ATES_ROLE_COUNT][ATES_TOKEN_MAX + 1]; /* of user 1 + role */
};

/* Makes the data and the keys; start serves them, which may be done again after a stop. */
void toy_actor_open(struct toy_actor *self);
void toy_actor_start(struct toy_actor *self);
void toy_actor_stop(struct toy_actor *self);
void toy_actor_close(struct toy_actor *self);

/* Calls with the token of this role (ATES_ROLE_COUNT: with none). body may be NULL where it is
 * empty, result too.
 * Returns the status. */
int toy_call(struct toy_actor *self, unsigned role, const char *command, const char *request_id,
             const void *body, void *result);
/* Puts a value as a developer; returns how often the key was put. */
uint64_t toy_put_value(struct toy_actor *self, const char *key, const char *value);

/* Sends PING and expects PONG. */
void toy_actor_ping(struct toy_actor *self);

/* A bare DEALER connected to the actor, which the test closes. */
void *toy_actor_connect(struct toy_actor *self, void *context);

#endif
