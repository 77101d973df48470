/* What the web service answers by itself: its own commands (over HTTP only) and their results.
 * Invariant: as in a domain's public header, a struct and the table of the same name say the same. */
#ifndef WEB_MESSAGES_H
#define WEB_MESSAGES_H

#include <ates/auth.h>

/* GET /session: who is signed in, if anybody is. */
struct web_show_session_result {
    bool has_user;
    struct auth_identity user;
    bool has_session_expires_at; /* of a cookie's session */
    int64_t session_expires_at;
};

/* POST /session: auth_user's result; without the token where the session is kept for a cookie. */
struct web_auth_user_result {
    bool has_token;
    struct ates_text token;
    bool has_expires_at;
    int64_t expires_at;
    int64_t session_expires_at;
    struct auth_identity user;
};

/* PUT /session: renew_token's result; the same. */
struct web_renew_token_result {
    bool has_token;
    struct ates_text token;
    int64_t expires_at;
};

/* GET /settings: what a page must know before anybody is signed in. */
struct web_show_settings_result {
    struct ates_text version;
    struct ates_text time_zone;     /* IANA name of the business time zone */
    struct ates_text business_date; /* today's */
    struct ates_list open_roles; /* struct ates_text: who may register without an administrator */
};

/* GET /events: what a message tells of an event, beside its data. */
struct web_stream_event {
    struct ates_text producer;
    uint64_t seq; /* in the producer's log */
    struct ates_text event_name;
    uint64_t event_version;
    int64_t event_time;
};

extern const struct ates_message web_stream_event_message;
extern const struct ates_message web_show_session_result_message, web_auth_user_result_message,
    web_renew_token_result_message, web_show_settings_result_message;

/* Commands: show_session, sign_out, show_settings, follow_events. */
extern const struct ates_service web_service;

#endif
