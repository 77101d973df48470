/* The auth service: its commands, results and events (PROTOCOL.md sections 5, 7 and 8). Invariant:
 * a struct here and the table of the same name say the same; only the table knows limits. Its
 * public events are <ates/service.h>'s ates_user_registered and ates_user_changed, as every service
 * follows them. */
#ifndef ATES_AUTH_H
#define ATES_AUTH_H

#include <ates/service.h>

#pragma GCC visibility push(default)

#define AUTH_PASSWORD_MIN 8   /* characters */
#define AUTH_PASSWORD_MAX 256 /* characters */
#define AUTH_HASH_MAX 128     /* characters: crypto_pwhash_STRBYTES */
#define AUTH_SID_SIZE 36      /* a UUID's text */
#define AUTH_TOKEN_MAX 2048   /* characters */
#define AUTH_LOGINS_MAX 100   /* in one answer */
#define AUTH_FOUND_MAX 20     /* logins */

/* The result of show_user, and an item of show_all_users. */
struct auth_user {
    uint64_t id;
    struct ates_text login;
    struct ates_text email;
    int role; /* enum ates_role */
    bool disabled;
    int64_t created_at;
};

struct auth_register_user {
    struct ates_text login;
    struct ates_text email;
    struct ates_text password;
    int role; /* enum ates_role */
};
struct auth_register_user_result {
    uint64_t user_id;
};

struct auth_auth_user {
    struct ates_text login;
    struct ates_text password;
};
/* What the one who signed in is told of themselves. */
struct auth_identity {
    uint64_t id;
    struct ates_text login;
    struct ates_text email;
    int role; /* enum ates_role */
};
struct auth_auth_user_result {
    struct ates_text token;
    int64_t expires_at;
    int64_t session_expires_at;
    struct auth_identity user;
};

struct auth_renew_token_result {
    struct ates_text token;
    int64_t expires_at;
};

struct auth_revoke_sessions {
    bool has_user_id;
    uint64_t user_id;
};

struct auth_change_password {
    struct ates_text old_password;
    struct ates_text new_password;
};

struct auth_reset_password {
    uint64_t user_id;
    struct ates_text new_password;
};

struct auth_change_role {
    uint64_t user_id;
    int role; /* enum ates_role */
};

struct auth_disable_user {
    uint64_t user_id;
};

struct auth_enable_user {
    uint64_t user_id;
};

struct auth_show_user {
    bool has_user_id;
    uint64_t user_id;
};

struct auth_show_all_users {
    bool has_role;
    int role; /* enum ates_role */
    bool has_query;
    struct ates_text query;
    bool has_after;
    struct ates_text after;
    bool has_limit;
    uint64_t limit;
};
struct auth_show_all_users_result {
    struct ates_list items; /* struct auth_user */
    bool has_next;
    struct ates_text next;
};

/* Names for ids, which everybody may know of their colleagues. */
struct auth_show_logins {
    struct ates_list user_ids; /* uint64_t, 1 to AUTH_LOGINS_MAX */
};
struct auth_login {
    uint64_t id;
    struct ates_text login;
    int role; /* enum ates_role */
};
struct auth_show_logins_result {
    struct ates_list
        items; /* struct auth_login, in the order asked for; unknown ids are left out */
};

/* Ids for names, for those who look after others' tasks or money. */
struct auth_find_logins {
    struct ates_text prefix; /* of the login, without regard to case */
};
struct auth_found_login {
    uint64_t id;
    struct ates_text login;
};
struct auth_find_logins_result {
    /* struct auth_found_login, the first AUTH_FOUND_MAX by login: who has the prefix itself leads */
    struct ates_list items;
};

extern const struct ates_message auth_show_logins_message, auth_login_message,
    auth_show_logins_result_message, auth_find_logins_message, auth_found_login_message,
    auth_find_logins_result_message;
extern const struct ates_message auth_user_message, auth_register_user_message,
    auth_register_user_result_message, auth_auth_user_message, auth_identity_message,
    auth_auth_user_result_message, auth_renew_token_result_message, auth_revoke_sessions_message,
    auth_change_password_message, auth_reset_password_message, auth_change_role_message,
    auth_disable_user_message, auth_enable_user_message, auth_show_user_message,
    auth_show_all_users_message, auth_show_all_users_result_message;

/* Private events. */
struct auth_password_set {
    uint64_t user_id;
    struct ates_text hash; /* crypto_pwhash_str's, without its NULs */
};
struct auth_session_opened {
    struct ates_text sid;
    uint64_t user_id;
    int64_t expires_at;
};
struct auth_sessions_revoked {
    uint64_t user_id;
};

extern const struct ates_message auth_password_set_message, auth_session_opened_message,
    auth_sessions_revoked_message;

extern const struct ates_service auth_service;

#pragma GCC visibility pop

#endif
