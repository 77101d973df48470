/* An import against a service that is overloaded, forgets to answer, answers twice and late, and
 * refuses: every row takes effect once, or the import says what stopped it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include <ates/tasks.h>

#include "atesctl/session_store.h"
#include "atesctl/task_import.h"
#include "support/fake_service.h"
#include "support/seed.h"

#define ROWS 400

static struct fake_service service;
static struct ctl ctl;
static char folder[64], csv[96];

/* What the service has done: written by its thread, read when that has ended. */
static char done[2 * ROWS][33];
static size_t done_count, refused_from;
static bool is_calm, is_unasked;
static uint64_t seed;

static void set_up(void)
{
    strcpy(folder, "/tmp/ates-import-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    setenv("XDG_STATE_HOME", folder, 1);
    snprintf(csv, sizeof csv, "%s/tasks.csv", folder);
    FILE *out = fopen(csv, "w");
    cr_assert_not_null(out);
    fputs("name,description\n", out);
    for (int i = 0; i < ROWS; i++) {
        fprintf(out, "Task %d,\"of\nmany\"\n", i / 2); /* rows may be alike */
    }
    cr_assert_eq(fclose(out), 0);
    done_count = 0;
    is_calm = is_unasked = false;
    refused_from = SIZE_MAX;
    seed = seed_start();
}

static void tear_down(void)
{
    char command[128];

    fake_service_clean(&service);
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(task_import, .init = set_up, .fini = tear_down, .timeout = 60);

static void reply(struct fake_service *self, const struct fake_request *request, const char *status,
                  const struct ates_message *message, const void *value)
{
    struct ates_buffer body = {0};

    ates_message_encode(message, value, &body);
    fake_send_reply(self, request, status, body.data, body.size);
    ates_buffer_release(&body);
}

static void refuse(struct fake_service *self, const struct fake_request *request,
                   const char *status, const char *reason)
{
    const struct ates_refusal_body refusal = {.reason = ates_text_from(reason),
                                              .message = ates_text_from("not now"),
                                              .has_retry_after_ms = true,
                                              .retry_after_ms = 5};

    reply(self, request, status, &ates_refusal_body_message, &refusal);
}

/* Does what the request asks, once for each request id. */
static void create(const struct fake_request *request)
{
    struct ates_arena *arena = ates_arena_new();
    struct ates_request_meta meta;

    cr_assert_eq(ates_message_decode(&ates_request_meta_message, request->data[request->first + 2],
                                     request->size[request->first + 2], ATES_UNKNOWN_REFUSED, arena,
                                     &meta, NULL),
                 0);
    cr_assert(meta.has_request_id && meta.request_id.size == 32);
    bool known = false;
    for (size_t i = 0; i < done_count; i++) {
        known = known || memcmp(done[i], meta.request_id.data, 32) == 0;
    }
    if (!known) {
        cr_assert_lt(done_count, 2 * ROWS);
        memcpy(done[done_count++], meta.request_id.data, 32);
    }
    ates_arena_free(&arena);
}

static void behave(struct fake_service *self, const struct fake_request *request)
{
    const struct ates_health_result health = {
        .status = ates_text_from("serving"), .version = ates_text_from("1"), .seq = 1000};
    const struct tasks_task_result result = {
        .task = {.id = 1, .name = ates_text_from("x"), .assigned_to = 1}};

    if (fake_is_command(request, "tasks.health")) {
        reply(self, request, "OK", &ates_health_result_message, &health);
        return;
    }
    const uint64_t luck = is_calm ? 9 : seed_draw(&seed, 10);
    if (luck == 0) {
        refuse(self, request, "RESOURCE_EXHAUSTED", "BUSY");
    } else if (luck == 1) {
        refuse(self, request, "UNAVAILABLE", "STARTING");
    } else if (luck == 2) {
        return; /* never came */
    } else if (done_count >= refused_from) {
        refuse(self, request, "FAILED_PRECONDITION", "NO_ASSIGNEES");
    } else {
        create(request);
        for (int i = luck == 3 ? 0 : luck == 4 ? 2 : 1; i > 0; i--) {
            reply(self, request, "OK", &tasks_task_result_message, &result);
        }
    }
}

static int import(void)
{
    static struct ctl_session session;
    char *arguments[] = {csv, NULL};
    const struct ctl_input input = {
        .command = &task_import_command, .arguments = arguments, .count = 1};

    session = (struct ctl_session){.token = "t",
                                   .user_id = 3,
                                   .expires_at = INT64_MAX / 2,
                                   .session_expires_at = INT64_MAX / 2};
    ctl = (struct ctl){.timeout_ms = 300,
                       .arena = ates_arena_new(),
                       .session = &session,
                       .no_input = true,
                       .yes = !is_unasked};
    strcpy(ctl.config.run_dir, service.run_dir);
    const int code = task_import_command.run(&ctl, &input);
    ates_client_free(&ctl.client);
    ates_arena_free(&ctl.arena);
    return code;
}

Test(task_import, every_row_once_through_trouble)
{
    fake_service_start(&service, behave);
    cr_expect_eq(import(), CTL_OK);
    cr_expect_eq(import(), CTL_OK, "a second time does nothing");
    fake_service_stop(&service);
    cr_expect_eq(done_count, ROWS);
}

Test(task_import, creates_nothing_where_nobody_says_yes)
{
    char command[160];

    is_unasked = true;
    fake_service_start(&service, behave);
    cr_expect_eq(import(), CTL_USAGE);
    snprintf(command, sizeof command, "! ls '%s'/ates/import-* 2>/dev/null", folder);
    cr_expect_eq(system(command), 0, "an import that was not begun has no journal");
    is_unasked = false;
    cr_expect_eq(import(), CTL_OK);
    is_unasked = true;
    cr_expect_eq(import(), CTL_OK, "where nothing is left to create nobody is asked");
    fake_service_stop(&service);
    cr_expect_eq(done_count, ROWS);
}

Test(task_import, goes_on_after_a_refusal)
{
    refused_from = ROWS / 3;
    fake_service_start(&service, behave);
    cr_expect_eq(import(), CTL_CONFLICT);
    fake_service_stop(&service);
    cr_expect_geq(done_count, ROWS / 3);
    cr_expect_lt(done_count, ROWS);
    refused_from = SIZE_MAX;
    fake_service_start(&service, behave);
    cr_expect_eq(import(), CTL_OK);
    fake_service_stop(&service);
    cr_expect_eq(done_count, ROWS);
}

/* What the journal lost, the request ids make up for. */
Test(task_import, without_its_journal)
{
    char command[160];

    is_calm = true;
    refused_from = ROWS / 2;
    fake_service_start(&service, behave);
    cr_expect_eq(import(), CTL_CONFLICT);
    snprintf(command, sizeof command, "rm '%s'/ates/import-*", folder);
    cr_assert_eq(system(command), 0);
    fake_service_stop(&service);
    refused_from = SIZE_MAX;
    fake_service_start(&service, behave);
    cr_expect_eq(import(), CTL_OK);
    fake_service_stop(&service);
    cr_expect_eq(done_count, ROWS);
}

static void mute(struct fake_service *self, const struct fake_request *request)
{
    if (fake_is_command(request, "tasks.health")) {
        behave(self, request);
    }
}

Test(task_import, gives_up_on_silence)
{
    fake_service_start(&service, mute);
    cr_expect_eq(import(), CTL_UNREACHABLE);
    fake_service_stop(&service);
}
