/* Contexts: which aTES is spoken to, as whom, and how it is shown. Invariant: a context's file is
 * one that ates.conf's reader takes. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "context_far.h"
#include "context_store.h"
#include "core/setting.h"
#include "ctl.h"
#include "folder.h"
#include "output.h"
#include "session_store.h"

#define PATH_SIZE 4096u

/* Of the settings, those that atesctl itself looks at. */
static const char *const settings[] = {"run", "data", "time_zone", "ctl/output"};
#define SETTING_COUNT (sizeof settings / sizeof settings[0])

/* One row of `context ls`. */
struct context_row {
    struct ates_text name;
    bool is_current;
    bool has_run, has_user, has_problem;
    struct ates_text run;
    struct ates_text user;
    struct ates_text problem;
};
static const struct ates_field context_row_fields[] = {
    {ATES_FIELD(context_row, name), .type = ATES_TEXT, .max = CTL_CONTEXT_SIZE},
    {ATES_FIELD(context_row, is_current), .type = ATES_BOOL},
    {ATES_OPTIONAL(context_row, run), .type = ATES_TEXT, .summary = "the services' run folder"},
    {ATES_OPTIONAL(context_row, user), .type = ATES_TEXT, .summary = "who is signed in"},
    {ATES_OPTIONAL(context_row, problem), .type = ATES_TEXT, .summary = "of its file"},
};
static ATES_MESSAGE(context_row, "context");

/* One row of `context show`. */
struct setting_row {
    struct ates_text setting;
    bool has_value;
    struct ates_text value;
    struct ates_text source;
};
static const struct ates_field setting_row_fields[] = {
    {ATES_FIELD(setting_row, setting), .type = ATES_TEXT, .max = 32},
    {ATES_OPTIONAL(setting_row, value), .type = ATES_TEXT},
    {ATES_FIELD(setting_row, source), .type = ATES_TEXT, .summary = "what set it"},
};
static ATES_MESSAGE(setting_row, "setting");

static const char *value_of(const struct ates_config *config, const char *setting)
{
    const struct ates_setting_type *type = &ates_setting_types[ates_setting_find(setting)];

    return (const char *)config + type->offset;
}

static void tell_contexts(const struct ctl_input *input, ctl_word_fn *tell, void *context)
{
    if (input->count == 0) {
        ctl_context_each(tell, context);
    }
}

/* A line of the file; a value that no quotes can hold is refused. */
static int write_line(FILE *out, const char *setting, const char *value)
{
    const char quote = strchr(value, '"') == NULL ? '"' : '\'';

    if (strchr(value, quote) != NULL || strpbrk(value, "\r\n") != NULL) {
        return ctl_fail(CTL_USAGE, NULL, "a context cannot hold %s as its %s", value, setting);
    }
    const char *slash = strchr(setting, '/');
    if (slash != NULL) {
        fprintf(out, "%.*s\n    ", (int)(slash - setting), setting);
    }
    fprintf(out, "%s = %c%s%c\n", slash != NULL ? slash + 1 : setting, quote, value, quote);
    return CTL_OK;
}

/* The file's text, to be freed; what nobody set is left to the defaults, but the run folder. */
static int write_text(const struct ctl *ctl, const struct ates_config *config, const char *data,
                      const char *zone, char **text)
{
    const bool is_kept[SETTING_COUNT] = {true, data != NULL, zone != NULL,
                                         ctl->origins[ates_setting_find("ctl/output")] ==
                                             ATES_FROM_FLAG};
    size_t size;
    FILE *out = open_memstream(text, &size);
    int code = out != NULL ? CTL_OK : ctl_fail(CTL_REFUSED, NULL, "out of memory");

    for (size_t i = 0; i < SETTING_COUNT && code == CTL_OK; i++) {
        if (is_kept[i]) {
            code = write_line(out, settings[i], value_of(config, settings[i]));
        }
    }
    for (size_t i = 0; i < ates_setting_count && code == CTL_OK; i++) {
        const char *value = (const char *)config + ates_setting_types[i].offset;

        if (ctl_is_far_setting(&ates_setting_types[i]) && value[0] != '\0') {
            code = write_line(out, ates_setting_types[i].name, value);
        }
    }
    if (out != NULL) {
        fclose(out);
    }
    return code;
}

