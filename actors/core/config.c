/* Configuration: where the settings' values come from, in which order.
 *
 * Invariant: every value that is named anywhere is checked, even one that a later source overrides,
 * so a mistake never waits for the day on which it is uncovered. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <czmq.h>

#include "core/config.h"
#include "core/setting.h"

#define FILE_MAX (64u * 1024u)
#define LINE_MAX_SIZE 1024u /* zconfig cuts longer lines without a word */
#define BLANKS " \t\r\v\f"  /* what zconfig skips: isspace but the end of the line */

/* A load under way: what was read so far, and where to say what is wrong. */
struct load {
    struct ates_config config;
    bool is_set[ATES_SETTING_MAX]; /* by any source */
    enum ates_origin origins[ATES_SETTING_MAX];
    enum ates_origin origin;        /* of what is read at present */
    bool in_file[ATES_SETTING_MAX]; /* by the file */
    const char *file;
    char *error;
    size_t size;
};

/* Writes the one line of error: control characters that a value brought along would make it more.
 * Returns fault. */
__attribute__((format(printf, 3, 4))) static int fail(struct load *load, int fault,
                                                      const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(load->error, load->size, format, arguments);
    va_end(arguments);
    for (char *c = load->error; load->size > 0 && *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            *c = '?';
        }
    }
    return fault;
}

/* Takes a value from where, which is named in front of what is wrong with it. */
static int take(struct load *load, size_t index, const char *value, const char *where)
{
    const struct ates_setting_type *type = &ates_setting_types[index];
    char why[256];

    int r = type->read(type, value, (char *)&load->config + type->offset, why, sizeof why);
    if (r != 0) {
        return fail(load, r, "%s: %s", where, why);
    }
    load->is_set[index] = true;
    load->origins[index] = load->origin;
    return 0;
}

static int take_from_file(struct load *load, const char *name, const char *value)
{
    const size_t index = ates_setting_find(name);
    char where[PATH_MAX + ATES_SETTING_NAME_SIZE];

    if (index == ates_setting_count) {
        return fail(load, -EINVAL, "%s: %s: no such setting", load->file, name);
    }
    if (load->in_file[index]) {
        return fail(load, -EINVAL, "%s: %s: set twice", load->file, name);
    }
    load->in_file[index] = true;
    snprintf(where, sizeof where, "%s: %s", load->file, name);
    return take(load, index, value, where);
}

/* Whether some setting is inside the section of this name. */
static bool is_section(const char *name)
{
    const size_t length = strlen(name);
    for (size_t i = 0; i < ates_setting_count; i++) {
        if (strncmp(ates_setting_types[i].name, name, length) == 0 &&
            ates_setting_types[i].name[length] == '/') {
            return true;
        }
    }
    return false;
}

/* Takes what is below node; path is node's own, empty at the root. Sections are as deep as the
 * table's names, so this recurses no deeper either. */
static int take_tree(struct load *load, zconfig_t *node, const char *path)
{
    for (zconfig_t *child = zconfig_child(node); child != NULL; child = zconfig_next(child)) {
        char name[ATES_SETTING_NAME_SIZE];
        int length = snprintf(name, sizeof name, "%s%s%s", path, path[0] != '\0' ? "/" : "",
                              zconfig_name(child));
        if (length < 0 || (size_t)length >= sizeof name) {
            return fail(load, -EINVAL, "%s: %s...: no such setting", load->file, name);
        }
        const char *value = zconfig_value(child);
        int r = 0;
        if (is_section(name) && value[0] == '\0') {
            r = take_tree(load, child, name);
        } else if (zconfig_child(child) != NULL && ates_setting_find(name) != ates_setting_count) {
            r = fail(load, -EINVAL, "%s: %s: no section", load->file, name);
        } else {
            r = take_from_file(load, name, value);
        }
        if (r != 0) {
            return r;
        }
    }
    return 0;
}

