/* Makes the disk scarce for a test's process and its children, by a statvfs of its own in libc's place. */
#ifndef ATES_TEST_SCARCE_DISK_H
#define ATES_TEST_SCARCE_DISK_H

#include <stdbool.h>
#include <sys/statvfs.h>

static bool scarce_disk; /* whether there is 1 MiB left; else there is 1 TiB */

int statvfs(const char *path, struct statvfs *disk)
{
    (void)path;
    *disk = (struct statvfs){.f_frsize = 4096, .f_bavail = scarce_disk ? 1u << 8 : 1u << 28};
    return 0;
}

#endif
