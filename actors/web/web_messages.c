/* The field tables of what the web service answers by itself. Invariant: as in a domain's: what a
 * message may hold is said here and nowhere else. */
#include "web/web_messages.h"

#include "core/fields.h"

#define IS_TOKEN                                                                                   \
    .type = ATES_TEXT, .rule = ATES_RULE_ASCII, .secret = true, .min = 1, .max = AUTH_TOKEN_MAX

#define IS_NAME .type = ATES_TEXT, .rule = ATES_RULE_ASCII, .min = 1, .max = 64

static const struct ates_field web_show_session_result_fields[] = {
    {ATES_OPTIONAL(web_show_session_result, user), ATES_IS_STRUCT(auth_identity_message),
     .summary = "who is signed in; absent where nobody is"},
    {ATES_OPTIONAL(web_show_session_result, session_expires_at), ATES_IS_TIME},
};
ATES_MESSAGE(web_show_session_result, "show_session_result");

static const struct ates_field web_auth_user_result_fields[] = {
    {ATES_OPTIONAL(web_auth_user_result, token), IS_TOKEN,
     .summary = "absent where the session is kept for a cookie"},
    {ATES_OPTIONAL(web_auth_user_result, expires_at), ATES_IS_TIME, .summary = "the token's end"},
    {ATES_FIELD(web_auth_user_result, session_expires_at), ATES_IS_TIME},
    {ATES_FIELD(web_auth_user_result, user), ATES_IS_STRUCT(auth_identity_message)},
};
ATES_MESSAGE(web_auth_user_result, "auth_user_result");

static const struct ates_field web_renew_token_result_fields[] = {
    {ATES_OPTIONAL(web_renew_token_result, token), IS_TOKEN,
     .summary = "absent where the session is kept for a cookie"},
    {ATES_FIELD(web_renew_token_result, expires_at), ATES_IS_TIME},
};
ATES_MESSAGE(web_renew_token_result, "renew_token_result");

static const struct ates_field web_show_settings_result_fields[] = {
    {ATES_FIELD(web_show_settings_result, version), .type = ATES_TEXT, .rule = ATES_RULE_ASCII,
     .min = 1, .max = 64},
    {ATES_FIELD(web_show_settings_result, time_zone), .type = ATES_TEXT, .rule = ATES_RULE_ASCII,
     .min = 1, .max = 64, .summary = "the business time zone's IANA name"},
    {ATES_FIELD(web_show_settings_result, business_date), ATES_IS_DATE, .summary = "today's"},
    {ATES_FIELD(web_show_settings_result, open_roles), .type = ATES_LIST, .item = ATES_TEXT,
     .max = ATES_ROLE_COUNT, .summary = "who may register without an administrator"},
};
ATES_MESSAGE(web_show_settings_result, "show_settings_result");

static const struct ates_field web_stream_event_fields[] = {
    {ATES_FIELD(web_stream_event, producer), IS_NAME},
    {ATES_FIELD(web_stream_event, seq), ATES_IS_COUNT, .summary = "in the producer's log"},
    {ATES_FIELD(web_stream_event, event_name), IS_NAME},
    {ATES_FIELD(web_stream_event, event_version), ATES_IS_COUNT},
    {ATES_FIELD(web_stream_event, event_time), ATES_IS_TIME},
};
ATES_MESSAGE(web_stream_event, "stream_event");

static const struct ates_command commands[] = {
    {
        .name = "show_session",
        .summary = "Shows who is signed in, if anybody is.",
        .body = &ates_empty_message,
        .result = &web_show_session_result_message,
        .is_query = true,
        .callers = ATES_NO_TOKEN | ATES_ANY_ROLE,
    },
    {
        .name = "sign_out",
        .summary = "Ends the cookie's session.",
        .body = &ates_empty_message,
        .result = &ates_empty_message,
        .callers = ATES_NO_TOKEN | ATES_ANY_ROLE,
    },
    {
        .name = "show_settings",
        .summary = "Shows what a page must know before anybody is signed in.",
        .body = &ates_empty_message,
        .result = &web_show_settings_result_message,
        .is_query = true,
        .callers = ATES_NO_TOKEN | ATES_ANY_ROLE,
    },
    {
        .name = "follow_events",
        .summary = "Sends events as they happen, those that the caller may see.",
        .body = &ates_empty_message,
        .result = &ates_empty_message,
        .is_query = true,
        .callers = ATES_ANY_ROLE,
    },
};

const struct ates_service web_service = {
    .name = "web",
    .commands = commands,
    .command_count = sizeof commands / sizeof commands[0],
};
