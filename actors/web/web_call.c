/* Callers and their commands; see web_call.h.
 *
 * Invariant: at most one command or one wait is under way for a request, and either ends with it. */
#include "web/web_call.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/address.h"
#include "core/random.h"
#include "web/web_guard.h"
#include "web/web_peers.h"
#include "web/web_private.h"
#include "web/web_session_private.h"

#define TIMEOUT_MS 5000
#define TIMEOUT_HASHING_MS 15000 /* of commands that wait for a worker to hash a password */
#define TIMEOUT_WAITING_MS 60000 /* of those whose reply comes with the end of a job */
/* So long before its end a session's token is renewed, while it is good still. */
#define RENEW_EARLY_MS 60000
#define REQUEST_ID_SIZE 37u

struct web_caller {
    struct web_request *request;
    struct ates_text bearer;     /* size 0: none */
    struct web_session *session; /* held; NULL: none */

    const struct ates_service *service; /* of the command under way */
    const struct ates_command *command;
    const char *request_id;
    struct ates_bytes body; /* in the request's arena */
    web_replied *replied;
    struct web_pending *pending;
    struct web_waiter waiter; /* for the session's renewal */
    bool waits, has_waited;
};

static void forget(struct web_request *request)
{
    struct web_caller *self = request->caller;

    if (self->pending != NULL) {
        web_backend_cancel(request->web->backend, self->pending);
    }
    if (self->waits) {
        web_session_forget_waiter(self->session, &self->waiter);
    }
    web_session_release(&self->session);
}

static struct web_caller *caller_of(struct web_request *request)
{
    if (request->caller == NULL) {
        request->caller = ates_arena_alloc(request->arena, sizeof *request->caller);
        request->caller->request = request;
        request->caller_gone = forget;
    }
    return request->caller;
}

static int find_bearer(const char *authorization, struct ates_text *token,
                       struct ates_refusal *refusal)
{
    static const char scheme[] = "Bearer ";

    *token = (struct ates_text){.size = 0};
    if (strncasecmp(authorization, scheme, sizeof scheme - 1) == 0) {
        const char *begin = authorization + sizeof scheme - 1;

        begin += strspn(begin, " ");
        *token = ates_text_from(begin);
    }
    bool right = token->size > 0 && token->size <= ATES_TOKEN_MAX;
    for (size_t i = 0; right && i < token->size; i++) {
        right = token->data[i] > ' ' && token->data[i] <= '~';
    }
    return right ? 0
                 : ates_refusal_set(refusal, ATES_UNAUTHENTICATED, "TOKEN_INVALID", NULL,
                                    "Authorization is not Bearer TOKEN");
}

int web_caller_find(struct web_request *request, struct ates_refusal *refusal)
{
    const char *authorization = web_request_header(request, "Authorization");
    struct web_caller *self = caller_of(request);

    if (authorization != NULL) {
        return find_bearer(authorization, &self->bearer, refusal);
    }
    struct ates_text cookie;
    const unsigned cookies = web_guard_cookies(request, &cookie);
    if (cookies == 0) {
        return 0;
    }
    if (request->method != WEB_GET) {
        int r = web_guard_check(request, refusal);
        if (r != 0) {
            return r;
        }
    }
    struct web_session *session = web_session_of(request);
    if (session == NULL) {
        return ates_refusal_set(refusal, ATES_UNAUTHENTICATED, "SESSION_UNKNOWN", NULL,
                                cookies == 1 ? "the cookie's session is over"
                                             : "there are two session cookies");
    }
    web_session_hold(session);
    self->session = session;
    return 0;
}

bool web_caller_is_nobody(const struct web_request *request)
{
    return request->caller == NULL ||
           (request->caller->session == NULL && request->caller->bearer.size == 0);
}

int web_caller_refuse_nobody(struct ates_refusal *refusal)
{
    return ates_refusal_set(refusal, ATES_UNAUTHENTICATED, "TOKEN_MISSING", NULL,
                            "this needs a token, or a session's cookie");
}

struct web_session *web_caller_session(const struct web_request *request)
{
    return request->caller != NULL ? request->caller->session : NULL;
}

static void take_reply(void *owner, const struct ates_reply *reply);

static void refuse(struct web_caller *self, enum ates_status status, const char *reason,
                   const char *why)
{
    struct ates_reply reply = {.status = status};

    ates_refusal_set(&reply.refusal, status, reason, NULL, "%s", why);
    self->replied(self->request, &reply);
}

