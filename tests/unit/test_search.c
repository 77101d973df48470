/* The index of words: a search gives the same ids as looking through everything, in order, each
 * once. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "core/search.h"
#include "support/engine_fixture.h"
#include "tasks/tasks.h"
#include "tasks/tasks_state.h"

/* The tasks domain's table of words, used by itself. */
#define TABLE TASKS_TABLE_WORDS

static struct fixture fixture;
static struct ates_call call;

static void set_up(void)
{
    fixture_open(&fixture, &tasks_domain);
    call = (struct ates_call){.txn = ates_engine_txn(fixture.engine), .arena = fixture.arena};
}

static void tear_down(void)
{
    fixture_close(&fixture);
}

TestSuite(search, .init = set_up, .fini = tear_down);

static struct ates_words split(const char *text)
{
    const struct ates_text whole = ates_text_from(text);
    struct ates_words words;

    ates_words_split(&whole, 1, fixture.arena, &words);
    return words;
}

static void put(const char *text, uint64_t id)
{
    const struct ates_words words = split(text);

    cr_assert_eq(ates_search_put(call.txn, TABLE, &words, id), 0);
}

static void take_out(const char *text, uint64_t id)
{
    const struct ates_words words = split(text);

    cr_assert_eq(ates_search_delete(call.txn, TABLE, &words, id), 0);
}

/* The ids found from an id on, in brackets; at most limit of them. */
static const char *found_ordered(const char *query, uint64_t from_id, bool down, size_t limit)
{
    static char out[1000];
    const struct ates_words words = split(query);
    struct ates_search search;
    uint64_t id;
    size_t size = 0;
    int r = 0;

    out[0] = '\0';
    cr_assert_eq(ates_search_open(&search, &call, TABLE, &words, from_id, down), 0);
    for (size_t i = 0; i < limit && (r = ates_search_next(&search, &id)) == 0; i++) {
        size += (size_t)snprintf(out + size, sizeof out - size, "[%" PRIu64 "]", id);
    }
    cr_assert(r == 0 || r == ATES_NOT_FOUND);
    ates_search_close(&search);
    return out;
}

static const char *found(const char *query, uint64_t after_id, size_t limit)
{
    return found_ordered(query, after_id + 1, false, limit);
}

static const char *found_down(const char *query, uint64_t before_id, size_t limit)
{
    return found_ordered(query, before_id, true, limit);
}

Test(search, gives_ids_in_order_each_once)
{
    put("roof roofer Roofing", 3);
    put("roofs", 1);
    put("root", 2);
    put("roof", 70000);
    put("the roof", 4);
    put("proof", 5);
    put("крыша", 6);

    cr_expect_str_eq(found("roof", 0, 100), "[1][3][4][70000]");
    cr_expect_str_eq(found("roo", 0, 100), "[1][2][3][4][70000]");
    cr_expect_str_eq(found("ROOFER", 0, 100), "[3]");
    cr_expect_str_eq(found("roofers", 0, 100), "");
    cr_expect_str_eq(found("крыш", 0, 100), "[6]");
    cr_expect_str_eq(found("zebra", 0, 100), "");
    cr_expect_str_eq(found("a", 0, 100), "");
}

Test(search, is_driven_by_the_longest_word)
{
    put("a roof", 1);
    put("a coop", 2);
    cr_expect_str_eq(found("roof a", 0, 100), "[1]");
    cr_expect_str_eq(found("a coo", 0, 100), "[2]");
}

Test(search, goes_on_after_an_id)
{
    put("roof", 1);
    put("roofs", 2);
    put("roof", 3);
    put("roofs", 300);
    cr_expect_str_eq(found("roof", 0, 2), "[1][2]");
    cr_expect_str_eq(found("roof", 2, 1), "[3]");
    cr_expect_str_eq(found("roof", 3, 9), "[300]");
    cr_expect_str_eq(found("roof", 299, 9), "[300]");
    cr_expect_str_eq(found("roof", 300, 9), "");
    cr_expect_str_eq(found_ordered("roof", UINT64_MAX, false, 9), "");
}

Test(search, goes_down_from_an_id)
{
    put("roof", 1);
    put("roofs roof", 2);
    put("roof", 3);
    put("roofs", 300);
    cr_expect_str_eq(found_down("roof", UINT64_MAX, 9), "[300][3][2][1]");
    cr_expect_str_eq(found_down("roof", UINT64_MAX, 2), "[300][3]");
    cr_expect_str_eq(found_down("roof", 300, 2), "[3][2]");
    cr_expect_str_eq(found_down("roof", 299, 9), "[3][2][1]");
    cr_expect_str_eq(found_down("roofs", 3, 9), "[2]");
    cr_expect_str_eq(found_down("roof", 1, 9), "");
    cr_expect_str_eq(found_down("roof", 0, 9), "");
    cr_expect_str_eq(found_down("zebra", UINT64_MAX, 9), "");
    cr_expect_str_eq(found_down("a", UINT64_MAX, 9), "");
    cr_expect_str_eq(found_down("...", UINT64_MAX, 9), "");
}

