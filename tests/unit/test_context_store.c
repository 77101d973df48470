/* Contexts' names and files, and which of them is in use. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "atesctl/context_store.h"
#include "atesctl/folder.h"
#include "support/temp_folder.h"

static char folder[TEMP_FOLDER_SIZE];

static void set_up(void)
{
    temp_folder_make(folder);
    setenv("XDG_CONFIG_HOME", folder, 1);
    unsetenv("ATES_CONTEXT");
}

static void tear_down(void)
{
    temp_folder_remove(folder);
}

TestSuite(context_store, .init = set_up, .fini = tear_down);

static void make(const char *name)
{
    char path[4096], below[4096];

    cr_assert_eq(ctl_make_folder(CTL_CONFIG, "contexts", below, sizeof below), CTL_OK);
    cr_assert_eq(ctl_context_path(name, path, sizeof path), CTL_OK);
    cr_assert_eq(ctl_replace_file(path, "run = /run/ates\n"), 0);
}

Test(context_store, a_name_leads_nowhere_else)
{
    static const char *const wrong[] = {"", ".", "..", "../x", "a/b", "/etc/passwd", "ä", "a b"};
    char path[4096], name[80];

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        cr_expect_eq(ctl_context_path(wrong[i], path, sizeof path), CTL_USAGE, "%s", wrong[i]);
    }
    memset(name, 'a', sizeof name);
    name[65] = '\0';
    cr_expect_eq(ctl_context_path(name, path, sizeof path), CTL_USAGE, "65 characters");
    name[64] = '\0';
    cr_expect_eq(ctl_context_path(name, path, sizeof path), CTL_OK, "64 characters");
}

Test(context_store, the_option_comes_before_the_variable_and_that_before_what_is_kept)
{
    enum ctl_context_source source;
    char name[CTL_CONTEXT_SIZE];

    cr_assert_eq(ctl_context_choose(NULL, name, &source), CTL_OK);
    cr_expect_str_eq(name, "");
    cr_expect_eq(source, CTL_CONTEXT_NONE);
    cr_assert_eq(ctl_context_keep("kept"), CTL_OK);
    cr_assert_eq(ctl_context_choose(NULL, name, &source), CTL_OK);
    cr_expect_str_eq(name, "kept");
    cr_expect_eq(source, CTL_CONTEXT_KEPT);
    setenv("ATES_CONTEXT", "variable", 1);
    cr_assert_eq(ctl_context_choose(NULL, name, &source), CTL_OK);
    cr_expect_str_eq(name, "variable");
    cr_expect_eq(source, CTL_CONTEXT_ENVIRONMENT);
    cr_assert_eq(ctl_context_choose("option", name, &source), CTL_OK);
    cr_expect_str_eq(name, "option");
    cr_expect_eq(source, CTL_CONTEXT_OPTION);
    setenv("ATES_CONTEXT", "", 1);
    cr_assert_eq(ctl_context_keep(""), CTL_OK);
    cr_assert_eq(ctl_context_choose(NULL, name, &source), CTL_OK);
    cr_expect_str_eq(name, "", "forgotten, and an empty variable is none");
}

static void join(void *context, const char *word, const char *summary)
{
    char *all = context;

    cr_expect_null(summary);
    strcat(strcat(all, word), " ");
}

Test(context_store, lists_and_finds)
{
    char all[256] = "", path[4096];

    ctl_context_each(join, all);
    cr_expect_str_eq(all, "");
    make("second");
    make("first");
    ctl_context_each(join, all);
    cr_expect_str_eq(all, "first second ");
    cr_expect_eq(ctl_context_find("first", path, sizeof path), CTL_OK);
    cr_expect_eq(ctl_context_find("frist", path, sizeof path), CTL_NOT_FOUND);
}

Test(context_store, nobody_else_may_read)
{
    struct stat status;
    char path[4096];

    make("one");
    cr_assert_eq(ctl_context_path("one", path, sizeof path), CTL_OK);
    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0600);
    *strrchr(path, '/') = '\0';
    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0700);
}
