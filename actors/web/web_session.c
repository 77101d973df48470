/* Sessions of browsers; see web_session.h.
 *
 * A session is found by a hash of its cookie's value: the value itself is nowhere on our side. Its
 * rows on the disk hold tokens, as the folder beside them holds the keys that sign them.
 *
 * Invariant: what is in memory is on the disk, but for a failed write, after which a restart asks
 * its users to sign in again. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <czmq.h>
#include <sodium.h>

#include "core/datadir.h"
#include "core/fields.h"
#include "core/journal.h"
#include "core/store.h"
#include "web/web_guard.h"
#include "web/web_hub.h"
#include "web/web_private.h"
#include "web/web_session_private.h"

#define SESSIONS_MAX 65536u
#define SESSIONS_PER_USER 32u
#define ID_SIZE 16u
#define SWEEP_US 60000000
#define RENEW_TIMEOUT_MS 5000
#define MAP_SIZE ((size_t)1 << 30)

enum { TABLE_SESSIONS };
static const char *const tables[] = {"sessions"};

/* A row; its key is the session's. */
struct row {
    struct auth_identity user;
    struct ates_text token;
    int64_t token_expires_at;
    int64_t expires_at;
};
static const struct ates_field row_fields[] = {
    {ATES_FIELD(row, user), ATES_IS_STRUCT(auth_identity_message)},
    {ATES_FIELD(row, token), .type = ATES_TEXT, .rule = ATES_RULE_ASCII, .secret = true, .min = 1,
     .max = ATES_TOKEN_MAX},
    {ATES_FIELD(row, token_expires_at), ATES_IS_TIME},
    {ATES_FIELD(row, expires_at), ATES_IS_TIME},
};
static ATES_MESSAGE(row, "session");

struct web_sessions {
    struct ates_web *web;
    zhashx_t *by_key;
    struct ates_store *store;
    struct ates_arena *arena;
    struct ates_txn txn; /* one at a time; its scratch is kept */
    int lock;
    int64_t sweep_us;
};

static struct ates_key row_key(const char *key)
{
    struct ates_key row = {.size = 0};

    ates_key_add_bytes(&row, key, strlen(key));
    return row;
}

/* Writes the session's row, or takes it out where it is over. */
static int write_row(struct web_sessions *self, const struct web_session *session)
{
    const struct ates_key key = row_key(session->key);
    const struct row row = {
        .user = {.id = session->user_id,
                 .login = ates_text_from(session->login),
                 .email = ates_text_from(session->email),
                 .role = session->role},
        .token = ates_text_from(session->token),
        .token_expires_at = session->token_expires_at,
        .expires_at = session->expires_at,
    };

    ates_arena_reset(self->arena);
    int r = ates_txn_begin(&self->txn, self->store, false, self->arena);
    if (r != 0) {
        return r;
    }
    r = session->is_over ? ates_delete(&self->txn, TABLE_SESSIONS, &key)
                         : ates_put_message(&self->txn, TABLE_SESSIONS, &key, &row_message, &row);
    if (r < 0) {
        ates_txn_abort(&self->txn);
        return r;
    }
    return ates_txn_commit(&self->txn);
}

static void keep(struct web_sessions *self, const struct web_session *session)
{
    const int r = write_row(self, session);

    if (r < 0) {
        ates_journal(ATES_ERROR, "web", NULL, "a session could not be written: %s", strerror(-r));
    }
}

static bool copy_text(char *out, size_t size, struct ates_text text)
{
    if (text.size >= size) {
        return false;
    }
    memcpy(out, text.data, text.size);
    out[text.size] = '\0';
    return true;
}

static struct web_session *make(struct ates_web *web, const char *key, const struct row *row)
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

static int load(struct web_sessions *self)
{
    struct ates_bytes key, value;
    struct ates_scan scan;

    ates_arena_reset(self->arena);
    int r = ates_txn_begin(&self->txn, self->store, true, self->arena);
    if (r != 0) {
        return r;
    }
    r = ates_scan_open(&scan, &self->txn, TABLE_SESSIONS, NULL, NULL);
    if (r == 0) {
        while ((r = ates_scan_next(&scan, &key, &value)) == 0) {
            char text[WEB_SESSION_KEY_SIZE];
            struct row row;

            /* A row of another version's is a session that is over. */
            if (key.size != sizeof text - 1 ||
                ates_message_decode(&row_message, value.data, value.size, ATES_UNKNOWN_IGNORED,
                                    self->arena, &row, NULL) != 0) {
                continue;
            }
            memcpy(text, key.data, key.size);
            text[key.size] = '\0';
            struct web_session *session = make(self->web, text, &row);
            if (session != NULL) {
                zhashx_insert(self->by_key, session->key, session);
            }
        }
        ates_scan_close(&scan);
    }
    ates_txn_abort(&self->txn);
    return r == ATES_NOT_FOUND ? 0 : r;
}