Test(search, finds_nothing_without_words)
{
    put("roof", 1);
    cr_expect_str_eq(found("", 0, 9), "");
    cr_expect_str_eq(found("...", 0, 9), "");
}

Test(search, forgets_what_was_taken_out)
{
    put("big roof", 1);
    put("roof", 2);
    take_out("roof", 1);
    cr_expect_str_eq(found("roof", 0, 9), "[2]");
    cr_expect_str_eq(found("big", 0, 9), "[1]");
    take_out("roof", 2);
    cr_expect_str_eq(found("roof", 0, 9), "");
    const struct ates_words words = split("roof");
    cr_expect_eq(ates_search_delete(call.txn, TABLE, &words, 2), ATES_NOT_FOUND);
}

Test(search, keeps_words_of_full_length_apart)
{
    put("abcdefghijklmnopqrstuvwxyzabcdef", 1);
    put("abcdefghijklmnopqrstuvwxyzabcdeg", 2);
    put("abcdefghijklmnopqrstuvwxyzabcde", 3);
    cr_expect_str_eq(found("abcdefghijklmnopqrstuvwxyzabcdef and more", 0, 9), "[1]");
    cr_expect_str_eq(found("abcdefghijklmnopqrstuvwxyzabcdefghijk", 0, 9), "[1]", "cut alike");
    cr_expect_str_eq(found("abcdefghijklmnopqrstuvwxyzabcde", 0, 9), "[1][2][3]");
}

/* Segments without hits lie in between, and such with neighbours of the word only. */
Test(search, goes_on_from_segment_to_segment)
{
    const uint64_t ids[] = {1, 4095, 4096, 8191, 8192, 50000, 50001, UINT64_C(1) << 52};
    const size_t count = sizeof ids / sizeof ids[0];
    char expected[200] = "", down[200] = "";

    for (size_t i = 0; i < count; i++) {
        put("roof", ids[i]);
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "[%" PRIu64 "]",
                 ids[i]);
        snprintf(down + strlen(down), sizeof down - strlen(down), "[%" PRIu64 "]",
                 ids[count - 1 - i]);
    }
    put("coop", 20000);
    put("zebra", 20001);
    put("coop", 30000);
    put("zebra", 40000);
    cr_expect_str_eq(found("roof", 0, 100), expected);
    cr_expect_str_eq(found("roof", 4095, 2), "[4096][8191]");
    cr_expect_str_eq(found("roof", 4096, 2), "[8191][8192]");
    cr_expect_str_eq(found("roof", 8192, 9), "[50000][50001][4503599627370496]");
    cr_expect_str_eq(found("zeb", 0, 9), "[20001][40000]");
    cr_expect_str_eq(found("zeb", 40000, 9), "");
    cr_expect_str_eq(found_down("roof", UINT64_MAX, 100), down);
    cr_expect_str_eq(found_down("roof", 8192, 2), "[8191][4096]");
    cr_expect_str_eq(found_down("roof", 4097, 9), "[4096][4095][1]");
    cr_expect_str_eq(found_down("roof", 4096, 1), "[4095]");
    cr_expect_str_eq(found_down("zeb", UINT64_MAX, 9), "[40000][20001]");
    cr_expect_str_eq(found_down("coo", 30000, 9), "[20000]");
    cr_expect_str_eq(found_down("zeb", 20001, 9), "");
    cr_expect_str_eq(found_down("coo", 20000, 9), "");
}

Test(search, has_tells_whether_all_words_are_in)
{
    const struct ates_words both = split("big roof"), other = split("big coop");

    put("big roof", 4097);
    cr_expect_eq(ates_search_has(call.txn, TABLE, &both, 4097), 0);
    cr_expect_eq(ates_search_has(call.txn, TABLE, &both, 1), ATES_NOT_FOUND);
    cr_expect_eq(ates_search_has(call.txn, TABLE, &other, 4097), ATES_NOT_FOUND);
}

/* Fills a segment with rows of words that begin with w. */
static void fill_segment(uint64_t segment, unsigned rows)
{
    char word[16];

    for (unsigned i = 0; i < rows; i++) {
        snprintf(word, sizeof word, "w%02u", i / ATES_SEARCH_SEGMENT);
        put(word, segment * ATES_SEARCH_SEGMENT + i % ATES_SEARCH_SEGMENT);
        ates_arena_reset(fixture.arena);
    }
}

