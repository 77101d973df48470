/* The state environment: rows, numbers, messages and walks over keys in order. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ates/service.h>

#include "core/store.h"
#include "support/sample.h"
#include "support/temp_folder.h"

#define MAP_SIZE ((size_t)64 << 20)

enum { ROWS, OTHERS };
static const char *const tables[] = {"rows", "others"};

static char folder[TEMP_FOLDER_SIZE];
static struct ates_store *store;
static struct ates_arena *arena;
static struct ates_txn txn;

static int open_store(size_t map_size)
{
    char error[256] = "";
    const int r = ates_store_open(&store, folder, map_size, tables, 2, error, sizeof error);

    cr_assert(r == 0 || error[0] != '\0');
    return r;
}

static void begin(void)
{
    cr_assert_eq(ates_txn_begin(&txn, store, false, arena), 0);
}

static void setup(void)
{
    temp_folder_make(folder);
    arena = ates_arena_new();
    cr_assert_eq(open_store(MAP_SIZE), 0);
    begin();
}

static void teardown(void)
{
    ates_txn_abort(&txn);
    ates_txn_abort(&txn);
    ates_store_close(&store);
    cr_assert_null(store);
    ates_store_close(&store);
    ates_buffer_release(&txn.scratch);
    ates_arena_free(&arena);
    temp_folder_remove(folder);
}

TestSuite(store, .init = setup, .fini = teardown);

static struct ates_key key_of(const char *bytes, size_t size)
{
    struct ates_key key = {.size = 0};

    ates_key_add_bytes(&key, bytes, size);
    return key;
}

#define KEY(LITERAL) key_of(LITERAL, sizeof(LITERAL) - 1)

static void put(struct ates_key key, const char *value)
{
    cr_assert_eq(ates_put(&txn, ROWS, &key, value, strlen(value)), 0);
}

static bool holds(struct ates_bytes bytes, const char *text)
{
    return bytes.size == strlen(text) && memcmp(bytes.data, text, bytes.size) == 0;
}

Test(store, keys_order_as_numbers_do)
{
    const uint64_t numbers[] = {0, 1, 255, 256, 65535, UINT64_C(1) << 32, UINT64_MAX};

    for (size_t i = 0; i + 1 < sizeof numbers / sizeof numbers[0]; i++) {
        const struct ates_key lower = ates_key_u64(numbers[i]);
        const struct ates_key higher = ates_key_u64(numbers[i + 1]);

        cr_assert_eq(lower.size, 8);
        cr_assert_lt(memcmp(lower.data, higher.data, 8), 0);
        cr_assert_eq(ates_u64_from(lower.data), numbers[i]);
    }
    struct ates_key key = ates_key_u64(1);
    ates_key_add_u8(&key, 7);
    ates_key_add_bytes(&key, "ab", 2);
    ates_key_add_bytes(&key, NULL, 0);
    cr_assert_eq(key.size, 11);
    cr_assert_arr_eq(key.data, "\0\0\0\0\0\0\0\1\7ab", 11);
}

Test(store, get_gives_what_was_put)
{
    const struct ates_key key = KEY("a");
    struct ates_bytes value = {(const uint8_t *)"untouched", 9};

    cr_assert_eq(ates_get(&txn, ROWS, &key, &value), ATES_NOT_FOUND);
    cr_assert(holds(value, "untouched"));
    put(key, "one");
    cr_assert_eq(ates_get(&txn, ROWS, &key, &value), 0);
    cr_assert(holds(value, "one"));
    put(key, "another");
    cr_assert_eq(ates_get(&txn, ROWS, &key, &value), 0);
    cr_assert(holds(value, "another"));
    cr_assert_eq(ates_get(&txn, OTHERS, &key, &value), ATES_NOT_FOUND);
    cr_assert_eq(ates_put(&txn, ROWS, &key, NULL, 0), 0);
    cr_assert_eq(ates_get(&txn, ROWS, &key, &value), 0);
    cr_assert_eq(value.size, 0);
    cr_assert_eq(ates_delete(&txn, ROWS, &key), 0);
    cr_assert_eq(ates_delete(&txn, ROWS, &key), ATES_NOT_FOUND);
    cr_assert_eq(ates_get(&txn, ROWS, &key, &value), ATES_NOT_FOUND);
}

Test(store, what_was_got_outlives_later_writes)
{
    char word[32];
    struct ates_bytes value;
    const struct ates_key key = KEY("kept");

    put(key, "the first value");
    cr_assert_eq(ates_get(&txn, ROWS, &key, &value), 0);
    for (unsigned i = 0; i < 2000; i++) {
        snprintf(word, sizeof word, "%u", i);
        put(ates_key_u64(i), word);
    }
    put(key, "THE SECOND VALU");
    cr_assert_eq(ates_delete(&txn, ROWS, &key), 0);
    cr_assert_eq(ates_txn_commit(&txn), 0);
    cr_assert(holds(value, "the first value"));
    begin();
}

Test(store, only_what_was_committed_stays)
{
    const struct ates_key kept = KEY("kept"), lost = KEY("lost");
    struct ates_bytes value;

    put(kept, "1");
    cr_assert_eq(txn.writes, 1);
    cr_assert_eq(ates_txn_commit(&txn), 0);
    begin();
    cr_assert_eq(txn.writes, 0);
    put(lost, "2");
    ates_txn_abort(&txn);
    ates_store_close(&store);
    cr_assert_eq(open_store(MAP_SIZE), 0);
    cr_assert_eq(ates_txn_begin(&txn, store, true, arena), 0);
    cr_assert_eq(ates_get(&txn, ROWS, &kept, &value), 0);
    cr_assert_eq(ates_get(&txn, ROWS, &lost, &value), ATES_NOT_FOUND);
}

Test(store, numbers)
{
    const int64_t numbers[] = {0, 1, -1, INT64_MAX, INT64_MIN};
    const struct ates_key key = KEY("n");
    int64_t value = 77;

    cr_assert_eq(ates_get_number(&txn, ROWS, &key, &value), 0);
    cr_assert_eq(value, 0);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        cr_assert_eq(ates_put_number(&txn, ROWS, &key, numbers[i]), 0);
        cr_assert_eq(ates_get_number(&txn, ROWS, &key, &value), 0);
        cr_assert_eq(value, numbers[i]);
    }
    put(key, "short");
    cr_assert_eq(ates_get_number(&txn, ROWS, &key, &value), -EBADMSG);
    cr_assert_eq(value, INT64_MIN);
}

Test(store, messages)
{
    const struct ates_user_changed user = {.user_id = 7,
                                           .login = ates_text_from("ann"),
                                           .email = ates_text_from("ann@example.org"),
                                           .role = ATES_BOSS,
                                           .disabled = true,
                                           .tokens_valid_after = 12345};
    const struct ates_key key = ates_key_u64(7);
    struct ates_user_changed got = {.user_id = 99};

    cr_assert_eq(ates_get_message(&txn, ROWS, &key, &ates_user_changed_message, &got),
                 ATES_NOT_FOUND);
    cr_assert_eq(ates_put_message(&txn, ROWS, &key, &ates_user_changed_message, &user), 0);
    cr_assert_eq(ates_get_message(&txn, ROWS, &key, &ates_user_changed_message, &got), 0);
    cr_assert(got.user_id == 7 && got.role == ATES_BOSS && got.disabled);
    cr_assert(ates_text_equal(got.email, user.email));
    put(key, "no map");
    got.user_id = 99;
    cr_assert_eq(ates_get_message(&txn, ROWS, &key, &ates_user_changed_message, &got), -EBADMSG);
    cr_assert_eq(got.user_id, 99);
}

/* The values met by a walk, one letter each. */
static void walk(const struct ates_key *prefix, const struct ates_key *from, bool down, char *met)
{
    struct ates_bytes key, value;
    struct ates_scan scan;

    cr_assert_eq(ates_scan_open_ordered(&scan, &txn, ROWS, prefix, from, down), 0);
    while (ates_scan_next(&scan, &key, &value) == 0) {
        *met++ = (char)value.data[0];
    }
    *met = '\0';
    cr_assert_eq(ates_scan_next(&scan, &key, &value), ATES_NOT_FOUND, "the end stays the end");
    ates_scan_close(&scan);
    ates_scan_close(&scan);
}

