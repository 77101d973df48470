/* atesctl admin compact: shorter logs. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "admin.h"
#include "core/calendar.h"
#include "core/compact.h"
#include "domains.h"

#define KEPT_DAYS 400 /* more than a year: what a year's report asks for is among the records */
#define KEPT_DAYS_MAX 100000

static const struct ctl_option options[] = {
    {"data", "DIR", "where the services keep their data"},
    {"before", "DATE", "cut what is older than this business date"},
    {"keep-days", "N", "keep so many business dates before today's; 400 unless given"},
    {"dry-run", NULL, "tell what would be cut, and cut nothing"},
    {NULL, NULL, NULL},
};

struct compact_row {
    struct ates_text service;
    uint64_t cut, kept;
    bool has_cut_until;
    int64_t cut_until;
    bool has_limited_by;
    struct ates_text limited_by;
    uint64_t bytes_before;
    bool has_bytes_after;
    uint64_t bytes_after;
};
static const struct ates_field compact_row_fields[] = {
    {ATES_FIELD(compact_row, service), .type = ATES_TEXT},
    {ATES_FIELD(compact_row, cut), .type = ATES_UINT, .summary = "records"},
    {ATES_FIELD(compact_row, kept), .type = ATES_UINT, .summary = "records"},
    {ATES_OPTIONAL(compact_row, cut_until), .type = ATES_INT, .summary = "Unix ms: the last one"},
    {ATES_OPTIONAL(compact_row, limited_by), .type = ATES_TEXT,
     .summary = "what still needs older ones"},
    {ATES_FIELD(compact_row, bytes_before), .type = ATES_UINT, .summary = "of log and base"},
    {ATES_OPTIONAL(compact_row, bytes_after), .type = ATES_UINT},
};
static ATES_MESSAGE(compact_row, "compact");

static void say(const char *service, const struct ates_compact_plan *plan,
                const struct ates_compact_report *report)
{
    if (report->limited_by[0] != '\0') {
        ctl_say("%s: records that are older stay, as %s still need%s them", service,
                report->limited_by, strchr(report->limited_by, ' ') != NULL ? "" : "s");
    }
    if (!report->is_cut) {
        ctl_say("%s: nothing to cut", service);
    } else {
        ctl_say("%s: %" PRIu64 " records %s, %" PRIu64 " stay", service, report->cut,
                plan->dry_run ? "would be cut" : "cut", report->kept);
    }
}

static int compact_one(const struct ates_domain *domain, const struct ates_config *config,
                       const void *context, bool for_people, struct ctl_listing *listing)
{
    const struct ates_compact_plan *plan = context;
    const char *name = domain->service->name;
    struct admin_meter meter = admin_meter_begin(name, "checking and copying");
    const struct ates_progress progress = {admin_meter_tell, &meter};
    struct ates_compact_report report = {.is_cut = false};
    char error[ADMIN_ERROR_SIZE] = "";

    (void)for_people;
    const int r = ates_compact(domain, config, plan, &progress, &report, error, sizeof error);

    admin_meter_end(&meter);
    if (r != 0) {
        return r == -EBADMSG ? ctl_fail(CTL_REFUSED, NULL, "%s is damaged: %s", name, error)
                             : admin_fail(r, error);
    }
    const struct compact_row row = {
        .service = ates_text_from(name),
        .cut = report.cut,
        .kept = report.kept,
        .has_cut_until = report.cut > 0,
        .cut_until = report.cut_time,
        .has_limited_by = report.limited_by[0] != '\0',
        .limited_by = ates_text_from(report.limited_by),
        .bytes_before = report.bytes_before,
        .has_bytes_after = !plan->dry_run,
        .bytes_after = report.bytes_after,
    };
    ctl_listing_add(listing, NULL, &row);
    say(name, plan, &report);
    return CTL_OK;
}

/* The moment from which on everything stays. */
static int take_before(const struct ctl_input *input, int64_t *before)
{
    const struct ates_source source = ates_source_system();
    const char *date = ctl_value(input, "before"), *days = ctl_value(input, "keep-days");
    uint64_t kept = KEPT_DAYS;
    ates_day day;

    if (date != NULL && days != NULL) {
        return ctl_fail(CTL_USAGE, NULL, "--before and --keep-days say the same: give one of them");
    }
    if (date != NULL && ates_day_parse(date, strlen(date), &day) != 0) {
        return ctl_fail(CTL_USAGE, NULL, "--before: a date is expected (YYYY-MM-DD), got '%.40s'",
                        date);
    }
    if (date == NULL) {
        const int code =
            days != NULL ? ctl_parse_number(days, "keep-days", 1, KEPT_DAYS_MAX, &kept) : CTL_OK;

        if (code != CTL_OK) {
            return code;
        }
        day = ates_day_at(ates_now_ms(&source)) - (ates_day)kept;
    }
    *before = ates_day_start(day);
    return CTL_OK;
}

static int run_compact(struct ctl *ctl, const struct ctl_input *input)
{
    struct ates_compact_plan plan = {.dry_run = ctl_value(input, "dry-run") != NULL,
                                     .domains = ates_domains};
    const int code = take_before(input, &plan.before);

    return code != CTL_OK ? code
                          : admin_list_work(ctl, input, &compact_row_message, compact_one, &plan);
}

const struct ctl_command admin_compact_command = {
    .name = "compact",
    .summary = "Cut old records off every service's log; the state that they came to stays",
    .notes =
        "\nWhat stored replies and followers still need stays. Followers that begin later begin "
        "with that\n"
        "state. Take a backup first: nothing brings the records back, and programs that know no "
        "compacted\n"
        "logs can no longer open the data.\n",
    .examples = "atesctl admin compact --data /var/lib/ates --dry-run\n"
                "atesctl admin compact --data /var/lib/ates --keep-days 400",
    .options = options,
    .run = run_compact,
};
