/* A real actor behind its sockets: what it answers, once each, and what is left when it closes. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/temp_folder.h"
#include "support/toy_actor.h"

static struct toy_actor toy;

static void setup(void)
{
    toy_actor_open(&toy);
    toy_actor_start(&toy);
}

static void teardown(void)
{
    toy_actor_close(&toy);
}

TestSuite(actor, .init = setup, .fini = teardown, .timeout = 300);

static uint64_t version_of(const char *key)
{
    const struct toy_get body = {ates_text_from(key)};
    struct toy_entry entry;

    return toy_call(&toy, ATES_ROLE_COUNT, "get", NULL, &body, &entry) == ATES_OK ? entry.version
                                                                                  : 0;
}

static void assert_refused(int status, const char *reason)
{
    cr_assert_eq((int)toy.reply.status, status, "%s", toy.reply.refusal.reason);
    cr_assert_str_eq(toy.reply.refusal.reason, reason);
}

Test(actor, health_needs_no_token)
{
    struct ates_health_result health;

    cr_assert_str_eq(ates_actor_name(toy.actor), "toy");
    cr_assert_eq(toy_call(&toy, ATES_ROLE_COUNT, "health", NULL, NULL, &health), ATES_OK);
    cr_assert(ates_text_equal(health.status, ates_text_from("serving")));
    cr_assert(ates_text_equal(health.version, ates_text_from(ATES_VERSION)));
    cr_assert_eq(health.seq, 0);
    toy_put_value(&toy, "k", "v");
    cr_assert_eq(toy.reply.seq, 1);
    cr_assert_eq(toy_call(&toy, ATES_ROLE_COUNT, "health", NULL, NULL, &health), ATES_OK);
    cr_assert(health.seq == 1 && toy.reply.seq == 1);
}

static int64_t metric(const struct ates_metrics_result *metrics, const char *name,
                      const char *label)
{
    const struct ates_metric *items = metrics->items.items;

    for (size_t i = 0; i < metrics->items.count; i++) {
        const struct ates_text labels = items[i].labels;

        if (ates_text_equal(items[i].name, ates_text_from(name)) &&
            memmem(labels.data, labels.size, label, strlen(label)) != NULL) {
            return items[i].value;
        }
    }
    return -1;
}

Test(actor, metrics_count_what_was_done)
{
    struct ates_metrics_result metrics;

    for (int i = 0; i < 3; i++) {
        toy_put_value(&toy, "k", "v");
    }
    version_of("none");
    cr_assert_eq(toy_call(&toy, ATES_DEVELOPER, "metrics", NULL, NULL, NULL),
                 ATES_PERMISSION_DENIED);
    cr_assert_eq(toy_call(&toy, ATES_ROLE_COUNT, "metrics", NULL, NULL, NULL),
                 ATES_UNAUTHENTICATED);
    cr_assert_eq(toy_call(&toy, ATES_ADMINISTRATOR, "metrics", NULL, NULL, &metrics), ATES_OK);
    cr_assert_eq(metric(&metrics, "ates_commands_total", "command=\"toy.put\",status=\"OK\""), 3);
    cr_assert_eq(
        metric(&metrics, "ates_commands_total", "command=\"toy.get\",status=\"NOT_FOUND\""), 1);
    cr_assert_eq(metric(&metrics, "ates_log_head_seq", "toy"), 3);
    cr_assert_eq(metric(&metrics, "ates_log_records", "toy"), 3);
    cr_assert_eq(metric(&metrics, "ates_follower_stopped", "producer=\"auth\""), 0);
    cr_assert_eq(metric(&metrics, "ates_dead_letters", "toy"), 0);
    cr_assert_eq(metric(&metrics, "ates_waiting_replies", "toy"), 0);
    cr_assert_eq(metric(&metrics, "ates_command_duration_microseconds", "toy.put"), 3);
    cr_assert_geq(metric(&metrics, "ates_batch_records", "toy"), 1);
    cr_assert_geq(metric(&metrics, "ates_store_used_permille", "store=\"state\""), 0);
    cr_assert_eq(metric(&metrics, "ates_disk_has_room", "toy"), 1);
}

/* Reads a page after a seq; checks its chain from prev, which it moves on. Returns how many events.
 */
