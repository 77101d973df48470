/* A compacted service tells, page by page, what its base holds: all of it, once, however the pages are
 * cut; nothing of what came after the cut. */
#include "core/snapshot.h"

#include "support/compact_fixture.h"

static struct ates_read_snapshot_result page;
static struct ates_refusal refusal;

static void open_compacted(void)
{
    open_fixture();
    const struct toy_put hidden = {ates_text_from("hidden key"), ates_text_from("shy")};
    fixture_do(&fixture, ann, "put", &hidden, NULL);
    for (unsigned day = 0; day < 4; day++) {
        live_a_day();
    }
    compact(FIXTURE_TIME + 2 * DAY_MS);
    fixture_reopen(&fixture);
}

TestSuite(snapshot, .init = open_compacted, .fini = close_fixture, .timeout = 60);

static int ask(struct ates_text after, uint64_t limit)
{
    const struct ates_read_snapshot body = {
        .has_after = after.size > 0, .after = after, .has_limit = true, .limit = limit};

    return ates_snapshot_page(fixture.domain, &fixture.config, ates_engine_log(fixture.engine),
                              &body, fixture.arena, &page, &refusal);
}

/* All items, their keys in one text, by pages of this size. */
static size_t read_all(uint64_t limit, char *keys, size_t size)
{
    struct ates_text after = {NULL, 0};
    size_t count = 0, used = 0;

    do {
        cr_assert_eq(ask(after, limit), 0);
        cr_assert_eq(page.seq, base_note()->head.seq);
        cr_assert_arr_eq(page.hash.data, base_note()->head.hash, ATES_HASH_SIZE);
        cr_assert_leq(page.items.count, limit);
        const struct ates_snapshot_item *items = page.items.items;
        for (size_t i = 0; i < page.items.count; i++) {
            struct toy_entry entry;

            cr_assert(ates_text_equal(items[i].event_name, ates_text_from(toy_entry_message.name)));
            cr_assert_eq(items[i].event_version, 1);
            cr_assert_eq(ates_message_decode(&toy_entry_message, items[i].data.data,
                                             items[i].data.size, ATES_UNKNOWN_REFUSED,
                                             fixture.arena, &entry, NULL),
                         0);
            cr_assert_leq(entry.put_at, base_note()->head.time);
            used += (size_t)snprintf(keys + used, size - used, "%.*s,", (int)entry.key.size,
                                     entry.key.data);
            count++;
        }
        after = page.next;
    } while (page.has_next);
    return count;
}

Test(snapshot, is_the_same_in_pages_of_any_size)
{
    char whole[4096], pages[4096];
    const size_t count = read_all(1000, whole, sizeof whole);

    cr_expect_eq(count, 2 * 27, "two days' keys, and that in both parts");
    cr_expect_null(strstr(whole, "hidden"));
    for (uint64_t limit = 1; limit < 30; limit++) {
        cr_expect_eq(read_all(limit, pages, sizeof pages), count);
        cr_expect_str_eq(pages, whole);
    }
}

Test(snapshot, pages_end_where_a_frame_would_be_full)
{
    static char large[100000];

    memset(large, 'x', sizeof large);
    for (unsigned i = 0; i < 6; i++) {
        char key[8];

        snprintf(key, sizeof key, "big %u", i);
        const struct toy_put body = {ates_text_from(key), {large, sizeof large}};
        fixture_do(&fixture, ann, "put", &body, NULL);
    }
    fixture.now_ms += 2 * DAY_MS;
    live_a_day();
    compact(fixture.now_ms - DAY_MS);
    fixture_reopen(&fixture);
    cr_assert_eq(ask((struct ates_text){NULL, 0}, 1000), 0);
    cr_expect_eq(page.items.count, 2);
    cr_expect(page.has_next);
    char keys[8192];
    cr_expect_gt(read_all(1000, keys, sizeof keys), 12);
}

Test(snapshot, refuses_places_that_are_none)
{
    static const char *const places[] = {"0",   "-",    "x-00",  "2-",
                                         "0-0", "0-0g", "0-00 ", "99999999999999999999-00"};

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        cr_expect_eq(ask(ates_text_from(places[i]), 10), ATES_INVALID_ARGUMENT, "%s", places[i]);
        cr_expect_str_eq(refusal.reason, "FIELD_INVALID");
        cr_expect_str_eq(refusal.field, "after");
    }
    char key[512] = "1-";
    memset(key + 2, 'a', 254);
    cr_expect_eq(ask(ates_text_from(key), 10), ATES_INVALID_ARGUMENT, "a key beyond any");
    cr_expect_eq(ask(ates_text_from("1-ffff"), 10), 0);
    cr_expect_eq(page.items.count, 0);
    cr_expect_not(page.has_next);
}

Test(snapshot, there_is_none_without_a_base_or_of_an_older_form)
{
    struct ates_domain later = toy_domain;

    later.state_version = 1;
    fixture.domain = &later;
    cr_expect_eq(ask((struct ates_text){NULL, 0}, 10), ATES_FAILED_PRECONDITION);
    cr_expect_str_eq(refusal.reason, "SNAPSHOT_OUTDATED");
    close_fixture();
    open_fixture();
    live_a_day();
    cr_expect_eq(ask((struct ates_text){NULL, 0}, 10), ATES_FAILED_PRECONDITION);
    cr_expect_str_eq(refusal.reason, "NOT_COMPACTED");
}
