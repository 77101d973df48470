/* atesctl admin rebuild: every state anew. */
#include <inttypes.h>

#include "admin.h"
#include "core/rebuild.h"

/* Of one table of a rebuilt state. */
struct rebuild_row {
    struct ates_text service;
    struct ates_text table;
    uint64_t rows, rows_before, differences;
    bool has_first_key;
    struct ates_text first_key;
};
static const struct ates_field rebuild_row_fields[] = {
    {ATES_FIELD(rebuild_row, service), .type = ATES_TEXT},
    {ATES_FIELD(rebuild_row, table), .type = ATES_TEXT},
    {ATES_FIELD(rebuild_row, rows), .type = ATES_UINT},
    {ATES_FIELD(rebuild_row, rows_before), .type = ATES_UINT},
    {ATES_FIELD(rebuild_row, differences), .type = ATES_UINT},
    {ATES_OPTIONAL(rebuild_row, first_key), .type = ATES_TEXT, .summary = "hex: where they begin"},
};
static ATES_MESSAGE(rebuild_row, "rebuild");

/* People are told of tables that differ, programs of all. */
static int rebuild_one(const struct ates_domain *domain, const struct ates_config *config,
                       const void *plan, bool for_people, struct ctl_listing *listing)
{
    const char *name = domain->service->name;
    struct admin_meter meter = admin_meter_begin(name, "replaying the log");
    const struct ates_progress progress = {admin_meter_tell, &meter};
    struct ates_rebuild_report report;
    char error[ADMIN_ERROR_SIZE] = "";

    (void)plan;
    const int r = ates_rebuild(domain, config, &progress, &report, error, sizeof error);

    admin_meter_end(&meter);
    if (r != 0) {
        return admin_fail(r, error);
    }
    for (size_t i = 0; i < report.table_count; i++) {
        const struct ates_table_comparison *rows = &report.tables[i].rows;

        if (for_people && rows->differences == 0) {
            continue;
        }
        const struct rebuild_row row = {
            .service = ates_text_from(name),
            .table = ates_text_from(report.tables[i].name),
            .rows = rows->right_rows,
            .rows_before = rows->left_rows,
            .differences = rows->differences,
            .has_first_key = rows->differences > 0,
            .first_key = ates_text_from(rows->first_key),
        };
        ctl_listing_add(listing, NULL, &row);
    }
    if (report.unreadable[0] != '\0') {
        ctl_say("%s: the state that was there could not be read: %s", name, report.unreadable);
    }
    ctl_say("%s: rebuilt from %" PRIu64 " records, %s", name, report.records,
            report.differs ? "not as it was: the rebuilt state has taken its place"
                           : "the same in every table");
    return report.differs ? CTL_REFUSED : CTL_OK;
}

static int run_rebuild(struct ctl *ctl, const struct ctl_input *input)
{
    return admin_list_work(ctl, input, &rebuild_row_message, rebuild_one, NULL);
}

const struct ctl_command admin_rebuild_command = {
    .name = "rebuild",
    .summary = "Make every service's state anew from its log, and compare the two",
    .examples = "atesctl admin rebuild --data /var/lib/ates",
    .options = admin_data_options,
    .run = run_rebuild,
};
