/* The real services without sockets and threads: a domain's engine on a folder in memory, and the actor's
 * part that takes a request's frames to its reply. Each begins with some users, tasks and money; whatever
 * an input did is undone after it, as a batch is that found no room. Nothing is committed, so that an
 * execution costs no fsync.
 *
 * Invariant: a service is the same before each input. */
#ifndef ATES_FUZZ_SERVICE_H
#define ATES_FUZZ_SERVICE_H

#include "core/actor_private.h"
#include "core/engine_private.h"
#include "fuzz.h"

#define FUZZ_TIME INT64_C(1700000000000) /* 2023-11-14T22:13:20Z: the clock, which stands still */

/* The users that every service knows, by id. */
enum fuzz_user {
    FUZZ_NOBODY,
    FUZZ_ADMINISTRATOR,
    FUZZ_MANAGER,
    FUZZ_ACCOUNTANT,
    FUZZ_POPUG,
    FUZZ_OTHER_POPUG,
    FUZZ_BOSS,
    FUZZ_SERVICE, /* a token that a service signed for itself */
    FUZZ_CALLER_COUNT
};

#define FUZZ_USERS_END FUZZ_SERVICE /* the users' ids are below it */
struct fuzz_person {
    const char *login;
    enum ates_role role;
};
extern const struct fuzz_person fuzz_users[FUZZ_USERS_END];

struct fuzz_service {
    const struct ates_domain *domain;
    struct ates_engine *engine;
    struct ates_actor actor; /* what dispatch uses of it */
    uint64_t seed;           /* of the service's randomness */
    bool passwords_match;    /* what a password's check, which is not run, is said to have found */
    struct ates_log_head base;
};

/* One of ates_domains; opened at first. */
size_t fuzz_service_count(void);
struct fuzz_service *fuzz_service(size_t index);

/* Gives a service that was just opened what it begins with (service_fill.c). */
void fuzz_service_fill(struct fuzz_service *service);

/* A token of this caller; empty for FUZZ_NOBODY. */
const char *fuzz_token(enum fuzz_user caller);

/* Takes the frames that a client sent (without route) to their reply, which is checked by what PROTOCOL.md
 * says of replies; a refusal must have changed nothing. */
void fuzz_service_take(struct fuzz_service *service, const struct ates_bytes *frames, size_t count);

/* The same for a command (NULL: by number among all that there are) of this caller. */
void fuzz_service_call(struct fuzz_service *service, enum fuzz_user caller, struct ates_text name,
                       struct ates_text request_id, struct ates_bytes body);

/* Runs its jobs, checks its rows against each other where anything changed, and undoes it all. */
void fuzz_service_end(struct fuzz_service *service);

/* The next event of a producer, as its log would have it; returns the envelope's bytes, valid until the
 * next call. */
struct ates_bytes fuzz_seal(const struct ates_position *position, const char *producer,
                            const char *event_name, uint64_t version, int64_t time,
                            struct ates_bytes data);

#endif
