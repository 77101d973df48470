/* A folder of a test's own below /tmp. Both fail the test where anything goes wrong. */
#ifndef ATES_TEST_TEMP_FOLDER_H
#define ATES_TEST_TEMP_FOLDER_H

#define TEMP_FOLDER_SIZE 64u

void temp_folder_make(char path[TEMP_FOLDER_SIZE]);
/* Removes it with all that is in it. */
void temp_folder_remove(const char *path);

#endif
