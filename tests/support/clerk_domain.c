/* The clerk's domain; see clerk_domain.h. */
#include "support/clerk_domain.h"

#include <errno.h>
#include <sched.h>

#include "core/fields.h"

enum clerk_table { CLERK_ORDERS = ATES_TABLE_DOMAIN, CLERK_NUMBERS };
static const char *const tables[] = {"orders", "numbers", NULL};

enum clerk_number { CLERK_LAST = 1, CLERK_DONE, CLERK_STOPPED, CLERK_ALARM_AT, CLERK_ALARMS };
enum clerk_state { CLERK_OPEN, CLERK_OPEN_WAITS };

sem_t clerk_began;
static uint64_t steps;

static const struct ates_field clerk_order_fields[] = {
    {ATES_FIELD(clerk_order, count), .type = ATES_UINT, .min = 1, .max = 1000},
    {ATES_FIELD(clerk_order, waits), .type = ATES_BOOL},
};
ATES_MESSAGE(clerk_order, "order");
static const struct ates_message ordered_message = {.name = "ordered",
                                                    .fields = clerk_order_fields,
                                                    .count = 2,
                                                    .size = sizeof(struct clerk_order)};

static const struct ates_field clerk_alarm_fields[] = {
    {ATES_FIELD(clerk_alarm, at), .type = ATES_INT, .min = 1},
};
ATES_MESSAGE(clerk_alarm, "alarm");
static const struct ates_message alarm_set_message = {.name = "alarm_set",
                                                      .fields = clerk_alarm_fields,
                                                      .count = 1,
                                                      .size = sizeof(struct clerk_alarm)};
static const struct ates_message rang_message = {
    .name = "rang", .fields = clerk_alarm_fields, .count = 1, .size = sizeof(struct clerk_alarm)};

static const struct ates_field clerk_note_fields[] = {
    {ATES_FIELD(clerk_note, text), .type = ATES_TEXT, .max = 200000},
};
ATES_MESSAGE(clerk_note, "note");
static const struct ates_message noted_message = {
    .name = "noted", .fields = clerk_note_fields, .count = 1, .size = sizeof(struct clerk_note)};

static const struct ates_field clerk_show_result_fields[] = {
    {ATES_FIELD(clerk_show_result, open), .type = ATES_UINT},
    {ATES_FIELD(clerk_show_result, done), .type = ATES_UINT},
    {ATES_FIELD(clerk_show_result, stopped), .type = ATES_UINT},
    {ATES_FIELD(clerk_show_result, alarms), .type = ATES_UINT},
    {ATES_FIELD(clerk_show_result, steps), .type = ATES_UINT},
};
ATES_MESSAGE(clerk_show_result, "show_result");

struct clerk_done {
    uint64_t id;
    bool was_stopped;
};
static const struct ates_field clerk_done_fields[] = {
    {ATES_FIELD(clerk_done, id), .type = ATES_UINT},
    {ATES_FIELD(clerk_done, was_stopped), .type = ATES_BOOL},
};
static ATES_MESSAGE(clerk_done, "done");

static int number(struct ates_txn *txn, enum clerk_number which, int64_t *value)
{
    const struct ates_key key = ates_key_u64(which);

    return ates_get_number(txn, CLERK_NUMBERS, &key, value);
}

static int set_number(struct ates_txn *txn, enum clerk_number which, int64_t value)
{
    const struct ates_key key = ates_key_u64(which);

    return ates_put_number(txn, CLERK_NUMBERS, &key, value);
}

static int add_number(struct ates_txn *txn, enum clerk_number which, int64_t more)
{
    int64_t value;
    int r = number(txn, which, &value);

    return r == 0 ? set_number(txn, which, value + more) : r;
}

static int handle_order(struct ates_call *call, const void *body)
{
    ates_wake(call);
    return ates_emit(call, &ordered_message, body);
}

static int handle_alarm(struct ates_call *call, const void *body)
{
    ates_wake(call);
    return ates_emit(call, &alarm_set_message, body);
}

static int handle_note(struct ates_call *call, const void *body)
{
    return ates_emit(call, &noted_message, body);
}

static int answer_show(struct ates_call *call, const void *body, void *result)
{
    struct clerk_show_result *shown = result;
    int64_t last, done, stopped, alarms = 0;

    (void)body;
    int r = number(call->txn, CLERK_LAST, &last);
    r = r == 0 ? number(call->txn, CLERK_DONE, &done) : r;
    r = r == 0 ? number(call->txn, CLERK_STOPPED, &stopped) : r;
    r = r == 0 ? number(call->txn, CLERK_ALARMS, &alarms) : r;
    if (r == 0) {
        *shown = (struct clerk_show_result){.open = (uint64_t)(last - done - stopped),
                                            .done = (uint64_t)done,
                                            .stopped = (uint64_t)stopped,
                                            .alarms = (uint64_t)alarms,
                                            .steps = steps};
    }
    return r;
}

/* An order that waits is done only by the end of the service, which it looks for meanwhile. */
static void run(const void *input, void *output, const atomic_bool *stopping)
{
    const bool *waits = input;
    struct clerk_output *out = output;

    sem_post(&clerk_began);
    while (*waits && !atomic_load(stopping)) {
        sched_yield();
    }
    out->was_stopped = *waits;
}

const struct ates_work clerk_work = {
    .name = "clerk", .run = run, .output_size = sizeof(struct clerk_output)};

