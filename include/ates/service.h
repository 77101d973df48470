/* What a service offers: its commands, who may call them, and its events. Clients, the daemon,
 * atesctl and the documents read the same tables. */
#ifndef ATES_SERVICE_H
#define ATES_SERVICE_H

#include <ates/message.h>

#pragma GCC visibility push(default)

#define ATES_PROTOCOL "ATES/1"

enum ates_role {
    ATES_ADMINISTRATOR,
    ATES_MANAGER,
    ATES_DEVELOPER,
    ATES_BOSS,
    ATES_ACCOUNTANT,
    ATES_INTERNALSERVICE,
    ATES_OTHER,
    ATES_ROLE_COUNT
};

/* The roles' wire names by index, NULL at the end. */
extern const char *const ates_role_names[];

/* A set of callers. */
#define ATES_ROLE(ROLE) (1u << (ROLE))
#define ATES_ANY_ROLE ((1u << ATES_ROLE_COUNT) - 1u)
#define ATES_NO_TOKEN (1u << ATES_ROLE_COUNT) /* may be called without a token */

struct ates_command {
    const char *name; /* without the service */
    const char *summary;
    const struct ates_message *body;
    const struct ates_message *result;
    unsigned callers; /* who may call it at all */
    /* Which of them may name another user in its user_id; 0 where that means nothing. */
    unsigned others;
    bool waits;         /* its reply may come with the end of a job: seconds later */
    bool is_query;      /* changes nothing: may be asked again without a request id */
    bool takes_expired; /* a token whose time is over serves too, as its session may live yet */
};

struct ates_event_type {
    const struct ates_message *data;
    unsigned version;
    bool is_private; /* kept in the log only: neither published nor served */
    const char *summary;
};

struct ates_service {
    const char *name;
    const struct ates_command *commands;
    size_t command_count;
    const struct ates_event_type *events;
    size_t event_count;
    /* What read_snapshot tells of the state, where the events that made it were compacted away. */
    const struct ates_event_type *snapshots;
    size_t snapshot_count;
};

/* The commands that every service has: health, describe, metrics, read_events, read_snapshot,
 * show_dead_letters, retry_event. */
extern const struct ates_service ates_common_service;

/* The command of this service, or the common one, with this name; NULL where there is none. */
const struct ates_command *ates_service_command(const struct ates_service *service,
                                                const char *name, size_t name_size);

/* The empty body or result. */
struct ates_empty {
    char unused;
};
extern const struct ates_message ates_empty_message;

/* Common results. */
struct ates_health_result {
    struct ates_text status; /* "serving" */
    struct ates_text version;
    uint64_t seq;
};
/* What a service understands and publishes: its commands, common ones included, then its events,
 * then its snapshot items. */
enum ates_described_kind {
    ATES_DESCRIBED_COMMAND,
    ATES_DESCRIBED_EVENT,
    ATES_DESCRIBED_SNAPSHOT_ITEM
};
extern const char *const ates_described_names[]; /* by kind, NULL at the end */
struct ates_describe {
    bool has_name; /* SERVICE.COMMAND, a topic, or either without the service or the version */
    struct ates_text name;
    bool has_after;
    struct ates_text after;
    bool has_limit;
    uint64_t limit;
};
struct ates_described {
    struct ates_text name; /* SERVICE.COMMAND, or a topic */
    int kind;              /* enum ates_described_kind */
    bool has_is_query;     /* as the next two: of a command */
    bool is_query;
    bool has_needs_token;
    bool needs_token;
    bool has_roles;
    struct ates_list roles;  /* struct ates_text: whose tokens may call it */
    struct ates_text schema; /* JSON Schema 2020-12 of the body or data */
    bool has_result_schema;
    struct ates_text result_schema;
};
struct ates_describe_result {
    struct ates_text version;
    struct ates_list items; /* struct ates_described */
    bool has_next;
    struct ates_text next;
};
enum ates_metric_type { ATES_COUNTER, ATES_GAUGE, ATES_HISTOGRAM };
/* How many observations lie in each bucket, not cumulated: up to its bound, or above the last. */
struct ates_metric_histogram {
    struct ates_list bounds; /* uint64_t, ascending */
    struct ates_list counts; /* uint64_t, one more */
    uint64_t sum;            /* of all observations */
};
struct ates_metric {
    struct ates_text name;
    bool has_labels;
    struct ates_text labels; /* in Prometheus's notation, without the braces */
    int64_t value;           /* a histogram's: how many observations */
    bool has_histogram;
    struct ates_metric_histogram histogram;
    bool has_type; /* type and help are given with the first of a name */
    int type;      /* enum ates_metric_type */
    bool has_help;
    struct ates_text help;
};
struct ates_metrics_result {
    struct ates_list items; /* struct ates_metric */
};
struct ates_read_events {
    uint64_t after_seq;
    bool has_limit;
    uint64_t limit;
};
struct ates_read_events_result {
    struct ates_text log_id;
    uint64_t head_seq;
    struct ates_list events; /* struct ates_bytes: envelopes in seq order */
};
struct ates_read_snapshot {
    bool has_after;
    struct ates_text after;
    bool has_limit;
    uint64_t limit;
};
struct ates_snapshot_item {
    struct ates_text event_name; /* one of the service's snapshots */
    uint64_t event_version;
    struct ates_bytes data; /* an encoded map */
};
struct ates_read_snapshot_result {
    struct ates_text log_id;
    uint64_t seq;           /* of the last event that it stands for: those after it can be read */
    struct ates_bytes hash; /* 32 bytes: of the envelope at seq */
    struct ates_list items; /* struct ates_snapshot_item */
    bool has_next;
    struct ates_text next;
};
struct ates_show_dead_letters {
    bool has_after;
    struct ates_text after;
    bool has_limit;
    uint64_t limit;
};
struct ates_dead_letter {
    uint64_t id;
    int64_t dead_at;
    struct ates_text producer;
    uint64_t seq;
    struct ates_text event_name;
    struct ates_text reason;
    struct ates_text message;
    struct ates_bytes envelope;
};
struct ates_show_dead_letters_result {
    struct ates_list items; /* struct ates_dead_letter */
    bool has_next;
    struct ates_text next;
};
/* Has a dead letter's event applied now; the result is empty. */
struct ates_retry_event {
    struct ates_text producer;
    uint64_t seq;
};
extern const struct ates_message ates_retry_event_message, ates_health_result_message,
    ates_describe_message, ates_described_message, ates_describe_result_message,
    ates_metric_message, ates_metrics_result_message, ates_read_events_message,
    ates_read_events_result_message, ates_read_snapshot_message, ates_snapshot_item_message,
    ates_read_snapshot_result_message, ates_show_dead_letters_message, ates_dead_letter_message,
    ates_show_dead_letters_result_message;

