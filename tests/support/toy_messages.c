/* The toy domain's field tables; see toy_domain.h. */
#include "core/fields.h"
#include "support/toy_domain.h"

#define TOY_KEY .type = ATES_TEXT, .rule = ATES_RULE_LINE, .min = 1, .max = 64
#define TOY_VALUE .type = ATES_TEXT, .max = TOY_VALUE_MAX

static const char *const toy_places[] = {"decide", "apply", "answer", "event", NULL};

static const struct ates_field toy_put_fields[] = {
    {ATES_FIELD(toy_put, key), TOY_KEY},
    {ATES_FIELD(toy_put, value), TOY_VALUE},
};
ATES_MESSAGE(toy_put, "put");
const struct ates_message toy_stored_message = {
    .name = "toy_stored", .fields = toy_put_fields, .count = 2, .size = sizeof(struct toy_put)};

static const struct ates_field toy_get_fields[] = {{ATES_FIELD(toy_get, key), TOY_KEY}};
ATES_MESSAGE(toy_get, "get");

static const struct ates_field toy_entry_fields[] = {
    {ATES_FIELD(toy_entry, key), TOY_KEY},
    {ATES_FIELD(toy_entry, value), TOY_VALUE},
    {ATES_FIELD(toy_entry, version), .type = ATES_UINT},
    {ATES_FIELD(toy_entry, put_at), ATES_IS_TIME},
    {ATES_FIELD(toy_entry, put_by), .type = ATES_UINT},
};
ATES_MESSAGE(toy_entry, "entry");

static const struct ates_field toy_add_fields[] = {
    {ATES_FIELD(toy_add, a), .type = ATES_INT},
    {ATES_FIELD(toy_add, b), .type = ATES_INT},
};
ATES_MESSAGE(toy_add, "add");

static const struct ates_field toy_add_result_fields[] = {
    {ATES_FIELD(toy_add_result, total), .type = ATES_INT},
};
ATES_MESSAGE(toy_add_result, "add_result");
const struct ates_message toy_added_message = {.name = "toy_added",
                                               .fields = toy_add_result_fields,
                                               .count = 1,
                                               .size = sizeof(struct toy_add_result)};

static const struct ates_field toy_run_fields[] = {
    {ATES_FIELD(toy_run, count), .type = ATES_UINT, .min = 1, .max = 1000},
};
ATES_MESSAGE(toy_run, "run");

static const struct ates_field toy_run_result_fields[] = {
    {ATES_FIELD(toy_run_result, job), .type = ATES_UINT},
    {ATES_FIELD(toy_run_result, steps), .type = ATES_UINT},
};
ATES_MESSAGE(toy_run_result, "run_result");

/* A job's row and its events: how many steps there are still to do. */
#define TOY_JOB_MESSAGE(NAME)                                                                      \
    const struct ates_message NAME##_message = {.name = #NAME,                                     \
                                                .fields = toy_run_result_fields,                   \
                                                .count = 2,                                        \
                                                .size = sizeof(struct toy_run_result)}
TOY_JOB_MESSAGE(toy_job_started);
TOY_JOB_MESSAGE(toy_job_stepped);
TOY_JOB_MESSAGE(toy_job_done);

static const struct ates_field toy_fail_fields[] = {
    {ATES_FIELD(toy_fail, place), .type = ATES_ENUM, .names = toy_places},
};
ATES_MESSAGE(toy_fail, "fail");
const struct ates_message toy_failed_message = {
    .name = "toy_failed", .fields = toy_fail_fields, .count = 1, .size = sizeof(struct toy_fail)};

static const struct ates_field toy_note_fields[] = {
    {ATES_FIELD(toy_note, text), TOY_VALUE},
    {ATES_FIELD(toy_note, times), .type = ATES_UINT, .max = 5000},
};
ATES_MESSAGE(toy_note, "note");

static const struct ates_field other_said_fields[] = {{ATES_FIELD(other_said, text), TOY_VALUE}};
ATES_MESSAGE(other_said, "said");

#define TOY_TEXT_MESSAGE(NAME, WORD)                                                               \
    const struct ates_message NAME##_message = {                                                   \
        .name = WORD, .fields = other_said_fields, .count = 1, .size = sizeof(struct other_said)}
TOY_TEXT_MESSAGE(toy_noted, "toy_noted");
TOY_TEXT_MESSAGE(toy_heard, "toy_heard");
TOY_TEXT_MESSAGE(other_said_snapshot, "said_snapshot");

static const struct ates_field toy_hide_fields[] = {
    {ATES_FIELD(toy_hide, secret), TOY_VALUE, .secret = true},
};
ATES_MESSAGE(toy_hide, "hide");
const struct ates_message toy_hidden_message = {
    .name = "toy_hidden", .fields = toy_hide_fields, .count = 1, .size = sizeof(struct toy_hide)};

static const struct ates_field toy_big_fields[] = {
    {ATES_FIELD(toy_big, size), .type = ATES_UINT, .max = 1000000},
};
ATES_MESSAGE(toy_big, "big");
static const struct ates_field toy_big_result_fields[] = {
    {ATES_FIELD(toy_big_result, text), .type = ATES_TEXT},
};
ATES_MESSAGE(toy_big_result, "big_result");
