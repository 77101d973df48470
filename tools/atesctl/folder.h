/* atesctl's folders below the user's home, by the XDG base directory specification, and its files in
 * them. */
#ifndef CTL_FOLDER_H
#define CTL_FOLDER_H

#include <stddef.h>

enum ctl_folder {
    CTL_CONFIG, /* ${XDG_CONFIG_HOME:-~/.config}/ates: what the user has set */
    CTL_STATE   /* ${XDG_STATE_HOME:-~/.local/state}/ates: what atesctl must remember */
};

/* Puts the path of a folder (below the ates one; "": that itself) into path. Returns CTL_OK, or
 * another code with the reason said. */
int ctl_folder(enum ctl_folder kind, const char *below, char *path, size_t size);

/* The same, and makes the folder where it is missing (mode 0700). */
int ctl_make_folder(enum ctl_folder kind, const char *below, char *path, size_t size);

/* Writes text beside the path and moves it there, so that the file is never half of it. Mode 0600.
 * Returns 0 or -errno. */
int ctl_replace_file(const char *path, const char *text);

#endif