static size_t read_page(uint64_t after_seq, uint64_t limit, uint8_t prev[ATES_HASH_SIZE])
{
    const struct ates_read_events body = {
        .after_seq = after_seq, .has_limit = limit > 0, .limit = limit};
    struct ates_read_events_result page;

    ates_arena_reset(toy.fixture.arena);
    cr_assert_eq(toy_call(&toy, ATES_INTERNALSERVICE, "read_events", NULL, &body, &page), ATES_OK);
    cr_assert_leq(toy.reply.body.size, ATES_FRAME_MAX);
    const struct ates_bytes *events = page.events.items;
    for (size_t i = 0; i < page.events.count; i++) {
        struct ates_envelope envelope;

        cr_assert_eq(ates_message_decode(&ates_envelope_message, events[i].data, events[i].size,
                                         ATES_UNKNOWN_REFUSED, toy.fixture.arena, &envelope, NULL),
                     0);
        cr_assert_eq(envelope.seq, after_seq + i + 1);
        cr_assert_arr_eq(envelope.prev.data, prev, ATES_HASH_SIZE);
        ates_envelope_hash(events[i].data, events[i].size, prev);
    }
    return page.events.count;
}

Test(actor, read_events_gives_pages_of_a_limit)
{
    const struct toy_note note = {ates_text_from("x"), 1200};
    uint8_t prev[ATES_HASH_SIZE] = {0};

    cr_assert_eq(read_page(0, 0, prev), 0);
    cr_assert_eq(toy_call(&toy, ATES_DEVELOPER, "note", NULL, &note, NULL), ATES_OK);
    cr_assert_eq(read_page(0, 0, prev), 100, "the default");
    cr_assert_eq(read_page(100, 1, prev), 1);
    uint64_t at = 101;
    while (at < 1200) {
        const size_t count = read_page(at, 1000, prev);
        cr_assert_gt(count, 0);
        at += count;
    }
    cr_assert_eq(read_page(1200, 1000, prev), 0);
    cr_assert_eq(read_page(4711, 1000, prev), 0);
    const struct ates_read_events greedy = {.has_limit = true, .limit = 1001};
    toy_call(&toy, ATES_ADMINISTRATOR, "read_events", NULL, &greedy, NULL);
    assert_refused(ATES_INVALID_ARGUMENT, "FIELD_INVALID");
    cr_assert_str_eq(toy.reply.refusal.field, "limit");
    toy_call(&toy, ATES_BOSS, "read_events", NULL, &greedy, NULL);
    cr_assert_neq(toy.reply.status, ATES_OK);
}

Test(actor, read_events_gives_pages_that_fit_a_frame)
{
    static char text[100000];
    const struct toy_note note = {{text, sizeof text}, 5};
    const struct toy_note large = {{text, sizeof text}, 1};
    uint8_t prev[ATES_HASH_SIZE] = {0};

    memset(text, 'x', sizeof text);
    cr_assert_eq(toy_call(&toy, ATES_DEVELOPER, "note", NULL, &note, NULL), ATES_OK);
    cr_assert_eq(toy_call(&toy, ATES_DEVELOPER, "note", NULL, &large, NULL), ATES_OK);
    cr_assert_eq(read_page(0, 1000, prev), 2);
    cr_assert_eq(read_page(2, 1000, prev), 2);
    cr_assert_eq(read_page(4, 1000, prev), 2, "across two records");
    cr_assert_eq(read_page(6, 1000, prev), 0);
}

Test(actor, a_reply_that_fits_no_frame_is_refused)
{
    const struct toy_big fits = {200000}, large = {300000};
    struct toy_big_result result;

    cr_assert_eq(toy_call(&toy, ATES_BOSS, "big", NULL, &fits, &result), ATES_OK);
    cr_assert_eq(result.text.size, 200000);
    toy_call(&toy, ATES_BOSS, "big", NULL, &large, NULL);
    assert_refused(ATES_RESOURCE_EXHAUSTED, "REPLY_TOO_LARGE");
}

/* Sends count puts with ids of this series, keeping many in flight; returns how many were answered
 * OK, each exactly once. */
