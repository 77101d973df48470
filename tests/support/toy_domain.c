/* The toy domain; see toy_domain.h. */
#include "support/toy_domain.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/users.h"

static const char *const toy_tables[] = {"entries", "toy_jobs", "numbers", NULL};

enum toy_number { TOY_TOTAL = 1, TOY_ENTRY_COUNT, TOY_JOB_COUNT, TOY_SECRET_SIZE, TOY_HEARD_COUNT };

bool toy_later = true, toy_refuses = true;

/* State. */

static int64_t number(struct ates_txn *txn, enum toy_number which)
{
    const struct ates_key key = ates_key_u64(which);
    int64_t value = -1;
    const int r = ates_get_number(txn, TOY_NUMBERS, &key, &value);

    assert(r == 0);
    return value;
}

int64_t toy_total(struct ates_txn *txn)
{
    return number(txn, TOY_TOTAL);
}

int64_t toy_secret_size(struct ates_txn *txn)
{
    return number(txn, TOY_SECRET_SIZE);
}

int64_t toy_heard_count(struct ates_txn *txn)
{
    return number(txn, TOY_HEARD_COUNT);
}

static int set_number(struct ates_txn *txn, enum toy_number which, int64_t value)
{
    const struct ates_key key = ates_key_u64(which);

    return ates_put_number(txn, TOY_NUMBERS, &key, value);
}

static int get_entry(struct ates_txn *txn, struct ates_text word, struct toy_entry *entry)
{
    struct ates_key key = {.size = 0};

    ates_key_add_bytes(&key, word.data, word.size);
    return ates_get_message(txn, TOY_ENTRIES, &key, &toy_entry_message, entry);
}

static int get_first_job(struct ates_txn *txn, struct toy_run_result *job)
{
    struct ates_scan scan;
    struct ates_bytes key, value;
    int r = ates_scan_open(&scan, txn, TOY_JOBS, NULL, NULL);

    if (r == 0) {
        r = ates_scan_next(&scan, &key, &value);
        const struct ates_key copy = ates_key_u64(r == 0 ? ates_u64_from(key.data) : 0);
        ates_scan_close(&scan);
        r = r == 0 ? ates_get_message(txn, TOY_JOBS, &copy, &toy_run_result_message, job) : r;
    }
    return r;
}

/* Handlers. */

/* Refuses: FAILED_PRECONDITION / FIRST_MISSING. */
static int handle_put(struct ates_call *call, const void *body)
{
    const struct toy_put *command = body;
    struct toy_entry entry;

    if (ates_text_equal(command->key, ates_text_from("second")) &&
        get_entry(call->txn, ates_text_from("first"), &entry) == ATES_NOT_FOUND) {
        return ates_refuse(call, ATES_FAILED_PRECONDITION, "FIRST_MISSING");
    }
    return ates_emit(call, &toy_stored_message, body);
}

/* put's answer and get's, as both bodies begin with the key. */
static int answer_entry(struct ates_call *call, const void *body, void *result)
{
    const struct toy_get *command = body;

    return get_entry(call->txn, command->key, result);
}

static void sum(const void *input, void *output, const atomic_bool *stopping)
{
    (void)stopping;
    const struct toy_add *numbers = input;

    *(int64_t *)output = numbers->a + numbers->b;
}

static const struct ates_work sum_work = {.name = "sum",
                                          .run = sum,
                                          .input_size = sizeof(struct toy_add),
                                          .output_size = sizeof(int64_t)};

static int handle_add(struct ates_call *call, const void *body)
{
    if (call->work_result == NULL) {
        return ates_defer(call, &sum_work, body);
    }
    const struct toy_add_result event = {.total = *(const int64_t *)call->work_result};
    return ates_emit(call, &toy_added_message, &event);
}

static int answer_add(struct ates_call *call, const void *body, void *result)
{
    (void)body;
    ((struct toy_add_result *)result)->total = toy_total(call->txn);
    return 0;
}

static int handle_run(struct ates_call *call, const void *body)
{
    const struct toy_run *command = body;
    const struct toy_run_result event = {.job = (uint64_t)number(call->txn, TOY_JOB_COUNT) + 1,
                                         .steps = command->count};

    ates_reply_later(call, event.job);
    return ates_emit(call, &toy_job_started_message, &event);
}

/* A good event, and one that breaks its table; without a look at what emit says. */
static int emit_wrong(struct ates_call *call)
{
    const struct other_said good = {.text = ates_text_from("good")};
    const struct toy_put wrong = {.key = ates_text_from(""), .value = ates_text_from("v")};

    ates_emit(call, &toy_noted_message, &good);
    ates_emit(call, &toy_stored_message, &wrong);
    return 0;
}

static int handle_fail(struct ates_call *call, const void *body)
{
    const struct toy_fail *command = body;

    if (command->place == TOY_EVENT) {
        return emit_wrong(call);
    }
    return command->place == TOY_DECIDE ? -EIO : ates_emit(call, &toy_failed_message, command);
}