/* Who is signed in to the same services stays so in the new context. */
static int adopt_session(struct ctl *ctl, const char *name)
{
    const char *given = getenv("ATES_TOKEN_FILE");
    int code = ctl_session_load(ctl);

    snprintf(ctl->context, sizeof ctl->context, "%s", name);
    ctl->origins[ates_setting_find("run")] = ATES_FROM_CONTEXT;
    if (code == CTL_OK && ctl->session->token[0] != '\0' && (given == NULL || given[0] == '\0')) {
        code = ctl_session_save(ctl);
        if (code == CTL_OK) {
            ctl_say("%s stays signed in there", ctl->session->login);
        }
    }
    return code;
}

static const struct ctl_option add_options[] = {
    {"connect", "LIST", "what is reached over tcp, as auth=tcp://HOST:PORT,tasks=tcp://HOST:PORT"},
    {"server-file", "FILE", "the public certificate of that machine, for tcp"},
    {"client-file", "FILE", "your own secret certificate, for tcp"},
    {"data", "DIR", "where its services keep their data, for the admin commands"},
    {"time-zone", "ZONE", "in which its times are shown, as Europe/Moscow"},
    {"use", NULL, "use it from now on"},
    {NULL, NULL, NULL},
};

static int run_add(struct ctl *ctl, const struct ctl_input *input)
{
    const char *name = input->arguments[0];
    const char *data = ctl_value(input, "data"), *zone = ctl_value(input, "time-zone");
    struct ates_config config = ctl->config;
    char path[PATH_SIZE], folder[PATH_SIZE], *text = NULL;

    int code = ctl_context_path(name, path, sizeof path);
    if (code == CTL_OK && access(path, F_OK) == 0) {
        code = ctl_fail(CTL_CONFLICT, "atesctl context rm NAME, or another name",
                        "there is a context '%s' already", name);
    }
    if (code == CTL_OK) {
        code = ctl_take_setting(&config, "data", "data", data);
    }
    if (code == CTL_OK) {
        code = ctl_take_setting(&config, "time_zone", "time-zone", zone);
    }
    if (code == CTL_OK) {
        code = ctl_take_far(&config, input);
    }
    if (code == CTL_OK) {
        code = ctl_make_folder(CTL_CONFIG, "contexts", folder, sizeof folder);
    }
    if (code == CTL_OK) {
        code = write_text(ctl, &config, data, zone, &text);
    }
    if (code == CTL_OK) {
        const int r = ctl_replace_file(path, text);

        code = r == 0 ? CTL_OK
                      : ctl_fail(CTL_REFUSED, NULL, "cannot write %s: %s", path, strerror(-r));
    }
    free(text);
    /* A token is for the services that signed it. */
    if (code == CTL_OK && ctl_value(input, "connect") == NULL) {
        code = adopt_session(ctl, name);
    }
    if (code == CTL_OK && ctl_value(input, "use") != NULL) {
        code = ctl_context_keep(name);
    }
    if (code == CTL_OK) {
        ctl_say("context %s is kept in %s", name, path);
    }
    return code;
}

static const struct ctl_command add_command = {
    .name = "add",
    .arguments = "NAME",
    .summary = "Keep what --run, --data, --time-zone and -o say under a name, or where services "
               "run elsewhere",
    .examples = "atesctl context add demo --run ./var/run --use\n"
                "atesctl context add books --run /run/ates --time-zone Europe/Moscow -o json\n"
                "atesctl context add far --connect "
                "auth=tcp://ates.example:5701,tasks=tcp://ates.example:5702 "
                "--server-file server.cert --client-file ~/.config/ates/ann.cert_secret",
    .options = add_options,
    .min = 1,
    .max = 1,
    .run = run_add,
};

/* What `context ls` is about. */
struct listed {
    struct ctl *ctl;
    struct ctl_listing *listing;
    char current[CTL_CONTEXT_SIZE];
};

