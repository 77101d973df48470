/* What a child process did is given back; however it ended, this one goes on. */
#include "core/guarded.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

static char error[512];

static int add(const void *input, const struct ates_progress *progress, void *result, char *line,
               size_t line_size)
{
    const int *numbers = input;

    (void)line, (void)line_size;
    progress->tell(progress->context, 7, 9);
    *(int *)result = numbers[0] + numbers[1];
    return 0;
}

static void tell(void *context, uint64_t done, uint64_t total)
{
    uint64_t *told = context;

    told[0] = done;
    told[1] = total;
}

Test(guarded, gives_back_what_was_done_and_told)
{
    const int numbers[2] = {2, 3};
    uint64_t told[2] = {0};
    const struct ates_progress progress = {tell, told};
    int sum = 0;

    cr_assert_eq(ates_guarded(add, numbers, &progress, &sum, sizeof sum, error, sizeof error), 0);
    cr_expect_eq(sum, 5);
    cr_expect(told[0] == 7 && told[1] == 9);
    cr_assert_eq(ates_guarded(add, numbers, NULL, &sum, sizeof sum, error, sizeof error), 0);
}

static int fail(const void *input, const struct ates_progress *progress, void *result, char *line,
                size_t line_size)
{
    (void)input, (void)progress, (void)result;
    snprintf(line, line_size, "no luck");
    return -EBUSY;
}

Test(guarded, gives_back_a_fault_and_its_line)
{
    int untouched = 4;

    cr_expect_eq(ates_guarded(fail, NULL, NULL, &untouched, sizeof untouched, error, sizeof error),
                 -EBUSY);
    cr_expect_str_eq(error, "no luck");
    cr_expect_eq(untouched, 4);
}

static int end(const void *input, const struct ates_progress *progress, void *result, char *line,
               size_t line_size)
{
    const int *number = input;

    (void)result, (void)line, (void)line_size;
    progress->tell(progress->context, 41, 99);
    if (*number == 0) {
        _exit(3);
    }
    kill(getpid(), *number);
    return 0;
}

Test(guarded, tells_how_a_child_ended_and_how_far_it_had_come)
{
    static const struct {
        int number;
        const char *said;
        int r;
    } ends[] = {{SIGSEGV,
                 "damaged in their structure: reading them ended with \"Segmentation fault\"",
                 -EBADMSG},
                {SIGBUS, "Bus error", -EBADMSG},
                {SIGABRT, "Aborted", -EBADMSG},
                {SIGKILL, "was ended (\"Killed\")", -EINTR},
                {SIGXFSZ, "was ended (\"File size limit exceeded\")", -EINTR},
                {0, "exit code 3", -EBADMSG}};

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        cr_expect_eq(ates_guarded(end, &ends[i].number, NULL, NULL, 0, error, sizeof error),
                     ends[i].r);
        cr_expect_not_null(strstr(error, ends[i].said), "%s", error);
        cr_expect_not_null(strstr(error, "record 41"), "%s", error);
    }
}
