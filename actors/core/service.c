/* What every service has alike: roles, common commands, the maps of the frames, and what auth's
 * events say of a user. Invariant: these tables are PROTOCOL.md's facts, written nowhere else. */
#include <string.h>

#include <ates/service.h>

#include "core/fields.h"
#include "core/message_check.h"

#define HASH_SIZE 32
#define NAME_SIZE_MAX 64
#define SCHEMA_SIZE_MAX 65536
#define OPERATORS (ATES_ROLE(ATES_INTERNALSERVICE) | ATES_ROLE(ATES_ADMINISTRATOR))

const char *const ates_role_names[] = {
    [ATES_ADMINISTRATOR] = "administrator",
    [ATES_MANAGER] = "manager",
    [ATES_DEVELOPER] = "developer",
    [ATES_BOSS] = "boss",
    [ATES_ACCOUNTANT] = "accountant",
    [ATES_INTERNALSERVICE] = "internalservice",
    [ATES_OTHER] = "other",
    [ATES_ROLE_COUNT] = NULL,
};

const struct ates_message ates_empty_message = {
    .name = "empty", .fields = NULL, .count = 0, .size = sizeof(struct ates_empty)};

/* Fields that several messages have alike. */
#define NAME_LIMITS .type = ATES_TEXT, .rule = ATES_RULE_ASCII, .min = 1, .max = NAME_SIZE_MAX
#define HASH_LIMITS .type = ATES_BYTES, .min = HASH_SIZE, .max = HASH_SIZE
#define PAGE_FIELDS(TYPE)                                                                          \
    {                                                                                              \
        ATES_OPTIONAL(TYPE, limit), .type = ATES_UINT, .min = 1, .max = 1000,                      \
                                    .summary = "how many at most; default 100"                     \
    }

static const struct ates_field ates_health_result_fields[] = {
    {ATES_FIELD(ates_health_result, status), NAME_LIMITS, .summary = "serving"},
    {ATES_FIELD(ates_health_result, version), NAME_LIMITS, .summary = "of the program"},
    {ATES_FIELD(ates_health_result, seq), .type = ATES_UINT, .summary = "the log's last event"},
};
ATES_MESSAGE(ates_health_result, "health_result");

static const char *const metric_type_names[] = {
    [ATES_COUNTER] = "counter", [ATES_GAUGE] = "gauge", [ATES_HISTOGRAM] = "histogram", NULL};

#define BUCKETS_MAX 64
static const struct ates_field ates_metric_histogram_fields[] = {
    {ATES_FIELD(ates_metric_histogram, bounds), .type = ATES_LIST, .item = ATES_UINT,
     .max = BUCKETS_MAX, .summary = "of the buckets, each included, ascending"},
    {ATES_FIELD(ates_metric_histogram, counts), .type = ATES_LIST, .item = ATES_UINT,
     .max = BUCKETS_MAX + 1, .summary = "observations in each, and above the last"},
    {ATES_FIELD(ates_metric_histogram, sum), .type = ATES_UINT, .summary = "of what was observed"},
};
static ATES_MESSAGE(ates_metric_histogram, "metric_histogram");

static const struct ates_field ates_metric_fields[] = {
    {ATES_FIELD(ates_metric, name), .type = ATES_TEXT, .rule = ATES_RULE_ASCII, .min = 1,
     .max = 128},
    {ATES_OPTIONAL(ates_metric, labels), .type = ATES_TEXT, .rule = ATES_RULE_LINE, .max = 1024,
     .summary = "in Prometheus's notation, without the braces"},
    {ATES_FIELD(ates_metric, value), .type = ATES_INT,
     .summary = "a histogram's: how many were observed"},
    {ATES_OPTIONAL(ates_metric, histogram), .type = ATES_STRUCT,
     .message = &ates_metric_histogram_message},
    {ATES_OPTIONAL(ates_metric, type), .type = ATES_ENUM, .names = metric_type_names,
     .summary = "of all figures of this name; given with the first"},
    {ATES_OPTIONAL(ates_metric, help), .type = ATES_TEXT, .rule = ATES_RULE_LINE, .max = 256,
     .summary = "what they tell; given with the first"},
};
ATES_MESSAGE(ates_metric, "metric");

