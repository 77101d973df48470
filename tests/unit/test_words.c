/* Words for search: folded in every script, cut, distinct, sorted, matched by prefix. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <criterion/criterion.h>

#include "core/words.h"
#include "support/seed.h"

static struct ates_arena *arena;

static void set_up(void)
{
    arena = ates_arena_new();
    cr_assert_not_null(arena);
}

static void tear_down(void)
{
    ates_arena_free(&arena);
}

TestSuite(words, .init = set_up, .fini = tear_down);

static struct ates_words split(const char *text)
{
    const struct ates_text texts[] = {ates_text_from(text)};
    struct ates_words words;
    ates_words_split(texts, 1, arena, &words);
    return words;
}

/* The words, each in brackets. */
static const char *joined(const char *text)
{
    static char out[ATES_WORDS_MAX * (ATES_WORD_MAX + 2) + 1];
    const struct ates_words words = split(text);
    size_t size = 0;
    for (size_t i = 0; i < words.count; i++) {
        size +=
            (size_t)sprintf(out + size, "[%.*s]", (int)words.items[i].size, words.items[i].data);
    }
    out[size] = '\0';
    return out;
}

static bool match(const char *text, const char *query)
{
    const struct ates_words words = split(text), asked = split(query);
    return ates_words_match(&words, &asked);
}

Test(words, english)
{
    cr_expect_str_eq(joined("Fix the ROOF, the big-roof: v2.0!"), "[0][big][fix][roof][the][v2]");
    cr_expect_str_eq(joined("don't"), "[don][t]");
    cr_expect_str_eq(joined("snake_case"), "[case][snake]");
    cr_expect_str_eq(joined("last"), "[last]");
    cr_expect_str_eq(joined("@[`{/:"), "");
    cr_expect_str_eq(joined("azAZ09"), "[azaz09]");
    cr_expect_str_eq(joined("a\tb\nc"), "[a][b][c]");
}

Test(words, empty)
{
    cr_expect_eq(split("").count, 0);
    cr_expect_eq(split(" ... \n").count, 0);
    cr_expect_eq(split("… — «»").count, 0);
    struct ates_words words;
    ates_words_split(NULL, 0, arena, &words);
    cr_expect_eq(words.count, 0);
    const struct ates_text none = {NULL, 0};
    ates_words_split(&none, 1, arena, &words);
    cr_expect_eq(words.count, 0);
}

Test(words, russian)
{
    cr_expect_str_eq(joined("Починить КРЫШУ, починить крышу!"), "[крышу][починить]");
    cr_expect_str_eq(joined("ЁЛКА ёлка \u0415\u0308лка"), "[ёлка]", "composed and decomposed");
    cr_expect_str_eq(joined("Й \u0418\u0306"), "[й]");
    cr_expect_str_eq(joined("из-за №5"), "[no5][за][из]");
    cr_expect(match("Починить крышу курятника", "КУР поч"));
    cr_expect(!match("Починить крышу курятника", "ятника"));
}

Test(words, other_scripts)
{
    cr_expect_str_eq(joined("Straße STRASSE STRAẞE"), "[strasse]");
    cr_expect_str_eq(joined("ΌΔΟΣ όδος"), "[όδοσ]", "the final sigma folds");
    cr_expect_str_eq(joined("I ı i"), "[i][ı]", "the dotless i is a letter of its own");
    cr_expect_str_eq(joined("İSTANBUL i\u0307stanbul"), "[i\u0307stanbul]");
    cr_expect_str_eq(joined("東京タワー、大阪。東京タワー"), "[大阪][東京タワー]");
    cr_expect(match("東京タワー", "東京"));
    cr_expect_str_eq(joined("ﾀﾜｰ ＡＢＣ １２"), "[12][abc][タワー]", "half and full width");
    cr_expect_str_eq(joined("हिन्दी"), "[हिन्दी]", "vowel signs and virama are marks");
    cr_expect_str_eq(joined("ﬁsh ① Ⅷ x²"), "[1][fish][viii][x2]", "compatibility characters");
    cr_expect_str_eq(joined("〇"), "[〇]", "a number that is no digit");
    cr_expect_str_eq(joined("שלום مرحبا"), "[שלום][مرحبا]");
    cr_expect_str_eq(joined("𐐀𐐁"), "[𐐨𐐩]", "beyond the basic plane");
}

