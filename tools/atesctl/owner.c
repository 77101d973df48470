/* Who works on a data folder; see owner.h. */
#include "owner.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl.h"

int ctl_become_owner(const char *folder)
{
    struct stat status;

    if (stat(folder, &status) != 0 || status.st_uid == geteuid()) {
        return CTL_OK;
    }
    if (geteuid() != 0) {
        return ctl_fail(CTL_FORBIDDEN, NULL, "%s belongs to user %ju; run this as root (sudo ...)",
                        folder, (uintmax_t)status.st_uid);
    }
    if (setgroups(0, NULL) != 0 || setresgid(status.st_gid, status.st_gid, status.st_gid) != 0 ||
        setresuid(status.st_uid, status.st_uid, status.st_uid) != 0) {
        return ctl_fail(CTL_REFUSED, NULL, "cannot become user %ju, whose %s is: %s",
                        (uintmax_t)status.st_uid, folder, strerror(errno));
    }
    return CTL_OK;
}