static const struct ates_field ates_metrics_result_fields[] = {
    {ATES_FIELD(ates_metrics_result, items), .type = ATES_LIST, .item = ATES_STRUCT, .max = 10000,
     .message = &ates_metric_message},
};
ATES_MESSAGE(ates_metrics_result, "metrics_result");

static const struct ates_field ates_read_events_fields[] = {
    {ATES_FIELD(ates_read_events, after_seq), .type = ATES_UINT,
     .summary = "events after this one; 0 for all"},
    PAGE_FIELDS(ates_read_events),
};
ATES_MESSAGE(ates_read_events, "read_events");

static const struct ates_field ates_read_events_result_fields[] = {
    {ATES_FIELD(ates_read_events_result, log_id), NAME_LIMITS},
    {ATES_FIELD(ates_read_events_result, head_seq), .type = ATES_UINT,
     .summary = "the log's last event"},
    {ATES_FIELD(ates_read_events_result, events), .type = ATES_LIST, .item = ATES_BYTES,
     .max = 1000, .summary = "envelopes in the order of their seq"},
};
ATES_MESSAGE(ates_read_events_result, "read_events_result");

static const struct ates_field ates_read_snapshot_fields[] = {
    {ATES_OPTIONAL(ates_read_snapshot, after), .type = ATES_TEXT, .rule = ATES_RULE_ASCII, .min = 1,
     .max = 256, .summary = "where the page before ended: its next"},
    PAGE_FIELDS(ates_read_snapshot),
};
ATES_MESSAGE(ates_read_snapshot, "read_snapshot");

static const struct ates_field ates_snapshot_item_fields[] = {
    {ATES_FIELD(ates_snapshot_item, event_name), NAME_LIMITS},
    {ATES_FIELD(ates_snapshot_item, event_version), .type = ATES_UINT, .min = 1},
    {ATES_FIELD(ates_snapshot_item, data), .type = ATES_RAW, .summary = "the item's own fields"},
};
ATES_MESSAGE(ates_snapshot_item, "snapshot_item");

static const struct ates_field ates_read_snapshot_result_fields[] = {
    {ATES_FIELD(ates_read_snapshot_result, log_id), NAME_LIMITS},
    {ATES_FIELD(ates_read_snapshot_result, seq), .type = ATES_UINT,
     .summary = "the last event that the snapshot stands for"},
    {ATES_FIELD(ates_read_snapshot_result, hash), HASH_LIMITS,
     .summary = "BLAKE2b-256 of its envelope"},
    {ATES_FIELD(ates_read_snapshot_result, items), .type = ATES_LIST, .item = ATES_STRUCT,
     .max = 1000, .message = &ates_snapshot_item_message},
    {ATES_OPTIONAL(ates_read_snapshot_result, next), .type = ATES_TEXT, .rule = ATES_RULE_ASCII,
     .min = 1, .max = 256, .summary = "absent at the end"},
};
ATES_MESSAGE(ates_read_snapshot_result, "read_snapshot_result");

static const struct ates_field ates_show_dead_letters_fields[] = {
    {ATES_OPTIONAL(ates_show_dead_letters, after), .type = ATES_TEXT, .rule = ATES_RULE_ASCII,
     .min = 1, .max = 256, .summary = "where the page before ended: its next"},
    PAGE_FIELDS(ates_show_dead_letters),
};
ATES_MESSAGE(ates_show_dead_letters, "show_dead_letters");

static const struct ates_field ates_dead_letter_fields[] = {
    {ATES_FIELD(ates_dead_letter, id), ATES_IS_ID},
    {ATES_FIELD(ates_dead_letter, dead_at), ATES_IS_TIME},
    {ATES_FIELD(ates_dead_letter, producer), NAME_LIMITS},
    {ATES_FIELD(ates_dead_letter, seq), .type = ATES_UINT, .min = 1,
     .summary = "in the producer's log"},
    {ATES_FIELD(ates_dead_letter, event_name), NAME_LIMITS},
    {ATES_FIELD(ates_dead_letter, reason), NAME_LIMITS},
    {ATES_FIELD(ates_dead_letter, message), .type = ATES_TEXT, .max = 1024},
    {ATES_FIELD(ates_dead_letter, envelope), .type = ATES_BYTES, .summary = "the event as it came"},
};
ATES_MESSAGE(ates_dead_letter, "dead_letter");