Test(words, marks_and_invisible_characters)
{
    cr_expect_str_eq(joined("cafe\u0301 CAFÉ"), "[café]");
    cr_expect_str_eq(joined("a\u0323\u0307 a\u0307\u0323"), "[ạ\u0307]", "marks in either order");
    cr_expect_str_eq(joined("soft\u00adhyphen zero\u200bwidth"), "[softhyphen][zerowidth]");
    cr_expect_str_eq(joined("roof 🦜 popug"), "[popug][roof]");
    cr_expect_str_eq(joined("a\u00a0b\u3000c"), "[a][b][c]", "spaces of every kind");
}

Test(words, texts_together)
{
    const struct ates_text texts[] = {ates_text_from("roof rain"), ates_text_from("крыша Rain"),
                                      ates_text_from("coop")};
    struct ates_words words;
    ates_words_split(texts, 3, arena, &words);
    cr_assert_eq(words.count, 4);
    cr_expect(ates_text_equal(words.items[0], ates_text_from("coop")));
    cr_expect(ates_text_equal(words.items[1], ates_text_from("rain")));
    cr_expect(ates_text_equal(words.items[2], ates_text_from("roof")));
    cr_expect(ates_text_equal(words.items[3], ates_text_from("крыша")));
}

Test(words, size_counts_and_not_nul)
{
    const struct ates_text texts[] = {{"roofs", 4}, {"a\0b", 3}, {"ёж\0ик", 9}};
    struct ates_words words;
    ates_words_split(texts, 3, arena, &words);
    cr_assert_eq(words.count, 5);
    cr_expect(ates_text_equal(words.items[2], ates_text_from("roof")));
    cr_expect(ates_text_equal(words.items[4], ates_text_from("ёж")));
}

Test(words, long_ones_are_cut_at_a_character)
{
    cr_expect_str_eq(joined("abcdefghijklmnopqrstuvwxyz0123456789 b"),
                     "[abcdefghijklmnopqrstuvwxyz012345][b]");
    cr_expect_str_eq(joined("ёжикёжикёжикёжикёжик"), "[ёжикёжикёжикёжик]");
    cr_expect_str_eq(joined("xёжикёжикёжикёжикёжик"), "[xёжикёжикёжикёжи]", "31 bytes: no half");
    /* what follows the first character that does not fit is left out, though it would fit */
    cr_expect_str_eq(joined("xёжикёжикёжикёжиёz"), "[xёжикёжикёжикёжи]");
    cr_expect(match("xёжикёжикёжикёжикёжик", "xёжикёжикёжикёжикё"), "the query is cut alike");
}

Test(words, more_than_the_maximum)
{
    static char ascii[12 * (ATES_WORDS_MAX + 100) + 1], folded[sizeof ascii + 4];
    size_t size = 0;
    for (unsigned i = 0; i < ATES_WORDS_MAX + 100; i++) {
        /* later ones sort before earlier ones: the first to appear are kept, not the first in order
         */
        size += (size_t)sprintf(ascii + size, "w%04u w%04u ", 9999 - i, 9999 - i);
    }
    strcpy(folded, "— ");
    strcat(folded, ascii);
    const char *const texts[] = {ascii, folded};
    for (size_t i = 0; i < 2; i++) {
        const struct ates_words words = split(texts[i]);
        cr_assert_eq(words.count, ATES_WORDS_MAX);
        char lowest[8];
        snprintf(lowest, sizeof lowest, "w%04u", 9999 - (ATES_WORDS_MAX - 1));
        cr_expect(ates_text_equal(words.items[0], ates_text_from(lowest)));
        cr_expect(ates_text_equal(words.items[ATES_WORDS_MAX - 1], ates_text_from("w9999")));
    }
}

Test(words, prefixes)
{
    const char *text = "Fix the roof of the coop";
    cr_expect(match(text, ""));
    cr_expect(match(text, "roof"));
    cr_expect(match(text, "ro co"));
    cr_expect(match(text, "F"));
    cr_expect(!match(text, "roofs"));
    cr_expect(!match(text, "oof"));
    cr_expect(!match(text, "ro x"));
    cr_expect(!match(text, "zebra"));
    cr_expect(!match("", "a"));
    cr_expect(match("", ""));
    cr_expect(!match("ab b", "abc"));
    cr_expect(match("a ab abc b", "abc"));
}

