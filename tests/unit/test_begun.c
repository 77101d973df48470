/* Work beside the loop: begun once its batch is committed, told once, and neither lost nor doubled
 * where a batch is undone or the service stops. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/actor.h"
#include "support/clerk_domain.h"
#include "support/engine_fixture.h"

static struct fixture fixture;
static struct ates_caller someone;

static void setup(void)
{
    fixture_open(&fixture, &clerk_domain);
    someone = fixture_caller(7, ATES_OTHER);
}

static void teardown(void)
{
    fixture_close(&fixture);
}

TestSuite(begun, .init = setup, .fini = teardown, .timeout = 120);

static struct clerk_show_result show(void)
{
    struct clerk_show_result shown;

    fixture_do(&fixture, someone, "show", NULL, &shown);
    return shown;
}

static void order(uint64_t count)
{
    const struct clerk_order body = {.count = count};

    fixture_do(&fixture, someone, "order", &body, NULL);
}

Test(begun, is_taken_once_each_after_the_commit)
{
    static const struct clerk_output fine = {.was_stopped = false};
    struct ates_begun *begun[CLERK_AT_ONCE];
    bool more;

    order(5);
    cr_assert_eq(ates_engine_step(fixture.engine, &more), 0);
    cr_assert_null(fixture_take_begun(&fixture), "its batch is not committed");
    fixture_commit(&fixture);
    for (size_t i = 0; i < CLERK_AT_ONCE; i++) {
        begun[i] = fixture_take_begun(&fixture);
        cr_assert_not_null(begun[i]);
        cr_assert(begun[i]->work == &clerk_work && begun[i]->id == i + 1);
    }
    cr_assert_null(fixture_take_begun(&fixture));
    fixture_step(&fixture);
    cr_assert_null(fixture_take_begun(&fixture), "as many as may be are under way");
    fixture_end_begun(&fixture, begun[1], &fine);
    cr_assert(show().open == 4 && show().done == 1);
    fixture_step(&fixture);
    begun[1] = fixture_take_begun(&fixture);
    cr_assert_eq(begun[1]->id, 4, "room for one more");
    fixture_end_begun(&fixture, begun[0], NULL);
    fixture_step(&fixture);
    begun[0] = fixture_take_begun(&fixture);
    cr_assert_eq(begun[0]->id, 1, "it was not run: it begins again");
    for (size_t i = 0; i < CLERK_AT_ONCE; i++) {
        fixture_run_begun(&fixture, begun[i]);
    }
    fixture_step(&fixture);
    fixture_run_begun(&fixture, fixture_take_begun(&fixture));
    cr_assert(show().open == 0 && show().done == 5);
    fixture_check_rebuild(&fixture);
}

Test(begun, a_restart_begins_it_again)
{
    order(2);
    fixture_step(&fixture);
    cr_assert_not_null(fixture_take_begun(&fixture));
    fixture_reopen(&fixture);
    cr_assert_null(fixture_take_begun(&fixture));
    cr_assert(ates_engine_has_steps(fixture.engine), "a start looks for unfinished jobs");
    fixture_step(&fixture);
    for (uint64_t id = 1; id <= 2; id++) {
        struct ates_begun *begun = fixture_take_begun(&fixture);

        cr_assert_eq(begun->id, id);
        fixture_run_begun(&fixture, begun);
    }
    cr_assert_eq(show().done, 2);
}

/* Adds what the log has no room for to the open batch. */
static void overfill(void)
{
    static char text[100000];
    const struct clerk_note note = {{text, sizeof text}};

    memset(text, 'n', sizeof text);
    for (int i = 0; i < 10; i++) {
        cr_assert_eq(fixture_execute(&fixture, someone, "note", &note, NULL).status, ATES_OK);
    }
}

static void use_small_map(void)
{
    fixture.config.map_size = 512 * 1024;
    fixture_reopen(&fixture);
}

