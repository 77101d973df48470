/* Sessions of browsers; see web_session.h. A session is found by a hash of its cookie's value.
 *
 * Invariant: a session in memory is on the disk, as it began; one that is over is not, but for a
 * failed write, which is said, and tried again until it is done. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <czmq.h>
#include <sodium.h>

#include "core/journal.h"
#include "web/web_guard.h"
#include "web/web_hub.h"
#include "web/web_private.h"
#include "web/web_session_private.h"

#define SESSIONS_MAX 65536u
#define SESSIONS_PER_USER 32u
#define ID_SIZE 16u
#define SWEEP_US 60000000
#define SWEEP_MAX 256u /* sessions at once */
#define RENEW_TIMEOUT_MS 5000

struct web_sessions {
    struct ates_web *web;
    zhashx_t *by_key;
    struct web_session_store *store;
    zhashx_t *leftovers;      /* keys of rows that are to go and could not be dropped yet */
    struct ates_arena *arena; /* for a reply */
    int64_t sweep_us;
};

static bool copy_text(char *out, size_t size, struct ates_text text)
{
    if (text.size >= size) {
        return false;
    }
    memcpy(out, text.data, text.size);
    out[text.size] = '\0';
    return true;
}

static struct web_session *make(struct ates_web *web, const char *key,
                                const struct web_session_row *row)
{
    struct web_session *session = calloc(1, sizeof *session);

    if (session == NULL) {
        return NULL;
    }
    session->web = web;
    memcpy(session->key, key, sizeof session->key);
    session->user_id = row->user.id;
    session->role = row->user.role;
    session->token_expires_at = row->token_expires_at;
    session->expires_at = row->expires_at;
    session->holders = 1; /* the table's */
    if (!copy_text(session->login, sizeof session->login, row->user.login) ||
        !copy_text(session->email, sizeof session->email, row->user.email) ||
        !copy_text(session->token, sizeof session->token, row->token)) {
        free(session);
        return NULL;
    }
    return session;
}

void web_session_hold(struct web_session *session)
{
    session->holders++;
}

void web_session_release(struct web_session **held)
{
    struct web_session *session = *held;

    *held = NULL;
    if (session != NULL && --session->holders == 0) {
        explicit_bzero(session, sizeof *session);
        free(session);
    }
}

static void take_row(void *context, const char *key, const struct web_session_row *row)
{
    struct web_sessions *self = context;
    struct web_session *session = make(self->web, key, row);

    if (session != NULL) {
        zhashx_insert(self->by_key, session->key, session);
    }
}

int web_sessions_open(struct web_sessions **sessions, struct ates_web *web, char *error,
                      size_t size)
{
    struct web_sessions *self = calloc(1, sizeof *self);

    if (self == NULL) {
        snprintf(error, size, "web: out of memory");
        return -ENOMEM;
    }
    self->web = web;
    self->arena = ates_arena_new();
    self->by_key = zhashx_new();
    self->leftovers = zhashx_new();
    int r = web_session_store_open(&self->store, web->config.data_dir, error, size);
    if (r == 0) {
        r = web_session_store_load(self->store, take_row, self);
        if (r != 0) {
            snprintf(error, size, "%s/web/sessions: %s", web->config.data_dir, strerror(-r));
        }
    }
    if (r != 0) {
        web_sessions_close(&self);
        return r;
    }
    *sessions = self;
    return 0;
}

/* A row that stayed would be a session again after the next start, though it was signed out. */
static void drop_leftovers(struct web_sessions *self)
{
    const char *keys[SWEEP_MAX];
    size_t count;

    do {
        count = 0;
        for (void *item = zhashx_first(self->leftovers); item != NULL && count < SWEEP_MAX;
             item = zhashx_next(self->leftovers)) {
            keys[count++] = zhashx_cursor(self->leftovers);
        }
        if (count == 0 || web_session_store_drop(self->store, keys, count) < 0) {
            return; /* which was said when it was tried first */
        }
        for (size_t i = 0; i < count; i++) {
            zhashx_delete(self->leftovers, keys[i]);
        }
    } while (count == SWEEP_MAX);
}

