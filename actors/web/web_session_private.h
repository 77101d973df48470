/* A session, for those who keep its token alive (web_call.c) and begin and end it (web_sign.c). */
#ifndef WEB_SESSION_PRIVATE_H
#define WEB_SESSION_PRIVATE_H

#include "core/token.h"
#include "web/web_backend.h"
#include "web/web_session.h"
#include "web/web_session_store.h"

#define WEB_SESSION_COOKIE_SIZE 23u /* 128 bits in base64url, and a NUL */

/* Somebody who waits for the session's token to be renewed. */
struct web_waiter {
    struct web_waiter *next;
    /* is_renewed: else auth did not renew it now, or the session is over. */
    void (*renewed)(struct web_waiter *self, bool is_renewed);
};

struct web_session {
    struct ates_web *web;
    char key[WEB_SESSION_KEY_SIZE];
    uint64_t user_id;
    char login[65];
    char email[255];
    int role; /* enum ates_role */
    char token[ATES_TOKEN_MAX + 1];
    int64_t token_expires_at, expires_at; /* Unix ms */
    bool is_over;                         /* it stays until nobody holds it any more */
    unsigned holders;
    struct web_pending *renewal; /* under way */
    struct web_waiter *waiters;
};

/* A session that was found is held, and let go of by each who has it. */
void web_session_hold(struct web_session *session);
void web_session_release(struct web_session **session);

/* Keeps what signing in gave, under a new random id, which goes into cookie. NULL with -errno in
 * *fault. */
struct web_session *web_session_begin(struct web_sessions *self,
                                      const struct auth_auth_user_result *result,
                                      char cookie[WEB_SESSION_COOKIE_SIZE], int *fault);
/* The session of a cookie's value, not held; NULL where there is none that lives. */
struct web_session *web_sessions_find(struct web_sessions *self, struct ates_text cookie);
/* Its token was renewed; whether the new one could be taken. */
bool web_session_set_token(struct web_session *session, struct ates_text token, int64_t expires_at);
/* It is over: forgotten here and on the disk, its streams ended, those who wait told. */
void web_session_end(struct ates_web *web, struct web_session *session);

/* Whether a refusal says that the token serves no more, nor would another one of its session. */
bool web_session_is_lost(const struct ates_refusal *refusal);

/* Begins a renewal unless one is under way, of a session that is not over. */
void web_session_renew(struct ates_web *web, struct web_session *session);
/* Until a renewal is done, which must be begun thereafter or be under way. */
void web_session_wait(struct web_session *session, struct web_waiter *waiter);
void web_session_forget_waiter(struct web_session *session, struct web_waiter *waiter);

#endif
