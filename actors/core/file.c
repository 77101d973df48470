/* Files that are read where somebody else has put them; see file.h. */
#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int ates_file_open(const char *path, char *error, size_t error_size)
{
    /* Without O_NONBLOCK a FIFO would hold the program here. */
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat status;
    int r = 0;

    if (fd < 0 || fstat(fd, &status) != 0) {
        r = -errno;
        snprintf(error, error_size, "%s: %s", path, strerror(-r));
    } else if (!S_ISREG(status.st_mode)) {
        r = -EINVAL;
        snprintf(error, error_size, "%s: not a regular file", path);
    }
    if (r != 0 && fd >= 0) {
        close(fd);
    }
    return r != 0 ? r : fd;
}

int ates_file_open_setting(const char *setting, const char *path, char *error, size_t error_size)
{
    const size_t size = (size_t)snprintf(error, error_size, "%s: ", setting);
    const size_t used = size < error_size ? size : error_size;

    return ates_file_open(path, error + used, error_size - used);
}