static const struct ates_field ates_show_dead_letters_result_fields[] = {
    {ATES_FIELD(ates_show_dead_letters_result, items), .type = ATES_LIST, .item = ATES_STRUCT,
     .max = 1000, .message = &ates_dead_letter_message},
    {ATES_OPTIONAL(ates_show_dead_letters_result, next), .type = ATES_TEXT, .rule = ATES_RULE_ASCII,
     .min = 1, .max = 256, .summary = "absent at the end"},
};
ATES_MESSAGE(ates_show_dead_letters_result, "show_dead_letters_result");

static const struct ates_field ates_retry_event_fields[] = {
    {ATES_FIELD(ates_retry_event, producer), NAME_LIMITS},
    {ATES_FIELD(ates_retry_event, seq), .type = ATES_UINT, .min = 1,
     .summary = "in the producer's log"},
};
ATES_MESSAGE(ates_retry_event, "retry_event");

const char *const ates_described_names[] = {[ATES_DESCRIBED_COMMAND] = "command",
                                            [ATES_DESCRIBED_EVENT] = "event",
                                            [ATES_DESCRIBED_SNAPSHOT_ITEM] = "snapshot_item",
                                            NULL};

static const struct ates_field ates_describe_fields[] = {
    {ATES_OPTIONAL(ates_describe, name), .type = ATES_TEXT, .rule = ATES_RULE_ASCII, .min = 1,
     .max = 2 * NAME_SIZE_MAX, .summary = "only this command, event or snapshot item"},
    {ATES_OPTIONAL(ates_describe, after), .type = ATES_TEXT, .rule = ATES_RULE_ASCII, .min = 1,
     .max = 256, .summary = "where the page before ended: its next"},
    PAGE_FIELDS(ates_describe),
};
ATES_MESSAGE(ates_describe, "describe");

static const struct ates_field ates_described_fields[] = {
    {ATES_FIELD(ates_described, name), .type = ATES_TEXT, .rule = ATES_RULE_ASCII, .min = 1,
     .max = 2 * NAME_SIZE_MAX, .summary = "a command's frame 2, an event's topic"},
    {ATES_FIELD(ates_described, kind), .type = ATES_ENUM, .names = ates_described_names},
    {ATES_OPTIONAL(ates_described, is_query), .type = ATES_BOOL,
     .summary = "of a command: it changes nothing"},
    {ATES_OPTIONAL(ates_described, needs_token), .type = ATES_BOOL,
     .summary = "of a command: nobody may call it without one"},
    {ATES_OPTIONAL(ates_described, roles), .type = ATES_LIST, .item = ATES_TEXT,
     .rule = ATES_RULE_ASCII, .max = ATES_ROLE_COUNT,
     .summary = "of a command: whose tokens may call it"},
    {ATES_FIELD(ates_described, schema), .type = ATES_TEXT, .max = SCHEMA_SIZE_MAX,
     .summary = "JSON Schema of the body or data"},
    {ATES_OPTIONAL(ates_described, result_schema), .type = ATES_TEXT, .max = SCHEMA_SIZE_MAX,
     .summary = "JSON Schema of a command's result"},
};
ATES_MESSAGE(ates_described, "described");

static const struct ates_field ates_describe_result_fields[] = {
    {ATES_FIELD(ates_describe_result, version), NAME_LIMITS, .summary = "of the program"},
    {ATES_FIELD(ates_describe_result, items), .type = ATES_LIST, .item = ATES_STRUCT, .max = 1000,
     .message = &ates_described_message},
    {ATES_OPTIONAL(ates_describe_result, next), .type = ATES_TEXT, .rule = ATES_RULE_ASCII,
     .min = 1, .max = 256, .summary = "absent at the end"},
};
ATES_MESSAGE(ates_describe_result, "describe_result");

