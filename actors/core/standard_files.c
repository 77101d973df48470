/* Standard input, output and error; see standard_files.h. */
#include "core/standard_files.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int ates_standard_files_open(void)
{
    /* The wrong way round, so that using what was closed stays a fault; but words on stderr have no
     * other place to go to. */
    static const int flags[] = {
        [STDIN_FILENO] = O_WRONLY, [STDOUT_FILENO] = O_RDONLY, [STDERR_FILENO] = O_RDWR};

    for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++) {
        if (fcntl(file, F_GETFD) < 0 && open("/dev/null", flags[file]) != file) {
            return errno != 0 ? -errno : -EBADF;
        }
    }
    return 0;
}
