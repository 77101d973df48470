/* What `account pay` and `payment run` have in common: a change that may have to wait for others,
 * and how its result is told. */
#ifndef CTL_PAYOUT_H
#define CTL_PAYOUT_H

#include "ctl.h"

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

/* "2026-11-22 is closed, it paid 12 employees 1234.56 in all", and where their mails are. */
void ctl_payout_say_closed(struct ates_text date, uint64_t paid_count, int64_t total_cents);

#endif
