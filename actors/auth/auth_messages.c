/* The field tables of the auth service, and its commands and events in PROTOCOL.md's order.
 * Invariant: what a message may hold is said here and nowhere else; what is secret is marked so,
 * and no published event holds it. */
#include <ates/auth.h>

#include "core/fields.h"

/* A password that is given is bounded only in size: the rule that a new one must meet may have
 * changed since it was set, and a refused format would tell a guesser what to leave out. */
#define IS_PASSWORD                                                                                \
    .type = ATES_TEXT, .rule = ATES_RULE_TEXT, .secret = true, .min = 1, .max = AUTH_PASSWORD_MAX
#define IS_NEW_PASSWORD                                                                            \
    .type = ATES_TEXT, .rule = ATES_RULE_TEXT, .secret = true, .min = AUTH_PASSWORD_MIN,           \
    .max = AUTH_PASSWORD_MAX
#define IS_TOKEN                                                                                   \
    .type = ATES_TEXT, .rule = ATES_RULE_ASCII, .secret = true, .min = 1, .max = AUTH_TOKEN_MAX

static const struct ates_field auth_user_fields[] = {
    {ATES_FIELD(auth_user, id), ATES_IS_ID},
    {ATES_FIELD(auth_user, login), ATES_IS_LOGIN},
    {ATES_FIELD(auth_user, email), ATES_IS_EMAIL},
    {ATES_FIELD(auth_user, role), ATES_IS_ROLE},
    {ATES_FIELD(auth_user, disabled), .type = ATES_BOOL},
    {ATES_FIELD(auth_user, created_at), ATES_IS_TIME},
};
ATES_MESSAGE(auth_user, "user");

static const struct ates_field auth_register_user_fields[] = {
    {ATES_FIELD(auth_register_user, login), ATES_IS_LOGIN,
     .summary = "the new user's name to sign in with"},
    {ATES_FIELD(auth_register_user, email), ATES_IS_EMAIL, .summary = "where payout mails go"},
    {ATES_FIELD(auth_register_user, password), IS_NEW_PASSWORD, .summary = "8 to 256 characters"},
    {ATES_FIELD(auth_register_user, role), ATES_IS_ROLE, .summary = "the new user's role"},
};
ATES_MESSAGE(auth_register_user, "register_user");

static const struct ates_field auth_register_user_result_fields[] = {
    {ATES_FIELD(auth_register_user_result, user_id), ATES_IS_ID},
};
ATES_MESSAGE(auth_register_user_result, "register_user_result");

static const struct ates_field auth_auth_user_fields[] = {
    {ATES_FIELD(auth_auth_user, login), ATES_IS_LOGIN, .summary = "the name to sign in with"},
    {ATES_FIELD(auth_auth_user, password), IS_PASSWORD, .summary = "the user's password"},
};
ATES_MESSAGE(auth_auth_user, "auth_user");

static const struct ates_field auth_identity_fields[] = {
    {ATES_FIELD(auth_identity, id), ATES_IS_ID},
    {ATES_FIELD(auth_identity, login), ATES_IS_LOGIN},
    {ATES_FIELD(auth_identity, email), ATES_IS_EMAIL},
    {ATES_FIELD(auth_identity, role), ATES_IS_ROLE},
};
ATES_MESSAGE(auth_identity, "identity");

static const struct ates_field auth_auth_user_result_fields[] = {
    {ATES_FIELD(auth_auth_user_result, token), IS_TOKEN},
    {ATES_FIELD(auth_auth_user_result, expires_at), ATES_IS_TIME},
    {ATES_FIELD(auth_auth_user_result, session_expires_at), ATES_IS_TIME},
    {ATES_FIELD(auth_auth_user_result, user), ATES_IS_STRUCT(auth_identity_message)},
};
ATES_MESSAGE(auth_auth_user_result, "auth_user_result");

static const struct ates_field auth_renew_token_result_fields[] = {
    {ATES_FIELD(auth_renew_token_result, token), IS_TOKEN},
    {ATES_FIELD(auth_renew_token_result, expires_at), ATES_IS_TIME},
};
ATES_MESSAGE(auth_renew_token_result, "renew_token_result");

static const struct ates_field auth_revoke_sessions_fields[] = {
    {ATES_OPTIONAL(auth_revoke_sessions, user_id), ATES_IS_ID,
     .summary = "whose sessions; the caller's unless given"},
};
ATES_MESSAGE(auth_revoke_sessions, "revoke_sessions");

static const struct ates_field auth_change_password_fields[] = {
    {ATES_FIELD(auth_change_password, old_password), IS_PASSWORD,
     .summary = "the password until now"},
    {ATES_FIELD(auth_change_password, new_password), IS_NEW_PASSWORD,
     .summary = "8 to 256 characters"},
};
ATES_MESSAGE(auth_change_password, "change_password");

static const struct ates_field auth_reset_password_fields[] = {
    {ATES_FIELD(auth_reset_password, user_id), ATES_IS_ID, .summary = "whose password"},
    {ATES_FIELD(auth_reset_password, new_password), IS_NEW_PASSWORD,
     .summary = "8 to 256 characters"},
};
ATES_MESSAGE(auth_reset_password, "reset_password");