void web_sessions_close(struct web_sessions **sessions)
{
    struct web_sessions *self = *sessions;

    if (self == NULL) {
        return;
    }
    drop_leftovers(self);
    for (struct web_session *session = zhashx_first(self->by_key); session != NULL;
         session = zhashx_next(self->by_key)) {
        web_session_release(&session);
    }
    zhashx_destroy(&self->by_key);
    zhashx_destroy(&self->leftovers);
    web_session_store_close(&self->store);
    ates_arena_free(&self->arena);
    free(self);
    *sessions = NULL;
}

static void key_of(const char *cookie, size_t size, char key[WEB_SESSION_KEY_SIZE])
{
    uint8_t hash[(WEB_SESSION_KEY_SIZE - 1) / 2];

    crypto_generichash(hash, sizeof hash, (const uint8_t *)cookie, size, NULL, 0);
    sodium_bin2hex(key, WEB_SESSION_KEY_SIZE, hash, sizeof hash);
}

struct web_session *web_sessions_find(struct web_sessions *self, struct ates_text cookie)
{
    char key[WEB_SESSION_KEY_SIZE];

    if (cookie.size != WEB_SESSION_COOKIE_SIZE - 1) {
        return NULL;
    }
    key_of(cookie.data, cookie.size, key);
    struct web_session *session = zhashx_lookup(self->by_key, key);
    return session != NULL && ates_now_ms(&self->web->source) < session->expires_at ? session
                                                                                    : NULL;
}

/* Of two cookies one may be another's: neither is believed. */
struct web_session *web_session_of(struct web_request *request)
{
    struct ates_text cookie;

    return web_guard_cookies(request, &cookie) == 1
               ? web_sessions_find(request->web->sessions, cookie)
               : NULL;
}

static void tell_waiters(struct web_session *session, bool is_renewed)
{
    web_session_hold(session); /* they let go of it, maybe the last ones */
    while (session->waiters != NULL) {
        struct web_waiter *waiter = session->waiters;

        session->waiters = waiter->next;
        waiter->renewed(waiter, is_renewed);
    }
    web_session_release(&session);
}

static void forget_rows(struct web_sessions *self, const char *const *keys, size_t count)
{
    const int r = web_session_store_drop(self->store, keys, count);

    if (r < 0) {
        ates_journal(ATES_ERROR, "web", NULL, "a session that is over could not be dropped yet: %s",
                     strerror(-r));
        for (size_t i = 0; i < count; i++) {
            zhashx_insert(self->leftovers, keys[i], self);
        }
    }
}

/* Everything but its row. */
static void end(struct web_sessions *self, struct web_session *session)
{
    session->is_over = true;
    zhashx_delete(self->by_key, session->key);
    if (session->renewal != NULL) {
        web_backend_cancel(self->web->backend, session->renewal);
        session->renewal = NULL;
    }
    web_hub_end_session(self->web->hub, session);
    tell_waiters(session, false);
    web_session_release(&session);
}

void web_session_end(struct ates_web *web, struct web_session *session)
{
    if (!session->is_over) {
        forget_rows(web->sessions, (const char *const[]){session->key}, 1);
        end(web->sessions, session);
    }
}

/* Makes room: a user's oldest session goes where there are too many, anybody's where the table is
 * full. */
static void make_room(struct web_sessions *self, uint64_t user_id)
{
    struct web_session *oldest = NULL, *own_oldest = NULL;
    size_t own = 0;

    for (struct web_session *session = zhashx_first(self->by_key); session != NULL;
         session = zhashx_next(self->by_key)) {
        if (oldest == NULL || session->expires_at < oldest->expires_at) {
            oldest = session;
        }
        if (session->user_id == user_id) {
            own++;
            if (own_oldest == NULL || session->expires_at < own_oldest->expires_at) {
                own_oldest = session;
            }
        }
    }
    if (own >= SESSIONS_PER_USER) {
        web_session_end(self->web, own_oldest);
    } else if (zhashx_size(self->by_key) >= SESSIONS_MAX) {
        web_session_end(self->web, oldest);
    }
}

