/* Files that are read where somebody else has put them. */
#ifndef ATES_FILE_H
#define ATES_FILE_H

#include <stddef.h>

/* Opens a regular file for reading. What is none, as a FIFO, which would hold the program, or a folder,
 * is refused (-EINVAL). Returns the descriptor, or -errno with a line in error that names the file. */
int ates_file_open(const char *path, char *error, size_t error_size);

/* The same for a file that a setting names; the line in error begins with the setting. */
int ates_file_open_setting(const char *setting, const char *path, char *error, size_t error_size);

#endif
