/* The configuration: a file in ZPL (ates.conf, or a context's over it), or one setting's value. What is
 * taken gives the same settings when it is given by flags; what is refused is so in one line that names
 * the file and a line or setting of it. */
#include "fuzz.h"

#include "core/setting.h"

static char error[512];

static void start(void)
{
    char variable[ATES_SETTING_NAME_SIZE + 8];

    for (size_t i = 0; i < ates_setting_count; i++) {
        unsetenv(ates_setting_variable(&ates_setting_types[i], variable));
    }
}

static bool names_setting(const char *words)
{
    for (size_t i = 0; i < ates_setting_count; i++) {
        if (strstr(words, ates_setting_types[i].name) != NULL) {
            return true;
        }
    }
    return false;
}

static void check_error(const char *path)
{
    size_t size = strlen(error);

    /* A long value may be cut within a character. */
    while (size > 0 && (error[size - 1] & 0x80) != 0) {
        error[--size] = '\0';
    }
    fuzz_require(error[0] != '\0' && strchr(error, '\n') == NULL);
    fuzz_require(strncmp(error, path, strlen(path)) == 0 || names_setting(error));
    fuzz_require(strstr(error, "line ") != NULL || strstr(error, "no such setting") != NULL ||
                 names_setting(error));
}

/* The same by flags. */
static void check_taken(const struct ates_config *config)
{
    static char texts[ATES_SETTING_MAX][ATES_SETTING_TEXT_SIZE];
    static struct ates_config again;
    struct ates_setting flags[ATES_SETTING_MAX];

    for (size_t i = 0; i < ates_setting_count; i++) {
        const struct ates_setting_type *type = &ates_setting_types[i];

        flags[i] = (struct ates_setting){type->name, ates_setting_text(type, config, texts[i])};
    }
    const int r =
        ates_config_load(&again, "/dev/null", flags, ates_setting_count, error, sizeof error);
    fuzz_require(r == 0);
    for (size_t i = 0; i < ates_setting_count; i++) {
        static char text[ATES_SETTING_TEXT_SIZE];

        fuzz_require(strcmp(texts[i], ates_setting_text(&ates_setting_types[i], &again, text)) ==
                     0);
    }
}

static void run_file(struct fuzz_input *input, bool is_context)
{
    static struct ates_config config;
    enum ates_origin origins[ATES_SETTING_MAX];
    const char *path = fuzz_file((struct ates_bytes){input->at, input->left});
    const struct ates_config_sources sources = {is_context ? "/dev/null" : path,
                                                is_context ? path : NULL, NULL, 0};

    if (ates_config_load_from(&config, &sources, origins, error, sizeof error) != 0) {
        check_error(path);
        return;
    }
    bool has_any = false;
    for (size_t i = 0; i < ates_setting_count; i++) {
        const enum ates_origin other = is_context ? ATES_FROM_CONTEXT : ATES_FROM_FILE;

        fuzz_require(origins[i] == ATES_FROM_DEFAULT || origins[i] == other);
        has_any |= origins[i] == other;
    }
    if (has_any) {
        check_taken(&config);
    }
}

static void run_value(struct fuzz_input *input)
{
    static struct ates_config config, again;
    static char text[ATES_SETTING_TEXT_SIZE], value[ATES_SETTING_TEXT_SIZE];
    const struct ates_setting_type *type =
        &ates_setting_types[fuzz_byte(input) % ates_setting_count];
    const struct ates_bytes bytes = fuzz_bytes(input, sizeof value - 1);
    char why[256] = "";

    memcpy(value, bytes.data, bytes.size);
    value[bytes.size] = '\0';
    if (type->read(type, value, (char *)&config + type->offset, why, sizeof why) != 0) {
        fuzz_require(why[0] != '\0');
        return;
    }
    ates_setting_text(type, &config, text);
    fuzz_require(strlen(text) < sizeof text - 1);
    fuzz_require(type->read(type, text, (char *)&again + type->offset, why, sizeof why) == 0);
    ates_setting_text(type, &again, value);
    fuzz_require(strcmp(text, value) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    static bool started;

    if (!started) {
        start();
        started = true;
    }
    const unsigned kind = fuzz_byte(&input) % 4;
    if (kind == 3) {
        run_value(&input);
    } else {
        run_file(&input, kind == 2);
    }
    return 0;
}
