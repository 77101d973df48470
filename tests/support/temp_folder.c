/* See temp_folder.h. */
#include "support/temp_folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

void temp_folder_make(char path[TEMP_FOLDER_SIZE])
{
    strcpy(path, "/tmp/ates-test-XXXXXX");
    cr_assert_not_null(mkdtemp(path));
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status, (void)type, (void)place;
    return remove(path);
}

void temp_folder_remove(const char *path)
{
    cr_assert_eq(nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0, "%s stays", path);
}
