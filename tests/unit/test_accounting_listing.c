/* The lists of transfers: order, filters, pages and their bounds. */
#include "core/page.h"
#include "support/accounting_fixture.h"

TestSuite(accounting_listing, .init = open_fixture, .fini = close_fixture, .timeout = 120);

/* Walks all pages; returns how many ids it wrote. */
static size_t all_ids(struct accounting_show_all_account_transfers query, uint64_t *ids, size_t max,
                      size_t *pages)
{
    struct accounting_show_all_account_transfers_result result;
    size_t count = 0;

    for (*pages = 1;; ++*pages) {
        fixture_do(&fixture, accountant(), "show_all_account_transfers", &query, &result);
        const struct accounting_transfer *items = result.items.items;
        for (size_t i = 0; i < result.items.count; i++) {
            cr_assert_lt(count, max);
            ids[count++] = items[i].id;
        }
        if (!result.has_next) {
            return count;
        }
        query.has_after = true;
        query.after = result.next;
    }
}

static void expect_ids(struct accounting_show_all_account_transfers query, size_t count,
                       const uint64_t *expected, size_t expected_pages)
{
    uint64_t ids[16];
    size_t pages;

    cr_assert_eq(all_ids(query, ids, 16, &pages), count);
    for (size_t i = 0; i < count; i++) {
        cr_expect_eq(ids[i], expected[i], "item %zu is %d", i, (int)ids[i]);
    }
    cr_expect_eq(pages, expected_pages, "%zu pages", pages);
}

/* The newest first, in the same number of pages: these ids from the end. */
static void expect_reverse(struct accounting_show_all_account_transfers query, const uint64_t *ids,
                           size_t count, size_t pages)
{
    static uint64_t back[1000];
    size_t back_pages;

    query.has_newest_first = query.newest_first = true;
    cr_assert_eq(all_ids(query, back, 1000, &back_pages), count);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(back[i], ids[count - 1 - i]);
    }
    cr_expect_eq(back_pages, pages, "%zu pages back, %zu forth", back_pages, pages);
}

#define IDS(...)                                                                                   \
    sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t), (const uint64_t[])                       \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

Test(accounting_listing, show_all_account_transfers_is_ordered_by_time_and_filters)
{
    const struct accounting_show_all_account_transfers
        all = {.has_limit = false},
        pages = {.has_limit = true, .limit = 2},
        part = {.has_from = true,
                .from = 1001,
                .has_to = true,
                .to = 1003,
                .has_limit = true,
                .limit = 1},
        rewards = {.has_kind = true, .kind = ACCOUNTING_COMPLETION_REWARD},
        one_reward = {.has_kind = true,
                      .kind = ACCOUNTING_COMPLETION_REWARD,
                      .has_limit = true,
                      .limit = 1},
        fees_of_5 = {.has_kind = true,
                     .kind = ACCOUNTING_ASSIGN_FEE,
                     .has_user_id = true,
                     .user_id = 5},
        of_nobody = {.has_user_id = true, .user_id = 77},
        before = {.has_from = true, .from = -5, .has_to = true, .to = 1000},
        from_after_after = {.has_from = true,
                            .from = 1002,
                            .has_after = true,
                            .after = ates_text_from("1000-1")},
        empty = {.has_from = true, .from = 1002, .has_to = true, .to = 1001};

    expect_ids(all, 0, NULL, 1);
    post_six();
    expect_ids(all, IDS(1, 5, 4, 2, 3, 6), 1);
    expect_ids(pages, IDS(1, 5, 4, 2, 3, 6), 3); /* no empty fourth page */
    expect_ids(part, IDS(4, 2, 3), 3);
    expect_ids(rewards, IDS(5, 3), 1);
    expect_ids(one_reward, IDS(5, 3), 2);
    expect_ids(fees_of_5, IDS(1, 4), 1);
    expect_ids(of_nobody, 0, NULL, 1);
    expect_ids(before, 0, NULL, 1);
    expect_ids(from_after_after, IDS(2, 3, 6), 1);
    expect_ids(empty, 0, NULL, 1);
}

