/* admin config: what is set, and by what. Invariant: of files that hold secrets only the names are
 * settings, so none is shown. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "context_store.h"
#include "core/setting.h"
#include "operate.h"
#include "output.h"
#include "setting_line.h"

#define ERROR_SIZE 8192u
#define SOURCE_SIZE (PATH_MAX + 64u)

struct row {
    struct ates_text setting;
    struct ates_text value;
    struct ates_text source;
};
static const struct ates_field row_fields[] = {
    {ATES_FIELD(row, setting), .type = ATES_TEXT},
    {ATES_FIELD(row, value), .type = ATES_TEXT},
    {ATES_FIELD(row, source), .type = ATES_TEXT, .summary = "what set it"},
};
static ATES_MESSAGE(row, "setting");

static void tell_file(const char *file, const char *setting, char out[SOURCE_SIZE])
{
    const size_t line = ctl_setting_line(file, setting);

    if (line > 0) {
        snprintf(out, SOURCE_SIZE, "%s, line %zu", file, line);
    } else {
        snprintf(out, SOURCE_SIZE, "%s", file);
    }
}

/* What set it, as an operator finds it. */
static const char *source_of(struct ctl *ctl, size_t index)
{
    const struct ates_setting_type *type = &ates_setting_types[index];
    char variable[ATES_SETTING_NAME_SIZE + 8], path[PATH_MAX];
    char *out = ates_arena_alloc(ctl->arena, SOURCE_SIZE);

    switch (ctl->origins[index]) {
    case ATES_FROM_FILE:
        tell_file(ates_config_file(), type->name, out);
        break;
    case ATES_FROM_CONTEXT:
        if (ctl_context_path(ctl->context, path, sizeof path) == CTL_OK) {
            tell_file(path, type->name, out);
        }
        break;
    case ATES_FROM_ENVIRONMENT:
        snprintf(out, SOURCE_SIZE, "$%s", ates_setting_variable(type, variable));
        break;
    case ATES_FROM_FLAG:
        snprintf(out, SOURCE_SIZE, "the command line");
        break;
    case ATES_FROM_DEFAULT:
        snprintf(out, SOURCE_SIZE, "default");
        break;
    }
    return out;
}

static int show(struct ctl *ctl)
{
    struct ctl_listing *listing;

    if (ctl->config.data_dir[0] == '\0') {
        return CTL_USAGE; /* it could not be loaded, and why was said */
    }
    listing = ctl_listing_new(ctl, &row_message, NULL);
    if (listing == NULL) {
        return ctl_fail(CTL_REFUSED, NULL, "out of memory");
    }
    for (size_t i = 0; i < ates_setting_count; i++) {
        char *value = ates_arena_alloc(ctl->arena, ATES_SETTING_TEXT_SIZE);
        const struct row row = {
            .setting = ates_text_from(ates_setting_types[i].name),
            .value = ates_text_from(ates_setting_text(&ates_setting_types[i], &ctl->config, value)),
            .source = ates_text_from(source_of(ctl, i)),
        };

        ctl_listing_add(listing, NULL, &row);
    }
    const int code = ctl_listing_end(listing, NULL);
    ctl_listing_free(&listing);
    return code;
}

static int check(const char *file)
{
    const struct ates_config_sources sources = {.file = file};
    enum ates_origin origins[ATES_SETTING_MAX];
    struct ates_config *config = malloc(sizeof *config);
    char error[ERROR_SIZE] = "";
    size_t count = 0;

    if (config == NULL) {
        return ctl_fail(CTL_REFUSED, NULL, "out of memory");
    }
    const int r = ates_config_load_from(config, &sources, origins, error, sizeof error);
    free(config);
    if (r != 0) {
        return ctl_fail(CTL_REFUSED, NULL, "%s", error);
    }
    for (size_t i = 0; i < ates_setting_count; i++) {
        count += ctl_setting_line(file, ates_setting_types[i].name) > 0;
    }
    ctl_say("%s: %zu setting%s, all good", file, count, count == 1 ? "" : "s");
    return CTL_OK;
}

static int run(struct ctl *ctl, const struct ctl_input *input)
{
    if (input->count == 0) {
        return show(ctl);
    }
    if (input->count == 2 && strcmp(input->arguments[0], "check") == 0) {
        return check(input->arguments[1]);
    }
    return ctl_fail(CTL_USAGE, "atesctl admin config check FILE", "admin config: '%.40s'%s",
                    input->arguments[0],
                    input->count == 1 ? " needs a file" : " is none of its words");
}

static void tell_words(const struct ctl_input *input, ctl_word_fn *tell, void *context)
{
    if (input->count == 0) {
        tell(context, "check", "look whether a file may be used");
    }
}

const struct ctl_command admin_config_command = {
    .name = "config",
    .arguments = "[check FILE]",
    .summary = "List the settings in effect and what set each, or check a file of settings",
    .notes =
        "\nWhat is listed is what a service would be started with here: by this environment, this\n"
        "context and these options. No setting holds a secret; some name a file that does.\n",
    .examples = "atesctl admin config\n"
                "sudo atesctl admin config check /etc/ates/ates.conf.new",
    .is_local = true,
    .max = 2,
    .run = run,
    .words = tell_words,
};
