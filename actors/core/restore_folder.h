/* The data folder that a restore fills: where it works, and how what it made gets into place. See
 * restore.h for what is there when. */
#ifndef ATES_RESTORE_FOLDER_H
#define ATES_RESTORE_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#define RESTORE_MARK_SIZE 128u

struct restore_folder {
    const char *data_dir;
    char work[4096]; /* DATA/restore.new, empty */
    const char *mark;
    int fd;    /* of DATA, locked */
    bool made; /* DATA was not there */
};

/* Makes DATA (0700) where it is missing, and the folder to work in; no two at once (-EBUSY). What an
 * interrupted restore left is removed, or, where it had come to its last step, completed: *completed
 * where it had the same mark, else -EALREADY. -ENOTEMPTY where DATA holds anything else. mark must
 * outlive the folder. 0 or -errno with a line in error. */
int restore_folder_open(struct restore_folder *folder, const char *data_dir, const char *mark,
                        bool *completed, char *error, size_t error_size);
/* Moves all that was made in work up into DATA, durably. -ENOTEMPTY where something came into DATA
 * meanwhile. */
int restore_folder_keep(struct restore_folder *folder, char *error, size_t error_size);
/* Removes what was not kept, and DATA itself where open made it. Does nothing where open failed. */
void restore_folder_close(struct restore_folder *folder);

#endif
