/* Folders and files of atesctl's own; see folder.h. Invariant: a file is there whole or not at all,
 * and nobody but its owner could ever read it. */
#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl.h"

/* Makes the folder and those above it, as mkdir -p. */
static int make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash != NULL) {
            *slash = '\0';
        }
        const bool failed = mkdir(path, 0700) != 0 && errno != EEXIST;
        const int fault = failed ? -errno : 0;
        if (slash != NULL) {
            *slash = '/';
        }
        if (failed || slash == NULL) {
            return fault;
        }
    }
}

static const char *home_of_user(void)
{
    const char *home = getenv("HOME");
    const struct passwd *user = home != NULL && home[0] == '/' ? NULL : getpwuid(getuid());

    return user != NULL ? user->pw_dir : home != NULL ? home : "";
}

int ctl_folder(enum ctl_folder kind, const char *below, char *path, size_t size)
{
    static const struct {
        const char *variable, *otherwise;
    } places[] = {[CTL_CONFIG] = {"XDG_CONFIG_HOME", ".config"},
                  [CTL_STATE] = {"XDG_STATE_HOME", ".local/state"}};
    const char *given = getenv(places[kind].variable);
    const char *slash = below[0] != '\0' ? "/" : "";
    int length;

    /* The specification: a relative path there is invalid and to be ignored. */
    if (given != NULL && given[0] == '/') {
        length = snprintf(path, size, "%s/ates%s%s", given, slash, below);
    } else {
        length = snprintf(path, size, "%s/%s/ates%s%s", home_of_user(), places[kind].otherwise,
                          slash, below);
    }
    if (length < 0 || (size_t)length >= size) {
        return ctl_fail(CTL_REFUSED, "a shorter one", "the name of the folder in %s is too long",
                        places[kind].variable);
    }
    return CTL_OK;
}

int ctl_make_folder(enum ctl_folder kind, const char *below, char *path, size_t size)
{
    const int code = ctl_folder(kind, below, path, size);

    if (code != CTL_OK) {
        return code;
    }
    const int r = make_folders(path);
    return r == 0 ? CTL_OK
                  : ctl_fail(CTL_REFUSED,
                             kind == CTL_STATE ? "set XDG_STATE_HOME to a folder of yours"
                                               : "set XDG_CONFIG_HOME to a folder of yours",
                             "cannot make the folder %s: %s", path, strerror(-r));
}

static int write_whole(int file, const char *text, size_t size)
{
    while (size > 0) {
        const ssize_t written = write(file, text, size);

        if (written < 0 && errno != EINTR) {
            return -errno;
        }
        text += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
    return 0;
}

int ctl_replace_file(const char *path, const char *text)
{
    char fresh[4096 + 8];

    snprintf(fresh, sizeof fresh, "%s.XXXXXX", path);
    const int file = mkostemp(fresh, O_CLOEXEC); /* mode 0600 */
    if (file < 0) {
        return -errno;
    }
    int r = write_whole(file, text, strlen(text));
    if (close(file) != 0 && r == 0) {
        r = -errno;
    }
    if (r == 0 && rename(fresh, path) != 0) {
        r = -errno;
    }
    if (r != 0) {
        unlink(fresh);
    }
    return r;
}
