/* The auth domain's engine with users made for tests. Their passwords are hashed at the least cost
 * that libsodium offers, as a hash tells its own cost: so only what is meant to is slow. */
#ifndef ATES_TEST_AUTH_FIXTURE_H
#define ATES_TEST_AUTH_FIXTURE_H

#include <ates/auth.h>

#include "support/engine_fixture.h"

#define AUTH_FIXTURE_PASSWORD "correct horse"

/* The caller that registers anybody: a service's own token, id 0. */
extern const struct ates_caller auth_fixture_service;

/* Registers a user with AUTH_FIXTURE_PASSWORD and the address LOGIN@uberpopug.example. Returns the
 * id. */
uint64_t auth_fixture_user(struct fixture *fixture, const char *login, enum ates_role role);

/* The second run of a command, with what a worker made of it; in the open batch. */
struct ates_outcome auth_fixture_resume(struct fixture *fixture, struct ates_caller caller,
                                        const char *command, const void *body,
                                        const void *work_result);

/* Signs in. Returns the status. */
int auth_fixture_sign_in(struct fixture *fixture, const char *login, const char *password,
                         uint64_t origin, struct auth_auth_user_result *result);

/* What a service makes of a token now: the caller (with claims) and 0, or the refusal in fixture.
 */
int auth_fixture_authenticate(struct fixture *fixture, struct ates_text token,
                              struct ates_claims *claims, struct ates_caller *caller);

#endif
