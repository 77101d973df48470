/* A task's name taken apart: an issue's id and a title, and together again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/seed.h"

#include <ates/tasks.h>

static struct ates_arena *arena;

static void setup(void)
{
    arena = ates_arena_new();
}

static void teardown(void)
{
    ates_arena_free(&arena);
}

TestSuite(tasks_title, .init = setup, .fini = teardown);

static void text_is(struct ates_text text, const char *expected, const char *of)
{
    cr_expect(ates_text_equal(text, ates_text_from(expected)), "'%.*s' of '%s' is not '%s'",
              (int)text.size, text.data, of, expected);
}

static const struct {
    const char *name, *jira_id, *title;
} names[] = {
    {"[JIRA-123] Fix the roof", "JIRA-123", "Fix the roof"},
    {"[A-1]x", "A-1", "x"},
    {"[A-1] \t\n x ", "A-1", "x "},
    {"[P2P_X-90] \u043a\u0440\u044b\u0448\u0430 [wip]", "P2P_X-90",
     "\u043a\u0440\u044b\u0448\u0430 (wip)"},
    {"[JIRA-1][JIRA-2] both", "JIRA-1", "(JIRA-2) both"},
    {"[JIRA-1]", "JIRA-1", "JIRA-1"},
    {"[JIRA-1]  ", "JIRA-1", "JIRA-1"},
    {"Fix the roof", NULL, "Fix the roof"},
    {"[WIP] problem", NULL, "(WIP) problem"},
    {"Problem: [zhashx] rehash", NULL, "Problem: (zhashx) rehash"},
    {"[jira-1] small", NULL, "(jira-1) small"},
    {"[JIRA-01] nought", NULL, "(JIRA-01) nought"},
    {" [JIRA-1] later", NULL, " (JIRA-1) later"},
    {"[JIRA-1 open", NULL, "(JIRA-1 open"},
    {"]JIRA-1[", NULL, ")JIRA-1("},
    {"[", NULL, "("},
    {"[]", NULL, "()"},
    {"[A234567890123456789012345678901-1] long", NULL, "(A234567890123456789012345678901-1) long"},
    {"[A23456789012345678901234567890-1] fits", "A23456789012345678901234567890-1", "fits"},
};

Test(tasks_title, split)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct tasks_title title = tasks_title_split(ates_text_from(names[i].name), arena);

        cr_expect_eq(title.has_jira_id, names[i].jira_id != NULL, "%s", names[i].name);
        if (title.has_jira_id && names[i].jira_id != NULL) {
            text_is(title.jira_id, names[i].jira_id, names[i].name);
        }
        text_is(title.title, names[i].title, names[i].name);
    }
}

Test(tasks_title, join)
{
    struct tasks_title title = {.title = ates_text_from("Fix the roof")};

    text_is(tasks_title_join(&title, arena), "Fix the roof", "a title alone");
    title.has_jira_id = true;
    title.jira_id = ates_text_from("JIRA-123");
    text_is(tasks_title_join(&title, arena), "[JIRA-123] Fix the roof", "both");
}

/* Whatever a name may be, what it is taken apart into may be published; and joined and taken apart
 * again it stays the same. */
Test(tasks_title, of_any_name_is_within_the_limits)
{
    static const char *const parts[] = {"[", "]", "A",  "JIRA", "-",      "1",
                                        "0", " ", "\n", "x",    "\u044f", "_"};
    uint64_t state = seed_start();

    for (int round = 0; round < 20000; round++) {
        char name[2 * TASKS_NAME_MAX + 1] = "";
        const size_t count = 1 + seed_next(&state) % (round % 10 == 0 ? TASKS_NAME_MAX : 12);

        for (size_t i = 0; i < count; i++) {
            strcat(name, parts[seed_next(&state) % (sizeof parts / sizeof parts[0])]);
            if (strlen(name) > TASKS_NAME_MAX - 4) {
                break;
            }
        }
        const struct tasks_title title = tasks_title_split(ates_text_from(name), arena);
        const struct tasks_task_created_v2 created = {.task_id = 1,
                                                      .has_jira_id = title.has_jira_id,
                                                      .jira_id = title.jira_id,
                                                      .title = title.title,
                                                      .assigned_to = 1,
                                                      .created_by = 1};
        struct ates_refusal refusal;
        cr_assert_eq(ates_message_check(&tasks_task_created_v2_message, &created, &refusal), 0,
                     "'%s': %s", name, refusal.message);
        const struct tasks_title again = tasks_title_split(tasks_title_join(&title, arena), arena);
        cr_assert_eq(again.has_jira_id, title.has_jira_id, "'%s'", name);
        if (!title.has_jira_id) {
            cr_assert(ates_text_equal(again.title, title.title), "'%s'", name);
        } else {
            cr_assert(ates_text_equal(again.jira_id, title.jira_id), "'%s'", name);
        }
        ates_arena_reset(arena);
    }
}