static const struct ates_command common_commands[] = {
    {
        .name = "health",
        .summary = "Tells whether the service works.",
        .body = &ates_empty_message,
        .result = &ates_health_result_message,
        .is_query = true,
        .callers = ATES_NO_TOKEN | ATES_ANY_ROLE,
    },
    {
        .name = "describe",
        .summary = "Tells what the service understands and publishes, as JSON Schema.",
        .body = &ates_describe_message,
        .result = &ates_describe_result_message,
        .is_query = true,
        .callers = ATES_NO_TOKEN | ATES_ANY_ROLE,
    },
    {
        .name = "metrics",
        .summary = "Gives the service's counters and gauges.",
        .body = &ates_empty_message,
        .result = &ates_metrics_result_message,
        .is_query = true,
        .callers = OPERATORS,
    },
    {
        .name = "read_events",
        .summary = "Reads the service's log.",
        .body = &ates_read_events_message,
        .result = &ates_read_events_result_message,
        .is_query = true,
        .callers = OPERATORS,
    },
    {
        .name = "read_snapshot",
        .summary = "Reads the state that stands for the events cut off the service's log.",
        .body = &ates_read_snapshot_message,
        .result = &ates_read_snapshot_result_message,
        .is_query = true,
        .callers = OPERATORS,
    },
    {
        .name = "show_dead_letters",
        .summary = "Lists the followed events that the service could not apply.",
        .body = &ates_show_dead_letters_message,
        .result = &ates_show_dead_letters_result_message,
        .is_query = true,
        .callers = OPERATORS,
    },
    {
        .name = "retry_event",
        .summary = "Applies a followed event that could not be applied when it came.",
        .body = &ates_retry_event_message,
        .result = &ates_empty_message,
        .callers = OPERATORS,
    },
};

const struct ates_service ates_common_service = {
    .name = "common",
    .commands = common_commands,
    .command_count = sizeof common_commands / sizeof common_commands[0],
};

static const struct ates_command *find_command(const struct ates_service *service, const char *name,
                                               size_t name_size)
{
    for (size_t i = 0; i < service->command_count; i++) {
        if (ates_name_is(service->commands[i].name, name, name_size)) {
            return &service->commands[i];
        }
    }
    return NULL;
}

const struct ates_command *ates_service_command(const struct ates_service *service,
                                                const char *name, size_t name_size)
{
    const struct ates_command *command = find_command(service, name, name_size);

    return command != NULL ? command : find_command(&ates_common_service, name, name_size);
}

static const struct ates_field ates_request_meta_fields[] = {
    {ATES_OPTIONAL(ates_request_meta, token), .type = ATES_TEXT, .secret = true,
     .rule = ATES_RULE_ASCII, .min = 1, .max = 2048},
    {ATES_OPTIONAL(ates_request_meta, request_id), NAME_LIMITS, .summary = "the idempotency key"},
    {ATES_OPTIONAL(ates_request_meta, timeout_ms), ATES_IS_MILLISECONDS,
     .summary = "how long the client waits"},
    {ATES_OPTIONAL(ates_request_meta, traceparent), ATES_IS_TRACEPARENT},
    {ATES_OPTIONAL(ates_request_meta, client), NAME_LIMITS,
     .summary = "whom the sender speaks for"},
};
ATES_MESSAGE(ates_request_meta, "request_meta");

static const struct ates_field ates_reply_meta_fields[] = {
    {ATES_FIELD(ates_reply_meta, seq), .type = ATES_UINT,
     .summary = "the log sequence that the reply reflects"},
    {ATES_OPTIONAL(ates_reply_meta, replayed), .type = ATES_BOOL,
     .summary = "a stored reply to a repeated request_id"},
    {ATES_OPTIONAL(ates_reply_meta, request_id), NAME_LIMITS},
};
ATES_MESSAGE(ates_reply_meta, "reply_meta");

static const struct ates_field ates_refusal_body_fields[] = {
    {ATES_FIELD(ates_refusal_body, reason), NAME_LIMITS, .summary = "a stable UPPER_SNAKE word"},
    {ATES_FIELD(ates_refusal_body, message), .type = ATES_TEXT, .max = 1024},
    {ATES_OPTIONAL(ates_refusal_body, field), .type = ATES_TEXT, .min = 1, .max = 256,
     .summary = "the dotted path of the field at fault"},
    {ATES_OPTIONAL(ates_refusal_body, retry_after_ms), ATES_IS_MILLISECONDS,
     .summary = "when to try again"},
};
ATES_MESSAGE(ates_refusal_body, "refusal");