static void list_one(void *context, const char *name, const char *summary)
{
    struct listed *self = context;
    struct ctl one = {.timeout_ms = self->ctl->timeout_ms};
    struct context_row row = {.name = ates_text_from(name),
                              .is_current = strcmp(name, self->current) == 0};
    char path[PATH_SIZE], error[8192] = "";
    const struct ates_config_sources sources = {.context = path};

    (void)summary;
    snprintf(one.context, sizeof one.context, "%s", name);
    if (ctl_context_path(name, path, sizeof path) != CTL_OK) {
        return;
    }
    if (ates_config_load_from(&one.config, &sources, one.origins, error, sizeof error) == 0) {
        one.origins[ates_setting_find("run")] = ATES_FROM_CONTEXT; /* whatever overrides it now */
        row.has_run = true;
        row.run = ates_text_from(one.config.run_dir);
        row.has_user = ctl_session_load(&one) == CTL_OK && one.session->login[0] != '\0';
        row.user = ates_text_from(row.has_user ? one.session->login : "");
    } else {
        row.has_problem = true;
        row.problem = ates_text_from(error);
    }
    ctl_listing_add(self->listing, NULL, &row);
    ctl_session_close(&one);
}

static int run_ls(struct ctl *ctl, const struct ctl_input *input)
{
    struct listed listed = {.ctl = ctl};

    (void)input;
    snprintf(listed.current, sizeof listed.current, "%s", ctl->context);
    listed.listing = ctl_listing_new(ctl, &context_row_message, NULL);
    if (listed.listing == NULL) {
        return ctl_fail(CTL_REFUSED, NULL, "out of memory");
    }
    ctl_context_each(list_one, &listed);
    const int code =
        ctl_listing_end(listed.listing, "no contexts; one is made by: atesctl context add NAME");
    ctl_listing_free(&listed.listing);
    return code;
}

static const struct ctl_command ls_command = {
    .name = "ls",
    .summary = "List the contexts, and which is in use",
    .examples = "atesctl context ls",
    .is_local = true,
    .run = run_ls,
};

static int run_use(struct ctl *ctl, const struct ctl_input *input)
{
    const char *name = input->arguments[0];
    char path[PATH_SIZE];

    (void)ctl;
    int code = ctl_context_find(name, path, sizeof path);
    if (code == CTL_OK) {
        code = ctl_context_keep(name);
    }
    if (code == CTL_OK) {
        ctl_say("context %s is in use from now on", name);
    }
    return code;
}

static const struct ctl_command use_command = {
    .name = "use",
    .arguments = "NAME",
    .summary = "Use a context from now on",
    .examples = "atesctl context use demo",
    .look = "atesctl context ls",
    .is_local = true,
    .min = 1,
    .max = 1,
    .run = run_use,
    .words = tell_contexts,
};

static void add_row(struct ctl_listing *listing, const char *setting, const char *value,
                    const char *source)
{
    const struct setting_row row = {ates_text_from(setting), value[0] != '\0',
                                    ates_text_from(value), ates_text_from(source)};

    ctl_listing_add(listing, NULL, &row);
}

static void add_setting(const struct ctl *ctl, struct ctl_listing *listing, const char *setting)
{
    const size_t index = ates_setting_find(setting);
    const char *slash = strchr(setting, '/');
    char source[PATH_MAX], variable[ATES_SETTING_NAME_SIZE + 8];

    switch (ctl->origins[index]) {
    case ATES_FROM_DEFAULT:
        snprintf(source, sizeof source, "default");
        break;
    case ATES_FROM_FILE:
        snprintf(source, sizeof source, "%s", ates_config_file());
        break;
    case ATES_FROM_CONTEXT:
        snprintf(source, sizeof source, "context %s", ctl->context);
        break;
    case ATES_FROM_ENVIRONMENT:
        snprintf(source, sizeof source, "%s",
                 ates_setting_variable(&ates_setting_types[index], variable));
        break;
    case ATES_FROM_FLAG:
        snprintf(source, sizeof source, "--%s", slash != NULL ? slash + 1 : setting);
        break;
    }
    add_row(listing, setting, value_of(&ctl->config, setting), source);
}