static const struct ates_field auth_change_role_fields[] = {
    {ATES_FIELD(auth_change_role, user_id), ATES_IS_ID, .summary = "whose role"},
    {ATES_FIELD(auth_change_role, role), ATES_IS_ROLE, .summary = "the role from now on"},
};
ATES_MESSAGE(auth_change_role, "change_role");

static const struct ates_field auth_disable_user_fields[] = {
    {ATES_FIELD(auth_disable_user, user_id), ATES_IS_ID, .summary = "the user to disable"},
};
ATES_MESSAGE(auth_disable_user, "disable_user");

static const struct ates_field auth_enable_user_fields[] = {
    {ATES_FIELD(auth_enable_user, user_id), ATES_IS_ID, .summary = "the user to enable"},
};
ATES_MESSAGE(auth_enable_user, "enable_user");

static const struct ates_field auth_show_user_fields[] = {
    {ATES_OPTIONAL(auth_show_user, user_id), ATES_IS_ID,
     .summary = "the user to show; the caller unless given"},
};
ATES_MESSAGE(auth_show_user, "show_user");

static const struct ates_field auth_show_all_users_fields[] = {
    {ATES_OPTIONAL(auth_show_all_users, role), ATES_IS_ROLE,
     .summary = "only users with this role"},
    {ATES_OPTIONAL(auth_show_all_users, query), ATES_IS_QUERY},
    {ATES_OPTIONAL(auth_show_all_users, after), ATES_IS_AFTER},
    {ATES_OPTIONAL(auth_show_all_users, limit), ATES_IS_LIMIT},
};
ATES_MESSAGE(auth_show_all_users, "show_all_users");

static const struct ates_field auth_show_all_users_result_fields[] = {
    {ATES_FIELD(auth_show_all_users_result, items), ATES_IS_ITEMS(auth_user_message)},
    {ATES_OPTIONAL(auth_show_all_users_result, next), ATES_IS_NEXT},
};
ATES_MESSAGE(auth_show_all_users_result, "show_all_users_result");

static const struct ates_field auth_show_logins_fields[] = {
    {ATES_FIELD(auth_show_logins, user_ids), .type = ATES_LIST, .item = ATES_UINT,
     .unit = ATES_UNIT_ID, .min = 1, .max = AUTH_LOGINS_MAX, .summary = "whose logins"},
};
ATES_MESSAGE(auth_show_logins, "show_logins");

static const struct ates_field auth_login_fields[] = {
    {ATES_FIELD(auth_login, id), ATES_IS_ID},
    {ATES_FIELD(auth_login, login), ATES_IS_LOGIN},
    {ATES_FIELD(auth_login, role), ATES_IS_ROLE},
};
ATES_MESSAGE(auth_login, "login");

static const struct ates_field auth_show_logins_result_fields[] = {
    {ATES_FIELD(auth_show_logins_result, items), ATES_IS_ITEMS(auth_login_message)},
};
ATES_MESSAGE(auth_show_logins_result, "show_logins_result");

static const struct ates_field auth_find_logins_fields[] = {
    {ATES_FIELD(auth_find_logins, prefix), ATES_IS_LOGIN, .summary = "how the logins begin"},
};
ATES_MESSAGE(auth_find_logins, "find_logins");

static const struct ates_field auth_found_login_fields[] = {
    {ATES_FIELD(auth_found_login, id), ATES_IS_ID},
    {ATES_FIELD(auth_found_login, login), ATES_IS_LOGIN},
};
ATES_MESSAGE(auth_found_login, "found_login");

static const struct ates_field auth_find_logins_result_fields[] = {
    {ATES_FIELD(auth_find_logins_result, items), ATES_IS_ITEMS(auth_found_login_message)},
};
ATES_MESSAGE(auth_find_logins_result, "find_logins_result");

static const struct ates_field auth_password_set_fields[] = {
    {ATES_FIELD(auth_password_set, user_id), ATES_IS_ID},
    {ATES_FIELD(auth_password_set, hash), .type = ATES_TEXT, .rule = ATES_RULE_ASCII,
     .secret = true, .min = 1, .max = AUTH_HASH_MAX},
};
ATES_MESSAGE(auth_password_set, "password_set");

static const struct ates_field auth_session_opened_fields[] = {
    {ATES_FIELD(auth_session_opened, sid), .type = ATES_TEXT, .rule = ATES_RULE_ASCII,
     .min = AUTH_SID_SIZE, .max = AUTH_SID_SIZE},
    {ATES_FIELD(auth_session_opened, user_id), ATES_IS_ID},
    {ATES_FIELD(auth_session_opened, expires_at), ATES_IS_TIME},
};
ATES_MESSAGE(auth_session_opened, "session_opened");

static const struct ates_field auth_sessions_revoked_fields[] = {
    {ATES_FIELD(auth_sessions_revoked, user_id), ATES_IS_ID},
};
ATES_MESSAGE(auth_sessions_revoked, "sessions_revoked");

