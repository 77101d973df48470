/* atesctl: the command line of aTES. Sets up what commands share, and runs one. Invariant: nothing
 * is contacted, read or written before the whole command line made sense. */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include <czmq.h>
#include <sodium.h>

#include "context_store.h"
#include "core/calendar.h"
#include "core/standard_files.h"
#include "ctl.h"
#include "help.h"
#include "line.h"
#include "output.h"
#include "session_store.h"

/* The settings, the context's included. */
static int load_config(struct ctl *ctl, const struct ctl_line *line)
{
    const struct ates_setting flags[] = {{"run", line->run_dir}, {"ctl/output", line->output}};
    struct ates_setting given[2];
    char error[8192], path[4096];
    struct ates_config_sources sources = {.flags = given};

    for (size_t i = 0; i < 2; i++) {
        if (flags[i].value != NULL) {
            given[sources.flag_count++] = flags[i];
        }
    }
    int code = ctl_context_choose(line->context, ctl->context, &ctl->context_source);
    if (code == CTL_OK && ctl->context[0] != '\0') {
        code = ctl_context_find(ctl->context, path, sizeof path);
        sources.context = path;
    }
    if (code != CTL_OK) {
        return code;
    }
    int r = ates_config_load_from(&ctl->config, &sources, ctl->origins, error, sizeof error);
    if (r == 0) {
        r = ates_calendar_open(ctl->config.time_zone);
        snprintf(error, sizeof error, "cannot use the time zone %s", ctl->config.time_zone);
    }
    if (r != 0) {
        return ctl_fail(r == -EINVAL ? CTL_USAGE : CTL_REFUSED, NULL, "%s", error);
    }
    ctl_take_format(ctl, ctl->config.ctl_output);
    return CTL_OK;
}

static int configure(struct ctl *ctl, const struct ctl_line *line)
{
    const int code = load_config(ctl, line);

    if (code != CTL_OK && !line->command->is_local) {
        return code;
    }
    if (ctl->timeout_ms == 0) {
        ctl->timeout_ms =
            line->command->timeout_ms > 0 ? line->command->timeout_ms : CTL_TIMEOUT_MS;
    }
    ctl->arena = ates_arena_new();
    return ctl->arena != NULL ? CTL_OK : ctl_fail(CTL_REFUSED, NULL, "out of memory");
}

/* The C locale knows no letters but ASCII's; what is shown here has others. */
static void set_locale(void)
{
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "ANSI_X3.4-1968") == 0) {
        setlocale(LC_CTYPE, "C.UTF-8");
    }
}

int main(int argc, char **argv)
{
    static struct ctl ctl;
    struct ctl_line line = {.group = NULL};

    if (ates_standard_files_open() != 0) {
        return CTL_REFUSED;
    }
    zsys_handler_set(NULL); /* before anything of CZMQ: signals are ours */
    set_locale();
    if (sodium_init() < 0) {
        return ctl_fail(CTL_REFUSED, NULL, "cannot start");
    }
    int code = ctl_line_parse(&ctl, &line, argc, argv);
    if (code == CTL_OK && line.version) {
        puts("atesctl " ATES_VERSION);
        return CTL_OK;
    }
    if (code == CTL_OK && (line.help || line.command == NULL)) {
        code = ctl_help_on(line.help ? stdout : stderr, line.group, line.command, &line.input);
        return !line.help ? CTL_USAGE : code != CTL_OK ? code : ctl_flush();
    }
    if (code == CTL_OK) {
        code = ctl_line_check(&line);
    }
    if (code == CTL_OK) {
        code = configure(&ctl, &line);
    }
    if (code == CTL_OK) {
        code = ctl_check_format(&ctl, line.command);
    }
    if (code == CTL_OK) {
        code = line.command->run(&ctl, &line.input);
    }
    ates_client_free(&ctl.client);
    ctl_session_close(&ctl);
    ates_arena_free(&ctl.arena);
    return code;
}
