/* Requests that no service may take, each with the refusal that PROTOCOL.md promises for it.
 * Invariant: the bytes are written by hand; nothing of the project that decodes or checks them has
 * a part in making them. */
#ifndef ATES_BAD_INPUT_H
#define ATES_BAD_INPUT_H

#include <ates/service.h>

#include "core/token.h"

/* head, then unit repeated so many times, then tail. */
struct bad_bytes {
    const char *head, *unit, *tail;
    size_t head_size, unit_size, times, tail_size;
};

#define BYTES(HEAD)                                                                                \
    {                                                                                              \
        .head = HEAD, .head_size = sizeof HEAD - 1                                                 \
    }
#define REPEATED(HEAD, UNIT, TIMES, TAIL)                                                          \
    {                                                                                              \
        .head = HEAD, .unit = UNIT, .tail = TAIL, .head_size = sizeof HEAD - 1,                    \
        .unit_size = sizeof UNIT - 1, .times = TIMES, .tail_size = sizeof TAIL - 1                 \
    }

/* In a frame of a command's name: stands for the name of the service that the row is sent to. */
#define SERVICE_MARK "*"

/* How a token differs from a good one of the administrator, which {0} makes. */
struct bad_token {
    const char *text;                                          /* the whole token */
    enum { KEY_OF_USERS, KEY_OF_SERVICES, KEY_OF_NOBODY } key; /* that signs it */
    enum { KID_OF_KEY, KID_OF_USERS, KID_OF_SERVICES } kid;
    const char *footer;     /* in its place; %s: the kid */
    const char *message;    /* in the claims' place */
    const char *claim;      /* that has */
    const char *value;      /* this JSON in place of its own; NULL: it is left out */
    const char *sub, *role; /* likewise, for short */
    const char *more;       /* JSON behind the claims */
    int64_t issued_ms, not_before_ms, expires_ms; /* from now on; expires_ms 0: an hour */
    const char *header;                           /* in place of v4.public. */
    enum {
        AS_SIGNED,
        PAYLOAD_CHANGED,
        SIGNATURE_CHANGED,
        FOOTER_GONE,
        LAST_CUT,
        ONE_MORE,
        PADDED,
        SPACE_BEFORE,
        IN_CAPITALS,
        CUT_IN_HALF
    } change;
};

enum bad_token_kind {
    TOKEN_NONE,
    TOKEN_OF_ADMINISTRATOR, /* a good one, for what is refused only after it */
    TOKEN_REVOKED,          /* of a user whose sessions were revoked since */
    TOKEN_OF_DISABLED,      /* of a user who was disabled since */
    TOKEN_MADE
};

enum bad_services { AUTH = 1, TASKS = 2, ACCOUNTING = 4, ANALYTICS = 8, PAYMENT = 16, ANY = 31 };

struct bad_input {
    const char *what;
    unsigned services;   /* that get it */
    const char *command; /* without the service */
    /* The frames, where they are not as they should be. Those with NULL for head are an empty map;
     * a name and a version, where they have NULL, the right one. */
    struct bad_bytes version, name, meta, body;
    enum bad_token_kind token; /* makes the meta */
    struct bad_token made;     /* where token is TOKEN_MADE */
    /* The whole message in place of all the above. */
    const struct bad_bytes *frames;
    size_t frame_count;
    size_t empty_frames; /* that follow frames */

    enum ates_status status; /* ATES_OK: there is no way back, so no reply comes */
    const char *reason;
    const char *field; /* NULL: none is named */
};

struct bad_table {
    const char *kind;
    const struct bad_input *rows;
    size_t count;
};

extern const struct bad_table bad_frames, bad_meta, bad_msgpack, bad_auth_fields, bad_tasks_fields,
    bad_accounting_fields, bad_analytics_fields, bad_payment_fields, bad_payout_fields, bad_tokens;

/* The keys that tokens are made with. */
struct bad_token_keys {
    struct ates_secret_key users, services, nobody;
};
void bad_token_write(const struct bad_token *token, const struct bad_token_keys *keys,
                     int64_t now_ms, char text[ATES_TOKEN_MAX + 1]);

/* A body that is refused with INVALID_ARGUMENT. */
#define BODY(SERVICES, COMMAND, WHAT, REASON, FIELD, ...)                                          \
    {                                                                                              \
        .what = WHAT, .services = SERVICES, .command = COMMAND, .body = __VA_ARGS__,               \
        .status = ATES_INVALID_ARGUMENT, .reason = REASON, .field = FIELD                          \
    }

/* The same after a token that allows the command. */
#define SIGNED_BODY(SERVICES, COMMAND, WHAT, REASON, FIELD, ...)                                   \
    {                                                                                              \
        .what = WHAT, .services = SERVICES, .command = COMMAND, .body = __VA_ARGS__,               \
        .token = TOKEN_OF_ADMINISTRATOR, .status = ATES_INVALID_ARGUMENT, .reason = REASON,        \
        .field = FIELD                                                                             \
    }

#define BAD_TABLE(KIND, ROWS)                                                                      \
    {                                                                                              \
        .kind = KIND, .rows = ROWS, .count = sizeof ROWS / sizeof ROWS[0]                          \
    }

#endif