static uint64_t seed;

static uint64_t draw(uint64_t below)
{
    return seed_draw(&seed, below);
}

static void start_random(void)
{
    seed = seed_start();
}

static void check_shape(const struct ates_words *words)
{
    cr_assert_leq(words->count, ATES_WORDS_MAX);
    for (size_t i = 0; i < words->count; i++) {
        const struct ates_text word = words->items[i];
        cr_assert(word.size > 0 && word.size <= ATES_WORD_MAX);
        if (i > 0) {
            const struct ates_text before = words->items[i - 1];
            const size_t common = before.size < word.size ? before.size : word.size;
            const int order = memcmp(before.data, word.data, common);
            cr_assert(order < 0 || (order == 0 && before.size < word.size));
        }
    }
}

Test(words, both_paths_agree_on_ascii)
{
    start_random();
    for (int round = 0; round < 3000; round++) {
        char ascii[200];
        const size_t size = (size_t)draw(sizeof ascii - 4);
        for (size_t i = 0; i < size; i++) {
            ascii[i] = (char)(draw(4) == 0 ? draw(128) : 'A' + draw(60));
        }
        struct ates_words fast, slow;
        const struct ates_text text = {ascii, size};
        ates_words_split(&text, 1, arena, &fast);
        memcpy(ascii + size, "\xe2\x80\xa6", 3); /* an ellipsis: no word, no ASCII */
        const struct ates_text longer = {ascii, size + 3};
        ates_words_split(&longer, 1, arena, &slow);
        check_shape(&fast);
        cr_assert_eq(fast.count, slow.count);
        for (size_t i = 0; i < fast.count; i++) {
            cr_assert(ates_text_equal(fast.items[i], slow.items[i]));
        }
        cr_assert(ates_words_match(&fast, &slow));
        ates_arena_reset(arena);
    }
}

Test(words, any_bytes_do_no_harm)
{
    start_random();
    for (int round = 0; round < 20000; round++) {
        char bytes[96];
        const size_t size = (size_t)draw(sizeof bytes);
        for (size_t i = 0; i < size; i++) {
            bytes[i] = (char)(draw(2) == 0 ? draw(256) : 0xc0 + draw(64));
        }
        struct ates_words words;
        const struct ates_text text = {bytes, size};
        ates_words_split(&text, 1, arena, &words);
        check_shape(&words);
        ates_arena_reset(arena);
    }
    cr_expect_eq(split("roof \xff\xfe").count, 0, "what is no UTF-8 has no words");
    cr_expect_eq(split("\xed\xa0\x80 roof").count, 0, "a surrogate");
    cr_expect_eq(split("roof \xd0").count, 0, "half a character");
}

Test(words, any_text_keeps_its_shape)
{
    start_random();
    for (int round = 0; round < 3000; round++) {
        char text[600];
        size_t size = 0;
        const size_t count = (size_t)draw(140);
        for (size_t i = 0; i < count; i++) {
            uint32_t c = (uint32_t)(draw(5) == 0 ? ' ' : draw(2) ? draw(0x3000) : draw(0x1fffe));
            if (c >= 0xd800 && c <= 0xdfff) {
                c = '.';
            }
            if (c < 0x80) {
                text[size++] = (char)c;
            } else if (c < 0x800) {
                text[size++] = (char)(0xc0 | c >> 6);
                text[size++] = (char)(0x80 | (c & 63));
            } else if (c < 0x10000) {
                text[size++] = (char)(0xe0 | c >> 12);
                text[size++] = (char)(0x80 | (c >> 6 & 63));
                text[size++] = (char)(0x80 | (c & 63));
            } else {
                text[size++] = (char)(0xf0 | c >> 18);
                text[size++] = (char)(0x80 | (c >> 12 & 63));
                text[size++] = (char)(0x80 | (c >> 6 & 63));
                text[size++] = (char)(0x80 | (c & 63));
            }
        }
        struct ates_words words;
        const struct ates_text whole = {text, size};
        ates_words_split(&whole, 1, arena, &words);
        check_shape(&words);
        cr_assert(ates_words_match(&words, &words));
        ates_arena_reset(arena);
    }
}
