/* What the code under test writes to stderr. One test a process may catch at a time. */
#ifndef ATES_TEST_CAUGHT_STDERR_H
#define ATES_TEST_CAUGHT_STDERR_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

static char output[1024 * 1024];
static FILE *caught;
static int true_stderr;

/* Sends stderr to a file until release. */
static inline void catch_stderr(void)
{
    caught = tmpfile();
    cr_assert_not_null(caught);
    true_stderr = dup(STDERR_FILENO);
    cr_assert_geq(dup2(fileno(caught), STDERR_FILENO), 0);
}

/* Gives stderr back; returns what was written meanwhile. */
static inline const char *release(void)
{
    dup2(true_stderr, STDERR_FILENO);
    close(true_stderr);
    const ssize_t size = pread(fileno(caught), output, sizeof output - 1, 0);
    cr_assert_geq(size, 0);
    output[size] = '\0';
    cr_assert_eq(strlen(output), (size_t)size, "a NUL byte");
    fclose(caught);
    return output;
}

#endif
