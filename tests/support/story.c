/* See story.h. */
#include "support/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include <criterion/criterion.h>
#include <ftw.h>
#include <sodium.h>

#include "accounting/accounting.h"
#include "accounting/accounting_send.h"
#include "analytics/analytics.h"
#include "auth/auth.h"
#include "core/calendar.h"
#include "core/datadir.h"
#include "payment/payment.h"
#include "support/event_type.h"
#include "support/seed.h"
#include "support/story_pay.h"
#include "tasks/tasks.h"

#define SHM "/dev/shm"
#define SHM_BYTES_MIN (UINT64_C(512) << 20) /* an engine without room writes nothing */
#define HOUR_MS INT64_C(3600000)

static const struct ates_domain *const domains[STORY_SERVICES] = {
    &auth_domain, &tasks_domain, &accounting_domain, &analytics_domain, &payment_domain};

static const struct story_stream streams[STORY_STREAMS] = {
    {.from = STORY_TASKS_SERVICE, .to = STORY_ACCOUNTING},
    {.from = STORY_AUTH, .to = STORY_TASKS_SERVICE},
    {.from = STORY_AUTH, .to = STORY_ACCOUNTING},
    {.from = STORY_AUTH, .to = STORY_ANALYTICS},
    {.from = STORY_AUTH, .to = STORY_PAYMENT},
    {.from = STORY_TASKS_SERVICE, .to = STORY_ANALYTICS},
    {.from = STORY_ACCOUNTING, .to = STORY_ANALYTICS},
    {.from = STORY_ACCOUNTING, .to = STORY_PAYMENT},
};

uint64_t story_draw(struct story *story, uint64_t bound)
{
    return seed_draw(&story->seed, bound);
}

bool story_chance(struct story *story, uint64_t one_in)
{
    return seed_draw(&story->seed, one_in) == 0;
}

struct fixture *story_fixture(struct story *story, enum story_service service)
{
    return &story->services[service];
}

int64_t story_time(struct story *story, enum story_service service)
{
    const int64_t head = ates_engine_head(story->services[service].engine)->time;
    const int64_t clock = story->now_ms + story->clock_off_ms;

    return clock > head ? clock : head;
}

void story_set_clock(struct story *story, int64_t now_ms)
{
    story->now_ms = now_ms;
    for (size_t i = 0; i < STORY_SERVICES; i++) {
        story->services[i].now_ms = now_ms + story->clock_off_ms;
    }
}

/* In memory, if there is enough: a story commits some ten thousand times. */
static void make_folder(struct story *story)
{
    struct statvfs room;
    const bool has_room =
        statvfs(SHM, &room) == 0 && (uint64_t)room.f_bavail * room.f_frsize >= SHM_BYTES_MIN;

    strcpy(story->folder, has_room ? SHM "/ates-test-XXXXXX" : "/tmp/ates-test-XXXXXX");
    cr_assert_not_null(mkdtemp(story->folder));
}

static void open_service(struct story *story, enum story_service service)
{
    struct fixture *fixture = &story->services[service];
    char error[512] = "";
    const struct ates_setting flags[] = {
        {"data", story->folder}, {"run", story->folder}, {"store/map_gigabytes", "1"}};

    *fixture = (struct fixture){.domain = domains[service],
                                .now_ms = story->now_ms,
                                .seed = seed_next(&story->seed),
                                .arena = ates_arena_new()};
    strcpy(fixture->folder, story->folder);
    cr_assert_eq(ates_config_load(&fixture->config, "/dev/null", flags,
                                  sizeof flags / sizeof flags[0], error, sizeof error),
                 0, "%s", error);
    fixture->config.payday_ms = story->payday_ms;
    fixture_reopen(fixture);
}

void story_open(struct story *story, uint64_t seed, const struct story_zone *zone)
{
    static const int64_t paydays_ms[] = {0, 0, 0, HOUR_MS / 2, 5 * HOUR_MS / 2 + 1, 12 * HOUR_MS};
    char error[512] = "", keys[80];

    cr_assert_geq(sodium_init(), 0);
    memset(story, 0, sizeof *story);
    story->seed = seed;
    story->zone = zone;
    story->first_day = story_day_of(zone->begin);
    story->now_ms = story->first_day * 24 * HOUR_MS - zone->offset * INT64_C(60000) +
                    (int64_t)story_draw(story, 20 * HOUR_MS);
    story->payday_ms = paydays_ms[story_draw(story, sizeof paydays_ms / sizeof paydays_ms[0])];
    story->arena = ates_arena_new();
    story_model_begin(&story->model, zone);
    cr_assert_eq(ates_calendar_open(zone->name), 0);
    make_folder(story);
    cr_assert_eq(ates_datadir_create(story->folder, error, sizeof error), 0, "%s", error);
    snprintf(keys, sizeof keys, "%s/keys", story->folder);
    cr_assert_eq(ates_keys_create(keys, error, sizeof error), 0, "%s", error);
    for (enum story_service i = 0; i < STORY_SERVICES; i++) {
        open_service(story, i);
    }
    memcpy(story->streams, streams, sizeof streams);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status, (void)type, (void)place;
    return remove(path);
}

