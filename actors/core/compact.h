/* Shortens one domain's log: the records before a time give way to a base (base.h), the state that
 * they came to. What followers and repeated requests may still ask for stays. */
#ifndef ATES_COMPACT_H
#define ATES_COMPACT_H

#include "core/engine.h"

struct ates_compact_plan {
    int64_t before; /* Unix ms: records from then on stay */
    bool dry_run;   /* tells what would be cut, and cuts nothing */
    /* All domains of the folder, NULL at the end: what those that follow this one have not taken in
     * stays. */
    const struct ates_domain *const *domains;
};

struct ates_compact_report {
    bool is_cut;           /* or would be; false: there is nothing to cut */
    uint64_t cut, kept;    /* records */
    uint64_t first_seq;    /* the first event that stays, or comes next */
    int64_t cut_time;      /* Unix ms, of the last record that is cut */
    char limited_by[64];   /* what kept records from before the time: a follower's name, or
                              "stored replies"; empty: nothing */
    uint64_t bytes_before; /* that log and base have on the disk */
    uint64_t bytes_after;
};

/* Compacts the domain's log below config->data_dir, which no daemon may be using (-EBUSY), after a
 * check of all of it: damage is refused (-EBADMSG), as the records that could mend it would go.
 *
 * New log and base are made beside the old ones; the exchange of the two log folders, each of which
 * names its base, is the one step that counts: a crash leaves the old pair or the new, and what an
 * interrupted run left is removed by the next. The state is not touched. Returns 0, or -errno with
 * one line in error. progress may be NULL. */
int ates_compact(const struct ates_domain *domain, const struct ates_config *config,
                 const struct ates_compact_plan *plan, const struct ates_progress *progress,
                 struct ates_compact_report *report, char *error, size_t error_size);

#endif
