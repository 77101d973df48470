/* Where a list goes on: `after` and `next`. */
#include <errno.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "core/page.h"

static struct ates_call call;

static void set_up(void)
{
    call = (struct ates_call){.arena = ates_arena_new()};
}

static void tear_down(void)
{
    ates_arena_free(&call.arena);
}

TestSuite(page, .init = set_up, .fini = tear_down);

Test(page, the_first_page_begins_after_nothing)
{
    const struct ates_text unused = {NULL, 0};
    uint64_t id = 7;

    cr_assert_eq(ates_page_after(&call, false, unused, &id), 0);
    cr_expect_eq(id, 0);
}

Test(page, begins_beyond_an_id_either_way)
{
    const struct ates_text unused = {NULL, 0}, after = ates_text_from("42");
    uint64_t id = 7;

    cr_assert_eq(ates_page_begin(&call, false, unused, false, &id), 0);
    cr_expect_eq(id, 1);
    cr_assert_eq(ates_page_begin(&call, false, unused, true, &id), 0);
    cr_expect_eq(id, UINT64_MAX);
    cr_assert_eq(ates_page_begin(&call, true, after, false, &id), 0);
    cr_expect_eq(id, 43);
    cr_assert_eq(ates_page_begin(&call, true, after, true, &id), 0);
    cr_expect_eq(id, 42);
    cr_assert_eq(ates_page_begin(&call, true, ates_text_from("4x"), true, &id),
                 ATES_INVALID_ARGUMENT);
    cr_expect_str_eq(call.refusal.field, "after");
    cr_expect_eq(id, 42, "untouched");
}

Test(page, next_is_taken_back)
{
    const uint64_t ids[] = {0, 1, 9, 10, 123456789, (uint64_t)ATES_INTEGER_MAX};

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        uint64_t id = 7;

        cr_assert_eq(ates_page_after(&call, true, ates_page_next(call.arena, ids[i]), &id), 0);
        cr_expect_eq(id, ids[i]);
        cr_assert_eq(ates_page_parse(ates_page_next(call.arena, ids[i]), &id), 0);
        cr_expect_eq(id, ids[i]);
    }
    cr_expect(ates_text_equal(ates_page_next(call.arena, 42), ates_text_from("42")));
}

Test(page, refuses_what_no_page_gave)
{
    uint64_t number = 7;
    static const char *const wrong[] = {"",   "x",  "-1",   "+1",  "1.", " 1",
                                        "1 ", "1x", "0x10", "1e3", "१",  "12345678901234567"};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint64_t id = 7;

        cr_expect_eq(ates_page_after(&call, true, ates_text_from(wrong[i]), &id),
                     ATES_INVALID_ARGUMENT, "\"%s\"", wrong[i]);
        cr_expect_str_eq(call.refusal.reason, "FIELD_INVALID");
        cr_expect_str_eq(call.refusal.field, "after");
        cr_expect_eq(id, 7, "untouched");
        cr_expect_eq(ates_page_parse(ates_text_from(wrong[i]), &number), -EINVAL);
        cr_expect_eq(number, 7, "untouched");
    }
}