void story_close(struct story *story)
{
    for (size_t i = 0; i < STORY_SERVICES; i++) {
        ates_engine_close(&story->services[i].engine);
        ates_arena_free(&story->services[i].arena);
    }
    ates_arena_free(&story->arena);
    story_discard(story);
}

void story_discard(struct story *story)
{
    if (story->folder[0] != '\0') {
        cr_assert_eq(nftw(story->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
    }
    story->folder[0] = '\0';
}

static void rewind_stream(struct story *story, struct story_stream *stream)
{
    cr_assert_eq(ates_engine_position(story->services[stream->to].engine,
                                      domains[stream->from]->service->name, &stream->position),
                 0);
    stream->is_settled = true;
}

void story_rewind(struct story *story, enum story_service service)
{
    for (size_t i = 0; i < STORY_STREAMS; i++) {
        if (story->streams[i].to == service) {
            rewind_stream(story, &story->streams[i]);
        }
    }
}

void story_reopen(struct story *story, enum story_service service)
{
    fixture_reopen(&story->services[service]);
    story_rewind(story, service);
    story->reopens++;
}

/* The published envelopes after a seq, at most limit, into the story's arena. */
static size_t read_log(struct story *story, enum story_service service, uint64_t after_seq,
                       struct ates_bytes *envelopes, size_t limit)
{
    struct ates_log_reader reader;
    struct ates_stored_record stored;
    struct ates_record record;
    size_t count = 0;

    cr_assert_eq(ates_log_read_open(&reader, ates_engine_log(story->services[service].engine)), 0);
    cr_assert_eq(ates_log_read_seek(&reader, after_seq + 1), 0);
    while (count < limit && ates_log_read_next(&reader, &stored) == 0) {
        const void *bytes = ates_arena_copy(story->arena, stored.bytes.data, stored.bytes.size);

        cr_assert_eq(ates_record_decode(bytes, stored.bytes.size, story->arena, &record), 0);
        for (size_t i = 0; i < record.events.count && count < limit; i++) {
            if (record.first_seq + i > after_seq) {
                envelopes[count++] = ((const struct ates_bytes *)record.events.items)[i];
            }
        }
    }
    ates_log_read_close(&reader);
    return count;
}

static struct ates_envelope open_envelope(struct story *story, struct ates_bytes bytes)
{
    struct ates_envelope envelope;

    cr_assert_eq(ates_message_decode(&ates_envelope_message, bytes.data, bytes.size,
                                     ATES_UNKNOWN_REFUSED, story->arena, &envelope, NULL),
                 0);
    return envelope;
}

/* Whether the event is this message; then data is filled. */
static bool is_event(struct story *story, const struct ates_envelope *envelope,
                     const struct ates_message *message, void *data)
{
    if (!event_is(envelope, message)) {
        return false;
    }
    cr_assert_eq(ates_message_decode(message, envelope->data.data, envelope->data.size,
                                     ATES_UNKNOWN_REFUSED, story->arena, data, NULL),
                 0);
    return true;
}

/* Whether the event tells of a task's creation, in version 1 or 2. */
static bool is_created(struct story *story, const struct ates_envelope *envelope, uint64_t *task_id,
                       uint64_t *assigned_to)
{
    struct tasks_task_created_v2 created;
    struct tasks_task_created older;

    if (is_event(story, envelope, &tasks_task_created_v2_message, &created)) {
        *task_id = created.task_id;
        *assigned_to = created.assigned_to;
        return true;
    }
    if (is_event(story, envelope, &tasks_task_created_message, &older)) {
        *task_id = older.task_id;
        *assigned_to = older.assigned_to;
        return true;
    }
    return false;
}

/* A task's event, to tasks' side of the model. */
static const char *tell_tasks_side(struct story *story, const struct ates_envelope *envelope,
                                   size_t *assigned_count)
{
    uint64_t task_id, assigned_to;
    struct tasks_task_assigned assigned;
    struct tasks_task_completed completed;

    if (is_created(story, envelope, &task_id, &assigned_to)) {
        return task_id <= story->model.task_count /* told of by another version before */
                   ? NULL
                   : story_model_created(&story->model, task_id, assigned_to);
    }
    if (is_event(story, envelope, &tasks_task_assigned_message, &assigned)) {
        ++*assigned_count;
        return story_model_assigned(&story->model, assigned.task_id, assigned.from_user_id,
                                    assigned.assigned_to);
    }
    if (is_event(story, envelope, &tasks_task_completed_message, &completed)) {
        return story_model_completed(&story->model, completed.task_id, completed.completed_by);
    }
    return NULL;
}

enum { READ_MAX = 512 };

size_t story_read_tasks(struct story *story)
{
    struct ates_bytes envelopes[READ_MAX];
    size_t count, assigned_count = 0;

    do {
        count = read_log(story, STORY_TASKS_SERVICE, story->tasks_seen, envelopes, READ_MAX);
        for (size_t i = 0; i < count; i++) {
            const struct ates_envelope envelope = open_envelope(story, envelopes[i]);
            const char *wrong = tell_tasks_side(story, &envelope, &assigned_count);

            cr_assert_null(wrong, "tasks' event %lu: %s", (unsigned long)envelope.seq, wrong);
            story->tasks_seen = envelope.seq;
        }
        ates_arena_reset(story->arena);
    } while (count == READ_MAX);
    return assigned_count;
}

/* The prices that accounting drew, then what tasks' event cost or paid. */
static void tell_prices(struct story *story, uint64_t after_seq)
{
    struct ates_bytes envelopes[READ_MAX];
    const size_t count = read_log(story, STORY_ACCOUNTING, after_seq, envelopes, READ_MAX);
    struct accounting_task_priced priced;

    for (size_t i = 0; i < count; i++) {
        const struct ates_envelope envelope = open_envelope(story, envelopes[i]);

        if (is_event(story, &envelope, &accounting_task_priced_message, &priced)) {
            const char *wrong =
                story_model_priced(&story->model, priced.task_id, priced.assign_price_cents,
                                   priced.complete_price_cents);
            cr_assert_null(wrong, "task %lu: %s", (unsigned long)priced.task_id, wrong);
        }
    }
}

static void tell_accounting_side(struct story *story, const struct ates_envelope *envelope)
{
    struct story_model *model = &story->model;
    const size_t before = model->move_count;
    uint64_t task_id, assigned_to;
    struct tasks_task_assigned assigned;
    struct tasks_task_completed completed;

    if (is_created(story, envelope, &task_id, &assigned_to)) {
        if (!model->tasks[task_id].is_charged) {
            model->tasks[task_id].is_charged = true;
            story_model_move(model, STORY_FEE, task_id, assigned_to, envelope->event_time);
        }
    } else if (is_event(story, envelope, &tasks_task_assigned_message, &assigned)) {
        story_model_move(model, STORY_FEE, assigned.task_id, assigned.assigned_to,
                         envelope->event_time);
    } else if (is_event(story, envelope, &tasks_task_completed_message, &completed)) {
        story_model_move(model, STORY_REWARD, completed.task_id, completed.completed_by,
                         envelope->event_time);
    }
    cr_assert_lt(model->move_count, STORY_MOVES);
    if (model->move_count > before && model->moves[before].day != model->moves[before].own) {
        story->late_moves++;
    }
}

/* What tasks knows of a user from now on; how many of the user's tasks it must draw again. */
static size_t tell_user(struct story *story, const struct ates_envelope *envelope)
{
    struct ates_user_registered registered;
    struct ates_user_changed user;

    if (is_event(story, envelope, &ates_user_registered_message, &registered)) {
        user = (struct ates_user_changed){.user_id = registered.user_id, .role = registered.role};
    } else if (!is_event(story, envelope, &ates_user_changed_message, &user)) {
        return 0;
    }
    struct story_user *known = &story->model.users[user.user_id];
    const bool was = known->may_be_drawn;

    known->may_be_drawn = !user.disabled && user.role != ATES_ADMINISTRATOR &&
                          user.role != ATES_MANAGER && user.role != ATES_INTERNALSERVICE;
    return was && !known->may_be_drawn && story_model_eligible(&story->model) > 0
               ? story_model_open_tasks(&story->model, user.user_id)
               : 0;
}

/* To the follower, as the next event of a chain without a gap. */
static void follow(struct story *story, struct story_stream *stream,
                   const struct ates_envelope *envelope, struct ates_bytes bytes)
{
    struct fixture *to = &story->services[stream->to];
    struct ates_position next = {.known = true, .seq = envelope->seq};

    cr_assert_eq(envelope->seq, stream->position.seq + 1, "seq has a gap");
    cr_assert_eq(envelope->prev.size, ATES_HASH_SIZE);
    cr_assert_arr_eq(envelope->prev.data, stream->position.hash, ATES_HASH_SIZE);
    cr_assert(!stream->position.known ||
              ates_text_equal(envelope->log_id, ates_text_from(stream->position.log_id)));
    memcpy(next.log_id, envelope->log_id.data, envelope->log_id.size);
    ates_envelope_hash(bytes.data, bytes.size, next.hash);
    const int r = ates_engine_follow(to->engine, envelope, bytes, &next, &to->refusal);
    cr_assert_eq(r, 0, "%s does not take %.*s: %d %s", to->domain->service->name,
                 (int)envelope->event_name.size, envelope->event_name.data, r, to->refusal.reason);
    stream->position = next;
}

/* Events of no interest leave no trace of their own. */
static void settle_position(struct story *story, struct story_stream *stream)
{
    struct fixture *to = &story->services[stream->to];
    const char *producer = domains[stream->from]->service->name;
    struct ates_position known;

    cr_assert_eq(ates_engine_position(to->engine, producer, &known), 0);
    stream->is_settled = known.seq == stream->position.seq;
    if (!stream->is_settled && (story->is_quiet || !story_chance(story, 4))) {
        cr_assert_eq(ates_engine_follow_position(to->engine, producer, &stream->position), 0);
        stream->is_settled = true;
    }
}

size_t story_carry(struct story *story, struct story_stream *stream, size_t limit)
{
    const bool to_tasks = stream->to == STORY_TASKS_SERVICE;
    const bool is_money = stream->from == STORY_TASKS_SERVICE && stream->to == STORY_ACCOUNTING;
    struct fixture *to = &story->services[stream->to];
    const uint64_t head = fixture_head(to);
    struct ates_bytes bytes[READ_MAX / 4];
    struct ates_envelope envelopes[READ_MAX / 4];
    size_t redrawn = 0;

    if (limit > READ_MAX / 4) {
        limit = READ_MAX / 4; /* each makes two events at most */
    }
    if (to_tasks) {
        limit = 1; /* a job each */
    }
    const size_t count = read_log(story, stream->from, stream->position.seq, bytes, limit);
    for (size_t i = 0; i < count; i++) {
        envelopes[i] = open_envelope(story, bytes[i]);
        follow(story, stream, &envelopes[i], bytes[i]);
        redrawn += to_tasks ? tell_user(story, &envelopes[i]) : 0;
    }
    if (count > 0 || !stream->is_settled) {
        settle_position(story, stream);
        fixture_commit(to);
    }
    if (is_money && count > 0) {
        tell_prices(story, head);
        for (size_t i = 0; i < count; i++) {
            tell_accounting_side(story, &envelopes[i]);
        }
    }
    ates_arena_reset(story->arena);
    if (to_tasks) {
        while (ates_engine_has_steps(to->engine)) {
            fixture_step(to);
        }
        cr_assert_eq(story_read_tasks(story), redrawn, "tasks drawn again");
        story->redraws += redrawn > 0;
    }
    return count;
}

struct story_stream *story_tasks_to_accounting(struct story *story)
{
    return &story->streams[0];
}

void story_carry_some(struct story *story)
{
    for (size_t i = 0; i < STORY_STREAMS; i++) {
        if (story->is_quiet || story_chance(story, 3)) {
            story_carry(story, &story->streams[i], 1 + story_draw(story, 20));
        }
    }
}

/* Without a server mails become files; some attempts fail. */
static void send_mail(struct story *story, struct ates_begun *begun)
{
    struct fixture *accounting = story_fixture(story, STORY_ACCOUNTING);
    const struct mail_result failed = {.outcome = MAIL_TEMPORARY, .words = "try again"};

    cr_assert_eq(begun->work, &accounting_send_work);
    if (!story->is_quiet && story_chance(story, 10)) {
        fixture_end_begun(accounting, begun, &failed);
    } else {
        fixture_run_begun(accounting, begun);
    }
}

void story_run_jobs(struct story *story)
{
    struct fixture *accounting = story_fixture(story, STORY_ACCOUNTING);
    struct ates_begun *begun = NULL;

    cr_assert_not(story->model.is_waiting);
    do {
        if (begun != NULL) {
            send_mail(story, begun);
        }
        while (ates_engine_has_steps(accounting->engine)) {
            fixture_step(accounting);
        }
    } while ((begun = fixture_take_begun(accounting)) != NULL);
}

void story_settle(struct story *story)
{
    const bool was_quiet = story->is_quiet;
    size_t carried;

    story->is_quiet = true;
    do {
        carried = 0;
        for (size_t i = 0; i < STORY_STREAMS; i++) {
            size_t count;

            while ((count = story_carry(story, &story->streams[i], SIZE_MAX)) > 0) {
                carried += count;
            }
        }
        story_run_jobs(story);
        carried += story_run_payment(story);
    } while (carried > 0);
    story->is_quiet = was_quiet;
}
