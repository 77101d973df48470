/* The table of reasons against the sources and PROTOCOL.md: none is missing, none is left over. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <ftw.h>

#include "atesctl/reason.h"

#define NAMES_MAX 512

/* Words that are written as reasons are in a text, and the status beside each (empty: none). */
static struct {
    char name[48], status[32];
} found[NAMES_MAX];
static size_t found_count;

static char *read_text(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t size = 0;

    cr_assert_not_null(file, "%s", path);
    cr_assert_geq(getdelim(&text, &size, '\0', file), 0, "%s", path);
    fclose(file);
    return text;
}

static bool is_status(const char *word)
{
    for (int status = 0; status < ATES_STATUS_COUNT; status++) {
        if (strcmp(ates_status_name((enum ates_status)status), word) == 0) {
            return true;
        }
    }
    return false;
}

static void keep(const char *name, size_t size, const char *status, size_t status_size)
{
    char word[48];

    if (size >= sizeof word || status_size >= sizeof found[0].status) {
        return;
    }
    snprintf(word, sizeof word, "%.*s", (int)size, name);
    if (strchr(word, '_') == NULL || word[size - 1] == '_' || is_status(word)) {
        return;
    }
    for (size_t i = 0; i < found_count; i++) {
        if (strcmp(found[i].name, word) == 0 && strlen(found[i].status) == status_size &&
            strncmp(found[i].status, status, status_size) == 0) {
            return;
        }
    }
    cr_assert_lt(found_count, NAMES_MAX);
    strcpy(found[found_count].name, word);
    snprintf(found[found_count].status, sizeof found[0].status, "%.*s", (int)status_size, status);
    found_count++;
}

/* Whether the text before is the name of an environment variable's reader. */
static bool is_variable(const char *text, const char *quote)
{
    static const char *const readers[] = {"getenv(", "setenv("};

    for (size_t i = 0; i < 2; i++) {
        const size_t size = strlen(readers[i]);

        if ((size_t)(quote - text) >= size && memcmp(quote - size, readers[i], size) == 0) {
            return true;
        }
    }
    return false;
}

/* Every "UPPER_SNAKE" of a source; in `ATES_STATUS, "REASON"` its status too. */
static int scan_source(const char *path, const struct stat *status, int type, struct FTW *where)
{
    const size_t length = strlen(path);

    (void)status;
    if (type == FTW_D && strcmp(path + where->base, "node_modules") == 0) {
        return FTW_SKIP_SUBTREE;
    }
    if (type != FTW_F || length < 2 || strcmp(path + length - 2, ".c") != 0) {
        return FTW_CONTINUE;
    }
    char *text = read_text(path);
    for (const char *quote = strchr(text, '"'); quote != NULL; quote = strchr(quote, '"')) {
        const char *name = quote + 1;
        const size_t size = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
        const char *before = quote;

        if (size == 0 || name[size] != '"' || is_variable(text, quote)) {
            quote = name;
            continue;
        }
        while (before > text && isspace((unsigned char)before[-1])) {
            before--;
        }
        const bool is_paired = before > text && before[-1] == ',';
        const char *end = is_paired ? before - 1 : before, *begin = end;
        while (begin > text && (isupper((unsigned char)begin[-1]) || begin[-1] == '_')) {
            begin--;
        }
        const bool has_status = is_paired && end - begin > 5 && strncmp(begin, "ATES_", 5) == 0;
        keep(name, size, has_status ? begin + 5 : "", has_status ? (size_t)(end - begin) - 5 : 0);
        quote = name + size + 1;
    }
    free(text);
    return FTW_CONTINUE;
}

/* The rows `| REASON, REASON | STATUS | ... |` of section 4. */
static void scan_protocol(void)
{
    char *text = read_text(ATES_SOURCE_ROOT "/PROTOCOL.md");
    const char *line = strstr(text, "| reason | status | when |");

    cr_assert_not_null(line);
    for (line = strchr(line, '\n') + 1; line[0] == '|'; line = strchr(line, '\n') + 1) {
        const char *reasons_end = strchr(line + 1, '|'), *status = reasons_end + 2;
        const size_t status_size = strcspn(status, " |");

        for (const char *word = line + 2; word < reasons_end;) {
            const size_t size = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");

            keep(word, size, status, status_size);
            word += size + 1;
        }
    }
    free(text);
}

static bool is_in_table(const char *name, const char *status)
{
    for (size_t i = 0; i < ctl_reason_count; i++) {
        if (strcmp(ctl_reasons[i].reason, name) == 0 &&
            (status[0] == '\0' || strcmp(ates_status_name(ctl_reasons[i].status), status) == 0)) {
            return true;
        }
    }
    return false;
}

static void expect_all(const char *where)
{
    cr_expect_geq(found_count, 40, "%s: %zu reasons were found", where, found_count);
    for (size_t i = 0; i < found_count; i++) {
        cr_expect(is_in_table(found[i].name, found[i].status),
                  "%s has %s %s, which tools/atesctl/reason.c has not", where, found[i].name,
                  found[i].status);
    }
    for (size_t i = 0; i < ctl_reason_count; i++) {
        bool is_found = strchr(ctl_reasons[i].reason, '_') == NULL;

        for (size_t j = 0; j < found_count && !is_found; j++) {
            is_found = strcmp(found[j].name, ctl_reasons[i].reason) == 0;
        }
        cr_expect(is_found, "%s has no %s, which tools/atesctl/reason.c has", where,
                  ctl_reasons[i].reason);
    }
}

Test(reason, the_sources_give_them)
{
    found_count = 0;
    cr_assert_eq(nftw(ATES_SOURCE_ROOT "/actors", scan_source, 16, FTW_PHYS | FTW_ACTIONRETVAL), 0);
    expect_all("a source below actors");
}

Test(reason, the_protocol_names_them)
{
    found_count = 0;
    scan_protocol();
    expect_all("PROTOCOL.md, section 4,");
}

Test(reason, words_are_whole)
{
    for (size_t i = 0; i < ctl_reason_count; i++) {
        const struct ctl_reason *row = &ctl_reasons[i];

        cr_expect(row->words != NULL && row->words[0] != '\0', "%s", row->reason);
        cr_expect((strchr(row->words, '#') != NULL) == (row->subject != NULL), "%s", row->reason);
    }
}

Test(reason, subjects)
{
    char words[64];

    ctl_reason_words("there is no task #", "7", words, sizeof words);
    cr_expect_str_eq(words, "there is no task 7");
    ctl_reason_words("# is in the future", "DATE", words, sizeof words);
    cr_expect_str_eq(words, "DATE is in the future");
    ctl_reason_words("no subject", "7", words, sizeof words);
    cr_expect_str_eq(words, "no subject");
    cr_expect_null(ctl_reason_find("NO_SUCH_REASON"));
    cr_expect_str_eq(ctl_reason_find("TASK_UNKNOWN")->reason, "TASK_UNKNOWN");
}
