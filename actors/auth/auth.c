/* The auth service: users and what administrators do with them, the appliers, the domain's table.
 * Invariants: a login belongs to one user for ever, without regard to case; there is an enabled
 * administrator as long as there was one; a token is refused as soon as its user's role, state or
 * sessions changed. */
#include "auth/auth.h"

#include <errno.h>

#include <string.h>

#include "auth/auth_check.h"
#include "auth/auth_list.h"
#include "auth/auth_memory.h"
#include "auth/auth_session.h"
#include "auth/auth_state.h"

#define EXPIRED_PER_SESSION 2u /* more end than open, so that rows that ended do not gather */

/* Whether the configuration lets anybody register with this role. */
static bool is_open_role(const struct ates_config *config, int role)
{
    const char *name = ates_role_names[role];
    const size_t name_size = strlen(name);
    const char *word = config->open_roles;

    while (*word != '\0') {
        const size_t size = strcspn(word, ",");

        if (size == name_size && memcmp(word, name, size) == 0) {
            return true;
        }
        word += size;
        word += *word == ',';
    }
    return false;
}

static bool may_register(const struct ates_call *call, int role)
{
    if (!call->user.signed_in) {
        return is_open_role(call->config, role);
    }
    return call->user.role == ATES_ADMINISTRATOR || call->user.role == ATES_INTERNALSERVICE;
}

/* Each try counts, refused ones too: a taken login is worth guessing at. */
static int throttle_registration(struct ates_call *call)
{
    struct auth_memory *memory = call->domain;
    const uint64_t origin = call->user.origin;
    const uint32_t wait_ms =
        auth_throttle_wait_ms(memory->registrations, &origin, sizeof origin, call->time);

    if (wait_ms > 0) {
        return ates_refuse_busy(call, "TOO_MANY_ATTEMPTS", wait_ms);
    }
    auth_throttle_charge(memory->registrations, &origin, sizeof origin, call->time);
    return 0;
}

static int check_login_free(struct ates_call *call, struct ates_text login)
{
    uint64_t holder;
    int r = auth_state_find_login(call->txn, login, &holder);

    if (r != 0) {
        return r == ATES_NOT_FOUND ? 0 : r;
    }
    return ates_refuse_field(call, ATES_ALREADY_EXISTS, "LOGIN_TAKEN", "login",
                             "another user has the login %.*s", (int)login.size, login.data);
}

static int emit_password(struct ates_call *call, uint64_t user_id, const char *hash)
{
    const struct auth_password_set event = {.user_id = user_id, .hash = ates_text_from(hash)};

    return ates_emit(call, &auth_password_set_message, &event);
}

/* Refuses: PERMISSION_DENIED / ROLE_NOT_ALLOWED; RESOURCE_EXHAUSTED / TOO_MANY_ATTEMPTS;
 * ALREADY_EXISTS / LOGIN_TAKEN; INVALID_ARGUMENT / PASSWORD_GUESSABLE. */
static int handle_register_user(struct ates_call *call, const void *body)
{
    const struct auth_register_user *command = body;
    const struct auth_password_output *password = call->work_result;
    const struct ates_text nothing = {.size = 0};
    uint64_t last_id;
    int r = 0;

    if (!may_register(call, command->role)) {
        return ates_refuse_field(call, ATES_PERMISSION_DENIED, "ROLE_NOT_ALLOWED", "role",
                                 "only an administrator may register a user with this role");
    }
    if (password == NULL && !call->user.signed_in) {
        r = throttle_registration(call);
    }
    if (r == 0) {
        r = check_login_free(call, command->login);
    }
    if (r == 0) {
        r = auth_password_check(call, "password", command->password, command->login,
                                command->email);
    }
    if (r == 0 && password == NULL) {
        r = auth_password_defer(call, nothing, nothing, command->password);
    }
    if (r != 0) {
        return r;
    }
    r = password->fault != 0 ? password->fault : auth_state_last_user_id(call->txn, &last_id);
    if (r != 0) {
        return r;
    }
    const struct ates_user_registered event = {
        .user_id = last_id + 1,
        .login = command->login,
        .email = command->email,
        .role = command->role,
    };
    call->subject = event.user_id;
    r = ates_emit(call, &ates_user_registered_message, &event);
    return r == 0 ? emit_password(call, event.user_id, password->made) : r;
}

static int answer_register_user(struct ates_call *call, const void *body, void *out)
{
    struct auth_register_user_result *result = out;

    (void)body;
    result->user_id = call->subject;
    return 0;
}

/* Refuses: NOT_FOUND / USER_UNKNOWN; INVALID_ARGUMENT / PASSWORD_GUESSABLE. */
static int handle_reset_password(struct ates_call *call, const void *body)
{
    const struct auth_reset_password *command = body;
    const struct auth_password_output *password = call->work_result;
    const struct ates_text nothing = {.size = 0};
    struct ates_user_changed user;

    int r = auth_get_user(call, command->user_id, &user);
    if (r == 0) {
        r = auth_password_check(call, "new_password", command->new_password, user.login,
                                user.email);
    }
    if (r == 0 && password == NULL) {
        r = auth_password_defer(call, nothing, nothing, command->new_password);
    }
    if (r != 0) {
        return r;
    }
    r = password->fault != 0 ? password->fault : auth_end_sessions(call, &user);
    return r == 0 ? emit_password(call, user.user_id, password->made) : r;
}

/* Refuses: FAILED_PRECONDITION / LAST_ADMINISTRATOR where nobody else could undo what is asked for.
 */
