/* Only ids that were given out are read; what is written is read as it was. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/seed.h"
#include "web/web_mark.h"

static int parse(const char *text, struct web_mark *mark)
{
    return web_mark_parse(ates_text_from(text), mark);
}

Test(web_mark, reads_what_was_written)
{
    struct web_mark mark;
    char text[WEB_MARK_SIZE];
    static const char whole[] = "0123abcd,auth:12,tasks:9007199254740991,accounting:0,payment:9";

    cr_assert_eq(parse(whole, &mark), 0);
    cr_expect_str_eq(mark.tag, "0123abcd");
    cr_assert_eq(mark.count, 4);
    cr_expect_str_eq(mark.items[1].producer, "tasks");
    cr_expect_eq(mark.items[1].seq, ATES_INTEGER_MAX);
    cr_expect_eq(web_mark_format(&mark, text), strlen(whole));
    cr_expect_str_eq(text, whole);
    cr_assert_eq(parse("ffffffff", &mark), 0);
    cr_expect_eq(mark.count, 0);
}

Test(web_mark, the_longest_fits)
{
    struct web_mark mark = {.tag = "00000000", .count = WEB_PRODUCERS_MAX}, again;
    char text[WEB_MARK_SIZE];

    for (size_t i = 0; i < WEB_PRODUCERS_MAX; i++) {
        memset(mark.items[i].producer, 'a' + (int)i, WEB_MARK_NAME_MAX);
        mark.items[i].seq = ATES_INTEGER_MAX;
    }
    const size_t size = web_mark_format(&mark, text);
    cr_expect_eq(size, strlen(text));
    cr_expect_lt(size, sizeof text);
    cr_assert_eq(parse(text, &again), 0);
    cr_expect_eq(again.count, WEB_PRODUCERS_MAX);
    cr_expect_eq(again.items[WEB_PRODUCERS_MAX - 1].seq, ATES_INTEGER_MAX);
}

Test(web_mark, refuses_every_other_form)
{
    static const char *const wrong[] = {
        "",
        "0",
        "0123abc",
        "0123abcde",
        "0123ABCD",
        "0123abcg",
        " 0123abcd",
        "0123abcd ",
        "0123abcd,",
        "0123abcd,auth",
        "0123abcd,auth:",
        "0123abcd,:1",
        "0123abcd,auth:1,",
        "0123abcd,auth:1,,tasks:1",
        "0123abcd auth:1",
        "0123abcd,Auth:1",
        "0123abcd,au-th:1",
        "0123abcd,auth:01",
        "0123abcd,auth:00",
        "0123abcd,auth:-1",
        "0123abcd,auth:+1",
        "0123abcd,auth:1x",
        "0123abcd,auth:0x1",
        "0123abcd,auth: 1",
        "0123abcd,auth:9007199254740992",
        "0123abcd,auth:99999999999999999",
        "0123abcd,auth:18446744073709551617",
        "0123abcd,auth:1,auth:1",
        "0123abcd,auth:1,tasks:1,auth:2",
        "0123abcd,a:1,b:1,c:1,d:1,e:1,f:1,g:1,h:1,i:1",
        "0123abcd,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:1",
        "0123abcd,auth:1\n",
        ",auth:1",
        "auth:1",
    };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct web_mark mark = {.tag = "as it wa", .count = 3};

        cr_expect_eq(parse(wrong[i], &mark), ATES_INVALID_ARGUMENT, "%s", wrong[i]);
        cr_expect(mark.count == 3 && strcmp(mark.tag, "as it wa") == 0, "%s", wrong[i]);
    }
    struct web_mark mark;
    cr_expect_eq(web_mark_parse((struct ates_text){"0123abcd\0", 9}, &mark), ATES_INVALID_ARGUMENT);
    cr_expect_eq(web_mark_parse((struct ates_text){"0123\0bcd", 8}, &mark), ATES_INVALID_ARGUMENT);
    cr_expect_eq(web_mark_parse((struct ates_text){NULL, 0}, &mark), ATES_INVALID_ARGUMENT);
}

/* What it takes at all it gives back byte for byte: there is one text for each position. */
Test(web_mark, there_is_one_text_for_each)
{
    static const char alphabet[] = "0123abcf,:az\n";
    uint64_t seed = seed_start();
    size_t taken = 0;

    for (int i = 0; i < 200000; i++) {
        char text[96], again[WEB_MARK_SIZE];
        struct web_mark mark;
        int size = snprintf(text, sizeof text, "0123abcd,auth:%u,tasks:%u",
                            (unsigned)seed_draw(&seed, 1000), (unsigned)seed_draw(&seed, 1000));

        for (uint64_t n = seed_draw(&seed, 4); n > 0; n--) {
            text[seed_draw(&seed, (uint64_t)size)] =
                alphabet[seed_draw(&seed, sizeof alphabet - 1)];
        }
        if (parse(text, &mark) == 0) {
            taken++;
            web_mark_format(&mark, again);
            cr_assert_str_eq(again, text);
        }
    }
    cr_expect_gt(taken, 1000);
    cr_expect_lt(taken, 199000);
}
