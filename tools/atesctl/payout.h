/* What `account pay` and `payment run` have in common: a change that may have to wait for others,
 * and how its result is told. */
#ifndef CTL_PAYOUT_H
#define CTL_PAYOUT_H

#include "ctl.h"

/* What ctl_check_consent is told. */
#define CTL_PAYOUT_WARNING "this pays out every positive balance"
#define CTL_PAYOUT_TIMEOUT_MS 60000 /* of a hundred thousand employees */

/* For help: what a payout comes to. */
#define CTL_PAYOUT_NOTES                                                                           \
    "\nEverybody is paid what they had at the date's end, if that was more than nothing, and "     \
    "gets\n"                                                                                       \
    "a mail. A date is paid once: asked again, it tells what was paid. What happens on a paid "    \
    "date\n"                                                                                       \
    "later counts for the next one.\n"

/* As ctl_change (remote.h), but where the service says UNAVAILABLE and when to come again, it is
 * asked again under the same request id within the timeout, and what is waited for is told. Drops
 * the reply that the client holds. */
int ctl_change_patiently(struct ctl *ctl, const struct ates_service *service, const char *name,
                         const void *body, void *result);

/* "12 employees 1234.56 in all", "1 employee 12.34", "nobody". */
#define CTL_PAYOUT_WORDS_SIZE 96u
const char *ctl_payout_words(uint64_t paid_count, int64_t total_cents,
                             char out[CTL_PAYOUT_WORDS_SIZE]);

/* What either command answers. */
struct ctl_payout {
    struct ates_text business_date;
    uint64_t paid_count;
    int64_t total_cents;
    bool already_closed;
};

/* Asks, by what a dry run said, and returns CTL_OK where that is to be paid. A date that is closed
 * already needs no question: it will tell so again, and moves nothing. */
int ctl_payout_confirm(struct ctl *ctl, const struct ctl_payout *preview);

/* Says what was paid or, where is_dry, would be: "2026-11-22: paid 12 employees 1234.56 in all", and
 * where their mails are. */
void ctl_payout_say(const struct ctl_payout *payout, bool is_dry);

#endif
