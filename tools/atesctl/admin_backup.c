/* atesctl admin backup: all services' logs up to one cut, while they run. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "admin.h"
#include "core/backup.h"
#include "domains.h"

static const struct ctl_option options[] = {
    {"data", "DIR", "where the services keep their data"},
    {"without-keys", NULL, "leave the keys out: whoever has them can sign for anybody"},
    {NULL, NULL, NULL},
};

/* What is printed of one service's log. */
struct backup_row {
    struct ates_text service;
    uint64_t records, seq;
    bool has_last_at;
    int64_t last_at;
    uint64_t bytes;
};
static const struct ates_field backup_row_fields[] = {
    {ATES_FIELD(backup_row, service), .type = ATES_TEXT},
    {ATES_FIELD(backup_row, records), .type = ATES_UINT, .summary = "number of the last record"},
    {ATES_FIELD(backup_row, seq), .type = ATES_UINT, .summary = "of the last event"},
    {ATES_OPTIONAL(backup_row, last_at), .type = ATES_INT, .summary = "time of the last record"},
    {ATES_FIELD(backup_row, bytes), .type = ATES_UINT, .summary = "of the copy"},
};
static ATES_MESSAGE(backup_row, "backup");

static int print(const struct ctl *ctl, const struct ates_manifest *manifest)
{
    struct ctl_listing *listing = ctl_listing_new(ctl, &backup_row_message, NULL);

    if (listing == NULL) {
        return ctl_fail(CTL_REFUSED, NULL, "out of memory");
    }
    for (size_t i = 0; i < manifest->log_count; i++) {
        const struct ates_manifest_log *log = &manifest->logs[i];
        const struct backup_row row = {
            .service = ates_text_from(log->service),
            .records = log->head.number,
            .seq = log->head.seq,
            .has_last_at = log->head.number > 0,
            .last_at = log->head.time,
            .bytes = log->size,
        };
        ctl_listing_add(listing, NULL, &row);
    }
    const int code = ctl_listing_end(listing, "no service has any data yet");
    ctl_listing_free(&listing);
    return code;
}

static int run(struct ctl *ctl, const struct ctl_input *input)
{
    struct admin_meter meter = admin_meter_begin("", "");
    const struct ates_backup_progress progress = {admin_meter_tell_service, &meter};
    struct ates_manifest manifest;
    struct ates_config config;
    char error[ADMIN_ERROR_SIZE] = "", at[CTL_TIME_SIZE];
    int code = admin_take_data(ctl, input, &config);

    if (code != CTL_OK) {
        return code;
    }
    const struct ates_backup_plan plan = {
        .domains = ates_domains,
        .config = &config,
        .folder = input->arguments[0],
        .with_keys = ctl_value(input, "without-keys") == NULL,
        .progress = &progress,
    };
    const int r = ates_backup(&plan, &manifest, error, sizeof error);
    admin_meter_end(&meter);
    if (r == -ENOTEMPTY || r == -EBUSY) {
        return ctl_fail(CTL_CONFLICT, "a folder that is not there yet", "%s", error);
    }
    if (r != 0) {
        return admin_fail(r, error);
    }
    code = print(ctl, &manifest);
    ctl_format_moment(manifest.taken_at, at);
    ctl_say("%s holds the backup of %s%s", plan.folder, at,
            plan.with_keys ? ", keys included: keep it as safe as the data" : ", without the keys");
    return code;
}

const struct ctl_command admin_backup_command = {
    .name = "backup",
    .arguments = "BACKUP",
    .summary = "Copy all services' logs up to one cut, while they run or not",
    .notes = "\nBACKUP is a folder that is made, with mode 0700. No service is stopped or held up, "
             "and nothing is\n"
             "in the copy whose cause is not. Each record is checked on its way. States are not "
             "copied: a\n"
             "restore makes them of the logs. Run it as root or as the data's owner.\n",
    .examples = "atesctl admin backup /var/backups/ates-2026-11-23\n"
                "atesctl admin restore --verify-only /var/backups/ates-2026-11-23",
    .options = options,
    .min = 1,
    .max = 1,
    .run = run,
};
