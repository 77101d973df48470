/* Signing in, sessions and tokens.
 * Invariants: a password is checked only while its login and its client may still fail; a token
 * ends no later than its session; tokens_valid_after moves exactly when all of a user's sessions
 * end, and past every token of theirs. */
#include "auth/auth_session.h"

#include <assert.h>
#include <string.h>

#include "auth/auth_list.h"
#include "auth/auth_memory.h"
#include "auth/auth_state.h"

static int refuse_credentials(struct ates_call *call)
{
    return ates_refuse(call, ATES_UNAUTHENTICATED, "BAD_CREDENTIALS");
}

/* Lets an attempt at login's password begin. The login is charged ahead, so that many attempts at
 * once guess no more than as many in a row; a right password clears it. The client is charged for
 * failures only, as one may speak for many users. Refuses: RESOURCE_EXHAUSTED / TOO_MANY_ATTEMPTS.
 */
static int begin_attempt(struct ates_call *call, struct ates_text login)
{
    struct auth_memory *memory = call->domain;
    const struct ates_key key = auth_key_login(login);
    const uint64_t origin = call->user.origin;
    const uint32_t login_ms = auth_throttle_wait_ms(memory->logins, key.data, key.size, call->time);
    const uint32_t client_ms =
        auth_throttle_wait_ms(memory->clients, &origin, sizeof origin, call->time);

    if (login_ms > 0 || client_ms > 0) {
        return ates_refuse_busy(call, "TOO_MANY_ATTEMPTS",
                                login_ms > client_ms ? login_ms : client_ms);
    }
    auth_throttle_charge(memory->logins, key.data, key.size, call->time);
    return 0;
}

static void end_attempt(struct ates_call *call, struct ates_text login, bool right)
{
    struct auth_memory *memory = call->domain;
    const struct ates_key key = auth_key_login(login);
    const uint64_t origin = call->user.origin;

    if (right) {
        auth_throttle_reset(memory->logins, key.data, key.size);
    } else {
        auth_throttle_charge(memory->clients, &origin, sizeof origin, call->time);
    }
}

/* Whether the work found the password right, and of the hash that the user has still. */
static bool is_right(const struct auth_password_output *password, struct ates_text hash)
{
    return password->matches && ates_text_equal(ates_text_from(password->checked), hash);
}

static int find_user(struct ates_txn *txn, struct ates_text login, struct ates_user_changed *user,
                     struct auth_account *account)
{
    uint64_t user_id;
    int r = auth_state_find_login(txn, login, &user_id);

    if (r == 0) {
        r = ates_users_get(txn, user_id, user);
    }
    if (r == 0) {
        r = auth_state_get_account(txn, user_id, account);
        assert(r != 0 || account->has_hash);
    }
    return r;
}

/* Refuses: RESOURCE_EXHAUSTED / TOO_MANY_ATTEMPTS; UNAUTHENTICATED / BAD_CREDENTIALS, whether the
 * login or the password is wrong; PERMISSION_DENIED / USER_DISABLED to who knows the password. */
int auth_handle_auth_user(struct ates_call *call, const void *body)
{
    const struct auth_auth_user *command = body;
    const struct auth_memory *memory = call->domain;
    const struct auth_password_output *password = call->work_result;
    const struct ates_text nothing = {.size = 0};
    struct ates_user_changed user;
    struct auth_account account;

    int r = find_user(call->txn, command->login, &user, &account);
    if (r < 0) {
        return r;
    }
    const bool known = r == 0;
    call->subject = known ? user.user_id : 0;
    if (password == NULL) {
        r = begin_attempt(call, command->login);
        return r != 0 ? r
                      : auth_password_defer(
                            call, known ? account.hash : ates_text_from(memory->unknown_hash),
                            command->password, nothing);
    }
    if (password->fault != 0) {
        return password->fault;
    }
    const bool right = known && is_right(password, account.hash);
    end_attempt(call, command->login, right);
    if (!right) {
        return refuse_credentials(call);
    }
    if (user.disabled) {
        return ates_refuse(call, ATES_PERMISSION_DENIED, "USER_DISABLED");
    }
    char sid[ATES_UUID_SIZE];
    ates_uuid7(call->source, call->time, sid);
    const struct auth_session_opened event = {
        .sid = ates_text_from(sid),
        .user_id = user.user_id,
        .expires_at = call->time + call->config->session_ms,
    };
    return ates_emit(call, &auth_session_opened_message, &event);
}

/* Signs a token of the user's session. Its iat is log time, as tokens_valid_after is, which may be
 * ahead of it by as many milliseconds as there were changes in this one; it is valid by the clock,
 * which may have been set back. */
