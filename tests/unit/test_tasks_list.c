/* The lists of tasks: every filter, every page, and what bounds a call. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "core/page.h"
#include "support/tasks_fixture.h"

TestSuite(tasks_list, .init = set_up, .fini = tear_down);

/* Asks for all pages; fills ids with what they hold. */
static size_t list_all(struct ates_caller caller, struct tasks_show_all_assigned_tasks body,
                       uint64_t *ids, size_t most, size_t *pages)
{
    struct tasks_show_all_assigned_tasks_result page;
    size_t count = 0;

    *pages = 0;
    do {
        fixture_do(&fixture, caller, "show_all_assigned_tasks", &body, &page);
        cr_assert_leq(page.items.count, body.has_limit ? body.limit : 100);
        for (size_t i = 0; i < page.items.count; i++) {
            cr_assert_lt(count, most);
            ids[count++] = ((const struct tasks_task *)page.items.items)[i].id;
        }
        ++*pages;
        body.has_after = page.has_next;
        body.after = page.next;
    } while (page.has_next);
    return count;
}

/* The newest first, in the same number of pages: these ids from the end. */
static void expect_reverse(struct tasks_show_all_assigned_tasks body, const uint64_t *ids,
                           size_t count, size_t pages)
{
    static uint64_t back[300];
    size_t back_pages;

    body.has_newest_first = body.newest_first = true;
    cr_assert_eq(list_all(manager, body, back, 300, &back_pages), count);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(back[i], ids[count - 1 - i]);
    }
    cr_assert_eq(back_pages, pages);
}

static const char *const titles[] = {"Fix the roof", "Roofing nails", "Paint the coop",
                                     "Починить крышу", "roof of the coop"};

static bool title_has(size_t title, const char *query)
{
    static const struct {
        const char *query;
        bool has[5];
    } known[] = {
        {"roof", {true, true, false, false, true}},
        {"RO co", {false, false, false, false, true}},
        {"крыш", {false, false, false, true, false}},
        {"the", {true, false, true, false, true}},
        {"...", {false}},
    };

    for (size_t i = 0; i < 5; i++) {
        if (strcmp(known[i].query, query) == 0) {
            return known[i].has[title];
        }
    }
    return false;
}

#define LISTED 230u

/* Any combination of filters gives what a look at every task gives. */
Test(tasks_list, show_all_assigned_tasks_agrees_with_a_look_at_everything)
{
    static struct tasks_task tasks[LISTED + 1];
    static const char *const queries[] = {"roof", "RO co", "крыш", "the", "..."};
    static uint64_t ids[LISTED + 1];
    size_t titled[LISTED + 1];

    register_popugs(3);
    for (uint64_t id = 1; id <= LISTED; id++) {
        fixture.now_ms += (int64_t)fixture_draw(&fixture, 3);
        titled[id] = (size_t)fixture_draw(&fixture, 5);
        tasks[id] = create(titles[titled[id]]);
        if (fixture_draw(&fixture, 3) == 0) {
            tasks[id] = complete(&tasks[id]);
        }
    }
    for (int round = 0; round < 600; round++) {
        struct tasks_show_all_assigned_tasks body = {
            .has_status = fixture_draw(&fixture, 3) != 0,
            .status = (int)fixture_draw(&fixture, 3),
            .has_assigned_to = fixture_draw(&fixture, 2) == 0,
            .assigned_to = FIRST_POPUG + fixture_draw(&fixture, 4),
            .has_query = fixture_draw(&fixture, 2) == 0,
            .has_created_from = fixture_draw(&fixture, 3) == 0,
            .created_from = FIXTURE_TIME - 5 + (int64_t)fixture_draw(&fixture, LISTED + 20),
            .has_created_to = fixture_draw(&fixture, 3) == 0,
            .created_to = FIXTURE_TIME - 5 + (int64_t)fixture_draw(&fixture, LISTED + 20),
            .has_limit = fixture_draw(&fixture, 2) == 0,
            .limit = 1 + fixture_draw(&fixture, 40),
        };
        const char *query = queries[fixture_draw(&fixture, 5)];
        const int status = body.has_status ? body.status : TASKS_ALL;
        size_t pages, expected = 0;

        body.query = ates_text_from(query);
        const size_t count = list_all(manager, body, ids, LISTED, &pages);
        for (uint64_t id = 1; id <= LISTED; id++) {
            if ((status == TASKS_ALL || tasks[id].is_finished == (status == TASKS_FINISHED)) &&
                (!body.has_assigned_to || tasks[id].assigned_to == body.assigned_to) &&
                (!body.has_query || title_has(titled[id], query)) &&
                (!body.has_created_from || tasks[id].created_at >= body.created_from) &&
                (!body.has_created_to || tasks[id].created_at < body.created_to)) {
                cr_assert_lt(expected, count, "task %" PRIu64 " is not listed", id);
                cr_assert_eq(ids[expected], id, "round %d", round);
                expected++;
            }
        }
        cr_assert_eq(count, expected, "round %d", round);
        const size_t limit = body.has_limit ? body.limit : 100;
        cr_assert_eq(pages, count == 0 ? 1 : (count + limit - 1) / limit, "no empty last page");
        expect_reverse(body, ids, count, pages);
    }
}

