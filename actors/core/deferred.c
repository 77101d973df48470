/* Requests whose slow work a worker does. The same command under the same request id, sent again meanwhile, is not
 * done again: it waits here for the first one's reply. */
#include <stdlib.h>
#include <string.h>

#include "core/actor_private.h"

#define COPIES_MAX 1024u
#define BUSY_RETRY_MS 1000u

/* A request on its way through a worker, and its copies. */
struct actor_deferred {
    struct ates_request_message request;
    uint64_t user_id;
    char request_id[65]; /* empty: none */
    uint8_t fingerprint[ATES_FINGERPRINT_SIZE];
    struct actor_deferred *copies; /* the same request again */
    struct actor_deferred *next;
};

static struct actor_deferred *take_over(struct ates_request_message *request)
{
    struct actor_deferred *deferred = calloc(1, sizeof *deferred);

    if (deferred == NULL) {
        abort();
    }
    ates_request_move(&deferred->request, request);
    return deferred;
}

static void drop(struct actor_deferred *deferred)
{
    ates_request_wipe(&deferred->request);
    ates_request_release(&deferred->request);
    free(deferred);
}

static int refuse_busy(struct ates_refusal *refusal)
{
    int r = ates_refusal_set(refusal, ATES_RESOURCE_EXHAUSTED, "WORKERS_BUSY", NULL,
                             "too much is waiting for this service's workers");

    refusal->retry_after_ms = BUSY_RETRY_MS;
    return r;
}

bool actor_is_under_way(struct ates_actor *self, struct ates_request_message *request,
                        const struct ates_execution *execution, struct ates_refusal *refusal)
{
    struct actor_deferred *first = execution->request_id.size > 0 ? self->deferred : NULL;

    while (first != NULL &&
           (first->user_id != execution->caller.id ||
            !ates_text_equal(ates_text_from(first->request_id), execution->request_id))) {
        first = first->next;
    }
    if (first == NULL) {
        return false;
    }
    if (memcmp(first->fingerprint, execution->fingerprint, sizeof first->fingerprint) != 0) {
        ates_refusal_set(refusal, ATES_FAILED_PRECONDITION, "REQUEST_ID_REUSED", NULL,
                         "this request_id was used with another command or body");
    } else if (self->copy_count == COPIES_MAX) {
        refuse_busy(refusal);
    } else {
        struct actor_deferred *copy = take_over(request);

        copy->next = first->copies;
        first->copies = copy;
        self->copy_count++;
    }
    return true;
}

int actor_defer(struct ates_actor *self, struct ates_request_message *request,
                const struct ates_execution *execution, const struct ates_outcome *outcome,
                int64_t expires_us, struct ates_refusal *refusal)
{
    struct actor_deferred *deferred = calloc(1, sizeof *deferred);

    if (deferred == NULL) {
        abort();
    }
    int r = ates_workers_submit(self->workers, outcome->work, outcome->work_input,
                                outcome->work->input_size, expires_us, deferred);
    explicit_bzero((void *)outcome->work_input,
                   outcome->work->input_size); /* the worker has its own */
    if (r != 0) {
        free(deferred);
        return refuse_busy(refusal);
    }
    deferred->user_id = execution->caller.id;
    if (execution->request_id.size > 0) {
        memcpy(deferred->request_id, execution->request_id.data, execution->request_id.size);
        memcpy(deferred->fingerprint, execution->fingerprint, sizeof deferred->fingerprint);
    }
    ates_request_move(&deferred->request, request);
    deferred->next = self->deferred;
    self->deferred = deferred;
    return 0;
}

static void unlink_deferred(struct ates_actor *self, const struct actor_deferred *deferred)
{
    struct actor_deferred **link = &self->deferred;

    while (*link != deferred) {
        link = &(*link)->next;
    }
    *link = deferred->next;
}

/* A refusal is not stored, so that the copies would each be decided anew: they get the same one. */
static void refuse_alike(struct ates_actor *self, struct actor_deferred *copy, size_t first)
{
    const struct actor_reply like = self->replies[first];
    struct actor_reply *reply = actor_add_reply(self, &copy->request, like.command);

    reply->status = like.status;
    reply->meta_offset = like.meta_offset;
    reply->meta_size = like.meta_size;
    reply->body_offset = like.body_offset;
    reply->body_size = like.body_size;
    memcpy(reply->request_id, like.request_id, sizeof reply->request_id);
}

void actor_deferred_done(struct ates_actor *self, void *owner, const void *output)
{
    struct actor_deferred *deferred = owner;
    const size_t first = self->reply_count;

    unlink_deferred(self, deferred);
    if (output != NULL && !self->stopping) {
        actor_dispatch(self, &deferred->request, output);
    } /* else nobody waits for it any more, or it is unknown to who does */
    const bool refused = self->reply_count > first && self->replies[first].status != ATES_OK;
    while (deferred->copies != NULL) {
        struct actor_deferred *copy = deferred->copies;

        deferred->copies = copy->next;
        self->copy_count--;
        if (refused) {
            refuse_alike(self, copy, first);
        } else if (!self->stopping) {
            actor_dispatch(self, &copy->request, NULL);
        }
        drop(copy);
    }
    drop(deferred);
}
