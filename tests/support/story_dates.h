/* Whether the story's dates were closed as they should be, from the services' logs. */
#ifndef ATES_TEST_STORY_DATES_H
#define ATES_TEST_STORY_DATES_H

#include "support/story.h"

/* After story_settle, payment being up and no retry pending: every date that is due is closed, in
 * order, none twice, and payment knows it. */
void story_check_dates(struct story *story);

#endif
