/* Settings found again in their file; see setting_line.h. */
#include "setting_line.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LINE_SIZE 2048u
#define BLANKS " \t\r\v\f"

size_t ctl_setting_line(const char *file, const char *setting)
{
    FILE *in = fopen(file, "re");
    char line[LINE_SIZE], section[64] = "", name[160];
    size_t number = 0, found = 0;

    while (in != NULL && found == 0 && fgets(line, sizeof line, in) != NULL) {
        const size_t indent = strspn(line, BLANKS);
        const size_t size = strcspn(line + indent, BLANKS "=#\n");

        number++;
        if (size == 0 || size >= sizeof section) {
            continue;
        }
        if (indent == 0) {
            snprintf(section, sizeof section, "%.*s", (int)size, line);
        }
        const bool is_nested = indent > 0;
        snprintf(name, sizeof name, "%s%s%.*s", is_nested ? section : "", is_nested ? "/" : "",
                 (int)size, line + indent);
        found = strcmp(name, setting) == 0 ? number : 0;
    }
    if (in != NULL) {
        fclose(in);
    }
    return found;
}
