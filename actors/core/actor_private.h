/* What the parts of an actor share. */
#ifndef ATES_ACTOR_PRIVATE_H
#define ATES_ACTOR_PRIVATE_H

#include <ates/client.h>

#include "core/actor.h"
#include "core/allow.h"
#include "core/audit.h"
#include "core/engine.h"
#include "core/intake.h"
#include "core/request.h"
#include "core/trace.h"
#include "core/worker.h"

#define ACTOR_FOLLOWERS_MAX 8u
#define ACTOR_ROUTES_MAX 48u
#define ACTOR_WAITERS_MAX 1024u

struct ates_follower;

/* What a command name leads to, and how often it did. */
struct actor_route {
    const struct ates_command *command;
    const struct ates_handler *handler; /* NULL for a common query */
    int (*answer)(struct ates_actor *actor, const void *body, struct ates_buffer *reply,
                  struct ates_refusal *refusal); /* of a common query */
    bool has_secret;                             /* in its body: wiped once it was dealt with */
    uint64_t count[ATES_STATUS_COUNT];
    struct ates_histogram took_us; /* from its arrival to its reply */
};

/* A reply that waits for the batch's commit, or for a job's end. */
struct actor_reply {
    struct ates_route route;
    struct actor_route *command; /* NULL where none was found */
    enum ates_status status;
    size_t meta_offset, meta_size, body_offset, body_size; /* in actor->reply_bytes */
    uint64_t job;                                          /* not 0: it waits for this job */
    uint64_t seq;                                          /* that it reflects */
    char request_id[65];                                   /* empty: none */
    char trace[ATES_TRACE_ID_SIZE];                        /* empty: none */
    bool is_sampled;                                       /* the trace is recorded */
    int64_t received_us;
    uint64_t user_id; /* who asked, or whose password it was; 0: unknown */
    char client[65];  /* for whom or from where it came, as far as that is known */
    char reason[sizeof((struct ates_refusal *)NULL)->reason]; /* of a refusal */
};

struct actor_description;

struct ates_actor {
    struct ates_engine *engine;
    struct ates_config config;
    struct ates_source source;
    const struct ates_domain *domain;
    const char *name;
    struct ates_keyring *keyring;
    struct ates_secret_key service_key;
    uint8_t fingerprint_key[ATES_FINGERPRINT_KEY_SIZE];
    struct ates_allow *allowed; /* over tcp */
    int run_lock;
    zactor_t *thread;
    zsock_t *pipe;

    struct ates_intake *intake; /* of the router */
    int64_t shared_until_us;    /* more than one peer has just asked */
    int64_t taken_us;           /* when all that was there was last taken off the router */
    void *router, *publisher, *subscriber;
    struct ates_client *client;  /* of the services that are followed */
    struct ates_own_token token; /* the client's */
    int64_t warned_us;           /* when the alarm of a filling store was last given */
    struct ates_follower *followers[ACTOR_FOLLOWERS_MAX];
    size_t follower_count;
    struct ates_workers *workers;
    struct actor_deferred *deferred;      /* requests that are with the workers */
    size_t copy_count;                    /* of deferred ones, sent again meanwhile */
    int64_t step_due_us, step_backoff_us; /* of a job that met a fault */
    bool stopping;
    int64_t heard_us; /* when SUB last gave anything */

    struct ates_arena *arena; /* of the request in hand */
    struct actor_route routes[ACTOR_ROUTES_MAX];
    size_t route_count;
    uint64_t unknown_commands, undeliverable;
    struct ates_audit audit;
    struct actor_description *description; /* made when it is first asked for */

    struct actor_reply *replies; /* of the batch */
    size_t reply_count, reply_capacity;
    struct ates_buffer reply_bytes, scratch;
    struct actor_reply *waiters;
    size_t waiter_count;

    int64_t head_due_us;
    bool head_changed; /* events were published since the last announcement */
};

/* actor.c */
/* Opens SUB, in the place of one that there may be. */
int actor_open_subscriber(struct ates_actor *actor);

/* replies.c */
/* One more reply of the batch; takes the request's route over. */
struct actor_reply *actor_add_reply(struct ates_actor *actor, struct ates_request_message *request,
                                    struct actor_route *route);
void actor_put_meta(struct ates_actor *actor, struct actor_reply *reply, uint64_t seq,
                    bool replayed, struct ates_text request_id);
void actor_put_body(struct ates_actor *actor, struct actor_reply *reply, struct ates_bytes body);
void actor_put_refusal(struct ates_actor *actor, struct actor_reply *reply,
                       const struct ates_refusal *refusal);
/* After a commit: sends the batch's replies (lost: refuses them all), and those of finished jobs. */
void actor_send_replies(struct ates_actor *actor, bool lost);
void actor_release_replies(struct ates_actor *actor);

/* deferred.c */
struct actor_deferred;
/* Whether the same request id is with a worker already: then the request was taken over, to get the same reply, or
 * refusal says why not. */
bool actor_is_under_way(struct ates_actor *actor, struct ates_request_message *request,
                        const struct ates_execution *execution, struct ates_refusal *refusal);
/* Hands the work of outcome to a worker and takes the request over; or refuses RESOURCE_EXHAUSTED. */
int actor_defer(struct ates_actor *actor, struct ates_request_message *request,
                const struct ates_execution *execution, const struct ates_outcome *outcome,
                int64_t expires_us, struct ates_refusal *refusal);
/* A worker is done (output NULL: it did not run) with what actor_defer gave it. */
void actor_deferred_done(struct ates_actor *actor, void *owner, const void *output);

/* dispatch.c */
/* Takes a request to its reply, its job or its worker. work_result as in ates_execution. */
void actor_dispatch(struct ates_actor *actor, struct ates_request_message *request,
                    const void *work_result);
/* Refuses a request of a peer that has too many waiting; it is not looked at any further. */
void actor_refuse_peer(struct ates_actor *actor, struct ates_request_message *request);
void actor_index_routes(struct ates_actor *actor);

/* common.c */
int actor_health(struct ates_actor *, const void *, struct ates_buffer *, struct ates_refusal *);
int actor_metrics(struct ates_actor *, const void *, struct ates_buffer *, struct ates_refusal *);
int actor_read_events(struct ates_actor *, const void *, struct ates_buffer *,
                      struct ates_refusal *);
int actor_read_snapshot(struct ates_actor *, const void *, struct ates_buffer *,
                        struct ates_refusal *);
int actor_show_dead_letters(struct ates_actor *, const void *, struct ates_buffer *,
                            struct ates_refusal *);

/* describe.c */
int actor_describe(struct ates_actor *, const void *, struct ates_buffer *, struct ates_refusal *);
void actor_description_free(struct actor_description **description); /* NULL-safe */

/* loop.c */
void actor_drain_workers(struct ates_actor *actor);
void actor_run(zsock_t *pipe, void *argument);

#endif