static size_t pipeline_puts(struct ates_pipeline *pipeline, size_t count)
{
    const struct toy_put put = {ates_text_from("k"), ates_text_from("v")};
    struct ates_buffer body = {0};
    bool *answered = calloc(count, 1);
    size_t sent = 0, received = 0;
    char id[32];

    ates_message_encode(&toy_put_message, &put, &body);
    while (received < count) {
        struct ates_reply reply;

        if (sent < count && sent - received < 3000) {
            snprintf(id, sizeof id, "put-%zu", sent);
            cr_assert_eq(ates_pipeline_send(pipeline, "put", id, body.data, body.size, sent), 0);
            sent++;
            continue;
        }
        cr_assert_eq(ates_pipeline_receive(pipeline, 60000, &reply), 0);
        cr_assert_eq(reply.status, ATES_OK, "%s", reply.refusal.reason);
        cr_assert_lt(reply.tag, count);
        cr_assert_not(answered[reply.tag]);
        answered[reply.tag] = true;
        received++;
    }
    struct ates_reply reply;
    cr_assert_eq(ates_pipeline_receive(pipeline, 0, &reply), -EAGAIN);
    ates_buffer_release(&body);
    free(answered);
    return received;
}

Test(actor, five_thousand_commands_in_flight_are_answered_once_each)
{
    ates_client_set_token(toy.client, toy.tokens[ATES_DEVELOPER]);
    struct ates_pipeline *pipeline = ates_pipeline_new(toy.client, "toy");

    cr_assert_eq(pipeline_puts(pipeline, 5000), 5000);
    cr_assert_eq(pipeline_puts(pipeline, 5000), 5000, "the same ids again");
    ates_pipeline_free(&pipeline);
    cr_assert_eq(version_of("k"), 5000);
}

/* One of many who send the same command at once. */
struct rival {
    pthread_t thread;
    struct ates_buffer body;
    bool replayed;
};

static void *send_same(void *argument)
{
    struct rival *self = argument;
    const struct toy_put put = {ates_text_from("once"), ates_text_from("v")};
    struct ates_client *client = ates_client_new(toy.fixture.config.run_dir);
    struct ates_buffer body = {0};
    struct ates_reply reply;

    ates_client_set_timeout(client, 60000);
    ates_client_set_token(client, toy.tokens[ATES_DEVELOPER]);
    ates_message_encode(&toy_put_message, &put, &body);
    for (int i = 0; i < 20; i++) {
        if (ates_client_call(client, "toy", "put", "one-id", body.data, body.size, &reply) == 0 &&
            reply.status == ATES_OK) {
            self->body.size = 0;
            ates_buffer_append(&self->body, reply.body.data, reply.body.size);
            self->replayed |= reply.replayed;
        }
    }
    ates_buffer_release(&body);
    ates_client_free(&client);
    return NULL;
}

Test(actor, a_request_id_from_many_connections_at_once_has_one_effect)
{
    struct rival rivals[12] = {0};

    for (size_t i = 0; i < 12; i++) {
        cr_assert_eq(pthread_create(&rivals[i].thread, NULL, send_same, &rivals[i]), 0);
    }
    for (size_t i = 0; i < 12; i++) {
        pthread_join(rivals[i].thread, NULL);
    }
    for (size_t i = 0; i < 12; i++) {
        cr_assert(rivals[i].replayed && rivals[i].body.size > 0);
        cr_assert_eq(rivals[i].body.size, rivals[0].body.size);
        cr_assert_arr_eq(rivals[i].body.data, rivals[0].body.data, rivals[0].body.size);
        cr_assert(i == 0 || (ates_buffer_release(&rivals[i].body), true));
    }
    ates_buffer_release(&rivals[0].body);
    cr_assert_eq(version_of("once"), 1);
}

/* Slow things. */

static size_t count_statuses(struct ates_pipeline *pipeline, size_t replies,
                             enum ates_status status)
{
    size_t count = 0;

    for (size_t i = 0; i < replies; i++) {
        struct ates_reply reply;

        cr_assert_eq(ates_pipeline_receive(pipeline, 60000, &reply), 0);
        cr_assert(reply.status == ATES_OK ||
                  (reply.status == ATES_RESOURCE_EXHAUSTED && reply.refusal.retry_after_ms > 0));
        count += reply.status == status;
    }
    return count;
}