/* Where the page before ended, each way; another order goes on from the same place. */
Test(accounting_listing, an_after_begins_beyond_it_in_the_order_asked_for)
{
    static const struct {
        const char *after;
        int64_t from, to;
        const char *up, *down; /* digits */
    } cases[] = {
        {"1002-2", 0, 9999, "36", "451"},  {"1000-1", 0, 9999, "54236", ""},
        {"1000-5", 0, 9999, "4236", "1"},  {"1003-6", 0, 9999, "", "32451"},
        {"1000-3", 0, 9999, "54236", "1"}, {"1001-99", 0, 9999, "236", "451"},
        {"1001-0", 0, 9999, "4236", "51"}, {"0-0", 0, 9999, "154236", ""},
        {"2000-7", 0, 9999, "", "632451"}, {"2000-7", 1001, 1003, "", "324"},
        {"1000-1", 1001, 1003, "423", ""}, {"1002-3", 1001, 1003, "", "24"},
        {"1002-3", 1003, 1001, "", ""},    {"9999999999999999-1", -9, -5, "", ""},
    };

    post_six();
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        const bool down = i % 2 == 1;
        const char *expected = down ? cases[i / 2].down : cases[i / 2].up;
        const struct accounting_show_all_account_transfers query = {
            .has_from = true,
            .from = cases[i / 2].from,
            .has_to = true,
            .to = cases[i / 2].to,
            .has_newest_first = down,
            .newest_first = down,
            .has_after = true,
            .after = ates_text_from(cases[i / 2].after),
        };
        struct accounting_show_all_account_transfers_result result;

        fixture_do(&fixture, accountant(), "show_all_account_transfers", &query, &result);
        const struct accounting_transfer *items = result.items.items;
        cr_assert_eq(result.items.count, strlen(expected), "case %zu", i);
        for (size_t k = 0; k < result.items.count; k++) {
            cr_expect_eq(items[k].id, (uint64_t)(expected[k] - (char)48), "case %zu", i);
        }
        cr_expect_not(result.has_next);
    }
}

#define LISTED 300

/* Any filters, any limit: what a look at every transfer gives, and from the end the same back. */
Test(accounting_listing, both_orders_agree_with_a_look_at_everything)
{
    struct accounting_transfer all[LISTED];
    uint64_t ids[LISTED];
    size_t pages;

    for (uint64_t i = 0; i < LISTED; i++) { /* many at one time, and not in the order of ids */
        all[i] =
            (struct accounting_transfer){.id = i + 1,
                                         .timestamp = 1000 + (int64_t)fixture_draw(&fixture, 60),
                                         .user_id = 5 + fixture_draw(&fixture, 3),
                                         .kind = (int)fixture_draw(&fixture, 2)};
        post(all[i].timestamp, all[i].user_id, (enum accounting_kind)all[i].kind, -1000, "");
    }
    for (int round = 0; round < 300; round++) {
        const struct accounting_show_all_account_transfers query = {
            .has_from = fixture_draw(&fixture, 2) == 0,
            .from = 990 + (int64_t)fixture_draw(&fixture, 80),
            .has_to = fixture_draw(&fixture, 2) == 0,
            .to = 990 + (int64_t)fixture_draw(&fixture, 80),
            .has_kind = fixture_draw(&fixture, 2) == 0,
            .kind = (int)fixture_draw(&fixture, 3),
            .has_user_id = fixture_draw(&fixture, 2) == 0,
            .user_id = 5 + fixture_draw(&fixture, 4),
            .has_limit = true,
            .limit = 1 + fixture_draw(&fixture, 50),
        };
        const size_t count = all_ids(query, ids, LISTED, &pages);
        size_t expected = 0;

        for (size_t i = 0; i < LISTED; i++) {
            expected += (!query.has_from || all[i].timestamp >= query.from) &&
                        (!query.has_to || all[i].timestamp < query.to) &&
                        (!query.has_kind || all[i].kind == query.kind) &&
                        (!query.has_user_id || all[i].user_id == query.user_id);
        }
        cr_assert_eq(count, expected, "round %d", round);
        for (size_t i = 1; i < count; i++) {
            const struct accounting_transfer *a = &all[ids[i - 1] - 1], *b = &all[ids[i] - 1];

            cr_assert(a->timestamp < b->timestamp ||
                      (a->timestamp == b->timestamp && a->id < b->id));
        }
        expect_reverse(query, ids, count, pages);
    }
}