Test(begun, nothing_begins_for_a_batch_that_was_undone)
{
    bool more;

    use_small_map();
    order(1);
    cr_assert_eq(ates_engine_step(fixture.engine, &more), 0);
    overfill();
    cr_assert_eq(ates_engine_commit(fixture.engine), -ENOSPC);
    cr_assert_null(fixture_take_begun(&fixture));
    fixture_step(&fixture);
    struct ates_begun *begun = fixture_take_begun(&fixture);
    cr_assert(begun != NULL && begun->id == 1, "and is not taken for one that is under way");
    fixture_run_begun(&fixture, begun);
    cr_assert_eq(show().done, 1);
}

Test(begun, an_end_is_told_again_where_its_batch_was_undone)
{
    static const struct clerk_output fine = {.was_stopped = false};
    bool more;

    use_small_map();
    order(1);
    fixture_step(&fixture);
    ates_engine_end_begun(fixture.engine, fixture_take_begun(&fixture), &fine);
    cr_assert_eq(ates_engine_step(fixture.engine, &more), 0);
    cr_assert_not(ates_engine_has_ended(fixture.engine), "it was told");
    overfill();
    cr_assert_eq(ates_engine_commit(fixture.engine), -ENOSPC);
    cr_assert(ates_engine_has_ended(fixture.engine));
    cr_assert_eq(show().done, 0);
    fixture_step(&fixture);
    cr_assert_eq(show().done, 1);
    cr_assert_not(ates_engine_has_ended(fixture.engine));
    fixture_step(&fixture);
    cr_assert_null(fixture_take_begun(&fixture), "its work is not done again");
    fixture_check_rebuild(&fixture);
}

Test(begun, the_step_is_woken_at_its_time)
{
    const struct clerk_alarm body = {.at = FIXTURE_TIME + 90000};
    const uint64_t before = show().steps;

    fixture_do(&fixture, someone, "alarm", &body, NULL);
    fixture_step(&fixture);
    cr_assert_not(ates_engine_has_steps(fixture.engine));
    cr_assert_eq(ates_engine_wakes_in(fixture.engine), body.at - fixture.now_ms);
    fixture.now_ms = body.at - 1;
    cr_assert_not(ates_engine_has_steps(fixture.engine));
    fixture.now_ms = body.at;
    cr_assert(ates_engine_has_steps(fixture.engine));
    fixture_step(&fixture);
    cr_assert(show().alarms == 1 && show().steps > before);
    cr_assert_eq(ates_engine_wakes_in(fixture.engine), INT64_MAX);
    fixture.now_ms -= 500000;
    cr_assert_not(ates_engine_has_steps(fixture.engine));
}

/* With its threads. */

static struct ates_actor *start_actor(void)
{
    struct ates_actor *actor = NULL;
    char error[512] = "";

    zsys_handler_set(NULL);
    ates_engine_close(&fixture.engine);
    cr_assert_eq(ates_actor_open(&actor, &clerk_domain, &fixture.config, error, sizeof error), 0,
                 "%s", error);
    cr_assert_eq(ates_actor_start(actor), 0);
    char *word = zstr_recv(ates_actor_pipe(actor));
    cr_assert_str_eq(word, "READY");
    zstr_free(&word);
    return actor;
}

Test(begun, an_actor_that_stops_ends_the_work_in_hand_and_keeps_what_came_of_it)
{
    const struct clerk_order waiting = {.count = CLERK_AT_ONCE, .waits = true};

    order(2);
    fixture_do(&fixture, someone, "order", &waiting, NULL);
    struct ates_actor *actor = start_actor();
    for (size_t i = 0; i < 2 + CLERK_AT_ONCE; i++) {
        cr_assert_eq(sem_wait(&clerk_began), 0);
    }
    ates_actor_close(&actor);
    fixture_reopen(&fixture);
    const struct clerk_show_result shown = show();
    cr_assert(shown.open == 0 && shown.done == 2 && shown.stopped == CLERK_AT_ONCE);
    fixture_check_rebuild(&fixture);
}
