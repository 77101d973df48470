/* The whole story of thirty days, seed after seed, against a small model: tasks, money, payouts by
 * the schedule and by hand, mails and what administrators see, in zones whose clocks change
 * meanwhile. As many seeds as fit some seconds; a thousand where ATES_LONG asks for long counts; the
 * one that ATES_SEED tells. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <criterion/criterion.h>

#include "support/seed.h"
#include "support/story_compare.h"
#include "support/story_dates.h"
#include "support/story_life.h"
#include "support/story_pay.h"

#define DAYS 30
#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define LONG_COUNT 1000u
#define SHORT_S 10

/* Every so many seeds there are so many people that a payout takes more than a step. */
#define CROWD_EVERY 7u
#define CROWD 230u

static struct story story;

static void tear_down(void)
{
    story_discard(&story);
}

TestSuite(story, .fini = tear_down, .timeout = 1800);

/* Much happens around the change of the clock, when a day's end is easily got wrong. */
static void live_through_change(void)
{
    const int64_t change = story_change_at(story.zone);

    story_pass(&story, change - 2 * HOUR_MS - story.now_ms, 10);
    for (int hour = -2; hour < 3; hour++) {
        story_pass(&story, HOUR_MS, 10);
        if (story_chance(&story, 2)) {
            story_settle(&story);
            story_compare(&story);
        }
    }
}

static void live_a_day(bool is_rush)
{
    const int64_t change = story_change_at(story.zone);

    if (story.now_ms < change - 2 * HOUR_MS && change - DAY_MS < story.now_ms) {
        live_through_change();
    }
    story_pass(&story, DAY_MS / 2, 3 + (unsigned)story_draw(&story, 24));
    if (is_rush) {
        story_rush(&story, 600);
    }
    story_pass(&story, DAY_MS / 2, 3 + (unsigned)story_draw(&story, 36));
    story_settle(&story);
    story_compare(&story);
}

static void end_well(void)
{
    story.is_quiet = true;
    story.payment_is_down = false;
    story_reopen(&story, STORY_PAYMENT);
    story_pass(&story, DAY_MS, 0);
    story_settle(&story);
    story_compare(&story);
    story_check_dates(&story);
    story_ask_again(&story);
    story_compare_all(&story);
}

/* What the seeds came through, in all. */
static struct {
    unsigned late_moves, waits, chunks, catch_ups, hand_payouts, lost_calls, reopens, redraws;
    uint64_t moves, payouts, closings;
} seen;

static void count(void)
{
    seen.late_moves += story.late_moves;
    seen.waits += story.waits;
    seen.chunks += story.chunks;
    seen.catch_ups += story.catch_ups;
    seen.hand_payouts += story.hand_payouts;
    seen.lost_calls += story.lost_calls;
    seen.reopens += story.reopens;
    seen.redraws += story.redraws;
    seen.moves += story.model.move_count;
    seen.payouts += story.model.payout_count;
    seen.closings += story.model.closing_count;
}

static void tell(uint64_t seed)
{
    const struct story_zone *zone = &story_zones[seed % story_zone_count];
    const bool is_crowd = seed % CROWD_EVERY == 0;

    fprintf(stderr, "ATES_SEED=%" PRIu64 " in %s\n", seed, zone->name);
    story_open(&story, seed, zone);
    const uint64_t rush_day = story_draw(&story, DAYS);
    story_people(&story, is_crowd ? CROWD : 3 + story_draw(&story, 25));
    for (uint64_t day = 0; day < DAYS; day++) {
        live_a_day(is_crowd && day == rush_day);
    }
    end_well();
    count();
    story_close(&story);
}

static bool is_long(void)
{
    const char *value = getenv("ATES_LONG");

    return value != NULL && atoi(value) != 0;
}

Test(story, thirty_days_come_to_what_the_model_says)
{
    const bool has_seed = getenv("ATES_SEED") != NULL;
    const uint64_t base = seed_start();
    struct timespec begin, now;
    uint64_t told = 0;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        tell(base + told++);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (is_long() ? told < LONG_COUNT : !has_seed && now.tv_sec - begin.tv_sec < SHORT_S);
    fprintf(stderr,
            "%" PRIu64 " stories: %" PRIu64 " transfers, %" PRIu64 " payouts on %" PRIu64
            " dates; late %u, waits %u, chunks %u, catch-ups %u, by hand %u, lost %u, restarts %u, "
            "redraws %u\n",
            told, seen.moves, seen.payouts, seen.closings, seen.late_moves, seen.waits, seen.chunks,
            seen.catch_ups, seen.hand_payouts, seen.lost_calls, seen.reopens, seen.redraws);
}