static int show(struct ctl *ctl, const char *context_source)
{
    const char *given = getenv("ATES_TOKEN_FILE");
    const bool is_given = given != NULL && given[0] != '\0';
    const bool is_contexts = ctl->origins[ates_setting_find("run")] == ATES_FROM_CONTEXT;
    char path[PATH_SIZE];

    int code = ctl_token_path(ctl, path, sizeof path);
    if (code == CTL_OK) {
        code = ctl_session_load(ctl);
    }
    struct ctl_listing *listing =
        code == CTL_OK ? ctl_listing_new(ctl, &setting_row_message, NULL) : NULL;
    if (listing == NULL) {
        return code != CTL_OK ? code : ctl_fail(CTL_REFUSED, NULL, "out of memory");
    }
    add_row(listing, "context", ctl->context, context_source);
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        add_setting(ctl, listing, settings[i]);
    }
    for (size_t i = 0; i < ates_setting_count; i++) {
        if (ctl_is_far_setting(&ates_setting_types[i]) &&
            ((const char *)&ctl->config + ates_setting_types[i].offset)[0] != '\0') {
            add_setting(ctl, listing, ates_setting_types[i].name);
        }
    }
    add_row(listing, "token_file", path,
            is_given      ? "ATES_TOKEN_FILE"
            : is_contexts ? "the context's"
                          : "the run folder's");
    add_row(listing, "user", ctl->session->login,
            ctl->session->login[0] != '\0' ? "the token file" : "nobody is signed in");
    code = ctl_listing_end(listing, NULL);
    ctl_listing_free(&listing);
    return code;
}

static int run_show(struct ctl *ctl, const struct ctl_input *input)
{
    static const char *const sources[] = {[CTL_CONTEXT_NONE] = "none is in use",
                                          [CTL_CONTEXT_OPTION] = "--context",
                                          [CTL_CONTEXT_ENVIRONMENT] = "ATES_CONTEXT",
                                          [CTL_CONTEXT_KEPT] = "atesctl context use"};
    char path[PATH_SIZE], error[8192] = "";
    const struct ates_config_sources with = {.context = path};

    if (input->count == 0) {
        return show(ctl, sources[ctl->context_source]);
    }
    int code = ctl_context_find(input->arguments[0], path, sizeof path);
    if (code != CTL_OK) {
        return code;
    }
    snprintf(ctl->context, sizeof ctl->context, "%s", input->arguments[0]);
    if (ates_config_load_from(&ctl->config, &with, ctl->origins, error, sizeof error) != 0) {
        return ctl_fail(CTL_USAGE, "mend the file, or atesctl context rm NAME", "%s", error);
    }
    return show(ctl, "the argument");
}

static const struct ctl_command show_command = {
    .name = "show",
    .arguments = "[NAME]",
    .summary = "Show the settings in use, or with a context, and where each comes from",
    .examples = "atesctl context show\n"
                "atesctl context show demo -o json",
    .max = 1,
    .run = run_show,
    .words = tell_contexts,
};

/* With its token: it would be found by nobody. */
static int run_rm(struct ctl *ctl, const struct ctl_input *input)
{
    const char *name = input->arguments[0];
    char path[PATH_SIZE], token[PATH_SIZE + CTL_CONTEXT_SIZE], folder[PATH_SIZE];
    char kept[CTL_CONTEXT_SIZE];

    (void)ctl;
    int code = ctl_context_find(name, path, sizeof path);
    if (code == CTL_OK) {
        code = ctl_folder(CTL_STATE, "tokens", folder, sizeof folder);
    }
    if (code == CTL_OK) {
        code = ctl_context_kept(kept);
    }
    if (code == CTL_OK && strcmp(kept, name) == 0) {
        code = ctl_context_keep("");
    }
    if (code != CTL_OK) {
        return code;
    }
    snprintf(token, sizeof token, "%s/%s", folder, name);
    if ((unlink(token) != 0 && errno != ENOENT) || unlink(path) != 0) {
        return ctl_fail(CTL_REFUSED, NULL, "cannot delete context %s: %s", name, strerror(errno));
    }
    ctl_say("context %s and its token are deleted", name);
    return CTL_OK;
}

static const struct ctl_command rm_command = {
    .name = "rm",
    .arguments = "NAME",
    .summary = "Delete a context and its token",
    .examples = "atesctl context rm demo",
    .look = "atesctl context ls",
    .is_local = true,
    .min = 1,
    .max = 1,
    .run = run_rm,
    .words = tell_contexts,
};

static const struct ctl_command *const commands[] = {&add_command,  &ls_command, &use_command,
                                                     &show_command, &rm_command, NULL};
const struct ctl_group context_group = {
    .name = "context", .summary = "Contexts: which aTES, as whom", .commands = commands};
