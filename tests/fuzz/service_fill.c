/* What the services of the fuzz targets begin with: users, tasks and money; see service.h. */
#include <ates/accounting.h>
#include <ates/auth.h>
#include <ates/payment.h>
#include <ates/tasks.h>

#include "service.h"

const struct fuzz_person fuzz_users[FUZZ_USERS_END] = {
    [FUZZ_ADMINISTRATOR] = {"admin", ATES_ADMINISTRATOR},
    [FUZZ_MANAGER] = {"manager", ATES_MANAGER},
    [FUZZ_ACCOUNTANT] = {"accountant", ATES_ACCOUNTANT},
    [FUZZ_POPUG] = {"popug", ATES_DEVELOPER},
    [FUZZ_OTHER_POPUG] = {"popug2", ATES_DEVELOPER},
    [FUZZ_BOSS] = {"boss", ATES_BOSS},
};

struct ates_bytes fuzz_seal(const struct ates_position *position, const char *producer,
                            const char *event_name, uint64_t version, int64_t time,
                            struct ates_bytes data)
{
    static struct ates_buffer bytes;
    const struct ates_envelope envelope = {
        .event_id = ates_text_from("018bcfe5-6800-7000-8000-000000000002"),
        .event_name = ates_text_from(event_name),
        .event_version = version,
        .event_time = time,
        .producer = ates_text_from(producer),
        .log_id = ates_text_from(position->known ? position->log_id
                                                 : "018bcfe5-6800-7000-8000-000000000001"),
        .seq = position->seq + 1,
        .prev = {position->hash, sizeof position->hash},
        .data = data,
    };

    bytes.size = 0;
    ates_message_encode(&ates_envelope_message, &envelope, &bytes);
    return (struct ates_bytes){bytes.data, bytes.size};
}

/* Followed as if it had come from its producer, where the service follows such events at all. */
static void follow(struct fuzz_service *self, const char *producer,
                   const struct ates_message *message, const void *value)
{
    struct ates_position position, next = {.known = true};
    struct ates_envelope envelope;
    struct ates_refusal refusal;
    struct ates_buffer data = {0};
    struct ates_arena *arena = ates_arena_new();

    fuzz_require(ates_engine_position(self->engine, producer, &position) == 0);
    ates_message_encode(message, value, &data);
    const struct ates_bytes bytes = fuzz_seal(&position, producer, message->name, 1, FUZZ_TIME,
                                              (struct ates_bytes){data.data, data.size});
    fuzz_require(ates_message_decode(&ates_envelope_message, bytes.data, bytes.size,
                                     ATES_UNKNOWN_REFUSED, arena, &envelope, &refusal) == 0);
    next.seq = envelope.seq;
    memcpy(next.log_id, envelope.log_id.data, envelope.log_id.size);
    ates_envelope_hash(bytes.data, bytes.size, next.hash);
    fuzz_require(ates_engine_follow(self->engine, &envelope, bytes, &next, &refusal) == 0);
    ates_buffer_release(&data);
    ates_arena_free(&arena);
}

static void follow_users(struct fuzz_service *self)
{
    for (uint64_t id = 1; id < FUZZ_USERS_END; id++) {
        const struct ates_user_changed user = {.user_id = id,
                                               .login = ates_text_from(fuzz_users[id].login),
                                               .email = ates_text_from("popug@example.org"),
                                               .role = (int)fuzz_users[id].role};

        follow(self, "auth", &ates_user_changed_message, &user);
    }
}

static void follow_tasks(struct fuzz_service *self)
{
    for (uint64_t id = 1; id <= 3; id++) {
        const struct tasks_task_created task = {.task_id = id,
                                                .name = ates_text_from("feed the parrot"),
                                                .description = ates_text_from(""),
                                                .assigned_to =
                                                    id == 2 ? FUZZ_OTHER_POPUG : FUZZ_POPUG,
                                                .created_by = FUZZ_MANAGER};

        follow(self, "tasks", &tasks_task_created_message, &task);
    }
    const struct tasks_task_completed completed = {.task_id = 2, .completed_by = FUZZ_OTHER_POPUG};
    follow(self, "tasks", &tasks_task_completed_message, &completed);
}

static void follow_money(struct fuzz_service *self)
{
    const struct accounting_transfer_recorded reward = {
        .transfer = {.id = 1,
                     .timestamp = FUZZ_TIME,
                     .user_id = FUZZ_OTHER_POPUG,
                     .kind = ACCOUNTING_COMPLETION_REWARD,
                     .delta_cents = 2500,
                     .balance_cents = 2500,
                     .has_task_id = true,
                     .task_id = 2,
                     .business_date = ates_text_from("2023-11-15"),
                     .description = ates_text_from("feed the parrot")}};
    const struct accounting_payout_closed closed = {
        .business_date = ates_text_from("2023-11-14"), .paid_count = 1, .total_cents = 2500};

    follow(self, "accounting", &accounting_transfer_recorded_message, &reward);
    follow(self, "accounting", &accounting_payout_closed_message, &closed);
}

static void call(struct fuzz_service *self, enum fuzz_user caller, const char *name,
                 const struct ates_message *message, const void *value)
{
    struct ates_buffer body = {0};

    ates_message_encode(message, value, &body);
    fuzz_service_call(self, caller, ates_text_from(name), (struct ates_text){.size = 0},
                      (struct ates_bytes){body.data, body.size});
    ates_buffer_release(&body);
}

static void register_users(struct fuzz_service *self)
{
    for (uint64_t id = 1; id < FUZZ_USERS_END; id++) {
        const struct auth_register_user user = {.login = ates_text_from(fuzz_users[id].login),
                                                .email = ates_text_from("popug@example.org"),
                                                .password = ates_text_from("12345678"),
                                                .role = (int)fuzz_users[id].role};

        call(self, FUZZ_SERVICE, "auth.register_user", &auth_register_user_message, &user);
    }
}

static void create_tasks(struct fuzz_service *self)
{
    for (int i = 0; i < 3; i++) {
        const struct tasks_create_task task = {.name = ates_text_from("feed the parrot"),
                                               .description = ates_text_from("two spoons")};

        call(self, FUZZ_MANAGER, "tasks.create_task", &tasks_create_task_message, &task);
    }
}

void fuzz_service_fill(struct fuzz_service *self)
{
    const char *name = self->actor.name;

    if (strcmp(name, "auth") == 0) {
        register_users(self);
    } else if (strcmp(name, "payment") != 0) { /* which may yet begin with a snapshot of them */
        follow_users(self);
    }
    if (strcmp(name, "tasks") == 0) {
        create_tasks(self);
    }
    if (strcmp(name, "analytics") != 0) { /* which may yet begin with a snapshot of them */
        follow_tasks(self);
    }
    follow_money(self);
    actor_release_replies(&self->actor);
    self->actor.reply_bytes.size = 0;
    fuzz_require(ates_engine_commit(self->engine) == 0);
    fuzz_require(ates_engine_checkpoint(self->engine, true) > 0);
    self->base = *ates_engine_head(self->engine);
    fuzz_require(self->base.seq > 0 || self->base.number > 0);
}
