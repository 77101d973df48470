/* A file of tasks: columns, limits, and the request ids of its rows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "atesctl/import_file.h"

static struct ctl ctl;
static char path[64];

static void set_up(void)
{
    ctl = (struct ctl){.arena = ates_arena_new()};
    strcpy(path, "/tmp/ates-import-XXXXXX");
    const int file = mkstemp(path);
    cr_assert_geq(file, 0);
    close(file);
}

static void tear_down(void)
{
    unlink(path);
    ates_arena_free(&ctl.arena);
}

TestSuite(import_file, .init = set_up, .fini = tear_down);

static int open_text(const char *text, struct import_file *file)
{
    FILE *out = fopen(path, "w");

    cr_assert_not_null(out);
    fputs(text, out);
    cr_assert_eq(fclose(out), 0);
    return import_file_open(&ctl, path, file);
}

static bool is(struct ates_text text, const char *expected)
{
    return ates_text_equal(text, ates_text_from(expected));
}

Test(import_file, columns_in_any_order_and_case)
{
    struct import_file file;

    cr_assert_eq(open_text("\xef\xbb\xbf"
                           "Description,owner,NAME\r\n\"one\r\ntwo\",ann,Тонер\r\n,bob,b\r\n",
                           &file),
                 CTL_OK);
    cr_expect_eq(file.count, 2);
    cr_expect(is(file.rows[0].task.name, "Тонер"));
    cr_expect(is(file.rows[0].task.description, "one\ntwo"), "newlines are plain ones");
    cr_expect_eq(file.rows[0].line, 2);
    cr_expect(is(file.rows[1].task.description, ""));
    cr_expect_eq(file.rows[1].line, 4);
    import_file_close(&file);
}

Test(import_file, description_may_be_missing)
{
    struct import_file file;

    cr_assert_eq(open_text("name\nx\n", &file), CTL_OK);
    cr_expect_eq(file.count, 1);
    cr_expect(is(file.rows[0].task.description, ""));
    import_file_close(&file);
    cr_assert_eq(open_text("name\n", &file), CTL_OK);
    cr_expect_eq(file.count, 0);
    import_file_close(&file);
}

/* Nothing of a file is taken where a part of it can't be. */
Test(import_file, refusals)
{
    static const char *const texts[] = {
        "",
        "title\nx\n",
        "name,name\nx,y\n",
        "name,description\nx\n",
        "name\nx,y\n",
        "name,description\nx,\n,empty\n",
        "name\nbad \x01 byte\n",
        "name\nbad \xff utf-8\n",
        "name\n\"two\nlines\"x\n",
    };
    struct import_file file;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        cr_expect_eq(open_text(texts[i], &file), CTL_REFUSED, "%s", texts[i]);
    }
    cr_expect_eq(import_file_open(&ctl, "/nonexistent/tasks.csv", &file), CTL_USAGE);
}

Test(import_file, limits)
{
    struct import_file file;
    char text[TASKS_NAME_MAX + 16] = "name\n";

    memset(text + 5, 'x', TASKS_NAME_MAX);
    cr_expect_eq(open_text(text, &file), CTL_OK);
    import_file_close(&file);
    text[5 + TASKS_NAME_MAX] = 'x';
    cr_expect_eq(open_text(text, &file), CTL_REFUSED);
}

Test(import_file, issues_ids_come_from_names_or_a_column_of_their_own)
{
    struct import_file file;

    cr_assert_eq(
        open_text("name,jira_id\n[JIRA-1] x,\ny,ATES-2\n[A-3] z,A-3\n[WIP] [B-4] w,\nv,\n", &file),
        CTL_OK);
    cr_assert_eq(file.count, 5);
    static const char *const names[] = {"x", "y", "z", "(WIP) (B-4) w", "v"};
    static const char *const ids[] = {"JIRA-1", "ATES-2", "A-3", NULL, NULL};
    for (size_t i = 0; i < 5; i++) {
        const struct tasks_create_task *task = &file.rows[i].task;

        cr_expect(is(task->name, names[i]), "%s", names[i]);
        cr_expect_eq(task->has_jira_id, ids[i] != NULL);
        cr_expect(ids[i] == NULL || is(task->jira_id, ids[i]), "%s", names[i]);
    }
    cr_expect_eq(file.rounded, 1);
    import_file_close(&file);
    cr_expect_eq(open_text("name,jira_id\n[JIRA-1] x,JIRA-2\n", &file), CTL_REFUSED);
    cr_expect_eq(open_text("name,jira_id\nx,jira\n", &file), CTL_REFUSED);
}

static const char *request_id(const char *key, size_t row, const char *name,
                              const char *description)
{
    static char ids[8][33];
    static size_t next;
    const struct tasks_create_task task = {.name = ates_text_from(name),
                                           .description = ates_text_from(description)};

    next = (next + 1) % 8;
    import_request_id(key, row, &task, ids[next]);
    return ids[next];
}

Test(import_file, request_ids_tell_rows_apart)
{
    const char *id = request_id("key", 1, "name", "description");

    cr_expect_eq(strlen(id), 32);
    cr_expect_str_eq(request_id("key", 1, "name", "description"), id);
    cr_expect_str_neq(request_id("other", 1, "name", "description"), id);
    cr_expect_str_neq(request_id("key", 2, "name", "description"), id);
    cr_expect_str_neq(request_id("key", 1, "names", "description"), id);
    cr_expect_str_neq(request_id("key", 1, "named", "escription"), id, "parts keep their ends");
    cr_expect_str_neq(request_id("key", 1, "name", "descriptio"), id);
}
