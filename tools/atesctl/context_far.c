/* Contexts of services on another machine; see context_far.h. */
#include "context_far.h"

#include <stdio.h>
#include <string.h>

#include "core/setting.h"

bool ctl_is_far_setting(const struct ates_setting_type *type)
{
    return strncmp(type->name, "connect/", strlen("connect/")) == 0 ||
           strcmp(type->name, "curve/server_file") == 0 ||
           strcmp(type->name, "curve/client_file") == 0;
}

/* Sets a setting from an option, by the setting's own rules. */
int ctl_take_setting(struct ates_config *config, const char *setting, const char *option,
                     const char *value)
{
    const struct ates_setting_type *type = &ates_setting_types[ates_setting_find(setting)];
    char why[256] = "";

    return value == NULL ||
                   type->read(type, value, (char *)config + type->offset, why, sizeof why) == 0
               ? CTL_OK
               : ctl_fail(CTL_USAGE, NULL, "--%s: %s", option, why);
}

/* --connect: NAME=ADDRESS by commas. */
static int take_connect(struct ates_config *config, const char *list)
{
    char rest[4096], setting[ATES_SETTING_NAME_SIZE];
    char *next = rest, *word;
    int code = CTL_OK;

    if (list == NULL) {
        return CTL_OK;
    }
    snprintf(rest, sizeof rest, "%s", list);
    while (code == CTL_OK && (word = strsep(&next, ",")) != NULL) {
        char *address = strchr(word, '=');

        if (address != NULL) {
            *address++ = '\0';
        }
        snprintf(setting, sizeof setting, "connect/%.40s", word);
        if (address == NULL || ates_setting_find(setting) == ates_setting_count) {
            return ctl_fail(CTL_USAGE, "--connect auth=tcp://HOST:PORT,tasks=tcp://HOST:PORT",
                            "--connect: '%.40s' is none of auth, tasks, accounting, analytics, "
                            "payment and events with an address",
                            word);
        }
        code = ctl_take_setting(config, setting, "connect", address);
    }
    return code;
}

/* What another machine needs is told for this context, whatever holds without it. */
int ctl_take_far(struct ates_config *config, const struct ctl_input *input)
{
    for (size_t i = 0; i < ates_setting_count; i++) {
        if (ctl_is_far_setting(&ates_setting_types[i])) {
            ((char *)config + ates_setting_types[i].offset)[0] = '\0';
        }
    }
    const char *connect = ctl_value(input, "connect");
    const char *server = ctl_value(input, "server-file");
    const char *client = ctl_value(input, "client-file");
    int code = take_connect(config, connect);
    if (code == CTL_OK) {
        code = ctl_take_setting(config, "curve/server_file", "server-file", server);
    }
    if (code == CTL_OK) {
        code = ctl_take_setting(config, "curve/client_file", "client-file", client);
    }
    if (code == CTL_OK && connect != NULL && (server == NULL || client == NULL) &&
        config->insecure_tcp == 0) {
        code = ctl_fail(CTL_USAGE, "--server-file FILE --client-file FILE",
                        "--connect needs both machines' certificates");
    }
    return code;
}
