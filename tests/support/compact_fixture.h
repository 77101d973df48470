/* The toy's engine with days of history, and its compaction. */
#ifndef ATES_TEST_COMPACT_FIXTURE_H
#define ATES_TEST_COMPACT_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "core/check.h"
#include "core/compact.h"
#include "support/engine_fixture.h"
#include "support/toy_domain.h"

#define DAY_MS INT64_C(86400000)
#define PUTS 20u /* a day */

static struct fixture fixture;
static struct ates_caller ann;
static struct ates_compact_report report;
static char error[1024];

static inline void open_fixture(void)
{
    fixture_open(&fixture, &toy_domain);
    ann = fixture_caller(1, ATES_DEVELOPER);
}

static inline void close_fixture(void)
{
    fixture_close(&fixture);
}

/* A day of puts, some of keys that were there, an addition and a followed event. */
static inline void live_a_day(void)
{
    static unsigned day;
    const struct other_said said = {.text = ates_text_from("hello")};
    const struct toy_add add = {.a = day, .b = 1};

    for (unsigned i = 0; i < PUTS; i++) {
        char key[32], value[64];

        snprintf(key, sizeof key, "key %u", (day * 7 + i) % 50);
        snprintf(value, sizeof value, "day %u, put %u", day, i);
        const struct toy_put body = {ates_text_from(key), ates_text_from(value)};
        fixture_do(&fixture, ann, "put", &body, NULL);
    }
    fixture_do(&fixture, ann, "add", &add, NULL);
    cr_assert_eq(fixture_follow(&fixture, "other", &other_said_message, 1, fixture.now_ms, &said),
                 0);
    day++;
    fixture.now_ms += DAY_MS;
}
#define DAY_RECORDS (PUTS + 2u)

static const struct ates_domain *const alone[] = {&toy_domain, NULL};

static inline int compact_with(const struct ates_domain *domain,
                               const struct ates_domain *const *domains, int64_t before,
                               bool dry_run)
{
    const struct ates_compact_plan plan = {
        .before = before, .dry_run = dry_run, .domains = domains};

    ates_engine_close(&fixture.engine);
    memset(&report, 0, sizeof report);
    error[0] = '\0';
    return ates_compact(domain, &fixture.config, &plan, NULL, &report, error, sizeof error);
}

static inline void compact(int64_t before)
{
    cr_assert_eq(compact_with(&toy_domain, alone, before, false), 0, "%s", error);
}

static inline void assert_sound(void)
{
    struct ates_check_report sound;

    cr_assert_eq(ates_check(&toy_domain, &fixture.config, NULL, &sound, error, sizeof error), 0,
                 "%s", error);
}

static inline const struct ates_base_note *base_note(void)
{
    return ates_log_base(ates_engine_log(fixture.engine));
}

#endif