static void put_rows(void)
{
    put(KEY("a"), "a");
    put(KEY("b\0\1"), "b");
    put(KEY("b\xff"), "c");
    put(KEY("b\xff\xff"), "d");
    put(KEY("b\xff\xff\1"), "e");
    put(KEY("c"), "f");
    put(KEY("\xff"), "g");
    put(KEY("\xff\xff"), "h");
}

Test(store, scan_walks_a_prefix_both_ways)
{
    const struct {
        struct ates_key prefix;
        const char *met, *back;
    } cases[] = {
        {KEY(""), "abcdefgh", "hgfedcba"},
        {KEY("b"), "bcde", "edcb"},
        {KEY("b\xff"), "cde", "edc"},
        {KEY("b\xff\xff"), "de", "ed"},
        {KEY("\xff"), "gh", "hg"},
        {KEY("\xff\xff"), "h", "h"},
        {KEY("\xff\xff\xff"), "", ""},
        {KEY("bb"), "", ""},
        {KEY("0"), "", ""},
        {KEY("a"), "a", "a"},
    };
    char met[16];

    walk(NULL, NULL, false, met);
    cr_assert_str_eq(met, "");
    walk(NULL, NULL, true, met);
    cr_assert_str_eq(met, "");
    put_rows();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        walk(&cases[i].prefix, NULL, false, met);
        cr_assert_str_eq(met, cases[i].met, "case %zu: %s", i, met);
        walk(&cases[i].prefix, NULL, true, met);
        cr_assert_str_eq(met, cases[i].back, "case %zu: %s", i, met);
    }
    walk(NULL, NULL, false, met);
    cr_assert_str_eq(met, "abcdefgh");
}

