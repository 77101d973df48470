/* CURVE keys by hand; see admin_curve.h. Invariant: no file is replaced, and a secret is written
 * nowhere but to the file that is named. */
#include "admin_curve.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/curve.h"
#include "owner.h"

#define FOLDER_MODE 0755 /* what is in it is public, but for secrets' files of their own */

/* mkdir -p of what is below an existing folder. */
static int make_folders(const char *folder)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s", folder);
    for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash != NULL) {
            *slash = '\0';
        }
        /* Whatever the umask is: services must be able to look into it. */
        if (mkdir(path, FOLDER_MODE) == 0) {
            chmod(path, FOLDER_MODE);
        } else if (errno != EEXIST) {
            return ctl_fail(errno == EACCES ? CTL_FORBIDDEN : CTL_REFUSED, NULL, "%s: %s", path,
                            strerror(errno));
        }
        if (slash == NULL) {
            return CTL_OK;
        }
        *slash = '/';
    }
}

/* The folder of this machine's keys, worked on as its owner: where root keeps it for itself, root,
 * else who has the data. */
static int take_folder(const struct ctl *ctl, const struct ctl_input *input, char *folder,
                       size_t size)
{
    struct ates_config *config = ates_arena_alloc(ctl->arena, sizeof *config);
    struct stat status;
    const int code = admin_take_data(ctl, input, config);

    if (code != CTL_OK) {
        return code;
    }
    ates_curve_folder(config, folder, size);
    return stat(folder, &status) == 0 ? ctl_become_owner(folder)
                                      : ctl_become_owner(config->data_dir);
}

static int check_name(const char *name)
{
    return ates_cert_is_name(name)
               ? CTL_OK
               : ctl_fail(CTL_USAGE, NULL,
                          "'%.80s' is no name of a key: 1 to 64 of A-Z a-z 0-9 . _ - are expected, "
                          "and no dot first",
                          name);
}

static int save_failed(int fault, const char *error)
{
    return ctl_fail(fault == -EEXIST   ? CTL_CONFLICT
                    : fault == -EACCES ? CTL_FORBIDDEN
                                       : CTL_REFUSED,
                    fault == -EEXIST ? "another name: keys are never overwritten" : NULL, "%s",
                    error);
}

/* The public file comes last: where it is, the pair is whole. */
static int save_pair(const char *folder, const char *name)
{
    char path[PATH_MAX + 128], secret[sizeof path + 16], error[ADMIN_ERROR_SIZE] = "";
    struct ates_cert cert;

    snprintf(path, sizeof path, "%s/%s" ATES_CERT_ENDING, folder, name);
    snprintf(secret, sizeof secret, "%s" ATES_CERT_SECRET_ENDING, path);
    int r = ates_cert_draw(&cert);
    if (r == 0) {
        r = ates_cert_save(secret, name, &cert, true, error, sizeof error);
    }
    if (r == -EEXIST && access(path, F_OK) != 0 &&
        ates_cert_load_secret(secret, false, &cert, error, sizeof error) == 0) {
        r = 0; /* it was interrupted here */
    }
    if (r == 0) {
        r = ates_cert_save(path, name, &cert, false, error, sizeof error);
    }
    ates_cert_wipe(&cert);
    if (r != 0) {
        return save_failed(r, error);
    }
    ctl_say("%s is for its owner alone; %s is to be given away", secret, path);
    ctl_tell(false, "%s", cert.public_key);
    return CTL_OK;
}

int admin_curve_new(struct ctl *ctl, const struct ctl_input *input)
{
    const char *name = input->arguments[1], *given = ctl_value(input, "folder");
    char folder[PATH_MAX];
    int code = check_name(name);

    if (code == CTL_OK && given == NULL) {
        code = take_folder(ctl, input, folder, sizeof folder);
    } else if (code == CTL_OK) {
        snprintf(folder, sizeof folder, "%s", given);
    }
    if (code == CTL_OK) {
        code = make_folders(folder);
    }
    return code == CTL_OK ? save_pair(folder, name) : code;
}

/* "/a/b/far.cert" is called far. */
static int name_of(const char *file, char name[ATES_CERT_NAME_MAX + 1])
{
    const char *slash = strrchr(file, '/');
    const char *base = slash != NULL ? slash + 1 : file;
    const char *ending = strstr(base, ATES_CERT_ENDING);
    const size_t size = ending != NULL ? (size_t)(ending - base) : strlen(base);

    snprintf(name, ATES_CERT_NAME_MAX + 1, "%.*s", (int)size, base);
    return size <= ATES_CERT_NAME_MAX ? check_name(name) : check_name(base);
}

static bool is_file(const char *argument)
{
    return strchr(argument, '/') != NULL || strstr(argument, ATES_CERT_ENDING) != NULL;
}