Test(accounting_listing, show_account_transfers_shows_ones_own)
{
    struct accounting_show_account_transfers query = {
        .has_from = true, .from = 1001, .has_limit = true, .limit = 2};
    struct accounting_show_account_transfers_result result;

    post_six();
    fixture_do(&fixture, developer(5), "show_account_transfers", &query, &result);
    const struct accounting_transfer *items = result.items.items;
    cr_assert_eq(result.items.count, 2);
    cr_expect(items[0].id == 4 && items[0].delta_cents == -1200);
    cr_expect(items[1].id == 3 && items[1].user_id == 5 && items[1].balance_cents == 2000);
    cr_assert(result.has_next);
    query.has_after = true;
    query.after = result.next;
    fixture_do(&fixture, developer(5), "show_account_transfers", &query, &result);
    items = result.items.items;
    cr_assert_eq(result.items.count, 1);
    cr_expect(items[0].id == 6 && items[0].kind == ACCOUNTING_PAYOUT);
    cr_expect_not(result.has_next);

    query = (struct accounting_show_account_transfers){
        .has_user_id = true, .user_id = 6, .has_to = true, .to = 1002};
    fixture_do(&fixture, accountant(), "show_account_transfers", &query, &result);
    items = result.items.items;
    cr_assert_eq(result.items.count, 1);
    cr_expect_eq(items[0].id, 5);
    query = (struct accounting_show_account_transfers){
        .has_newest_first = true, .newest_first = true, .has_limit = true, .limit = 3};
    fixture_do(&fixture, developer(5), "show_account_transfers", &query, &result);
    items = result.items.items;
    cr_assert(result.items.count == 3 && result.has_next);
    cr_expect(items[0].id == 6 && items[1].id == 3 && items[2].id == 4);
    query.has_after = true;
    query.after = result.next;
    fixture_do(&fixture, developer(5), "show_account_transfers", &query, &result);
    items = result.items.items;
    cr_assert(result.items.count == 1 && !result.has_next);
    cr_expect_eq(items[0].id, 1);
    query = (struct accounting_show_account_transfers){.has_user_id = true, .user_id = 7};
    fixture_refused(&fixture, accountant(), "show_account_transfers", &query, ATES_NOT_FOUND,
                    "USER_UNKNOWN");
}

Test(accounting_listing, a_malformed_after_is_refused)
{
    static const char *const malformed[] = {
        "x",
        "-",
        "1",
        "1-",
        "-1",
        "1-2-3",
        "1-2x",
        " 1-2",
        "+1-2",
        "0x1-2",
        "10000000000000000-1",
        "1-99999999999999999999999999",
    };
    struct accounting_show_account_transfers query = {.has_after = true};

    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        query.after = ates_text_from(malformed[i]);
        fixture_refused(&fixture, developer(5), "show_account_transfers", &query,
                        ATES_INVALID_ARGUMENT, "FIELD_INVALID");
        cr_expect_str_eq(fixture.refusal.field, "after");
    }
    query.after = ates_text_from("9007199254740991-9007199254740991");
    fixture_do(&fixture, developer(5), "show_account_transfers", &query, NULL);
}

Test(accounting_listing, a_search_for_a_rare_kind_is_bounded_and_goes_on)
{
    const struct accounting_show_all_account_transfers query = {
        .has_kind = true, .kind = ACCOUNTING_COMPLETION_REWARD};
    struct accounting_show_all_account_transfers_result first;
    uint64_t ids[2];
    size_t pages;

    for (int i = 0; i < 12000; i++) {
        post(1000 + i, (uint64_t)(5 + i % 7), ACCOUNTING_ASSIGN_FEE, -1000, "");
    }
    post(20000, 5, ACCOUNTING_COMPLETION_REWARD, 2000, "");
    fixture_do(&fixture, accountant(), "show_all_account_transfers", &query, &first);
    cr_expect(first.items.count == 0 && first.has_next);
    cr_assert_eq(all_ids(query, ids, 2, &pages), 1);
    cr_expect_eq(ids[0], 12001);
    cr_expect_eq(pages, 3);
    expect_reverse(query, ids, 1, 3);
    const struct accounting_show_all_account_transfers newest = {.has_kind = true,
                                                                 .kind = ACCOUNTING_PAYOUT,
                                                                 .has_newest_first = true,
                                                                 .newest_first = true};
    fixture_do(&fixture, accountant(), "show_all_account_transfers", &newest, &first);
    cr_expect(first.items.count == 0 && first.has_next);
    text_is(first.next, "8001-7002"); /* 5,000 looked at */
}

Test(accounting_listing, a_page_ends_by_its_bytes)
{
    char description[4 * ACCOUNTING_DESCRIPTION_MAX + 1] = "";
    const struct accounting_show_all_account_transfers query = {.has_limit = true, .limit = 1000};
    struct ates_outcome outcome;
    uint64_t ids[1000];
    size_t pages;

    for (int i = 0; i < ACCOUNTING_DESCRIPTION_MAX; i++) {
        strcat(description, "\U0001f37b");
    }
    for (int i = 0; i < 1000; i++) {
        post(1000, 5, ACCOUNTING_ASSIGN_FEE, -1000, description);
    }
    outcome = fixture_execute(&fixture, accountant(), "show_all_account_transfers", &query, NULL);
    cr_assert_eq(outcome.status, ATES_OK);
    cr_expect(outcome.reply.size <= ATES_PAGE_BYTES + 1024 &&
                  outcome.reply.size > ATES_PAGE_BYTES / 10 * 9,
              "%zu bytes", outcome.reply.size);
    cr_assert_eq(all_ids(query, ids, 1000, &pages), 1000);
    for (uint64_t i = 0; i < 1000; i++) {
        cr_assert_eq(ids[i], i + 1);
    }
    cr_expect_eq(pages, 15, "%zu pages", pages);
    expect_reverse(query, ids, 1000, 15);
}