/* Frame 3 of a command and of a reply. */
struct ates_request_meta {
    bool has_token;
    struct ates_text token;
    bool has_request_id;
    struct ates_text request_id;
    bool has_timeout_ms;
    uint64_t timeout_ms;
    bool has_traceparent;
    struct ates_text traceparent;
    bool has_client;
    struct ates_text client; /* whom the sender speaks for: throttles count it apart */
};
struct ates_reply_meta {
    uint64_t seq;
    bool has_replayed;
    bool replayed;
    bool has_request_id;
    struct ates_text request_id;
};
/* Frame 4 of a refusal. */
struct ates_refusal_body {
    struct ates_text reason;
    struct ates_text message;
    bool has_field;
    struct ates_text field;
    bool has_retry_after_ms;
    uint64_t retry_after_ms;
};
extern const struct ates_message ates_request_meta_message, ates_reply_meta_message,
    ates_refusal_body_message;

/* Frame 2 of an event (PROTOCOL.md section 3). */
struct ates_cause {
    bool has_command;
    struct ates_text command;
    bool has_request_id;
    struct ates_text request_id;
    bool has_user_id;
    uint64_t user_id;
    bool has_producer;
    struct ates_text producer;
    bool has_seq;
    uint64_t seq;
    bool has_traceparent;
    struct ates_text traceparent; /* W3C Trace Context: of the request that began it all */
};
struct ates_envelope {
    struct ates_text event_id; /* UUIDv7 */
    struct ates_text event_name;
    uint64_t event_version;
    int64_t event_time; /* Unix ms */
    struct ates_text producer;
    struct ates_text log_id;
    uint64_t seq;
    struct ates_bytes prev; /* 32 bytes: BLAKE2b-256 of the previous envelope */
    bool has_cause;
    struct ates_cause cause;
    struct ates_bytes data; /* an encoded map */
};
/* The data of SERVICE.head.v1, whose second frame is this map alone. */
struct ates_head {
    struct ates_text log_id;
    uint64_t seq;
    struct ates_bytes hash; /* 32 bytes: of the envelope at seq */
};
extern const struct ates_message ates_cause_message, ates_envelope_message, ates_head_message;

/* What a token says (PROTOCOL.md section 5), and what events say of a user. */
struct ates_user_registered {
    uint64_t user_id;
    struct ates_text login;
    struct ates_text email;
    int role; /* enum ates_role */
};
struct ates_user_changed {
    uint64_t user_id;
    struct ates_text login;
    struct ates_text email;
    int role;
    bool disabled;
    int64_t tokens_valid_after; /* Unix ms: tokens issued before are refused */
};
/* user_known is user_changed again, as the private event of a service that took it in; so is
 * user_snapshot, as auth's snapshot tells it. */
extern const struct ates_message ates_user_registered_message, ates_user_changed_message,
    ates_user_known_message, ates_user_snapshot_message;

#pragma GCC visibility pop

#endif