/* What is wrong after a setting's name, or NULL. */
static const char *check_value(const char *rest)
{
    rest += strspn(rest, BLANKS);
    if (*rest != '=') {
        return *rest == '\0' || *rest == '#' ? NULL : "= is missing after the name";
    }
    rest++;
    rest += strspn(rest, BLANKS);
    if (*rest == '#') {
        return "the value is missing"; /* zconfig would take the comment for it */
    }
    if (*rest == '"' || *rest == '\'') {
        const char *end = strchr(rest + 1, *rest);
        if (end == NULL) {
            return "the closing quote is missing";
        }
        end += 1 + strspn(end + 1, BLANKS);
        return *end == '\0' || *end == '#' ? NULL : "text after the closing quote";
    }
    return NULL;
}

/* What is wrong with a line of ZPL (rfc.zeromq.org/spec/4), or NULL. zconfig says it on stdout
 * only, and not at all for some faults. depth: how deep a line may be; moved on to the next one's.
 */
static const char *check_line(const char *line, size_t *depth)
{
    static const char name_characters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789$-_@.&+/";
    const size_t spaces = strspn(line, " ");
    const char *name = line + spaces;

    if (*name == '\0') {
        return NULL;
    }
    if (spaces % 4 != 0) {
        return "not indented by fours of spaces";
    }
    if (*name == '#') {
        return NULL;
    }
    const size_t length = strspn(name, name_characters);
    if (length == 0) {
        return "neither a setting nor a comment";
    }
    if (name[0] == '/' || name[length - 1] == '/') {
        return "/ at an end of the name";
    }
    if (spaces / 4 > *depth) {
        return "indented deeper than by one level";
    }
    *depth = spaces / 4 + 1;
    return check_value(name + length);
}

/* Checks size bytes of text (NUL-terminated) line by line. */
static int check_text(struct load *load, const char *text, size_t size)
{
    size_t depth = 0;
    size_t number = 1;

    for (const char *end = text + size; text < end; number++) {
        const size_t length = strcspn(text, "\n");
        const char *problem = NULL;
        char line[LINE_MAX_SIZE + 1];

        if (text + length < end && text[length] == '\0') {
            problem = "a NUL byte";
        } else if (length > LINE_MAX_SIZE) {
            problem = "longer than 1024 bytes";
        } else {
            size_t kept = length;
            while (kept > 0 && strchr(BLANKS, text[kept - 1]) != NULL) {
                kept--;
            }
            memcpy(line, text, kept);
            line[kept] = '\0';
            problem = check_line(line, &depth);
        }
        if (problem != NULL) {
            return fail(load, -EINVAL, "%s: line %zu: %s", load->file, number, problem);
        }
        text += length + 1;
    }
    return 0;
}

/* Reads the file whole into text (FILE_MAX + 1 bytes). Returns its size or -errno. */
static ssize_t read_file(const char *name, char *text)
{
    const int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return -errno;
    }
    size_t size = 0;
    ssize_t got = 0;
    do {
        got = read(fd, text + size, FILE_MAX + 1 - size);
        size += got > 0 ? (size_t)got : 0;
    } while ((got > 0 && size <= FILE_MAX) || (got < 0 && errno == EINTR));
    const int fault = got < 0 ? -errno : size > FILE_MAX ? -EFBIG : 0;
    close(fd);
    return fault != 0 ? fault : (ssize_t)size;
}

static int load_text(struct load *load, const char *text, size_t size)
{
    int r = check_text(load, text, size);
    if (r != 0) {
        return r;
    }
    zconfig_t *root = zconfig_str_load(text);
    if (root == NULL) {
        return fail(load, -EINVAL, "%s: not a configuration in ZPL", load->file);
    }
    r = take_tree(load, root, "");
    zconfig_destroy(&root);
    return r;
}