Test(search, refuses_what_is_too_broad)
{
    struct ates_search search;
    uint64_t id;
    int r;

    fill_segment(1, ATES_SEARCH_ROWS_MAX);
    fill_segment(3, ATES_SEARCH_ROWS_MAX);
    const struct ates_words query = split("w");
    cr_assert_eq(ates_search_open(&search, &call, TABLE, &query, 1, false), 0, "as many as may be");
    for (uint64_t i = 0; i < ATES_SEARCH_SEGMENT; i++) {
        cr_assert_eq(ates_search_next(&search, &id), 0);
        cr_assert_eq(id, ATES_SEARCH_SEGMENT + i);
    }
    ates_search_close(&search);

    put("wz", 3 * ATES_SEARCH_SEGMENT);
    cr_assert_eq(ates_search_open(&search, &call, TABLE, &query, 1, false), 0);
    while ((r = ates_search_next(&search, &id)) == 0) {
    }
    cr_expect_eq(r, ATES_INVALID_ARGUMENT, "in a later segment");
    cr_expect_eq(id, 2 * ATES_SEARCH_SEGMENT - 1);
    cr_expect_str_eq(call.refusal.reason, "QUERY_TOO_BROAD");
    cr_expect_str_eq(call.refusal.field, "query");
    ates_search_close(&search);
    cr_expect_eq(
        ates_search_open(&search, &call, TABLE, &query, 2 * ATES_SEARCH_SEGMENT + 1, false),
        ATES_INVALID_ARGUMENT);
    cr_expect_eq(ates_search_open(&search, &call, TABLE, &query, UINT64_MAX, true),
                 ATES_INVALID_ARGUMENT);
    cr_expect_eq(ates_search_open(&search, &call, TABLE, &query, 3 * ATES_SEARCH_SEGMENT + 1, true),
                 ATES_INVALID_ARGUMENT);
    cr_assert_eq(ates_search_open(&search, &call, TABLE, &query, 3 * ATES_SEARCH_SEGMENT, true), 0,
                 "of the segments below alone");
    for (uint64_t i = 0; i < ATES_SEARCH_SEGMENT; i++) {
        cr_assert_eq(ates_search_next(&search, &id), 0);
        cr_assert_eq(id, 2 * ATES_SEARCH_SEGMENT - 1 - i);
    }
    cr_assert_eq(ates_search_next(&search, &id), ATES_NOT_FOUND);
    ates_search_close(&search);
    cr_expect_str_eq(found("wz", 0, 9), "[12288]");
}

#define MODEL_IDS 400u
#define MODEL_WORDS 120u

/* A word of a small alphabet, so that many are each other's beginnings. */
static void draw_word(char word[8])
{
    const size_t size = 1 + (size_t)fixture_draw(&fixture, 5);

    for (size_t i = 0; i < size; i++) {
        word[i] = (char)('a' + fixture_draw(&fixture, 3));
    }
    word[size] = '\0';
}

static char words[MODEL_WORDS][8];
static bool has[MODEL_IDS + 1][MODEL_WORDS];

static bool has_beginning(uint64_t id, const char *prefix)
{
    for (size_t i = 0; i < MODEL_WORDS; i++) {
        if (has[id][i] && strncmp(words[i], prefix, strlen(prefix)) == 0) {
            return true;
        }
    }
    return false;
}

Test(search, agrees_with_a_look_at_everything)
{
    const uint64_t stride = 1 + fixture_draw(&fixture, 200); /* spreads the ids over segments */

    for (size_t i = 0; i < MODEL_WORDS; i++) {
        draw_word(words[i]);
        for (size_t j = 0; j < i; j++) {
            i -= strcmp(words[j], words[i]) == 0; /* one a word: draw it again */
        }
    }
    for (int round = 0; round < 3000; round++) {
        const uint64_t id = 1 + fixture_draw(&fixture, MODEL_IDS);
        const size_t word = (size_t)fixture_draw(&fixture, MODEL_WORDS);

        if (has[id][word]) {
            take_out(words[word], id * stride);
        } else {
            put(words[word], id * stride);
        }
        has[id][word] = !has[id][word];
    }
    for (int round = 0; round < 4000; round++) {
        char prefix[8];
        struct ates_search search;
        const bool down = round % 2;
        const uint64_t from = fixture_draw(&fixture, MODEL_IDS + 3);
        uint64_t given;

        ates_arena_reset(fixture.arena);
        draw_word(prefix);
        const struct ates_words query = split(prefix);
        cr_assert_eq(ates_search_open(&search, &call, TABLE, &query, from * stride, down), 0);
        for (uint64_t step = 1; step <= MODEL_IDS; step++) {
            const uint64_t id = down ? MODEL_IDS + 1 - step : step;

            if ((id < from) == down && has_beginning(id, prefix)) {
                cr_assert_eq(ates_search_next(&search, &given), 0, "%s from %" PRIu64, prefix,
                             from);
                cr_assert_eq(given, id * stride, "%s from %" PRIu64, prefix, from);
            }
        }
        for (int i = 0; i < 2; i++) {
            cr_assert_eq(ates_search_next(&search, &given), ATES_NOT_FOUND);
        }
        ates_search_close(&search);
    }
}
