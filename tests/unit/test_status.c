/* Status names both ways, and refusals: cut between characters, never overrun. */
#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include <ates/status.h>

Test(status, names_are_grpcs_and_parse_back)
{
    static const char *const names[] = {"OK",
                                        "INVALID_ARGUMENT",
                                        "UNAUTHENTICATED",
                                        "PERMISSION_DENIED",
                                        "NOT_FOUND",
                                        "ALREADY_EXISTS",
                                        "FAILED_PRECONDITION",
                                        "RESOURCE_EXHAUSTED",
                                        "DEADLINE_EXCEEDED",
                                        "UNAVAILABLE",
                                        "UNIMPLEMENTED",
                                        "INTERNAL",
                                        "DATA_LOSS"};

    cr_assert_eq(sizeof names / sizeof names[0], (size_t)ATES_STATUS_COUNT);
    for (int i = 0; i < ATES_STATUS_COUNT; i++) {
        cr_assert_str_eq(ates_status_name((enum ates_status)i), names[i]);
        cr_assert_eq(ates_status_parse(names[i], strlen(names[i])), i);
    }
}

Test(status, unknown_names_are_refused)
{
    cr_assert_eq(ates_status_parse("NOPE", 4), -EINVAL);
    cr_assert_eq(ates_status_parse("", 0), -EINVAL);
    cr_assert_eq(ates_status_parse("OKAY", 4), -EINVAL);
    cr_assert_eq(ates_status_parse("OK", 1), -EINVAL);
    cr_assert_eq(ates_status_parse("OK\0", 3), -EINVAL);
    cr_assert_str_eq(ates_status_name((enum ates_status)99), "INTERNAL");
    cr_assert_str_eq(ates_status_name((enum ates_status) - 1), "INTERNAL");
}

Test(status, refusal_is_filled)
{
    struct ates_refusal refusal;

    memset(&refusal, 0xff, sizeof refusal);
    cr_assert_eq(ates_refusal_set(&refusal, ATES_NOT_FOUND, "NO_TASK", "task_id", "task %d", 7),
                 ATES_NOT_FOUND);
    cr_assert_eq(refusal.status, ATES_NOT_FOUND);
    cr_assert_str_eq(refusal.reason, "NO_TASK");
    cr_assert_str_eq(refusal.field, "task_id");
    cr_assert_str_eq(refusal.message, "task 7");
    cr_assert_eq(refusal.retry_after_ms, 0u);
    cr_assert_eq(ates_refusal_set(&refusal, ATES_INTERNAL, "X", NULL, "y"), ATES_INTERNAL);
    cr_assert_str_eq(refusal.field, "");
    cr_assert_eq(ates_refusal_set(NULL, ATES_UNAVAILABLE, "X", NULL, "y"), ATES_UNAVAILABLE);
}

Test(status, refusal_may_be_made_from_itself)
{
    struct ates_refusal refusal;

    (void)ates_refusal_set(&refusal, ATES_INTERNAL, "FIRST", "a", "inner");
    (void)ates_refusal_set(&refusal, ATES_INTERNAL, refusal.reason, refusal.field, "outer: %s",
                           refusal.message);
    cr_assert_str_eq(refusal.reason, "FIRST");
    cr_assert_str_eq(refusal.field, "a");
    cr_assert_str_eq(refusal.message, "outer: inner");
}

/* One character of each length, shifted so that the cut falls on each of its bytes. */
Test(status, strings_are_cut_between_characters)
{
    static const char *const characters[] = {"a", "\u0416", "\u20ac", "\U0001f99c"};

    for (size_t kind = 0; kind < 4; kind++) {
        const size_t length = strlen(characters[kind]);
        for (size_t shift = 0; shift < 4; shift++) {
            struct ates_refusal refusal;
            char text[1200] = "";

            memset(text, 'x', shift);
            for (size_t i = 0; i < 280; i++) {
                strcat(text, characters[kind]);
            }
            (void)ates_refusal_set(&refusal, ATES_INTERNAL, "R", text, "%s", text);
            const size_t size = strlen(refusal.message);
            cr_assert_eq(size, shift + (sizeof refusal.message - 1 - shift) / length * length);
            cr_assert_eq(memcmp(refusal.message, text, size), 0);
            cr_assert_eq(strlen(refusal.field),
                         shift + (sizeof refusal.field - 1 - shift) / length * length);
        }
    }
}