static int load_file(struct load *load, const char *file, bool must_exist)
{
    char *text = malloc(FILE_MAX + 1);
    load->file = file;
    memset(load->in_file, 0, sizeof load->in_file);
    if (text == NULL) {
        return fail(load, -ENOMEM, "%s: out of memory", load->file);
    }
    int r = 0;
    const ssize_t size = read_file(load->file, text);
    if (size >= 0) {
        text[size] = '\0';
        r = load_text(load, text, (size_t)size);
    } else if (size != -ENOENT || must_exist) {
        r = fail(load, (int)size, "%s: %s", load->file, strerror((int)-size));
    }
    free(text);
    return r;
}

static int load_environment(struct load *load)
{
    for (size_t i = 0; i < ates_setting_count; i++) {
        char variable[ATES_SETTING_NAME_SIZE + 8];
        const char *value = getenv(ates_setting_variable(&ates_setting_types[i], variable));
        int r = value != NULL ? take(load, i, value, variable) : 0;
        if (r != 0) {
            return r;
        }
    }
    return 0;
}

static int load_flags(struct load *load, const struct ates_setting *flags, size_t flag_count)
{
    for (size_t i = 0; i < flag_count; i++) {
        const size_t index = ates_setting_find(flags[i].name);
        char where[sizeof "flag " + ATES_SETTING_NAME_SIZE];
        if (index == ates_setting_count) {
            return fail(load, -EINVAL, "flag %s: no such setting", flags[i].name);
        }
        snprintf(where, sizeof where, "flag %s", ates_setting_types[index].name);
        int r = take(load, index, flags[i].value, where);
        if (r != 0) {
            return r;
        }
    }
    return 0;
}

static int load_defaults(struct load *load)
{
    for (size_t i = 0; i < ates_setting_count; i++) {
        char where[sizeof "default of " + ATES_SETTING_NAME_SIZE];
        snprintf(where, sizeof where, "default of %s", ates_setting_types[i].name);
        int r = load->is_set[i] ? 0 : take(load, i, ates_setting_types[i].fallback, where);
        if (r != 0) {
            return r;
        }
    }
    return 0;
}

const char *ates_config_file(void)
{
    const char *named = getenv(ATES_CONFIG_VARIABLE);

    return named != NULL && named[0] != '\0' ? named : ATES_CONFIG_FILE;
}

int ates_config_load_from(struct ates_config *config, const struct ates_config_sources *sources,
                          enum ates_origin origins[ATES_SETTING_MAX], char *error, size_t size)
{
    struct load load = {.error = error, .size = size, .origin = ATES_FROM_FILE};
    const char *file = sources->file != NULL ? sources->file : ates_config_file();
    int r = load_file(&load, file, strcmp(file, ATES_CONFIG_FILE) != 0 || sources->file != NULL);
    load.origin = ATES_FROM_CONTEXT;
    if (r == 0 && sources->context != NULL) {
        r = load_file(&load, sources->context, true);
    }
    load.origin = ATES_FROM_ENVIRONMENT;
    if (r == 0) {
        r = load_environment(&load);
    }
    load.origin = ATES_FROM_FLAG;
    if (r == 0) {
        r = load_flags(&load, sources->flags, sources->flag_count);
    }
    load.origin = ATES_FROM_DEFAULT;
    if (r == 0) {
        r = load_defaults(&load);
    }
    if (r == 0 && load.config.session_ms < load.config.access_ms) {
        r = fail(&load, -EINVAL, "auth/session_hours: shorter than auth/access_minutes");
    }
    if (r == 0) {
        *config = load.config;
        memcpy(origins, load.origins, sizeof load.origins);
    }
    return r;
}

int ates_config_load(struct ates_config *config, const char *file, const struct ates_setting *flags,
                     size_t flag_count, char *error, size_t size)
{
    const struct ates_config_sources sources = {file, NULL, flags, flag_count};
    enum ates_origin origins[ATES_SETTING_MAX];

    return ates_config_load_from(config, &sources, origins, error, size);
}
