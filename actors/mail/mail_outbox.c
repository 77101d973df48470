/* Messages as files below a folder; see mail_outbox.h. */
#include "mail/mail_outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_name(const char *name)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    const size_t size = strspn(name, allowed);

    return size > 0 && size <= MAIL_OUTBOX_NAME_MAX && name[size] == '\0' && name[0] != '.';
}

static int sync_folder(const char *path)
{
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0) {
        return -errno;
    }
    const int r = fsync(folder) == 0 ? 0 : -errno;
    close(folder);
    return r;
}

/* A new folder is there after a crash only once its parent is synced. */
static int make_folder(const char *path)
{
    char parent[4200];

    if (mkdir(path, 0700) != 0) {
        return errno == EEXIST ? 0 : -errno;
    }
    if (snprintf(parent, sizeof parent, "%s/..", path) >= (int)sizeof parent) {
        return -ENAMETOOLONG;
    }
    return sync_folder(parent);
}

static int write_all(int file, const uint8_t *data, size_t size)
{
    while (size > 0) {
        const ssize_t written = write(file, data, size);

        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return -errno;
        }
        data += written;
        size -= (size_t)written;
    }
    return fsync(file) == 0 ? 0 : -errno;
}

int mail_outbox_write(const char *folder, const char *name, const void *data, size_t size)
{
    char fresh[4400], path[4400];

    if (!is_name(name)) {
        return -EINVAL;
    }
    if (snprintf(path, sizeof path, "%s/%s.eml", folder, name) >= (int)sizeof path ||
        snprintf(fresh, sizeof fresh, "%s/.%s.XXXXXX", folder, name) >= (int)sizeof fresh) {
        return -ENAMETOOLONG;
    }
    int r = make_folder(folder);
    if (r != 0) {
        return r;
    }
    /* A name of its own for each writer, or two of the same message would share a torn file. */
    const int file = mkostemp(fresh, O_CLOEXEC); /* with mode 0600 */
    if (file < 0) {
        return -errno;
    }
    r = write_all(file, data, size);
    if (close(file) != 0 && r == 0) {
        r = -errno;
    }
    if (r == 0 && rename(fresh, path) != 0) {
        r = -errno;
    }
    if (r != 0) {
        unlink(fresh);
        return r;
    }
    return sync_folder(folder);
}
