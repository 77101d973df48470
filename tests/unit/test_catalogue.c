/* The catalogue: every entry whole, found by its own id, explained in the journal's form, and said by somebody. */
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/catalogue.h"

Test(catalogue, every_entry_is_whole)
{
    for (size_t i = 0; i < ATES_ENTRY_COUNT; i++) {
        const struct ates_catalogue_entry *entry = &ates_catalogue[i];

        cr_assert_not_null(entry->id, "entry %zu", i);
        cr_expect_eq(strlen(entry->id), 32, "%s", entry->id);
        cr_expect_eq(strspn(entry->id, "0123456789abcdef"), 32, "%s", entry->id);
        cr_expect_eq(entry->id[12], '4', "%s is no random UUID", entry->id);
        cr_expect_not_null(strchr("89ab", entry->id[16]), "%s is no random UUID", entry->id);
        cr_expect(entry->level >= ATES_ERROR && entry->level <= ATES_NOTICE, "%s", entry->id);
        cr_expect_gt(strlen(entry->subject), 0);
        cr_expect_gt(strlen(entry->meaning), 0);
        cr_expect_gt(strlen(entry->action), 0);
        for (size_t other = 0; other < i; other++) {
            cr_expect_str_neq(entry->id, ates_catalogue[other].id);
            cr_expect_str_neq(entry->subject, ates_catalogue[other].subject);
        }
    }
}

/* journald replaces @NAME@; what else has the sign twice would be taken for a name. */
Test(catalogue, what_stands_between_signs_is_a_field_of_ours)
{
    for (size_t i = 0; i < ATES_ENTRY_COUNT; i++) {
        const char *const texts[] = {ates_catalogue[i].meaning, ates_catalogue[i].action};

        for (size_t t = 0; t < 2; t++) {
            for (const char *at = texts[t]; (at = strstr(at, "@ATES_")) != NULL;) {
                const size_t size = strspn(at + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");

                cr_assert_eq(at[1 + size], '@', "%s", at);
                at += size + 2;
            }
        }
    }
}
