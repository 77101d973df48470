/* Makes one domain's state anew from its log, and tells whether it is the one that was there. */
#ifndef ATES_REBUILD_H
#define ATES_REBUILD_H

#include "core/engine.h"
#include "core/store_compare.h"

struct ates_rebuild_report {
    uint64_t records;     /* of the log, all folded in, its base first where it has one */
    bool differs;         /* from the state that was there */
    char unreadable[256]; /* why that one could not be read at all; empty where it could */
    size_t table_count;
    struct ates_rebuilt_table {
        const char *name;
        struct ates_table_comparison rows; /* left: as they were, right: as rebuilt */
    } tables[ATES_TABLES_MAX];
};

/* Replays the domain's log below config->data_dir, which no daemon may be using (-EBUSY), into a
 * fresh state beside the real one; compares the two table by table; then puts the new one in the
 * real one's place in one step, so that a crash leaves the old state or the new. What an
 * interrupted run left is cleaned by the next. The log is the truth: a state that differed is
 * replaced all the same, and the report says where. Returns 0, or -errno with one line in error:
 * -ENOSPC where the disk has no room for a state. progress may be NULL. */
int ates_rebuild(const struct ates_domain *domain, const struct ates_config *config,
                 const struct ates_progress *progress, struct ates_rebuild_report *report,
                 char *error, size_t error_size);

/* The same, but that the state stays as it is: only the report is wanted. */
int ates_rebuild_compare(const struct ates_domain *domain, const struct ates_config *config,
                         const struct ates_progress *progress, struct ates_rebuild_report *report,
                         char *error, size_t error_size);

#endif
