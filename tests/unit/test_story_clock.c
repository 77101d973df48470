/* The whole story on machines whose clock is set back by a day, or jumps three days ahead and back:
 * each date is paid once, in order, none is skipped, and what was said of past days stays. */
#include <stdio.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "support/seed.h"
#include "support/story_compare.h"
#include "support/story_dates.h"
#include "support/story_life.h"
#include "support/story_pay.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define SEEDS 8
#define LONG_SEEDS 250

static struct story story;

static void tear_down(void)
{
    story_discard(&story);
}

TestSuite(story_clock, .fini = tear_down, .timeout = 1800);

static void begin(uint64_t seed)
{
    const struct story_zone *zone = &story_zones[seed % story_zone_count];

    fprintf(stderr, "ATES_SEED=%" PRIu64 " in %s\n", seed, zone->name);
    story_open(&story, seed, zone);
    story_people(&story, 3 + story_draw(&story, 10));
}

static void live(int64_t ms)
{
    story_pass(&story, ms, 4 + (unsigned)(ms / HOUR_MS));
    story_settle(&story);
    story_compare(&story);
}

/* Up to now nothing is left to pay. */
static void expect_all_paid(void)
{
    story.is_quiet = true;
    if (story.payment_is_down) {
        story.payment_is_down = false;
        story_reopen(&story, STORY_PAYMENT);
    }
    story_pass(&story, HOUR_MS, 0);
    story_settle(&story);
    story_compare(&story);
    story_check_dates(&story);
    story.is_quiet = false;
}

static void end(void)
{
    expect_all_paid();
    story_ask_again(&story);
    story_compare_all(&story);
    story_close(&story);
}

/* By an operator or a time server: nobody is told. */
static void shift_clock(int64_t ms)
{
    story.clock_off_ms += ms;
    story_set_clock(&story, story.now_ms);
    if (story_chance(&story, 3)) {
        story_reopen(&story, (enum story_service)story_draw(&story, STORY_SERVICES));
    }
}

/* As many as ATES_LONG asks for; with ATES_SEED alone, that one. */
static void each_seed(void (*tell)(uint64_t seed))
{
    const char *is_long = getenv("ATES_LONG");
    const bool has_seed = getenv("ATES_SEED") != NULL;
    const uint64_t base = seed_start();
    const uint64_t count = is_long != NULL && atoi(is_long) != 0 ? LONG_SEEDS
                           : has_seed                            ? 1
                                                                 : SEEDS;

    for (uint64_t i = 0; i < count; i++) {
        tell(base + i);
    }
}

static void set_back(uint64_t seed)
{
    begin(seed);
    for (int day = 0; day < 4; day++) {
        live(DAY_MS);
    }
    live((int64_t)story_draw(&story, DAY_MS));
    expect_all_paid(); /* a run that failed would wait for the clock to come back to its time */
    const size_t before = story.model.closing_count;

    shift_clock(-DAY_MS);
    live(DAY_MS / 2);
    expect_all_paid();
    cr_assert_leq(story.model.closing_count, before + 2, "yesterday and today, by hand");
    for (int day = 0; day < 5; day++) {
        live(DAY_MS);
    }
    end();
}

Test(story_clock, set_back_by_a_day)
{
    each_seed(set_back);
}

static void set_back_and_mended(uint64_t seed)
{
    begin(seed);
    live(3 * DAY_MS);
    shift_clock(-DAY_MS);
    live((int64_t)story_draw(&story, 2 * DAY_MS));
    shift_clock(DAY_MS);
    live(4 * DAY_MS);
    end();
}

Test(story_clock, set_back_by_a_day_and_mended)
{
    each_seed(set_back_and_mended);
}

/* The dates of those three days are paid when the clock says that they are over, and not again when
 * they really are. */
static void jump_ahead_and_back(uint64_t seed)
{
    const int64_t wrong_ms = 3 * DAY_MS;

    begin(seed);
    for (int day = 0; day < 3; day++) {
        live(DAY_MS);
    }
    expect_all_paid();
    shift_clock(wrong_ms);
    live((int64_t)story_draw(&story, DAY_MS));
    expect_all_paid();
    shift_clock(-wrong_ms);
    const size_t closings = story.model.closing_count;

    live(DAY_MS);
    expect_all_paid();
    cr_assert_leq(story.model.closing_count, closings + 2, "yesterday and today, by hand");
    for (int day = 0; day < 6; day++) {
        live(DAY_MS);
    }
    end();
}

Test(story_clock, jumped_three_days_ahead_and_back)
{
    each_seed(jump_ahead_and_back);
}

/* Nothing happens while the clock is wrong: only what the services do of their own accord. */
static void jump_in_silence(uint64_t seed)
{
    begin(seed);
    live(3 * DAY_MS);
    shift_clock(3 * DAY_MS);
    expect_all_paid();
    shift_clock(-3 * DAY_MS);
    expect_all_paid();
    for (int day = 0; day < 5; day++) {
        live(DAY_MS);
    }
    end();
}

Test(story_clock, jumped_in_silence)
{
    each_seed(jump_in_silence);
}
