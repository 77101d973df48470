/* Where in a file of settings one is set. */
#ifndef CTL_SETTING_LINE_H
#define CTL_SETTING_LINE_H

#include <stddef.h>

/* The line (from 1) of the file that sets this one ("log/level"); 0 where none does, or the file
 * cannot be read. The file is one that the settings' own reader takes. */
size_t ctl_setting_line(const char *file, const char *setting);

#endif
