/* Makes memory scarce in the test's process: what a machine without any to spare does. */
#ifndef ATES_TEST_SCARCE_MEMORY_H
#define ATES_TEST_SCARCE_MEMORY_H

#include <stddef.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <criterion/criterion.h>

/* From now on the process may have this many bytes more than it has. */
static inline void scarce_memory_begin(size_t spare)
{
    unsigned long pages = 0;
    struct rlimit limit;
    FILE *file = fopen("/proc/self/statm", "r");

    cr_assert_not_null(file);
    cr_assert_eq(fscanf(file, "%lu", &pages), 1);
    fclose(file);
    cr_assert_eq(getrlimit(RLIMIT_AS, &limit), 0);
    limit.rlim_cur = pages * (rlim_t)sysconf(_SC_PAGESIZE) + spare;
    cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
}

static inline void scarce_memory_end(void)
{
    struct rlimit limit;

    cr_assert_eq(getrlimit(RLIMIT_AS, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
}

#endif
