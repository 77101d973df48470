/* atesctl admin restore: a backup put into an empty data folder, or only checked. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "admin.h"
#include "core/restore.h"
#include "domains.h"

static const struct ctl_option options[] = {
    {"data", "DIR", "where the services will keep their data; absent or empty"},
    {"until", "TIME", "point in time: leave out what came later"},
    {"verify-only", NULL, "check the backup in every respect, and keep nothing"},
    {NULL, NULL, NULL},
};

/* What is printed of one service's log. */
struct restore_row {
    struct ates_text service;
    uint64_t records, seq;
    bool has_last_at;
    int64_t last_at;
    uint64_t left_out;
};
static const struct ates_field restore_row_fields[] = {
    {ATES_FIELD(restore_row, service), .type = ATES_TEXT},
    {ATES_FIELD(restore_row, records), .type = ATES_UINT, .summary = "number of the last record"},
    {ATES_FIELD(restore_row, seq), .type = ATES_UINT, .summary = "of the last event"},
    {ATES_OPTIONAL(restore_row, last_at), .type = ATES_INT, .summary = "time of the last record"},
    {ATES_FIELD(restore_row, left_out), .type = ATES_UINT, .summary = "records after --until"},
};
static ATES_MESSAGE(restore_row, "restore");

/* A time with its offset, or one of the business time zone. */
static int parse_time(const char *text, int64_t *time_ms)
{
    static const struct {
        const char *format;
        bool has_offset;
    } forms[] = {
        {"%Y-%m-%dT%H:%M:%S%z", true}, {"%Y-%m-%dT%H:%M%z", true},   {"%Y-%m-%dT%H:%M:%S", false},
        {"%Y-%m-%dT%H:%M", false},     {"%Y-%m-%d %H:%M:%S", false}, {"%Y-%m-%d %H:%M", false},
    };

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct tm parts = {.tm_isdst = -1};
        const char *end = strptime(text, forms[i].format, &parts);

        if (end != NULL && *end == '\0') {
            const long offset = parts.tm_gmtoff;

            *time_ms = forms[i].has_offset ? (int64_t)(timegm(&parts) - offset) * 1000
                                           : (int64_t)mktime(&parts) * 1000;
            return CTL_OK;
        }
    }
    return ctl_fail(CTL_USAGE, NULL,
                    "--until: '%s' is no time such as \"2026-11-23 18:30\" (of the business time "
                    "zone) or 2026-11-23T15:30:00Z",
                    text);
}

static int print(const struct ctl *ctl, const struct ates_restore_report *report)
{
    struct ctl_listing *listing = ctl_listing_new(ctl, &restore_row_message, NULL);

    if (listing == NULL) {
        return ctl_fail(CTL_REFUSED, NULL, "out of memory");
    }
    for (size_t i = 0; i < report->cut_count; i++) {
        const struct ates_cut *cut = &report->cuts[i];
        const struct ates_manifest_log *noted = ates_manifest_log(&report->manifest, cut->service);
        const struct restore_row row = {
            .service = ates_text_from(cut->service),
            .records = cut->head.number,
            .seq = cut->head.seq,
            .has_last_at = cut->head.number > 0,
            .last_at = cut->head.time,
            .left_out = noted->head.number - cut->head.number,
        };
        ctl_listing_add(listing, NULL, &row);
    }
    const int code = ctl_listing_end(listing, "the backup holds no log");
    ctl_listing_free(&listing);
    return code;
}

static int explain(int fault, const char *error)
{
    switch (fault) {
    case -EBADMSG:
        return ctl_fail(CTL_REFUSED, "another backup", "the backup is damaged: %s", error);
    case -ENOTEMPTY:
    case -EBUSY:
    case -EALREADY:
        return ctl_fail(CTL_CONFLICT, NULL, "%s", error);
    default:
        return admin_fail(fault, error);
    }
}

