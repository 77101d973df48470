/* Help by the tables, and what a mistyped word may have meant. */
#include <string.h>

#include <criterion/criterion.h>

#include <ates/tasks.h>

#include "atesctl/help.h"
#include "atesctl/suggest.h"

Test(ctl_help, distance)
{
    cr_expect_eq(ctl_word_distance("", ""), 0);
    cr_expect_eq(ctl_word_distance("task", "task"), 0);
    cr_expect_eq(ctl_word_distance("tsk", "task"), 1);
    cr_expect_eq(ctl_word_distance("atsk", "task"), 1, "swapped");
    cr_expect_eq(ctl_word_distance("", "task"), 4);
    cr_expect_eq(ctl_word_distance("kitten", "sitting"), 3);
    cr_expect_eq(ctl_word_distance("12345678901234567890123456789012", "1"), SIZE_MAX);
}

Test(ctl_help, suggestions)
{
    cr_expect_str_eq(ctl_suggest(NULL, "taks"), "task");
    cr_expect_str_eq(ctl_suggest(NULL, "logn"), "login");
    cr_expect_str_eq(ctl_suggest(NULL, "acount"), "account");
    cr_expect_str_eq(ctl_suggest(NULL, "paymnet"), "payment");
    cr_expect_str_eq(ctl_suggest(NULL, "mial"), "mail");
    cr_expect_str_eq(ctl_suggest(NULL, "reprot"), "report");
    cr_expect_str_eq(ctl_suggest(&account_group, "pya"), "pay");
    cr_expect_str_eq(ctl_suggest(&report_group, "toptask"), "top-task");
    cr_expect_str_eq(ctl_suggest(&task_group, "improt"), "import");
    cr_expect_str_eq(ctl_suggest(&task_group, "lst"), "ls");
    cr_expect_null(ctl_suggest(NULL, "frobnicate"));
    cr_expect_null(ctl_suggest(&task_group, "x"));
}

Test(ctl_help, suggestions_among_a_services_commands)
{
    cr_expect_str_eq(ctl_suggest_service_command(&tasks_service, "show_tsk"), "show_task");
    cr_expect_str_eq(ctl_suggest_service_command(&tasks_service, "helth"), "health");
    cr_expect_null(ctl_suggest_service_command(&tasks_service, "frobnicate"));
}

/* What main.c takes for granted, and what a user may count on. */
Test(ctl_help, every_command_is_whole)
{
    for (size_t i = 0; ctl_groups[i] != NULL; i++) {
        cr_expect_not_null(ctl_groups[i]->summary);
        for (size_t j = 0; ctl_groups[i]->commands[j] != NULL; j++) {
            const struct ctl_command *command = ctl_groups[i]->commands[j];
            size_t options = 0;

            cr_expect(command->run && command->summary && command->examples, "%s", command->name);
            cr_expect(command->max < 0 || command->min <= command->max, "%s", command->name);
            cr_expect((command->arguments != NULL) == (command->max != 0), "%s", command->name);
            cr_expect(strncmp(command->examples, "atesctl ", 8) == 0, "%s", command->name);
            /* Options are put into the usage line by their table. */
            cr_expect(command->arguments == NULL || strstr(command->arguments, "--") == NULL, "%s",
                      command->name);
            while (command->options != NULL && command->options[options].name != NULL) {
                options++;
            }
            cr_expect_leq(options, CTL_OPTIONS_MAX, "%s", command->name);
        }
    }
}
