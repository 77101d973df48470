/* Messages as files below a folder, where no server takes them. Invariant: a file of the final name
 * is whole, and is there after a crash once the write has returned 0. */
#ifndef MAIL_OUTBOX_H
#define MAIL_OUTBOX_H

#include <stddef.h>

#define MAIL_OUTBOX_NAME_MAX 200u

/* Writes FOLDER/NAME.eml, mode 0600, in the place of one of the same name. The folder is made (mode
 * 0700) where it is missing, its parent is not. name: 1 to MAIL_OUTBOX_NAME_MAX of A-Za-z0-9._-,
 * the first no dot; else -EINVAL. Returns 0 or -errno; a write that a crash cut short may leave a
 * hidden file. */
int mail_outbox_write(const char *folder, const char *name, const void *data, size_t size);

#endif