struct web_session *web_session_begin(struct web_sessions *self,
                                      const struct auth_auth_user_result *result,
                                      char cookie[WEB_SESSION_COOKIE_SIZE], int *fault)
{
    const struct web_session_row row = {.user = result->user,
                                        .token = result->token,
                                        .token_expires_at = result->expires_at,
                                        .expires_at = result->session_expires_at};
    uint8_t id[ID_SIZE];
    char key[WEB_SESSION_KEY_SIZE];

    make_room(self, result->user.id);
    self->web->source.random(self->web->source.context, id, sizeof id);
    sodium_bin2base64(cookie, WEB_SESSION_COOKIE_SIZE, id, sizeof id,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    key_of(cookie, strlen(cookie), key);
    struct web_session *session = make(self->web, key, &row);
    if (session == NULL) {
        *fault = -ENOMEM;
        return NULL;
    }
    *fault = web_session_store_put(self->store, key, &row);
    if (*fault != 0) {
        web_session_release(&session);
        return NULL;
    }
    zhashx_insert(self->by_key, session->key, session);
    return session;
}

bool web_session_set_token(struct web_session *session, struct ates_text token, int64_t expires_at)
{
    if (!copy_text(session->token, sizeof session->token, token)) {
        return false;
    }
    session->token_expires_at = expires_at;
    return true;
}

void web_session_wait(struct web_session *session, struct web_waiter *waiter)
{
    waiter->next = session->waiters;
    session->waiters = waiter;
}

void web_session_forget_waiter(struct web_session *session, struct web_waiter *waiter)
{
    struct web_waiter **at = &session->waiters;

    while (*at != NULL && *at != waiter) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = waiter->next;
    }
}

static const struct ates_command *renew_command(void)
{
    return ates_service_command(&auth_service, "renew_token", strlen("renew_token"));
}

/* Whether a refusal says that a token serves no more, nor does another one of its session. */
bool web_session_is_lost(const struct ates_refusal *refusal)
{
    static const char *const reasons[] = {"TOKEN_REVOKED", "USER_DISABLED", "SESSION_EXPIRED",
                                          "TOKEN_INVALID", "USER_UNKNOWN"};

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (refusal->status == ATES_UNAUTHENTICATED && strcmp(refusal->reason, reasons[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether the reply's token is the session's now. */
static bool take_token(struct web_session *session, const struct ates_reply *reply)
{
    struct ates_arena *arena = session->web->sessions->arena;
    struct auth_renew_token_result result;

    ates_arena_reset(arena);
    return ates_message_decode(&auth_renew_token_result_message, reply->body.data, reply->body.size,
                               ATES_UNKNOWN_IGNORED, arena, &result, NULL) == 0 &&
           web_session_set_token(session, result.token, result.expires_at);
}

static void take_renewal(void *owner, const struct ates_reply *reply)
{
    struct web_session *session = owner;

    session->renewal = NULL;
    if (reply != NULL && web_session_is_lost(&reply->refusal)) {
        web_session_end(session->web, session); /* tells those who wait; may free it */
        return;
    }
    tell_waiters(session, reply != NULL && reply->status == ATES_OK && take_token(session, reply));
}

void web_session_renew(struct ates_web *web, struct web_session *session)
{
    static const uint8_t nothing[] = {0x80}; /* an empty map */
    const struct web_command command = {
        .service = &auth_service,
        .command = renew_command(),
        .token = ates_text_from(session->token),
        .body = {nothing, sizeof nothing},
        .timeout_ms = RENEW_TIMEOUT_MS,
    };

    if (session->renewal == NULL && !session->is_over) {
        session->renewal =
            web_backend_call(web->backend, &command, take_renewal, session, ates_monotonic_us());
        if (session->renewal == NULL) {
            tell_waiters(session, false);
        }
    }
}

/* One write for many: thousands may end in the same minute. */
void web_sessions_advance(struct web_sessions *self, int64_t now_us)
{
    const int64_t now = ates_now_ms(&self->web->source);
    struct web_session *over[SWEEP_MAX];
    const char *keys[SWEEP_MAX];
    size_t count = 0;

    if (now_us < self->sweep_us) {
        return;
    }
    drop_leftovers(self);
    for (struct web_session *session = zhashx_first(self->by_key);
         session != NULL && count < SWEEP_MAX; session = zhashx_next(self->by_key)) {
        if (session->expires_at <= now) {
            over[count] = session;
            keys[count++] = session->key;
        }
    }
    if (count < SWEEP_MAX) {
        self->sweep_us = now_us + SWEEP_US;
    }
    if (count > 0) {
        forget_rows(self, keys, count);
    }
    for (size_t i = 0; i < count; i++) {
        end(self, over[i]);
    }
}

uint64_t web_sessions_count(const struct web_sessions *self)
{
    return zhashx_size(self->by_key);
}
