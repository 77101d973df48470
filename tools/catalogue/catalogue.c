/* Writes the journal's catalogue file (the format: systemd's catalog documentation) to stdout, of the table in
 * core/catalogue.c. Run at build time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/catalogue.h"

#define WIDTH 76u /* journalctl puts "-- " in front of each line */

static void print_folded(const char *text)
{
    size_t column = 0;

    while (*text != '\0') {
        const size_t size = strcspn(text, " ");

        if (column > 0 && column + 1 + size > WIDTH) {
            putchar('\n');
            column = 0;
        }
        printf("%s%.*s", column > 0 ? " " : "", (int)size, text);
        column += (column > 0) + size;
        text += size + strspn(text + size, " ");
    }
    putchar('\n');
}

int main(void)
{
    for (size_t i = 0; i < ATES_ENTRY_COUNT; i++) {
        const struct ates_catalogue_entry *entry = &ates_catalogue[i];

        printf("-- %s\nSubject: %s\nDefined-By: aTES\n\n", entry->id, entry->subject);
        print_folded(entry->meaning);
        putchar('\n');
        print_folded(entry->action);
        putchar('\n');
    }
    return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