static int answer_fail(struct ates_call *call, const void *body, void *result)
{
    (void)body, (void)result;
    return ates_refuse(call, ATES_INTERNAL, "TOO_LATE");
}

static int handle_note(struct ates_call *call, const void *body)
{
    const struct toy_note *command = body;
    const struct other_said event = {.text = command->text};

    for (uint64_t i = 0; i < command->times; i++) {
        ates_emit(call, &toy_noted_message, &event);
    }
    return 0;
}

static int handle_hide(struct ates_call *call, const void *body)
{
    return ates_emit(call, &toy_hidden_message, body);
}

static int answer_big(struct ates_call *call, const void *body, void *result)
{
    const struct toy_big *command = body;
    char *text = ates_arena_alloc(call->arena, (size_t)command->size + 1);

    memset(text, 'x', (size_t)command->size);
    ((struct toy_big_result *)result)->text = (struct ates_text){text, (size_t)command->size};
    return 0;
}

static int step(struct ates_call *call, bool *more)
{
    struct toy_run_result job;
    int r = get_first_job(call->txn, &job);

    if (r != 0) {
        return r == ATES_NOT_FOUND ? 0 : r;
    }
    *more = true;
    job.steps--;
    if (job.steps > 0) {
        return ates_emit(call, &toy_job_stepped_message, &job);
    }
    ates_finish(call, job.job, &toy_run_result_message, &job);
    return ates_emit(call, &toy_job_done_message, &job);
}

static int follow_said(struct ates_call *call, const struct ates_event *event, const void *data)
{
    const struct other_said *said = data;

    (void)event;
    if (ates_text_equal(said->text, ates_text_from("refuse")) && toy_refuses) {
        ates_emit(call, &toy_heard_message, said); /* refused all the same: nothing of it stays */
        return ates_refuse(call, ATES_FAILED_PRECONDITION, "NOT_ACCEPTABLE");
    }
    if (ates_text_equal(said->text, ates_text_from("missing"))) {
        return ATES_NOT_FOUND;
    }
    if (ates_text_equal(said->text, ates_text_from("later")) && toy_later) {
        return -EAGAIN;
    }
    if (ates_text_equal(said->text, ates_text_from("wrong"))) {
        return emit_wrong(call);
    }
    return ates_emit(call, &toy_heard_message, said);
}

/* Appliers. */

static int apply_stored(struct ates_txn *txn, const struct ates_event *event, const void *data)
{
    const struct toy_put *stored = data;
    struct toy_entry entry = {.version = 0};
    struct ates_key key = {.size = 0};
    int r = get_entry(txn, stored->key, &entry);

    if (r == ATES_NOT_FOUND) {
        r = set_number(txn, TOY_ENTRY_COUNT, number(txn, TOY_ENTRY_COUNT) + 1);
    }
    if (r != 0) {
        return r;
    }
    entry = (struct toy_entry){.key = stored->key,
                               .value = stored->value,
                               .version = entry.version + 1,
                               .put_at = event->time,
                               .put_by = event->user_id};
    ates_key_add_bytes(&key, stored->key.data, stored->key.size);
    return ates_put_message(txn, TOY_ENTRIES, &key, &toy_entry_message, &entry);
}

static int apply_added(struct ates_txn *txn, const struct ates_event *event, const void *data)
{
    (void)event;
    return set_number(txn, TOY_TOTAL,
                      toy_total(txn) + ((const struct toy_add_result *)data)->total);
}

static int apply_failed(struct ates_txn *txn, const struct ates_event *event, const void *data)
{
    const struct toy_fail *failed = data;
    int r = set_number(txn, TOY_TOTAL, 666);

    (void)event;
    return failed->place == TOY_APPLY ? -EIO : r;
}

static int apply_job(struct ates_txn *txn, const struct ates_event *event, const void *data)
{
    const struct toy_run_result *job = data;
    const struct ates_key key = ates_key_u64(job->job);

    if (strcmp(event->name, "toy_job_done") == 0) {
        return ates_delete(txn, TOY_JOBS, &key);
    }
    int r = strcmp(event->name, "toy_job_started") == 0
                ? set_number(txn, TOY_JOB_COUNT, (int64_t)job->job)
                : 0;
    return r == 0 ? ates_put_message(txn, TOY_JOBS, &key, &toy_run_result_message, job) : r;
}

static int apply_heard(struct ates_txn *txn, const struct ates_event *event, const void *data)
{
    (void)event, (void)data;
    return set_number(txn, TOY_HEARD_COUNT, toy_heard_count(txn) + 1);
}

static int apply_hidden(struct ates_txn *txn, const struct ates_event *event, const void *data)
{
    assert(event->seq == 0);
    return set_number(txn, TOY_SECRET_SIZE, (int64_t)((const struct toy_hide *)data)->secret.size);
}

