/* The story's payouts: by the schedule and by hand, with what may go wrong between payment and
 * accounting. */
#ifndef ATES_TEST_STORY_PAY_H
#define ATES_TEST_STORY_PAY_H

#include "support/story.h"

/* Lets payment do what it wants to now; how many calls it made. */
size_t story_run_payment(struct story *story);
/* Somebody pays by hand: accounting's own command or payment's, for today, another date or on
 * trial. */
void story_pay_by_hand(struct story *story);
/* Accounting's stored results of every closed date are still what they were. */
void story_ask_again(struct story *story);

#endif