static int check_not_last_administrator(struct ates_call *call,
                                        const struct ates_user_changed *user)
{
    int64_t count;

    if (user->role != ATES_ADMINISTRATOR || user->disabled) {
        return 0;
    }
    int r = auth_state_enabled_administrators(call->txn, &count);
    if (r == 0 && count <= 1) {
        r = ates_refuse(call, ATES_FAILED_PRECONDITION, "LAST_ADMINISTRATOR");
    }
    return r;
}

/* Refuses: NOT_FOUND / USER_UNKNOWN; FAILED_PRECONDITION / LAST_ADMINISTRATOR. */
static int handle_change_role(struct ates_call *call, const void *body)
{
    const struct auth_change_role *command = body;
    struct ates_user_changed user;

    int r = auth_get_user(call, command->user_id, &user);
    if (r != 0 || user.role == command->role) {
        return r;
    }
    r = check_not_last_administrator(call, &user);
    if (r != 0) {
        return r;
    }
    user.role = command->role;
    return auth_end_sessions(call, &user);
}

/* Refuses: NOT_FOUND / USER_UNKNOWN; FAILED_PRECONDITION / LAST_ADMINISTRATOR. */
static int handle_disable_user(struct ates_call *call, const void *body)
{
    const struct auth_disable_user *command = body;
    struct ates_user_changed user;

    int r = auth_get_user(call, command->user_id, &user);
    if (r != 0 || user.disabled) {
        return r;
    }
    r = check_not_last_administrator(call, &user);
    if (r != 0) {
        return r;
    }
    user.disabled = true;
    return auth_end_sessions(call, &user);
}

/* Refuses: NOT_FOUND / USER_UNKNOWN. */
static int handle_enable_user(struct ates_call *call, const void *body)
{
    const struct auth_enable_user *command = body;
    struct ates_user_changed user;

    int r = auth_get_user(call, command->user_id, &user);
    if (r != 0 || !user.disabled) {
        return r;
    }
    user.disabled = false;
    return ates_emit(call, &ates_user_changed_message, &user);
}

static int apply_user_registered(struct ates_txn *txn, const struct ates_event *event,
                                 const void *data)
{
    const struct ates_user_changed user = ates_user_from_registered(data);

    return auth_state_add_user(txn, &user, event->time);
}

static int apply_user_changed(struct ates_txn *txn, const struct ates_event *event,
                              const void *data)
{
    (void)event;
    return auth_state_change_user(txn, data);
}

static int apply_password_set(struct ates_txn *txn, const struct ates_event *event,
                              const void *data)
{
    const struct auth_password_set *password = data;

    (void)event;
    return auth_state_set_hash(txn, password->user_id, password->hash);
}

static int apply_session_opened(struct ates_txn *txn, const struct ates_event *event,
                                const void *data)
{
    const struct auth_session_opened *session = data;
    int r = auth_state_expire_sessions(txn, event->time, EXPIRED_PER_SESSION);

    return r == 0 ? auth_state_add_session(txn, session->sid, session->user_id, session->expires_at)
                  : r;
}

static int apply_sessions_revoked(struct ates_txn *txn, const struct ates_event *event,
                                  const void *data)
{
    const struct auth_sessions_revoked *revoked = data;

    (void)event;
    return auth_state_delete_sessions(txn, revoked->user_id);
}

static const struct ates_handler handlers[] = {
    {"register_user", handle_register_user, answer_register_user},
    {"auth_user", auth_handle_auth_user, auth_answer_auth_user},
    {"renew_token", NULL, auth_answer_renew_token},
    {"revoke_sessions", auth_handle_revoke_sessions, NULL},
    {"change_password", auth_handle_change_password, NULL},
    {"reset_password", handle_reset_password, NULL},
    {"change_role", handle_change_role, NULL},
    {"disable_user", handle_disable_user, NULL},
    {"enable_user", handle_enable_user, NULL},
    {"show_user", NULL, auth_answer_show_user},
    {"show_all_users", NULL, auth_answer_show_all_users},
    {"show_logins", NULL, auth_answer_show_logins},
    {"find_logins", NULL, auth_answer_find_logins},
};

static const struct ates_applier appliers[] = {
    {&ates_user_registered_message, apply_user_registered},
    {&ates_user_changed_message, apply_user_changed},
    {&auth_password_set_message, apply_password_set},
    {&auth_session_opened_message, apply_session_opened},
    {&auth_sessions_revoked_message, apply_sessions_revoked},
};

/* What every service knows of a user is what the row holds. */
static int make_user(struct ates_txn *txn, struct ates_bytes key, struct ates_bytes value,
                     void *memory, void *item)
{
    (void)key, (void)memory;
    return ates_message_decode(&ates_user_snapshot_message, value.data, value.size,
                               ATES_UNKNOWN_IGNORED, txn->arena, item, NULL) == 0
               ? 0
               : -EBADMSG;
}

static const struct ates_snapshot_part snapshot[] = {
    {&ates_user_snapshot_message, ATES_TABLE_USERS, make_user},
};

const struct ates_domain auth_domain = {
    .service = &auth_service,
    .tables = auth_tables,
    .handlers = handlers,
    .handler_count = sizeof handlers / sizeof handlers[0],
    .appliers = appliers,
    .applier_count = sizeof appliers / sizeof appliers[0],
    .snapshot = snapshot,
    .snapshot_count = sizeof snapshot / sizeof snapshot[0],
    .check = auth_check,
    .open = auth_memory_open,
    .close = auth_memory_close,
};
