/* atesctl admin check: looks for damage. */
#include <errno.h>

#include "admin.h"
#include "core/check.h"

/* What is printed of one service's check. */
struct check_row {
    struct ates_text service;
    struct ates_text result;
    bool has_records, has_events;
    uint64_t records, events; /* read where the log is sound */
    bool has_damage;
    struct ates_text damage;
};
static const struct ates_field check_row_fields[] = {
    {ATES_FIELD(check_row, service), .type = ATES_TEXT},
    {ATES_FIELD(check_row, result), .type = ATES_TEXT, .summary = "sound or damaged"},
    {ATES_OPTIONAL(check_row, records), .type = ATES_UINT},
    {ATES_OPTIONAL(check_row, events), .type = ATES_UINT},
    {ATES_OPTIONAL(check_row, damage), .type = ATES_TEXT, .summary = "the first place of it"},
};
static ATES_MESSAGE(check_row, "check");

static int check_one(const struct ates_domain *domain, const struct ates_config *config,
                     const void *plan, bool for_people, struct ctl_listing *listing)
{
    const char *name = domain->service->name;
    (void)plan, (void)for_people;
    struct admin_meter meter = admin_meter_begin(name, "reading the log");
    const struct ates_progress progress = {admin_meter_tell, &meter};
    struct ates_check_report report = {.records = 0};
    char error[ADMIN_ERROR_SIZE] = "";
    const int r = ates_check(domain, config, &progress, &report, error, sizeof error);

    admin_meter_end(&meter);
    if (r != 0 && r != -EBADMSG) {
        return admin_fail(r, error);
    }
    const struct check_row row = {
        .service = ates_text_from(name),
        .result = ates_text_from(r != 0 ? "damaged" : "sound"),
        .has_records = r == 0,
        .has_events = r == 0,
        .records = report.records,
        .events = report.events,
        .has_damage = r != 0,
        .damage = ates_text_from(error),
    };
    ctl_listing_add(listing, NULL, &row);
    return r == 0 ? CTL_OK : ctl_fail(CTL_REFUSED, NULL, "%s is damaged: %s", name, error);
}

static int run_check(struct ctl *ctl, const struct ctl_input *input)
{
    return admin_list_work(ctl, input, &check_row_message, check_one, NULL);
}

const struct ctl_command admin_check_command = {
    .name = "check",
    .summary = "Look through every service's log and state for damage",
    .examples = "atesctl admin check --data /var/lib/ates",
    .options = admin_data_options,
    .run = run_check,
};