static int begin_orders(struct ates_call *call)
{
    struct ates_bytes key, value;
    struct ates_scan scan;
    int r = ates_scan_open(&scan, call->txn, CLERK_ORDERS, NULL, NULL);

    if (r != 0) {
        return r;
    }
    while (ates_under_way(call, &clerk_work) < CLERK_AT_ONCE &&
           (r = ates_scan_next(&scan, &key, &value)) == 0) {
        const uint64_t id = ates_u64_from(key.data);
        const bool waits = value.data[0] == CLERK_OPEN_WAITS;

        if (!ates_is_under_way(call, &clerk_work, id)) {
            ates_begin(call, &clerk_work, id, &waits, sizeof waits);
        }
    }
    ates_scan_close(&scan);
    return r == ATES_NOT_FOUND ? 0 : r;
}

static int step(struct ates_call *call, bool *more)
{
    struct clerk_alarm alarm;

    (void)more;
    steps++;
    int r = number(call->txn, CLERK_ALARM_AT, &alarm.at);
    if (r == 0 && alarm.at > 0 && call->time >= alarm.at) {
        r = ates_emit(call, &rang_message, &alarm);
    } else if (r == 0 && alarm.at > 0) {
        ates_wake_at(call, alarm.at);
    }
    return r == 0 ? begin_orders(call) : r;
}

static int ended(struct ates_call *call, const struct ates_work *work, uint64_t id,
                 const void *output)
{
    const struct clerk_output *out = output;

    (void)work;
    if (out == NULL) {
        return 0;
    }
    return ates_emit(call, &clerk_done_message,
                     &(struct clerk_done){.id = id, .was_stopped = out->was_stopped});
}

static int open_clerk(const struct ates_config *config, const char *keys_dir, void **memory,
                      char *error, size_t error_size)
{
    (void)config;
    (void)keys_dir;
    (void)memory;
    (void)error;
    (void)error_size;
    return sem_init(&clerk_began, 0, 0);
}

static int apply_ordered(struct ates_txn *txn, const struct ates_event *event, const void *data)
{
    const struct clerk_order *order = data;
    int64_t last;
    int r = number(txn, CLERK_LAST, &last);

    (void)event;
    for (uint64_t i = 1; r == 0 && i <= order->count; i++) {
        const struct ates_key key = ates_key_u64((uint64_t)last + i);
        const uint8_t state = order->waits ? CLERK_OPEN_WAITS : CLERK_OPEN;

        r = ates_put(txn, CLERK_ORDERS, &key, &state, 1);
    }
    return r == 0 ? add_number(txn, CLERK_LAST, (int64_t)order->count) : r;
}

static int apply_done(struct ates_txn *txn, const struct ates_event *event, const void *data)
{
    const struct clerk_done *done = data;
    const struct ates_key key = ates_key_u64(done->id);
    int r = ates_delete(txn, CLERK_ORDERS, &key); /* which fails where it was done before */

    (void)event;
    return r == 0 ? add_number(txn, done->was_stopped ? CLERK_STOPPED : CLERK_DONE, 1) : r;
}

static int apply_alarm_set(struct ates_txn *txn, const struct ates_event *event, const void *data)
{
    const struct clerk_alarm *alarm = data;

    (void)event;
    return set_number(txn, CLERK_ALARM_AT, alarm->at);
}

static int apply_rang(struct ates_txn *txn, const struct ates_event *event, const void *data)
{
    (void)event;
    (void)data;
    int r = set_number(txn, CLERK_ALARM_AT, 0);
    return r == 0 ? add_number(txn, CLERK_ALARMS, 1) : r;
}

static const struct ates_command commands[] = {
    {.name = "order",
     .body = &clerk_order_message,
     .result = &ates_empty_message,
     .callers = ATES_ANY_ROLE},
    {.name = "alarm",
     .body = &clerk_alarm_message,
     .result = &ates_empty_message,
     .callers = ATES_ANY_ROLE},
    {.name = "note",
     .body = &clerk_note_message,
     .result = &ates_empty_message,
     .callers = ATES_ANY_ROLE},
    {.name = "show",
     .body = &ates_empty_message,
     .result = &clerk_show_result_message,
     .is_query = true,
     .callers = ATES_ANY_ROLE},
};

static const struct ates_event_type events[] = {
    {&ordered_message, 1, false, ""},   {&clerk_done_message, 1, false, ""},
    {&alarm_set_message, 1, false, ""}, {&rang_message, 1, false, ""},
    {&noted_message, 1, false, ""},
};

const struct ates_service clerk_service = {
    .name = "clerk",
    .commands = commands,
    .command_count = sizeof commands / sizeof commands[0],
    .events = events,
    .event_count = sizeof events / sizeof events[0],
};

static const struct ates_handler handlers[] = {
    {"order", handle_order, NULL},
    {"alarm", handle_alarm, NULL},
    {"note", handle_note, NULL},
    {"show", NULL, answer_show},
};

static const struct ates_applier appliers[] = {
    {&ordered_message, apply_ordered},
    {&clerk_done_message, apply_done},
    {&alarm_set_message, apply_alarm_set},
    {&rang_message, apply_rang},
};

const struct ates_domain clerk_domain = {
    .service = &clerk_service,
    .tables = tables,
    .handlers = handlers,
    .handler_count = sizeof handlers / sizeof handlers[0],
    .appliers = appliers,
    .applier_count = sizeof appliers / sizeof appliers[0],
    .step = step,
    .ended = ended,
    .worker_threads = CLERK_AT_ONCE,
    .open = open_clerk,
};