/* Where the page before ended, each way; another order goes on from the same place. */
Test(tasks_list, an_after_of_the_other_order_begins_beyond_it)
{
    static const struct {
        const char *after;
        bool newest_first;
        uint64_t first;
        size_t count;
    } cases[] = {
        {"4", false, 5, 3},  {"4", true, 3, 3},
        {"1", false, 2, 6},  {"1", true, 0, 0},
        {"7", false, 0, 0},  {"7", true, 6, 6},
        {"0", false, 1, 7},  {"0", true, 0, 0},
        {"900", true, 7, 7}, {"9999999999999999", true, 7, 7},
    };

    register_popugs(1);
    for (int i = 0; i < 7; i++) {
        create("the roof");
    }
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        const struct tasks_show_all_assigned_tasks body = {
            .has_query = i % 2 == 1,
            .query = ates_text_from("roof"),
            .has_newest_first = true,
            .newest_first = cases[i / 2].newest_first,
            .has_after = true,
            .after = ates_text_from(cases[i / 2].after),
        };
        struct tasks_show_all_assigned_tasks_result page;

        fixture_do(&fixture, manager, "show_all_assigned_tasks", &body, &page);
        cr_assert_eq(page.items.count, cases[i / 2].count, "case %zu", i);
        cr_expect_not(page.has_next);
        if (page.items.count > 0) {
            cr_expect_eq(((const struct tasks_task *)page.items.items)->id, cases[i / 2].first);
        }
    }
}

Test(tasks_list, show_my_assigned_tasks)
{
    register_popugs(2);
    struct tasks_show_my_assigned_tasks body = {.has_limit = false};
    struct tasks_show_my_assigned_tasks_result page;
    size_t mine = 0, finished = 0;

    for (uint64_t id = 1; id <= 60; id++) {
        const struct tasks_task task = create(id % 2 == 0 ? "even roof" : "odd roof");

        if (task.assigned_to == FIRST_POPUG) {
            mine++;
            if (id % 3 == 0) {
                complete(&task);
                finished++;
            }
        }
    }
    fixture_do(&fixture, popug(FIRST_POPUG), "show_my_assigned_tasks", &body, &page);
    cr_expect_eq(page.items.count, mine - finished, "open ones, unless told otherwise");
    cr_expect(!page.has_next);
    for (size_t i = 0; i < page.items.count; i++) {
        const struct tasks_task *task = (const struct tasks_task *)page.items.items + i;

        cr_expect(task->assigned_to == FIRST_POPUG && !task->is_finished);
    }
    body.has_status = true;
    body.status = TASKS_FINISHED;
    fixture_do(&fixture, popug(FIRST_POPUG), "show_my_assigned_tasks", &body, &page);
    cr_expect_eq(page.items.count, finished);
    body.status = TASKS_ALL;
    fixture_do(&fixture, popug(FIRST_POPUG), "show_my_assigned_tasks", &body, &page);
    cr_expect_eq(page.items.count, mine);
    body.has_query = true;
    body.query = ates_text_from("ev roof");
    size_t even = 0, seen = 0;
    for (size_t i = 0; i < page.items.count; i++) {
        even += ((const struct tasks_task *)page.items.items)[i].id % 2 == 0;
    }
    body.has_limit = true;
    body.limit = 3;
    do {
        fixture_do(&fixture, popug(FIRST_POPUG), "show_my_assigned_tasks", &body, &page);
        seen += page.items.count;
        body.has_after = page.has_next;
        body.after = page.next;
    } while (page.has_next);
    cr_expect_eq(seen, even);
    uint64_t below = UINT64_MAX;
    body.has_newest_first = body.newest_first = true;
    do {
        fixture_do(&fixture, popug(FIRST_POPUG), "show_my_assigned_tasks", &body, &page);
        for (size_t i = 0; i < page.items.count; i++, seen--) {
            const struct tasks_task *task = (const struct tasks_task *)page.items.items + i;

            cr_expect(task->assigned_to == FIRST_POPUG && task->id < below);
            below = task->id;
        }
        body.has_after = page.has_next;
        body.after = page.next;
    } while (page.has_next);
    cr_expect_eq(seen, 0, "as many the newest first");
    fixture_do(&fixture, manager, "show_my_assigned_tasks",
               &(struct tasks_show_my_assigned_tasks){.has_limit = false}, &page);
    cr_expect_eq(page.items.count, 0);
}