static int check(struct ates_txn *txn, char *error, size_t error_size)
{
    struct ates_scan scan;
    struct ates_bytes key, value;
    int64_t count = 0;
    int r = ates_scan_open(&scan, txn, TOY_ENTRIES, NULL, NULL);

    while (r == 0) {
        r = ates_scan_next(&scan, &key, &value);
        count += r == 0;
    }
    ates_scan_close(&scan);
    if (r == ATES_NOT_FOUND && count != number(txn, TOY_ENTRY_COUNT)) {
        snprintf(error, error_size, "%lld entries", (long long)count);
        return -EBADMSG;
    }
    return r < 0 ? r : 0;
}

/* Tables. */

static const struct ates_command toy_commands[] = {
    {.name = "put",
     .body = &toy_put_message,
     .result = &toy_entry_message,
     .callers = ATES_ANY_ROLE},
    {.name = "get",
     .body = &toy_get_message,
     .result = &toy_entry_message,
     .is_query = true,
     .callers = ATES_ANY_ROLE | ATES_NO_TOKEN},
    {.name = "add",
     .body = &toy_add_message,
     .result = &toy_add_result_message,
     .callers = ATES_ANY_ROLE},
    {.name = "run",
     .body = &toy_run_message,
     .result = &toy_run_result_message,
     .waits = true,
     .callers = ATES_ANY_ROLE},
    {.name = "fail",
     .body = &toy_fail_message,
     .result = &ates_empty_message,
     .callers = ATES_ANY_ROLE},
    {.name = "note",
     .body = &toy_note_message,
     .result = &ates_empty_message,
     .callers = ATES_ROLE(ATES_DEVELOPER)},
    {.name = "hide",
     .body = &toy_hide_message,
     .result = &ates_empty_message,
     .callers = ATES_ANY_ROLE},
    {.name = "big",
     .body = &toy_big_message,
     .result = &toy_big_result_message,
     .is_query = true,
     .callers = ATES_ANY_ROLE},
};

static const struct ates_event_type toy_events[] = {
    {&toy_stored_message, 1, false, ""},      {&toy_added_message, 1, false, ""},
    {&toy_failed_message, 1, false, ""},      {&toy_noted_message, 1, false, ""},
    {&toy_heard_message, 1, false, ""},       {&toy_hidden_message, 1, true, ""},
    {&toy_job_started_message, 1, false, ""}, {&toy_job_stepped_message, 1, false, ""},
    {&toy_job_done_message, 1, false, ""},
};

static const struct ates_event_type toy_snapshots[] = {
    {&toy_entry_message, 1, false, ""},
};

const struct ates_service toy_service = {
    .name = "toy",
    .commands = toy_commands,
    .command_count = sizeof toy_commands / sizeof toy_commands[0],
    .events = toy_events,
    .event_count = sizeof toy_events / sizeof toy_events[0],
    .snapshots = toy_snapshots,
    .snapshot_count = sizeof toy_snapshots / sizeof toy_snapshots[0],
};

static const struct ates_handler toy_handlers[] = {
    {"put", handle_put, answer_entry},  {"get", NULL, answer_entry},
    {"add", handle_add, answer_add},    {"run", handle_run, NULL},
    {"fail", handle_fail, answer_fail}, {"note", handle_note, NULL},
    {"hide", handle_hide, NULL},        {"big", NULL, answer_big},
};

static const struct ates_applier toy_appliers[] = {
    {&toy_stored_message, apply_stored},   {&toy_added_message, apply_added},
    {&toy_failed_message, apply_failed},   {&toy_heard_message, apply_heard},
    {&toy_hidden_message, apply_hidden},   {&toy_job_started_message, apply_job},
    {&toy_job_stepped_message, apply_job}, {&toy_job_done_message, apply_job},
};

static const struct ates_follow toy_follows[] = {
    {"auth", &ates_user_registered_message, 1, ates_users_follow_registered},
    {"auth", &ates_user_changed_message, 1, ates_users_follow_changed},
    {"other", &other_said_message, 1, follow_said},
};

static const struct ates_follow toy_snapshot_follows[] = {
    {"other", &other_said_snapshot_message, 1, follow_said},
};

#define TOY_DOMAIN                                                                                 \
    .service = &toy_service, .tables = toy_tables, .handlers = toy_handlers,                       \
    .handler_count = sizeof toy_handlers / sizeof toy_handlers[0], .appliers = toy_appliers,       \
    .applier_count = sizeof toy_appliers / sizeof toy_appliers[0], .follows = toy_follows,         \
    .follow_count = sizeof toy_follows / sizeof toy_follows[0], .step = step, .check = check

const struct ates_domain toy_domain = {
    TOY_DOMAIN,
    .snapshot_follows = toy_snapshot_follows,
    .snapshot_follow_count = sizeof toy_snapshot_follows / sizeof toy_snapshot_follows[0],
    .snapshot = toy_snapshot,
    .snapshot_count = TOY_SNAPSHOT_PARTS,
};
const struct ates_domain toy_stopping_domain = {TOY_DOMAIN, .stops_at_dead = true};
