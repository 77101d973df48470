/* The audit trail: a line in the journal for each sign-in and each change of a password, and for each command that was refused
 * for who asked. Lines that anybody can have written by asking are bounded in number: the next line tells how many were left out. */
#ifndef ATES_AUDIT_H
#define ATES_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include <ates/status.h>

/* So many refusals have a line at once, and then one more each interval. */
#define ATES_AUDIT_BURST 50u
#define ATES_AUDIT_INTERVAL_US INT64_C(1000000)

/* What there is to tell of a command that was answered. */
struct ates_audit_entry {
    const char *command; /* without its service */
    enum ates_status status;
    bool is_secret;     /* its body holds a password */
    const char *reason; /* of a refusal */
    uint64_t user_id;   /* who asked, or whose password it was; 0: nobody that is known */
    const char *client; /* for whom it was sent, as the sender says; empty: it did not say */
    const char *trace;  /* the trace's id; empty: none */
};

/* Starts as zeros. */
struct ates_audit {
    int64_t full_at_us;
    uint64_t left_out;
};

/* Whether entry belongs to the trail. */
bool ates_audit_concerns(enum ates_status status, bool is_secret);

/* Writes the line of an entry that does; now is monotonic, in microseconds. */
void ates_audit_tell(struct ates_audit *audit, const char *service,
                     const struct ates_audit_entry *entry, int64_t now_us);

#endif
