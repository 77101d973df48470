/* The audit trail; see audit.h. */
#include "core/audit.h"

#include "core/catalogue.h"

bool ates_audit_concerns(enum ates_status status, bool is_secret)
{
    return status == ATES_UNAUTHENTICATED || status == ATES_PERMISSION_DENIED ||
           (is_secret && (status == ATES_OK || status == ATES_RESOURCE_EXHAUSTED));
}

/* A token bucket as one number, the time at which it will be full again. */
static bool may_tell(struct ates_audit *self, int64_t now_us)
{
    const int64_t from_us = self->full_at_us > now_us ? self->full_at_us : now_us;

    if (from_us + ATES_AUDIT_INTERVAL_US - now_us > ATES_AUDIT_BURST * ATES_AUDIT_INTERVAL_US) {
        self->left_out++;
        return false;
    }
    self->full_at_us = from_us + ATES_AUDIT_INTERVAL_US;
    return true;
}

void ates_audit_tell(struct ates_audit *self, const char *service,
                     const struct ates_audit_entry *entry, int64_t now_us)
{
    struct ates_log_field fields[8];
    size_t count = 0;

    if (entry->status != ATES_OK && !may_tell(self, now_us)) {
        return;
    }
    fields[count++] = (struct ates_log_field){"command", entry->command, 0};
    fields[count++] = (struct ates_log_field){"status", ates_status_name(entry->status), 0};
    if (entry->user_id != 0) {
        fields[count++] = (struct ates_log_field){"user_id", NULL, (int64_t)entry->user_id};
    }
    if (entry->client[0] != '\0') {
        fields[count++] = (struct ates_log_field){"client", entry->client, 0};
    }
    if (entry->trace[0] != '\0') {
        fields[count++] = (struct ates_log_field){"trace", entry->trace, 0};
    }
    if (entry->status == ATES_OK) {
        fields[count] = (struct ates_log_field){NULL, NULL, 0};
        ates_say(ATES_SAY_LET_IN, service, fields, "%s: done", entry->command);
        return;
    }
    fields[count++] = (struct ates_log_field){"reason", entry->reason, 0};
    if (self->left_out > 0) {
        fields[count++] = (struct ates_log_field){"left_out", NULL, (int64_t)self->left_out};
        self->left_out = 0;
    }
    fields[count] = (struct ates_log_field){NULL, NULL, 0};
    ates_say(ATES_SAY_KEPT_OUT, service, fields, "%s: refused: %s", entry->command, entry->reason);
}