Test(store, past_a_key_is_the_first_one_above_all_that_begin_so)
{
    static const struct {
        struct ates_key key, past;
    } cases[] = {
        {{.size = 0}, {.size = 0}},
        {{.size = 1, .data = "a"}, {.size = 1, .data = "b"}},
        {{.size = 2, .data = "a\xfe"}, {.size = 2, .data = "a\xff"}},
        {{.size = 3, .data = "a\xff\xff"}, {.size = 1, .data = "b"}},
        {{.size = 2, .data = "\xff\xff"}, {.size = 0}},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct ates_key past = ates_key_past(&cases[i].key);

        cr_expect(past.size == cases[i].past.size &&
                      memcmp(past.data, cases[i].past.data, past.size) == 0,
                  "case %zu", i);
    }
}

Test(store, scan_begins_at_a_key)
{
    const struct ates_key b = KEY("b"), none = KEY("");
    char met[16];

    put_rows();
    const struct {
        const struct ates_key *prefix;
        struct ates_key from;
        const char *met, *down;
    } cases[] = {
        {&b, KEY("b\xff"), "cde", "b"},    {&b, KEY("b\xff\xff\2"), "", "edcb"},
        {&b, KEY("b\1"), "cde", "b"},      {&b, KEY("b\0\1"), "bcde", ""},
        {&b, KEY("zz"), "", ""},           {&none, KEY("b\1"), "cdefgh", "ba"},
        {&none, KEY("a"), "abcdefgh", ""}, {&none, KEY("\xff\xff\xff"), "", "hgfedcba"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        walk(cases[i].prefix, &cases[i].from, false, met);
        cr_assert_str_eq(met, cases[i].met, "case %zu: %s", i, met);
        walk(cases[i].prefix, &cases[i].from, true, met);
        cr_assert_str_eq(met, cases[i].down, "case %zu, down: %s", i, met);
    }
}

Test(store, scan_seeks_and_stays_at_the_end)
{
    const struct ates_key b = KEY("b"), far = KEY("b\xff\xff"), past = KEY("z"), none = KEY("");
    struct ates_bytes key, value;
    struct ates_scan scan;

    put_rows();
    cr_assert_eq(ates_scan_open(&scan, &txn, ROWS, &b, NULL), 0);
    cr_assert_eq(ates_scan_next(&scan, &key, &value), 0);
    cr_assert(holds(value, "b"));
    ates_scan_seek(&scan, &far);
    cr_assert_eq(ates_scan_next(&scan, &key, &value), 0);
    cr_assert(holds(value, "d") && key.size == 3);
    ates_scan_seek(&scan, &b);
    cr_assert_eq(ates_scan_next(&scan, &key, &value), 0);
    cr_assert(holds(value, "b"));
    ates_scan_seek(&scan, &past);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(ates_scan_next(&scan, &key, &value), ATES_NOT_FOUND);
    }
    ates_scan_close(&scan);
    const struct ates_key last = KEY("\xff\xff\xff");
    cr_assert_eq(ates_scan_open(&scan, &txn, ROWS, &none, &last), 0);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(ates_scan_next(&scan, &key, &value), ATES_NOT_FOUND);
    }
    ates_scan_close(&scan);
}

Test(store, scan_seeks_down)
{
    const struct ates_key b = KEY("b"), far = KEY("b\xff\xff"), none = KEY("");
    struct ates_bytes key, value;
    struct ates_scan scan;

    put_rows();
    cr_assert_eq(ates_scan_open_ordered(&scan, &txn, ROWS, &b, NULL, true), 0);
    cr_assert_eq(ates_scan_next(&scan, &key, &value), 0);
    cr_assert(holds(value, "e"));
    ates_scan_seek(&scan, &far);
    cr_assert_eq(ates_scan_next(&scan, &key, &value), 0);
    cr_assert(holds(value, "c"));
    ates_scan_seek(&scan, &b);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(ates_scan_next(&scan, &key, &value), ATES_NOT_FOUND);
    }
    ates_scan_seek(&scan, &far);
    cr_assert_eq(ates_scan_next(&scan, &key, &value), 0);
    cr_assert(holds(value, "c"), "goes on after an end");
    ates_scan_close(&scan);
    cr_assert_eq(ates_scan_open_ordered(&scan, &txn, ROWS, &none, NULL, true), 0);
    cr_assert_eq(ates_scan_next(&scan, &key, &value), 0);
    cr_assert(holds(value, "h"));
    ates_scan_close(&scan);
}

