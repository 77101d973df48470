/* The command line: options anywhere, wrong words and counts. */
#include <string.h>

#include <criterion/criterion.h>

#include "atesctl/line.h"

static struct ctl ctl;
static struct ctl_line line;

/* Takes a line of words apart; words live until the next call. */
static int parse(const char *words)
{
    static char text[256];
    static char *arguments[32];
    int count = 1;

    strcpy(text, words);
    arguments[0] = "atesctl";
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
        arguments[count++] = word;
    }
    arguments[count] = NULL;
    ctl = (struct ctl){.timeout_ms = 1};
    line = (struct ctl_line){.group = NULL};
    const int code = ctl_line_parse(&ctl, &line, count, arguments);
    return code != CTL_OK || line.command == NULL ? code : ctl_line_check(&line);
}

Test(ctl_line, options_anywhere)
{
    static const char *const lines[] = {
        "--run /r -o json --timeout 0.5 --no-input task add name --description d",
        "task --run=/r -ojson add --timeout 0.5 --no-input --description d name",
        "task add name --description=d --run /r --output json --timeout=0.5 --no-input",
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        cr_assert_eq(parse(lines[i]), CTL_OK, "%s", lines[i]);
        cr_expect_str_eq(line.command->name, "add");
        cr_expect_eq(line.group, &task_group);
        cr_expect_str_eq(line.run_dir, "/r");
        cr_expect_eq(ctl.format, CTL_JSON);
        cr_expect_eq(ctl.timeout_ms, 500);
        cr_expect(ctl.no_input);
        cr_expect_eq(line.input.count, 1);
        cr_expect_str_eq(line.input.arguments[0], "name");
        cr_expect_str_eq(ctl_value(&line.input, "description"), "d");
    }
}

Test(ctl_line, defaults)
{
    cr_assert_eq(parse("task done 1 2 3"), CTL_OK);
    cr_expect_eq(line.input.count, 3);
    cr_expect_eq(ctl.format, CTL_TABLE);
    cr_expect_null(line.run_dir);
    cr_expect_not(ctl.no_input);
    cr_assert_eq(parse("task reassign"), CTL_OK);
    cr_expect_null(ctl_value(&line.input, "dry-run"));
    cr_expect_not(ctl.yes);
    cr_assert_eq(parse("task reassign --dry-run --yes"), CTL_OK);
    cr_expect_str_eq(ctl_value(&line.input, "dry-run"), "");
    cr_expect(ctl.yes);
    cr_assert_eq(parse("-y task reassign"), CTL_OK);
    cr_expect(ctl.yes);
}

Test(ctl_line, what_looks_like_an_option)
{
    cr_assert_eq(parse("task add -- --name"), CTL_OK);
    cr_expect_str_eq(line.input.arguments[0], "--name");
    cr_assert_eq(parse("task import -"), CTL_OK);
    cr_expect_str_eq(line.input.arguments[0], "-");
}

Test(ctl_line, words_of_their_own)
{
    cr_assert_eq(parse("login ann"), CTL_OK);
    cr_expect_eq(line.group, &session_group);
    cr_expect_str_eq(line.input.arguments[0], "ann");
}

Test(ctl_line, help)
{
    cr_assert_eq(parse(""), CTL_OK);
    cr_expect_null(line.group);
    cr_expect_not(line.help);
    cr_assert_eq(parse("help task ls"), CTL_OK);
    cr_expect_str_eq(line.command->name, "help");
    cr_expect_eq(line.input.count, 2);
    cr_assert_eq(parse("task -h"), CTL_OK);
    cr_expect(line.help && line.command == NULL);
    cr_assert_eq(parse("task ls --help"), CTL_OK);
    cr_expect(line.help && line.command != NULL);
    cr_assert_eq(parse("--version"), CTL_OK);
    cr_expect(line.version);
}

Test(ctl_line, wrong_usage)
{
    static const char *const lines[] = {
        "tsk ls",
        "task lst",
        "task add",
        "task add a b",
        "whoami x",
        "user set-role a",
        "--frob whoami",
        "task add x --frob",
        "-x whoami",
        "whoami -o",
        "whoami -o xml",
        "whoami --timeout 0",
        "whoami --timeout 1s",
        "whoami --timeout nan",
        "whoami --timeout 1e9",
        "task reassign --yes=1",
        "user passwd --p x --o",
        "task add x --description",
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        cr_expect_eq(parse(lines[i]), CTL_USAGE, "%s", lines[i]);
    }
}