static const struct ates_field ates_cause_fields[] = {
    {ATES_OPTIONAL(ates_cause, command), .type = ATES_TEXT, .rule = ATES_RULE_ASCII, .min = 1,
     .max = 2 * NAME_SIZE_MAX, .summary = "SERVICE.COMMAND"},
    {ATES_OPTIONAL(ates_cause, request_id), NAME_LIMITS},
    {ATES_OPTIONAL(ates_cause, user_id), .type = ATES_UINT, .unit = ATES_UNIT_ID,
     .summary = "0: a service"},
    {ATES_OPTIONAL(ates_cause, producer), NAME_LIMITS, .summary = "of the followed event"},
    {ATES_OPTIONAL(ates_cause, seq), .type = ATES_UINT, .min = 1,
     .summary = "of the followed event"},
    {ATES_OPTIONAL(ates_cause, traceparent), ATES_IS_TRACEPARENT},
};
ATES_MESSAGE(ates_cause, "cause");

static const struct ates_field ates_envelope_fields[] = {
    {ATES_FIELD(ates_envelope, event_id), .type = ATES_TEXT, .rule = ATES_RULE_ASCII, .min = 36,
     .max = 36, .summary = "UUIDv7"},
    {ATES_FIELD(ates_envelope, event_name), NAME_LIMITS},
    {ATES_FIELD(ates_envelope, event_version), .type = ATES_UINT, .min = 1},
    {ATES_FIELD(ates_envelope, event_time), ATES_IS_TIME},
    {ATES_FIELD(ates_envelope, producer), NAME_LIMITS},
    {ATES_FIELD(ates_envelope, log_id), NAME_LIMITS, .summary = "the id of the producer's log"},
    {ATES_FIELD(ates_envelope, seq), .type = ATES_UINT, .min = 1,
     .summary = "1, 2, 3 ... without gaps"},
    {ATES_FIELD(ates_envelope, prev), HASH_LIMITS,
     .summary = "BLAKE2b-256 of the envelope before; zeros at seq 1"},
    {ATES_OPTIONAL(ates_envelope, cause), .type = ATES_STRUCT, .message = &ates_cause_message},
    {ATES_FIELD(ates_envelope, data), .type = ATES_RAW, .summary = "the event's own fields"},
};
ATES_MESSAGE(ates_envelope, "envelope");

static const struct ates_field ates_head_fields[] = {
    {ATES_FIELD(ates_head, log_id), NAME_LIMITS},
    {ATES_FIELD(ates_head, seq), .type = ATES_UINT, .summary = "the log's last event"},
    {ATES_FIELD(ates_head, hash), HASH_LIMITS, .summary = "BLAKE2b-256 of its envelope"},
};
ATES_MESSAGE(ates_head, "head");

#define USER_FIELDS(TYPE)                                                                          \
    {ATES_FIELD(TYPE, user_id), ATES_IS_ID},                                                       \
        {ATES_FIELD(TYPE, login), .type = ATES_TEXT, .rule = ATES_RULE_LOGIN, .min = 1,            \
         .max = 64},                                                                               \
        {ATES_FIELD(TYPE, email), .type = ATES_TEXT, .rule = ATES_RULE_EMAIL, .min = 3,            \
         .max = 254},                                                                              \
    {                                                                                              \
        ATES_FIELD(TYPE, role), .type = ATES_ENUM, .names = ates_role_names                        \
    }

static const struct ates_field ates_user_registered_fields[] = {
    USER_FIELDS(ates_user_registered),
};
ATES_MESSAGE(ates_user_registered, "user_registered");

static const struct ates_field ates_user_changed_fields[] = {
    USER_FIELDS(ates_user_changed),
    {ATES_FIELD(ates_user_changed, disabled), .type = ATES_BOOL},
    {ATES_FIELD(ates_user_changed, tokens_valid_after), ATES_IS_TIME,
     .summary = "tokens issued before are refused"},
};
ATES_MESSAGE(ates_user_changed, "user_changed");
const struct ates_message ates_user_known_message = {
    .name = "user_known",
    .fields = ates_user_changed_fields,
    .count = sizeof ates_user_changed_fields / sizeof ates_user_changed_fields[0],
    .size = sizeof(struct ates_user_changed),
};
const struct ates_message ates_user_snapshot_message = {
    .name = "user_snapshot",
    .fields = ates_user_changed_fields,
    .count = sizeof ates_user_changed_fields / sizeof ates_user_changed_fields[0],
    .size = sizeof(struct ates_user_changed),
};
