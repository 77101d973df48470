/* A program that was started with its standard files closed writes its words into no other file. */
#include "core/standard_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

/* Which check failed in a process that has these closed; 0: none. */
static int try_without(unsigned closed)
{
    const bool is_closed[] = {closed & 1, closed & 2, closed & 4};
    char byte = 'x';

    for (int file = 0; file <= 2; file++) {
        if (is_closed[file]) {
            close(file);
        }
    }
    if (ates_standard_files_open() != 0) {
        return 1;
    }
    for (int file = 0; file <= 2; file++) {
        if (fcntl(file, F_GETFD) != 0) {
            return 2; /* it is not open, or would not outlive exec */
        }
    }
    if (open("/dev/null", O_RDONLY) <= 2) {
        return 3;
    }
    if (is_closed[0] && (read(0, &byte, 1) >= 0 || errno != EBADF)) {
        return 4;
    }
    if (is_closed[1] && (write(1, &byte, 1) >= 0 || errno != EBADF)) {
        return 5;
    }
    return is_closed[2] && write(2, &byte, 1) != 1 ? 6 : 0;
}

Test(standard_files, are_open_whichever_were_closed)
{
    for (unsigned closed = 0; closed < 8; closed++) {
        int status = -1;
        const pid_t child = fork();

        if (child == 0) {
            _exit(try_without(closed));
        }
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%u closed: check %d failed",
                  closed, WEXITSTATUS(status));
    }
}