int web_sessions_open(struct web_sessions **sessions, struct ates_web *web, char *error,
                      size_t size)
{
    struct web_sessions *self = calloc(1, sizeof *self);
    char folder[sizeof web->config.data_dir + 16], path[sizeof folder + 16];

    if (self == NULL) {
        snprintf(error, size, "web: out of memory");
        return -ENOMEM;
    }
    self->web = web;
    self->lock = -1;
    self->arena = ates_arena_new();
    self->by_key = zhashx_new();
    int r = ates_datadir_lock(web->config.data_dir, "web", folder, sizeof folder, &self->lock,
                              error, size);
    if (r == 0) {
        snprintf(path, sizeof path, "%s/sessions", folder);
        r = ates_store_open(&self->store, path, MAP_SIZE, tables, 1, error, size);
    }
    if (r == 0) {
        r = load(self);
        if (r != 0) {
            snprintf(error, size, "%s: %s", path, strerror(-r));
        }
    }
    if (r != 0) {
        web_sessions_close(&self);
        return r;
    }
    *sessions = self;
    return 0;
}

void web_sessions_close(struct web_sessions **sessions)
{
    struct web_sessions *self = *sessions;

    if (self == NULL) {
        return;
    }
    for (struct web_session *session = zhashx_first(self->by_key); session != NULL;
         session = zhashx_next(self->by_key)) {
        web_session_release(&session);
    }
    zhashx_destroy(&self->by_key);
    ates_buffer_release(&self->txn.scratch);
    ates_store_close(&self->store);
    ates_arena_free(&self->arena);
    if (self->lock >= 0) {
        close(self->lock);
    }
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

struct web_session *web_session_of(struct web_request *request)
{
    const struct ates_text cookie =
        web_request_cookie(request, web_guard_cookie_name(request->web));

    return cookie.size > 0 ? web_sessions_find(request->web->sessions, cookie) : NULL;
}

static void tell_waiters(struct web_session *session)
{
    while (session->waiters != NULL) {
        struct web_waiter *waiter = session->waiters;

        session->waiters = waiter->next;
        waiter->renewed(waiter);
    }
}

void web_session_end(struct ates_web *web, struct web_session *session)
{
    struct web_sessions *self = web->sessions;

    if (session->is_over) {
        return;
    }
    session->is_over = true;
    zhashx_delete(self->by_key, session->key);
    keep(self, session);
    if (session->renewal != NULL) {
        web_backend_cancel(web->backend, session->renewal);
        session->renewal = NULL;
    }
    web_hub_end_session(web->hub, session);
    tell_waiters(session);
    web_session_release(&session);
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
    const struct row row = {.user = result->user,
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
    *fault = write_row(self, session);
    if (*fault != 0) {
        web_session_release(&session);
        return NULL;
    }
    zhashx_insert(self->by_key, session->key, session);
    return session;
}

void web_session_set_token(struct web_sessions *self, struct web_session *session,
                           struct ates_text token, int64_t expires_at)
{
    if (copy_text(session->token, sizeof session->token, token)) {
        session->token_expires_at = expires_at;
        keep(self, session);
    }
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

static void take_renewal(void *owner, const struct ates_reply *reply)
{
    struct web_session *session = owner;
    struct ates_web *web = session->web;
    struct auth_renew_token_result result;
    struct ates_arena *arena = web->sessions->arena;

    session->renewal = NULL;
    web_session_hold(session); /* it may end here */
    if (reply != NULL && reply->status == ATES_OK) {
        ates_arena_reset(arena);
        if (ates_message_decode(&auth_renew_token_result_message, reply->body.data,
                                reply->body.size, ATES_UNKNOWN_IGNORED, arena, &result,
                                NULL) == 0) {
            web_session_set_token(web->sessions, session, result.token, result.expires_at);
        }
    } else if (reply != NULL && web_session_is_lost(&reply->refusal)) {
        web_session_end(web, session);
    }
    tell_waiters(session);
    web_session_release(&session);
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
            tell_waiters(session); /* too much is in flight: they find the token as it was */
        }
    }
}

void web_sessions_advance(struct web_sessions *self, int64_t now_us)
{
    const int64_t now = ates_now_ms(&self->web->source);
    struct web_session *over;

    if (now_us < self->sweep_us) {
        return;
    }
    self->sweep_us = now_us + SWEEP_US;
    do { /* ending one changes the table that is walked through */
        over = zhashx_first(self->by_key);
        while (over != NULL && now < over->expires_at) {
            over = zhashx_next(self->by_key);
        }
        if (over != NULL) {
            web_session_end(self->web, over);
        }
    } while (over != NULL);
}

uint64_t web_sessions_count(const struct web_sessions *self)
{
    return zhashx_size(self->by_key);
}
