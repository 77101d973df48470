/* Whether accounting and analytics say what the model does. */
#ifndef ATES_TEST_STORY_COMPARE_H
#define ATES_TEST_STORY_COMPARE_H

#include "support/story.h"

/* After story_settle: balances, income, payouts, mails, debts and the most expensive tasks; and that
 * what was said of the past is still said. */
void story_compare(struct story *story);
/* At the end: every transfer, the domains' own checks, and a rebuild of each engine. */
void story_compare_all(struct story *story);

#endif
