/* The contexts' files; see context_store.h. Invariant: a name is a file's name and nothing more: no
 * context lies outside of its folder. */
#include "context_store.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "folder.h"
#include "suggest.h"

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
#define FOLDER_SIZE 3072u

static bool is_context_name(const char *name)
{
    const size_t size = strlen(name);

    return size > 0 && size < CTL_CONTEXT_SIZE && name[0] != '.' &&
           strspn(name, NAME_CHARACTERS) == size;
}

int ctl_context_path(const char *name, char *path, size_t size)
{
    char folder[FOLDER_SIZE];

    if (!is_context_name(name)) {
        return ctl_fail(
            CTL_USAGE, NULL,
            "'%.80s' is no name of a context: 1 to 64 of A-Z a-z 0-9 . _ - are expected, "
            "and no dot first",
            name);
    }
    const int code = ctl_folder(CTL_CONFIG, "contexts", folder, sizeof folder);
    if (code == CTL_OK) {
        snprintf(path, size, "%s/%s", folder, name);
    }
    return code;
}

int ctl_context_find(const char *name, char *path, size_t size)
{
    const int code = ctl_context_path(name, path, size);

    if (code != CTL_OK || access(path, F_OK) == 0) {
        return code;
    }
    struct ctl_nearest nearest = ctl_nearest_to(name);
    ctl_context_each(ctl_nearest_hear, &nearest);
    return ctl_fail(CTL_NOT_FOUND, "atesctl context ls", "there is no context '%s'%s%s%s", name,
                    nearest.candidate != NULL ? ": did you mean '" : "",
                    nearest.candidate != NULL ? nearest.candidate : "",
                    nearest.candidate != NULL ? "'?" : "");
}

static int kept_path(char *path, size_t size)
{
    return ctl_folder(CTL_CONFIG, "context", path, size);
}

int ctl_context_kept(char name[CTL_CONTEXT_SIZE])
{
    char path[FOLDER_SIZE], line[CTL_CONTEXT_SIZE + 1] = "";
    const int code = kept_path(path, sizeof path);
    FILE *file = code == CTL_OK ? fopen(path, "re") : NULL;

    name[0] = '\0';
    if (file == NULL) {
        return code != CTL_OK || errno == ENOENT
                   ? code
                   : ctl_fail(CTL_REFUSED, NULL, "cannot read %s: %s", path, strerror(errno));
    }
    if (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, " \t\r\n")] = '\0';
        snprintf(name, CTL_CONTEXT_SIZE, "%s", line);
    }
    fclose(file);
    return CTL_OK;
}

int ctl_context_choose(const char *given, char name[CTL_CONTEXT_SIZE],
                       enum ctl_context_source *source)
{
    const char *variable = getenv("ATES_CONTEXT");
    const bool is_set = variable != NULL && variable[0] != '\0';
    const char *chosen = given != NULL ? given : is_set ? variable : NULL;

    if (chosen == NULL) {
        const int code = ctl_context_kept(name);

        *source = name[0] != '\0' ? CTL_CONTEXT_KEPT : CTL_CONTEXT_NONE;
        return code;
    }
    *source = given != NULL ? CTL_CONTEXT_OPTION : CTL_CONTEXT_ENVIRONMENT;
    char path[FOLDER_SIZE + CTL_CONTEXT_SIZE];
    const int code = ctl_context_path(chosen, path, sizeof path);
    snprintf(name, CTL_CONTEXT_SIZE, "%s", code == CTL_OK ? chosen : "");
    return code;
}

int ctl_context_keep(const char *name)
{
    char path[FOLDER_SIZE + 16], folder[FOLDER_SIZE], line[CTL_CONTEXT_SIZE + 1];
    int code = kept_path(path, sizeof path);

    if (code == CTL_OK) {
        code = ctl_make_folder(CTL_CONFIG, "", folder, sizeof folder);
    }
    if (code != CTL_OK) {
        return code;
    }
    snprintf(line, sizeof line, "%s\n", name);
    const int r = name[0] != '\0'                        ? ctl_replace_file(path, line)
                  : unlink(path) == 0 || errno == ENOENT ? 0
                                                         : -errno;
    return r == 0 ? CTL_OK : ctl_fail(CTL_REFUSED, NULL, "cannot write %s: %s", path, strerror(-r));
}

static int is_listed(const struct dirent *entry)
{
    return is_context_name(entry->d_name);
}

void ctl_context_each(ctl_word_fn *tell, void *context)
{
    char folder[FOLDER_SIZE];
    struct dirent **entries = NULL;
    const int count = ctl_folder(CTL_CONFIG, "contexts", folder, sizeof folder) == CTL_OK
                          ? scandir(folder, &entries, is_listed, alphasort)
                          : -1;

    for (int i = 0; i < count; i++) {
        tell(context, entries[i]->d_name, NULL);
        free(entries[i]);
    }
    free(entries);
}