int admin_curve_allow(struct ctl *ctl, const struct ctl_input *input)
{
    const char *given = input->arguments[1], *kind = ctl_value(input, "socket");
    char folder[PATH_MAX], path[PATH_MAX + 128], error[ADMIN_ERROR_SIZE] = "";
    char name[ATES_CERT_NAME_MAX + 1];
    struct ates_cert cert;

    if (kind == NULL) {
        return ctl_fail(CTL_USAGE, "--socket commands, events or publish",
                        "admin keys allow: say what for");
    }
    int code = name_of(given, name);
    if (code == CTL_OK) {
        code = take_folder(ctl, input, folder, sizeof folder);
    }
    if (code != CTL_OK) {
        return code;
    }
    snprintf(path, sizeof path, "%s/%s" ATES_CERT_ENDING, folder, given);
    int r = ates_cert_load_public(is_file(given) ? given : path, &cert, error, sizeof error);
    if (r != 0) {
        return ctl_fail(r == -ENOENT ? CTL_NOT_FOUND : CTL_REFUSED,
                        r == -ENOENT ? "atesctl admin keys new NAME, or the client's FILE.cert"
                                     : NULL,
                        "%s", error);
    }
    snprintf(path, sizeof path, "%s/allow/%s", folder, kind);
    code = make_folders(path);
    if (code != CTL_OK) {
        return code;
    }
    snprintf(path, sizeof path, "%s/allow/%s/%s" ATES_CERT_ENDING, folder, kind, name);
    struct ates_cert there;
    if (ates_cert_load_public(path, &there, error, sizeof error) == 0 &&
        strcmp(there.public_key, cert.public_key) == 0) {
        ctl_say("%s is allowed to connect to %s already", name, kind);
        return CTL_OK;
    }
    r = ates_cert_save(path, name, &cert, false, error, sizeof error);
    if (r != 0) {
        return r == -EEXIST
                   ? ctl_fail(CTL_CONFLICT, "atesctl admin keys revoke NAME first, or another name",
                              "another key is allowed for %s under the name %s", kind, name)
                   : save_failed(r, error);
    }
    ctl_say("%s may connect to %s from now on; atesctl admin keys revoke %s ends that", name, kind,
            name);
    return CTL_OK;
}

int admin_curve_revoke(struct ctl *ctl, const struct ctl_input *input)
{
    const char *name = input->arguments[1], *only = ctl_value(input, "socket");
    char folder[PATH_MAX], path[PATH_MAX + 128];
    int found = 0;
    int code = check_name(name);

    if (code == CTL_OK) {
        code = take_folder(ctl, input, folder, sizeof folder);
    }
    for (size_t i = 0; code == CTL_OK && ates_curve_kinds[i] != NULL; i++) {
        if (only != NULL && strcmp(only, ates_curve_kinds[i]) != 0) {
            continue;
        }
        snprintf(path, sizeof path, "%s/allow/%s/%s" ATES_CERT_ENDING, folder, ates_curve_kinds[i],
                 name);
        if (unlink(path) == 0) {
            found++;
            ctl_say("%s may no longer connect to %s", name, ates_curve_kinds[i]);
        } else if (errno != ENOENT) {
            code = ctl_fail(errno == EACCES ? CTL_FORBIDDEN : CTL_REFUSED, NULL, "%s: %s", path,
                            strerror(errno));
        }
    }
    return code != CTL_OK ? code
           : found > 0    ? CTL_OK
                          : ctl_fail(CTL_NOT_FOUND, "atesctl admin keys ls",
                                     "no key is allowed under the name %s", name);
}

static int is_cert(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && strstr(entry->d_name, ATES_CERT_ENDING) != NULL;
}

static void each_below(const char *folder, const char *below, const char *kind,
                       admin_curve_fn *tell, void *context)
{
    struct dirent **entries = NULL;
    char path[PATH_MAX + NAME_MAX + 128], name[NAME_MAX + 80];

    snprintf(path, sizeof path, "%s%s", folder, below);
    const int count = scandir(path, &entries, is_cert, alphasort);
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s%s%s", below[0] == '/' ? below + 1 : "",
                 below[0] == '/' ? "/" : "", entries[i]->d_name);
        snprintf(path, sizeof path, "%s/%s", folder, name);
        /* Of a pair that has its secret half here, that file stands for both. */
        strncat(path, ATES_CERT_SECRET_ENDING, sizeof path - strlen(path) - 1);
        if (access(path, F_OK) != 0) {
            path[strlen(path) - strlen(ATES_CERT_SECRET_ENDING)] = '\0';
            tell(context, path, name, kind);
        }
        free(entries[i]);
    }
    free(entries);
}

void admin_curve_each(const struct ates_config *config, admin_curve_fn *tell, void *context)
{
    char folder[PATH_MAX], below[64];

    ates_curve_folder(config, folder, sizeof folder);
    each_below(folder, "", NULL, tell, context);
    for (size_t i = 0; ates_curve_kinds[i] != NULL; i++) {
        snprintf(below, sizeof below, "/allow/%s", ates_curve_kinds[i]);
        each_below(folder, below, ates_curve_kinds[i], tell, context);
    }
}