#define ADMINISTRATOR ATES_ROLE(ATES_ADMINISTRATOR)
#define OVERSEERS (ATES_ROLE(ATES_ADMINISTRATOR) | ATES_ROLE(ATES_MANAGER))

static const struct ates_command commands[] = {
    {
        .name = "register_user",
        .summary = "Registers a user.",
        .body = &auth_register_user_message,
        .result = &auth_register_user_result_message,
        .callers = ATES_NO_TOKEN | ADMINISTRATOR | ATES_ROLE(ATES_INTERNALSERVICE),
    },
    {
        .name = "auth_user",
        .summary = "Signs a user in and gives the session's first token.",
        .body = &auth_auth_user_message,
        .result = &auth_auth_user_result_message,
        .callers = ATES_NO_TOKEN | ATES_ANY_ROLE, /* who is signed in may sign in anew */
    },
    {
        .name = "renew_token",
        .summary = "Gives a new token for the caller's session.",
        .body = &ates_empty_message,
        .result = &auth_renew_token_result_message,
        .is_query = true,
        .callers = ATES_ANY_ROLE,
        .takes_expired = true,
    },
    {
        .name = "revoke_sessions",
        .summary = "Ends every session of the caller or, for an administrator, of another user.",
        .body = &auth_revoke_sessions_message,
        .result = &ates_empty_message,
        .callers = ATES_ANY_ROLE,
        .others = ADMINISTRATOR,
    },
    {
        .name = "change_password",
        .summary = "Changes the caller's password and ends every session of theirs.",
        .body = &auth_change_password_message,
        .result = &ates_empty_message,
        .callers = ATES_ANY_ROLE,
    },
    {
        .name = "reset_password",
        .summary = "Sets a user's password and ends every session of theirs.",
        .body = &auth_reset_password_message,
        .result = &ates_empty_message,
        .callers = ADMINISTRATOR,
        .others = ADMINISTRATOR,
    },
    {
        .name = "change_role",
        .summary = "Gives a user another role.",
        .body = &auth_change_role_message,
        .result = &ates_empty_message,
        .callers = ADMINISTRATOR,
        .others = ADMINISTRATOR,
    },
    {
        .name = "disable_user",
        .summary = "Shuts a user out.",
        .body = &auth_disable_user_message,
        .result = &ates_empty_message,
        .callers = ADMINISTRATOR,
        .others = ADMINISTRATOR,
    },
    {
        .name = "enable_user",
        .summary = "Lets a disabled user in again.",
        .body = &auth_enable_user_message,
        .result = &ates_empty_message,
        .callers = ADMINISTRATOR,
        .others = ADMINISTRATOR,
    },
    {
        .name = "show_user",
        .summary = "Shows the caller or, for an administrator or a manager, another user.",
        .body = &auth_show_user_message,
        .result = &auth_user_message,
        .is_query = true,
        .callers = ATES_ANY_ROLE,
        .others = OVERSEERS,
    },
    {
        .name = "show_all_users",
        .summary = "Lists the users.",
        .body = &auth_show_all_users_message,
        .result = &auth_show_all_users_result_message,
        .is_query = true,
        .callers = OVERSEERS,
    },
    {
        .name = "show_logins",
        .summary = "Tells the logins of users by their ids.",
        .body = &auth_show_logins_message,
        .result = &auth_show_logins_result_message,
        .is_query = true,
        .callers = ATES_ANY_ROLE,
    },
    {
        .name = "find_logins",
        .summary = "Finds users by how their logins begin.",
        .body = &auth_find_logins_message,
        .result = &auth_find_logins_result_message,
        .is_query = true,
        .callers = OVERSEERS | ATES_ROLE(ATES_ACCOUNTANT),
    },
};

static const struct ates_event_type events[] = {
    {
        .data = &ates_user_registered_message,
        .version = 1,
        .summary = "A user was registered.",
    },
    {
        .data = &ates_user_changed_message,
        .version = 1,
        .summary = "A user's role, state or oldest valid token changed.",
    },
    {
        .data = &auth_password_set_message,
        .version = 1,
        .is_private = true,
        .summary = "A user's password was set.",
    },
    {
        .data = &auth_session_opened_message,
        .version = 1,
        .is_private = true,
        .summary = "A user signed in.",
    },
    {
        .data = &auth_sessions_revoked_message,
        .version = 1,
        .is_private = true,
        .summary = "Every session of a user was ended.",
    },
};

static const struct ates_event_type snapshots[] = {
    {
        .data = &ates_user_snapshot_message,
        .version = 1,
        .summary = "A user, as the last event of them left it.",
    },
};

const struct ates_service auth_service = {
    .name = "auth",
    .commands = commands,
    .command_count = sizeof commands / sizeof commands[0],
    .events = events,
    .event_count = sizeof events / sizeof events[0],
    .snapshots = snapshots,
    .snapshot_count = sizeof snapshots / sizeof snapshots[0],
};