Test(actor, deferred_work_comes_back_or_is_refused_when_there_is_too_much)
{
    const struct toy_add add = {1, 2};
    struct toy_add_result result;
    struct ates_buffer body = {0};

    cr_assert_eq(toy_call(&toy, ATES_OTHER, "add", "id-1", &add, &result), ATES_OK);
    cr_assert_eq(result.total, 3);
    cr_assert_eq(toy_call(&toy, ATES_OTHER, "add", "id-1", &add, &result), ATES_OK);
    cr_assert(result.total == 3 && toy.reply.replayed);
    ates_message_encode(&toy_add_message, &add, &body);
    struct ates_pipeline *pipeline = ates_pipeline_new(toy.client, "toy");
    for (uint64_t i = 0; i < 500; i++) {
        cr_assert_eq(ates_pipeline_send(pipeline, "add", NULL, body.data, body.size, i), 0);
    }
    const size_t done = count_statuses(pipeline, 500, ATES_OK);
    cr_assert_eq(toy_call(&toy, ATES_OTHER, "add", NULL, &add, &result), ATES_OK);
    cr_assert_eq(result.total, 3 * (int64_t)(done + 2));
    ates_pipeline_free(&pipeline);
    ates_buffer_release(&body);
}

Test(actor, a_jobs_reply_goes_to_everybody_who_waits)
{
    const struct toy_run run = {300};
    struct ates_buffer body = {0};
    struct toy_run_result result;
    struct ates_reply reply;

    ates_client_set_token(toy.client, toy.tokens[ATES_BOSS]);
    ates_message_encode(&toy_run_message, &run, &body);
    struct ates_pipeline *pipeline = ates_pipeline_new(toy.client, "toy");
    for (uint64_t i = 0; i < 5; i++) {
        cr_assert_eq(ates_pipeline_send(pipeline, "run", "job-id", body.data, body.size, i), 0);
    }
    toy_put_value(&toy, "meanwhile", "v");
    for (uint64_t i = 0; i < 5; i++) {
        cr_assert_eq(ates_pipeline_receive(pipeline, 60000, &reply), 0);
        cr_assert_eq(reply.status, ATES_OK);
        cr_assert_eq(ates_message_decode(&toy_run_result_message, reply.body.data, reply.body.size,
                                         ATES_UNKNOWN_REFUSED, toy.fixture.arena, &result, NULL),
                     0);
        cr_assert_eq(result.job, 1);
    }
    ates_pipeline_free(&pipeline);
    ates_buffer_release(&body);
    cr_assert_eq(toy_call(&toy, ATES_BOSS, "run", "job-id", &run, &result), ATES_OK);
    cr_assert(toy.reply.replayed && result.job == 1);
}

/* Its end. */

Test(actor, ping_is_answered)
{
    for (int i = 0; i < 3; i++) {
        toy_actor_ping(&toy);
    }
}

/* Whatever was committed was answered, and nothing else was. */
Test(actor, close_answers_what_was_committed)
{
    const struct toy_put put = {ates_text_from("k"), ates_text_from("v")};
    struct ates_buffer body = {0};
    struct ates_reply reply;
    uint64_t answered = 0;

    ates_client_set_token(toy.client, toy.tokens[ATES_DEVELOPER]);
    ates_message_encode(&toy_put_message, &put, &body);
    struct ates_pipeline *pipeline = ates_pipeline_new(toy.client, "toy");
    for (uint64_t i = 0; i < 3000; i++) {
        cr_assert_eq(ates_pipeline_send(pipeline, "put", NULL, body.data, body.size, i), 0);
    }
    cr_assert_eq(ates_pipeline_receive(pipeline, 60000, &reply), 0); /* it is at work */
    answered++;
    toy_actor_stop(&toy);
    while (ates_pipeline_receive(pipeline, 500, &reply) == 0) {
        cr_assert_eq(reply.status, ATES_OK);
        answered++;
    }
    ates_pipeline_free(&pipeline);
    ates_buffer_release(&body);
    ates_client_free(&toy.client);
    toy.client = ates_client_new(toy.fixture.config.run_dir);
    toy_actor_start(&toy);
    cr_assert_eq(version_of("k"), answered);
}