static void say_what_is_left(const struct ates_restore_plan *plan,
                             const struct ates_restore_report *report)
{
    const char *data = plan->config->data_dir;

    if (report->kept_keys) {
        ctl_say("the keys that were in %s/keys stay; those of the backup are not used", data);
    } else if (report->manifest.key_count == 0) {
        ctl_say("the backup holds no keys: put them into %s/keys before the services start", data);
    }
    if (strcmp(report->manifest.time_zone, plan->config->time_zone) != 0) {
        ctl_say("the business days of the backup are those of %s; time_zone is %s here",
                report->manifest.time_zone, plan->config->time_zone);
    }
}

static int restore(struct ctl *ctl, struct ates_restore_plan *plan)
{
    static struct ates_restore_report report;
    struct admin_meter meter = admin_meter_begin("", "");
    const struct ates_backup_progress progress = {admin_meter_tell_service, &meter};
    char error[ADMIN_ERROR_SIZE] = "", at[CTL_TIME_SIZE], until[CTL_TIME_SIZE];

    plan->progress = &progress;
    const int r = ates_restore(plan, &report, error, sizeof error);
    admin_meter_end(&meter);
    if (r != 0) {
        return explain(r, error);
    }
    const int code = print(ctl, &report);
    ctl_format_moment(report.manifest.taken_at, at);
    if (plan->verify_only) {
        ctl_say(
            "%s is sound: every record, every state, and each service's place in the others' logs; "
            "taken %s",
            plan->backup, at);
    } else {
        ctl_format_moment(plan->until, until);
        ctl_say("%s holds what %s did%s%s; it was taken %s", plan->config->data_dir, plan->backup,
                plan->has_until ? " up to " : "", plan->has_until ? until : "", at);
        say_what_is_left(plan, &report);
    }
    return code;
}

/* Where to work in for a check alone, unless --data says so: what is large does not belong into a
 * /tmp that is memory. */
static int make_work_folder(struct ates_config *config)
{
    const char *parent = getenv("TMPDIR");

    snprintf(config->data_dir, sizeof config->data_dir, "%s/atesctl-verify-XXXXXX",
             parent != NULL && parent[0] == '/' ? parent : "/var/tmp");
    return mkdtemp(config->data_dir) != NULL
               ? CTL_OK
               : ctl_fail(CTL_REFUSED, "--data DIR", "%s: %s", config->data_dir, strerror(errno));
}

static int run(struct ctl *ctl, const struct ctl_input *input)
{
    const char *until = ctl_value(input, "until");
    struct ates_config config;
    struct ates_restore_plan plan = {
        .domains = ates_domains,
        .config = &config,
        .backup = input->arguments[0],
        .verify_only = ctl_value(input, "verify-only") != NULL,
        .has_until = until != NULL,
    };
    int code = admin_take_data(ctl, input, &config);

    if (code == CTL_OK && until != NULL) {
        code = parse_time(until, &plan.until);
    }
    if (code != CTL_OK) {
        return code;
    }
    const bool own = plan.verify_only && ctl_value(input, "data") == NULL;
    if (own) {
        code = make_work_folder(&config);
    }
    if (code == CTL_OK) {
        code = restore(ctl, &plan);
    }
    if (own) {
        rmdir(config.data_dir);
    }
    return code;
}

const struct ctl_command admin_restore_command = {
    .name = "restore",
    .arguments = "BACKUP",
    .summary = "Make a data folder of a backup, checked in every respect",
    .notes = "\nEvery byte of the backup, every chain of hashes, every state and every ledger is "
             "checked, and each\n"
             "service's place in the logs that it follows; damage is refused with its place. An "
             "interrupted\n"
             "restore leaves nothing that is taken for data: run it again. What was sent outside "
             "after the\n"
             "backup (mails, tokens) cannot be taken back; see SECURITY.md. With --verify-only, "
             "--data is where\n"
             "to work, instead of a folder in $TMPDIR or /var/tmp.\n",
    .examples = "atesctl admin restore /var/backups/ates-2026-11-23\n"
                "atesctl admin restore /var/backups/ates-2026-11-23 --until \"2026-11-22 "
                "18:30\" --data "
                "/srv/ates\n"
                "atesctl admin restore --verify-only /var/backups/ates-2026-11-23",
    .options = options,
    .min = 1,
    .max = 1,
    .run = run,
};
