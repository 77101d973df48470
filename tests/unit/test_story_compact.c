/* The whole story with its logs compacted every few days: everything comes to what the model says and,
 * row by row, to what it comes to where nothing is ever cut; and administrators are told the same by
 * an analytics that began with the others' snapshots. As many seeds as fit some seconds; the one that
 * ATES_SEED tells. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <criterion/criterion.h>

#include "accounting/accounting.h"
#include "core/compact.h"
#include "core/snapshot.h"
#include "domains.h"
#include "support/seed.h"
#include "support/story_compare.h"
#include "support/story_life.h"

#define DAYS 20
#define COMPACT_EVERY 4
#define DAY_MS INT64_C(86400000)
#define SHORT_S 4

static struct story story;

static void tear_down(void)
{
    story_discard(&story);
}

TestSuite(story_compact, .fini = tear_down, .timeout = 600);

/* As a restart of everything; records older than two days are cut off in between. */
static uint64_t restart(bool compacts)
{
    uint64_t cut = 0;
    char error[512] = "";

    for (enum story_service i = 0; i < STORY_SERVICES; i++) {
        ates_engine_close(&story_fixture(&story, i)->engine);
    }
    for (enum story_service i = 0; compacts && i < STORY_SERVICES; i++) {
        const struct fixture *fixture = story_fixture(&story, i);
        const struct ates_compact_plan plan = {.before = story.now_ms - 2 * DAY_MS,
                                               .domains = ates_domains};
        struct ates_compact_report report;

        cr_assert_eq(ates_compact(fixture->domain, &fixture->config, &plan, NULL, &report, error,
                                  sizeof error),
                     0, "%s", error);
        cut += report.cut;
    }
    for (enum story_service i = 0; i < STORY_SERVICES; i++) {
        story_reopen(&story, i);
    }
    return cut;
}

static uint64_t live(uint64_t seed, bool compacts)
{
    uint64_t cut = 0;

    story_open(&story, seed, &story_zones[seed % story_zone_count]);
    story_people(&story, 3 + story_draw(&story, 25));
    for (uint64_t day = 1; day <= DAYS; day++) {
        story_pass(&story, DAY_MS, 5 + (unsigned)story_draw(&story, 40));
        story_settle(&story);
        story_compare(&story);
        if (day % COMPACT_EVERY == 0) {
            cut += restart(compacts);
        }
    }
    story.is_quiet = true;
    story.payment_is_down = false;
    story_settle(&story);
    for (enum story_service i = 0; i < STORY_SERVICES; i++) {
        fixture_check_rebuild(story_fixture(&story, i));
        story_rewind(&story, i);
    }
    story_compare(&story);
    return cut;
}

static void digest_all(uint8_t digests[STORY_SERVICES][ATES_HASH_SIZE])
{
    for (enum story_service i = 0; i < STORY_SERVICES; i++) {
        fixture_state_digest(story_fixture(&story, i), digests[i]);
    }
}

static void take_snapshot(struct fixture *to, struct fixture *from)
{
    const char *producer = from->domain->service->name;
    struct ates_read_snapshot body = {.has_limit = true, .limit = 1 + story_draw(&story, 30)};
    struct ates_read_snapshot_result page;
    struct ates_refusal refusal = {.status = ATES_OK};

    do {
        cr_assert_eq(ates_snapshot_page(from->domain, &from->config, ates_engine_log(from->engine),
                                        &body, from->arena, &page, &refusal),
                     0, "%s: %s", producer, refusal.reason);
        cr_assert_eq(ates_engine_follow_snapshot(to->engine, producer, &page, &refusal), 0,
                     "%s: %s", producer, refusal.message);
        fixture_commit(to);
        body.has_after = page.has_next;
        body.after = page.next;
    } while (page.has_next);
}

/* Analytics, its data lost, begins with what the others' logs came to before they were cut. */
static void begin_analytics_anew(void)
{
    static const enum story_service producers[] = {STORY_AUTH, STORY_TASKS_SERVICE,
                                                   STORY_ACCOUNTING};
    struct fixture *analytics = story_fixture(&story, STORY_ANALYTICS);
    char command[128];

    ates_engine_close(&analytics->engine);
    snprintf(command, sizeof command, "rm -r %s/analytics", story.folder);
    cr_assert_eq(system(command), 0);
    fixture_reopen(analytics);
    for (size_t i = 0; i < sizeof producers / sizeof producers[0]; i++) {
        take_snapshot(analytics, story_fixture(&story, producers[i]));
    }
    story_rewind(&story, STORY_ANALYTICS);
    story_settle(&story);
}

static void tell(uint64_t seed)
{
    uint8_t whole[STORY_SERVICES][ATES_HASH_SIZE], cut[STORY_SERVICES][ATES_HASH_SIZE];
    uint8_t anew[STORY_SERVICES][ATES_HASH_SIZE];

    fprintf(stderr, "ATES_SEED=%" PRIu64 "\n", seed);
    cr_assert_eq(live(seed, false), 0);
    digest_all(whole);
    story_close(&story);
    cr_assert_gt(live(seed, true), 0);
    digest_all(cut);
    begin_analytics_anew();
    digest_all(anew);
    story_compare(&story);
    story_close(&story);
    for (enum story_service i = 0; i < STORY_SERVICES; i++) {
        cr_assert_arr_eq(whole[i], cut[i], ATES_HASH_SIZE, "%s is another where logs are cut",
                         ates_domains[i]->service->name);
        cr_assert_arr_eq(cut[i], anew[i], ATES_HASH_SIZE, "%s is another after its snapshots",
                         ates_domains[i]->service->name);
    }
}

Test(story_compact, comes_to_what_it_comes_to_uncut)
{
    const bool has_seed = getenv("ATES_SEED") != NULL;
    const uint64_t base = seed_start();
    struct timespec begin, now;
    uint64_t told = 0;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        tell(base + told++);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (!has_seed && now.tv_sec - begin.tv_sec < SHORT_S);
    fprintf(stderr, "%" PRIu64 " stories, each told twice\n", told);
}

Test(story_compact, money_is_never_made_of_a_snapshot)
{
    cr_expect_not(ates_snapshot_is_followed(&accounting_domain, "tasks"));
    cr_expect(ates_snapshot_is_followed(&accounting_domain, "auth"));
}