#define KEYS 120 /* of 1 to 4 of 3 letters */

static int compare_keys(const void *a, const void *b)
{
    const struct ates_key *left = a, *right = b;
    const size_t size = left->size < right->size ? left->size : right->size;
    const int order = memcmp(left->data, right->data, size);

    return order != 0 ? order : (left->size > right->size) - (left->size < right->size);
}

/* A walk from here meets, in order, the keys that are there, are on its side and begin as prefix
 * does. */
static void expect_walk(const struct ates_key *keys, const bool *there,
                        const struct ates_key *prefix, const struct ates_key *from, bool down)
{
    struct ates_bytes key, value;
    struct ates_scan scan;

    cr_assert_eq(ates_scan_open_ordered(&scan, &txn, ROWS, prefix, from, down), 0);
    for (size_t step = 0; step < KEYS; step++) {
        const size_t i = down ? KEYS - 1 - step : step;

        if (!there[i] || keys[i].size < prefix->size ||
            memcmp(keys[i].data, prefix->data, prefix->size) != 0 ||
            (from != NULL && (compare_keys(&keys[i], from) < 0) != down)) {
            continue;
        }
        cr_assert_eq(ates_scan_next(&scan, &key, &value), 0);
        cr_assert(key.size == keys[i].size && memcmp(key.data, keys[i].data, key.size) == 0,
                  "key %zu, down %d", i, down);
    }
    cr_assert_eq(ates_scan_next(&scan, &key, &value), ATES_NOT_FOUND);
    cr_assert_eq(ates_scan_next(&scan, &key, &value), ATES_NOT_FOUND);
    ates_scan_close(&scan);
}

/* Random rows over few letters, 0xff among them, against a sorted list. */
Test(store, scan_agrees_with_a_sorted_list)
{
    static const char letters[] = {'a', 'b', (char)0xff};
    uint64_t state = seed_start();
    bool there[KEYS];

    struct ates_key keys[KEYS];
    size_t count = 0;
    for (size_t size = 1, ways = 3; size <= 4; size++, ways *= 3) {
        for (size_t way = 0; way < ways; way++) {
            struct ates_key *key = &keys[count++];

            key->size = 0;
            for (size_t i = 0, rest = way; i < size; i++, rest /= 3) {
                ates_key_add_bytes(key, &letters[rest % 3], 1);
            }
        }
    }
    cr_assert_eq(count, KEYS);
    qsort(keys, KEYS, sizeof keys[0], compare_keys);
    for (size_t i = 0; i < count; i++) {
        there[i] = sample_coin(&state);
        if (there[i]) {
            cr_assert_eq(ates_put(&txn, ROWS, &keys[i], "x", 1), 0);
        }
    }
    for (size_t p = 0; p < count; p++) {
        for (int down = 0; down < 2; down++) {
            expect_walk(keys, there, &keys[p], NULL, down);
            for (size_t f = p; f < count && f < p + 41; f++) { /* of which some begin so */
                if (memcmp(keys[f].data, keys[p].data, keys[p].size) == 0) {
                    expect_walk(keys, there, &keys[p], &keys[f], down);
                }
            }
        }
    }
}

Test(store, a_full_map_is_enospc)
{
    uint8_t value[4000];
    int r = 0;

    memset(value, 'v', sizeof value);
    ates_txn_abort(&txn);
    ates_store_close(&store);
    cr_assert_eq(open_store(256 * 1024), 0);
    const unsigned before = ates_store_used_permille(store);
    begin();
    for (uint64_t i = 0; r == 0 && i < 1000; i++) {
        const struct ates_key key = ates_key_u64(i);
        r = ates_put(&txn, ROWS, &key, value, sizeof value);
        if (i == 30) {
            cr_assert_eq(ates_txn_commit(&txn), 0);
            begin();
        }
    }
    cr_assert_eq(r, -ENOSPC);
    ates_txn_abort(&txn);
    cr_assert_gt(ates_store_used_permille(store), before);
    cr_assert_leq(ates_store_used_permille(store), 1000);
}

Test(store, a_folder_that_cannot_be_is_a_fault)
{
    struct ates_store *none = NULL;
    char error[256] = "";

    cr_assert_eq(
        ates_store_open(&none, "/proc/none/state", MAP_SIZE, tables, 2, error, sizeof error),
        -ENOENT);
    cr_assert_null(none);
    cr_assert_not_null(strstr(error, "/proc/none/state"));
}
