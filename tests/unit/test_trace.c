/* What is a traceparent, after the examples and rules of W3C's Trace Context, section 3.2. */
#include <string.h>

#include <criterion/criterion.h>

#include "core/text.h"
#include "core/trace.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"

static const char *const valid[] = {
    "00-" TRACE "-" PARENT "-01",
    "00-" TRACE "-" PARENT "-00",
    "00-" TRACE "-" PARENT "-ff",
    "01-" TRACE "-" PARENT "-01",
    "cc-" TRACE "-" PARENT "-01-what-the-future-will-be-like",
};

static const char *const invalid[] = {
    "",
    "00",
    "00-" TRACE "-" PARENT "-0",
    "00-" TRACE "-" PARENT "-01-",
    "00-" TRACE "-" PARENT "-01-more",
    "01-" TRACE "-" PARENT "-01.what",
    "ff-" TRACE "-" PARENT "-01",
    "0g-" TRACE "-" PARENT "-01",
    "00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01",
    "00-00000000000000000000000000000000-" PARENT "-01",
    "00-" TRACE "-0000000000000000-01",
    "00-" TRACE "_" PARENT "-01",
    "00_" TRACE "-" PARENT "-01",
    "00-" TRACE "-" PARENT "_01",
    "00-" TRACE "-b7ad6b716920333z-01",
    "00-" TRACE "-" PARENT "-0x",
};

Test(trace, the_standards_forms_are_told_from_others)
{
    char id[ATES_TRACE_ID_SIZE];

    for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++) {
        cr_expect(ates_trace_id(ates_text_from(valid[i]), id), "%s", valid[i]);
        cr_expect_str_eq(id, TRACE);
    }
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++) {
        cr_expect_not(ates_trace_id(ates_text_from(invalid[i]), id), "%s", invalid[i]);
        cr_expect_str_empty(id);
        cr_expect_not(ates_trace_is_sampled(ates_text_from(invalid[i])));
    }
}

/* Every prefix of a valid one is none, and nothing behind it is read. */
Test(trace, a_part_of_one_is_none)
{
    const char *whole = valid[0];

    for (size_t size = 0; size < strlen(whole); size++) {
        cr_expect_not(ates_trace_is_valid((struct ates_text){whole, size}), "%zu", size);
    }
}

Test(trace, sampled_is_the_last_bit_of_the_flags)
{
    cr_expect(ates_trace_is_sampled(ates_text_from("00-" TRACE "-" PARENT "-01")));
    cr_expect(ates_trace_is_sampled(ates_text_from("00-" TRACE "-" PARENT "-03")));
    cr_expect_not(ates_trace_is_sampled(ates_text_from("00-" TRACE "-" PARENT "-02")));
    cr_expect_not(ates_trace_is_sampled(ates_text_from("00-" TRACE "-" PARENT "-10")));
}
