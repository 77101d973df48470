/* Prometheus's own linter of metrics, where it is installed (Debian: prometheus). */
#ifndef ATES_TEST_PROMTOOL_H
#define ATES_TEST_PROMTOOL_H

#include <stdio.h>
#include <stdlib.h>

#include <criterion/criterion.h>

/* Fails the test where promtool has anything to say of the text; skips it where there is none. */
static inline void promtool_check(const char *text, size_t size)
{
    char path[] = "/tmp/ates-metrics-XXXXXX";
    char command[128], complaints[4096];
    const int descriptor = mkstemp(path);

    if (system("command -v promtool >/dev/null 2>&1") != 0) {
        cr_skip_test("promtool is not installed");
    }
    cr_assert_geq(descriptor, 0);
    FILE *file = fdopen(descriptor, "w");
    cr_assert(fwrite(text, 1, size, file) == size && fclose(file) == 0);
    snprintf(command, sizeof command, "promtool check metrics <%s 2>&1", path);
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    const size_t count = fread(complaints, 1, sizeof complaints - 1, pipe);
    complaints[count] = '\0';
    const int status = pclose(pipe);
    remove(path);
    cr_assert(status == 0 && count == 0, "promtool: %s\n%.*s", complaints, (int)size, text);
}

#endif