Test(actor, a_restart_keeps_all)
{
    struct ates_metrics_result metrics;

    for (int turn = 1; turn <= 3; turn++) {
        cr_assert_eq(toy_put_value(&toy, "k", "v"), (uint64_t)turn);
        toy_actor_stop(&toy);
        toy_actor_start(&toy);
        cr_assert_eq(version_of("k"), (uint64_t)turn);
    }
    cr_assert_eq(toy_call(&toy, ATES_ADMINISTRATOR, "metrics", NULL, NULL, &metrics), ATES_OK);
    cr_assert_eq(metric(&metrics, "ates_replayed_records", "toy"), 0, "a close is a checkpoint");
}

Test(actor, a_second_one_is_refused)
{
    struct ates_actor *second = NULL;
    struct ates_config config = toy.fixture.config;
    static struct fixture other;
    char error[512] = "";

    cr_assert_eq(ates_actor_open(&second, &toy_domain, &config, error, sizeof error), -EBUSY);
    cr_assert_null(second);
    cr_assert_not_null(strstr(error, "in use"), "%s", error);
    fixture_open(&other, &toy_domain); /* other data, the same folder for the socket */
    ates_engine_close(&other.engine);
    strcpy(config.data_dir, other.folder);
    error[0] = '\0';
    cr_assert_eq(ates_actor_open(&second, &toy_domain, &config, error, sizeof error), -EBUSY);
    cr_assert_not_null(strstr(error, "toy.sock"), "%s", error);
    fixture_close(&other);
    cr_assert_eq(toy_put_value(&toy, "k", "v"), 1, "the first one serves on");
}

Test(actor, one_that_cannot_start_says_so)
{
    char path[128];

    toy_put_value(&toy, "k", "v");
    toy_actor_stop(&toy);
    snprintf(path, sizeof path, "%s/toy/log", toy.fixture.folder);
    temp_folder_remove(path);
    char error[512] = "";
    cr_assert_eq(ates_actor_open(&toy.actor, &toy_domain, &toy.fixture.config, error, sizeof error),
                 0);
    cr_assert_eq(ates_actor_start(toy.actor), 0);
    char *word = zstr_recv(ates_actor_pipe(toy.actor));
    cr_assert_str_eq(word, "FAILED");
    zstr_free(&word);
}

/* Dead letters that were there before it. */

static void setup_dead(void)
{
    toy_actor_open(&toy);
    for (int i = 0; i < 5; i++) {
        const struct other_said data = {ates_text_from(i == 2 ? "hello" : "refuse")};

        cr_assert_eq(fixture_follow(&toy.fixture, "other", &other_said_message, 1, 0, &data), 0);
    }
    toy_actor_start(&toy);
}

TestSuite(actor_dead, .init = setup_dead, .fini = teardown, .timeout = 300);

Test(actor_dead, letters_are_shown_page_by_page)
{
    static const uint64_t seqs[] = {1, 2, 4, 5};
    struct ates_show_dead_letters body = {.has_limit = true, .limit = 3};
    struct ates_show_dead_letters_result page;
    size_t met = 0;

    do {
        cr_assert_eq(toy_call(&toy, ATES_ADMINISTRATOR, "show_dead_letters", NULL, &body, &page),
                     ATES_OK);
        for (size_t i = 0; i < page.items.count; i++, met++) {
            const struct ates_dead_letter *letter =
                (const struct ates_dead_letter *)page.items.items + i;

            cr_assert_lt(met, 4);
            cr_assert_eq(letter->seq, seqs[met]);
            cr_assert(ates_text_equal(letter->reason, ates_text_from("NOT_ACCEPTABLE")));
            cr_assert_gt(letter->envelope.size, 0);
        }
        body.has_after = page.has_next;
        body.after = page.next;
    } while (page.has_next);
    cr_assert_eq(met, 4);
    static const char *const wrong[] = {"other", "other/", "other/x", "/-1x", "other/1 2"};
    body.has_after = true;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        body.after = ates_text_from(wrong[i]);
        toy_call(&toy, ATES_ADMINISTRATOR, "show_dead_letters", NULL, &body, NULL);
        assert_refused(ATES_INVALID_ARGUMENT, "FIELD_INVALID");
        cr_assert_str_eq(toy.reply.refusal.field, "after");
    }
    body.has_after = false;
    toy_call(&toy, ATES_BOSS, "show_dead_letters", NULL, &body, NULL);
    assert_refused(ATES_PERMISSION_DENIED, "ROLE_NOT_ALLOWED");
}
