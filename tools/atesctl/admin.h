/* What the commands of atesctl admin share: each works on a data folder itself. */
#ifndef CTL_ADMIN_H
#define CTL_ADMIN_H

#include "core/domain.h"
#include "ctl.h"
#include "output.h"

#define ADMIN_ERROR_SIZE 8192u

extern const struct ctl_command admin_init_command, admin_check_command, admin_rebuild_command,
    admin_backup_command, admin_restore_command, admin_compact_command;

/* --data alone. */
extern const struct ctl_option admin_data_options[];

/* The configuration with --data in it. */
int admin_take_data(const struct ctl *ctl, const struct ctl_input *input,
                    struct ates_config *config);

/* Tells what went wrong with a folder; returns its exit code. */
int admin_fail(int fault, const char *error);

/* How far a service's work has come, on stderr: in one line of a terminal, else now and then. */
struct admin_meter {
    const char *service;
    const char *doing;
    int64_t told_us;
    bool terminal;
    bool shown;
};
struct admin_meter admin_meter_begin(const char *service, const char *doing);
/* context: the meter; counts are of records. */
void admin_meter_tell(void *context, uint64_t done, uint64_t total);
void admin_meter_end(const struct admin_meter *self);
/* The same of several services, one after the other. */
void admin_meter_tell_service(void *context, const char *service, const char *doing, uint64_t done,
                              uint64_t total);

/* Work on one service's data, whose rows it adds; returns an exit code. plan: its command's own. */
typedef int admin_work_fn(const struct ates_domain *domain, const struct ates_config *config,
                          const void *plan, bool for_people, struct ctl_listing *listing);

/* Does it to every service that has data, as the folder's owner, and prints the rows. Goes on after
 * a service with damage, so that one run tells of all; the first code but 0 is the whole's. Data in
 * use are so as a whole. */
int admin_list_work(const struct ctl *ctl, const struct ctl_input *input,
                    const struct ates_message *row, admin_work_fn *work, const void *plan);

#endif