Test(tasks_list, lists_refuse_what_no_page_gave)
{
    static const char *const wrong[] = {"x", "-1", "1.", " 1", "12345678901234567", "0x1"};

    register_popugs(1);
    create("a");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const struct tasks_show_all_assigned_tasks all = {.has_after = true,
                                                          .after = ates_text_from(wrong[i])};
        const struct tasks_show_my_assigned_tasks my = {.has_after = true,
                                                        .after = ates_text_from(wrong[i])};

        fixture_refused(&fixture, manager, "show_all_assigned_tasks", &all, ATES_INVALID_ARGUMENT,
                        "FIELD_INVALID");
        cr_expect_str_eq(fixture.refusal.field, "after");
        fixture_refused(&fixture, popug(FIRST_POPUG), "show_my_assigned_tasks", &my,
                        ATES_INVALID_ARGUMENT, "FIELD_INVALID");
    }
    const struct tasks_show_all_assigned_tasks past = {.has_after = true,
                                                       .after = ates_text_from("9999999999999999")};
    struct tasks_show_all_assigned_tasks_result page;
    fixture_do(&fixture, manager, "show_all_assigned_tasks", &past, &page);
    cr_expect(page.items.count == 0 && !page.has_next);
}

/* Long descriptions: the page ends where its bytes do, and the next one goes on. */
Test(tasks_list, a_page_ends_by_its_bytes)
{
    static char description[4 * TASKS_DESCRIPTION_MAX + 1];
    struct tasks_show_all_assigned_tasks body = {.has_limit = true, .limit = 1000};
    uint64_t ids[40];
    size_t pages;

    for (size_t i = 0; i < TASKS_DESCRIPTION_MAX; i++) {
        memcpy(description + 4 * i, "\xf0\x9f\xa6\x9c", 4); /* the widest character: a parrot */
    }
    register_popugs(2);
    for (int i = 0; i < 20; i++) {
        create_as(manager, "roof", description);
    }
    cr_expect_eq(list_all(manager, body, ids, 40, &pages), 20);
    cr_expect_eq(pages, 20, "40 kB each: one a page");
    expect_reverse(body, ids, 20, 20);
    const struct ates_outcome outcome =
        fixture_execute(&fixture, manager, "show_all_assigned_tasks", &body, NULL);
    cr_expect_leq(outcome.reply.size, ATES_PAGE_BYTES);
    cr_expect_gt(outcome.reply.size, ATES_PAGE_BYTES / 2u);
    body.has_query = true;
    body.query = ates_text_from("roof");
    cr_expect_eq(list_all(manager, body, ids, 40, &pages), 20);
}

/* What a query has to look through is bounded by the call: pages may come short, even empty, and
 * still go on. */
Test(tasks_list, a_query_looks_through_so_many_rows_a_call)
{
    enum { TASKS = 11000 };
    struct tasks_show_all_assigned_tasks body = {
        .has_status = true,
        .status = TASKS_FINISHED,
        .has_query = true,
        .query = ates_text_from("task"),
    };
    struct tasks_show_all_assigned_tasks_result page;
    uint64_t ids[4];
    size_t pages;

    register_popugs(1);
    create_many(TASKS);
    const struct tasks_task last = show(TASKS);
    complete(&last);
    fixture_do(&fixture, manager, "show_all_assigned_tasks", &body, &page);
    cr_expect(page.items.count == 0 && page.has_next);
    cr_expect_eq(list_all(manager, body, ids, 4, &pages), 1);
    cr_expect_eq(ids[0], TASKS);
    cr_expect_eq(pages, 3);
    expect_reverse(body, ids, 1, 3);
    body.has_newest_first = body.newest_first = true;
    fixture_do(&fixture, manager, "show_all_assigned_tasks", &body, &page);
    cr_expect(page.items.count == 1 && page.has_next);
    cr_expect(ates_text_equal(page.next, ates_text_from("6001")), "5,000 looked at");
    body.has_newest_first = body.newest_first = false;
    body.query = ates_text_from("t");
    body.has_status = false;
    fixture_do(&fixture, manager, "show_all_assigned_tasks", &body, &page);
    cr_expect(page.items.count == 100 && page.has_next);
}
