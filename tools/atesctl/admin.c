/* atesctl admin: works on a data folder itself. Invariant: each command can be run again after it was
 * interrupted anywhere. */
#include "admin.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/datadir.h"
#include "core/setting.h"
#include "domains.h"
#include "operate.h"
#include "owner.h"

const struct ctl_option admin_data_options[] = {
    {"data", "DIR", "where the services keep their data"},
    {NULL, NULL, NULL},
};

int admin_take_data(const struct ctl *ctl, const struct ctl_input *input,
                    struct ates_config *config)
{
    const struct ates_setting_type *type = &ates_setting_types[ates_setting_find("data")];
    const char *data = ctl_value(input, "data");
    char why[256] = "";

    *config = ctl->config;
    if (data != NULL &&
        type->read(type, data, (char *)config + type->offset, why, sizeof why) != 0) {
        return ctl_fail(CTL_USAGE, NULL, "--data: %s", why);
    }
    return CTL_OK;
}

int admin_fail(int fault, const char *error)
{
    return ctl_fail(fault == -ENOENT  ? CTL_NOT_FOUND
                    : fault == -EBUSY ? CTL_CONFLICT
                                      : CTL_REFUSED,
                    fault == -EBUSY    ? "again once atesd is stopped"
                    : fault == -ENOSPC ? "make room on the disk, then the same again"
                                       : NULL,
                    "%s", error[0] != '\0' ? error : strerror(-fault));
}

void admin_meter_tell(void *context, uint64_t done, uint64_t total)
{
    struct admin_meter *self = context;
    const int64_t now = ates_monotonic_us();

    if (now - self->told_us < (self->terminal ? 100000 : 5000000) || total == 0) {
        return;
    }
    self->told_us = now;
    self->shown = self->terminal;
    fprintf(stderr, "%s%s: %s, %" PRIu64 " of %" PRIu64 " records (%" PRIu64 " %%)%s",
            self->terminal ? "\r" : "", self->service, self->doing, done, total, done * 100 / total,
            self->terminal ? "\033[K" : "\n");
}

struct admin_meter admin_meter_begin(const char *service, const char *doing)
{
    return (struct admin_meter){.service = service,
                                .doing = doing,
                                .told_us = ates_monotonic_us(),
                                .terminal = ctl_is_terminal(stderr)};
}

void admin_meter_end(const struct admin_meter *self)
{
    if (self->shown) {
        fputs("\r\033[K", stderr);
    }
}

void admin_meter_tell_service(void *context, const char *service, const char *doing, uint64_t done,
                              uint64_t total)
{
    struct admin_meter *self = context;

    self->service = service;
    self->doing = doing;
    admin_meter_tell(self, done, total);
}

static int each_service(const struct ates_config *config, admin_work_fn *work, const void *plan,
                        bool for_people, struct ctl_listing *listing)
{
    char folder[sizeof config->data_dir + 64];
    int code = CTL_OK;

    for (size_t i = 0; ates_domains[i] != NULL && code != CTL_CONFLICT; i++) {
        const char *name = ates_domains[i]->service->name;

        snprintf(folder, sizeof folder, "%s/%s/log", config->data_dir, name);
        if (access(folder, F_OK) != 0) {
            ctl_say("%s has no data yet", name);
            continue;
        }
        const int found = work(ates_domains[i], config, plan, for_people, listing);
        code = code != CTL_OK ? code : found;
    }
    return code;
}

int admin_list_work(const struct ctl *ctl, const struct ctl_input *input,
                    const struct ates_message *row, admin_work_fn *work, const void *plan)
{
    struct ates_config config;
    char error[ADMIN_ERROR_SIZE] = "";
    int code = admin_take_data(ctl, input, &config);

    if (code == CTL_OK) {
        code = ctl_become_owner(config.data_dir);
    }
    if (code != CTL_OK) {
        return code;
    }
    const int r = ates_datadir_check(config.data_dir, error, sizeof error);
    if (r != 0) {
        return admin_fail(r, error);
    }
    struct ctl_listing *listing = ctl_listing_new(ctl, row, NULL);
    if (listing == NULL) {
        return ctl_fail(CTL_REFUSED, NULL, "out of memory");
    }
    code = each_service(&config, work, plan, ctl->format == CTL_TABLE, listing);
    const int ended = ctl_listing_end(listing, NULL);
    ctl_listing_free(&listing);
    return code != CTL_OK ? code : ended;
}

static const struct ctl_command *const commands[] = {
    &admin_init_command,  &admin_backup_command,  &admin_restore_command, &admin_rebuild_command,
    &admin_check_command, &admin_compact_command, &admin_health_command,  &admin_describe_command,
    &admin_top_command,   &admin_config_command,  &admin_keys_command,    NULL,
};

const struct ctl_group admin_group = {
    .name = "admin",
    .summary = "Operate an installation: its data folder, its services, its settings",
    .commands = commands,
};