static int64_t timeout_of(const struct ates_command *command)
{
    if (command->waits) {
        return TIMEOUT_WAITING_MS;
    }
    for (size_t i = 0; i < command->body->count; i++) {
        if (command->body->fields[i].secret) {
            return TIMEOUT_HASHING_MS;
        }
    }
    return TIMEOUT_MS;
}

/* Whom the throttles count: whoever has one address of an IPv6 network has them all. */
static void name_client(const struct web_request *request, char key[WEB_ADDRESS_SIZE])
{
    const char *peer = request->peer;
    struct sockaddr_storage address;

    const int r = ates_address_next(&peer, &address);
    assert(r == 1);
    web_address_share((const struct sockaddr *)&address, key);
}

static void transmit(struct web_caller *self)
{
    struct ates_web *web = self->request->web;
    char client[WEB_ADDRESS_SIZE];

    name_client(self->request, client);
    const struct web_command command = {
        .service = self->service,
        .command = self->command,
        .token = self->session != NULL ? ates_text_from(self->session->token) : self->bearer,
        .request_id = self->request_id,
        .client = client,
        .traceparent = web_request_header(self->request, "traceparent"),
        .body = self->body,
        .timeout_ms = timeout_of(self->command),
    };

    self->pending = web_backend_call(web->backend, &command, take_reply, self, ates_monotonic_us());
    if (self->pending == NULL) {
        refuse(self, ATES_RESOURCE_EXHAUSTED, "WEB_BUSY", "too many requests are under way");
    }
}

static void refuse_over(struct web_caller *self)
{
    refuse(self, ATES_UNAUTHENTICATED, "SESSION_EXPIRED", "the session is over");
}

static void renewed(struct web_waiter *waiter, bool is_renewed)
{
    struct web_caller *self =
        (struct web_caller *)((char *)waiter - offsetof(struct web_caller, waiter));

    self->waits = false;
    if (self->session->is_over) {
        refuse_over(self);
    } else if (is_renewed) {
        transmit(self);
    } else {
        refuse(self, ATES_UNAVAILABLE, "NO_REPLY",
               "the session's token could not be renewed in time; nothing was done");
    }
}

static void wait_for_renewal(struct web_caller *self)
{
    if (self->session->is_over) {
        refuse_over(self);
        return;
    }
    self->waits = self->has_waited = true;
    self->waiter = (struct web_waiter){.renewed = renewed};
    web_session_wait(self->session, &self->waiter);
    web_session_renew(self->request->web, self->session);
}

/* A token that is over by the service's clock, though not by ours, is renewed once. */
static void take_reply(void *owner, const struct ates_reply *reply)
{
    struct web_caller *self = owner;

    self->pending = NULL;
    if (self->session != NULL && reply != NULL && reply->status == ATES_UNAUTHENTICATED) {
        if (strcmp(reply->refusal.reason, "TOKEN_EXPIRED") == 0 && !self->has_waited) {
            wait_for_renewal(self);
            return;
        }
        if (web_session_is_lost(&reply->refusal)) {
            web_session_end(self->request->web, self->session);
        }
    }
    self->replied(self->request, reply);
}

void web_call(struct web_request *request, const struct ates_service *service,
              const struct ates_command *command, const char *request_id, struct ates_bytes body,
              web_replied *replied)
{
    struct web_caller *self = caller_of(request);
    struct web_session *session = self->session;

    self->service = service;
    self->command = command;
    self->replied = replied;
    self->request_id = request_id;
    self->has_waited = false;
    if (request_id == NULL && !command->is_query) {
        char *made = ates_arena_alloc(request->arena, REQUEST_ID_SIZE);

        ates_request_id_new(made);
        self->request_id = made;
    }
    self->body =
        (struct ates_bytes){ates_arena_copy(request->arena, body.data, body.size), body.size};
    if (session != NULL) {
        const int64_t left_ms = session->token_expires_at - ates_now_ms(&request->web->source);

        if (left_ms <= 0) {
            wait_for_renewal(self);
            return;
        }
        if (left_ms < RENEW_EARLY_MS && session->token_expires_at < session->expires_at) {
            web_session_renew(request->web, session);
        }
    }
    transmit(self);
}