static int sign_token(struct ates_call *call, const struct ates_user_changed *user,
                      struct ates_text sid, int64_t session_expires_at, struct ates_text *token,
                      int64_t *expires_at)
{
    const struct auth_memory *memory = call->domain;
    char *signed_token = ates_arena_alloc(call->arena, ATES_TOKEN_MAX + 1);
    struct ates_claims claims = {
        .user_id = user->user_id,
        .role = (enum ates_role)user->role,
        .issued_at = call->time > user->tokens_valid_after ? call->time : user->tokens_valid_after,
    };

    assert(user->login.size < sizeof claims.login && sid.size < sizeof claims.sid);
    memcpy(claims.login, user->login.data, user->login.size);
    memcpy(claims.sid, sid.data, sid.size);
    claims.not_before = ates_now_ms(call->source);
    claims.expires_at = claims.not_before + call->config->access_ms;
    if (claims.expires_at > session_expires_at) {
        claims.expires_at = session_expires_at;
    }
    int r = ates_token_sign(&memory->key, call->source, &claims, signed_token);
    if (r == 0) {
        *token = ates_text_from(signed_token);
        *expires_at = claims.expires_at;
    }
    return r;
}

int auth_answer_auth_user(struct ates_call *call, const void *body, void *out)
{
    struct auth_auth_user_result *result = out;
    struct ates_user_changed user;
    struct auth_session session;
    char sid[AUTH_SID_SIZE + 1];

    (void)body;
    int r = ates_users_get(call->txn, call->subject, &user);
    if (r == 0) {
        r = auth_state_newest_session(call->txn, call->subject, sid, &session);
    }
    if (r != 0) {
        return r;
    }
    result->session_expires_at = session.expires_at;
    result->user = (struct auth_identity){
        .id = user.user_id, .login = user.login, .email = user.email, .role = user.role};
    return sign_token(call, &user, ates_text_from(sid), session.expires_at, &result->token,
                      &result->expires_at);
}

/* Refuses: FAILED_PRECONDITION / NO_SESSION for a token that a service signed itself;
 * UNAUTHENTICATED / SESSION_EXPIRED. */
int auth_answer_renew_token(struct ates_call *call, const void *body, void *out)
{
    struct auth_renew_token_result *result = out;
    const struct ates_claims *claims = call->user.claims;
    struct ates_user_changed user;
    struct auth_session session;

    (void)body;
    if (call->user.id == 0 || claims == NULL) {
        return ates_refuse(call, ATES_FAILED_PRECONDITION, "NO_SESSION");
    }
    const struct ates_text sid = ates_text_from(claims->sid);
    int r = auth_state_get_session(call->txn, sid, &session);
    if (r < 0) {
        return r;
    }
    if (r != 0 || session.user_id != call->user.id || session.expires_at <= call->time) {
        return ates_refuse(call, ATES_UNAUTHENTICATED, "SESSION_EXPIRED");
    }
    r = ates_users_get(call->txn, session.user_id, &user);
    return r != 0 ? r
                  : sign_token(call, &user, sid, session.expires_at, &result->token,
                               &result->expires_at);
}

int auth_end_sessions(struct ates_call *call, struct ates_user_changed *user)
{
    const struct auth_sessions_revoked revoked = {.user_id = user->user_id};
    const int64_t newest_token =
        call->time > user->tokens_valid_after ? call->time : user->tokens_valid_after;

    user->tokens_valid_after = newest_token + 1;
    int r = ates_emit(call, &ates_user_changed_message, user);
    return r == 0 ? ates_emit(call, &auth_sessions_revoked_message, &revoked) : r;
}

/* Refuses: NOT_FOUND / USER_UNKNOWN. */
int auth_handle_revoke_sessions(struct ates_call *call, const void *body)
{
    const struct auth_revoke_sessions *command = body;
    struct ates_user_changed user;

    int r = auth_get_user(call, command->has_user_id ? command->user_id : call->user.id, &user);
    return r == 0 ? auth_end_sessions(call, &user) : r;
}

/* Ends the caller's own session too: its token could not be told from the others. Refuses:
 * NOT_FOUND / USER_UNKNOWN; RESOURCE_EXHAUSTED / TOO_MANY_ATTEMPTS; UNAUTHENTICATED /
 * BAD_CREDENTIALS; INVALID_ARGUMENT / PASSWORD_GUESSABLE. */
int auth_handle_change_password(struct ates_call *call, const void *body)
{
    const struct auth_change_password *command = body;
    const struct auth_password_output *password = call->work_result;
    struct ates_user_changed user;
    struct auth_account account;

    int r = auth_get_user(call, call->user.id, &user);
    if (r == 0) {
        r = auth_state_get_account(call->txn, user.user_id, &account);
    }
    if (r == 0) {
        r = auth_password_check(call, "new_password", command->new_password, user.login,
                                user.email);
    }
    if (r == 0 && password == NULL) {
        r = begin_attempt(call, user.login);
        return r != 0 ? r
                      : auth_password_defer(call, account.hash, command->old_password,
                                            command->new_password);
    }
    if (r != 0) {
        return r;
    }
    if (password->fault != 0) {
        return password->fault;
    }
    const bool right = is_right(password, account.hash);
    end_attempt(call, user.login, right);
    if (!right) {
        return refuse_credentials(call);
    }
    const struct auth_password_set event = {.user_id = user.user_id,
                                            .hash = ates_text_from(password->made)};
    r = auth_end_sessions(call, &user);
    return r == 0 ? ates_emit(call, &auth_password_set_message, &event) : r;
}
